"""``rouge``: the F-measures of the ``rouge_score`` package, computed much faster."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

import harness

Type = Literal[
    "rouge1", "rouge2", "rouge3", "rouge4", "rouge5", "rouge6", "rouge7", "rouge8", "rouge9",
    "rougeL", "rougeLsum",
]  # fmt: skip
Pair = tuple[harness.Prediction, harness.Example]


def _distinct(types: tuple[Type, ...]) -> tuple[Type, ...]:
    if len(set(types)) < len(types):
        raise ValueError("a type is listed twice")
    return types


class Rouge(harness.Metric):
    """ROUGE F-measures, 0 to 1, equal to ``rouge_score``; the best reference counts.

    ``rouge1`` to ``rouge9`` compare n-grams, ``rougeL`` takes the longest common subsequence of
    the whole texts, ``rougeLsum`` that of their lines. ``tokenizer: original`` is that package's
    own: it drops every letter that is not ASCII. ``unicode`` keeps the letters of all scripts.
    """

    name = "rouge"

    class Options(harness.Options):
        types: Annotated[tuple[Type, ...], AfterValidator(_distinct)] = Field(
            default=("rouge1", "rouge2", "rougeL", "rougeLsum"),
            min_length=1,
            description="which ones; `rouge1` to `rouge9`, `rougeL`, `rougeLsum`",
        )
        stemmer: bool = Field(
            default=False,
            description="compare stems (Porter); words of up to three characters, and words "
            "that are not ASCII, stay as they are",
        )
        tokenizer: Literal["original", "unicode"] = Field(
            default="original",
            description="`original` is `rouge_score`'s: lower case, runs of ASCII letters "
            "and digits; `unicode` takes letters and digits of all scripts",
        )
        right_at: float = Field(
            default=0.5, ge=0, le=1, description="own value from which an answer passes"
        )

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
        (scores,) = self.measure_all([(prediction, example)])
        return scores

    def measure_all(self, pairs: Sequence[Pair]) -> list[list[float] | None]:
        from harness_rouge.scores import best_f_measures
        from harness_rouge.vocabulary import vocabulary

        rows = [(prediction.text, example.references) for prediction, example in pairs]
        scores = best_f_measures(
            [(answer, references) for answer, references in rows if references],
            self.options.types,
            vocabulary(self.options.tokenizer, self.options.stemmer),
        )
        # Rows without references were left out, and have their place among the scores again.
        remaining = iter(scores.tolist())
        return [next(remaining) if references else None for _, references in rows]

    def remarks(self, pairs: Sequence[Pair]) -> Sequence[str]:
        """A warning where the original tokenizer drops more than half of some texts."""
        if self.options.tokenizer != "original":
            return ()
        from harness_rouge.tokens import mostly_dropped

        scored = [pair for pair in pairs if pair[1].references]
        answers = [prediction.text for prediction, _ in scored]
        references = [text for _, example in scored for text in example.references]
        dropped = sum(map(mostly_dropped, answers)), sum(map(mostly_dropped, references))
        if not any(dropped):
            return ()
        return (
            f"the original tokenizer keeps ASCII letters and digits only, and drops more "
            f"than half of those in {dropped[0]} of {len(answers)} answers and {dropped[1]} of "
            f"{len(references)} references; set tokenizer: unicode to score them whole",
        )


@harness.hookimpl
def register_metrics() -> list[type[harness.Metric]]:
    return [Rouge]
