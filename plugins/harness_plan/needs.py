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
    there = next(one for one in (folder, *folder.absolute().parents) if one.exists())
    try:
        room: int | None = shutil.disk_usage(there).free
    except OSError:
        room = None
    written = rates.checkpoint if rates else None
    disk = None if written is None else written * trainings
    return Needs(rates.memory if rates else None, free, whole, disk, room)


def remarks(found: Needs, seconds: float | None, hours: float | None) -> Iterator[Remark]:
    """Where the machine or the budget is not enough.

    Args:
        hours: the budget of one command.
    """
    yield from _memory(found)
    yield from _disk(found)
    if hours is not None and seconds is not None and seconds > hours * HOUR:
        commands = -(-seconds // (hours * HOUR))
        yield Remark(
            "warning",
            f"the budget of {hours:g} h (execution.budget.hours) is less than the "
            f"{duration(seconds)} that the run may take: about {commands:.0f} commands",
        )


def _memory(found: Needs) -> Iterator[Remark]:
    if found.memory is None or found.memory_whole is None:
        return
    cure = "lower train.batch_size (and raise train.accumulation), or shorten the longest rows"
    needed = f"training takes {gigabytes(found.memory)} of memory"
    if found.memory > found.memory_whole:
        told = f"{needed}, and this machine has {gigabytes(found.memory_whole)}: {cure}"
        yield Remark("problem", told)
    elif found.memory_free is not None and GROWTH * found.memory > found.memory_free:
        perhaps = f"{needed} in the probe, up to {gigabytes(round(GROWTH * found.memory))} in a run"
        told = f"{perhaps}, and {gigabytes(found.memory_free)} are free: close other programs"
        yield Remark("warning", told)


def _disk(found: Needs) -> Iterator[Remark]:
    if found.disk is None or found.disk_free is None:
        return
    needed = f"the tuned models take {gigabytes(found.disk)}"
    if found.disk > found.disk_free:
        told = f"{needed}, and {gigabytes(found.disk_free)} of the disk are free: make room first"
        yield Remark("problem", told)
    elif found.disk + SPARE > found.disk_free:
        left = gigabytes(found.disk_free - found.disk)
        yield Remark("warning", f"{needed}, which leaves {left} of the disk free")
