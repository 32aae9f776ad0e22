"""A round, the test set's verdict and the settings as numbers and short texts with names.

Nothing of a row or an answer is among them: no slice, which is named by what rows hold, and of the
config no text but the names of scores. Guards are numbered, since their conditions name slices.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import harness

_FORBIDDEN = re.compile(r"[^0-9A-Za-z_\-. /]")
"""What not every tracker takes in a name (MLflow's rule, without the colon)."""
LONGEST = 200
"""Characters of a name."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What is sent at once.

    Attributes:
        key: what it is of, ``main/2`` or ``test``.
        step: the round.
        numbers, texts: the result.
        beside: further numbers: what the result was made of, and what it took.
    """

    key: str
    step: int
    numbers: Mapping[str, float]
    texts: Mapping[str, str] = field(default_factory=dict)
    beside: Mapping[str, float] = field(default_factory=dict)


def of_round(result: harness.RoundResult, seconds: Mapping[str, float]) -> Entry:
    """Scores with intervals, verdict, guards, plan, rows and seconds of one round.

    Args:
        seconds: stage -> how long it took when it was made.
    """
    # The name of the main arm is left out: it is the run.
    arm = "" if result.arm == harness.BASE_ARM else f"{result.arm}/"
    dev = f"{arm}dev"
    numbers = {**_scores(dev, result.scores), **_verdict(f"{dev}/verdict", result.verdict)}
    numbers[f"{dev}/kept"] = float(result.kept)
    texts = {f"{dev}/verdict": str(result.verdict.label)}
    for number, guard in enumerate(result.guards, start=1):
        numbers |= _verdict(f"{dev}/guard {number}", guard.verdict)
        texts[f"{dev}/guard {number}"] = guard.state
    beside: dict[str, Any] = {f"{arm}rows/train": result.train_rows}
    if result.plan is not None:
        texts[f"{arm}plan/strategy"] = str(result.plan.strategy)
        for_slices = [item.rows for item in result.plan.items if item.slice is not None]
        beside[f"{arm}plan/rows"] = result.plan.rows
        beside[f"{arm}plan/rows for slices"] = sum(for_slices)
        beside[f"{arm}plan/rows for exploration"] = result.plan.rows - sum(for_slices)
        beside[f"{arm}plan/slices"] = len(for_slices)
    if result.growth is not None:
        beside[f"{arm}rows/added"] = result.growth.added
        beside[f"{arm}rows/refused"] = sum(result.growth.refused.values())
    beside |= {f"{arm}seconds/{stage}": took for stage, took in seconds.items()}
    return _entry(f"{result.arm}/{result.round}", result.round, numbers, texts, beside)


def of_test(summary: harness.Summary) -> Entry | None:
    """What the test set said, from the summary; None where it stayed sealed."""
    test = summary.test
    if test is None:
        return None
    numbers: dict[str, float | None] = {}
    for side, scores in (("baseline", test.baseline), ("kept", test.kept)):
        for name, score in scores.items():
            head = f"test/{name} {side}"
            numbers |= {head: score.value, f"{head}.low": score.low, f"{head}.high": score.high}
    verdict = test.verdict
    numbers |= {
        "test/verdict.difference": verdict.difference,
        "test/verdict.low": verdict.low, "test/verdict.high": verdict.high,
    }  # fmt: skip
    texts, beside = {"test/verdict": str(verdict.label)}, {"test/times opened": test.looks}
    return _entry("test", summary.kept_round, numbers, texts, beside)


def of_settings(config: Mapping[str, Any]) -> dict[str, float]:
    """The numbers among the settings of training and answering; texts may be anybody's secret."""
    settings = {name: config.get(name) for name in ("rounds", "seed")}
    trainers = harness.trainers_in(config)
    for number, entry in enumerate(trainers, start=1):
        settings |= dict(_leaves("train" if len(trainers) == 1 else f"train.{number}", entry))
    settings |= dict(_leaves("generate", config.get("generate", {})))
    return {
        _plain(name): value for name, value in settings.items() if isinstance(value, (int, float))
    }


def _leaves(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(f"{name}.{key}", inner)
    else:
        yield name, value


def _scores(place: str, scores: Mapping[str, harness.Score]) -> dict[str, Any]:
    numbers = {}
    for name, score in scores.items():
        numbers[f"{place}/{name}"] = score.value
        numbers[f"{place}/{name}.low"] = score.low
        numbers[f"{place}/{name}.high"] = score.high
    return numbers


def _verdict(place: str, verdict: harness.Verdict) -> dict[str, Any]:
    keys = ("difference", "low", "high", "detectable")
    return {f"{place}.{key}": getattr(verdict, key) for key in keys}


def _entry(
    key: str, step: int, numbers: Mapping[str, Any], texts: Mapping[str, str],
    beside: Mapping[str, Any],
) -> Entry:  # fmt: skip
    named = {_plain(name): text for name, text in texts.items()}
    return Entry(key, step, _finite(numbers), named, _finite(beside))


def _finite(numbers: Mapping[str, Any]) -> dict[str, float]:
    return {
        _plain(name): float(value)
        for name, value in numbers.items()
        if value is not None and math.isfinite(value)
    }


def _plain(name: str) -> str:
    """A name that every tracker takes; of a long one the end stays, which says low or high."""
    plain = _FORBIDDEN.sub("_", name)
    return plain if len(plain) <= LONGEST else f"{plain[: LONGEST - 50]}{plain[-50:]}"
