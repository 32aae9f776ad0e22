"""``ter``: sacreBLEU's translation edit rate."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from pydantic import Field

import harness
from harness_sacrebleu.blocks import Pair, measured

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import sacrebleu

    Floats = npt.NDArray[np.float64]


class Ter(harness.Metric):
    """Edits per 100 reference words (Snover et al., 2006), by sacreBLEU; lower is better.

    An edit inserts, deletes or replaces a word, or moves a run of words. Of several references
    the one counts that needs the fewest edits, against the mean length of all; an empty
    reference is a reference, not a missing one. More than 100 is possible, for answers longer
    than their references.
    """

    name = "ter"
    libraries = ("sacrebleu",)
    higher_is_better = False
    bounds = (0.0, float("inf"))

    class Options(harness.Options):
        normalized: bool = Field(
            default=False,
            description="set punctuation apart, and undo XML escapes, before words are compared",
        )
        no_punct: bool = Field(default=False, description="drop punctuation")
        asian_support: bool = Field(
            default=False,
            description="part Asian characters; matters only with `normalized` or `no_punct`",
        )
        case_sensitive: bool = Field(default=False, description="let case count")
        right_at: float = Field(
            default=50.0,
            ge=0,
            allow_inf_nan=False,
            description="own value up to which an answer passes",
        )

    def signature(self) -> str:
        """sacreBLEU's own; ``nrefs:var``, since each example may have its own number."""
        ter = self._ter()
        ter.num_refs = -1
        return f"TER|{ter.get_signature().format()}"

    def measure(
        self, prediction: harness.Prediction, example: harness.Example
    ) -> Sequence[float] | None:
        """The fewest edits and the mean length of the references, in words."""
        return measured(self._counts, [(prediction, example)])[0]

    def measure_all(self, pairs: Sequence[Pair]) -> Iterable[Sequence[float] | None]:
        return measured(self._counts, pairs)

    def _counts(
        self, answers: Sequence[str], references: Sequence[Sequence[str]]
    ) -> list[list[float]]:
        from harness_sacrebleu.edits import edits

        rows: list[list[float]] = []
        for answer, texts in zip(answers, references, strict=True):
            words = self._split(answer)
            theirs = list(map(self._split, texts))
            fewest = min(edits(words, reference) for reference in theirs)
            rows.append([fewest, sum(map(len, theirs)) / len(theirs)])
        return rows

    def aggregate(self, sums: Floats, weights: Floats) -> Floats:
        """``(..., 2)`` sums of edits and lengths to ``(..., 1)`` corpus scores.

        sacreBLEU adds mean lengths one after the other. With three references (or five, six,
        …) these are no binary fractions, so that sums in another way may differ from its own,
        and the score with them, in the last bit.
        """
        import numpy as np

        edits, lengths = sums[..., :1], sums[..., 1:]
        # Against nothing, any edit makes the whole answer wrong.
        rates = np.where(edits > 0, 1.0, 0.0)
        np.divide(edits, lengths, out=rates, where=lengths > 0)
        return 100 * rates

    def _split(self, text: str) -> list[str]:
        return self._tokenize(text.rstrip()).split()

    @functools.cached_property
    def _tokenize(self) -> Callable[[str], str]:
        return self._ter().tokenizer

    def _ter(self) -> sacrebleu.TER:
        from sacrebleu import TER

        return TER(**self.options.model_dump(exclude={"right_at"}))
