"""Limits of control groups, and what a process may use within them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from harness.kit.cgroups import Limits, cores, limits, memory

GB = 1_000_000_000


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
    assert cores(Limits()) == len(os.sched_getaffinity(0))
    assert cores(Limits(cores=0.5)) == 1
    whole, room = memory(Limits())
    assert 0 < room <= whole
    assert memory(Limits(memory=GB, room=100_000_000)) == (GB, 100_000_000)
    assert memory(Limits(memory=1 << 59, room=1 << 59))[0] == whole
