"""The edits of TER: the search of sacreBLEU (and Tercom), with its limits and its ties.

The search moves the run of words that lowers the edit distance most, again and again, and then
counts moves and remaining edits (Snover et al., 2006). sacreBLEU computes the edit distance of
every possible move in Python, within a beam around the diagonal. Here each word is a character
of a string, and rapidfuzz finds the distance without a beam. That is never greater: what cannot
win by it need not be looked at, and where the beam cannot matter it is the distance itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from rapidfuzz.distance import Levenshtein

from harness_sacrebleu.edit_table import BEAM, Alignment, EditTable

# sacreBLEU's limits: words of a run, places that it may move, moves tried for a pair.
LONGEST_RUN = 10
FARTHEST = 50
MOST_MOVES = 1000

_LETTERS = 0xD000  # distinct characters below the surrogates
_SAFE = BEAM - 3  # one each for rounding down, for rounding errors, and for the beam's open end


class Move(NamedTuple):
    """A run of words taken from its place and put elsewhere; the greatest is the best.

    Attributes:
        gain: how much it lowers the edit distance.
        start, target: places, negative so that the earliest wins.
    """

    gain: int
    length: int
    start: int
    target: int


def edits(answer: Sequence[str], reference: Sequence[str]) -> int:
    """Fewest edits that the search finds to make the answer's words the reference's."""
    if answer == reference:
        return 0
    if not answer or not reference:
        return len(answer) + len(reference)
    letters = {word: chr(n) for n, word in enumerate(dict.fromkeys([*answer, *reference]))}
    if len(letters) > _LETTERS:
        from sacrebleu.metrics.lib_ter import translation_edit_rate

        return int(translation_edit_rate(list(answer), list(reference))[0])
    ours, theirs = ("".join(map(letters.__getitem__, words)) for words in (answer, reference))
    return _searched(ours, theirs)


def _searched(answer: str, reference: str) -> int:
    table = EditTable(reference)
    places = _places(reference)
    moves = tried = 0
    while distance := table.distance(answer):
        alignment = table.alignment(answer)
        move, tried = _best_move(answer, table, distance, alignment, places, tried)
        # Whoever has tried so many moves stops without making the best of them.
        if move is None or tried >= MOST_MOVES:
            break
        answer = _moved(answer, -move.start, move.length, -move.target)
        moves += 1
    return moves + distance


def _best_move(
    answer: str,
    table: EditTable,
    distance: int,
    alignment: Alignment,
    places: Mapping[str, Sequence[int]],
    tried: int,
) -> tuple[Move | None, int]:
    """The best move that lowers the distance, and how many have been tried by now."""
    best: Move | None = None
    for start, from_start, length in _movable(answer, table.reference, alignment, places):
        for target in _targets(alignment.places, from_start, length):
            tried += 1
            most = distance - (best.gain if best else 1)
            moved = _moved(answer, start, length, target)
            bound = Levenshtein.distance(moved, table.reference, score_cutoff=most)
            if bound > most:
                continue
            move = Move(distance - bound, length, -start, -target)
            if best and move <= best:
                continue
            if not _beam_is_wide(bound, len(moved), len(table.reference)):
                move = move._replace(gain=distance - table.distance(moved))
            if move.gain > 0 and (best is None or move > best):
                best = move
        if tried >= MOST_MOVES:
            break
    return best, tried


def _beam_is_wide(distance: int, ours: int, theirs: int) -> bool:
    """Whether a way of so many edits cannot leave the beam.

    With i insertions and d deletions it strays from the diagonal between the corners by
    max(i, d), which is (i + d + |i - d|) / 2; i + d is at most the distance, and i - d is the
    difference of the lengths.
    """
    return distance + abs(ours - theirs) <= 2 * _SAFE


def _places(reference: str) -> Mapping[str, Sequence[int]]:
    """Word -> where it is in the reference."""
    places: dict[str, list[int]] = defaultdict(list)
    for place, word in enumerate(reference):
        places[word].append(place)
    return places


def _movable(
    answer: str, reference: str, alignment: Alignment, places: Mapping[str, Sequence[int]]
) -> Iterator[tuple[int, int, int]]:
    """Runs of words that both have: place in the answer, in the reference, and length.

    Both must be wrong where they are: in the answer, and in the reference what stands there.
    """
    wrong, missed = alignment.next_wrong, alignment.next_missed
    for start, word in enumerate(answer):
        for place in places.get(word, ()):
            if abs(place - start) > FARTHEST:
                continue
            aligned = alignment.places[place]
            # The shortest run that reaches an error on both sides, and the longest one.
            first = max(wrong[start] - start, missed[place] - place) + 1
            for length in range(1, _run(answer, reference, start, place) + 1):
                if length >= first and not start <= aligned < start + length:
                    yield start, place, length


def _run(answer: str, reference: str, start: int, place: int) -> int:
    """For how many words the two agree from these places on."""
    most = min(LONGEST_RUN, len(answer) - start, len(reference) - place)
    length = 1
    while length < most and answer[start + length] == reference[place + length]:
        length += 1
    return length


def _targets(places: Sequence[int], start: int, length: int) -> Iterator[int]:
    """Where a run may go: beside what its place in the reference is aligned with."""
    last = -1
    for place in range(start - 1, start + length):
        target = places[place] + 1 if place >= 0 else 0
        if target != last:
            last = target
            yield target


def _moved(answer: str, start: int, length: int, target: int) -> str:
    rest = answer[:start] + answer[start + length :]
    place = target - length if target > start + length else target
    return rest[:place] + answer[start : start + length] + rest[place:]
