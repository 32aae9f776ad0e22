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
        words: the same for people.
        outcome: those of the numbers that a result is, not what it took.
    """

    key: str
    step: int
    words: str
    numbers: Mapping[str, float]
    texts: Mapping[str, str] = field(default_factory=dict)
    outcome: tuple[str, ...] = ()


def of_round(result: harness.RoundResult, seconds: Mapping[str, float]) -> Entry:
    """Scores with intervals, verdict, guards, plan, rows and seconds of one round.

    Args:
        seconds: stage -> how long it took when it was made.
    """
    # The name of the main arm is left out: it is the run.
    arm = "" if result.arm == harness.BASE_ARM else f"{result.arm}/"
    verdict = result.verdict
    found = {**_scores(f"{arm}dev", result.scores), **_verdict(f"{arm}dev/verdict", verdict)}
    found[f"{arm}dev/kept"] = float(result.kept)
    texts = {f"{arm}dev/verdict": str(verdict.label)}
    for number, guard in enumerate(result.guards, start=1):
        name = f"{arm}dev/guard {number}"
        found |= _verdict(name, guard.verdict)
        texts[name] = str(guard.outcome)
    outcome = tuple(found)
    found[f"{arm}rows/train"] = result.train_rows
    if result.plan is not None:
        found[f"{arm}plan/rows"] = result.plan.rows
        for what, wanted in (("slices", True), ("exploration", False)):
            items = [item for item in result.plan.items if (item.slice is not None) == wanted]
            found[f"{arm}plan/rows for {what}"] = sum(item.rows for item in items)
        found[f"{arm}plan/slices"] = sum(item.slice is not None for item in result.plan.items)
        texts[f"{arm}plan/strategy"] = str(result.plan.strategy)
    if result.growth is not None:
        found[f"{arm}rows/added"] = result.growth.added
        found[f"{arm}rows/refused"] = sum(result.growth.refused.values())
    found |= {f"{arm}seconds/{stage}": took for stage, took in seconds.items()}
    words = f"{arm.replace('/', ' ')}round {result.round}"
    return _entry(f"{result.arm}/{result.round}", result.round, words, found, texts, outcome)


def of_test(summary: Mapping[str, Any]) -> Entry | None:
    """What the test set said, from the summary; None where it stayed sealed."""
    test = summary.get("test")
    if not test:
        return None
    verdict, found = test["verdict"], {}
    for side in ("baseline", "kept"):
        for name, score in test[side].items():
            for key, place in (("value", ""), ("low", ".low"), ("high", ".high")):
                found[f"test/{name} {side}{place}"] = score[key]
    found |= {f"test/verdict.{key}": verdict[key] for key in ("difference", "low", "high")}
    outcome = tuple(found)
    found["test/times opened"] = test["looks"]
    texts = {"test/verdict": str(verdict["label"])}
    return _entry("test", summary["kept_round"], "the test set", found, texts, outcome)


def of_settings(config: Mapping[str, Any]) -> dict[str, float]:
    """The numbers among the settings of training and answering; texts may be anybody's secret."""
    found = {name: config.get(name) for name in ("rounds", "seed")}
    for stage in ("train", "generate"):
        found |= dict(_leaves(stage, config.get(stage, {})))
    return {_plain(name): value for name, value in found.items() if isinstance(value, (int, float))}


def _leaves(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, one in value.items():
            yield from _leaves(f"{name}.{key}", one)
    else:
        yield name, value


def _scores(place: str, scores: Mapping[str, harness.Score]) -> dict[str, Any]:
    found = {}
    for name, score in scores.items():
        found[f"{place}/{name}"] = score.value
        found[f"{place}/{name}.low"] = score.low
        found[f"{place}/{name}.high"] = score.high
    return found


def _verdict(place: str, verdict: harness.Verdict) -> dict[str, Any]:
    keys = ("difference", "low", "high", "detectable")
    return {f"{place}.{key}": getattr(verdict, key) for key in keys}


def _entry(
    key: str, step: int, words: str, found: Mapping[str, Any], texts: Mapping[str, str],
    outcome: tuple[str, ...],
) -> Entry:  # fmt: skip
    numbers: dict[str, float] = {}
    for name, value in found.items():
        if value is not None and math.isfinite(value):
            numbers[_plain(name)] = float(value)
    named = {_plain(name): text for name, text in texts.items()}
    return Entry(key, step, words, numbers, named, tuple(map(_plain, outcome)))


def _plain(name: str) -> str:
    """A name that every tracker takes; of a long one the end stays, which says low or high."""
    plain = _FORBIDDEN.sub("_", name)
    return plain if len(plain) <= LONGEST else f"{plain[: LONGEST - 50]}{plain[-50:]}"
