"""Rubric files: where one lies, and what it holds, with every problem named at its line."""

from __future__ import annotations

import dataclasses
import graphlib
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from harness import SCORED_KINDS, ConfigError, Rubric, from_json, near, shipped
from harness.kit import yaml_file
from harness.kit.problems import Problems
from harness.kit.yaml_file import Lines, Place
from harness_rating.rubric.conditions import FORM, TESTS, names_in
from harness_rating.rubric.schema import CriterionFile, RubricFile, ScaleFile
from harness_rating.rubric.scoring import content_digest

LARGEST = 256 * 1024
"""Bytes of a rubric file."""
# Kinds of keys as their issuers write them: OpenAI and others, Hugging Face, GitHub, Google, AWS.
_SECRET = re.compile(
    r"\b(sk-[\w-]{16,}|hf_\w{16,}|gh[pousr]_\w{20,}|AIza[\w-]{30,}|AKIA[A-Z0-9]{16}"
    r"|Bearer\s+[\w.~+/-]{16,})"
)


def find(name: str) -> Path:
    """The file that a person means: a path, or the id of a rubric that comes with the harness.

    Raises:
        ConfigError: it is neither.
    """
    path = Path(name)
    if path.is_file():
        return path
    ready = {file.stem: file for file in sorted(shipped("rubrics").glob("*.yaml"))}
    if name not in ready:
        hint = f"name a file, or one of {', '.join(ready)}"
        raise ConfigError(f"there is no rubric {name!r}{near(name, list(ready))}", hint=hint)
    return ready[name]


def load(path: Path) -> Rubric:
    """The rubric that a file holds.

    Raises:
        ConfigError: the file cannot be read or is no valid rubric; all problems are named at
            once, each with its line.
    """
    return read(path)[0]


def read(path: Path) -> tuple[Rubric, Lines]:
    """The rubric of a file, and the line of each of its keys.

    Raises:
        ConfigError: it cannot be read or is no valid rubric.
    """
    if not path.is_file():
        raise ConfigError("there is no such rubric file", where=str(path))
    if path.stat().st_size > LARGEST:
        raise ConfigError(f"a rubric of at most {LARGEST // 1024} kB is needed", where=str(path))
    raw, lines = yaml_file.read(path)
    problems = Problems(path, lines, "the rubric")
    try:
        content = RubricFile.model_validate(raw).model_dump(by_alias=True)
    except ValidationError as error:
        problems.add_validation((), error, RubricFile)
    criteria = raw.get("criteria")
    _check_together(criteria if isinstance(criteria, list) else [], problems)
    for place in _secrets(raw, ()):
        problems.add(place, "looks like a key for a service; take it out, and revoke it")
    problems.done()
    del content["schema"]
    rubric = from_json(Rubric, {**content, "digest": ""})
    return dataclasses.replace(rubric, digest=content_digest(rubric)), lines


