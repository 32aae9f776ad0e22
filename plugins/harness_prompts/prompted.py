"""The baseline ``prompted``: a system turn that says what an answer has to look like."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

from pydantic import Field, field_validator

import harness
from harness_prompts.instructions import instructions
from harness_prompts.turns import with_system


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
        made = "" if self.options.system else ", made from the answers of train"
        return f"a system turn before each prompt{made}: “{self._text(train)}”"

    def _text(self, train: Sequence[harness.Example]) -> str:
        given: str = self.options.system
        return given or instructions(train)
