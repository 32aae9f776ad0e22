"""By what a row is known again though words were added to its prompt, or left out.

Two rows are the same where a reference is the same and the words of one prompt hold those of the
other. What is added by hand is added to many rows alike, so there are two ways to see it:

* *phrases*: one prompt is the other behind a beginning and before an end that a tenth of the rows
  of its set share, or behind anything without a blank (``7.``, ``[2026-03-14]``). Nothing else may
  differ, so the shortest prompts are told apart;
* *pairs*: a sample of the pairs of neighbouring words of one prompt stands in the other, whatever
  was added. This needs eleven words of the row's own: a short one stands in many others.

Compared is the last turn of the user; where rows of a set share it, all turns, the system's last.
Of each set 24 to 40 bits of hashes are kept, never a word; see :meth:`Wordings.packed`.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from harness.kit.alike.hashes import BASE, Flags, Hashes, Numbers, Runs, Table
from harness.kit.alike.texts import RowTexts
from harness.kit.alike.words import single
from harness.records import Example

ADDED = 0.1
"""Share of the rows of a set from which a beginning or an end was added to them."""
TEMPLATE = 0.9
"""Share of the rows from which what they share is not the row's own."""
FEWEST = 5
"""Rows of a set from which something is a template."""
PAIRS = 12
"""Pairs of words that are kept of a prompt, those with the smallest hashes."""
LEAST_PAIRS = 10
"""Pairs of its own that a prompt needs to be known by them."""
FIRST_PAIRS = 3
"""The smallest of them, by which a row is looked for in longer ones."""
LEAST_COMPARED = 6
"""Pairs of the shorter prompt that have to be in the samples of both, and all in common."""
ONE_MISSING = 10
"""Pairs compared from which one may be missing."""
ANSWERS = 4
"""References of a row that are kept, those with the smallest hashes."""
EACH = 24
"""Words from the beginning, or from the end, up to which each number of them may have been added;
beyond, only where rows that share so many go on in different ways."""
_ANSWER_BYTES, _PHRASE_BYTES, _PAIR_BYTES = 4, 5, 3
OWN, FIRST = np.uint64(0), np.uint64(1)
_WORD = re.compile(r"\w+|[^\w\s]")


def ranges(begins: Numbers, counts: Numbers) -> Numbers:
    """So many numbers from each begin on, one range after the other."""
    ends = np.cumsum(counts)
    return np.arange(int(counts.sum())) - np.repeat(ends - counts - begins, counts)


@dataclass(frozen=True, slots=True, eq=False)
class Index:
    """Where hashes stand, by their places in a table.

    Attributes:
        counts: ``(hashes,)``: how often each stands somewhere.
    """

    table: Table
    counts: Numbers
    _starts: Numbers
    _places: Numbers

    @classmethod
    def of(cls, hashes: Numbers, places: Numbers, table: Table) -> Index:
        """The places of these hashes."""
        counts = np.bincount(hashes, minlength=table.size)
        order = np.argsort(hashes, kind="stable")
        return cls(table, counts, np.cumsum(counts) - counts, places[order])

    def holding(self, hashes: Numbers) -> tuple[Numbers, Numbers]:
        """The places of each, one hash after the other, and how many these are."""
        counts = self.counts[hashes]
        return self._places[ranges(self._starts[hashes], counts)], counts


