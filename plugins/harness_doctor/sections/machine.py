"""Cores, memory and disk, as far as this process may use them."""

from __future__ import annotations

import math
import os
import shlex
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.kit.cgroups import Limits, memory as memory_of
from harness.kit.numbers import gigabytes
from harness_doctor.findings import Section, Trouble

LEAST_MEMORY = 3_000_000_000
"""Bytes: a run on support-billing took up to 2.84 GB, as measured in November 2026."""
LEAST_DISK = 2_000_000_000
"""Bytes: what a small model and a few runs take."""
FULL = 50_000_000
"""Bytes: with less, not even a run without a model can store its files."""


@dataclass(frozen=True, slots=True)
class Resources:
    """What this process may use.

    Attributes:
        cores: that the machine has, of which ``allowed`` may be used; ``quota`` limits their time.
        memory, available: bytes; None where the system does not tell.
    """

    cores: int
    allowed: int
    quota: float | None
    memory: int | None
    available: int | None
    limited: bool

    @property
    def usable(self) -> int:
        """Whole cores, at least one."""
        return max(1, min(self.allowed, math.ceil(self.quota or self.allowed)))


def resources(found: Limits) -> Resources:
    """What the system says, within the limits of the control group."""
    cores = os.cpu_count() or 1
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else cores
    memory, available = memory_of(found)
    limited = found.memory is not None and memory == found.memory
    return Resources(cores, allowed, found.cores, memory, available, limited)


def section(found: Resources, places: Mapping[str, Path]) -> Section:
    """Facts of the machine.

    Args:
        places: what is written there -> folder, which need not be there yet.
    """
    facts = {"cores": _cores(found), "memory": _memory_fact(found)}
    disks: dict[str, Any] = {}
    troubles = list(_little_memory(found))
    told: set[tuple[object, str]] = set()
    for name, folder in places.items():
        there = _existing(folder)
        try:
            usage, device = shutil.disk_usage(there), there.stat().st_dev
        except OSError as error:
            facts[name] = f"unknown: {error.strerror} ({folder})"
            continue
        writable = os.access(there, os.W_OK)
        facts[name] = f"{gigabytes(usage.free)} of {gigabytes(usage.total)} free ({folder})"
        disks[name] = {
            "folder": str(folder), "free": usage.free, "total": usage.total, "writable": writable,
        }  # fmt: skip
        # Folders of one disk have one trouble together, and so have those below one folder.
        closed = [] if writable else [(there, _closed(name, there))]
        for key, trouble in [*closed, *((device, one) for one in _room(name, there, usage.free))]:
            if (key, trouble.why) not in told:
                told.add((key, trouble.why))
                troubles.append(trouble)
    values = {
        "cores": found.cores, "cores_allowed": found.allowed, "cores_quota": found.quota,
        "memory": found.memory, "memory_available": found.available, "disk": disks,
    }  # fmt: skip
    return Section("machine", "Machine", facts, values, tuple(troubles))


def _cores(found: Resources) -> str:
    text = f"{found.allowed} of {found.cores} may be used"
    if found.allowed == found.cores:
        text = str(found.cores)
    return text + (f", {found.quota:g} by the control group" if found.quota else "")


def _memory_fact(found: Resources) -> str:
    if found.memory is None:
        return "unknown"
    text = gigabytes(found.memory)
    if found.limited:
        text += " (limit of the control group)"
    return text + (f", {gigabytes(found.available)} available" if found.available else "")


def _little_memory(found: Resources) -> Iterator[Trouble]:
    if found.available is not None and found.available < LEAST_MEMORY:
        yield Trouble(
            f"{gigabytes(found.available)} of memory are available",
            "the default run takes 2.8 GB; the system ends a program that takes too much",
            "raise the container's limit" if found.limited else "close other programs",
            "warning",
        )


def _existing(folder: Path) -> Path:
    """The folder, or the one above it that is there."""
    whole = Path(os.path.abspath(folder))
    return next(one for one in (whole, *whole.parents) if os.path.exists(one))


def _closed(name: str, folder: Path) -> Trouble:
    return Trouble(
        f"nothing can be written into {folder} ({name})",
        "a run stores models, answers and reports there",
        f"chmod u+w {shlex.quote(str(folder))}, or work in another folder",
    )


def _room(name: str, folder: Path, free: int) -> Iterator[Trouble]:
    shown = shlex.quote(str(folder))
    cure = f"delete what is not needed; du -sh {shown}/* shows what takes room"
    if free < FULL:
        yield Trouble(
            f"the disk of {folder} ({name}) is full: {free / 1e6:.0f} MB are free",
            "a run cannot store what it makes",
            cure,
        )
    elif free < LEAST_DISK:
        yield Trouble(
            f"{gigabytes(free)} are free on the disk of {folder} ({name})",
            "models and adapters may not fit",
            cure,
            "warning",
        )
