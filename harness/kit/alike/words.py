"""Nearest rows by their words: which training rows are most like a prompt.

Texts become TF-IDF vectors of their words, compared by cosine. Shingles say whether one text
*repeats* another; words say what a text is *about*: order and boilerplate count little, rare words
count much, and nothing is decided by it but a rank.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from harness.kit.alike.texts import asked_of
from harness.kit.folding import normalise
from harness.records import Example

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

Query = TypeVar("Query")

READ = 20_000
"""Characters of a text that are looked at."""
CELLS = 1 << 19
"""Similarities held at once, whatever the number of texts."""
DENSE = 1 << 23
"""Cells of the dense matrix at most."""
DIGITS = 6
"""Decimals of a similarity; less is rounding noise, which must not decide a rank."""
FREQUENT = 0.05
"""Words that a greater share of the rows hold are multiplied as a dense matrix, which is faster."""

# Scripts that put no space between words: Thai, Lao, Burmese, Khmer, kana and Chinese characters.
_UNSPACED = re.compile(
    "([\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufaff\U00020000-\U0003ffff]+)"
)


def nearest(
    queries: Sequence[str], rows: Sequence[str], k: int = 5
) -> list[list[tuple[int, float]]]:
    """The ``k`` rows that are most like each query; see :class:`Rows`."""
    return Rows(rows).nearest(queries, k)


def asked(example: Example) -> str:
    """The text by which an example is compared: all that the user said, turn by turn."""
    return "\n".join(filter(None, asked_of(example, ("user",))))


def words(text: str) -> list[str]:
    """The words that count: no case, no punctuation; pairs of characters in unspaced scripts."""
    pieces = normalise(text[:READ]).split()
    if text.isascii():
        return pieces
    return [piece for word in pieces for piece in _pieces(word)]


def single(word: str) -> Iterable[str]:
    """The word, or each character of what stands in an unspaced script."""
    if word.isascii():
        yield word
        return
    for place, part in enumerate(_UNSPACED.split(word)):
        yield from part if place % 2 else filter(None, [part])


def _pieces(word: str) -> Iterable[str]:
    # Splitting by a group puts what it matched at the odd places.
    for place, part in enumerate(_UNSPACED.split(word)):
        if place % 2 and len(part) > 1:
            yield from (part[at : at + 2] for at in range(len(part) - 1))
        elif part:
            yield part


class Rows:
    """Texts in which the nearest to a query are looked up.

    A word counts ``(1 + ln tf) * ln((N + 1) / df)`` with ``tf`` its occurrences in the text and
    ``df`` the rows, of ``N``, that hold it (1 for a word that none holds: words that the rows
    lack make a query unlike all of them). Vectors have length 1, so a similarity is a cosine;
    see Salton and Buckley, *Term-weighting approaches in automatic text retrieval*, 1988.
    """

    def __init__(self, rows: Sequence[str]) -> None:
        self.size = len(rows)
        self._columns: dict[str, int] = {}
        counted = [Counter(words(text)) for text in rows]
        held: Counter[str] = Counter()
        for count in counted:
            held.update(count.keys())
        self._weights: list[float] = []
        # The most frequent words come first, so that the dense part is a range of columns.
        for word, rows_with_it in held.most_common():
            self._columns[word] = len(self._weights)
            self._weights.append(math.log((self.size + 1) / rows_with_it))
        frequent = sum(number > FREQUENT * self.size for number in held.values())
        self._dense = min(frequent, DENSE // max(1, self.size))
        self._own = self._matrix(counted)
        self._common = self._own[:, : self._dense].toarray().T if self._dense else None
        self._rare = self._own[:, self._dense :].T.tocsr()

    def nearest(self, queries: Sequence[str], k: int = 5) -> list[list[tuple[int, float]]]:
        """The ``k`` rows that are most like each query.

        Args:
            queries: any texts; the first 20,000 characters of each are read.

        Returns:
            For each query ``(index of the row, similarity)``: similarities over 0 and up to 1,
            the greatest first, equal ones by index. A row that has no word in common with the
            query is left out, so a list may be shorter than ``k``.
        """
        return _nearest(queries, self.size, k, self.similarities)

    def around(self, places: Sequence[int], k: int = 5) -> list[list[tuple[int, float]]]:
        """The same for some of the rows themselves, each of which is among its own nearest."""
        return _nearest(
            places, self.size, k, lambda block: self._similarities(self._own[list(block)])
        )

    def similarities(self, queries: Sequence[str]) -> Floats:
        """How alike each query and each row are, ``(queries, rows)``, from 0 to 1."""
        return self._similarities(self._matrix([Counter(words(text)) for text in queries]))

    def _similarities(self, queries: Any) -> Floats:
        """Cosines ``(queries, rows)``, rounded."""
        import numpy as np

        similarities: Floats = (queries[:, self._dense :] @ self._rare).toarray()
        if self._common is not None:
            similarities += queries[:, : self._dense].toarray() @ self._common
        np.round(similarities, DIGITS, out=similarities)
        return np.minimum(similarities, 1.0, out=similarities)

    def _matrix(self, counted: Sequence[Counter[str]]) -> Any:
        """Rows of length 1 (0 for a text without words): ``(texts, words)``, sparse."""
        import numpy as np
        from scipy import sparse

        values: list[float] = []
        columns: list[int] = []
        ends = [0]
        unknown = math.log(self.size + 1)
        for count in counted:
            own, squares = len(values), 0.0
            for word, times in count.items():
                column = self._columns.get(word)
                weight = unknown if column is None else self._weights[column]
                value = (1 + math.log(times)) * weight
                squares += value * value
                if column is not None:
                    columns.append(column)
                    values.append(value)
            length = math.sqrt(squares) or 1.0
            values[own:] = [value / length for value in values[own:]]
            ends.append(len(values))
        shape = (len(counted), len(self._columns))
        data = np.array(values, dtype=np.float64)
        return sparse.csr_matrix((data, np.array(columns, np.int64), np.array(ends)), shape=shape)


class PartedRows:
    """Rows of several texts each, in which the nearest to a query of as many texts are looked up.

    A row is as alike as its texts are to those of the query, place by place, on average: a short
    text counts as much as a long one.

    Args:
        rows: the texts of each row; each row has as many, at least one.
    """

    def __init__(self, rows: Sequence[Sequence[str]]) -> None:
        self.size = len(rows)
        self._places = [Rows(texts) for texts in zip(*rows, strict=True)]

    def nearest(
        self, queries: Sequence[Sequence[str]], k: int = 5
    ) -> list[list[tuple[int, float]]]:
        """The ``k`` rows that are most like each query, as :meth:`Rows.nearest` gives them."""

        def similarities(block: Sequence[Sequence[str]]) -> Floats:
            texts = zip(*block, strict=True)
            alike = [rows.similarities(own) for rows, own in zip(self._places, texts, strict=True)]
            return sum(alike[1:], start=alike[0]) / len(alike)

        return _nearest(queries, self.size, k, similarities)


def _nearest(
    queries: Sequence[Query], size: int, k: int, similarities: Callable[[Sequence[Query]], Floats]
) -> list[list[tuple[int, float]]]:
    """The best ``k`` of so many rows for each query, :data:`CELLS` similarities at once."""
    if not size or k < 1:
        return [[] for _ in queries]
    block = max(1, CELLS // size)
    nearest: list[list[tuple[int, float]]] = []
    for start in range(0, len(queries), block):
        nearest += _best(similarities(queries[start : start + block]), k)
    return nearest


def _best(similarities: Floats, k: int) -> list[list[tuple[int, float]]]:
    """The greatest ``k`` of each row (overwritten); ``argmax`` takes the first of equals."""
    import numpy as np

    every = np.arange(len(similarities))
    best: list[list[tuple[int, float]]] = [[] for _ in every]
    for _ in range(min(k, similarities.shape[1])):
        places = similarities.argmax(axis=1)
        values = similarities[every, places]
        for own, place, value in zip(best, places.tolist(), values.tolist(), strict=True):
            if value > 0:
                own.append((place, value))
        similarities[every, places] = -1.0
    return best
