"""Two checkpoints side by side: scores, answers, words, configuration, training data."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from typing import Any

from harness import scoring
from harness.data.splits import groups_of
from harness.errors import DataError
from harness.inspection.checkpoints import Checkpoint
from harness.inspection.phrases import phrases, sampled
from harness.records import Example, Measurement, Score
from harness.scoring import MetricEntry
from harness.verdicts import comparison

SCHEMA = "harness.compare/1"

Document = dict[str, Any]


def compare(a: Checkpoint, b: Checkpoint) -> Document:
    """A ``harness.compare/1`` document (``docs/commands.md``): is ``b`` better than ``a``?

    Only rows of dev that both answered count: those of equal id, conversation and references.

    Raises:
        DataError: there is no such row.
    """
    rows = _shared(a, b)
    a, b = _beside(a, b, rows)
    ids = {row.id for row in rows}
    metrics, incomparable = _metrics(a, b, rows)
    read_a, read_b = sampled(_texts(a, ids)), sampled(_texts(b, ids))
    more_a, more_b = phrases(read_a, read_b)
    return {
        "schema": SCHEMA,
        "a": _named(a),
        "b": _named(b),
        "primary": b.primary,
        "n": len(rows),
        "groups": len(set(groups_of(rows).values())),
        "only_a": len(a.rows) - len(rows),
        "only_b": len(b.rows) - len(rows),
        "metrics": metrics,
        "not_comparable": incomparable,
        **_changed_answers(a, b, rows),
        "phrases": {
            "a": [dataclasses.asdict(one) for one in more_a],
            "b": [dataclasses.asdict(one) for one in more_b],
            "read_a": len(read_a),
            "read_b": len(read_b),
        },
        "config": _config(a.config, b.config),
        "data": _data(a.train, b.train),
    }


def _texts(side: Checkpoint, ids: Set[str]) -> list[str]:
    return [one.text for one in side.predictions if one.example_id in ids and not one.sample]


def _named(side: Checkpoint) -> Document:
    return {
        "run": side.run,
        "round": side.round,
        "kept": side.kept,
        "chosen": side.kept and side.round > 0,
        "train_rows": len(side.train),
        "verdict": {
            "label": side.verdict.label,
            "against": side.verdict.against,
            "sentence": side.verdict.sentence,
        },
    }


def _shared(a: Checkpoint, b: Checkpoint) -> list[Example]:
    theirs = {row.id: row for row in a.rows}

    def same(row: Example) -> bool:
        other = theirs.get(row.id)
        return other is not None and (other.messages, other.references) == (
            row.messages, row.references,
        )  # fmt: skip

    rows = [row for row in b.rows if same(row)]
    if not rows:
        raise DataError(
            "the two have no row of dev in common",
            where=f"{a.run} and {b.run}",
            hint="compare runs of the same data",
        )
    return rows


def _beside(a: Checkpoint, b: Checkpoint, rows: Sequence[Example]) -> tuple[Checkpoint, Checkpoint]:
    """The two, with what those people said who have rated both answers in one batch."""
    known = {row.id: row for row in rows}
    sides = [
        [(one, known[one.example_id]) for one in side.predictions if one.example_id in known]
        for side in (a, b)
    ]
    theirs = {entry.name: entry for entry in a.entries}
    measured = [dict(side.measurements) for side in (a, b)]
    for entry in b.entries:
        if not entry.metric.by_people or entry.name not in theirs:
            continue
        for place in (0, 1):
            metric = entry.metric.beside(sides[place], sides[1 - place])
            found = scoring.measure(MetricEntry(entry.name, metric), sides[place], workers=1)
            measured[place][entry.name] = found
    return _judged(a, measured[0]), _judged(b, measured[1])


def _judged(side: Checkpoint, measured: Mapping[str, Sequence[Measurement]]) -> Checkpoint:
    entry = next(entry for entry in side.entries if side.primary in entry.score_names)
    if not entry.metric.by_people:
        return dataclasses.replace(side, measurements=measured)
    right = {
        one.example_id: scoring.right(entry.metric, one.values.get(side.primary))
        for one in measured[entry.name]
    }
    return dataclasses.replace(side, measurements=measured, right=right)


def _metrics(
    a: Checkpoint, b: Checkpoint, rows: Sequence[Example]
) -> tuple[Document, dict[str, str]]:
    """Score name -> its comparison, and score name -> why there is none."""
    groups = groups_of(rows)
    found: Document = {}
    incomparable: dict[str, str] = {}
    theirs = {name: entry for entry in a.entries for name in entry.score_names}
    for entry in b.entries:
        other = theirs.get(entry.score_names[0])
        reason = _difference(a, b, entry, other)
        if other is None or reason:
            incomparable |= dict.fromkeys(entry.score_names, reason)
            continue
        old, new = _own(a, other, groups), _own(b, entry, groups)
        compared = comparison.compare_measurements(entry, {"b": new}, old, groups, seed=b.seed)["b"]
        before = _scores(a, other, old, rows)
        after = _scores(b, entry, new, rows)
        found |= {name: _metric(one, before[name], after[name]) for name, one in compared.items()}
    ours = {name for entry in b.entries for name in entry.score_names}
    incomparable |= {name: "only A has it" for name in theirs if name not in ours}
    return found, incomparable


def _difference(a: Checkpoint, b: Checkpoint, entry: MetricEntry, other: MetricEntry | None) -> str:
    """Why the scores of an entry cannot be compared, or an empty string."""
    if other is None:
        return "only B has it"
    if entry.score_names != other.score_names:
        return "the entries give other scores"
    for name in entry.score_names:
        here, there = b.scores[name].signature, a.scores[name].signature
        if here != there:
            return f"other signatures: {there} and {here}"
    return ""


def _own(side: Checkpoint, entry: MetricEntry, ids: Mapping[str, str]) -> list[Measurement]:
    return [one for one in side.measurements[entry.name] if one.example_id in ids]


def _scores(
    side: Checkpoint, entry: MetricEntry, measured: Sequence[Measurement], rows: Sequence[Example]
) -> Mapping[str, Score]:
    """The side's scores on the shared rows; those of the run where these are all."""
    if len(rows) == len(side.rows):
        return side.scores
    ids = {row.id: row for row in rows}
    pairs = [(one, ids[one.example_id]) for one in side.predictions if one.example_id in ids]
    return scoring.scores(entry, measured, groups_of(rows), side.seed, pairs=pairs)


