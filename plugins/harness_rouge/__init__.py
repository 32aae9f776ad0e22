"""``rouge``: the F-measures of the ``rouge_score`` package, computed much faster."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

import harness

Type = Literal["rouge1", "rouge2", "rouge3", "rouge4", "rougeL", "rougeLsum"]


def _distinct(types: tuple[Type, ...]) -> tuple[Type, ...]:
    if len(set(types)) < len(types):
        raise ValueError("a type is listed twice")
    return types


class Rouge(harness.Metric):
    """ROUGE F-measures, 0 to 1, equal to ``rouge_score``; the best reference counts.

    ``tokenizer: original`` is that package's own: it drops every letter that is not ASCII.
    ``unicode`` keeps the letters of all scripts.
    """

    name = "rouge"

    class Options(harness.Options):
        types: Annotated[tuple[Type, ...], Field(min_length=1), AfterValidator(_distinct)] = (
            "rouge1",
            "rouge2",
            "rougeL",
            "rougeLsum",
        )
        stemmer: bool = False
        tokenizer: Literal["original", "unicode"] = "original"
        right_at: Annotated[float, Field(ge=0, le=1)] = 0.5

    def score_names(self) -> Sequence[str]:
        return tuple(self.options.types)

    def signature(self) -> str:
        stem = "porter" if self.options.stemmer else "no"
        tokenizer = self.options.tokenizer
        return f"rouge|measure:f|agg:mean|stem:{stem}|tok:{tokenizer}|rev:{self.revision}"

    def measure(
        self, prediction: harness.Prediction, example: harness.Example
    ) -> Sequence[float] | None:
        """One F-measure per type: the best over the references; None without references."""
        if not example.references:
            return None
        from harness_rouge.scores import f_measures

        split = self._splitter()
        rows = [
            f_measures(prediction.text, reference, self.options.types, split)
            for reference in example.references
        ]
        return [max(column) for column in zip(*rows, strict=True)]

    def _splitter(self) -> Callable[[str], list[str]]:
        from harness_rouge import tokens

        return tokens.SPLITTERS[self.options.tokenizer, self.options.stemmer]


@harness.hookimpl
def register_metrics() -> list[type[harness.Metric]]:
    return [Rouge]
