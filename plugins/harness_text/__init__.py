"""Metrics that need nothing but the text: ``exact``, ``token-f1``, ``length``, ``json``."""

from __future__ import annotations

import functools
import re
import string
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, TypeVar

from pydantic import Field

import harness
from harness_text.json_fields import JsonFields

_PUNCTUATION = str.maketrans("", "", string.punctuation)
_ARTICLES = re.compile(r"\b(a|an|the)\b")
_Read = TypeVar("_Read")
# References of at most so many characters are kept ready for the next answer.
_CACHED_TEXTS = 1 << 14
_CACHED_LENGTH = 1 << 11


def _remembered(read: Callable[[str], _Read]) -> Callable[[str], _Read]:
    """``read``, with memory of the last thousands of texts that are not long."""
    cached = functools.lru_cache(_CACHED_TEXTS)(read)
    return lambda text: cached(text) if len(text) <= _CACHED_LENGTH else read(text)


class Exact(harness.Metric):
    """1 if the answer equals a reference (white space around both aside), else 0.

    Nothing else is normalised; ``ignore_case`` compares as Unicode's case folding does
    (``STRASSE`` is ``Straße``).
    """

    name = "exact"

    class Options(harness.Options):
        ignore_case: bool = Field(
            default=False,
            description="compare as Unicode's case folding does: `STRASSE` equals `Straße`",
        )
        right_at: float = Field(
            default=1.0, ge=0, le=1, description="own value from which an answer passes"
        )

    def signature(self) -> str:
        case = "lc" if self.options.ignore_case else "mixed"
        return f"exact|case:{case}|rev:{self.revision}"

    def measure(self, prediction: harness.Prediction, example: harness.Example) -> float | None:
        """0 or 1; None without references."""
        if not example.references:
            return None
        answer = self._normal(prediction.text)
        return float(any(self._normal(text) == answer for text in example.references))

    def _normal(self, text: str) -> str:
        return text.strip().casefold() if self.options.ignore_case else text.strip()


def squad_tokens(text: str) -> list[str]:
    """Words after SQuAD's normalisation: lower case, no ASCII punctuation, no articles."""
    return _ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split()


@_remembered
def _reference_words(text: str) -> Mapping[str, int]:
    return Counter(squad_tokens(text))


def token_f1(answer: Mapping[str, int], reference: Mapping[str, int]) -> float:
    """F1 of two bags of words; where one is empty, 1 if both are, else 0 (SQuAD 2.0's rule)."""
    if not answer or not reference:
        return float(not answer and not reference)
    common = sum(min(count, reference.get(word, 0)) for word, count in answer.items())
    if not common:
        return 0.0
    precision, recall = common / sum(answer.values()), common / sum(reference.values())
    return (2 * precision * recall) / (precision + recall)


class TokenF1(harness.Metric):
    """SQuAD's F1 of the words that answer and reference share (the best reference), 0 to 1.

    As SQuAD 2.0's own script counts: lower case, ASCII punctuation and the words a, an, the
    removed. An answer without words scores 1 where the reference has none either, else 0. A
    reference without words is passed over if another one has some.
    """

    name = "token-f1"
    revision = 2

    class Options(harness.Options):
        right_at: float = Field(
            default=0.5, ge=0, le=1, description="own value from which an answer passes"
        )

    def signature(self) -> str:
        return f"token-f1|version:squad-2.0|empty:v2|rev:{self.revision}"

    def measure(self, prediction: harness.Prediction, example: harness.Example) -> float | None:
        """The best F1 over the references; None without references."""
        if not example.references:
            return None
        answer = Counter(squad_tokens(prediction.text))
        references: Sequence[Mapping[str, int]] = list(map(_reference_words, example.references))
        return max(token_f1(answer, words) for words in list(filter(None, references)) or [{}])


class Length(harness.Metric):
    """Length of the answer. It says nothing of quality, and needs no reference."""

    name = "length"
    bounds = (0.0, float("inf"))
    right_at = None

    class Options(harness.Options):
        unit: Literal["words", "characters"] = Field(
            default="words", description="`words` or `characters`"
        )

    def signature(self) -> str:
        return f"length|unit:{self.options.unit}|rev:{self.revision}"

    def measure(self, prediction: harness.Prediction, example: harness.Example) -> float | None:
        text = prediction.text
        return float(len(text.split()) if self.options.unit == "words" else len(text))


@harness.hookimpl
def register_metrics() -> list[type[harness.Metric]]:
    return [Exact, TokenF1, Length, JsonFields]