def _secrets(value: Any, place: Place) -> Iterator[Place]:
    """Places of keys for services; raters, reports and judges read whatever a rubric holds."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _secrets(item, (*place, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _secrets(item, (*place, index))
    elif isinstance(value, str) and _SECRET.search(value):
        yield place


# -- what criteria have to agree on -------------------------------------------------------------


def _check_together(raw: Sequence[Any], problems: Problems) -> None:
    """Ids, conditions, and what a rubric needs as a whole.

    Criteria that are at fault themselves are named already; they hide nothing of the others.
    """
    shaped = [_shaped(item) for item in raw]
    ids = [item.get("id") if isinstance(item, Mapping) else None for item in raw]
    for index, name in enumerate(ids):
        if isinstance(name, str) and name in ids[:index]:
            line = problems.lines.get(("criteria", ids.index(name), "id"))
            first = f" (first in line {line})" if line else ""
            problems.add(("criteria", index, "id"), f"{name!r} is the id of two criteria{first}")
    by_id = {str(name): criterion for name, criterion in zip(ids, shaped, strict=True) if name}
    for place, message in _conditions(shaped, by_id):
        problems.add(place, message)
    whole = [criterion for criterion in shaped if criterion]
    if len(whole) == len(shaped):
        for key, index, message in _as_a_whole(whole):
            problems.add(("criteria", index, key), message)


def _shaped(raw: Any) -> CriterionFile | None:
    try:
        return CriterionFile.model_validate(raw)
    except ValidationError:
        return None


def _as_a_whole(criteria: Sequence[CriterionFile]) -> Iterator[tuple[str, int, str]]:
    """Key, place of the criterion, and what is wrong there."""
    scoring = [
        index for index, criterion in enumerate(criteria) if criterion.scale.kind in SCORED_KINDS
    ]
    if scoring and not any(criteria[index].weight for index in scoring):
        message = "every weight is 0, so there is no overall score; give one criterion a weight"
        yield "weight", scoring[0], message
    references = [
        index for index, criterion in enumerate(criteria) if criterion.use_as == "reference"
    ]
    for index in references[1:]:
        yield "use_as", index, "only one criterion can give the reference"
    if all(criterion.scale.kind != "pairwise" for criterion in criteria):
        return
    for index, criterion in enumerate(criteria):
        kind = criterion.scale.kind
        if kind in ("binary", "ordinal", "number"):
            message = f"two answers are compared here, so kind {kind} cannot say which it is about"
            yield "scale", index, message
        if criterion.use_as == "error_category":
            yield "use_as", index, "two answers are compared here, so an error would have no answer"


# -- conditions ---------------------------------------------------------------------------------

Known = Mapping[str, CriterionFile | None]
"""Id -> criterion; None where it is at fault itself."""


def _conditions(
    criteria: Sequence[CriterionFile | None], known: Known
) -> Iterator[tuple[Place, str]]:
    """What is wrong with ``ask_if``, and where."""
    asks: dict[str, frozenset[str]] = {}
    places: dict[str, Place] = {}
    for index, criterion in enumerate(criteria):
        if criterion is not None and criterion.ask_if is not None:
            place = places[criterion.id] = ("criteria", index, "ask_if")
            wrong = list(_condition(criterion.ask_if, place, known))
            yield from wrong
            asks[criterion.id] = frozenset() if wrong else names_in(criterion.ask_if)
    try:
        graphlib.TopologicalSorter(asks).prepare()
    except graphlib.CycleError as error:
        circle = error.args[1]
        yield places[circle[0]], f"goes in a circle: {' -> '.join(circle)}"


def _condition(condition: Any, place: Place, known: Known) -> Iterator[tuple[Place, str]]:
    if not isinstance(condition, Mapping) or not condition:
        yield place, FORM
        return
    for key, wanted in condition.items():
        there = (*place, key)
        if key == "not":
            yield from _condition(wanted, there, known)
        elif key == "any" and isinstance(wanted, list) and wanted:
            for index, inner in enumerate(wanted):
                yield from _condition(inner, (*there, index), known)
        elif key == "any":
            yield there, "a list of conditions is needed, of which one has to hold"
        elif key not in known:
            yield there, f"there is no criterion {key!r}{near(str(key), list(known))}"
        elif (criterion := known[key]) is not None:
            tests = wanted if isinstance(wanted, Mapping) else {"is": wanted}
            for word, value in tests.items() or [("", None)]:  # no test at all fits no scale
                if wrong := _misfit(word, value, criterion.scale):
                    yield there, wrong


def _misfit(word: str, value: Any, scale: ScaleFile) -> str:
    """Why a test says nothing of the values of a scale; empty where it does."""
    if scale.kind == "text":
        return "is text, which no condition can ask about"
    if scale.kind == "choices":
        fits = ["has"]
    elif scale.kind in ("ordinal", "number"):
        fits = [test for test in TESTS if test != "has"]
    else:
        fits = ["is"]
    if word not in fits:
        return f"a criterion of kind {scale.kind} is asked about by {', '.join(fits)} only"
    if scale.min is None or scale.max is None:
        values = scale.labels
        return "" if value in values else f"has no value {value!r} (it has {', '.join(values)})"
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return f"is a number, not {value!r}"
    if scale.min <= value <= scale.max:
        return ""
    return f"lies in {scale.min:g} to {scale.max:g}, never at {value:g}"
