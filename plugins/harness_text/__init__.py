"""Metrics that need nothing but the text: ``exact``, ``token-f1``, ``length``."""

from __future__ import annotations

import re
import string
from collections import Counter
from typing import Annotated, Literal

from pydantic import Field

import harness

_PUNCTUATION = str.maketrans("", "", string.punctuation)
_ARTICLES = re.compile(r"\b(a|an|the)\b")


class Exact(harness.Metric):
    """1 if the answer equals a reference (white space around both aside), else 0."""

    name = "exact"

    class Options(harness.Options):
        ignore_case: bool = False
        right_at: Annotated[float, Field(ge=0, le=1)] = 1.0

    def signature(self) -> str:
        case = "lc" if self.options.ignore_case else "mixed"
        return f"exact|case:{case}|rev:{self.revision}"

    def measure(self, prediction: harness.Prediction, example: harness.Example) -> float | None:
        if not example.references:
            return None
        answer = self._normal(prediction.text)
        return float(any(self._normal(text) == answer for text in example.references))

    def _normal(self, text: str) -> str:
        return text.strip().casefold() if self.options.ignore_case else text.strip()


def squad_tokens(text: str) -> list[str]:
    """Words after SQuAD's normalisation: lower case, no ASCII punctuation, no articles."""
    return _ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split()


def token_f1(answer: list[str], reference: list[str]) -> float:
    """F1 of two bags of words; where one is empty, 1 if both are (SQuAD 2.0's rule)."""
    if not answer or not reference:
        return float(answer == reference)
    common = (Counter(answer) & Counter(reference)).total()
    if not common:
        return 0.0
    precision, recall = common / len(answer), common / len(reference)
    return 2 * precision * recall / (precision + recall)


class TokenF1(harness.Metric):
    """SQuAD's F1 of the words that answer and reference share (the best reference)."""

    name = "token-f1"

    class Options(harness.Options):
        right_at: Annotated[float, Field(ge=0, le=1)] = 0.5

    def signature(self) -> str:
        return f"token-f1|norm:squad|empty:v2|rev:{self.revision}"

    def measure(self, prediction: harness.Prediction, example: harness.Example) -> float | None:
        answer = squad_tokens(prediction.text)
        scores = (token_f1(answer, squad_tokens(text)) for text in example.references)
        return max(scores, default=None)


class Length(harness.Metric):
    """Length of the answer. It says nothing of quality, and needs no reference."""

    name = "length"
    bounds = (0.0, float("inf"))
    right_at = None

    class Options(harness.Options):
        unit: Literal["words", "characters"] = "words"

    def signature(self) -> str:
        return f"length|unit:{self.options.unit}|rev:{self.revision}"

    def measure(self, prediction: harness.Prediction, example: harness.Example) -> float | None:
        text = prediction.text
        return float(len(text.split()) if self.options.unit == "words" else len(text))


@harness.hookimpl
def register_metrics() -> list[type[harness.Metric]]:
    return [Exact, TokenF1, Length]
