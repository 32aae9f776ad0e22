"""Cores and memory that this process may use, within the limits of its control group (container).

Control groups are of two versions; a group is limited by those above it too.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.kit.numbers import counted

ROOT = Path("/sys/fs/cgroup")
OWN = Path("/proc/self/cgroup")
CROWDED = 1.5
"""Programs that want a core, for each core: beyond it they wait for each other. Ours is one."""
_NO_LIMIT = 1 << 60
"""Version 1 has no word for "no limit", but a number that no machine has."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What the groups allow, the strictest of them; None where none limits it.

    Attributes:
        cores: processor time, in cores.
        memory: bytes.
        room: bytes of memory that may be taken yet.
    """

    cores: float | None = None
    memory: int | None = None
    room: int | None = None


def limits(root: Path = ROOT, own: Path = OWN) -> Limits:
    """The limits on this process; none where they cannot be read."""
    cores, memory, room = [], [], []
    for folder in _folders(root, own):
        quota, period = (*_words(folder / "cpu.max"), "", "")[:2]  # version 2, or 1
        quota = quota or "".join(_words(folder / "cpu.cfs_quota_us"))
        period = period or "".join(_words(folder / "cpu.cfs_period_us"))
        if quota.isdigit() and period.isdigit():  # "max" and "-1" limit nothing
            cores.append(int(quota) / int(period))
        for limit_name, used_name, cached_name in (
            ("memory.max", "memory.current", "inactive_file"),
            ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
        ):
            limit = "".join(_words(folder / limit_name))
            if limit.isdigit() and int(limit) < _NO_LIMIT:
                used = int("".join(_words(folder / used_name)) or 0)
                words = _words(folder / "memory.stat")
                # Files that are cached take no room, for they can be dropped.
                cached = int(dict(zip(words[::2], words[1::2], strict=False)).get(cached_name, 0))
                memory.append(int(limit))
                room.append(max(int(limit) - max(used - cached, 0), 0))
    return Limits(min(cores, default=None), min(memory, default=None), min(room, default=None))


def cores(group: Limits) -> int:
    """Whole cores that this process may use, at least one."""
    affine = hasattr(os, "sched_getaffinity")
    allowed = len(os.sched_getaffinity(0)) if affine else os.cpu_count() or 1
    return max(1, min(allowed, math.ceil(group.cores or allowed)))


def busy() -> str:
    """``load 6.7 on 2 cores`` where programs wait for a core for which ours is not the reason.

    Empty where they do not, or where the system does not say. Of the last minute; a container sees
    the whole machine's.
    """
    load, whole = (os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0), os.cpu_count() or 1
    return f"load {load:.1f} on {counted(whole, 'core')}" if load > CROWDED * whole else ""


def memory(group: Limits) -> tuple[int, int]:
    """All memory that this process may have, and what is left of it, in bytes."""
    import psutil

    system = psutil.virtual_memory()
    whole = system.total if group.memory is None else min(system.total, group.memory)
    room = system.available if group.room is None else min(system.available, group.room)
    return whole, room


def _folders(root: Path, own: Path) -> Iterator[Path]:
    """The folders of our group and of those above it, for both controllers.

    A container may see none but the uppermost.
    """
    try:
        lines = own.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return
    for line in lines:
        number, controllers, path = (*line.split(":", 2), "", "")[:3]
        if number == "0" and not controllers:
            bases = [root, root / "unified"]  # version 2, alone or beside version 1
        elif {"cpu", "memory"} & {*controllers.split(",")}:
            bases = [root / controllers, *(root / name for name in controllers.split(","))]
        else:
            continue
        parts = [part for part in path.split("/") if part and ".." not in path]
        for base in bases:
            yield from (base.joinpath(*parts[:count]) for count in range(len(parts), -1, -1))


def _words(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="ascii", errors="replace").split()
    except OSError:
        return []
