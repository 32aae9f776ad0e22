"""``chrf``: sacreBLEU's chrF and, with word n-grams, chrF++."""

from __future__ import annotations

import functools
import string
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, model_validator

import harness
from harness_sacrebleu.blocks import Pair, measured

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from harness_sacrebleu.ngrams import Symbols
    from harness_sacrebleu.tokens import Encoder

    Floats = npt.NDArray[np.float64]

_MARKS = frozenset(string.punctuation)
Order = Annotated[int, Field(ge=0, le=100)]


class Chrf(harness.Metric):
    """Corpus chrF, 0 to 100, by sacreBLEU: character n-grams, recall counted more (``beta``).

    ``word_order: 2`` makes it chrF++. An example's own value is sacreBLEU's sentence score. Of
    several references the one counts, for each example, whose sentence score is best. An empty
    reference is a reference, not a missing one.
    """

    name = "chrf"
    libraries = ("sacrebleu",)
    bounds = (0.0, 100.0)

    class Options(harness.Options):
        char_order: Order = Field(default=6, description="the longest character n-grams")
        word_order: Order = Field(default=0, description="the longest word n-grams; 2 is chrF++")
        beta: int = Field(
            default=2, ge=0, le=1000, description="how much more recall weighs than precision"
        )
        lowercase: bool = Field(default=False, description="ignore case")
        whitespace: bool = Field(default=False, description="count white space as characters")
        eps_smoothing: bool = Field(
            default=False,
            description="smooth orders without a match by a tiny number, as the author's "
            "own script does, instead of leaving out orders that a text is too "
            "short for",
        )
        right_at: float = Field(
            default=50.0, ge=0, le=100, description="own value from which an answer passes"
        )

        @model_validator(mode="after")
        def _something_is_counted(self) -> Any:
            if not self.char_order + self.word_order:
                raise ValueError("char_order and word_order cannot both be 0")
            return self

    def signature(self) -> str:
        """sacreBLEU's own; ``nrefs:var``, since each example may have its own number."""
        from sacrebleu import CHRF

        chrf = CHRF(**self.options.model_dump(exclude={"right_at"}))
        chrf.num_refs = -1
        name = f"chrF{self.options.beta}{'+' * self.options.word_order}"
        return f"{name}|{chrf.get_signature().format()}"

    def measure(
        self, prediction: harness.Prediction, example: harness.Example
    ) -> Sequence[float] | None:
        """Per order: n-grams of the answer, of the best reference, and matches."""
        return measured(self._counts, [(prediction, example)])[0]

    def measure_all(self, pairs: Sequence[Pair]) -> Iterable[Sequence[float] | None]:
        return measured(self._counts, pairs)

    def _counts(
        self, answers: Sequence[str], references: Sequence[Sequence[str]]
    ) -> list[list[int]]:
        from harness_sacrebleu.counts import best, chrf_counts

        numbers = list(map(len, references))
        ours = [answer for answer, n in zip(answers, numbers, strict=True) for _ in range(n)]
        theirs = [text for texts in references for text in texts]
        if self.options.lowercase:
            ours, theirs = [text.lower() for text in ours], [text.lower() for text in theirs]
        counts = chrf_counts(
            [(list(map(encode, ours)), list(map(encode, theirs)), orders)
             for encode, orders in self._views()]
        )  # fmt: skip
        if len(counts) > len(answers):
            counts = counts[best(self.values(counts.astype(float))[:, 0], numbers)]
        rows: list[list[int]] = counts.tolist()
        return rows

    def _views(self) -> Iterable[tuple[Any, int]]:
        """How the text is taken apart, and up to which order n-grams of that are counted."""
        options = self.options
        if options.char_order:
            yield (_characters if options.whitespace else _visible), options.char_order
        if options.word_order:
            self._words.trim()
            yield self._words, options.word_order

    @functools.cached_property
    def _words(self) -> Encoder:
        from harness_sacrebleu.tokens import Encoder

        return Encoder(_split_word)

    def aggregate(self, sums: Floats, weights: Floats) -> Floats:
        """``(..., 3 * orders)`` sums of counts to ``(..., 1)`` corpus scores."""
        from harness_sacrebleu.compute import chrf

        return chrf(sums, beta=self.options.beta, eps_smoothing=self.options.eps_smoothing)


def _characters(text: str) -> Symbols:
    from harness_sacrebleu.tokens import characters

    return characters(text)


def _visible(text: str) -> Symbols:
    return _characters("".join(text.split()))


def _split_word(word: str) -> Sequence[str]:
    """A word and the one punctuation mark after it, or else before it."""
    if len(word) > 1:
        if word[-1] in _MARKS:
            return word[:-1], word[-1]
        if word[0] in _MARKS:
            return word[0], word[1:]
    return (word,)
