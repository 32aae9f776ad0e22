"""Features of prompts and replies: named values that slices are made of.

Features of the *prompt* are known for train, pool and dev alike, so rows can be addressed by
them; features of the *reply* exist only where a model has answered.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from harness.records import Condition, Example, Prediction

Value = str | float | bool


def prompt_features(example: Example) -> dict[str, Value]:
    """The row's meta (scalars only), its prompt's length and its number of turns."""
    features: dict[str, Value] = {
        key: value
        for key, value in example.meta.items()
        if isinstance(value, (str, bool, int, float))
    }
    features.setdefault("prompt_words", len(example.prompt.split()))
    turns = sum(message.get("role") == "user" for message in example.messages)
    features.setdefault("turns", turns)
    return features


def reply_features(prediction: Prediction) -> dict[str, Value]:
    """What the reply alone shows: its length and how it ended."""
    return {
        "reply_words": len(prediction.text.split()),
        "finish_reason": prediction.finish_reason,
    }


def holds(conditions: Iterable[Condition], features: Mapping[str, Value]) -> bool:
    """Whether all conditions hold; a missing feature never does."""
    return all(_holds(condition, features.get(condition.feature)) for condition in conditions)


def _holds(condition: Condition, value: Value | None) -> bool:
    if value is None:
        return False
    if condition.op == "=":
        return value == condition.value
    if isinstance(value, str) or isinstance(condition.value, str):
        return False
    if condition.op == "<=":
        return value <= condition.value
    return value > condition.value


def addresses(conditions: Iterable[Condition], example: Example) -> bool:
    """Whether a row (of train or pool) falls under the conditions."""
    return holds(conditions, prompt_features(example))
