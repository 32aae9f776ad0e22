"""All that a run knows of one row: its answers, why they fail, what was done about it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import harness
from harness.kit.shown_calls import readable_pair
from harness.kit.text import one_line
from harness.kit.worddiff import closest, differences
from harness_inspection import sealed
from harness_inspection.database import Row, RunDatabase, among, literal
from harness_inspection.lineage import TrainRow, additions_sql
from harness_inspection.nearest import NearRow, nearest

SCHEMA = "harness.why/1"


@dataclass(frozen=True, slots=True)
class RowScore:
    value: float | None
    error: str | None


@dataclass(frozen=True, slots=True)
class RowError:
    """An error category that an answer shows."""

    category: str
    evidence: str | None
    found_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RowAnswer:
    """The answer of a round of the main arm.

    Attributes:
        score, right: its primary score, and whether it passes.
        reference: the one that is nearest to it.
        differences: kind and text of each piece (:func:`harness.kit.worddiff.differences`).
    """

    round: int
    sample: int
    text: str
    finish_reason: str
    prompt_tokens: int | None
    completion_tokens: int | None
    score: float | None
    right: bool | None
    scores: Mapping[str, RowScore]
    errors: Sequence[RowError]
    reference: str
    differences: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class RowCourse:
    """The row's line in the ledger."""

    kind: str
    rounds: Sequence[int]
    rights: Sequence[bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class RowCause:
    round: int
    cause: str
    evidence: str | None
    remedy: str | None
    train_rows: Sequence[TrainRow]


@dataclass(frozen=True, slots=True)
class RowSlice:
    """A slice that the row belongs to, and how many rows were planned and added for it."""

    round: int
    slice: str
    n: int
    gap: float | None
    low: float | None
    high: float | None
    asked: int | None
    remedy: str | None
    added: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RowOrigin:
    """How a row came into the training data.

    Where it was added more than once: by the addition that the best round learned from.
    """

    round: int
    made_by: str
    slice: str | None
    parent: str | None
    made: Any
    parent_split: str | None
    parent_place: str | None


@dataclass(frozen=True, slots=True)
class NamingAnswer:
    """An answer whose cause names this training row."""

    round: int
    id: str
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedRow:
    """A ``harness.why/1`` document.

    Attributes:
        course, origin: None where there is none.
        nearest: rows of the best round's training data, those whose prompts are most like this one.
    """

    schema: str = SCHEMA
    run: str
    kept_round: int
    primary: str
    caveats: Mapping[str, str]
    id: str
    split: str
    group: str
    place: str
    prompt: str
    references: Sequence[str]
    meta: Mapping[str, Any]
    features: Mapping[str, Any]
    messages: Sequence[Any]
    course: RowCourse | None
    answers: Sequence[RowAnswer]
    causes: Sequence[RowCause]
    nearest: Sequence[NearRow]
    slices: Sequence[RowSlice]
    origin: RowOrigin | None
    named_by: Sequence[NamingAnswer]


def explained(folder: Path, name: str, open_test: bool = False) -> ExplainedRow:
    """All that is known of a row.

    Args:
        folder: of the run's reports, in which its database lies.
        open_test: the row may be one of test. A look at one is counted before it happens.

    Raises:
        UsageError: there is no database; no row has that id; it is one of test, which is sealed.
        DataError: another version built the database, or the test set was not opened yet.
    """
    with RunDatabase.held(folder) as database:
        return _why(database, *_allowed(folder, database, name, open_test))


def _allowed(folder: Path, database: RunDatabase, name: str, open_test: bool) -> tuple[str, str]:
    """The row's id and split, once it is sure that it may be looked at."""
    split = _split_of(database, name)
    if split is None:
        if sealed.holds(folder.name, name):
            raise sealed.not_opened(database.run) if open_test else sealed.refused()
        meant = _shown_as(database, name)
        split = _split_of(database, meant) if meant is not None else None
        if meant is None or split is None:
            raise _unknown(database, name)
        name = meant
    if split == "test":
        if not open_test:
            raise sealed.refused()
        harness.open_run(folder.name).count_look("looked at by harness why")
    return name, split


def _split_of(database: RunDatabase, name: str) -> str | None:
    """Where a row belongs; ``added`` for one that augmentation made; None for an unknown one."""
    rows = database.ask(
        f"SELECT 0 AS place, split FROM examples WHERE id = {literal(name)} UNION ALL "
        f"SELECT 1, 'added' FROM added WHERE arm = 'main' AND id = {literal(name)} ORDER BY place"
    )
    return rows[0]["split"] if rows else None


def _shown_as(database: RunDatabase, name: str) -> str | None:
    """The id that is shown as ``name``, where it holds what no terminal shows."""
    return next((own for own in database.likely(name, _NAMES) if _shown(own) == _shown(name)), None)


def _unknown(database: RunDatabase, name: str) -> harness.UsageError:
    """What is said of an id that no row has; ids of test are not offered."""
    names = [_shown(own) for own in database.likely(name, _NAMES)]
    return harness.UsageError(
        f"run {database.run} has no row '{name}'{harness.near(name, names)}",
        hint="harness errors lists the rows with wrong answers",
    )


def _shown(name: str) -> str:
    return one_line(name, 200)


def _why(database: RunDatabase, name: str, split: str) -> ExplainedRow:
    row = _example(database, name) if split != "added" else _added(database, name)
    answers = _answers(database, row, split) if split in ("dev", "test") else []
    dev, own = split == "dev", f"arm = 'main' AND id = {literal(name)}"
    courses = database.ask(f"SELECT kind, rounds, rights FROM ledger WHERE {own}") if dev else []
    slices = database.ask(_SLICES.format(id=literal(name))) if dev else []
    named_by = [] if answers else database.ask(_NAMED_BY.format(id=literal(name)))
    return ExplainedRow(
        run=database.run,
        kept_round=database.kept,
        primary=database.primary,
        caveats=database.caveats(),
        **row,
        course=RowCourse(**courses[0]) if courses else None,
        answers=answers,
        causes=_causes(database, own) if dev else [],
        nearest=nearest(database, row["prompt"]) if answers else [],
        slices=[RowSlice(**entry) for entry in slices],
        origin=None if split in ("dev", "test") else _origin(database, name),
        named_by=[NamingAnswer(**answer) for answer in named_by],
    )


def _example(database: RunDatabase, name: str) -> Row:
    (row,) = database.ask(_EXAMPLE.format(id=literal(name)))
    return {
        **row,
        "references": list(row["references"] or ()),
        **{key: json.loads(row[key]) for key in ("meta", "features", "messages")},
    }


def _added(database: RunDatabase, name: str) -> Row:
    (row,) = database.ask(
        "SELECT id, 'added' AS split, '' AS \"group\", '' AS place, prompt, "
        "CASE WHEN reference IS NULL THEN [] ELSE [reference] END AS references "
        f"FROM ({additions_sql(database, database.kept, names=[name])})"
    )
    turn = {"role": "user", "content": row["prompt"]}
    return {**row, "meta": {}, "features": {}, "messages": [turn]}


def _answers(database: RunDatabase, row: Row, split: str) -> list[RowAnswer]:
    where = f"arm = 'main' AND split = {literal(split)} AND id = {literal(row['id'])}"
    scores: dict[int, dict[str, RowScore]] = defaultdict(dict)
    for score in database.ask(f"{_SCORES} WHERE {where} ORDER BY round, name"):
        scores[score["round"]][score["name"]] = RowScore(score["value"], score["error"])
    labels: dict[int, list[RowError]] = defaultdict(list)
    for label in database.ask(f"{_LABELS} WHERE {where} ORDER BY round, category, evidence"):
        labels[label.pop("round")].append(RowError(**label))
    answers = []
    for answer in database.ask(_ANSWERS.format(where=where)):
        reference = closest(row["references"], answer["text"])
        pieces = differences(*readable_pair(reference, answer["text"])) if row["references"] else []
        answers.append(
            RowAnswer(
                **answer,
                scores=scores[answer["round"]],
                errors=labels[answer["round"]],
                reference=reference,
                differences=pieces,
            )
        )
    return answers


def _causes(database: RunDatabase, own: str) -> list[RowCause]:
    causes = database.ask(
        "SELECT round, cause, evidence, remedy, coalesce(train_rows, []) AS train_rows "
        f"FROM diagnoses WHERE {own} ORDER BY round, cause"
    )
    named = {row for cause in causes for row in cause["train_rows"]}
    rows = database.ask(_rows_of(database, named)) if named else []
    known = {row["id"]: TrainRow(**row) for row in rows}
    return [
        RowCause(train_rows=[known.get(n, TrainRow(n)) for n in cause.pop("train_rows")], **cause)
        for cause in causes
    ]


def _rows_of(database: RunDatabase, names: set[str]) -> str:
    ids = sorted(names)
    return (
        f"SELECT id, split, place, prompt, reference FROM examples {among(ids)} "
        "WHERE split <> 'test' UNION ALL SELECT id, 'added', '', prompt, reference "
        f"FROM ({additions_sql(database, database.kept, names=ids)}) "
        f"ANTI JOIN (SELECT id FROM examples {among(ids)}) USING (id)"
    )


def _origin(database: RunDatabase, name: str) -> RowOrigin | None:
    rows = database.ask(
        "SELECT round, made_by, slice, parent, made, parent_split, parent_place "
        f"FROM ({additions_sql(database, database.kept, 'lineage', [name])})"
    )
    if not rows:
        return None
    made = rows[0].pop("made")
    return RowOrigin(made=json.loads(made) if isinstance(made, str) else made, **rows[0])


_NAMES = "SELECT id AS name FROM examples WHERE split <> 'test' UNION SELECT id FROM added"

_EXAMPLE = """
    SELECT id, split, group_id AS "group", place, prompt, all_references AS references,
           meta, features, messages
    FROM examples WHERE id = {id}"""

_ANSWERS = """
    SELECT p.round, p.sample_index AS sample, coalesce(p.text, '') AS text,
           p.finish_reason, p.prompt_tokens, p.completion_tokens,
           o.value AS score, o.is_right AS "right"
    FROM (FROM predictions WHERE {where}) p
    LEFT JOIN (SELECT DISTINCT round, value, is_right FROM outcomes WHERE {where}) o USING (round)
    ORDER BY p.round, p.sample_index"""

_NAMED_BY = """
    SELECT round, id, cause FROM diagnoses
    WHERE arm = 'main' AND list_contains(train_rows, {id}) ORDER BY round, id LIMIT 100"""

_SCORES = "SELECT round, name, value, error FROM example_scores"
_LABELS = "SELECT round, category, evidence, found_by FROM errors"

_SLICES = """
    WITH own AS MATERIALIZED (
        SELECT round, slice FROM slice_members WHERE arm = 'main' AND id = {id}
    ), planned AS (
        SELECT round, slice, sum(rows)::BIGINT AS asked, first(remedy ORDER BY position) AS remedy
        FROM plans WHERE arm = 'main' GROUP BY round, slice
    ), came AS (
        SELECT round, slice, count(*) AS added FROM added WHERE arm = 'main' GROUP BY round, slice
    )
    SELECT s.round, s.slice, s.n, s.gap, s.low, s.high, p.asked, p.remedy,
           coalesce(c.added, 0) AS added
    FROM own JOIN slices s ON s.arm = 'main' AND s.round = own.round AND s.slice = own.slice
    LEFT JOIN planned p ON p.round = s.round AND p.slice = s.slice
    LEFT JOIN came c ON c.round = s.round AND c.slice = s.slice
    ORDER BY s.round, s.gap DESC NULLS LAST, s.slice"""
