"""What a written row has to pass before it is proposed: the entries of ``verify``."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import harness
from harness import Example, Verification

KINDS = ("metric", "agree", "plugin")


def entry(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    """An entry of ``verify``, with the one key that says what it is.

    Raises:
        ValueError: it says nothing, or more than one thing.
    """
    kinds = [kind for kind in KINDS if kind in raw]
    if len(kinds) != 1:
        raise ValueError(
            "an entry of verify is {metric: NAME, at_least: NUMBER}, {agree: 3} or {plugin: NAME}"
        )
    if kinds == ["agree"]:
        answers = raw["agree"]
        if set(raw) != {"agree"} or type(answers) is not int or not 2 <= answers <= 25:
            raise ValueError("agree takes the number of answers that are compared, from 2 to 25")
    elif not isinstance(raw[kinds[0]], str):
        raise ValueError(f"{kinds[0]} takes a name")
    if kinds == ["metric"]:
        least = raw.get("at_least")
        if isinstance(least, bool) or not isinstance(least, (int, float)):
            raise ValueError("a metric of verify needs at_least: the value from which a row passes")
    return raw


def asked(entries: Sequence[Mapping[str, Any]]) -> int:
    """How many answers are compared; 0 where no entry asks for agreement."""
    return max((raw["agree"] for raw in entries if "agree" in raw), default=0)


def label(raw: Mapping[str, Any]) -> str:
    """What an entry is called among the reasons of refusal."""
    kind = next(kind for kind in KINDS if kind in raw)
    return f"{kind} {raw[kind]}"


class Passes:
    """Passes rows whose answer a metric gives a value that is high enough.

    The answer stands in the place of a model's answer and in that of the reference: what a metric
    says of it is whether it has the form that is due, or what a judge thinks of it.

    Raises:
        ConfigError: there is no such metric, or its options cannot be used.
    """

    def __init__(self, raw: Mapping[str, Any]) -> None:
        name, self._least = raw["metric"], float(raw["at_least"])
        options = {key: raw[key] for key in raw.keys() - {"metric", "at_least", "score"}}
        [self._entry] = harness.make_metrics({name: options})
        names = self._entry.score_names
        self._score = raw.get("score", names[0])
        if self._score not in names:
            known = ", ".join(names)
            raise harness.ConfigError(f"{name} has no score '{self._score}'; it has {known}")

    def verify(self, row: Example) -> Verification:
        answer = harness.Prediction(row.id, row.references[0])
        card = harness.evaluate([row], [answer], [self._entry])
        [measurement] = card.measurements[self._entry.name]
        value = measurement.values.get(self._score)
        if value is None:
            return Verification(False, "not scored")
        higher = self._entry.metric.higher_is_better
        fine = value >= self._least if higher else value <= self._least
        return Verification(fine, f"{value:.4g}")


def agreed(answers: Sequence[str]) -> tuple[str | None, str]:
    """The answer that more than half of them give, in its first wording, and how many do.

    Two answers are the same where only white space and capitals differ, or where both are JSON of
    the same value.
    """
    of = [_same(answer) for answer in answers]
    ((commonest, count),) = Counter(of).most_common(1)
    words = f"{count} of {len(answers)}"
    return (answers[of.index(commonest)] if 2 * count > len(answers) else None), words


def is_same(one: str, other: str) -> bool:
    """Whether two answers count as the same."""
    return _same(one) == _same(other)


def _same(answer: str) -> str:
    try:
        return json.dumps(json.loads(answer), sort_keys=True)
    except (ValueError, RecursionError):
        return " ".join(answer.split()).casefold()
