"""Reading a file of facts, with every problem named at its line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import harness
from harness import ConfigError
from harness.kit import yaml_file
from harness.kit.problems import Problems
from harness.kit.text import one_line
from harness.kit.yaml_file import Place
from harness_facts.wording import Fact, wording
from harness_facts.words import END, words

LARGEST = 4 * 1024 * 1024
"""Bytes of a file of facts."""
KEYS = ("same", "every", "meta", "groups", "rows")
_SHOWN = 60


@dataclass(frozen=True, slots=True)
class RowFacts:
    """What an answer has to state, and what it must not."""

    required: tuple[Fact, ...] = ()
    forbidden: tuple[Fact, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.required or self.forbidden)

    def __add__(self, other: RowFacts) -> RowFacts:
        return RowFacts(self.required + other.required, self.forbidden + other.forbidden)


@dataclass(frozen=True, slots=True)
class FactsFile:
    """All facts of a file.

    Attributes:
        same: word -> the word that stands for it.
        every: facts of all examples.
        meta: (field, value as text) -> facts of the examples with this value.
        groups: group -> facts of its examples.
        rows: id -> facts of the example.
    """

    same: Mapping[str, str] = field(default_factory=dict)
    every: RowFacts = RowFacts()
    meta: Mapping[tuple[str, str], RowFacts] = field(default_factory=dict)
    groups: Mapping[str, RowFacts] = field(default_factory=dict)
    rows: Mapping[str, RowFacts] = field(default_factory=dict)

    def of(self, example: harness.Example) -> RowFacts:
        """The facts of one example, from all parts of the file that name it."""
        facts_of_row = self.every
        for (name, value), facts in self.meta.items():
            if name in example.meta and str(example.meta[name]) == value:
                facts_of_row += facts
        if example.group is not None and example.group in self.groups:
            facts_of_row += self.groups[example.group]
        return facts_of_row + self.rows[example.id] if example.id in self.rows else facts_of_row


def read(path: Path) -> FactsFile:
    """The facts of a file.

    Raises:
        ConfigError: it cannot be read, or something in it is wrong: all of it, with lines.
    """
    if not path.is_file():
        raise ConfigError("there is no such file of facts", where=str(path))
    if path.stat().st_size > LARGEST:
        what = f"a file of facts has at most {LARGEST // 1024**2} MiB"
        raise ConfigError(what, where=str(path))
    raw, lines = yaml_file.read(path)
    problems = Problems(path, lines, "the file of facts")
    for key in raw:
        if key not in KEYS:
            meant = harness.near(key, KEYS) or f"; known: {', '.join(KEYS)}"
            problems.add((key,), f"unknown key{meant}")
    same = _same(raw.get("same"), problems)
    facts = _Reader(same, problems).file(raw)
    if not any((facts.every, facts.meta, facts.groups, facts.rows)):
        problems.add((), "lists no facts, under none of every, meta, groups and rows")
    problems.done()
    return facts


def _same(raw: Any, problems: Problems) -> dict[str, str]:
    """Word -> the word that stands for it."""
    stand_ins: dict[str, str] = {}
    for place, (name, variants) in _entries(raw, ("same",), problems):
        if not isinstance(variants, list):
            problems.add(place, "a list of words is needed")
            continue
        whole = [_word(text, place, problems) for text in (name, *variants)]
        for variant in whole[1:]:
            if stand_ins.setdefault(variant, whole[0]) != whole[0]:
                problems.add(place, f"'{variant}' stands for two words")
        if stand_ins.get(whole[0], whole[0]) != whole[0]:
            problems.add(place, f"'{whole[0]}' stands for another word itself")
    return stand_ins


def _word(text: Any, place: Place, problems: Problems) -> str:
    single = words(text, {}) if isinstance(text, str) else []
    if len(single) != 1 or single[0] == END or single[0][0].isdigit():
        problems.add(place, f"one word is needed, not {one_line(repr(text), _SHOWN)}")
        return ""
    return single[0]


def _entries(raw: Any, place: Place, problems: Problems) -> Iterator[tuple[Place, tuple[str, Any]]]:
    """Keys and values of a part of the file; none where it is not there."""
    if raw is None:
        return
    if not isinstance(raw, dict):
        problems.add(place, "a mapping is needed")
        return
    for key, value in raw.items():
        yield (*place, str(key)), (str(key), value)


class _Reader:
    """Reads facts, given which words are the same."""

    def __init__(self, same: Mapping[str, str], problems: Problems) -> None:
        self.same = same
        self.problems = problems

    def file(self, raw: Mapping[str, Any]) -> FactsFile:
        meta = {
            (name, value): facts
            for place, (name, values) in _entries(raw.get("meta"), ("meta",), self.problems)
            for value, facts in self._named(values, place).items()
        }
        every = RowFacts() if raw.get("every") is None else self._facts(raw["every"], ("every",))
        groups = self._named(raw.get("groups"), ("groups",))
        return FactsFile(self.same, every, meta, groups, self._named(raw.get("rows"), ("rows",)))

    def _named(self, raw: Any, place: Place) -> dict[str, RowFacts]:
        return {
            name: self._facts(value, inner)
            for inner, (name, value) in _entries(raw, place, self.problems)
        }

    def _facts(self, raw: Any, place: Place) -> RowFacts:
        """A list of required facts, or ``required`` and ``forbidden``."""
        if isinstance(raw, list):
            return RowFacts(self._list(raw, place))
        if not isinstance(raw, dict) or not raw.keys() & {"required", "forbidden"}:
            what = "a list of facts is needed, or `required` and `forbidden` with a list each"
            self.problems.add(place, what)
            return RowFacts()
        for key in raw.keys() - {"required", "forbidden"}:
            self.problems.add((*place, str(key)), "unknown key; known: required, forbidden")
        required, forbidden = (
            self._list(raw[key], (*place, key)) if raw.get(key) is not None else ()
            for key in ("required", "forbidden")
        )
        if set(required) & set(forbidden):
            self.problems.add(place, "the same fact is required and forbidden")
        return RowFacts(required, forbidden)

    def _list(self, raw: Any, place: Place) -> tuple[Fact, ...]:
        if not isinstance(raw, list) or not raw:
            self.problems.add(place, "a list of facts is needed")
            return ()
        return tuple(self._fact(item, (*place, n)) for n, item in enumerate(raw))

    def _fact(self, raw: Any, place: Place) -> Fact:
        """A fact: one wording, or a list of those that are accepted."""
        texts = raw if isinstance(raw, list) and raw else [raw]
        wordings = []
        for text in texts:
            if isinstance(text, bool) or not isinstance(text, str | int | float):
                what = f"a text is needed, not {one_line(repr(text), _SHOWN)}"
                self.problems.add(place, f"{what}: quote what YAML takes for something else")
                continue
            try:
                wordings.append(wording(str(text), self.same))
            except ValueError as error:
                shown = one_line(str(text), _SHOWN)
                self.problems.add(place, f"the wording '{shown}' {error}")
        return Fact(tuple(wordings), one_line(str(texts[0]), _SHOWN))