class Lists:
    """Hashes of each row, one row after the other.

    Attributes:
        values: ``(all,)``, sorted and distinct within a row.
        counts: ``(rows,)``.
    """

    def __init__(self, values: Hashes, counts: Numbers) -> None:
        self.values, self.counts = values, counts

    @cached_property
    def starts(self) -> Numbers:
        """``(rows,)``: where those of each row begin."""
        return np.cumsum(self.counts) - self.counts

    @cached_property
    def owners(self) -> Numbers:
        """``(all,)``: the row of each."""
        return np.repeat(np.arange(len(self.counts)), self.counts)

    @cached_property
    def ranks(self) -> Numbers:
        """``(all,)``: the place of each within its row."""
        return np.arange(len(self.values)) - np.repeat(self.starts, self.counts)

    @cached_property
    def index(self) -> Index:
        """Where each hash stands."""
        values, ids = np.unique(self.values, return_inverse=True)
        return Index.of(ids, np.arange(len(self.values)), Table(values))

    @cached_property
    def coded(self) -> Hashes:
        """``(all,)``: row and hash of pairs as one number each, sorted."""
        return _coded(self.owners, self.values)

    def where(self, flags: Flags) -> Lists:
        """Those that are flagged, of all rows."""
        counts = np.bincount(self.owners[flags], minlength=len(self.counts))
        return Lists(self.values[flags], counts)


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """Parts of the prompts of a set.

    Attributes:
        of_rows: their hashes.
        left_out: ``(all,)``: a number of the words that are left out, equal for rows that leave out
            the same; 0 for what is the row's own.
    """

    of_rows: Lists
    left_out: Hashes

    @classmethod
    def alike(cls, of_rows: Lists, left_out: np.uint64) -> Parts:
        """Parts that all leave out the same."""
        return cls(of_rows, np.full(len(of_rows.values), left_out))


@dataclass(frozen=True, eq=False)
class Wordings:
    """The prompts and references of a set of rows, as digests.

    Attributes:
        answers: of the references, four at most; of none where there is none.
        phrases: of the whole prompt, and of the prompt without the beginning and end that nearly
            all rows of the set share.
        behind_first: of these without what stands before their first blank.
        pairs: of neighbouring words, but for those that nearly all rows hold.
        whole: whether ``pairs`` are all pairs of the row; else those with the smallest hashes.
        parts: what is left of the prompt without any beginning and end that a tenth of the rows
            share, and without what is before the first blank; of what was read, both of the above.
        every_pair: all pairs; of what was read, ``pairs``.
    """

    answers: Lists
    phrases: Lists
    behind_first: Lists
    pairs: Lists
    whole: Flags
    parts: Sequence[Parts]
    every_pair: Lists

    @cached_property
    def places_of_pairs(self) -> Numbers:
        """Of :attr:`pairs`, each of which is one of all pairs, in the table of these."""
        return self.every_pair.index.table.places(self.pairs.values)

    def packed(self) -> str:
        """What of them is written down: of a row 20 to 70 bytes, in base 64."""
        short = self.pairs.where(self.pairs.ranks < PAIRS)
        kept = [(self.answers, _ANSWER_BYTES), (self.phrases, _PHRASE_BYTES),
                (self.behind_first, _PHRASE_BYTES), (short, _PAIR_BYTES)]  # fmt: skip
        whole = self.whole & (short.counts == self.pairs.counts)
        counts = np.stack([*(lists.counts for lists, _ in kept), whole], axis=1).astype(np.uint8)
        values = [
            lists.values.astype(">u8").view(np.uint8).reshape(-1, 8)[:, :width]
            for lists, width in kept
        ]
        return base64.b64encode(b"".join(part.tobytes() for part in (counts, *values))).decode()

    @classmethod
    def unpacked(cls, text: str, rows: int) -> Wordings:
        """What was written down of so many rows.

        Raises:
            ValueError: it is not what :meth:`packed` wrote of so many rows.
        """
        data = np.frombuffer(base64.b64decode(text, validate=True), np.uint8)
        if len(data) < 5 * rows:
            raise ValueError("its digests of words are cut")
        counts = data[: 5 * rows].reshape(rows, 5).astype(np.int64)
        place, lists = 5 * rows, []
        for column, width in enumerate((_ANSWER_BYTES, _PHRASE_BYTES, _PHRASE_BYTES, _PAIR_BYTES)):
            size = int(counts[:, column].sum())
            part = data[place : place + size * width]
            if len(part) < size * width:
                raise ValueError("its digests of words are cut")
            values = np.zeros((size, 8), np.uint8)
            values[:, :width] = part.reshape(size, width)
            lists.append(Lists(values.view(">u8").ravel().astype(np.uint64), counts[:, column]))
            place += size * width
        if place != len(data):
            raise ValueError("its digests of words are of more rows")
        answers, phrases, behind_first, pairs = lists
        parts = (Parts.alike(phrases, OWN), Parts.alike(behind_first, FIRST))
        return cls(answers, phrases, behind_first, pairs, counts[:, 4] > 0, parts, pairs)


