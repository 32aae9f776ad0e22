"""The failing answers on dev, or those of a category, slice or cause, the worst first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import harness
from harness.kit import terms
from harness.kit.text import one_line
from harness.kit.worddiff import closest
from harness_inspection.database import RunDatabase, literal, need_known, some_of
from harness_inspection.lineage import TrainRow, additions_sql

SCHEMA = "harness.errors/1"
UNEXPLAINED = "unexplained"


@dataclass(frozen=True, slots=True)
class Filters:
    """What the answers have in common; all that is given must hold.

    Attributes:
        category, cause: as stored, or as shown.
        broken_by: passed before this round, failed after it.
    """

    category: str | None = None
    slice: str | None = None
    cause: str | None = None
    broken_by: int | None = None


@dataclass(frozen=True, slots=True)
class WrongAnswer:
    """One of the answers, with the reference that is nearest to it."""

    id: str
    place: str
    group: str
    score: float | None
    right: bool | None
    categories: Sequence[str]
    cause: str | None
    evidence: str | None
    remedy: str | None
    prompt: str
    reference: str
    answer: str
    finish_reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedRow(TrainRow):
    """A training row that the diagnoses of some answers name, and five of these.

    Attributes:
        made_by, parent: of a row that was made, and the row that it was made from.
    """

    made_by: str | None
    parent: str | None
    answers: int
    ids: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongAnswers:
    """A ``harness.errors/1`` document.

    Attributes:
        wrong: answers that fail; None where none can be judged.
        categories, causes: of the answers that match, the most frequent first.
        train_rows: that the diagnoses of the cause name, those of most answers first.
    """

    schema: str = SCHEMA
    run: str
    round: int
    kept_round: int
    primary: str
    caveats: Mapping[str, str]
    higher_is_better: bool
    filters: Filters
    definition: str | None
    answers: int
    wrong: int | None
    matching: int
    categories: Mapping[str, int]
    causes: Mapping[str, int]
    rows: Sequence[WrongAnswer]
    train_rows: Sequence[NamedRow]


def errors(
    database: RunDatabase, filters: Filters, round_: int | None = None, limit: int | None = None
) -> WrongAnswers:
    """The answers that match, the worst first.

    Args:
        round_: of the answers; None is the best one (or that of ``broken_by``).
        limit: maximum number of answers, and of training rows.

    Raises:
        UsageError: a round, category, slice or cause that this run does not know.
    """
    filters = _as_stored(database, filters)
    if filters.broken_by is not None:
        database.round(filters.broken_by, "--broken-by")
    number = database.round(filters.broken_by if round_ is None else round_)
    (counts,) = database.ask(_COUNTS.format(round=number))
    judged = counts["is_right"] + counts["wrong"] > 0
    conditions = _conditions(database, filters, number, judged)
    limited = "" if limit is None else f"LIMIT {int(limit)}"
    kinds: dict[str, dict[str, int]] = {"matching": {}, "categories": {}, "causes": {}}
    for row in database.ask(_MATCHING.format(round=number, conditions=conditions)):
        kinds[row["kind"]][row["name"]] = row["answers"]
    return WrongAnswers(
        run=database.run,
        round=number,
        kept_round=database.kept,
        primary=database.primary,
        caveats=database.caveats(),
        higher_is_better=database.higher,
        filters=filters,
        definition=_definition(database, filters),
        answers=counts["answers"],
        wrong=counts["wrong"] if judged else None,
        matching=kinds["matching"][""],
        categories=kinds["categories"],
        causes=kinds["causes"],
        rows=_rows(database, conditions, number, filters.cause, limited),
        train_rows=_train_rows(database, conditions, number, filters.cause, limited),
    )


def _conditions(database: RunDatabase, filters: Filters, number: int, judged: bool) -> str:
    """What an answer must fulfil, as SQL on ``outcomes o``."""
    conditions = []
    if filters.category is None and judged:
        conditions.append("NOT o.is_right")
    if filters.category is not None:
        conditions.append(f"o.id IN ({_showing(filters.category, number)})")
    if filters.slice is not None:
        conditions.append(f"o.id IN ({_members(database, filters.slice, number)})")
    if filters.cause is not None:
        conditions.append(
            f"o.id IN (SELECT id FROM diagnoses WHERE arm = 'main' AND round = {number} "
            f"AND cause = {literal(filters.cause)})"
        )
    if filters.broken_by is not None:
        conditions.append(
            f"o.id IN (SELECT id FROM changes WHERE arm = 'main' AND kind = 'broken' "
            f"AND round = {filters.broken_by})"
        )
    return " AND ".join(conditions) or "true"


def _showing(category: str, number: int) -> str:
    place = f"arm = 'main' AND split = 'dev' AND round = {number}"
    labelled = f"SELECT id FROM errors WHERE {place} AND category = {literal(category)}"
    if category != UNEXPLAINED:
        return labelled
    return f"{labelled} UNION SELECT id FROM unexplained WHERE {place}"


def _as_stored(database: RunDatabase, filters: Filters) -> Filters:
    """The same, with category and cause under their stored names; both names are accepted.

    Raises:
        UsageError: a category or a cause that this run does not know.
    """
    if filters.category is not None:
        rows = database.ask("SELECT DISTINCT category FROM errors")
        names = {*(row["category"] for row in rows), *database.analysis("definitions"), UNEXPLAINED}
        category = terms.stored("category", filters.category, sorted(names))
        need_known("--category", category, sorted(names), "category")
        filters = replace(filters, category=category)
    if filters.cause is not None:
        rows = database.ask("SELECT DISTINCT cause FROM diagnoses")
        names = {*(row["cause"] for row in rows), *database.analysis("causes_known")}
        cause = terms.stored("cause", filters.cause, sorted(names))
        need_known("--cause", cause, sorted(names), "cause")
        filters = replace(filters, cause=cause)
    return filters


def _members(database: RunDatabase, name: str, number: int) -> str:
    """Dev rows of a slice by its own condition, so that it may be asked of any round."""
    slices = database.ask(
        "SELECT slice, first(where_sql ORDER BY round = "
        f"{number} DESC, round) FILTER (WHERE where_sql IS NOT NULL) AS condition FROM slices "
        f"WHERE arm = 'main' GROUP BY slice ORDER BY bool_or(round = {number}) DESC, slice"
    )
    need_known("--slice", name, [row["slice"] for row in slices], "slice")
    conditions = {row["slice"]: row["condition"] for row in slices}
    condition = conditions[name]
    if condition is None:
        raise _unasked(name, [own for own, sql in conditions.items() if sql is not None])
    return (
        "SELECT id FROM examples JOIN predictions USING (id, split) WHERE split = 'dev' "
        f"AND arm = 'main' AND round = {number} AND ({condition})"
    )


def _unasked(name: str, others: list[str]) -> harness.UsageError:
    """What is said of a slice by topics or distances, say, which its analyzer alone knows."""
    shown = [one_line(other, 200) for other in others]
    return harness.UsageError(
        f"--slice: '{one_line(name, 200)}' cannot be asked of: the run's database does not hold "
        f"what it is made of{harness.near(name, shown)}",
        hint=f"these can be: {some_of(shown)}" if shown else "no slice of this run can be",
    )


def _definition(database: RunDatabase, filters: Filters) -> str | None:
    """What the category, or the cause, that is asked for means."""
    if filters.category is not None:
        text = database.analysis("definitions").get(filters.category)
    elif filters.cause is not None:
        text = database.analysis("causes_known").get(filters.cause, {}).get("definition")
    else:
        text = None
    return text if isinstance(text, str) else None


_COUNTS = """
    SELECT count(*) AS answers, count(*) FILTER (WHERE is_right) AS is_right,
           count(*) FILTER (WHERE NOT is_right) AS wrong
    FROM outcomes WHERE arm = 'main' AND split = 'dev' AND round = {round}"""

_MATCHING = """
    WITH matching AS MATERIALIZED (
        SELECT o.id FROM outcomes o
        WHERE o.arm = 'main' AND o.split = 'dev' AND o.round = {round} AND {conditions}
    ), labels AS (
        SELECT id, category FROM errors
        WHERE arm = 'main' AND split = 'dev' AND round = {round}
        UNION ALL
        SELECT id, 'unexplained' FROM unexplained
        WHERE arm = 'main' AND split = 'dev' AND round = {round}
    )
    SELECT 'matching' AS kind, '' AS name, count(*) AS answers FROM matching
    UNION ALL
    SELECT 'categories', category, count(DISTINCT id) FROM labels
    WHERE id IN (FROM matching) GROUP BY category
    UNION ALL
    SELECT 'causes', cause, count(DISTINCT id) FROM diagnoses
    WHERE arm = 'main' AND round = {round} AND id IN (FROM matching) GROUP BY cause
    ORDER BY kind, answers DESC, name"""
"""How many answers there are, and how many of them show each kind of error and each cause."""

_ROWS = """
    WITH chosen AS (
        SELECT o.id, o.value, o.is_right, {sign} * o.value AS goodness FROM outcomes o
        WHERE o.arm = 'main' AND o.split = 'dev' AND o.round = {round} AND {conditions}
        ORDER BY goodness NULLS LAST, o.id {limit}
    ), shown AS (
        SELECT x.id, list(DISTINCT x.category ORDER BY x.category) AS categories,
               any_value(x.cause ORDER BY x.cause) AS cause
        FROM errors x SEMI JOIN chosen c ON c.id = x.id
        WHERE x.arm = 'main' AND x.split = 'dev' AND x.round = {round} GROUP BY x.id
    ), diagnosed AS (
        SELECT d.id, first(d.cause ORDER BY d.cause) AS cause,
               first(d.evidence ORDER BY d.cause) AS evidence,
               first(d.remedy ORDER BY d.cause) AS remedy
        FROM diagnoses d WHERE d.arm = 'main' AND d.round = {round} AND {of_cause}
        GROUP BY d.id
    )
    SELECT c.id, coalesce(e.place, '') AS place, coalesce(e.group_id, '') AS "group",
           c.value AS score, c.is_right AS "right", coalesce(s.categories, []) AS categories,
           coalesce(d.cause, s.cause) AS cause, d.evidence, d.remedy,
           coalesce(e.prompt, '') AS prompt, coalesce(e.all_references, []) AS all_references,
           coalesce(p.text, '') AS answer, coalesce(p.finish_reason, '') AS finish_reason
    FROM chosen c
    JOIN examples e ON e.id = c.id AND e.split = 'dev'
    LEFT JOIN predictions p ON p.id = c.id AND p.arm = 'main' AND p.split = 'dev'
         AND p.round = {round}
    LEFT JOIN shown s ON s.id = c.id
    LEFT JOIN diagnosed d ON d.id = c.id
    QUALIFY row_number() OVER (PARTITION BY c.id ORDER BY p.sample_index) = 1
    ORDER BY c.goodness NULLS LAST, c.id"""

_TRAIN_ROWS = """
    WITH named AS (
        SELECT unnest(d.train_rows) AS id, d.id AS answer
        FROM diagnoses d JOIN outcomes o ON o.id = d.id AND o.arm = 'main' AND o.split = 'dev'
             AND o.round = d.round
        WHERE d.arm = 'main' AND d.round = {round} AND d.cause = {cause} AND {conditions}
    ), counted AS (
        SELECT id, count(DISTINCT answer) AS answers,
               list(DISTINCT answer ORDER BY answer)[:5] AS ids
        FROM named GROUP BY id
    )
    SELECT c.id, coalesce(e.split, 'added') AS split, coalesce(e.place, p.place) AS place,
           a.made_by, a.parent, c.answers, c.ids,
           coalesce(e.prompt, a.prompt) AS prompt, coalesce(e.reference, a.reference) AS reference
    FROM counted c
    LEFT JOIN examples e ON e.id = c.id
    LEFT JOIN ({additions}) a ON a.id = c.id
    LEFT JOIN examples p ON p.id = a.parent
    ORDER BY c.answers DESC, c.id {limit}"""


def _rows(
    database: RunDatabase, conditions: str, number: int, cause: str | None, limit: str
) -> list[WrongAnswer]:
    rows = database.ask(
        _ROWS.format(
            sign=1 if database.higher else -1,
            round=number,
            conditions=conditions,
            of_cause="true" if cause is None else f"d.cause = {literal(cause)}",
            limit=limit,
        )
    )
    return [
        WrongAnswer(reference=closest(row.pop("all_references"), row["answer"]), **row)
        for row in rows
    ]


def _train_rows(
    database: RunDatabase, conditions: str, number: int, cause: str | None, limit: str
) -> list[NamedRow]:
    if cause is None:
        return []
    rows = database.ask(
        _TRAIN_ROWS.format(
            round=number,
            cause=literal(cause),
            conditions=conditions,
            additions=additions_sql(database, number),
            limit=limit,
        )
    )
    return [NamedRow(**row) for row in rows]
