"""What a written row has to pass before it is proposed: the entries of ``verify``."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import harness
from harness import Context, Example, Verification

KINDS = ("metric", "agree", "form", "plugin")
NOT_SCORED = "not scored"


def entry(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    """An entry of ``verify``, with the one key that says what it is.

    Raises:
        ValueError: it says nothing, or more than one thing.
    """
    kinds = [kind for kind in KINDS if kind in raw]
    if len(kinds) != 1:
        raise ValueError(
            "an entry of verify is {agree: 3}, {form: json}, {metric: NAME, at_least: NUMBER} or "
            "{plugin: NAME}"
        )
    if kinds == ["agree"]:
        answers = raw["agree"]
        if set(raw) != {"agree"} or type(answers) is not int or not 2 <= answers <= 25:
            raise ValueError("agree takes the number of answers that are compared, from 2 to 25")
    elif kinds == ["form"]:
        if raw != {"form": "json"}:
            raise ValueError("form takes json, and nothing beside it")
    elif not isinstance(raw[kinds[0]], str):
        raise ValueError(f"{kinds[0]} takes a name")
    if kinds == ["metric"]:
        least = raw.get("at_least")
        if isinstance(least, bool) or not isinstance(least, (int, float)):
            raise ValueError("a metric of verify needs at_least: the value from which a row passes")
    return raw


def compared(entries: Sequence[Mapping[str, Any]]) -> int:
    """How many answers are compared; 0 where no entry asks for agreement."""
    return next((raw["agree"] for raw in entries if "agree" in raw), 0)


def named(entries: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each entry with what it is called among the reasons of refusal, each otherwise."""
    counts: Counter[str] = Counter()
    for raw in entries:
        kind = next(kind for kind in KINDS if kind in raw)
        name = f"{kind} {raw[kind]}"
        counts[name] += 1
        yield (name if counts[name] == 1 else f"{name} ({counts[name]})"), raw


Verify = Callable[[Sequence[Example], Context], Sequence[Verification]]
"""Says of each of some rows whether it may be proposed."""


def verifier(raw: Mapping[str, Any], files: Sequence[Path]) -> Verify:
    """What verifies rows for an entry with a form, a metric or a verifier.

    Args:
        files: one-file plugins of the run.

    Raises:
        ConfigError: there is no such one, or its options cannot be used.
    """
    if "metric" in raw:
        return Passes(raw, files)
    if "form" in raw:
        return _are_json
    options = {key: raw[key] for key in raw.keys() - {"plugin"}}
    plugin = harness.make_plugin("verifier", raw["plugin"], options, files)
    assert isinstance(plugin, harness.Verifier)

    def verify(rows: Sequence[Example], context: Context) -> Sequence[Verification]:
        return harness.verified(plugin, rows, context)

    return verify


def _are_json(rows: Sequence[Example], context: Context) -> Sequence[Verification]:
    """Whether the answers are JSON."""
    return [
        Verification(False, "no JSON") if _json(row.references[0]) is None
        else Verification(True, "JSON")
        for row in rows
    ]  # fmt: skip


class Passes:
    """Passes rows whose answer a metric gives a value that is high enough.

    The answer stands in the place of a model's answer, and there is no reference: beside itself any
    answer would be right. So a judge says what it thinks of it, and a metric that compares with
    references scores nothing.

    Raises:
        ConfigError: there is no such metric, or its options cannot be used.
    """

    def __init__(self, raw: Mapping[str, Any], files: Sequence[Path]) -> None:
        name, self._least = raw["metric"], float(raw["at_least"])
        options = {key: raw[key] for key in raw.keys() - {"metric", "at_least", "score"}}
        [self._entry] = harness.make_metrics({name: options}, files)
        names = self._entry.score_names
        self._score = raw.get("score", names[0])
        if self._score not in names:
            known = ", ".join(names)
            raise harness.ConfigError(f"{name} has no score '{self._score}'; it has {known}")

    def __call__(self, rows: Sequence[Example], context: Context) -> Sequence[Verification]:
        # All at once, so that a judge is asked for several at the same time.
        answers = [harness.Prediction(row.id, row.references[0]) for row in rows]
        prompts = [replace(row, references=()) for row in rows]
        try:
            card = harness.evaluate(prompts, answers, [self._entry])
        except harness.PluginError:  # of these few rows none could be scored
            return [Verification(False, NOT_SCORED)] * len(rows)
        return [self._judged(measured.values) for measured in card.measurements[self._entry.name]]

    def _judged(self, values: Mapping[str, float]) -> Verification:
        value = values.get(self._score)
        if value is None:
            return Verification(False, NOT_SCORED)
        higher = self._entry.metric.higher_is_better
        passes = value >= self._least if higher else value <= self._least
        return Verification(passes, f"{value:.4g}")


def agreed(answers: Sequence[str]) -> tuple[str | None, str]:
    """The answer that more than half of them give, in its first wording, and how many do.

    Two answers are the same where only white space and capitals differ, or where both are JSON of
    the same value. An empty one is none.
    """
    normal = [_normal(answer) for answer in answers]
    ((commonest, count),) = Counter(normal).most_common(1)
    wording = answers[normal.index(commonest)]
    agree = bool(wording) and 2 * count > len(answers)
    return (wording if agree else None), f"{count} of {len(answers)}"


def is_same(answer: str, other: str) -> bool:
    """Whether two answers count as the same."""
    return _normal(answer) == _normal(other)


def _normal(answer: str) -> str:
    return _json(answer) or " ".join(answer.split()).casefold()


def _json(answer: str) -> str | None:
    """JSON, written in one way; None where it is none."""
    try:
        return json.dumps(json.loads(answer), sort_keys=True)
    except (ValueError, RecursionError):
        return None
