"""All that a run knows of one row: its answers, why they fail, what was done about it."""

from __future__ import annotations

import json
from typing import Any

import harness
from harness.kit.text import one_line
from harness.kit.worddiff import closest, differences
from harness_inspection.database import Row, RunDatabase, literal
from harness_inspection.lineage import additions_sql, train_rows_sql

SCHEMA = "harness.why/1"
NEAREST = 5

Document = dict[str, Any]


def split_of(database: RunDatabase, name: str) -> str | None:
    """Where a row belongs; ``added`` for one that augmentation made; None for an unknown one."""
    rows = database.ask(
        f"SELECT 0 AS place, split FROM examples WHERE id = {literal(name)} UNION ALL "
        f"SELECT 1, 'added' FROM added WHERE arm = 'main' AND id = {literal(name)} ORDER BY place"
    )
    return rows[0]["split"] if rows else None


def shown_as(database: RunDatabase, name: str) -> str | None:
    """The id that is shown as ``name``, where it holds what no terminal shows."""
    return next((own for own in database.likely(name, _NAMES) if _shown(own) == _shown(name)), None)


def unknown(database: RunDatabase, name: str) -> harness.UsageError:
    """What is said of an id that no row has; ids of test are not offered."""
    names = [_shown(own) for own in database.likely(name, _NAMES)]
    return harness.UsageError(
        f"run {database.run} has no row '{name}'{harness.near(name, names)}",
        hint="harness errors lists the rows with wrong answers",
    )


def _shown(name: str) -> str:
    return one_line(name, 200)


def why(database: RunDatabase, name: str, split: str) -> Document:
    """A ``harness.why/1`` document.

    Args:
        split: as :func:`split_of` gives it; the caller has decided that it may be looked at.
    """
    row = _example(database, name) if split != "added" else _added(database, name)
    answers = _answers(database, row, split) if split in ("dev", "test") else []
    return {
        "schema": SCHEMA,
        "run": database.run,
        "kept_round": database.kept,
        "primary": database.primary,
        "caveats": database.caveats(),
        **row,
        "course": _course(database, name) if split == "dev" else None,
        "answers": answers,
        "causes": _causes(database, name) if split == "dev" else [],
        "nearest": _nearest(database, row["prompt"]) if answers else [],
        "slices": _slices(database, name) if split == "dev" else [],
        "origin": _origin(database, name),
        "named_by": [] if answers else _named_by(database, name),
    }


def _example(database: RunDatabase, name: str) -> Document:
    (row,) = database.ask(_EXAMPLE.format(id=literal(name)))
    return {
        **row,
        "references": list(row["references"] or ()),
        **{key: json.loads(row[key]) for key in ("meta", "features", "messages")},
    }


def _added(database: RunDatabase, name: str) -> Document:
    (row,) = database.ask(
        "SELECT id, 'added' AS split, '' AS \"group\", '' AS place, prompt, "
        "CASE WHEN reference IS NULL THEN [] ELSE [reference] END AS references "
        f"FROM ({additions_sql(database, database.kept)}) WHERE id = {literal(name)}"
    )
    turn = {"role": "user", "content": row["prompt"]}
    return {**row, "meta": {}, "features": {}, "messages": [turn]}


def _answers(database: RunDatabase, row: Document, split: str) -> list[Document]:
    """Every answer of the main arm, by round."""
    where = f"arm = 'main' AND split = {literal(split)} AND id = {literal(row['id'])}"
    scores = _by_round(database.ask(f"{_SCORES} WHERE {where} ORDER BY round, name"))
    labels = _by_round(database.ask(f"{_LABELS} WHERE {where} ORDER BY round, category, evidence"))
    answers = []
    for answer in database.ask(_ANSWERS.format(where=where)):
        text, number = answer["text"] or "", answer["round"]
        reference = closest(row["references"], text)
        answers.append(
            {
                **answer,
                "scores": {s["name"]: _without(s, "name") for s in scores.get(number, ())},
                "errors": labels.get(number, []),
                "reference": reference,
                "differences": differences(reference, text) if row["references"] else [],
            }
        )
    return answers


def _by_round(rows: list[Row]) -> dict[int, list[Row]]:
    rounds: dict[int, list[Row]] = {}
    for row in rows:
        rounds.setdefault(row["round"], []).append(_without(row, "round"))
    return rounds


def _without(row: Row, name: str) -> Row:
    return {key: value for key, value in row.items() if key != name}