def _metric(one: comparison.Comparison, before: Score, after: Score) -> Document:
    facts = {key: value for key, value in dataclasses.asdict(one).items() if key != "name"}
    return {
        "a": before.value,
        "b": after.value,
        **facts,
        "higher_is_better": after.higher_is_better,
        "signature": after.signature,
        "caveat": after.caveat,
    }


def _changed_answers(a: Checkpoint, b: Checkpoint, rows: Sequence[Example]) -> Document:
    """Rows that are right in one and wrong in the other, where both mean the same by right."""
    doubt = _other_right(a, b)
    same = _same(a, b, rows)
    if doubt:
        return {"fixed": None, "broken": None, "changes_doubt": doubt, "same_answer": same}
    before, after = _values(a), _values(b)

    def turned(wanted: bool) -> list[Document]:
        ids = [r.id for r in rows if a.right[r.id] is not wanted and b.right[r.id] is wanted]
        ids = [name for name in ids if a.right[name] is not None]
        ids.sort(key=lambda name: (-abs((after[name] or 0) - (before[name] or 0)), name))
        return [{"id": name, "a": before[name], "b": after[name]} for name in ids]

    found = {"fixed": turned(True), "broken": turned(False)}
    return {**found, "changes_doubt": None, "same_answer": same}


def _other_right(a: Checkpoint, b: Checkpoint) -> str:
    """Why an answer that is right in one need not be so in the other, or an empty string."""
    if a.primary != b.primary:
        return f"A is decided by {a.primary}, B by {b.primary}"
    here, there = b.scores[b.primary].signature, a.scores[a.primary].signature
    if here != there:
        return f"{b.primary} has other signatures: {there} and {here}"
    if a.right_at is None and b.right_at is None:
        return f"{b.primary} does not say which answers are right (set its right_at)"
    if a.right_at != b.right_at:
        old, new = ("none" if at is None else f"{at:g}" for at in (a.right_at, b.right_at))
        return f"{b.primary} has other bars for a right answer: right_at {old} in A, {new} in B"
    return ""


def _values(side: Checkpoint) -> dict[str, float | None]:
    entry = next(entry for entry in side.entries if side.primary in entry.score_names)
    return {m.example_id: m.values.get(side.primary) for m in side.measurements[entry.name]}


def _same(a: Checkpoint, b: Checkpoint, rows: Sequence[Example]) -> int:
    """Rows to which both gave the same answer, word for word."""
    texts = {one.example_id: one.text for one in a.predictions if not one.sample}
    ids = {row.id for row in rows}
    return sum(
        one.example_id in ids and texts.get(one.example_id) == one.text
        for one in b.predictions
        if not one.sample
    )


def _config(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[Document]:
    """Keys with different values, flattened; None where one side has no such key."""
    here, there = dict(_flat(b)), dict(_flat(a))
    return [
        {"key": key, "a": there.get(key), "b": here.get(key)}
        for key in dict.fromkeys([*there, *here])
        if there.get(key) != here.get(key)
    ]


def _flat(value: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        pairs = list(value.items())
    elif isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
        pairs = list(enumerate(value))
    else:
        yield prefix, value
        return
    for key, item in pairs:
        yield from _flat(item, f"{prefix}.{key}" if prefix else str(key))


def _data(a: Sequence[Example], b: Sequence[Example]) -> Document:
    """What of the training rows differs, by id and by what they say."""
    before, after = ({row.id: (row.messages, row.references) for row in side} for side in (a, b))
    added = [row for row in b if row.id not in before]
    makers = Counter((row.origin or {}).get("by") or "the source" for row in added)
    return {
        "rows_a": len(a),
        "rows_b": len(b),
        "added": [row.id for row in added],
        "removed": [row.id for row in a if row.id not in after],
        "changed": [name for name in after if name in before and before[name] != after[name]],
        "added_by": dict(makers.most_common()),
    }
