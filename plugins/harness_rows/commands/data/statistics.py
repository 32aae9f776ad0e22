"""What is in rows: the document of ``harness data stats --json``, which the terminal shows too."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

from harness import SPLITS, Example, Report
from harness_rows.cleaning import exact
from harness_rows.commands.data.lengths import Length, measured
from harness_rows.commands.data.opening import OpenedRows
from harness_rows.commands.data.request import Request
from harness_rows.initial import answers, languages
from harness_rows.sampling import Spread

MOST_ANSWERS = 4
"""Frequent answers that are listed."""
MOST_VALUES = 40
"""Different values of a column that no config names, beyond which it is no field but a text."""
LONGEST_VALUE = 60

Document = dict[str, Any]


def statistics(data: OpenedRows, request: Request, begin: Callable[[str], Report]) -> Document:
    """Everything that is shown of the rows; no text of a sealed test set is in it.

    Returns:
        The document that ``--json`` prints.
    """
    lengths = measured(data, request, begin)
    texts = ["\n".join([exact.prompt_text(row), *row.references[:1]]) for row in data.rows]
    shares, judged = languages.look(texts)
    turns = Counter(sum(turn.get("role") == "user" for turn in row.messages) for row in data.rows)
    readable = [row for row in data.rows if not data.sealed or row.split != "test"]
    answered = _answers(readable)
    labels = []
    if answered["kind"] == "labels":
        pairs = [(str(row.split), row.references[0].strip()) for row in readable if row.references]
        labels = [_field("answer", True, pairs)]
    return {
        "data": data.where,
        "problems": data.problems,
        "rows": len(data.rows),
        "splits": list(_splits(data.rows, lengths.rows)),
        "tokens": {
            "model": lengths.model, "why": lengths.why, "rows": len(lengths.rows),
            "of": len(data.rows), "shortened": len(lengths.long),
        },
        "languages": shares,
        "judged": judged,
        "turns": dict(sorted(turns.items())),
        "fields": [*labels, *_fields(data)],
        "repeats": _repeats(data.rows),
        "answers": answered,
    }  # fmt: skip


def _splits(rows: Sequence[Example], lengths: Sequence[Length]) -> Iterator[Document]:
    """Rows, groups and tokens of each split; rows without a split stand below an empty name."""
    for split in (*SPLITS, ""):
        members = [row for row in rows if row.split == split]
        lengths_of = [length for length in lengths if length.row.split == split and length.prompt]
        drawn = [length for length in lengths_of if length.drawn]
        if members:
            yield {
                "split": split,
                "rows": len(members),
                "groups": len({row.group for row in members}),
                "prompt": _spread([o.prompt for o in drawn], [o.prompt for o in lengths_of]),
                "answer": _spread([o.answer for o in drawn], [o.answer for o in lengths_of]),
            }


def _spread(drawn: Sequence[int], every: Sequence[int]) -> Document | None:
    return asdict(Spread.of(drawn, every)) if drawn else None


def _repeats(rows: Sequence[Example]) -> Document:
    prompts = exact.by_prompt(rows)
    conflicts = exact.conflicts(prompts)
    return {
        "exact": len(exact.doubled(prompts)),
        "leaks": sum(1 for _ in exact.exact_leaks(prompts)),
        "conflicts": len(conflicts),
        "conflict_rows": sum(map(len, conflicts)),
    }


def _answers(rows: Sequence[Example]) -> Document:
    texts = [row.references[0] for row in rows if row.references]
    counts = Counter(text.strip() for text in texts)
    return {
        "kind": answers.of_rows(rows).kind if texts else "",
        "distinct": len(counts),
        "frequent": [pair for pair in counts.most_common(MOST_ANSWERS) if pair[1] > 1],
    }


def _fields(data: OpenedRows) -> Iterator[Document]:
    """Every field of the rows' meta, and the columns that look like one."""
    of_meta: dict[str, list[tuple[str, Any]]] = {}
    for row in data.rows:
        for name, value in row.meta.items():
            if value is not None:
                of_meta.setdefault(name, []).append((row.split, value))
    yield from (_field(name, True, pairs) for name, pairs in of_meta.items())
    yield from (_field(name, False, pairs) for name, pairs in _of_columns(data).items() if pairs)


def _of_columns(data: OpenedRows) -> dict[str, list[tuple[str, str]]]:
    """Of columns that nothing reads, those with few short values."""
    reading = data.reading
    if reading is None or not reading.unused:
        return {}
    splits = {row.id: row.split for row in data.rows}
    pairs: dict[str, list[tuple[str, str]]] = {name: [] for name in reading.unused}
    values: dict[str, set[str]] = {name: set() for name in reading.unused}
    for row, record in zip(reading.rows, reading.records, strict=True):
        for name in list(pairs):
            value = record.get(name)
            if value is None or value == "":
                continue
            if isinstance(value, dict | list | bytes) or len(text := _text(value)) > LONGEST_VALUE:
                del pairs[name]
                continue
            values[name].add(text)
            if len(values[name]) > MOST_VALUES:
                del pairs[name]
            elif row.id in splits:
                pairs[name].append((splits[row.id], text))
    return {name: pairs_of for name, pairs_of in pairs.items() if len(values[name]) > 1}


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _field(name: str, used: bool, pairs: Sequence[tuple[str, Any]]) -> Document:
    """A field with its values, the most frequent first.

    Args:
        used: False for a column that the rows' meta does not have.
        pairs: (split, value) of each row that has one.
    """
    counts: dict[str, Counter[str]] = {}
    for split, value in pairs:
        counts.setdefault(_text(value), Counter())[split] += 1
    ordered = sorted(counts.items(), key=lambda item: (-item[1].total(), item[0]))
    return {
        "name": name,
        "used": used,
        "totals": dict(Counter(split for split, _ in pairs)),
        "values": [{"value": value, "rows": dict(rows)} for value, rows in ordered],
    }
