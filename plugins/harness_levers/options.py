"""The keys of the config: what is tried beside the rounds. None of them changes a round."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

import harness

Share = Annotated[float, Field(gt=0, le=1)]
Off = BeforeValidator(lambda value: None if value is False else value)
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
    def _by_word(cls, value: Any) -> Any:
        if value is True or isinstance(value, list):
            return {} if value is True else {"shares": value}
        if not isinstance(value, (dict, CurveSettings)):
            raise ValueError("true, or {shares: [0.25, 0.5, 1], seeds: 2}, is needed")
        return value

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
    def _by_number(cls, value: Any) -> Any:
        if isinstance(value, int) and not isinstance(value, bool):
            return {"count": value}
        if not isinstance(value, (dict, SeedSettings)):
            raise ValueError("a whole number, or {count: 5, of: loop}, is needed")
        return value


class LeverOptions(harness.Options):
    """All keys."""

    worth: float | None = Field(
        None, gt=0, allow_inf_nan=False, strict=True,
        description="the gain in the primary score that would matter; no verdict "
"depends on it. Reports say of each arm whether it is shown, "
"excluded or open ([other settings](what-next.md#other-settings))",
    )  # fmt: skip
    arms: list[NamedArm] = Field(
        [],
        description="trainings with other settings: [{name: NAME, set: {train.r: 8}}], "
        "each compared with the best round on dev ([other "
        "settings](what-next.md#other-settings))",
    )
    models: list[harness.Named[harness.Model]] = Field(
        [],
        description="other base models to compare, each as under model: ([base "
        "models](what-next.md#base-models))",
    )
    curve: Annotated[CurveSettings | None, Off] = Field(
        None,
        description="what more rows are worth: true, or {shares: [0.25, 0.5, 1], seeds: "
        "2} ([how much data](what-next.md#how-much-data))",
    )
    seeds: Annotated[SeedSettings | None, Off] = Field(
        None,
        description="repeat trainings with so many seeds: 5, or {count: 5, of: loop} "
        "([several seeds](what-next.md#several-seeds))",
    )

    @property
    def repeats(self) -> int:
        """How often each arm is trained."""
        return self.seeds.count if self.seeds is not None and self.seeds.of == "training" else 1
