"""ROUGE F-measures of many answers at once, equal to ``rouge_score`` to the last bit.

Source: Lin (2004), "ROUGE: A Package for Automatic Evaluation of Summaries"; where paper and
package differ, the package's rule is followed and said. Common n-grams and subsequences are
counted in integers, so that no value depends on what else is computed with it.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
from rapidfuzz.distance import LCSseq

from harness_rouge import lines
from harness_rouge.lcs import summary_hits
from harness_rouge.ngrams import Ngrams
from harness_rouge.vocabulary import Text, Vocabulary

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]
Comparison = tuple[Text, Text]
"""An answer and a reference."""

_MOST_TOKENS = 1 << 18  # compared at once, unless one comparison has more
_FEW = 16  # so few texts of several lines are faster one by one


def best_f_measures(
    rows: Sequence[tuple[str, Sequence[str]]], types: Sequence[str], vocabulary: Vocabulary
) -> Floats:
    """For each type the F-measure with the reference where it is highest.

    Args:
        rows: answers, each with at least one reference.
        types: ``rouge1`` to ``rouge9``, ``rougeL``, ``rougeLsum``.

    Returns:
        ``(len(rows), len(types))``, each from 0 to 1.
    """
    if not rows:
        return np.zeros((0, len(types)))
    parts = [f_measures(part, types) for part in _parts(_comparisons(rows, vocabulary))]
    numbers = [len(references) for _, references in rows]
    starts = np.cumsum([0, *numbers[:-1]])
    return np.maximum.reduceat(np.concatenate(parts), starts)


def _comparisons(
    rows: Sequence[tuple[str, Sequence[str]]], vocabulary: Vocabulary
) -> Iterator[Comparison]:
    for answer, references in rows:
        ours = vocabulary.text(answer)
        for reference in references:
            yield ours, vocabulary.reference(reference)


def _parts(comparisons: Iterator[Comparison]) -> Iterator[list[Comparison]]:
    """The comparisons in order, in lists that fit in memory at once."""
    part: list[Comparison] = []
    size = 0
    for ours, theirs in comparisons:
        size += len(ours.tokens) + len(theirs.tokens)
        if part and size > _MOST_TOKENS:
            yield part
            part, size = [], len(ours.tokens) + len(theirs.tokens)
        part.append((ours, theirs))
    yield part


def f_measures(comparisons: Sequence[Comparison], types: Sequence[str]) -> Floats:
    """One row per comparison, one column per type."""
    ours = np.array([len(answer.tokens) for answer, _ in comparisons])
    theirs = np.array([len(reference.tokens) for _, reference in comparisons])
    columns: dict[str, Floats] = {}
    if not {"rougeL", "rougeLsum"}.isdisjoint(types):
        longest = _longest(comparisons)
        columns["rougeL"] = _f(longest, ours, theirs)
        if "rougeLsum" in types:
            columns["rougeLsum"] = _f(_summary(comparisons, longest), ours, theirs)
    orders = {int(kind[5:]): kind for kind in types if kind[5:].isdigit()}
    if orders:
        ngrams = Ngrams([text.tokens for pair in comparisons for text in pair])
        for n in range(1, max(orders) + 1):
            if n > 1:
                ngrams.lengthen()
            if n in orders:
                columns[orders[n]] = _f(ngrams.common(), *ngrams.totals())
    return np.stack([columns[kind] for kind in types], axis=1)


def _longest(comparisons: Sequence[Comparison]) -> Counts:
    """Length of the longest common subsequence of the whole texts, line ends ignored."""
    similarity = LCSseq.similarity
    return np.array([similarity(ours.tokens, theirs.tokens) for ours, theirs in comparisons])


def _summary(comparisons: Sequence[Comparison], longest: Counts) -> Counts:
    """Hits by lines; where both sides have one line they are the longest subsequence."""
    hits = longest.copy()
    several = [i for i, (ours, theirs) in enumerate(comparisons) if ours.lines or theirs.lines]
    # Short texts are computed together, where they are enough to make up for the arrays.
    together = [i for i in several if lines.fit(*map(_lines, comparisons[i]))]
    if len(together) < _FEW:
        together = []
    for index in set(several).difference(together):
        hits[index] = summary_hits(*map(_lines, comparisons[index]))
    if together:
        answers, references = (
            lines.Lines([_lines(comparisons[i][side]) for i in together]) for side in (0, 1)
        )
        hits[together] = lines.hits(answers, references)
    return hits


def _lines(text: Text) -> Sequence[array[int]]:
    return text.lines or [text.tokens]


def _f(common: Counts, ours: Counts, theirs: Counts) -> Floats:
    """Harmonic mean of precision and recall, in ``rouge_score``'s order of operations."""
    precision = common / np.maximum(ours, 1)
    recall = common / np.maximum(theirs, 1)
    f = np.zeros(len(common))
    np.divide(2 * precision * recall, precision + recall, out=f, where=common > 0)
    return f
