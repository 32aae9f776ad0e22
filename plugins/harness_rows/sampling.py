"""Many rows told by some of them."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from harness import Example
from harness.kit.draws import spaced

MEASURED = 10_000_000
"""Characters of drawn rows, and of the longest ones, that become tokens: about 16 s of a core."""
MOST_OF_A_ROW = 100_000
"""Characters of one row that become tokens."""
GAP = " … "
"""What stands in a shortened text for its middle."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Lengths of many texts.

    Attributes:
        most: nineteen of twenty are no longer.
        rare: ninety-nine of a hundred are no longer.
    """

    median: int
    most: int
    rare: int
    longest: int

    @classmethod
    def of(cls, drawn: Sequence[float], every: Sequence[float]) -> Spread:
        """Rounded up.

        Args:
            drawn: lengths of a sample; at least one.
            every: those of the longest rows, too, for the maximum.
        """
        ordered = sorted(drawn)
        at = [ordered[math.ceil(q * len(ordered)) - 1] for q in (0.5, 0.95, 0.99)]
        return cls(*map(math.ceil, (*at, max(every))))


def evenly(rows: Sequence[Example], most: int) -> list[Example]:
    """Rows evenly spaced: at most so many, and of long rows as many as :data:`MEASURED` allows."""
    mean = sum(map(_to_count, rows)) / max(1, len(rows))
    return spaced(rows, max(1, min(most, int(MEASURED / max(1, mean)))))


def longest(
    rows: Iterable[Example], most: int, length: Callable[[Example], int] | None = None
) -> list[Example]:
    """The longest rows: at most so many, and no more than :data:`MEASURED` allows, but one.

    Args:
        length: by what they are compared; their characters if None.
    """
    taken: list[Example] = []
    left = MEASURED
    for row in heapq.nlargest(most, rows, key=length or characters):
        left -= _to_count(row)
        if taken and left < 0:
            break
        taken.append(row)
    return taken


def is_long(row: Example) -> bool:
    """Whether it has more than :data:`MOST_OF_A_ROW`."""
    return characters(row) > MOST_OF_A_ROW


def long_rows_said(count: int) -> str:
    """One sentence, without its stop, on so many rows that are shortened to be measured."""
    rows = "1 row has" if count == 1 else f"{count:,} rows have"
    return (
        f"{rows} more than {MOST_OF_A_ROW:,} characters: lengths leave out the middle of such rows"
    )


def shortened(row: Example) -> Example:
    """A long row with its longest texts cut in the middle, so that :data:`MOST_OF_A_ROW` are left.

    Whole, a row of 10 MB becomes tokens for a minute, and fills gigabytes with them.
    """
    if not is_long(row):
        return row
    most = _most_of_a_text([*map(len, _asked(row)), answer_characters(row)])
    gap = GAP[:most]
    front = (most - len(gap) + 1) // 2
    end = most - len(gap) - front

    def cut(text: str) -> str:
        return text if len(text) <= most else text[:front] + gap + text[len(text) - end :]

    return replace(
        row,
        messages=tuple(
            {**turn, "content": cut(turn["content"])}
            if isinstance(turn.get("content"), str)
            else turn
            for turn in row.messages
        ),
        thought=cut(row.thought),
        references=tuple(map(cut, row.references)),
        rejected=tuple(map(cut, row.rejected)),
    )


def _most_of_a_text(sizes: Sequence[int]) -> int:
    """To how many characters the longest texts are cut; shorter ones stay whole.

    Args:
        sizes: of all texts of a row; more than :data:`MOST_OF_A_ROW` together.
    """
    left = MOST_OF_A_ROW
    for count, size in zip(range(len(sizes), 0, -1), sorted(sizes), strict=True):
        if size * count > left:
            return left // count
        left -= size
    raise ValueError("texts that need no cut")


def characters(row: Example) -> int:
    """Those of its turns, of what is thought, and of its longest answer."""
    return sum(map(len, _asked(row))) + answer_characters(row)


def answer_characters(row: Example) -> int:
    """Those of its longest reference; of its longest bad answer where it has no reference."""
    return max(map(len, row.references or row.rejected), default=0)


def _to_count(row: Example) -> int:
    return min(characters(row), MOST_OF_A_ROW)


def _asked(row: Example) -> Iterator[str]:
    contents = (turn.get("content") for turn in row.messages)
    yield from (text for text in contents if isinstance(text, str))
    yield row.thought
