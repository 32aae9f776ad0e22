"""The detector ``basic``: kinds of errors that can be seen without judgement."""

from __future__ import annotations

import functools
import importlib.util
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, get_args

from pydantic import Field, field_validator

import harness
from harness import ErrorLabel, Example, ScoredExample
from harness.kit.text import one_line

if TYPE_CHECKING:
    from harness_detectors.rules import Rules

Category = Literal[
    "empty", "cut off", "unfinished", "repetition loop", "copy of the prompt", "wrong language",
    "wrong format", "refusal", "too short", "too long", "missing item", "missing number",
    "invented number", "missing name", "invented name", "near copy of a training row",
    "low overlap",
]  # fmt: skip
CATEGORIES: tuple[str, ...] = get_args(Category)

MALFORMED: tuple[Category, ...] = ("wrong format", "cut off", "copy of the prompt")
_EVIDENCE = 160
LANGUAGES = "py3langid"
"""The package that tells languages apart."""


def installed() -> bool:
    """Whether languages can be told apart beyond their scripts."""
    return importlib.util.find_spec(LANGUAGES) is not None


class Basic(harness.Detector):
    """Names what rules can see of one answer; several kinds may hold.

    A wrong fact or a wrong tone is not among them. *low overlap* is said only where no other
    kind holds, and an empty answer has no other category.
    """

    name = "basic"
    revision = 5
    libraries = ("py3langid", "rapidfuzz")

    class Options(harness.Options):
        repeats: int = Field(default=4, ge=2, description="times in a row that make a loop")
        copied: float = Field(
            default=0.5,
            gt=0,
            le=1,
            description="share of the answer's words that stand in runs of 5 or more of the "
            "prompt's, from which it is a copy",
        )
        short: float = Field(
            default=1 / 3,
            ge=0,
            lt=1,
            description="an answer is too short below this part of the shortest reference's words",
        )
        long: float = Field(
            default=3.0,
            gt=1,
            description="and too long above this multiple of the longest reference's words",
        )
        overlap: float = Field(
            default=0.2, ge=0, le=1, description="least overlap of words with a reference (F1)"
        )
        languages: Literal["scripts", "py3langid"] = Field(
            default="py3langid",
            description="what tells languages apart: `py3langid`, or `scripts` alone (quicker)",
        )
        skip: tuple[Category, ...] = Field(default=(), description="kinds that are not looked for")

        @field_validator("languages")
        @classmethod
        def _is_installed(cls, value: str) -> str:
            if value == "py3langid" and not installed():
                raise ValueError(
                    "py3langid is not installed; run: pip install py3langid, "
                    "or set languages: scripts"
                )
            return value

    def prepare(self, train: Sequence[Example]) -> None:
        """Learn which answers the model was trained on, for near copies."""
        self._rules.prepare(train)

    def categories(self) -> Mapping[str, str]:
        """The kinds that are looked for, each with its definition in one line."""
        return self._rules.definitions

    def malformed(self) -> Sequence[str]:
        return [name for name in MALFORMED if name not in self.options.skip]

    def detect(self, scored: ScoredExample) -> Iterable[ErrorLabel]:
        """Every kind of error that the answer shows, each with its evidence."""
        return [
            ErrorLabel(scored.example.id, category, one_line(evidence, _EVIDENCE), self.name)
            for category, evidence in self._rules.errors_in(scored)
        ]

    @functools.cached_property
    def _rules(self) -> Rules:
        # Some thirty patterns with the letters of all scripts: only a run that answers needs them.
        from harness_detectors.rules import Rules

        return Rules(self.options)
