"""How much two prompts have in common, where what many rows share carries no weight.

A prompt is compared by its runs of five characters (case and punctuation apart), code also by
its runs of eight tokens whatever the names in it. Two things take weight away:

* *shared runs*: where 40 characters in a row stand in three rows or more (an instruction, a
  template, a passage), they belong to none of them and are left out of each row's own part;
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
from typing import TYPE_CHECKING

from harness.data.repeats import asked_of, folded
from harness.records import Example

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Hashes = npt.NDArray[np.uint64]
    Floats = npt.NDArray[np.float64]
    Flags = npt.NDArray[np.bool_]
    Numbers = npt.NDArray[np.int64]

SHINGLE = 5
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
_SAMPLED = 4
"""One window in so many is looked at for shared runs, chosen by its content."""
_BASE = 0x100000001B3
_INVERSE = pow(_BASE, -1, 1 << 64)
_TOKEN = re.compile(r"\w+|[^\w\s]")
_MARKS = frozenset("()[]{}=:;<>+*/%&|")
_SEPARATORS = re.compile(r"[\W_]+")


def normalise(text: str) -> str:
    """Case, punctuation, width and white space taken away.

    A text without any letter or digit keeps its characters.
    """
    whole = folded(text)
    return " ".join(_SEPARATORS.sub(" ", whole).split()) or whole


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """The shingles of one prompt, as sorted distinct hashes.

    Attributes:
        every: all of them.
        own: whether each lies, at least in part, outside of shared runs.
    """

    every: Hashes
    own: Flags


class SharedRuns:
    """Runs of characters that many texts have in common.

    Args:
        texts: distinct, normalised.
        run: length of a run in characters.
        shared_by: texts from which a run counts as shared.
    """

    def __init__(self, texts: Sequence[str], run: int, shared_by: int) -> None:
        import numpy as np

        self.run = run
        windows = [np.unique(hashes[chosen]) for hashes, chosen in map(self._windows, texts)]
        hashes, counts = np.unique(
            np.concatenate([*windows, np.empty(0, np.uint64)]), return_counts=True
        )
        self._shared = hashes[counts >= shared_by]
        # A new text counts as one of those that share.
        self._nearly = hashes[counts >= shared_by - 1]

    def covered(self, text: str, *, new: bool) -> Flags:
        """Which characters of a text lie in a shared run.

        Args:
            new: the text is none of those that were counted.
        """
        import numpy as np

        steps = np.zeros(len(text) + 1, dtype=np.int64)
        hashes, chosen = self._windows(text)
        places = np.flatnonzero(chosen)
        places = places[_among(hashes[places], self._nearly if new else self._shared)]
        np.add.at(steps, places, 1)
        np.add.at(steps, places + self.run, -1)
        return np.cumsum(steps)[:-1] > 0

    def _windows(self, text: str) -> tuple[Hashes, Flags]:
        import numpy as np

        if len(text) < self.run:
            return np.empty(0, np.uint64), np.empty(0, np.bool_)
        hashes = _rolling(_points(text), self.run)
        return hashes, hashes % np.uint64(_SAMPLED) == 0


class Words:
    """The characters of a prompt: the normalised texts of its system and user turns."""

    def __init__(self, rows: Sequence[Example], run: int, shared_by: int) -> None:
        self.runs = SharedRuns(list(dict.fromkeys(map(words_of, rows))), run, shared_by)

    def parts(self, text: str, *, new: bool) -> Parts:
        import numpy as np

        points = _points(text)
        width = min(SHINGLE, len(points))
        hashes = _rolling(points, width) if width else np.empty(0, np.uint64)
        covered = np.concatenate([[0], np.cumsum(self.runs.covered(text, new=new))])
        outside = covered[width:] - covered[: len(covered) - width] < width
        every, first = np.unique(hashes, return_inverse=True)
        own = np.bincount(first, weights=outside[: len(first)], minlength=len(every)) > 0
        return Parts(every, own if own.sum() >= LEAST_OWN else np.ones(len(every), np.bool_))


def words_of(row: Example) -> str:
    """The text by which a prompt is compared: what the system and the user say in it."""
    return normalise("\n".join(asked_of(row, ("system", "developer", "user"))))


def shape_of(row: Example) -> Parts:
    """What code keeps when its names are changed: its runs of eight tokens, in which a name is
    the distance to where it stood last."""
    import numpy as np

    turns = [_TOKEN.findall(text) for text in asked_of(row, ("user",))]
    shapes = [_shape(turn) for turn in turns if sum(t in _MARKS for t in turn) >= CODE_MARKS]
    every = np.unique(np.concatenate([*shapes, np.empty(0, np.uint64)]))
    return Parts(every, np.ones(len(every), np.bool_))


def _shape(tokens: Sequence[str]) -> Hashes:
    import numpy as np

    last: dict[str, int] = {}
    codes = np.zeros(len(tokens), dtype=np.uint64)
    distances = np.zeros(len(tokens), dtype=np.int64)
    for place, token in enumerate(tokens):
        if token.isidentifier():
            distances[place] = place - last.get(token, -len(tokens))
            last[token] = place
        else:
            codes[place] = zlib.crc32(token.encode("utf-8", "surrogatepass")) + (1 << 32)
    count = max(0, len(tokens) - TOKENS + 1)
    hashes = np.zeros(count, dtype=np.uint64)
    for offset in range(TOKENS if count else 0):
        far = distances[offset : offset + count]
        seen = np.where(far <= offset, far, 0).astype(np.uint64)
        hashes = hashes * np.uint64(_BASE) + codes[offset : offset + count] + seen
    return _mixed(hashes)


class Index:
    """Held-out prompts by their shingles, each weighed by what all rows hold.

    Args:
        held_out: distinct prompts of dev and test.
        others: distinct prompts of the source.
    """

    def __init__(self, held_out: Sequence[Parts], others: Sequence[Parts]) -> None:
        import numpy as np

        rows = [*held_out, *others]
        none = np.empty(0, np.uint64)
        every = np.concatenate([*(parts.every for parts in rows), none])
        own = np.concatenate([*(parts.own for parts in rows), np.empty(0, np.bool_)])
        self._hashes, places, held = np.unique(every, return_inverse=True, return_counts=True)
        owned = np.bincount(places, weights=own, minlength=len(self._hashes))
        total = max(2, len(rows))
        rarity = np.log(total / np.maximum(held, 1)) / np.log(total)
        # With one or two rows nothing can be rare.
        rarity = rarity if len(rows) > 2 else np.ones(len(held))
        weights = np.maximum(rarity, 0) ** 2 * (owned / np.maximum(held, 1)) ** 2
        self._weights = np.where(weights >= FAINT, weights, 0.0)
        # What only one row holds is, for that row, what none of the others holds.
        self._elsewhere = np.where(held > 1, self._weights, 0.0)
        self._post(held_out)

    def _post(self, held_out: Sequence[Parts]) -> None:
        import numpy as np

        lists = [np.searchsorted(self._hashes, parts.every[parts.own]) for parts in held_out]
        lists = [found[self._weights[found] > 0] for found in lists]
        self.sizes = np.array([len(found) for found in lists], dtype=np.int64)
        self.own = np.array([self._weights[found].sum() for found in lists], dtype=np.float64)
        shingles = np.concatenate([*lists, np.empty(0, np.int64)])
        owners = np.repeat(np.arange(len(lists)), self.sizes)
        order = np.argsort(shingles, kind="stable")
        self._owners = owners[order]
        bounds = np.searchsorted(shingles[order], np.arange(len(self._hashes) + 1))
        self._starts, self._lengths = bounds[:-1], np.diff(bounds)

    def compare(self, parts: Parts, *, new: bool) -> tuple[Floats, Floats]:
        """Similarity to each held-out prompt, and share of its own part that is contained.

        Args:
            new: the prompt is none of those that were weighed.
        """
        import numpy as np

        if not len(self._hashes):
            return np.zeros(len(self.sizes)), np.zeros(len(self.sizes))
        places = np.minimum(np.searchsorted(self._hashes, parts.every), len(self._hashes) - 1)
        known = self._hashes[places] == parts.every
        own = places[known & parts.own]
        common = self._sums(own)
        # A run that the new text shares with others is not the held-out prompt's own any more.
        theirs = np.maximum(self.own - self._sums(places[known & ~parts.own]), common)
        mine = (self._weights if new else self._elsewhere)[own].sum()
        both = np.sqrt(theirs * np.maximum(mine, common))
        return _ratio(common, both), _ratio(common, theirs)

    def _sums(self, shingles: Numbers) -> Floats:
        """Weight of these shingles in each held-out prompt's own part."""
        import numpy as np

        if not len(shingles):
            return np.zeros(len(self.sizes))
        lengths = self._lengths[shingles]
        offsets = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        owners = self._owners[np.repeat(self._starts[shingles], lengths) + offsets]
        weights = np.repeat(self._weights[shingles], lengths)
        return np.bincount(owners, weights=weights, minlength=len(self.sizes)).astype(np.float64)