def wordings(rows: Iterable[Example]) -> Wordings:
    """The prompts and references of rows, as digests."""
    texts = [RowTexts(row) for row in rows]
    return _digests(_Words(list(_words_compared(texts))), [_answers(row) for row in texts])


def _words_compared(rows: Sequence[RowTexts]) -> Iterator[list[tuple[str, bool]]]:
    """The words and signs of each row by which it is compared, and whether a blank is before it."""
    depths = [[_said(row, depth) for depth in range(3)] for row in rows]
    shared = [Counter(said[depth] for said in depths) for depth in range(3)]
    for said in depths:
        depth = next((d for d in range(2) if shared[d][said[d]] == 1), 2)
        yield [
            (part, not place and said[depth][word.start() - 1 : word.start()].strip() == "")
            for word in _WORD.finditer(said[depth])
            for place, part in enumerate(single(word.group()))
        ]


def _said(row: RowTexts, depth: int) -> str:
    """The last turn of the user (0), all turns but the system's (1), all turns (2)."""
    if depth == 0 and row.said:
        return row.said[-1]
    system: list[str] = []
    others: list[str] = []
    for role, text, calls in row.turns:
        (system if role in ("system", "developer") else others).append(f"{text} {calls}")
    # Turns that are put before the others do not part these from what the system says.
    return " ".join([*others, *system] if depth == 2 else others)


def _answers(row: RowTexts) -> list[int]:
    answers = sorted({_number(text) >> 32 << 32 for text in row.answers} or {0})
    return answers[:ANSWERS]


@lru_cache(1 << 16)
def _number(text: str) -> int:
    data = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(data, "big")


@dataclass(frozen=True, slots=True, eq=False)
class _Cuts:
    """Parts of prompts: of each the row, and how many words before and behind it are left out."""

    rows: Numbers
    before: Numbers
    behind: Numbers


