"""What a run will do, take and need, before anything is spent: ``harness plan``."""

from __future__ import annotations

from collections.abc import Sequence

import harness


@harness.hookimpl
def before_run(planned: harness.PlannedRun) -> Sequence[str]:
    """The first lines of ``harness iterate``."""
    from harness_plan.brief import brief

    return list(brief(planned))
