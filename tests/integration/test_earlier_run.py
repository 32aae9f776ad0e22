"""A run that an earlier version began goes on with this one, and makes nothing again.

``run-before-the-rooms.tar.gz`` is the ``.harness`` of a run that was killed while it trained for
round 2, two rounds closed, and its plugins, ``fakes.py``, on whose text the run's name depends. It
was made by the version of 2026-11-26 (commit 11d1996), before the modules of ``harness/`` were put
into rooms.
"""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

import harness
from harness.kit import gate
from tests.support.project import CONFIG, FAKES, Project

STORED = Path(__file__).parent / "run-before-the-rooms.tar.gz"
THERE = "/tmp/w/oldrun"
"""The folder in which it was made."""
CLOSED = [
    "data", "round 0: generate", "round 0: score", "round 0: detect",
    "round 0: analyze", "round 1: train", "round 1: generate", "round 1: score",
    "round 1: detect", "round 1: analyze", "round 1: augment",
]  # fmt: skip
"""All but the screening of the rows, whose rules are others by now."""


@pytest.fixture
def earlier(tmp_path: Path) -> Project:
    """The folder as the earlier version left it."""
    project = Project(tmp_path)
    with tarfile.open(STORED) as archive:
        archive.extractall(tmp_path, filter="data")
    project.write(CONFIG.replace(str(FAKES), "fakes.py"))
    (config,) = tmp_path.glob(".harness/runs/*/config.yaml")
    config.write_text(config.read_text().replace(THERE, str(tmp_path)))
    return project


def test_it_goes_on_under_its_name_and_makes_nothing_again(earlier: Project) -> None:
    (folder,) = (earlier.folder / ".harness" / "runs").iterdir()
    before = (folder / "journal.jsonl").read_bytes()
    keys = set(earlier.manifests())
    done = earlier.inside("iterate", "--json")
    assert done.code == 0, done.err
    assert done.document["run"] == folder.name
    assert done.document["cached"] == CLOSED
    assert [entry["verdict"]["label"] for entry in done.document["rounds"]] == [
        "baseline", "improved", "improved", "improved",
    ]  # fmt: skip
    assert (folder / "journal.jsonl").read_bytes().startswith(before)
    assert keys <= set(earlier.manifests())


def test_its_closed_rounds_can_be_looked_at_first(
    earlier: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder,) = (earlier.folder / ".harness" / "runs").iterdir()
    monkeypatch.chdir(earlier.folder)
    with gate.fresh(trusting=True):  # its version signed no run
        run = harness.open_run(folder.name)
        assert (run.closed, run.answered, run.waits) == ([0, 1], [0, 1], False)
        assert len(run.answers(1)) == len(run.rows("dev")) == 48
        first, second = (sum(filter(None, run.primary_values(number))) for number in run.closed)
    assert second > first