class _Words:
    """The words of all rows, one row after the other, by their hashes."""

    def __init__(self, rows: Sequence[Sequence[tuple[str, bool]]]) -> None:
        self.lengths = np.array([len(words) for words in rows], np.int64)
        self.starts = np.cumsum(self.lengths) - self.lengths
        numbers = [_number(word) for words in rows for word, _ in words]
        self._runs = Runs(np.array(numbers, np.uint64))
        self._behind_blanks = np.flatnonzero([blank for words in rows for _, blank in words])

    def without_first(self, cuts: _Cuts) -> _Cuts:
        """What is left up to the next blank is left out, too; one word or sign where none comes."""
        begins = self.starts[cuts.rows] + cuts.before
        ends = self.starts[cuts.rows] + self.lengths[cuts.rows] - cuts.behind
        places = np.append(self._behind_blanks, self.lengths.sum())
        blanks = places[np.searchsorted(places[:-1], begins, side="right")]
        first = np.where(blanks < ends, blanks - begins, 1)
        return _Cuts(cuts.rows, cuts.before + first, cuts.behind)

    def phrases(self, cuts: _Cuts) -> Lists:
        """Hashes of what is left, those of a row once."""
        rows, begins, ends = self._left(cuts)
        return _listed(
            rows, _short(self._runs.hashes(begins, ends), _PHRASE_BYTES), len(self.lengths)
        )

    def parts(self, cuts: _Cuts) -> Parts:
        """What is left, each with the number of the words that are left out."""
        rows, begins, ends = self._left(cuts)
        hashes = _short(self._runs.hashes(begins, ends), _PHRASE_BYTES)
        firsts = self.starts[rows]
        lasts = firsts + self.lengths[rows]
        left_out = self._runs.hashes(firsts, begins) * np.uint64(BASE)
        left_out += self._runs.hashes(ends, lasts)
        some = (begins > firsts) | (ends < lasts)
        order = np.lexsort((hashes, rows))
        counts = np.bincount(rows, minlength=len(self.lengths))
        numbers = np.where(some, left_out | np.uint64(2), OWN)
        return Parts(Lists(hashes[order], counts), numbers[order])

    def _left(self, cuts: _Cuts) -> tuple[Numbers, Numbers, Numbers]:
        """Rows, and where what is left of them begins and ends, if anything is."""
        begins = self.starts[cuts.rows] + cuts.before
        ends = self.starts[cuts.rows] + self.lengths[cuts.rows] - cuts.behind
        some = ends > begins
        return cuts.rows[some], begins[some], ends[some]

    def pairs(self) -> Lists:
        """Of neighbouring words."""
        counts = np.maximum(self.lengths - 1, 0)
        owners = np.repeat(np.arange(len(counts)), counts)
        first = np.arange(len(owners)) - np.repeat(np.cumsum(counts) - counts, counts)
        begins = self.starts[owners] + first
        hashes = _short(self._runs.hashes(begins, begins + 2), _PAIR_BYTES)
        return _listed(owners, hashes, len(counts))

    def edges(self, *, from_end: bool) -> tuple[Numbers, Numbers, Numbers]:
        """What rows begin with, or end with, that others do, too.

        Returns:
            rows, and numbers of words that :data:`ADDED` of all rows share with each, 0 for every
            row among them; and by row the words of it that :data:`TEMPLATE` of all rows share.
        """
        size = len(self.lengths)
        template = np.zeros(size, np.int64)
        rows, holders = np.arange(size), np.full(size, size)
        like_most = np.full(size, size >= FEWEST)
        shared = [(rows, np.zeros(size, np.int64))]
        words = 0
        while len(rows):
            long = self.lengths[rows] > words + 1  # something is left
            begins = self.starts[rows[long]]
            if from_end:
                begins = begins + self.lengths[rows[long]] - words - 1
            _, same, counts = np.unique(
                self._runs.hashes(begins, begins + words + 1),
                return_inverse=True, return_counts=True,
            )  # fmt: skip
            now = np.zeros(len(rows), np.int64)
            now[long] = counts[same]
            if words > EACH:  # rows part here
                shared.append((rows[now < holders], np.full(int((now < holders).sum()), words)))
            going_on = now >= max(2, ADDED * size)
            like_most = like_most[going_on] & (now[going_on] >= TEMPLATE * size)
            rows, holders, words = rows[going_on], now[going_on], words + 1
            if words <= EACH:
                shared.append((rows, np.full(len(rows), words)))
            template[rows[like_most]] = words
        return (
            np.concatenate([r for r, _ in shared]),
            np.concatenate([w for _, w in shared]),
            template,
        )


def _digests(text: _Words, answers: Sequence[Sequence[int]]) -> Wordings:
    size = len(text.lengths)
    every, none = np.arange(size), np.zeros(size, np.int64)
    before, behind = text.edges(from_end=False), text.edges(from_end=True)
    template, end = before[2], behind[2]
    left = template + end < text.lengths
    template, end = np.where(left, template, 0), np.where(left, end, 0)
    twice = np.concatenate([every, every])
    own = _Cuts(twice, np.concatenate([none, template]), np.concatenate([none, end]))
    behind_one = text.without_first(_Cuts(behind[0], np.zeros_like(behind[0]), behind[1]))
    phrases = text.phrases(own)
    parts = (
        Parts.alike(phrases, OWN),
        Parts.alike(text.phrases(behind_one), FIRST),
        text.parts(_crossed(before[0], before[1], behind[0], behind[1])),
    )
    pairs = text.pairs()
    values, same, holders = np.unique(pairs.values, return_inverse=True, return_counts=True)
    shared = holders >= TEMPLATE * size if size >= FEWEST else np.zeros(len(values), np.bool_)
    own_pairs = pairs.where(~shared[same])
    enough = own_pairs.counts >= LEAST_PAIRS
    return Wordings(
        Lists(
            np.array([number for each in answers for number in each], np.uint64),
            np.array([len(each) for each in answers], np.int64),
        ),
        phrases, text.phrases(text.without_first(own)),
        own_pairs.where(enough[own_pairs.owners]), np.ones(size, np.bool_), parts, pairs,
    )  # fmt: skip


