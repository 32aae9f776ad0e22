"""What a written row has to pass before it is proposed: the entries of ``verify``."""

from __future__ import annotations

import functools
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, model_serializer

import harness
from harness import Context, Example, Verification

FORMS = (
    "an entry of verify is {agree: 3}, {form: json}, {metric: NAME, at_least: NUMBER} or "
    "{plugin: NAME}"
)
NOT_SCORED = "not scored"


class Agreement(harness.Options):
    """``{agree: 3}``: so many answers of the teacher are compared."""

    agree: int


class Form(harness.Options):
    """``{form: json}``"""

    form: Literal["json"]


class Scored(harness.Options):
    """``{metric: NAME, at_least: NUMBER, score: NAME, …options of the metric}``"""

    metric: harness.Named[harness.Metric]
    at_least: float
    score: str = ""

    @model_serializer
    def _as_written(self) -> dict[str, Any]:
        options = self.metric.shown()
        name, score = options.pop("plugin"), {"score": self.score} if self.score else {}
        return {"metric": name, "at_least": self.at_least, **score, **options}


def _entry(raw: Any) -> Any:
    """An entry of ``verify``, by the one key that says what it is.

    Raises:
        ValueError: it says nothing, or more than one thing.
    """
    if not isinstance(raw, Mapping):
        return raw
    kinds = [kind for kind in ("metric", "agree", "form", "plugin") if kind in raw]
    if len(kinds) != 1:
        raise ValueError(FORMS)
    if kinds == ["agree"]:
        answers = raw["agree"]
        if set(raw) != {"agree"} or type(answers) is not int or not 2 <= answers <= 25:
            raise ValueError("agree takes the number of answers that are compared, from 2 to 25")
        return Agreement(agree=answers)
    if kinds == ["form"]:
        if raw != {"form": "json"}:
            raise ValueError("form takes json, and nothing beside it")
        return Form(form="json")
    if not isinstance(raw[kinds[0]], str):
        raise ValueError(f"{kinds[0]} takes a name")
    if kinds == ["plugin"]:
        return raw
    least, score = raw.get("at_least"), raw.get("score", "")
    if isinstance(least, bool) or not isinstance(least, (int, float)):
        raise ValueError("a metric of verify needs at_least: the value from which a row passes")
    if not isinstance(score, str):
        raise ValueError("score takes the name of one of the metric's scores")
    options = {key: raw[key] for key in raw if key not in Scored.model_fields}
    named = {"plugin": raw["metric"], **options}
    return Scored.model_validate({"metric": named, "at_least": least, "score": score})


Entry = Annotated[
    Agreement | Form | Scored | harness.Named[harness.Verifier], BeforeValidator(_entry)
]
"""What a row has to pass."""


def compared(entries: Sequence[Entry]) -> int:
    """How many answers are compared; 0 where no entry asks for agreement."""
    return next((entry.agree for entry in entries if isinstance(entry, Agreement)), 0)


def named(entries: Sequence[Entry]) -> Iterator[tuple[str, Entry]]:
    """Each entry with what it is called among the reasons of refusal, each otherwise."""
    counts: Counter[str] = Counter()
    for entry in entries:
        name = _name(entry)
        counts[name] += 1
        yield (name if counts[name] == 1 else f"{name} ({counts[name]})"), entry


def _name(entry: Entry) -> str:
    match entry:
        case Agreement():
            return f"agree {entry.agree}"
        case Form():
            return f"form {entry.form}"
        case Scored():
            return f"metric {entry.metric.raw['plugin']}"
    return f"plugin {entry.raw['plugin']}"


Verify = Callable[[Sequence[Example], Context], Sequence[Verification]]
"""Says of each of some rows whether it may be proposed."""


def verifier(entry: Entry) -> Verify | None:
    """What verifies rows for an entry; None for agreement.

    Raises:
        ConfigError: a metric has no such score.
    """
    match entry:
        case Agreement():
            return None
        case Form():
            return _are_json
        case Scored():
            return Passes(entry)
    return functools.partial(harness.verified, entry.plugin)


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
        ConfigError: it has no such score.
    """

    def __init__(self, entry: Scored) -> None:
        name, self._least = entry.metric.plugin.name, entry.at_least
        self._entry = harness.MetricEntry(name, entry.metric.plugin)
        names = self._entry.score_names
        self._score = entry.score or names[0]
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
