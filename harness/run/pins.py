"""What a closed round rests on, by content, and what is said where it is no longer so.

The journal keeps these digests in ``RoundResult.keys``, beside one for each metric's measurements.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from harness.errors import EnvironmentFailure

MODEL = "model"
"""The base model (round 0)."""
DATA = "data"
"""What the source gave (round 0)."""
EXAMPLES = "examples"
"""All rows as the run uses them (round 0)."""
ROWS = "rows"
"""The rows that the round's model learned."""
TRAIN = "train"
"""Of several trainers the last; those before it are ``train 1``, ``train 2`` … and no pins."""
GENERATE = "generate"
DETECT = "detect"
ANALYZE = "analyze"
AUGMENT = "augment"
"""Stages, by the digests of their artifacts."""
AGAIN = "again"
"""What the base model answered when it was asked again, for the verdict."""


def steps_of(stage: str) -> str:
    """The stage that has all checkpoints of a training, where the run chooses one of them."""
    return f"{stage} steps"


class PinMismatch(EnvironmentFailure):
    """What a closed round rests on is not stored any more, and made again it is another."""


def mismatch(where: str, round_: int, ways: Sequence[str]) -> PinMismatch:
    """The error for people, with both ways out.

    Args:
        where: run, round and stage.
        round_: the round that does not stand any more.
        ways: out of it (:func:`ways_out`).
    """
    return PinMismatch(
        f"what round {round_} was closed with is not available any more, and what is made now "
        "differs from it (another GPU, other libraries, a plugin that was changed or is not "
        "deterministic): the round's scores would not belong to what is stored",
        where=where,
        details=ways,
    )


def ways_out(round_: int, command: Sequence[str], *, latest: bool) -> list[str]:
    """What a user may do whose round does not stand any more, one command each.

    Args:
        command: goes on with the latest run of its config.
        latest: whether that is the run in question; another one cannot be opened again.
    """
    begin = shlex.join([*command, "--as-new-run"])
    again = shlex.join([*command, "--reopen", str(round_)])
    ways = [f"{begin}: begins another run and leaves this one as it is"]
    if latest:
        ways.append(f"{again}: decides round {round_} and all later ones of this run again")
    return ways
