"""Clusters of prompts, turned into rules that say what they mean.

A cluster found by k-means is only described by its terms; a person cannot check by them whether
a row belongs to it. So a cluster gives the terms, and the slice is the rule over them that fits
the cluster best: prompts with at least one (or two) of ``invoice, refund, charge``.
"""

from __future__ import annotations

import heapq
import re
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness import Condition
from harness_slices.candidates import Candidate

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.intp]

FEWEST_GROUPS = 3
"""A term of fewer groups may be somebody's own word."""
TERMS = 4
MOST_ROWS = 5_000
MOST_WORDS = 2_000
FIT = 0.25
"""Least Jaccard overlap of a rule with its cluster: less describes something else."""
STARTS = 4
STEPS = 30
READ = 20_000
"""Characters of a prompt that are looked at."""

_WORD = re.compile(r"[^\W\d_]{3,20}")


@dataclass(frozen=True)
class Prompt:
    """One row: its id, its group and its text."""

    id: str
    group: str
    text: str


def topics(prompts: Sequence[Prompt], clusters: int, seed: int) -> list[Candidate]:
    """At most ``clusters`` rules over terms; equal for equal rows and seed, in any order.

    Clusters are sought in at most ``MOST_ROWS`` rows, rules are applied to all. Terms are words
    of at least three groups and of at most half of the rows.
    """
    import numpy as np

    sample = heapq.nsmallest(
        MOST_ROWS, prompts, key=lambda row: (zlib.crc32(_bytes(row.id)), row.id)
    )
    texts = [sorted(set(words(row.text))) for row in sample]
    vocabulary = _vocabulary(texts, [row.group for row in sample])
    if clusters < 2 or len(vocabulary) < 2:
        return []
    matrix = _presence(texts, vocabulary)
    labels = _clusters(_weighed(matrix), clusters, seed)
    rules: dict[tuple[str, ...], int] = {}
    for label in range(clusters):
        rule = _rule(matrix, labels == label, vocabulary)
        if rule:
            rules.setdefault(*rule)
    counts = _mentions(prompts, list(rules))
    return [
        Candidate((Condition(feature(terms), ">", most),), np.array(counts[terms]) > most, False)
        for terms, most in sorted(rules.items())
    ]


def words(prompt: str) -> list[str]:
    """The words of a prompt of 3 to 20 letters, in lower case, in order."""
    return _WORD.findall(prompt[:READ].lower())


def feature(terms: Sequence[str]) -> str:
    """The name of the number of these terms in a prompt."""
    return "mentions of " + "/".join(terms)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _vocabulary(texts: Sequence[Sequence[str]], groups: Sequence[str]) -> list[str]:
    rows = Counter(word for text in texts for word in text)
    common = len(texts) / 2
    telling = {word for word, count in rows.items() if FEWEST_GROUPS <= count <= common}
    seen: dict[str, set[str]] = {}
    for text, group in zip(texts, groups, strict=True):
        for word in telling.intersection(text):
            own = seen.setdefault(word, set())
            if len(own) < FEWEST_GROUPS:
                own.add(group)
    known = [word for word, own in seen.items() if len(own) >= FEWEST_GROUPS]
    return sorted(heapq.nsmallest(MOST_WORDS, known, key=lambda word: (-rows[word], word)))


def _presence(texts: Sequence[Sequence[str]], vocabulary: Sequence[str]) -> Any:
    """Sparse ``(n, v)``: 1 where a text has a word."""
    import numpy as np
    from scipy import sparse

    place = {word: code for code, word in enumerate(vocabulary)}
    cells = [(row, place[word]) for row, text in enumerate(texts) for word in text if word in place]
    rows, columns = np.array(cells, dtype=np.intp).reshape(-1, 2).T
    shape = (len(texts), len(vocabulary))
    return sparse.csr_matrix((np.ones(len(rows)), (rows, columns)), shape=shape)