def _crossed(rows: Numbers, before: Numbers, others: Numbers, behind: Numbers) -> _Cuts:
    """Each beginning of a row with each end of it."""
    order = np.argsort(others, kind="stable")
    begins = np.searchsorted(others[order], rows)
    counts = np.searchsorted(others[order], rows, side="right") - begins
    at = order[ranges(begins, counts)]
    return _Cuts(np.repeat(rows, counts), np.repeat(before, counts), behind[at])


def _short(hashes: Hashes, width: int) -> Hashes:
    """Their leading bytes, the others 0."""
    shift = np.uint64(64 - 8 * width)
    return hashes >> shift << shift


def _listed(owners: Numbers, hashes: Hashes, rows: int) -> Lists:
    """Hashes sorted and distinct within each row."""
    order = np.lexsort((hashes, owners))
    owners, hashes = owners[order], hashes[order]
    new = np.ones(len(hashes), np.bool_)
    new[1:] = (hashes[1:] != hashes[:-1]) | (owners[1:] != owners[:-1])
    return Lists(hashes[new], np.bincount(owners[new], minlength=rows))


# -- two sets of rows ----------------------------------------------------------------------------


def in_common(rows: Wordings, others: Wordings) -> int:
    """How many rows of the one set are rows of the other; where several are one row, the fewer.

    Words that were added or left out count where a tenth of the rows of the smaller set, and so
    many of them, differ in the same words: few rows that go on where others end are others.

    Args:
        rows: of these tables are made once, for several calls.
    """
    sides = [_by_phrases(rows, others), _by_pairs(rows, others)]
    first, second = (np.concatenate(side) for side in zip(*sides, strict=True))
    return min(len(np.unique(first)), len(np.unique(second)))


def _by_phrases(rows: Wordings, others: Wordings) -> tuple[Numbers, Numbers]:
    """Pairs of rows that differ in words at their beginning and end alone."""
    matches = []
    for part in rows.parts:
        at, place = _joined(others.phrases, part.of_rows)
        mine, theirs = part.of_rows.owners[place], others.phrases.owners[at]
        matches.append((mine, theirs, part.left_out[place]))
    for part in others.parts:
        at, place = _joined(part.of_rows, rows.phrases)
        mine, theirs = rows.phrases.owners[place], part.of_rows.owners[at]
        matches.append((mine, theirs, part.left_out[at]))
    for short, long in ((rows.behind_first, others.phrases), (rows.phrases, others.behind_first)):
        at, place = _joined(long, short)
        matches.append((short.owners[place], long.owners[at], np.full(len(at), FIRST)))
    first, second, left_out = (np.concatenate(side) for side in zip(*matches, strict=True))
    agree = _agreeing(rows, others, first, second)
    first, second, left_out = first[agree], second[agree], left_out[agree]
    numbers, of = np.unique(left_out, return_inverse=True)
    least = ADDED * min(len(rows.whole), len(others.whole))
    often = numbers == OWN
    often |= (_rows_by(of, first, len(numbers)) >= least) & (
        _rows_by(of, second, len(numbers)) >= least
    )
    return first[often[of]], second[often[of]]


def _rows_by(of: Numbers, rows: Numbers, size: int) -> Numbers:
    """``(size,)``: different rows by number."""
    return np.bincount(np.unique(np.stack([of, rows]), axis=1)[0], minlength=size)


def _agreeing(rows: Wordings, others: Wordings, first: Numbers, second: Numbers) -> Flags:
    """Which pairs of rows have a reference in common, or none both."""
    mine, theirs = _table(rows.answers, 1), _table(others.answers, 2)
    same: Flags = (mine[first][:, :, None] == theirs[second][:, None, :]).any(axis=(1, 2))
    return same


def _table(lists: Lists, unlike: int) -> Hashes:
    """``(rows, most)``: filled up with what is no hash."""
    size = (len(lists.counts), int(lists.counts.max(initial=1)))
    table = np.full(size, unlike, np.uint64)
    table[lists.owners, lists.ranks] = lists.values
    return table


