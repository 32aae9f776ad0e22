"""When a training is stopped early: the option, and its rule."""

from __future__ import annotations

import math
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field


class EarlyStop(BaseModel):
    """After how many validations without a better loss a training ends."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)

    patience: int = Field(default=3, ge=1, description="validations in a row without a better loss")
    min_delta: float = Field(
        default=0.0, ge=0, allow_inf_nan=False, description="what a better loss has to be lower by"
    )


def exhausted(losses: Sequence[float], rule: EarlyStop) -> bool:
    """Whether the last ``patience`` losses were none of them better than the best before.

    Better is lower by more than ``min_delta``, as for the callbacks of that name of Keras and
    transformers.

    Args:
        losses: of all validations so far, that before the first step included.
    """
    best, waited = math.inf, 0
    for loss in losses:
        if loss < best - rule.min_delta:
            best, waited = loss, 0
        else:
            waited += 1
    return waited >= rule.patience


def needs_validation(early_stop: EarlyStop | None, keep: str) -> str:
    """The option that needs validation rows; empty where none does."""
    if early_stop is not None:
        return "early_stop"
    return "keep" if keep == "best" else ""


def checked_steps(steps: int, per_epoch: int, checks: int | None) -> list[int]:
    """The steps after which a checkpoint is left to choose from; the last is one of them.

    Args:
        steps: of the whole training.
        per_epoch: steps of one epoch.
        checks: how many, evenly spaced; None: one at the end of each epoch.
    """
    if checks is None:
        return sorted({*range(per_epoch, steps + 1, per_epoch), steps})
    return sorted({math.ceil(place * steps / checks) for place in range(1, checks + 1)})
