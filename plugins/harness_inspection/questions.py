"""Questions that people ask of a run's database, ready to be copied."""

from __future__ import annotations

from collections.abc import Mapping

QUESTIONS: Mapping[str, str] = {
    "Did each round help?": """\
SELECT arm, round, train_rows, score, score_low, score_high, label, difference
FROM rounds ORDER BY arm, round;""",
    "Which answers of round 1 are the worst?": """\
SELECT s.value, e.prompt, e.reference, p.text
FROM example_scores s JOIN predictions p USING (arm, round, split, id)
JOIN examples e USING (split, id)
WHERE s.arm = 'main' AND s.round = 1 AND s.split = 'dev'
  AND s.name = (SELECT primary_score FROM runs)
ORDER BY s.value NULLS LAST LIMIT 10;""",
    "Which answers got better and which got worse between rounds 0 and 1?": """\
SELECT id, old.value AS before, new.value AS after, new.value - old.value AS change
FROM example_scores old JOIN example_scores new USING (arm, split, id, name)
WHERE arm = 'main' AND split = 'dev' AND old.round = 0 AND new.round = 1
  AND name = (SELECT primary_score FROM runs)
ORDER BY change;""",
    "Where does a prompt (baselines) make the base model answer other than the best round?": """\
SELECT b.arm, e.prompt, e.reference, p.text AS best_round, b.text AS under_the_prompt
FROM predictions b JOIN predictions p USING (split, id, sample_index)
JOIN examples e USING (split, id)
WHERE b.arm LIKE 'baseline %' AND split = 'dev' AND b.text <> p.text
  AND p.arm = 'main' AND p.round = (SELECT kept_round FROM runs)
ORDER BY b.arm, id LIMIT 20;""",
    "Which error categories go away, round by round?": """\
PIVOT (SELECT round, category FROM errors WHERE arm = 'main' AND split = 'dev')
ON round USING count(*) GROUP BY category;""",
    "Which slices underperformed, how many rows were planned for them, and how many came?": """\
SELECT round, slice, any_value(gap) AS gap, sum(rows)::BIGINT AS planned,
       (SELECT count(*) FROM added a WHERE a.arm = 'main' AND a.round = p.round
        AND a.slice = p.slice) AS came
FROM plans p WHERE arm = 'main' GROUP BY round, slice ORDER BY round, gap DESC;""",
    "What became of the rows of dev over the rounds?": """\
SELECT kind, count(*) AS rows, list(id ORDER BY id)[:3] AS some
FROM ledger WHERE arm = 'main' GROUP BY kind ORDER BY rows DESC;""",
    "Why do answers of the best round fail, and what can be done about it?": """\
SELECT cause, remedy, count(*) AS answers FROM diagnoses
WHERE arm = 'main' AND round = (SELECT kept_round FROM runs)
GROUP BY ALL ORDER BY answers DESC;""",
    "Which training rows do these causes name, and where are they to be found?": """\
SELECT t.cause, t.id, e.place, count(*) AS answers
FROM (SELECT cause, unnest(train_rows) AS id FROM diagnoses
      WHERE arm = 'main' AND round = (SELECT kept_round FROM runs)) AS t
LEFT JOIN examples e USING (id)
GROUP BY ALL ORDER BY answers DESC, t.id LIMIT 20;""",
    "Which error categories do the underperforming slices have?": """\
SELECT round, slice, category, answers, slice_rows FROM errors_by_slice
WHERE arm = 'main' ORDER BY round DESC, answers DESC LIMIT 20;""",
    "What was refused as training data, and why?": """\
SELECT arm, round, reason, rows FROM filters ORDER BY arm, round, rows DESC;""",
    "And what could not be scored, and why?": """\
SELECT arm, round, split, name, error, count(*) AS examples
FROM example_scores WHERE value IS NULL GROUP BY ALL ORDER BY ALL;""",
}
"""In words -> as SQL; what ``harness query --examples`` prints."""
