"""The stage calls of a run, each one cached: from records to records.

The loop (``loop.py``) says *when*; these modules say *how* a stage is called, what its result
depends on, and where it is kept.
"""

from harness.engine.steps.evaluating import UNEXPLAINED, Evaluation
from harness.engine.steps.growing import Growing, Harvest
from harness.engine.steps.preparing import Preparing


class Steps(Preparing, Growing):
    """All stage calls of one run."""


__all__ = ["UNEXPLAINED", "Evaluation", "Harvest", "Steps"]
