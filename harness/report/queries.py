"""The parts of an analysis that are asked from the run's database, each with its SQL.

A report's number and the answer of its query are the same thing: the report is made from the
answers, and its appendix prints the queries.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Query:
    """One table of the analysis.

    Attributes:
        what: what it holds, in words.
        sql: its query; the arm ``main`` throughout.
    """

    what: str
    sql: str


_KEPT = "(SELECT kept_round FROM runs)"
_WORDS = "len(string_split_regex(trim({column}), '\\s+'))"

QUERIES: Mapping[str, Query] = {
    "rounds": Query(
        "the rounds: rows trained on, primary score, verdict",
        "SELECT round, train_rows, score, score_low, score_high, label, difference, low, high, "
        "kept FROM rounds WHERE arm = 'main' ORDER BY round",
    ),
    "scores": Query(
        "every score of every round, on dev and, once it was opened, on test",
        "SELECT split, round, name, value, low, high, n, unscored, signature, caveat FROM scores "
        "WHERE arm = 'main' ORDER BY split, round, name",
    ),
    "slices": Query(
        "the slices of each round, the widest gap first",
        "SELECT round, slice, n, groups, score, gap, low, high, q, holds FROM slices "
        "WHERE arm = 'main' ORDER BY round, gap DESC NULLS LAST, slice",
    ),
    "plans": Query(
        "rows asked for after each round",
        "SELECT round, slice, rows, remedy FROM plans WHERE arm = 'main' ORDER BY round, position",
    ),
    "training": Query(
        "the loss of each round's training, its last step",
        "SELECT round, max(step) AS step, arg_max(loss, step) AS loss, "
        "arg_max(eval_loss, step) AS eval_loss FROM training WHERE arm = 'main' "
        "GROUP BY round ORDER BY round",
    ),
    "categories": Query(
        "answers on dev of each error category, by round",
        "SELECT round, category, count(DISTINCT id) AS answers FROM errors "
        "WHERE arm = 'main' AND split = 'dev' GROUP BY ALL ORDER BY ALL",
    ),
    "unexplained": Query(
        "failing answers on dev of no known error category, by round",
        "SELECT round, count(*) AS answers FROM unexplained "
        "WHERE arm = 'main' AND split = 'dev' GROUP BY ALL ORDER BY ALL",
    ),
    "right": Query(
        "answers on dev that pass, fail, or cannot be judged, by round",
        "SELECT round, count(*) FILTER (WHERE is_right) AS is_right, "
        "count(*) FILTER (WHERE NOT is_right) AS wrong, "
        "count(*) FILTER (WHERE is_right IS NULL) AS unknown FROM outcomes "
        "WHERE arm = 'main' AND split = 'dev' GROUP BY ALL ORDER BY ALL",
    ),
    "causes": Query(
        "likeliest causes of the failing answers of the best round",
        "SELECT cause, remedy, count(*) AS answers, list(id ORDER BY id)[:5] AS ids "
        f"FROM diagnoses WHERE arm = 'main' AND round = {_KEPT} "
        "GROUP BY ALL ORDER BY answers DESC, cause, remedy",
    ),
    "ledger": Query(
        "what became of each dev row over the rounds",
        "SELECT kind, count(*) AS answers FROM ledger WHERE arm = 'main' "
        "GROUP BY ALL ORDER BY answers DESC, kind",
    ),
    "changes": Query(
        "dev rows that were fixed or regressed in each round, against the round of its verdict",
        "SELECT round, against, count(*) FILTER (WHERE kind = 'fixed') AS fixed, "
        "count(*) FILTER (WHERE kind = 'broken') AS broken FROM changes WHERE arm = 'main' "
        "GROUP BY ALL ORDER BY round",
    ),
    "slice_errors": Query(
        "the commonest error categories within the slices of the best round",
        "SELECT slice, category, answers, slice_rows FROM errors_by_slice "
        f"WHERE arm = 'main' AND round = {_KEPT} AND answers >= 3 "
        "QUALIFY row_number() OVER (PARTITION BY slice ORDER BY answers DESC, category) <= 3 "
        "ORDER BY slice, answers DESC, category",
    ),
    "answer_lengths": Query(
        "words of the answers on dev, in bins of 10, by round",
        "SELECT round, least(reply_words // 10, 20) * 10 AS words, count(*) AS answers "
        "FROM predictions WHERE arm = 'main' AND split = 'dev' GROUP BY ALL ORDER BY ALL",
    ),
    "reference_lengths": Query(
        "words of the first references of dev, in bins of 10",
        f"SELECT least({_WORDS.format(column='reference')} // 10, 20) * 10 AS words, "
        "count(*) AS answers FROM examples WHERE split = 'dev' AND reference IS NOT NULL "
        "GROUP BY ALL ORDER BY ALL",
    ),
    "refused": Query(
        "rows that were proposed for training and refused, by round and reason",
        "SELECT round, reason, rows FROM filters WHERE arm = 'main' ORDER BY ALL",
    ),
    "targets": Query(
        "slices that rows were added for, with their mean primary score in every round",
        "WITH added AS (SELECT round, slice, count(*) AS rows FROM added WHERE arm = 'main' "
        "AND slice IS NOT NULL GROUP BY ALL), "
        "members AS (SELECT DISTINCT slice, id FROM slice_members WHERE arm = 'main') "
        "SELECT a.round, a.slice, a.rows, o.round AS answered, avg(o.value) AS score, "
        "count(o.value) AS n FROM added a JOIN members m USING (slice) JOIN outcomes o "
        "ON o.id = m.id AND o.arm = 'main' AND o.split = 'dev' GROUP BY ALL ORDER BY ALL",
    ),
    "added": Query(
        "rows that were added to the training data, by round, augmenter and slice",
        "SELECT round, made_by, slice, count(*) AS rows, "
        "count(made->>'$.teacher') AS written FROM added WHERE arm = 'main' "
        "GROUP BY ALL ORDER BY ALL",
    ),
}

_EXAMPLES = """
    WITH direction AS (
        SELECT CASE WHEN higher_is_better THEN 1 ELSE -1 END AS sign FROM scores
        WHERE arm = 'main' AND round = 0 AND split = 'dev'
        AND name = (SELECT primary_score FROM runs)
    ), ranked AS (
        SELECT o.id, o.is_right, o.value * d.sign AS goodness,
               (o.value - b.value) * d.sign AS gain, o.is_right AND NOT b.is_right AS fixed
        FROM direction d, outcomes o
        LEFT JOIN outcomes b ON b.id = o.id AND b.arm = 'main' AND b.split = 'dev' AND b.round = 0
        WHERE o.arm = 'main' AND o.split = 'dev' AND o.round = (SELECT kept_round FROM runs)
    ), chosen AS (
        SELECT id, row_number() OVER (ORDER BY {order}) AS place FROM ranked WHERE {which}
    )
    SELECT c.place, c.id, e.place AS source, e.prompt, e.all_references, l.kind AS course,
           p.round, p.text, p.finish_reason, o.value, o.is_right,
           (SELECT list(DISTINCT x.category ORDER BY x.category) FROM errors x
            WHERE x.arm = 'main' AND x.split = 'dev' AND x.round = p.round AND x.id = c.id)
           AS categories
    FROM chosen c
    JOIN examples e ON e.id = c.id AND e.split = 'dev'
    JOIN predictions p ON p.id = c.id AND p.arm = 'main' AND p.split = 'dev'
    JOIN outcomes o ON o.id = c.id AND o.arm = 'main' AND o.split = 'dev' AND o.round = p.round
    LEFT JOIN ledger l ON l.id = c.id AND l.arm = 'main'
    WHERE c.place <= {most}
    ORDER BY c.place, p.round"""
"""Answers of the best round in some order, each with those of every round."""
_WORST_FIRST = "is_right NULLS LAST, goodness NULLS LAST, id"

EXAMPLES: Mapping[str, str] = {
    # Failing answers first.
    "examples": _EXAMPLES.format(which="true", order=_WORST_FIRST, most=200),
    # Those that got better than the base model's; those that pass now first, by their gain.
    "better": _EXAMPLES.format(
        which="gain > 0", order="fixed DESC NULLS LAST, gain DESC, id", most=3
    ),
    # One that does not pass and did not get better.
    "not_better": _EXAMPLES.format(
        which="gain <= 0 AND is_right IS DISTINCT FROM true", order=_WORST_FIRST, most=1
    ),
}
"""Key of the analysis -> the query that chooses its examples."""

CAUSES = """
    SELECT id, cause, evidence, remedy, train_rows FROM diagnoses
    WHERE arm = 'main' AND round = (SELECT kept_round FROM runs)"""
