"""ROUGE F-measures of one answer and one reference, equal to ``rouge_score`` to the last bit.

Source: Lin (2004), "ROUGE: A Package for Automatic Evaluation of Summaries"; where paper and
package differ, the package's rule is followed and said.
"""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence

from rapidfuzz.distance import LCSseq

from harness_rouge.lcs import common_positions

Split = Callable[[str], list[str]]


def f_measures(answer: str, reference: str, types: Sequence[str], split: Split) -> list[float]:
    """One F-measure from 0 to 1 for each type (``rouge1`` …, ``rougeL``, ``rougeLsum``)."""
    # Tokens become small numbers: rapidfuzz compares hashes, and those of strings may collide.
    numbers: dict[str, int] = defaultdict(itertools.count().__next__)
    ours = list(map(numbers.__getitem__, split(answer)))
    theirs = list(map(numbers.__getitem__, split(reference)))
    several_lines = "\n" in answer or "\n" in reference
    scores: dict[str, float] = {}
    for kind in types:
        if kind == "rougeLsum" and several_lines:
            scores[kind] = summary_f(_lines(answer, split), _lines(reference, split))
        elif kind not in ("rougeL", "rougeLsum"):
            scores[kind] = _ngram_f(ours, theirs, int(kind.removeprefix("rouge")))
        elif "lcs" not in scores:  # for one line against one line both are the same
            scores["lcs"] = _f(LCSseq.similarity(ours, theirs), len(ours), len(theirs))
    return [scores[kind] if kind in scores else scores["lcs"] for kind in types]


def _f(common: int, ours: int, theirs: int) -> float:
    """Harmonic mean of precision and recall, in ``rouge_score``'s order of operations."""
    if not common:
        return 0.0
    precision, recall = common / ours, common / theirs
    return 2 * precision * recall / (precision + recall)


def _ngram_f(ours: list[int], theirs: list[int], n: int) -> float:
    return _f(
        _overlap(_ngrams(ours, n), _ngrams(theirs, n)),
        max(len(ours) - n + 1, 0),
        max(len(theirs) - n + 1, 0),
    )


def _ngrams(tokens: list[int], n: int) -> Iterable[Hashable]:
    return tokens if n == 1 else zip(*(tokens[start:] for start in range(n)), strict=False)


def _overlap(ours: Iterable[Hashable], theirs: Iterable[Hashable]) -> int:
    """Size of the intersection of two bags."""
    left, right = Counter(ours), Counter(theirs)
    shared = left.keys() & right.keys()
    return sum(map(min, map(left.__getitem__, shared), map(right.__getitem__, shared)))


def _lines(text: str, split: Split) -> list[list[str]]:
    """Tokens of each line: ``rougeLsum`` takes lines for sentences."""
    return [split(line) for line in text.split("\n") if line]


def summary_f(ours: list[list[str]], theirs: list[list[str]]) -> float:
    """Summary-level LCS (section 3.2 of the paper) with ROUGE 1.5.5's clipping.

    Each line of the reference is matched with every line of the answer; a token counts at most
    as often as it occurs on either side.
    """
    left = Counter(token for line in ours for token in line)
    right = Counter(token for line in theirs for token in line)
    sizes = left.total(), right.total()
    hits = 0
    for line in theirs:
        for position in sorted(common_positions(line, ours)):
            token = line[position]
            if left[token] > 0 and right[token] > 0:
                hits += 1
                left[token] -= 1
                right[token] -= 1
    return _f(hits, *sizes)
