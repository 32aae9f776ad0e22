"""What is wrong with a file, each problem with its line, so that all are told at once."""

from __future__ import annotations

import typing
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from harness.errors import ConfigError, EnvironmentFailure, near
from harness.kit.yaml_file import Lines, Place
from harness.records import Level

WHOLE = "whole_message"
"""Type of a ``PydanticCustomError`` whose message needs no *not VALUE* behind it."""
_DUE = "Input should be "
"""How pydantic begins to say what is due."""
_LONGEST_SHOWN = 80
"""Characters of a wrong value that a message repeats."""


class Problems:
    """Collects what is wrong, each with its line.

    Attributes:
        found: the problems, one a line; what several entries of a list share stands once.
        flags: dotted key -> the flag that gave its value (``--set``), which no line holds.
        remarks: what is unknown or worth knowing and stops nothing, as (level, line).
    """

    def __init__(
        self,
        path: Path | None,
        lines: Lines,
        subject: str = "the config",
        flags: Mapping[str, str] | None = None,
    ) -> None:
        self.path, self.lines = path, lines
        self.subject = subject
        self.flags = flags or {}
        self.remarks: list[tuple[Level, str]] = []
        self._places: dict[tuple[Place, str], list[str]] = {}
        self._wrong = False

    @property
    def found(self) -> list[str]:
        return [
            f"{first}: {message}" + (f" (also: {', '.join(others)})" if others else "")
            for (_, message), (first, *others) in self._places.items()
        ]

    def add(self, place: Place, message: str, level: Level = "config") -> None:
        """Note a problem; see :class:`harness.records.Problem` for the levels."""
        where = self._where(place)
        if level in ("unknown", "note"):
            self.remarks.append((level, f"{where}: {message}"))
            return
        self._wrong |= level == "config"
        keys = tuple(part for part in place if isinstance(part, str))
        self._places.setdefault((keys, message), []).append(where)

    def _where(self, place: Place) -> str:
        for n in range(len(place), 0, -1):
            if flag := self.flags.get(".".join(map(str, place[:n]))):
                return f"{flag} {'.'.join(map(str, place))}" if flag == "--set" else flag
        line = next(
            (self.lines[place[:n]] for n in range(len(place), 0, -1) if place[:n] in self.lines),
            None,
        )
        where = f"{self.path}:{line}: " if line else (f"{self.path}: " if self.path else "")
        return where + ".".join(str(part) for part in place)

    def add_validation(
        self, place: Place, error: ValidationError, model: type[BaseModel],
        synonyms: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        """Note all that pydantic found wrong with the value at ``place``.

        Args:
            model: what the value was to be; its keys are proposed where one is unknown.
            synonyms: other words for keys of the model itself, with what they mean.
        """
        for problem in _of_unions(error.errors(), model):
            inner = (*place, *problem["loc"])
            if problem["type"] == "extra_forbidden":
                name, names = str(problem["loc"][-1]), _keys_at(model, problem["loc"][:-1])
                meant = near(name, names, synonyms if len(problem["loc"]) == 1 else None)
                listed = f"; known: {', '.join(names)}" if names and not meant else ""
                self.add(inner, f"unknown key{meant}{listed}")
            elif problem["type"] == "missing":
                self.add(inner, "is needed")
            else:
                message = problem["msg"].removeprefix("Value error, ")
                message = f"{message[:1].lower()}{message[1:]}"
                if inner[-1:] == ("[key]",):  # a key of a mapping, which the message names
                    self.add(inner[:-1], message)
                elif problem["type"] == "string_type" and isinstance(problem["input"], dict):
                    self.add(inner, "a text is needed, and this reads as a mapping: quote it")
                elif isinstance(problem["input"], dict) or problem["type"] == WHOLE:
                    self.add(inner, message)
                else:
                    self.add(inner, message + _given(problem["input"]))

    def done(self) -> None:
        """Raise what was collected, if it stops anything.

        Raises:
            ConfigError: the file is wrong.
            EnvironmentFailure: the file is right, and this machine lacks what it asks for.
        """
        count = sum(map(len, self._places.values()))
        if not count:
            return
        what = f"{count} problem{'s' if count > 1 else ''}"
        details = [*self.found, *(f"{level}: {line}" for level, line in self.remarks)]
        if self._wrong:
            raise ConfigError(f"{what} in {self.subject}", details=details)
        raise EnvironmentFailure(f"{what} of this machine", details=details)


def _of_unions(problems: Sequence[Any], model: type[BaseModel]) -> Iterator[Any]:
    """The same, where a value that none of several types takes is one problem at its own place.

    pydantic has one for each type, at a place within it that has the type's name.
    """
    of_value: dict[Any, list[Any]] = {}
    for number, problem in enumerate(problems):
        *place, last = problem["loc"] or ("",)
        key = isinstance(last, int) or last in _keys_at(model, tuple(place))
        own = (number,) if key else (tuple(place), id(problem["input"]))
        of_value.setdefault(own, []).append(problem)
    for first, *others in of_value.values():
        # The same value under two keys of a mapping is wrong twice, in the same words.
        if {other["msg"] for other in others} <= {first["msg"]}:
            yield from (first, *others)
            continue
        dues = [
            problem["msg"].removeprefix(_DUE).partition(", unable")[0]
            for problem in (first, *others)
        ]
        due = f"{_DUE}{' or '.join(dues)}"
        yield {**first, "loc": first["loc"][:-1], "msg": due, "type": "union"}


def _keys_at(model: type[BaseModel], place: Place) -> list[str]:
    """The keys that the model at a place within another one knows, as a file writes them."""
    for key in place:
        for name, field in model.model_fields.items():
            if key in (name, field.alias):
                model = next(_models(field.annotation), model)
                break
    return [field.alias or name for name, field in model.model_fields.items()]


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models within an annotation such as ``list[Guard] | None``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in typing.get_args(annotation):
        yield from _models(inner)


def _given(value: Any) -> str:
    """What was given instead; a whole mapping is not repeated."""
    shown = repr(value)
    usable = not isinstance(value, Mapping) and len(shown) <= _LONGEST_SHOWN
    return f", not {shown}" if usable else ""
