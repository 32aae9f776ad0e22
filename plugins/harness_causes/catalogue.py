"""The causes that can be named: what each means, its remedy, and whether new data cure it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Cause(NamedTuple):
    """One cause.

    Attributes:
        definition: one line, for the reader of a report.
        remedy: what to do, with the config key where there is one.
        curable_by_data: whether rows that an augmenter adds can cure it.
    """

    definition: str
    remedy: str
    curable_by_data: bool


CUT = "cut"
FORGETTING = "forgetting"
NARROW = "narrow reference"
CONFLICT = "conflict"
GAP = "gap"
CAPACITY = "capacity"
LABEL = "label wording"
UNKNOWN = "unknown"

CAUSES: Mapping[str, Cause] = {
    CUT: Cause(
        "the answer ended at max_new_tokens before it was as long as its reference",
        "raise generate.max_new_tokens",
        False,
    ),
    FORGETTING: Cause(
        "the base model passed it, and the tuned model fails it",
        "replay: put rows of this kind into train again, or lower train.epochs or "
        "train.learning_rate",
        False,
    ),
    NARROW: Cause(
        "the answer has the words or the other scores of a passing one",
        "review the reference, or add a second one",
        False,
    ),
    CONFLICT: Cause(
        "the nearest training rows contradict each other, or agree on another answer",
        "fix or drop the training rows that are named",
        False,
    ),
    GAP: Cause(
        "no near training row, or none that teaches such an answer",
        "augment this slice: add training rows of this kind (augment:)",
        True,
    ),
    LABEL: Cause(
        "the answer is no label that train teaches: the right one in other words, or none",
        "read some: add a second reference where they mean the same, else raise train.epochs",
        False,
    ),
    CAPACITY: Cause(
        "the nearest training rows teach the answer, and the model still fails it",
        "raise train.epochs or the capacity of what is trained (train.r of `lora`)",
        False,
    ),
    UNKNOWN: Cause(
        "no signal speaks clearly for one of the others",
        "see whether the reference is right and the prompt says all that the answer needs, and "
        "what these answers have in common",
        False,
    ),
}
