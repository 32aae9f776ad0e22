"""What a setting may be: one of a list, or a number between two ends."""

from __future__ import annotations

import math
from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

DIGITS = 3
"""Significant digits of a number that is drawn: a setting that people copy."""


class Range(BaseModel):
    """``{low: 1e-5, high: 3e-3, log: true}``; whole numbers where both ends are written as such."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    low: int | float = Field(allow_inf_nan=False, description="least value")
    high: int | float = Field(allow_inf_nan=False, description="greatest value")
    log: bool = Field(False, description="whether ratios count, as for a learning rate")

    @model_validator(mode="after")
    def _spans(self) -> Self:
        if self.low >= self.high:
            raise ValueError(f"low is {self.low} and high {self.high}: low has to be below high")
        if self.log and self.low <= 0:
            raise ValueError(f"low is {self.low}: with log: true it has to be above 0")
        return self

    @property
    def whole(self) -> bool:
        return isinstance(self.low, int) and isinstance(self.high, int)

    def rounded(self, value: float) -> int | float:
        """A drawn value as it is tried, within the ends."""
        if self.whole:
            return int(value)
        places = DIGITS - 1 - math.floor(math.log10(abs(value))) if value else 0
        return min(max(round(value, places), float(self.low)), float(self.high))


def parsed(given: Any) -> Range | list[Any]:
    """What stands under a key of ``over``.

    Raises:
        ValueError: it leaves nothing to choose.
    """
    if isinstance(given, Range):
        return given
    if isinstance(given, dict):
        try:
            return Range.model_validate(given)
        except ValidationError as error:
            raise ValueError("; ".join(map(_told, error.errors()))) from None
    if not isinstance(given, list):
        raise ValueError("a list of values is needed, or {low: 1e-5, high: 3e-3, log: true}")
    if len(given) < 2:
        raise ValueError("a list needs two values or more: there is nothing to choose")
    repeated = [value for place, value in enumerate(given) if value in given[:place]]
    if repeated:
        raise ValueError(f"{repeated[0]!r} is listed twice")
    return given


def _told(problem: Any) -> str:
    where = ".".join(str(part) for part in problem["loc"] if part in Range.model_fields)
    message = str(problem["msg"]).removeprefix("Value error, ")
    return f"{where}: {message[:1].lower()}{message[1:]}" if where else message


Values = Annotated[Range | list[Any], BeforeValidator(parsed)]
"""What a setting may be."""