def _ratio(part: Floats, whole: Floats) -> Floats:
    import numpy as np

    return np.divide(part, whole, out=np.zeros(len(part)), where=whole > 0)


def _points(text: str) -> Hashes:
    import numpy as np

    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    return points.astype(np.uint64)


def _rolling(points: Hashes, width: int) -> Hashes:
    """Hashes of all windows: differences of one cumulative sum, exact modulo 2^64."""
    import numpy as np

    powers = _powers(len(points) + 1)
    sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(points * powers[0][: len(points)])])
    count = len(points) - width + 1
    return _mixed((sums[width:] - sums[:count]) * powers[1][:count])


def _mixed(hashes: Hashes) -> Hashes:
    """The polynomial alone keeps neighbours close; two multiply-xor rounds spread them."""
    import numpy as np

    hashes = (hashes ^ (hashes >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    hashes = (hashes ^ (hashes >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return hashes ^ (hashes >> np.uint64(31))


_POWERS: list[tuple[Hashes, Hashes]] = []


def _powers(count: int) -> tuple[Hashes, Hashes]:
    """Powers of the base and of its inverse modulo 2^64, kept for the longest text so far."""
    import numpy as np

    if not _POWERS or len(_POWERS[0][0]) < count:
        size = max(1024, 2 * count)
        pair = []
        for base in (_INVERSE, _BASE):
            factors = np.full(size, base, dtype=np.uint64)
            factors[0] = 1
            pair.append(np.cumprod(factors))
        _POWERS[:] = [(pair[0], pair[1])]
    return _POWERS[0]


def _among(hashes: Hashes, known: Hashes) -> Flags:
    """Which hashes are among the sorted ``known``."""
    import numpy as np

    if not len(known):
        return np.zeros(len(hashes), np.bool_)
    places = np.minimum(np.searchsorted(known, hashes), len(known) - 1)
    return np.asarray(known[places] == hashes, dtype=np.bool_)
