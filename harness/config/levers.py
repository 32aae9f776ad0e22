"""What a run shall try beside its rounds: keys of the config that change none of these."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

Share = Annotated[float, Field(gt=0, le=1)]
Off = BeforeValidator(lambda given: None if given is False else given)
"""``false`` turns a lever off."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class NamedArm(_Strict):
    """One entry of the config's ``arms``: ``{name: lower rate, set: {train.learning_rate: …}}``."""

    name: str = Field(min_length=1, max_length=60)
    set: dict[str, Any] = Field(min_length=1, description="dotted key -> its value in this arm")


class CurveSettings(_Strict):
    """The config's ``curve``: shares of the training rows, each trained with several seeds."""

    shares: list[Share] = Field(
        [0.25, 0.5, 1.0], min_length=2, description="of the training rows; the last one is 1"
    )
    seeds: int = Field(2, ge=2, le=20, description="trainings of each share")

    @model_validator(mode="before")
    @classmethod
    def _by_word(cls, given: Any) -> Any:
        if given is True or isinstance(given, list):
            return {} if given is True else {"shares": given}
        if not isinstance(given, (dict, CurveSettings)):
            raise ValueError("true, or {shares: [0.25, 0.5, 1], seeds: 2}, is needed")
        return given

    @model_validator(mode="after")
    def _rising(self) -> CurveSettings:
        if self.shares != sorted(set(self.shares)) or self.shares[-1] != 1:
            raise ValueError("shares rise, and the last one is 1: [0.25, 0.5, 1]")
        return self


class SeedSettings(_Strict):
    """The config's ``seeds``: how often trainings, or the whole loop, are repeated."""

    count: int = Field(
        ge=5, le=100, description="seeds, the run's own included; a verdict needs five"
    )
    of: Literal["training", "loop"] = Field(
        "training", description="what is repeated: trainings, or the loop with all its rounds"
    )

    @model_validator(mode="before")
    @classmethod
    def _by_number(cls, given: Any) -> Any:
        if isinstance(given, int) and not isinstance(given, bool):
            return {"count": given}
        if not isinstance(given, (dict, SeedSettings)):
            raise ValueError("a whole number, or {count: 5, of: loop}, is needed")
        return given