def _course(database: RunDatabase, name: str) -> Document | None:
    """The row's line in the ledger."""
    rows = database.ask(
        f"SELECT kind, rounds, rights FROM ledger WHERE arm = 'main' AND id = {literal(name)}"
    )
    return rows[0] if rows else None


def _causes(database: RunDatabase, name: str) -> list[Document]:
    causes = database.ask(
        "SELECT round, cause, evidence, remedy, train_rows FROM diagnoses "
        f"WHERE arm = 'main' AND id = {literal(name)} ORDER BY round, cause"
    )
    named = {row for cause in causes for row in cause["train_rows"] or ()}
    known = {row["id"]: row for row in database.ask(_rows_of(database, named))} if named else {}
    return [
        {**cause, "train_rows": [known.get(row, {"id": row}) for row in cause["train_rows"] or ()]}
        for cause in causes
    ]


def _rows_of(database: RunDatabase, names: set[str]) -> str:
    listed = ", ".join(map(literal, sorted(names)))
    return (
        "SELECT id, split, place, prompt, reference FROM examples "
        f"WHERE id IN ({listed}) AND split <> 'test' UNION ALL "
        "SELECT id, 'added', '', prompt, reference "
        f"FROM ({additions_sql(database, database.kept)}) a WHERE id IN ({listed}) "
        "AND NOT EXISTS (SELECT 1 FROM examples e WHERE e.id = a.id)"
    )


def _nearest(database: RunDatabase, prompt: str) -> list[Document]:
    """The rows of the best round's training data whose prompts are most like this one."""
    from harness.kit.alike.words import nearest

    rows = database.ask(train_rows_sql(database, database.kept))
    (neighbours,) = nearest([prompt], [row["prompt"] or "" for row in rows], NEAREST)
    return [{**rows[place], "similarity": likeness} for place, likeness in neighbours]


def _slices(database: RunDatabase, name: str) -> list[Document]:
    """The slices that the row belongs to, and what was planned and added for each."""
    return database.ask(_SLICES.format(id=literal(name)))


def _origin(database: RunDatabase, name: str) -> Document | None:
    """How a row came into the training data, if it was added.

    Where it was added more than once: by the addition that the best round learned from.
    """
    rows = database.ask(
        "SELECT round, made_by, slice, parent, made, parent_split, parent_place "
        f"FROM ({additions_sql(database, database.kept, 'lineage')}) WHERE id = {literal(name)}"
    )
    if not rows:
        return None
    origin = rows[0]["made"]
    return {**rows[0], "made": json.loads(origin) if isinstance(origin, str) else origin}


def _named_by(database: RunDatabase, name: str) -> list[Document]:
    """The answers whose cause names this training row."""
    return database.ask(
        "SELECT round, id, cause FROM diagnoses WHERE arm = 'main' "
        f"AND list_contains(train_rows, {literal(name)}) ORDER BY round, id LIMIT 100"
    )


_NAMES = "SELECT id AS name FROM examples WHERE split <> 'test' UNION SELECT id FROM added"

_EXAMPLE = """
    SELECT id, split, group_id AS "group", place, prompt, all_references AS references,
           meta, features, messages
    FROM examples WHERE id = {id}"""

_ANSWERS = """
    SELECT p.round, p.sample_index AS sample, p.text, p.finish_reason, p.prompt_tokens,
           p.completion_tokens, o.value AS score, o.is_right AS "right"
    FROM (FROM predictions WHERE {where}) p
    LEFT JOIN (FROM outcomes WHERE {where}) o USING (round)
    ORDER BY p.round, p.sample_index"""

_SCORES = "SELECT round, name, value, error FROM example_scores"
_LABELS = "SELECT round, category, evidence, found_by FROM errors"

_SLICES = """
    SELECT m.round, m.slice, s.n, s.gap, s.low, s.high,
           (SELECT sum(p.rows)::BIGINT FROM plans p WHERE p.arm = 'main' AND p.round = m.round
            AND p.slice = m.slice) AS asked,
           (SELECT first(p.remedy ORDER BY p.position) FROM plans p WHERE p.arm = 'main'
            AND p.round = m.round AND p.slice = m.slice) AS remedy,
           (SELECT count(*) FROM added a WHERE a.arm = 'main' AND a.round = m.round
            AND a.slice = m.slice) AS added
    FROM slice_members m JOIN slices s USING (arm, round, slice)
    WHERE m.arm = 'main' AND m.id = {id}
    ORDER BY m.round, s.gap DESC NULLS LAST, m.slice"""
