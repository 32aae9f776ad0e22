"""Answers that were learned by heart: near copies of the answers of training rows.

An index of word 5-grams finds candidates, the longest common subsequence of words decides. Of
each training answer only the grams with the smallest hashes are kept, the same ones that are
looked up for the answer (Broder, *On the resemblance and containment of documents*, 1997), so
that the index stays small: 8 numbers a row.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterable, Sequence

from harness import Example
from harness_detectors.reading import shortened, words

GRAM = 5
LEAST_WORDS = 8
"""Shorter answers agree by chance."""
MOST_WORDS = 1000
KEPT = 8
"""Grams kept of each training answer."""
MOST_ROWS = 200_000
"""Further rows are not looked at, so that the index stays under some 300 MB."""
CANDIDATES = 5
SAME = 0.9
_SPAN = 80


class Memory:
    """The answers of the training rows (the first reference of each), for near copies."""

    def __init__(self, rows: Iterable[Example] = ()) -> None:
        self._answers: list[tuple[str, str]] = []
        self._index: dict[int, list[int]] = {}
        for row in rows:
            if len(self._answers) >= MOST_ROWS:
                break
            if row.references:
                self._add(row)

    def _add(self, row: Example) -> None:
        learned = words(shortened(row.references[0]))[:MOST_WORDS]
        if len(learned) < LEAST_WORDS:
            return
        place = len(self._answers)
        self._answers.append((row.id, row.references[0]))
        for code in sorted(_codes(learned))[:KEPT]:
            self._index.setdefault(code, []).append(place)

    def near_copy(self, answer: Sequence[str], references: Sequence[Sequence[str]]) -> str:
        """The training row whose answer holds nine tenths of these words in this order, or ''.

        Args:
            answer, references: as words; an answer that stands in a reference is no copy.
        """
        answer = answer[:MOST_WORDS]
        if len(answer) < LEAST_WORDS or not self._index:
            return ""
        hits: Counter[int] = Counter()
        for code in _codes(answer):
            # Words that more rows share tell none of them from the others.
            hits.update(self._index.get(code, ())[:1000])
        for place, _ in hits.most_common(CANDIDATES):
            name, text = self._answers[place]
            if _share(answer, words(shortened(text))) >= SAME:
                if any(_share(answer, reference) >= SAME for reference in references):
                    return ""
                return f"training row {name}: {' '.join(text.split())[:_SPAN]}"
        return ""


def _codes(learned: Sequence[str]) -> set[int]:
    """Hashes of the word 5-grams, equal in every process."""
    grams = ("\0".join(learned[i : i + GRAM]) for i in range(len(learned) - GRAM + 1))
    return {zlib.crc32(gram.encode("utf-8", "surrogatepass")) for gram in grams}


def _share(answer: Sequence[str], other: Sequence[str]) -> float:
    """Part of the answer's words that stand in ``other`` in the same order, 0 to 1."""
    from rapidfuzz.distance import LCSseq

    return LCSseq.similarity(answer, other[:MOST_WORDS]) / len(answer)
