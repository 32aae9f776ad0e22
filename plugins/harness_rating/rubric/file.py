"""Reading a rubric file, with every problem named at its line."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from harness import ConfigError, Criterion, Overall, Rubric, Scale, Show, near
from harness.kit import yaml_file
from harness.kit.problems import Problems
from harness.kit.text import one_line
from harness.kit.yaml_file import Lines, Place
from harness_rating.rubric import checks
from harness_rating.rubric.schema import CriterionFile, RubricFile
from harness_rating.rubric.scoring import content_digest

LARGEST = 256 * 1024
"""Bytes of a rubric file."""
DEEPEST = 12
"""Mappings and lists within one another."""
SECRET_NAMES = ("key", "token", "secret", "password", "authorization")


def read(path: Path) -> tuple[Rubric, Lines]:
    """The rubric of a file, and the line of each of its keys.

    Raises:
        ConfigError: it cannot be read or is no valid rubric.
    """
    raw, lines = _values(path)
    problems = Problems(path, lines, "the rubric")
    raw = _text_keys(raw, (), problems)
    given = raw.get("criteria")
    criteria = given if isinstance(given, list) else []
    shaped = [_criterion(item, ("criteria", n), problems) for n, item in enumerate(criteria)]
    head = _head(raw, problems)
    checks.check(shaped, criteria, raw, problems)
    problems.done()
    return _rubric(head, [item for item in shaped if item]), lines


def _values(path: Path) -> tuple[dict[str, Any], Lines]:
    if not path.is_file():
        raise ConfigError("there is no such rubric file", where=str(path))
    if path.stat().st_size > LARGEST:
        raise ConfigError(f"a rubric of at most {LARGEST // 1024} kB is needed", where=str(path))
    _refuse_traps(path)
    return yaml_file.read(path)


def _refuse_traps(path: Path) -> None:
    """Refuse what makes a small file endless: aliases, and brackets within brackets.

    Whatever else is wrong, the reader says.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError
    from ruamel.yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent

    depth = 0
    try:
        for event in YAML(typ="safe", pure=True).parse(path.read_text("utf-8-sig")):
            where = f"{path}:{event.start_mark.line + 1}"
            depth += isinstance(event, CollectionStartEvent)
            depth -= isinstance(event, CollectionEndEvent)
            if isinstance(event, AliasEvent):
                raise ConfigError(f"an alias (*{event.anchor}) cannot be used", where=where)
            if depth > DEEPEST:
                raise ConfigError("nested too deeply for a rubric", where=where)
    except (YAMLError, UnicodeDecodeError, OSError):
        return


def _text_keys(value: Any, place: Place, problems: Problems) -> Any:
    """The same value with text for every key: levels stand as numbers in a file."""
    if isinstance(value, list):
        return [_text_keys(item, (*place, n), problems) for n, item in enumerate(value)]
    if not isinstance(value, dict):
        return value
    found: dict[str, Any] = {}
    for key, item in value.items():
        name = str(key)
        if name in found:
            problems.add((*place, name), "is there twice")
        found[name] = _text_keys(item, (*place, name), problems)
    return found


def _criterion(raw: Any, place: Place, problems: Problems) -> CriterionFile | None:
    try:
        return CriterionFile.model_validate(raw)
    except ValidationError as error:
        _tell(problems, place, error, CriterionFile)
        return None


def _head(raw: dict[str, Any], problems: Problems) -> RubricFile | None:
    """The file but for its criteria, which are checked one by one: none hides another's faults."""
    stand_in = {"id": "a", "title": "a", "question": "a?", "scale": "text"}
    given = raw.get("criteria")
    if isinstance(given, list):
        raw = {**raw, "criteria": [stand_in] * len(given)}
    try:
        return RubricFile.model_validate(raw)
    except ValidationError as error:
        _tell(problems, (), error, RubricFile)
        return None


def _tell(problems: Problems, place: Place, error: ValidationError, kind: type[BaseModel]) -> None:
    for problem in error.errors(include_url=False):
        loc = problem["loc"]
        if problem["type"] == "extra_forbidden":
            message = _unknown(str(loc[-1]), _keys(_model_at(kind, loc[:-1])))
        elif problem["type"] == "missing":
            message = "is needed"
        else:
            said = problem["msg"].removeprefix("Value error, ")
            shown = one_line(repr(problem["input"]), 60)
            message = f"{said[:1].lower()}{said[1:]}, not {shown}"
        problems.add((*place, *loc), message)


def _unknown(name: str, known: Sequence[str]) -> str:
    message = "unknown key" + (near(name, known) or f"; known: {', '.join(known)}")
    if any(word in name.casefold() for word in SECRET_NAMES):
        message += "; a rubric holds no secrets: keys come from the environment"
    return message


def _model_at(kind: type[BaseModel], loc: Sequence[str | int]) -> type[BaseModel]:
    for part in loc:
        if isinstance(part, str) and part in kind.model_fields:
            kind = next(_models(kind.model_fields[part].annotation), kind)
    return kind


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models within an annotation such as ``JudgeFile | None``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in getattr(annotation, "__args__", ()):
        yield from _models(inner)


def _keys(kind: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in kind.model_fields.items()]


def _rubric(head: RubricFile | None, criteria: Sequence[CriterionFile]) -> Rubric:
    assert head is not None  # otherwise there were problems
    rubric = Rubric(
        id=head.id,
        version=head.version,
        title=head.title,
        language=head.language,
        instructions=head.instructions,
        show=Show(head.show.reference, head.show.system_prompt, tuple(head.show.meta)),
        criteria=tuple(_made(criterion) for criterion in criteria),
        overall=Overall(head.overall.how, head.overall.right_at),
        judge=head.judge.model_dump() if head.judge else None,
        digest="",
    )
    return dataclasses.replace(rubric, digest=content_digest(rubric))


def _made(given: CriterionFile) -> Criterion:
    scale = given.scale
    return Criterion(
        id=given.id,
        title=given.title,
        question=given.question,
        scale=Scale(
            kind=scale.kind,
            least=scale.min,
            most=scale.max,
            anchors=dict(scale.anchors),
            choices=tuple(scale.choices),
            good=scale.good or "yes",
        ),
        weight=given.weight,
        fail_below=given.fail_below,
        allow_na=given.allow_na,
        ask_if=given.ask_if,
        keys=tuple(given.keys),
        use_as=given.use_as,
    )
