"""A run looked at again, from what it has stored: by our own commands, and by those of plugins."""

from harness.opened.branches import AnswerSet, Branch, Branches, BranchResult, open_branches
from harness.opened.configured import ConfigView, open_config
from harness.opened.models import RoundModels
from harness.opened.planned import PlannedRun, open_plan, said_before
from harness.opened.pool import PoolModels
from harness.opened.replay import (
    Answered,
    NotStored,
    StoredRun,
    StoredSteps,
    answered,
    opened,
    replay,
)
from harness.opened.rounds import RoundReader, StoredRound

__all__ = [
    "AnswerSet", "Answered", "Branch", "BranchResult", "Branches", "ConfigView", "NotStored",
    "PlannedRun", "PoolModels", "RoundModels", "RoundReader", "StoredRound", "StoredRun",
    "StoredSteps", "answered", "open_branches", "open_config", "open_plan", "opened",
    "replay", "said_before",
]  # fmt: skip
