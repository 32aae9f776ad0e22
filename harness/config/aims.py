"""What a run shall reach, and what it shall leave alone: two keys of the config."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from harness.kit.features import prompt_features
from harness.records import Example


class Guard(BaseModel):
    """One entry of the config's ``guard``."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    score: str | None = Field(None, description="name of a score (default: the primary one)")
    where: dict[str, str | bool | float] | None = Field(
        None, description="only rows with these features, as {kind: class}"
    )
    required: bool = Field(False, description="a round for which it cannot be judged is not kept")
    max_loss: float | None = Field(
        None, gt=0, allow_inf_nan=False,
        description="a loss of this size, in the score's unit, has to be excluded",
    )  # fmt: skip

    forgetting: float | None = Field(
        None, gt=0, allow_inf_nan=False,
        description="most nats per token by which the loss on general text may rise",
    )  # fmt: skip

    answered: str | None = Field(
        None,
        description="instructions that a probe counts by themselves (`harmful requests refused`): "
        "how many more may be answered wrong than before is max_loss, a share",
    )

    @model_validator(mode="before")
    @classmethod
    def _by_name(cls, given: Any) -> Any:
        return {"score": given} if isinstance(given, str) else given

    @model_validator(mode="after")
    def _says_something(self) -> Guard:
        if self.answered is not None:
            if self.score is not None or self.where or self.forgetting is not None:
                raise ValueError(
                    "answered: is about instructions of a probe; a score:, a where: or a "
                    "forgetting: is another guard"
                )
            if self.max_loss is None or self.max_loss >= 1:
                raise ValueError("answered: needs a max_loss: above 0 and below 1, as .1")
        elif self.forgetting is not None:
            if self.score is not None or self.where or self.max_loss is not None:
                raise ValueError(
                    "forgetting: is about general text; a score:, a where: or a max_loss: is "
                    "another guard"
                )
        elif self.score is None and not self.where:
            raise ValueError(
                "a guard names a score:, a slice by where:, or both; or it is {forgetting: NUMBER} "
                "or {answered: KIND, max_loss: SHARE}"
            )
        return self

    def key(self) -> dict[str, Any]:
        """What of it is part of a run's key: without what it does not name of general text."""
        absent = {name for name in ("forgetting", "answered") if getattr(self, name) is None}
        return self.model_dump(exclude=absent)

    @property
    def beside_task(self) -> bool:
        """Whether it is about what probes ask, and not about rows of dev."""
        return self.forgetting is not None or self.answered is not None

    def name(self, primary: str) -> str:
        """``bleu``, ``rougeL where kind = class``, ``forgetting``, or a kind of instructions."""
        if self.answered is not None:
            return self.answered
        if self.forgetting is not None:
            return "forgetting"
        tests = self.conditions
        return (self.score or primary) + (f" where {tests}" if tests else "")

    @property
    def conditions(self) -> str:
        """``kind = class and hard = True``."""
        return " and ".join(f"{key} = {value}" for key, value in (self.where or {}).items())

    def covers(self, example: Example) -> bool:
        """Whether the example is one of the guarded rows."""
        features = prompt_features(example)
        return all(features.get(key) == value for key, value in (self.where or {}).items())


class Objective(BaseModel):
    """The config's ``objective``."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    metric: str = Field(description="name of a score")
    target: float = Field(allow_inf_nan=False, description="the value to be reached")
    statement: str = Field("", description="what the model is for, in words")
