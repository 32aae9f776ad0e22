"""A run looked at again, from what it has stored: by our own commands, and by those of plugins."""

from harness.stored.branches import AnswerSet, Branch, Branches, BranchResult, open_branches
from harness.stored.configured import ConfigView, open_config
from harness.stored.models import RoundModels
from harness.stored.planned import PlannedRun, open_plan, said_before
from harness.stored.pool import PoolModels
from harness.stored.replay import (
    Answered,
    NotStored,
    StoredRun,
    StoredSteps,
    answered,
    opened,
    replay,
)
from harness.stored.rounds import RoundReader, StoredRound
from harness.stored.view import RunView, open_run

__all__ = [
    "AnswerSet", "Answered", "Branch", "BranchResult", "Branches", "ConfigView", "NotStored",
    "PlannedRun", "PoolModels", "RoundModels", "RoundReader", "RunView", "StoredRound", "StoredRun",
    "StoredSteps", "answered", "open_branches", "open_config", "open_plan", "open_run", "opened",
    "replay", "said_before",
]  # fmt: skip
