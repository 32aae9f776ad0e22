"""All that a run knows of one row: its answers, why they are wrong, what was done about it."""

from __future__ import annotations

import json
from typing import Any

from harness.errors import UsageError, near
from harness.inspection.index import Index, Row, literal
from harness.inspection.lineage import additions_sql, train_rows_sql
from harness.kit.text import one_line
from harness.kit.worddiff import closest, differences

SCHEMA = "harness.why/1"
NEAREST = 5

Document = dict[str, Any]


def split_of(index: Index, name: str) -> str | None:
    """Where a row belongs; ``added`` for one that augmentation made; None for an unknown one."""
    rows = index.ask(
        f"SELECT 0 AS place, split FROM examples WHERE id = {literal(name)} UNION ALL "
        f"SELECT 1, 'added' FROM added WHERE arm = 'main' AND id = {literal(name)} ORDER BY place"
    )
    return rows[0]["split"] if rows else None


def shown_as(index: Index, name: str) -> str | None:
    """The id that is shown as ``name``, where it holds what no terminal shows."""
    return next((own for own in index.likely(name, _NAMES) if _shown(own) == _shown(name)), None)


def unknown(index: Index, name: str) -> UsageError:
    """What is said of an id that no row has; ids of test are not offered."""
    names = [_shown(own) for own in index.likely(name, _NAMES)]
    return UsageError(
        f"run {index.run} has no row '{name}'{near(name, names)}",
        hint="harness errors lists the rows with wrong answers",
    )


def _shown(name: str) -> str:
    return one_line(name, 200)


def why(index: Index, name: str, split: str) -> Document:
    """A ``harness.why/1`` document (``docs/commands.md``).

    Args:
        split: as :func:`split_of` gives it; the caller has decided that it may be looked at.
    """
    row = _example(index, name) if split != "added" else _added(index, name)
    answers = _answers(index, row, split) if split in ("dev", "test") else []
    return {
        "schema": SCHEMA,
        "run": index.run,
        "kept_round": index.kept,
        "primary": index.primary,
        "caveats": index.caveats(),
        **row,
        "course": _course(index, name) if split == "dev" else None,
        "answers": answers,
        "causes": _causes(index, name) if split == "dev" else [],
        "nearest": _nearest(index, row["prompt"]) if answers else [],
        "slices": _slices(index, name) if split == "dev" else [],
        "origin": _origin(index, name),
        "named_by": [] if answers else _named_by(index, name),
    }


def _example(index: Index, name: str) -> Document:
    (row,) = index.ask(_EXAMPLE.format(id=literal(name)))
    return {
        **row,
        "references": list(row["references"] or ()),
        **{key: json.loads(row[key]) for key in ("meta", "features", "messages")},
    }


def _added(index: Index, name: str) -> Document:
    (row,) = index.ask(
        "SELECT id, 'added' AS split, '' AS \"group\", '' AS place, prompt, "
        "CASE WHEN reference IS NULL THEN [] ELSE [reference] END AS references "
        f"FROM ({additions_sql(index, index.kept)}) WHERE id = {literal(name)}"
    )
    turn = {"role": "user", "content": row["prompt"]}
    return {**row, "meta": {}, "features": {}, "messages": [turn]}


def _answers(index: Index, row: Document, split: str) -> list[Document]:
    """Every answer of the main arm, by round."""
    where = f"arm = 'main' AND split = {literal(split)} AND id = {literal(row['id'])}"
    scores = _by_round(index.ask(f"{_SCORES} WHERE {where} ORDER BY round, name"))
    labels = _by_round(index.ask(f"{_LABELS} WHERE {where} ORDER BY round, category, evidence"))
    found = []
    for answer in index.ask(_ANSWERS.format(where=where)):
        text, number = answer["text"] or "", answer["round"]
        reference = closest(row["references"], text)
        found.append(
            {
                **answer,
                "scores": {s["name"]: _without(s, "name") for s in scores.get(number, ())},
                "errors": labels.get(number, []),
                "reference": reference,
                "differences": differences(reference, text) if row["references"] else [],
            }
        )
    return found


def _by_round(rows: list[Row]) -> dict[int, list[Row]]:
    found: dict[int, list[Row]] = {}
    for row in rows:
        found.setdefault(row["round"], []).append(_without(row, "round"))
    return found


def _without(row: Row, name: str) -> Row:
    return {key: value for key, value in row.items() if key != name}


def _course(index: Index, name: str) -> Document | None:
    """The row's line in the ledger."""
    found = index.ask(
        f"SELECT kind, rounds, rights FROM ledger WHERE arm = 'main' AND id = {literal(name)}"
    )
    return found[0] if found else None


def _causes(index: Index, name: str) -> list[Document]:
    found = index.ask(
        "SELECT round, cause, evidence, remedy, train_rows FROM diagnoses "
        f"WHERE arm = 'main' AND id = {literal(name)} ORDER BY round, cause"
    )
    named = {row for cause in found for row in cause["train_rows"] or ()}
    known = {row["id"]: row for row in index.ask(_rows_of(index, named))} if named else {}
    return [
        {**cause, "train_rows": [known.get(row, {"id": row}) for row in cause["train_rows"] or ()]}
        for cause in found
    ]


def _rows_of(index: Index, names: set[str]) -> str:
    listed = ", ".join(map(literal, sorted(names)))
    return (
        "SELECT id, split, place, prompt, reference FROM examples "
        f"WHERE id IN ({listed}) AND split <> 'test' UNION ALL "
        "SELECT id, 'added', '', prompt, reference "
        f"FROM ({additions_sql(index, index.kept)}) a WHERE id IN ({listed}) "
        "AND NOT EXISTS (SELECT 1 FROM examples e WHERE e.id = a.id)"
    )


def _nearest(index: Index, prompt: str) -> list[Document]:
    """The rows of the kept round's training data whose prompts are most like this one."""
    from harness.kit.similarity import nearest

    rows = index.ask(train_rows_sql(index, index.kept))
    (found,) = nearest([prompt], [row["prompt"] or "" for row in rows], NEAREST)
    return [{**rows[place], "similarity": likeness} for place, likeness in found]


def _slices(index: Index, name: str) -> list[Document]:
    """The slices that the row belongs to, and what was planned and added for each."""
    return index.ask(_SLICES.format(id=literal(name)))


def _origin(index: Index, name: str) -> Document | None:
    """How a row came into the training data, if it was added.

    Where it was added more than once: by the addition that the kept round learned from.
    """
    found = index.ask(
        "SELECT round, made_by, slice, parent, parent_split, parent_place "
        f"FROM ({additions_sql(index, index.kept, 'lineage')}) WHERE id = {literal(name)}"
    )
    return found[0] if found else None


def _named_by(index: Index, name: str) -> list[Document]:
    """The answers whose cause names this training row."""
    return index.ask(
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
