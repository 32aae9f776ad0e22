"""How much a prompt has in common with held-out ones, where what many rows share has no weight.

A prompt is compared by its runs of five characters (case and punctuation apart), code also by
its runs of eight tokens whatever the names in it. Two things take weight away:

* *shared runs*: a shingle in a run of 40 characters that three rows or more hold (an instruction,
  a template, a passage) belongs to none of them and is left out of each row's own part;
* *rarity*: a shingle that ``d`` of ``N`` rows hold weighs ``(ln(N/d) / ln N)^2 * (o/d)^2``, with
  ``o`` the rows that hold it in their own part. A shingle that no row holds (a misspelt word)
  weighs nothing.

The similarity of two prompts is the weight of what they share over the geometric mean of the
weights of their own parts (Ochiai's coefficient: 1 for a copy, 0 for nothing in common).
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from harness.kit.alike.hashes import (
    BASE,
    SHINGLE,
    Hashes,
    Numbers,
    Table,
    Windows,
    counted,
    distinct,
    joined,
    mixed,
)
from harness.kit.alike.runs import SharedRuns
from harness.kit.alike.texts import asked_of
from harness.records import Example

Floats = npt.NDArray[np.float64]

TOKENS = 8
CODE_MARKS = 8
"""Brackets and operators in a turn from which its shape is compared."""
LEAST_OWN = 16
"""Shingles of its own that a prompt needs; one with fewer is compared whole."""
LEAST_CONTAINED = 40
"""Shingles of a held-out prompt's own part from which it can be contained in another."""
LEAST_SHAPE = 10
FAINT = 0.01
"""Weight below which a shingle is passed over."""
_TOKEN = re.compile(r"\w+|[^\w\s]")
_MARKS = "()[]{}=:;<>+*/%&|"


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """The shingles of one prompt, as sorted distinct hashes.

    Attributes:
        own: those that stand, at least once, outside of shared runs.
        rest: the others.
    """

    own: Hashes
    rest: Hashes


def parts_of(text: str, runs: SharedRuns, shared_by: int) -> Parts:
    """The shingles of a prompt.

    Args:
        text: its :attr:`harness.kit.alike.texts.RowTexts.words`.
        shared_by: of the texts that were counted, those that hold a run from which it is shared.
    """
    if not text:
        return Parts(joined([]), joined([]))
    windows = Windows([text])
    hashes = windows.hashes(SHINGLE)
    shared = runs.holders(windows) >= shared_by
    own = distinct(hashes[~shared])
    if len(own) < LEAST_OWN:
        return Parts(distinct(hashes), joined([]))
    rest = distinct(hashes[shared])
    nearest = own[np.minimum(np.searchsorted(own, rest), len(own) - 1)]
    return Parts(own, rest[nearest != rest])


def shape_of(row: Example) -> Parts:
    """What code keeps when its names are changed: its runs of eight tokens, in which a name is
    the distance to where it stood last."""
    turns = [turn for turn in asked_of(row, ("user",)) if _looks_like_code(turn)]
    shapes = [_shape(_TOKEN.findall(turn)) for turn in turns]
    return Parts(distinct(joined(shapes)), joined([]))


def _looks_like_code(text: str) -> bool:
    return sum(map(text.count, _MARKS)) >= CODE_MARKS


def _shape(tokens: Sequence[str]) -> Hashes:
    if len(tokens) < TOKENS:
        return joined([])
    first: dict[str, int] = {}
    places = np.array(list(map(first.setdefault, tokens, range(len(tokens)))))
    codes = np.zeros(len(tokens), dtype=np.uint64)
    codes[list(first.values())] = list(map(_code, first))
    codes = codes[places]
    distances = np.where(codes == 0, _since_last(places), 0).astype(np.uint64)
    # A row for each place in a run, a column for each run.
    inside = np.arange(TOKENS)[:, None]
    runs = inside + np.arange(len(tokens) - TOKENS + 1)
    far = distances[runs]
    powers = np.uint64(BASE) ** inside[::-1].astype(np.uint64)
    return mixed(((codes[runs] + far * (far <= inside)) * powers).sum(axis=0))