def _joined(lists: Lists, others: Lists) -> tuple[Numbers, Numbers]:
    """Places in both that hold the same hash."""
    index = others.index
    at = index.table.places(lists.values)
    known = np.flatnonzero(at < index.table.size)
    places, counts = index.holding(at[known])
    return np.repeat(known, counts), places


def _by_pairs(rows: Wordings, others: Wordings) -> tuple[Numbers, Numbers]:
    """Pairs of rows of which one holds the other's pairs of words, or all but one."""
    index, theirs, mine = rows.every_pair.index, others.pairs, rows.pairs
    at = index.table.places(theirs.values)
    known = at < index.table.size
    known &= (np.bincount(theirs.owners[known], minlength=len(theirs.counts)) >= LEAST_COMPARED)[
        theirs.owners
    ]
    held = Index.of(at[known], theirs.owners[known], index.table)
    candidates = []
    # Of a longer row that was read, only pairs below its greatest one are known.
    for most in (PAIRS, FIRST_PAIRS):
        flags = known & (theirs.ranks < most)
        second, of = _rarest(theirs.owners[flags], at[flags], index.counts)
        places, counts = index.holding(of)
        candidates.append((rows.every_pair.owners[places], np.repeat(second, counts)))
        flags = mine.ranks < most
        first, of = _rarest(mine.owners[flags], rows.places_of_pairs[flags], held.counts)
        places, counts = held.holding(of)
        candidates.append((np.repeat(first, counts), places))
    first, second = np.unique([np.concatenate(s) for s in zip(*candidates, strict=True)], axis=1)
    agree = _agreeing(rows, others, first, second)
    first, second = first[agree], second[agree]
    limit = np.minimum(_limits(rows)[first], _limits(others)[second])
    holds = _holds(mine, others.every_pair, first, second, limit)
    holds |= _holds(theirs, rows.every_pair, second, first, limit)
    return first[holds], second[holds]


def _rarest(owners: Numbers, hashes: Numbers, holders: Numbers) -> tuple[Numbers, Numbers]:
    """Each row, and of its hashes the one that fewest hold, if any does."""
    held = holders[hashes] > 0
    owners, hashes = owners[held], hashes[held]
    order = np.lexsort((holders[hashes], owners))
    rows, first = np.unique(owners[order], return_index=True)
    return rows, hashes[order][first]


def _limits(rows: Wordings) -> Hashes:
    """Up to which hash the pairs of each row are known."""
    limits = np.full(len(rows.whole), ~np.uint64(0))
    cut = ~rows.whole & (rows.pairs.counts > 0)
    limits[cut] = rows.pairs.values[(rows.pairs.starts + rows.pairs.counts - 1)[cut]]
    return limits


def _holds(pairs: Lists, others: Lists, rows: Numbers, holders: Numbers, limit: Hashes) -> Flags:
    """Which holders hold the pairs of the row beside them, as far as these are known of both."""
    counts = pairs.counts[rows]
    of = np.repeat(np.arange(len(rows)), counts)
    values = pairs.values[ranges(pairs.starts[rows], counts)]
    known = values <= limit[of]
    of, values = of[known], values[known]
    wanted = _coded(holders[of], values)
    at = np.minimum(np.searchsorted(others.coded, wanted), max(0, len(others.coded) - 1))
    inside = others.coded[at] == wanted if len(others.coded) else np.zeros(len(of), np.bool_)
    compared = np.bincount(of, minlength=len(rows))
    missing = compared - np.bincount(of[inside], minlength=len(rows))
    enough: Flags = (compared >= LEAST_COMPARED) & (missing <= (compared >= ONE_MISSING))
    return enough


def _coded(owners: Numbers, values: Hashes) -> Hashes:
    shift = np.uint64(64 - 8 * _PAIR_BYTES)
    coded: Hashes = owners.astype(np.uint64) << np.uint64(8 * _PAIR_BYTES) | values >> shift
    return coded
