"""The baseline ``prompted``: a system turn that says what an answer has to look like."""

from __future__ import annotations

import dataclasses
import json
import statistics
from collections.abc import Iterator, Sequence

from pydantic import Field, field_validator

import harness
from harness_prompts.forms import labels_of, parsed
from harness_prompts.turns import with_system

KEYS = 20
"""Keys of JSON objects at most that are listed."""
UNSPACED = 15
"""Characters of a word on average, from which on there are no words to be counted."""
ALONE = "and write nothing else."


class Prompted(harness.Baseline):
    """A system turn before each prompt: yours, or one made from the form of train's answers."""

    name = "prompted"
    known_as = ("system", "system-prompt", "zero-shot")

    class Options(harness.Options):
        """
        Attributes:
            system: the turn's text; empty: made from the answers of train.
        """

        system: str = Field(
            "",
            description="text of the system turn; without it one is made from the answers of train",
        )

        @field_validator("system")
        @classmethod
        def _says_something(cls, text: str) -> str:
            if text and not text.strip():
                raise ValueError("it is blank: give a text, or leave it out")
            return text

    def prompts(
        self,
        rows: Sequence[harness.Example],
        train: Sequence[harness.Example],
        context: harness.Context,
    ) -> Iterator[harness.Example]:
        text = self._text(train)
        for row in rows:
            yield dataclasses.replace(row, messages=with_system(row, text))

    def description(self, train: Sequence[harness.Example]) -> str:
        origin = "" if self.options.system else ", made from the answers of train"
        return f"a system turn before each prompt{origin}: “{self._text(train)}”"

    def _text(self, train: Sequence[harness.Example]) -> str:
        return str(self.options.system) or instructions(train)


def instructions(train: Sequence[harness.Example]) -> str:
    """What an answer has to look like, in a sentence or two.

    By the first reference of each row: calls of tools, JSON and its keys, a label, or how long
    answers are.

    Raises:
        ConfigError: no row of train has a reference.
    """
    answers = [row.references[0] for row in train if row.references]
    if not answers:
        raise harness.ConfigError(
            "no row of train has a reference, from which a system turn could be made",
            hint="give its text: baselines: [{plugin: prompted, system: TEXT}]",
        )
    read = [row.answer(row.references[0]) for row in train if row.references]
    spoken = [answer.content for answer in read if not answer.calls]
    if 2 * len(spoken) < len(read):
        return _calls(spoken)
    return _json(answers) or _labels(answers) or _length(answers)


def _calls(spoken: Sequence[str]) -> str:
    """Where most answers call tools.

    Args:
        spoken: the others.
    """
    if not spoken:
        return f"Answer with calls of the tools that are offered, {ALONE}"
    return (
        f"Where tools that are offered do what is asked, call them, {ALONE} Else: {_length(spoken)}"
    )


def _json(answers: Sequence[str]) -> str:
    """Where all answers are JSON objects or lists."""
    values = [parsed(answer) for answer in answers]
    if not all(isinstance(value, (dict, list)) for value in values):
        return ""
    if all(isinstance(value, list) for value in values):
        return f"Answer with a JSON list {ALONE}"
    if any(isinstance(value, list) for value in values):
        return f"Answer in JSON, with a list or an object, {ALONE}"
    head = "Answer with one JSON object"
    keys = list(dict.fromkeys(key for value in values for key in value))
    if not keys or len(keys) > KEYS:
        return f"{head} {ALONE}"
    listed = ", ".join(json.dumps(key, ensure_ascii=False) for key in keys)
    if all(value.keys() == set(keys) for value in values):
        return f"{head} with the {'key' if len(keys) == 1 else 'keys'} {listed}, {ALONE}"
    most = max(map(len, values))
    some = "one of the keys" if most == 1 else "some of the keys"
    return f"{head} with {some} {listed}, {ALONE}"


def _labels(answers: Sequence[str]) -> str:
    labels = labels_of(answers)
    return f"Answer with exactly one of these, {ALONE[:-1]}: {'; '.join(labels)}" if labels else ""


def _length(answers: Sequence[str]) -> str:
    words = statistics.median(len(answer.split()) for answer in answers)
    characters = statistics.median(map(len, answers))
    if characters > UNSPACED * max(1, words):
        return f"Answer in about {round(characters)} characters, {ALONE}"
    count = max(1, round(words))
    return f"Answer in about {count} {'word' if count == 1 else 'words'}, {ALONE}"
