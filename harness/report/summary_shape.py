"""What a summary has to have for a run to be told: asked once, where the file is read.

``summary.schema.json`` says all that a summary holds; this is what is relied on, where it may have
been edited by hand. Whatever else is in one is shown where it makes sense, and left out elsewhere.
"""

from __future__ import annotations

import functools
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from harness.kit.text import one_line

NOT_WHOLE = "this is no whole summary"
LONGEST = 300
"""Characters of what is said to be wrong."""

_Figure = Annotated[float, Field(allow_inf_nan=False)]


class _Part(BaseModel):
    model_config = ConfigDict(strict=True)


class _Model(_Part):
    base: str
    adapter: str | None


class _Dates(_Part):
    started: str | None
    finished: str | None


class _Settings(_Part):
    data: dict[str, Any] | None = None


class _Data(_Part):
    rows: dict[str, int]
    digests: dict[str, str] | None = None


class _Score(_Part):
    value: _Figure | None
    low: _Figure | None = None
    high: _Figure | None = None
    caveat: str | None = None
    signature: str | None = None


class _Verdict(_Part):
    label: str


class _Round(_Part):
    train_rows: Any
    scores: dict[str, _Score]
    verdict: _Verdict


class _Test(_Part):
    looks: int = Field(ge=1)
    kept: dict[str, _Score]
    verdict: _Verdict


class _Sealed(_Part):
    reason: str
    sentence: str


class _Beside(_Part):
    """An arm, or a baseline."""

    name: str
    changed: dict[str, Any] | None = None
    trainings: list[Any] | None = None
    scores: dict[str, dict[str, Any]] | None = None
    verdict: _Verdict | None = None


class _Method(_Part):
    verdict: dict[str, Any] | None = None


class _Levers(_Part):
    curve: dict[str, Any] | None = None
    models: dict[str, Any] | None = None
    method: _Method | None = None


class _Chosen(_Part):
    short: str = ""


class _Summary(_Part):
    run: str
    primary: str
    model: _Model
    dates: _Dates
    settings: _Settings
    data: _Data
    rounds: list[_Round]
    kept_round: int = Field(ge=0)
    test: _Test | None
    sealed: _Sealed | None = None
    seconds: dict[str, Any]
    chosen: _Chosen | None = None
    arms: list[_Beside] | None = None
    baselines: list[_Beside] | None = None
    levers: _Levers | None = None

    @model_validator(mode="after")
    def _told_by_its_primary_score(self) -> _Summary:
        if self.kept_round >= len(self.rounds):
            raise ValueError("its best round is not among its rounds")
        scored = [self.rounds[self.kept_round].scores, *([self.test.kept] if self.test else [])]
        if any(self.primary not in scores for scores in scored):
            raise ValueError("its primary score is not among its scores")
        return self


def missing(document: Any) -> str:
    """What keeps the document from being a summary that a run can be told by; empty for nothing."""
    try:
        _adapter().validate_python(document)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        message = first["msg"].removeprefix("Value error, ")
        told = f"{place}: {message[:1].lower()}{message[1:]}" if place else message
        return one_line(f"{NOT_WHOLE}: {told}", LONGEST)
    return ""


@functools.cache
def _adapter() -> TypeAdapter[_Summary]:
    return TypeAdapter(_Summary)
