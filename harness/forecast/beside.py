"""What a forecast leaves out: the trainings beside the rounds."""

from __future__ import annotations

from harness.config.arms import planned
from harness.config.loading import Config
from harness.config.searching import most_trainings
from harness.kit.numbers import counted


def beside(config: Config) -> str:
    """A sentence on the arms and the search of a config; empty where it has none.

    Raises:
        ConfigError: an arm cannot be what the config says.
    """
    arms = planned(config)
    loops = sum(arm.seeds - 1 for arm in arms if arm.kind == "loop")
    own = sum(arm.kind == "seed" for arm in arms)  # the first of its trainings is the round's own
    trainings = sum(arm.seeds for arm in arms if arm.kind != "loop") - own
    searched = most_trainings(config)
    parts = [
        counted(trainings, "training") if trainings else "",
        counted(loops, "whole loop") if loops else "",
        f"up to {counted(searched, 'training')} of the search" if searched else "",
    ]
    told = " and ".join(filter(None, parts))
    return f"What is trained beside the rounds ({told}) is not in this forecast." if told else ""
