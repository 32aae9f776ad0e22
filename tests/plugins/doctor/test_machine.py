"""Limits of control groups, memory and disk."""

from __future__ import annotations

import os
import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from harness.kit.cgroups import Limits, limits
from harness_doctor.sections import machine

GB = 1_000_000_000
Usage = namedtuple("Usage", "total used free")


def write(folder: Path, **files: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(f"{text}\n")


def group(tmp_path: Path, text: str) -> Limits:
    own = tmp_path / "cgroup"
    own.write_text(text)
    return limits(tmp_path / "fs", own)


def test_version_2(tmp_path: Path) -> None:
    write(
        tmp_path / "fs" / "a" / "b", cpu__max="150000 100000", memory__max=str(4 * GB),
        memory__current=str(3 * GB), memory__stat=f"anon 1\ninactive_file {GB}",
    )  # fmt: skip
    assert group(tmp_path, "0::/a/b\n") == Limits(1.5, 4 * GB, 2 * GB)


def test_the_strictest_group_above_counts(tmp_path: Path) -> None:
    write(tmp_path / "fs" / "a", cpu__max="50000 100000", memory__max=str(2 * GB))
    write(tmp_path / "fs" / "a" / "b", cpu__max="max 100000", memory__max=str(8 * GB))
    assert group(tmp_path, "0::/a/b\n") == Limits(0.5, 2 * GB, 2 * GB)


def test_version_1(tmp_path: Path) -> None:
    write(
        tmp_path / "fs" / "cpu,cpuacct" / "x",
        cpu__cfs_quota_us="200000",
        cpu__cfs_period_us="100000",
    )
    write(
        tmp_path / "fs" / "memory" / "x", memory__limit_in_bytes=str(GB),
        memory__usage_in_bytes=str(GB // 2), memory__stat=f"total_inactive_file {GB // 4}",
    )  # fmt: skip
    found = group(tmp_path, "4:memory:/x\n2:cpu,cpuacct:/x\n0::/\n")
    assert found == Limits(2.0, GB, 3 * GB // 4)


def test_a_container_that_sees_its_own_group_as_the_uppermost(tmp_path: Path) -> None:
    write(tmp_path / "fs" / "memory", memory__limit_in_bytes=str(GB))
    assert group(tmp_path, "4:memory:/docker/0123abcd\n").memory == GB


@pytest.mark.parametrize("text", ["", "nonsense", "0::/../../etc\n", "4:memory:/x\n", "::::\n"])
def test_no_limits(tmp_path: Path, text: str) -> None:
    write(
        tmp_path / "fs", cpu__max="max 100000", memory__max="max",
        cpu__cfs_quota_us="-1", cpu__cfs_period_us="100000",
    )  # fmt: skip
    write(tmp_path / "fs" / "memory", memory__limit_in_bytes=str((1 << 63) - 4096))
    assert group(tmp_path, text) == Limits()


def test_no_control_groups_at_all(tmp_path: Path) -> None:
    assert limits(tmp_path, tmp_path / "nowhere") == Limits()


def test_what_may_be_used_is_within_the_limits() -> None:
    free = machine.resources(Limits())
    assert free.usable == free.allowed == len(os.sched_getaffinity(0))
    assert free.memory and free.available and free.available <= free.memory
    assert not free.limited
    held = machine.resources(Limits(0.5, GB, 100_000_000))
    assert held.usable == 1 and held.memory == GB and held.available == 100_000_000
    assert held.limited


def test_a_limit_above_the_memory_is_none() -> None:
    found = machine.resources(Limits(memory=1 << 59, room=1 << 59))
    assert not found.limited and found.memory and found.memory < 1 << 59


def test_little_memory_is_a_warning(tmp_path: Path) -> None:
    made = machine.section(machine.resources(Limits(None, GB, GB)), {})
    [trouble] = made.troubles
    assert trouble.level == "warning" and trouble.what == "1.0 GB of memory are available"
    assert trouble.cure == "raise the container's limit"
    assert made.facts["memory"] == "1.0 GB (limit of the control group), 1.0 GB available"


def disk(
    monkeypatch: pytest.MonkeyPatch, free: int, places: dict[str, Path]
) -> list[tuple[str, str]]:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(100 * GB, 100 * GB - free, free))
    plenty = machine.Resources(4, 4, None, 64 * GB, 64 * GB, False)
    return [(one.level, one.what) for one in machine.section(plenty, places).troubles]


def test_a_full_disk_is_a_problem_and_told_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    places = {"working folder": tmp_path, "reports": tmp_path / "reports" / "deep"}
    [(level, what)] = disk(monkeypatch, 1_000_000, places)
    assert level == "problem" and what.endswith("is full: 1 MB are free")


def test_a_small_disk_is_a_warning_and_a_large_one_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    [(level, what)] = disk(monkeypatch, GB, {"working folder": tmp_path})
    assert level == "warning" and what.startswith("1.0 GB are free")
    assert disk(monkeypatch, 50 * GB, {"working folder": tmp_path}) == []


def test_a_folder_that_cannot_be_written_is_a_problem(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may write everywhere
    places = {"working folder": tmp_path, "reports": tmp_path / "reports"}
    [(level, what)] = disk(monkeypatch, 50 * GB, places)
    assert level == "problem" and what.startswith("nothing can be written into")


def test_the_real_disk_is_looked_at(tmp_path: Path) -> None:
    plenty = machine.Resources(4, 2, 1.5, 64 * GB, 64 * GB, False)
    made = machine.section(plenty, {"reports": tmp_path / "not" / "there"})
    assert made.values["disk"]["reports"]["total"] == shutil.disk_usage(tmp_path).total
    assert made.facts["cores"] == "2 of 4 may be used, 1.5 by the control group"
