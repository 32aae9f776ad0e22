"""Limits of the control group (container) that we are in, of versions 1 and 2."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
OWN = Path("/proc/self/cgroup")
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
    cores = [one for folder in _folders(root, own, "cpu") if (one := _cores(folder))]
    held = [found for folder in _folders(root, own, "memory") if (found := _memory(folder))]
    return Limits(
        min(cores, default=None),
        min((limit for limit, _ in held), default=None),
        min((room for _, room in held), default=None),
    )


def memory(found: Limits) -> tuple[int | None, int | None]:
    """All memory that this process may have, and what is left of it, in bytes.

    None where the system does not tell.
    """
    whole: int | None = None
    room: int | None = None
    try:
        import psutil

        system = psutil.virtual_memory()
        whole, room = system.total, system.available
    except (ImportError, OSError, RuntimeError):
        pass
    return (
        min(filter(None, (whole, found.memory)), default=None),
        min((one for one in (room, found.room) if one is not None), default=None),
    )


def _folders(root: Path, own: Path, controller: str) -> Iterator[Path]:
    """The folders of our group and of those above it."""
    try:
        lines = own.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return
    for line in lines:
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if number == "0" and not controllers:
            bases = [root, root / "unified"]
        elif controller in controllers.split(","):
            bases = [root / controllers, root / controller]
        else:
            continue
        for base in bases:
            yield from _upwards(base, path)


def _upwards(base: Path, path: str) -> Iterator[Path]:
    """A group's folder and those above; a container may see none but the uppermost."""
    parts = [part for part in path.split("/") if part]
    if ".." in parts:
        parts = []
    for count in range(len(parts), -1, -1):
        yield base.joinpath(*parts[:count])


def _cores(folder: Path) -> float | None:
    if words := _words(folder / "cpu.max"):
        quota, period = (*words, "0")[:2]
    else:
        quota = " ".join(_words(folder / "cpu.cfs_quota_us"))
        period = " ".join(_words(folder / "cpu.cfs_period_us"))
    found = _number(quota), _number(period)
    return found[0] / found[1] if found[0] and found[1] else None


def _memory(folder: Path) -> tuple[int, int] | None:
    """Limit and room; files that are cached take no room, for they can be dropped."""
    for limit_name, used_name, cached_name in (
        ("memory.max", "memory.current", "inactive_file"),
        ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    ):
        limit = _number(" ".join(_words(folder / limit_name)))
        if limit is not None and limit < _NO_LIMIT:
            used = _number(" ".join(_words(folder / used_name))) or 0
            words = _words(folder / "memory.stat")
            pairs = dict(zip(words[::2], words[1::2], strict=False))
            cached = _number(pairs.get(cached_name, "")) or 0
            return limit, max(limit - max(used - cached, 0), 0)
    return None


def _words(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="ascii", errors="replace").split()
    except OSError:
        return []


def _number(word: str) -> int | None:
    """A whole number that is no negative one (``-1`` and ``max``: no limit)."""
    return int(word) if word.isascii() and word.isdigit() else None
