"""``bleu``: sacreBLEU's corpus BLEU, from statistics that add up."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

import harness
from harness_sacrebleu.blocks import Pair, measured

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import sacrebleu

    from harness_sacrebleu.tokens import Encoder

    Floats = npt.NDArray[np.float64]

TOKENIZERS = (
    "13a", "intl", "char", "zh", "none", "ja-mecab", "ko-mecab", "spm", "flores101",
    "flores200", "spBLEU-1K",
)  # fmt: skip


def _known(name: str) -> str:
    if name not in TOKENIZERS:
        from sacrebleu import BLEU  # its version may know more than this list

        if name not in BLEU.TOKENIZERS:
            hint = harness.near(name, TOKENIZERS)
            raise ValueError(f"unknown tokenizer{hint}; known: {', '.join(BLEU.TOKENIZERS)}")
    return name


class Bleu(harness.Metric):
    """Corpus BLEU, 0 to 100, by sacreBLEU; intervals resample the corpus score itself.

    An example's own value is sacreBLEU's sentence score with effective order; the corpus score
    is not the mean of these. Examples may have different numbers of references: sacreBLEU's
    equal is None in the places that are left over. An empty reference is a reference (of
    length 0), not a missing one.
    """

    name = "bleu"
    libraries = ("sacrebleu",)
    bounds = (0.0, 100.0)

    class Options(harness.Options):
        tokenize: Annotated[str, AfterValidator(_known)] = Field(
            default="13a",
            description="`13a`, `intl`, `char`, `zh`, `none`, `ja-mecab`, `ko-mecab`, "
            "`spm`, `flores101`, `flores200`, `spBLEU-1K`",
        )
        lowercase: bool = Field(default=False, description="ignore case")
        force: bool = Field(default=False, description="no note on answers that look tokenized")
        smooth_method: Literal["exp", "floor", "add-k", "none"] = Field(
            default="exp",
            description="what is done with an order that has no match: `exp`, `floor`, "
            "`add-k` or `none`",
        )
        smooth_value: float | None = Field(
            default=None,
            ge=0,
            allow_inf_nan=False,
            description="for `floor` and `add-k` only; where it is not given, sacreBLEU's "
            "0.1 and 1",
        )
        max_ngram_order: int = Field(
            default=4, ge=1, le=100, description="the longest n-grams, 1 to 100"
        )
        effective_order: bool = Field(
            default=False,
            description="leave out orders that no answer is long enough for; own values always do",
        )
        right_at: float = Field(
            default=30.0, ge=0, le=100, description="own value from which an answer passes"
        )

        @model_validator(mode="after")
        def _value_is_used(self) -> Any:
            if self.smooth_value is not None and self.smooth_method not in ("floor", "add-k"):
                raise ValueError("smooth_value has a meaning only for floor and add-k")
            return self

    def __init__(self, options: Any = None) -> None:
        """Look for what the tokenizer needs.

        Raises:
            harness.EnvironmentFailure: a package or a file is missing.
        """
        super().__init__(options)
        from harness_sacrebleu.tokenizers import require

        require(self.options.tokenize)

    def signature(self) -> str:
        """sacreBLEU's own; ``nrefs:var``, since each example may have its own number.

        What tells scores apart but is not in sacreBLEU's signature is added behind it.
        """
        bleu = self._bleu()
        bleu.num_refs = -1
        order, value = self.options.max_ngram_order, self.options.smooth_value
        parts = ["BLEU", bleu.get_signature().format()]
        if order != 4:
            parts.append(f"order:{order}")
        if value is not None and value != round(value, 2):
            parts.append(f"smooth-value:{value!r}")
        return "|".join(parts)

    def measure(
        self, prediction: harness.Prediction, example: harness.Example
    ) -> Sequence[float] | None:
        """Ten counts (for order 4): matches of each order, n-grams of each, both lengths."""
        return measured(self._counts, [(prediction, example)])[0]

    def measure_all(self, pairs: Sequence[Pair]) -> Iterable[Sequence[float] | None]:
        return measured(self._counts, pairs)

    def _counts(
        self, answers: Sequence[str], references: Sequence[Sequence[str]]
    ) -> list[list[int]]:
        from harness_sacrebleu.counts import bleu_counts

        self._encoder.trim()
        encode, encode_reference = self._encoder, self._encoder.of_reference
        return bleu_counts(
            [encode(self._prepared(answer)) for answer in answers],
            [[encode_reference(self._prepared(text)) for text in texts] for texts in references],
            self.options.max_ngram_order,
        )

    def _prepared(self, text: str) -> str:
        return (text.lower() if self.options.lowercase else text).rstrip()

    def aggregate(self, sums: Floats, weights: Floats) -> Floats:
        """``(..., k)`` sums of counts to ``(..., 1)`` corpus scores."""
        from harness_sacrebleu.compute import bleu

        return bleu(sums, effective_order=self.options.effective_order, **self._smoothing)

    def values(self, statistics: Floats) -> Floats:
        """Each example's sentence score, with effective order."""
        from harness_sacrebleu.compute import each

        return each(statistics, effective_order=True, **self._smoothing)

    def remarks(self, pairs: Sequence[Pair]) -> Sequence[str]:
        """Whether answers look tokenized, by sacreBLEU's sign: a final full stop set apart."""
        if self.options.force or self.options.tokenize == "none":
            return ()
        count = sum(prediction.text.endswith(" .") for prediction, _ in pairs)
        # sacreBLEU warns at 100 answers; small sets need another measure.
        if count < min(100, max(5, len(pairs) // 10)):
            return ()
        return (
            f"{count} of {len(pairs)} answers end in a full stop set apart (' .'): they look "
            "tokenized, and BLEU is meant for plain text",
        )

    @property
    def _smoothing(self) -> dict[str, Any]:
        options = self.options
        return {"smooth_method": options.smooth_method, "smooth_value": options.smooth_value}

    @functools.cached_property
    def _encoder(self) -> Encoder:
        from harness_sacrebleu.tokenizers import encoder

        return encoder(self.options.tokenize, self._bleu().tokenizer)

    def _bleu(self) -> sacrebleu.BLEU:
        """sacreBLEU's metric with our options.

        Raises:
            harness.EnvironmentFailure: the tokenizer's package or file cannot be used.
        """
        from sacrebleu import BLEU

        chosen = self.options.model_dump(exclude={"right_at", "tokenize"})
        # "spm" is an old name of flores101, at which sacreBLEU warns.
        name = "flores101" if self.options.tokenize == "spm" else self.options.tokenize
        try:
            return BLEU(tokenize=name, **chosen)
        except (ImportError, RuntimeError, AssertionError, OSError) as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            raise harness.EnvironmentFailure(
                f"the tokenizer '{name}' cannot be used: {reason}",
                where="metric 'bleu'",
                hint="install what it names, or choose another `tokenize`",
            ) from error
