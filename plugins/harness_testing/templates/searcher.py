"""The searcher ``sample``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import harness
from harness import Trial

RATE = "train.learning_rate"


class Sample(harness.Searcher):
    """Halves the learning rate of the best trial so far."""

    name = "sample"

    def space(self) -> Mapping[str, Sequence[Any]]:
        return {RATE: [1e-6, 1e-2]}

    def propose(
        self, trials: Sequence[Trial], seed: int, higher_is_better: bool
    ) -> Mapping[str, Any] | None:
        # After a kill it is asked again: only arguments and options may count.
        measured = [t for t in trials if t.value is not None and RATE in t.values]
        if not measured:
            return {RATE: 1e-3}
        sign = 1 if higher_is_better else -1
        best = max(measured, key=lambda trial: sign * (trial.value or 0.0))
        rate = min(best.values[RATE] / 2, 1e-2)
        tried = any(trial.values.get(RATE) == rate for trial in trials)
        return None if tried or rate < 1e-6 else {RATE: rate}


@harness.hookimpl
def register_searchers() -> list[type[harness.Searcher]]:
    return [Sample]
