"""Features of prompts and replies: named values that slices are made of.

Features of the *prompt* are known for train, pool and dev alike, so rows can be addressed by
them; features of the *reply* exist only where a model has answered.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from harness.records import Condition, Example, Prediction

Value = str | float | bool

READ = 20_000
"""Characters of a prompt that are looked at for digits, code and questions."""

_DIGIT = re.compile(r"\d")
_CODE = re.compile(
    r"```|^[ \t]*(?:def|class|import|from|function|public|private|var|let|const|SELECT|#include)\b"
    r"|[{};][ \t]*$|\w\(\w*\)|=>|->|</\w",
    re.MULTILINE,
)
_ASKS = re.compile(r"\b(what|which|who|whose|where|when|why|how)\b", re.IGNORECASE)


def prompt_features(example: Example) -> dict[str, Value]:
    """The row's meta (scalars only), its number of turns, and what its prompt shows: its length,
    digits, code, and what it asks.

    Of a row with tools, ``tool`` has the functions that its first reference calls, or ``none``: as
    a column of labels does, it says what is wanted, which the model does not see.
    """
    features: dict[str, Value] = {
        key: value
        for key, value in example.meta.items()
        if isinstance(value, (str, bool, int, float))
    }
    if example.tools and example.references:
        names = sorted({call.name for call in example.answer(example.references[0]).calls})
        features.setdefault("tool", " + ".join(names) or "none")
    features.setdefault("prompt_words", len(example.prompt.split()))
    turns = sum(message.get("role") == "user" for message in example.messages)
    features.setdefault("turns", turns)
    for name, value in _of_text(example.prompt[:READ]).items():
        features.setdefault(name, value)
    return features


def _of_text(text: str) -> dict[str, Value]:
    """Digits, code, and what it asks (``why``, ``yes or no``, ``nothing``)."""
    asked = _ASKS.search(text)
    question = "yes or no" if "?" in text else "nothing"
    return {
        "has_digits": _DIGIT.search(text) is not None,
        "has_code": _CODE.search(text) is not None,
        "asks": asked.group().lower() if asked else question,
    }


def reply_features(prediction: Prediction) -> dict[str, Value]:
    """What the reply alone shows: its length and how it ended."""
    return {
        "reply_words": len(prediction.text.split()),
        "finish_reason": prediction.finish_reason,
    }


def same_as(condition: Condition) -> tuple[str, str, bool, Value]:
    """Equal where two conditions say the same: 1 and 1.0 are one number, True is none."""
    return condition.feature, condition.op, isinstance(condition.value, bool), condition.value


def holds(conditions: Iterable[Condition], features: Mapping[str, Value]) -> bool:
    """Whether all conditions hold; a missing feature never does."""
    return all(_holds(condition, features.get(condition.feature)) for condition in conditions)


def _holds(condition: Condition, value: Value | None) -> bool:
    if value is None:
        return False
    if condition.op == "=":
        return value == condition.value and isinstance(value, bool) is isinstance(
            condition.value, bool
        )
    if isinstance(value, str) or isinstance(condition.value, str):
        return False
    if condition.op == "<=":
        return value <= condition.value
    return value > condition.value


def addresses(conditions: Iterable[Condition], example: Example) -> bool:
    """Whether a row (of train or pool) falls under the conditions."""
    return holds(conditions, prompt_features(example))
