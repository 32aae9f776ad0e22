"""``meteor``: NLTK's METEOR with WordNet 3.0, offline and fast."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

import harness

_WORDS = re.compile(r"\w+|[^\w\s]+")


class Meteor(harness.Metric):
    """METEOR (NLTK, WordNet 3.0): matched words, stems and synonyms, and their order.

    ``tokenizer: words`` finds runs of letters and runs of signs (``\\w+|[^\\w\\s]+``, the rule of
    NLTK's ``wordpunct_tokenize``); ``whitespace`` takes texts that are tokenised already.
    """

    name = "meteor"

    class Options(harness.Options):
        alpha: Annotated[float, Field(ge=0, le=1)] = 0.9
        beta: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 3.0
        gamma: Annotated[float, Field(ge=0, le=1)] = 0.5
        tokenizer: Literal["words", "whitespace"] = "words"
        right_at: Annotated[float, Field(ge=0, le=1)] = 0.5

    def inputs(self) -> Sequence[Path]:
        """The shipped WordNet data; a damaged file ends the run here, before any scoring."""
        from harness_nltk.wordnet import DATA, read_packed

        read_packed(DATA)
        return (DATA,)

    def signature(self) -> str:
        from importlib.metadata import version

        options = self.options
        return (
            f"meteor|alpha:{options.alpha:g}|beta:{options.beta:g}|gamma:{options.gamma:g}"
            f"|tok:{options.tokenizer}|wordnet:3.0|nltk:{version('nltk')}|rev:{self.revision}"
        )

    def measure(self, prediction: harness.Prediction, example: harness.Example) -> float | None:
        """The best METEOR over the references; None without references."""
        from harness_nltk.meteor import score

        options = self.options
        hypothesis = self._tokens(prediction.text)
        scores = [
            score(
                hypothesis,
                self._tokens(reference),
                alpha=options.alpha,
                beta=options.beta,
                gamma=options.gamma,
            )
            for reference in example.references
        ]
        return max(scores, default=None)

    def _tokens(self, text: str) -> list[str]:
        """Tokens of a text, each in lower case."""
        words = text.split() if self.options.tokenizer == "whitespace" else _WORDS.findall(text)
        return list(map(str.lower, words))


@harness.hookimpl
def register_metrics() -> list[type[harness.Metric]]:
    return [Meteor]
