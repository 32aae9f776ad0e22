"""Memory and disk: what a run takes, what there is, and where that is not enough."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from harness.kit import cgroups
from harness.kit.numbers import duration, gigabytes
from harness_plan.rates import Rates
from harness_plan.records import Needs, Remark

HOUR = 3600.0

SPARE = 500_000_000
"""Bytes that should stay free on the disk: answers, measurements and reports go there, too."""

GROWTH = 1.3
"""How much more memory than its probe a whole run took: at most that in nine of ten configs, by
``benchmarks/plan.py`` on a CPU."""


def needs(folder: Path, rates: Rates | None, trainings: int) -> Needs:
    """What is needed, beside what is free.

    Args:
        folder: that the run writes into; it need not be there yet.
        trainings: that are not stored, each of which leaves a tuned model.
    """
    whole, free = cgroups.memory(cgroups.limits())
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    try:
        disk_free: int | None = shutil.disk_usage(there).free
    except OSError:
        disk_free = None
    written = rates.checkpoint if rates else None
    return Needs(
        memory=rates.memory if rates else None,
        memory_free=free,
        memory_whole=whole,
        disk=None if written is None else written * trainings,
        disk_free=disk_free,
    )


def remarks(room: Needs, seconds: float | None, hours: float | None) -> Iterator[Remark]:
    """Where the machine or the budget is not enough.

    Args:
        hours: the budget of one command.
    """
    yield from _memory(room)
    yield from _disk(room)
    if hours is not None and seconds is not None and seconds > hours * HOUR:
        commands = -(-seconds // (hours * HOUR))
        yield Remark(
            "warning",
            f"the budget of {hours:g} h (execution.budget.hours) is less than the "
            f"{duration(seconds)} that the run may take: about {commands:.0f} commands",
        )


def _memory(room: Needs) -> Iterator[Remark]:
    if room.memory is None or room.memory_whole is None:
        return
    cure = "lower train.batch_size (and raise train.accumulation), or shorten the longest rows"
    needed = f"training takes {gigabytes(room.memory)} of memory"
    if room.memory > room.memory_whole:
        text = f"{needed}, and this machine has {gigabytes(room.memory_whole)}: {cure}"
        yield Remark("problem", text)
    elif room.memory_free is not None and GROWTH * room.memory > room.memory_free:
        perhaps = f"{needed} in the probe, up to {gigabytes(round(GROWTH * room.memory))} in a run"
        text = f"{perhaps}, and {gigabytes(room.memory_free)} are free: close other programs"
        yield Remark("warning", text)


def _disk(room: Needs) -> Iterator[Remark]:
    if room.disk is None or room.disk_free is None:
        return
    needed = f"the tuned models take {gigabytes(room.disk)}"
    if room.disk > room.disk_free:
        text = f"{needed}, and {gigabytes(room.disk_free)} of the disk are free: make room first"
        yield Remark("problem", text)
    elif room.disk + SPARE > room.disk_free:
        rest = gigabytes(room.disk_free - room.disk)
        yield Remark("warning", f"{needed}, which leaves {rest} of the disk free")