def _weighed(matrix: Any) -> Any:
    """Rows of length 1, rare words weighed more."""
    import numpy as np
    from scipy import sparse

    rows = np.asarray(matrix.sum(axis=0))[0]
    weighed = matrix @ sparse.diags(np.log(matrix.shape[0] / rows))
    lengths = np.sqrt(np.asarray(weighed.multiply(weighed).sum(axis=1))[:, 0])
    return sparse.diags(1 / np.where(lengths > 0, lengths, 1.0)) @ weighed


def _clusters(rows: Any, count: int, seed: int) -> Ints:
    """Labels ``(n,)`` by spherical k-means, the best of a few seeded starts."""
    import numpy as np

    rng = np.random.default_rng(seed)
    best: tuple[float, Ints] = (-1.0, np.zeros(rows.shape[0], dtype=np.intp))
    for _ in range(STARTS):
        centres = _spread(rows, count, rng)
        labels = best[1]
        for _ in range(STEPS):
            likeness = np.asarray(rows @ centres.T)
            before, labels = labels, likeness.argmax(axis=1)
            centres = _centres(rows, labels, centres)
            if np.array_equal(before, labels):
                break
        fit = float(likeness.max(axis=1).sum())
        if fit > best[0] + 1e-9:
            best = (fit, labels)
    return best[1]


def _spread(rows: Any, count: int, rng: np.random.Generator) -> Floats:
    """Starting centres: rows that are drawn the likelier, the less they are like the former."""
    import numpy as np

    chosen = [int(rng.integers(rows.shape[0]))]
    nearest = np.full(rows.shape[0], -1.0)
    while len(chosen) < count:
        last = rows[[chosen[-1]]].toarray()[0]
        nearest = np.maximum(nearest, rows @ last)
        apart = np.maximum(0.0, 1 - nearest) ** 2
        whole = float(apart.sum())
        if whole <= 0:
            break
        chosen.append(int(np.searchsorted(np.cumsum(apart) / whole, rng.random())))
    centres: Floats = rows[np.minimum(chosen, rows.shape[0] - 1)].toarray()
    return centres


def _centres(rows: Any, labels: Ints, former: Floats) -> Floats:
    """Means of the rows of each cluster, of length 1; an empty one stays where it was."""
    import numpy as np
    from scipy import sparse

    count = len(labels)
    member = sparse.csr_matrix(
        (np.ones(count), (labels, np.arange(count))), shape=(len(former), count)
    )
    sums = (member @ rows).toarray()
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    return np.where(lengths > 0, sums / np.where(lengths > 0, lengths, 1.0), former)


def _rule(
    matrix: Any, own: npt.NDArray[np.bool_], vocabulary: Sequence[str]
) -> tuple[tuple[str, ...], int] | None:
    """The terms that tell a cluster from the rest, and the count that a prompt must exceed."""
    import numpy as np

    if not own.any() or own.all():
        return None
    inside = np.asarray(matrix[own].mean(axis=0))[0]
    outside = np.asarray(matrix[~own].mean(axis=0))[0]
    lift = np.round(inside - outside, 12)
    order = np.lexsort((np.arange(len(lift)), -lift))[:TERMS]
    chosen = sorted(int(place) for place in order if lift[place] > 0)
    if not chosen:
        return None
    counts = np.asarray(matrix[:, chosen].sum(axis=1))[:, 0]
    fits = [
        np.count_nonzero((counts > most) & own) / np.count_nonzero((counts > most) | own)
        for most in range(min(2, len(chosen)))
    ]
    most = int(np.argmax(fits))
    terms = tuple(vocabulary[place] for place in chosen)
    return (terms, most) if fits[most] >= FIT else None


def _mentions(
    prompts: Sequence[Prompt], rules: Sequence[tuple[str, ...]]
) -> dict[tuple[str, ...], list[int]]:
    counts: dict[tuple[str, ...], list[int]] = {terms: [] for terms in rules}
    sets = {terms: frozenset(terms) for terms in rules}
    for row in prompts:
        own = set(words(row.text)) if rules else set()
        for terms, wanted in sets.items():
            counts[terms].append(len(wanted & own))
    return counts
