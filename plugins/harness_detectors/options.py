"""The kinds of errors that the detector ``basic`` looks for, and its options."""

from __future__ import annotations

import importlib.util
from typing import Literal

from pydantic import Field, field_validator

import harness

Category = Literal[
    "empty", "cut off", "unfinished", "repetition loop", "copy of the prompt", "wrong language",
    "wrong format", "refusal", "too short", "too long", "missing item", "missing number",
    "invented number", "missing name", "invented name", "near copy of a training row",
    "low overlap",
]  # fmt: skip
LANGUAGES = "py3langid"
"""The package that tells languages apart."""


def installed() -> bool:
    """Whether languages can be told apart beyond their scripts."""
    return importlib.util.find_spec(LANGUAGES) is not None


class BasicOptions(harness.Options):
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
                "py3langid is not installed; run: pip install py3langid, or set languages: scripts"
            )
        return value
