"""Views for the questions that people ask of a run: computed, so that nothing is kept twice."""

from __future__ import annotations

from collections.abc import Mapping

VIEWS: Mapping[str, str] = {
    # What became of each dev row over the rounds of its arm. Rounds that cannot be judged are
    # passed over; round 0 is shared by all arms. The base model under another prompt is of round 0
    # itself, and has no course.
    "ledger": """
        WITH judged AS (
            SELECT a.arm, o.id, o.round, o.is_right FROM arms a JOIN outcomes o
            ON o.arm = a.arm OR (o.round = 0 AND o.arm = 'main')
            WHERE o.split = 'dev' AND o.is_right IS NOT NULL
            AND NOT starts_with(a.arm, 'baseline ')
        ), courses AS (
            SELECT arm, id, list(is_right ORDER BY round) AS rights,
                   list(round ORDER BY round) AS rounds
            FROM judged GROUP BY arm, id
        ), counted AS (
            SELECT *, len(list_filter(range(2, len(rights) + 1),
                                      lambda i: rights[i] <> rights[i - 1])) AS switches
            FROM courses
        )
        SELECT arm, id,
            CASE WHEN switches > 1 THEN 'flickering'
                 WHEN switches = 1 AND rights[-1] THEN 'fixed'
                 WHEN switches = 1 THEN 'broken'
                 WHEN rights[1] THEN 'always right'
                 ELSE 'never right' END AS kind,
            rounds, rights
        FROM counted ORDER BY arm, id""",
    # What each round fixed and broke, against the round that its verdict compares it with.
    "changes": """
        WITH pairs AS (
            SELECT arm, round, CAST(regexp_extract(against, '[0-9]+') AS BIGINT) AS against
            FROM rounds WHERE round > 0 AND regexp_matches(against, '[0-9]+')
        )
        SELECT p.arm, p.round, p.against, o.id,
               CASE WHEN o.is_right THEN 'fixed' ELSE 'broken' END AS kind,
               b.value AS before, o.value AS after
        FROM pairs p
        JOIN outcomes o ON o.arm = p.arm AND o.round = p.round AND o.split = 'dev'
        JOIN outcomes b ON b.id = o.id AND b.split = 'dev' AND b.round = p.against
             AND b.arm = CASE WHEN p.against = 0 THEN 'main' ELSE p.arm END
        WHERE o.is_right <> b.is_right
        ORDER BY p.arm, p.round, kind, o.id""",
    "errors_by_slice": """
        SELECT m.arm, m.round, m.slice, e.category, count(DISTINCT e.id) AS answers,
               any_value(s.n) AS slice_rows
        FROM slice_members m
        JOIN errors e ON e.arm = m.arm AND e.round = m.round AND e.id = m.id AND e.split = 'dev'
        JOIN slices s ON s.arm = m.arm AND s.round = m.round AND s.slice = m.slice
        GROUP BY m.arm, m.round, m.slice, e.category
        ORDER BY m.arm, m.round, m.slice, answers DESC, e.category""",
    # Wrong answers that show no kind of error that any detector knows.
    "unexplained": """
        SELECT o.arm, o.round, o.split, o.id, o.value FROM outcomes o
        WHERE NOT o.is_right AND NOT EXISTS (
            SELECT 1 FROM errors e WHERE e.arm = o.arm AND e.round = o.round
            AND e.split = o.split AND e.id = o.id AND e.category <> 'unexplained')
        ORDER BY o.arm, o.round, o.split, o.id""",
    "lineage": """
        SELECT a.arm, a.round, a.id, a.made_by, a.slice, a.parent, a.made,
               p.split AS parent_split, p.place AS parent_place
        FROM added a LEFT JOIN examples p ON p.id = coalesce(a.parent, a.id)
        ORDER BY a.arm, a.round, a.position""",
}
"""View -> its query over the tables' own views."""
