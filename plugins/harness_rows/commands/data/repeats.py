"""Rows that repeat each other: within a split, between splits, and with other answers.

Prompts are compared without system turns, whatever their letter case, width, white space and marks
of sentences; digits and symbols count.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from harness import Example
from harness.kit.draws import spaced
from harness.kit.folding import folded
from harness_rows.dealing import SIDES
from harness_rows.prompts import COMPARED, NEAR, evened

Watch = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Leak:
    """A row of train or pool that repeats a held-out row."""

    row: Example
    held_out: Example
    similarity: float = 1.0


@dataclass(frozen=True, slots=True)
class Near:
    """Near repeats among the rows that were compared.

    Attributes:
        compared: how many rows; of so many in all.
        leaks: rows of train and pool that are near a row of dev or test, the nearest first.
        rows: how many rows have another one near to them.
    """

    compared: int
    of: int
    leaks: tuple[Leak, ...]
    rows: int


@dataclass(frozen=True, slots=True)
class Conflict:
    """Rows with one prompt of which no answer is one of another's."""

    rows: tuple[Example, ...]


def prompt_text(row: Example) -> str:
    """The conversation before the answer, without system turns."""
    turns = (m for m in row.messages if m.get("role") not in ("system", "developer"))
    return "\n".join(str(m["content"]) for m in turns if m.get("content"))


def by_prompt(rows: Sequence[Example]) -> dict[str, list[Example]]:
    """Prompt, evened -> its rows, in order."""
    found: dict[str, list[Example]] = {}
    for row in rows:
        found.setdefault(evened(row.messages), []).append(row)
    return found


def exact_leaks(prompts: Mapping[str, Sequence[Example]]) -> Iterator[Leak]:
    """Rows of train and pool whose prompt is one of dev's or test's."""
    for rows in prompts.values():
        held_out = next((row for row in rows if _side(row) in ("dev", "test")), None)
        if held_out is not None:
            yield from (Leak(row, held_out) for row in rows if _side(row) == "train")


def dev_in_test(prompts: Mapping[str, Sequence[Example]]) -> list[Example]:
    """Rows of test whose prompt is one of dev's."""
    return [
        row
        for rows in prompts.values()
        if any(row.split == "dev" for row in rows)
        for row in rows
        if row.split == "test"
    ]


def doubled(prompts: Mapping[str, Sequence[Example]]) -> list[Example]:
    """Rows that repeat an earlier row of their side, prompt and first answer."""
    found = []
    for rows in prompts.values():
        seen: set[tuple[str, str]] = set()
        for row in rows if len(rows) > 1 else ():
            lesson = _side(row), folded(_answer(row))
            if lesson in seen:
                found.append(row)
            seen.add(lesson)
    return found


def conflicts(prompts: Mapping[str, Sequence[Example]]) -> list[Conflict]:
    """Prompts whose rows have different answers, the most rows first."""
    found = []
    for rows in prompts.values():
        if len(rows) < 2 or len({_context(row) for row in rows}) > 1:
            continue
        firsts: dict[str, Example] = {}
        for row in rows:
            firsts.setdefault(folded(_answer(row)), row)
        answers = [{folded(text) for text in row.references} for row in firsts.values()]
        if len(firsts) > 1 and not set.intersection(*answers):
            found.append(Conflict(tuple(rows)))
    return sorted(found, key=lambda one: -len(one.rows))


def near_repeats(prompts: Mapping[str, Sequence[Example]], watch: Watch) -> Near:
    """Prompts that are near each other and not equal; of many, evenly spaced ones are compared.

    Held-out rows have half of the places, if they need so many.
    """
    from harness_rows.cleaning.near import pairs

    rows = _distinct(prompts)
    compared = _sample(rows)
    texts = [prompt_text(row) for row in compared]
    leaks: dict[str, Leak] = {}
    near: set[str] = set()
    for pair in pairs(texts, NEAR, watch):
        one, other = compared[pair.first], compared[pair.second]
        near |= {one.id, other.id}
        sides = {_side(one), _side(other)}
        if "train" in sides and len(sides) == 2:
            row, held_out = (one, other) if _side(one) == "train" else (other, one)
            before = leaks.get(row.id)
            if before is None or before.similarity < pair.similarity:
                leaks[row.id] = Leak(row, held_out, pair.similarity)
    ordered = sorted(leaks.values(), key=lambda leak: (-leak.similarity, leak.row.id))
    return Near(len(compared), len(rows), tuple(ordered), len(near))


def _distinct(prompts: Mapping[str, Sequence[Example]]) -> list[Example]:
    """One row of each prompt and side: exact repeats are told apart from near ones."""
    found = []
    for rows in prompts.values():
        sides: dict[str, Example] = {}
        for row in rows:
            sides.setdefault(_side(row), row)
        # An exact leak is said as such; its prompt is compared once.
        found.append(sides.get("dev") or sides.get("test") or rows[0])
    return found


def _sample(rows: Sequence[Example]) -> list[Example]:
    if len(rows) <= COMPARED:
        return list(rows)
    held_out = [row for row in rows if _side(row) in ("dev", "test")]
    others = [row for row in rows if _side(row) not in ("dev", "test")]
    half = COMPARED // 2
    most = max(half, COMPARED - len(others))
    kept = spaced(held_out, most)
    return [*kept, *spaced(others, COMPARED - len(kept))]


def _side(row: Example) -> str:
    return SIDES[row.split] if row.split else ""


def _answer(row: Example) -> str:
    return row.references[0] if row.references else ""


def _context(row: Example) -> str:
    """Its system turns: other instructions may well ask for another answer."""
    turns = (m for m in row.messages if m.get("role") in ("system", "developer"))
    return folded("\n".join(str(m.get("content")) for m in turns))
