"""How the level is divided over candidates before a score is seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from harness import Condition, Example
from harness.kit.features import holds, prompt_features
from harness_slices.candidates import Candidate, Value

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

PLANNED = 0.75
"""Share of the level for single conditions that a plan can ask rows for."""
MOST = 8.0
"""Times the weight of others that a condition can have which train hardly has rows of."""
MOST_ROWS = 2_000
"""Rows of train that are counted, evenly over all."""

Known = Sequence[Mapping[str, Value]]


def known(train: Sequence[Example]) -> Known:
    """The features of the rows of train, or of every so many of them."""
    step = -(-len(train) // MOST_ROWS) or 1
    return [prompt_features(row) for row in train[::step]]


def weights(family: Sequence[Candidate], train: Known) -> Floats:
    """Weights ``(c,)`` of mean 1, whatever the scores.

    Single conditions that rows can be addressed by are a class of their own with the share
    ``PLANNED`` of the level, if not more by their number. Within a class a condition that train
    has fewer rows of than dev (in proportion) has more weight: as many times as its share of dev
    is of its share of train, up to ``MOST``.
    """
    import numpy as np

    if not family:
        return np.ones(0)
    addressed = np.array([c.from_prompt and len(c.conditions) == 1 for c in family])
    scarce = _scarcity(family, train) if train else np.ones(len(family))
    number = np.count_nonzero(addressed)
    if not 0 < number < len(family):
        return np.asarray(scarce / scarce.mean())
    share = max(PLANNED, number / len(family))
    relative: Floats = np.where(
        addressed,
        share * scarce / scarce[addressed].sum(),
        (1 - share) * scarce / scarce[~addressed].sum(),
    )
    return relative * len(family)


def _scarcity(family: Sequence[Candidate], train: Known) -> Floats:
    """How many times as large each share of dev is as that of train ``(c,)``: 1 to ``MOST``."""
    import numpy as np

    rows: dict[Condition, npt.NDArray[np.bool_]] = {}
    scarcity = np.ones(len(family))
    for place, candidate in enumerate(family):
        if candidate.from_prompt:
            for condition in candidate.conditions:
                if condition not in rows:
                    rows[condition] = np.array([holds((condition,), row) for row in train])
            both = np.logical_and.reduce([rows[condition] for condition in candidate.conditions])
            of_train = (np.count_nonzero(both) + 1) / (len(train) + 1)
            scarcity[place] = min(MOST, max(1.0, float(candidate.inside.mean()) / of_train))
    return scarcity
