"""How values of the rows' fields are spread over the splits, and which are scarce in train."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness import Example
from harness_rows.commands.data.opening import Opened

MOST_VALUES = 40
"""Different values of a column that no config names, beyond which it is no field but a text."""
LONGEST_VALUE = 60
MOST_NUMBERS, RANGES = 12, 5
"""Different numbers beyond which a field is shown by ranges, and how many of these."""
HALF = 0.5
"""Part of its share elsewhere below which a value is scarce in train."""
CHANCE = 0.05
"""Probability, over all values of a field, with which chance alone would make one as scarce."""
REST = ("pool", "dev", "test")


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a field.

    Attributes:
        rows: split -> rows that have it.
        scarce: the part of its share in pool, dev and test that it has in train, where that is
            half or less and chance would seldom make it so; else None.
    """

    value: str
    rows: Mapping[str, int]
    scarce: float | None = None


@dataclass(frozen=True, slots=True)
class Field:
    """A field of the rows.

    Attributes:
        used: False for a column that the rows' meta does not have.
        totals: split -> rows that have any value.
        values: the most frequent first.
    """

    name: str
    used: bool
    totals: Mapping[str, int]
    values: tuple[Value, ...]


def answers(rows: Sequence[Example]) -> Field:
    """The first answers of rows as a field, where they are labels."""
    pairs = [(str(row.split), row.references[0].strip()) for row in rows if row.references]
    return _field("answer", True, pairs)


def fields(found: Opened) -> list[Field]:
    """Every field of the rows' meta, and the columns that look like one."""
    made = [_field(name, True, pairs) for name, pairs in _of_meta(found.rows).items()]
    made += [_field(name, False, pairs) for name, pairs in _of_columns(found).items()]
    return [one for one in made if one.values]


Pairs = Sequence[tuple[str, Any]]
"""(split, value) of each row that has one."""


def _of_meta(rows: Sequence[Example]) -> dict[str, list[tuple[str, Any]]]:
    found: dict[str, list[tuple[str, Any]]] = {}
    for row in rows:
        for name, value in row.meta.items():
            if value is not None:
                found.setdefault(name, []).append((row.split, value))
    return found


def _of_columns(found: Opened) -> dict[str, list[tuple[str, str]]]:
    """Of columns that nothing reads, those with few short values."""
    reading = found.reading
    if reading is None or not reading.unused:
        return {}
    splits = {row.id: row.split for row in found.rows}
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
    return {name: found for name, found in pairs.items() if len(values[name]) > 1}


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _field(name: str, used: bool, pairs: Pairs) -> Field:
    totals = Counter(split for split, _ in pairs)
    names = _ranges([value for _, value in pairs])
    counts: dict[str, Counter[str]] = {}
    for split, value in pairs:
        counts.setdefault(names.get(value) or _text(value), Counter())[split] += 1
    ordered = sorted(counts.items(), key=lambda item: (-item[1].total(), item[0]))
    if names:  # ranges stand in their order
        places = {name: place for place, name in enumerate(dict.fromkeys(names.values()))}
        ordered.sort(key=lambda item: places[item[0]])
    values = tuple(
        Value(value, dict(rows), _scarce(rows, totals, len(counts))) for value, rows in ordered
    )
    return Field(name, used, dict(totals), values)


def _ranges(values: Sequence[Any]) -> dict[Any, str]:
    """Value -> its range, for many different numbers: five ranges with as many rows each."""
    numbers = [one for one in values if isinstance(one, int | float) and one is not bool(one)]
    distinct = sorted(set(numbers))
    if len(numbers) < len(values) or len(distinct) <= MOST_NUMBERS:
        return {}
    ordered = sorted(numbers)
    edges = sorted({ordered[len(ordered) * part // RANGES] for part in range(RANGES)})
    names: dict[Any, str] = {}
    for place, low in enumerate(edges):
        above = edges[place + 1] if place + 1 < len(edges) else None
        within = [one for one in distinct if one >= low and (above is None or one < above)]
        name = f"{_text(within[0])} to {_text(within[-1])}" if len(within) > 1 else _text(low)
        names |= dict.fromkeys(within, name)
    return names


def _scarce(rows: Mapping[str, int], totals: Mapping[str, int], values: int) -> float | None:
    """See :class:`Value`: Fisher's exact test, one-sided, Bonferroni over the field's values."""
    train, rest = totals.get("train", 0), sum(totals.get(split, 0) for split in REST)
    mine, others = rows.get("train", 0), sum(rows.get(split, 0) for split in REST)
    if not train or not rest or not others:
        return None
    part = (mine / train) / (others / rest)
    if part > HALF:
        return None
    from scipy.stats import hypergeom

    chance = float(hypergeom.cdf(mine, train + rest, mine + others, train))
    return part if chance * values <= CHANCE else None


def scarce(found: Sequence[Field]) -> Iterator[tuple[Field, Value]]:
    """Every value that is scarce in train, with its field."""
    for field in found:
        for value in field.values:
            if value.scarce is not None:
                yield field, value
