"""``bleu``: sacreBLEU's corpus BLEU, from statistics that add up."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, model_validator

import harness

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import sacrebleu

    Floats = npt.NDArray[np.float64]

Tokenizer = Literal["13a", "intl", "char", "zh", "none", "ja-mecab", "ko-mecab"]
_EXTRAS = {"ja-mecab": "ja", "ko-mecab": "ko"}


class Bleu(harness.Metric):
    """Corpus BLEU, 0 to 100, by sacreBLEU; intervals resample the corpus score itself.

    An example's own value is sacreBLEU's sentence score with effective order; the corpus score
    is not the mean of these.
    """

    name = "bleu"
    bounds = (0.0, 100.0)

    class Options(harness.Options):
        tokenize: Tokenizer = "13a"
        lowercase: bool = False
        smooth_method: Literal["exp", "floor", "add-k", "none"] = "exp"
        smooth_value: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
        right_at: Annotated[float, Field(ge=0, le=100)] = 30.0

        @model_validator(mode="after")
        def _value_is_used(self) -> Any:
            if self.smooth_value is not None and self.smooth_method not in ("floor", "add-k"):
                raise ValueError("smooth_value has a meaning only for floor and add-k")
            return self

    def signature(self) -> str:
        """sacreBLEU's own; ``nrefs:var``, since each example may have its own number."""
        bleu = self._bleu()
        bleu.num_refs = -1
        return f"BLEU|{bleu.get_signature().format()}"

    def measure(
        self, prediction: harness.Prediction, example: harness.Example
    ) -> Sequence[float] | None:
        """Ten counts: matches of order 1 to 4, n-grams of order 1 to 4, both lengths."""
        if not example.references:
            return None
        from harness_sacrebleu.count import count

        return count(self._tokens(prediction.text), list(map(self._tokens, example.references)))

    def _tokens(self, text: str) -> list[str]:
        lowered = text.lower() if self.options.lowercase else text
        return self._tokenize(lowered.rstrip()).split()

    def aggregate(self, sums: Floats, weights: Floats) -> Floats:
        """``(..., 10)`` sums of counts to ``(..., 1)`` corpus scores."""
        return self._scores(sums, effective_order=False)

    def values(self, statistics: Floats) -> Floats:
        """Each example's sentence score, with effective order."""
        return self._scores(statistics, effective_order=True)

    def _scores(self, sums: Floats, *, effective_order: bool) -> Floats:
        from harness_sacrebleu.compute import bleu

        return bleu(
            sums,
            smooth_method=self.options.smooth_method,
            smooth_value=self.options.smooth_value,
            effective_order=effective_order,
        )

    @functools.cached_property
    def _tokenize(self) -> Callable[[str], str]:
        """sacreBLEU's tokenizer: text -> tokens parted by spaces."""
        return self._bleu().tokenizer  # type: ignore[no-any-return]

    def _bleu(self) -> sacrebleu.BLEU:
        """sacreBLEU's metric with our options.

        Raises:
            harness.EnvironmentFailure: the tokenizer needs a package that is not there.
        """
        from sacrebleu import BLEU

        options = self.options
        try:
            return BLEU(
                lowercase=options.lowercase,
                tokenize=options.tokenize,
                smooth_method=options.smooth_method,
                smooth_value=options.smooth_value,
            )
        except (ImportError, RuntimeError) as error:
            extra = _EXTRAS.get(options.tokenize, "")
            raise harness.EnvironmentFailure(
                f"the tokenizer '{options.tokenize}' needs a package that is not installed",
                where="metric 'bleu'",
                hint=f"pip install 'sacrebleu[{extra}]', or choose another `tokenize`",
            ) from error


@harness.hookimpl
def register_metrics() -> list[type[harness.Metric]]:
    return [Bleu]