def _since_last(numbers: Numbers) -> Numbers:
    """How far before each number the same one stood last; 0 where it is the first."""
    order = np.argsort(numbers, kind="stable")
    distances = np.zeros(len(numbers), dtype=np.int64)
    again = numbers[order[1:]] == numbers[order[:-1]]
    distances[order[1:]] = np.where(again, np.diff(order), 0)
    return distances


@lru_cache(4096)
def _code(token: str) -> int:
    """0 for a name, else a number of the token's own."""
    if token.isidentifier():
        return 0
    return zlib.crc32(token.encode("utf-8", "surrogatepass")) + (1 << 32)


@dataclass(frozen=True, slots=True, eq=False)
class Common:
    """What a prompt has in common with those held-out prompts of which it contains enough.

    Attributes:
        places: of these held-out prompts, ascending.
        similar: similarity to each of them.
        contained: share of each one's own part that is contained.
    """

    places: Numbers
    similar: Floats
    contained: Floats


class Index:
    """Held-out prompts by their shingles, each weighed by what all rows hold.

    Args:
        held_out: distinct prompts of dev and test.
        others: distinct prompts of the source.
    """

    def __init__(self, held_out: Sequence[Parts], others: Sequence[Parts]) -> None:
        rows = [*held_out, *others]
        owned, owners = counted(joined([parts.own for parts in rows]))
        every = [joined([parts.own, parts.rest]) for parts in rows]
        hashes, held = counted(joined(every))
        self._table = Table(hashes)
        holders = np.zeros(len(hashes))
        holders[self._table.places(owned)] = owners
        total = max(2, len(rows))
        rarity = np.log(total / held) / np.log(total)
        # With one or two rows nothing can be rare.
        rarity = rarity if len(rows) > 2 else np.ones(len(held))
        weights = np.maximum(rarity, 0) ** 2 * (holders / held) ** 2
        # The last weight is that of what is not in the table.
        self._weights = np.append(np.where(weights >= FAINT, weights, 0.0), 0.0)
        # What only one row holds is, for that row, what none of the others holds.
        self._elsewhere = np.where(np.append(held, 0) > 1, self._weights, 0.0)
        self._post(held_out)

    def _post(self, held_out: Sequence[Parts]) -> None:
        """Note for each shingle in whose own part it is."""
        lists = [self._table.places(parts.own) for parts in held_out]
        lists = [places[self._weights[places] > 0] for places in lists]
        self.sizes = np.array([len(places) for places in lists], dtype=np.int64)
        self.own = np.array([self._weights[places].sum() for places in lists], dtype=np.float64)
        shingles = np.concatenate([*lists, np.empty(0, np.int64)])
        owners = np.repeat(np.arange(len(lists)), self.sizes)
        self._owners = owners[np.argsort(shingles, kind="stable")]
        self._lengths = np.bincount(shingles, minlength=self._table.size + 1)
        self._starts = np.cumsum(self._lengths) - self._lengths

    def compare(self, parts: Parts, *, new: bool, least: float) -> Common:
        """What a prompt has in common with the held-out ones.

        Args:
            new: the prompt is none of those that were weighed.
            least: held-out prompts of which no greater share is contained are left out. To a
                prompt of which a share ``c`` is contained, the similarity is at most ``sqrt(c)``.
        """
        own = self._table.places(parts.own)
        common = self._sums(own)
        # A run that the new text shares with others is not the held-out prompt's own any more.
        theirs = self.own - self._sums(self._table.places(parts.rest))
        theirs = np.maximum(theirs, common)
        places = np.flatnonzero(common > least * theirs)
        common, theirs = common[places], theirs[places]
        if not len(places):
            return Common(places, common, common)
        mine = (self._weights if new else self._elsewhere)[own].sum()
        both = np.sqrt(theirs * np.maximum(mine, common))
        return Common(places, common / both, common / theirs)

    def _sums(self, shingles: Numbers) -> Floats:
        """Weight of these shingles in each held-out prompt's own part."""
        lengths = self._lengths[shingles]
        posted = lengths > 0
        shingles, lengths = shingles[posted], lengths[posted]
        if not len(shingles):
            return np.zeros(len(self.sizes))
        ends = lengths.cumsum()
        at = (self._starts[shingles] - ends + lengths).repeat(lengths) + np.arange(ends[-1])
        weights = self._weights[shingles].repeat(lengths)
        return np.bincount(self._owners[at], weights, len(self.sizes)).astype(np.float64)
