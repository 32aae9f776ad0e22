"""What is proposed for rows: the record between drafting, the config and the screen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness_rows import proposals
from harness_rows.initial.overview import Overview
from harness_rows.initial.scoring import Proposal
from harness_rows.initial.splits import Splits


@dataclass(frozen=True, slots=True)
class Other:
    """Another share for train: the rows of each split, and what gain dev can show then."""

    share: float
    rows: Mapping[str, int]
    shows: str


@dataclass(frozen=True, slots=True)
class Draft:
    """A config, and what it rests on.

    Attributes:
        seen: in the rows.
        command: which wrote it.
        data: option of the source -> value, without ``sizes``.
        model: option -> value, ``source`` first.
        few_shot: whether examples of train have room before the longest row.
        label: column of the answer where that is a label, and so a feature.
        dev_given: whether the data say which rows are dev (or validation).
        preference: what pairs, or answers that are good or bad, are learned by; else empty.
        detects: what its dev rows can show.
        followed: by what prompt and answer were told, where no format was recognised.
    """

    seen: Overview
    command: str
    data: Mapping[str, object]
    model: Mapping[str, str]
    splits: Splits
    scoring: Proposal
    few_shot: bool
    label: str
    dev_given: bool
    preference: str
    detects: str
    followed: proposals.Proposal | None
    others: tuple[Other, ...]
