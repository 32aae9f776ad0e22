"""A folder with a run and a batch of its answers, and the checks that all commands share."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len

from harness_rating.batches.records import Batch, Event
from harness_rating.ratings import events
from harness_rating.ratings.folder import RatingsFolder
from tests.plugins.rating import material
from tests.support.project import Project

RUBRIC = (Path(__file__).with_name("short.yaml")).read_text(encoding="utf-8")
CREATE = ("rate", "create", "--rubric", "short.yaml", "-n", "30", "--raters")


@dataclass
class Desk:
    """A project in which raters rate."""

    project: Any
    run: str
    name: str

    def rate(self, *arguments: str, **environment: str) -> Any:
        """Run ``harness rate ARGUMENTS`` on a terminal of 80 columns."""
        return self.project.inside("rate", *arguments, **{"COLUMNS": "80", **environment})

    @property
    def folder(self) -> Path:
        return Path(self.project.folder)

    @property
    def ratings(self) -> Path:
        return self.folder / ".harness" / "ratings"

    @property
    def batch(self) -> Batch:
        return RatingsFolder(self.ratings).batch(self.name)

    def says(self, rater: str, item: str, criterion: str, value: Any, kind: Any = "set") -> Event:
        """An event that is on the disk."""
        made = Event(material.event_id(), rater, item, criterion, kind, value, events.now(), 3.0)
        events.Events(self.ratings / self.name, rater).append(made)
        return made

    def fill(self) -> None:
        """Everybody rates everything: Ana by what each answer is worth, Bo a level lower."""
        for lower, rater in enumerate(self.batch.raters):
            told = []
            for place, item in enumerate(self.batch.assignments[rater]):
                for name, value in (("right", 5 - lower - place % 3), ("polite", place % 4 > 0)):
                    told.append((item, name, value, "set"))
                told.append((item, "", None, "done"))
            events.Events(self.ratings / self.name, rater).extend(
                [
                    Event(material.event_id(), rater, item, name, kind, value, events.now(), 3.0)
                    for item, name, value, kind in told
                ]
            )

    def stored(self) -> dict[str, bytes]:
        """All of the batches' files."""
        return {str(p): p.read_bytes() for p in self.ratings.rglob("*") if p.is_file()}

    def another(self) -> str:
        """A second batch; returns its name."""
        done = self.rate(*CREATE[1:], "cy", "--json")
        assert done.code == 0, done.err
        return str(done.document["batch"])


@pytest.fixture(scope="session")
def original(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A run that has ended and a batch of it, made by the commands; to be copied."""
    made = Project(tmp_path_factory.mktemp("original"))
    made.write()
    made.write(RUBRIC, "short.yaml")
    run = made.inside("iterate", "--rounds", "1", "--json")
    assert run.code == 0, run.err
    batch = made.inside(*CREATE, "ana,bo", "--overlap", "1", "--repeats", "0", "--json")
    assert batch.code == 0, batch.err
    return made, run.document["run"], batch.document["batch"]


@pytest.fixture
def desk(original: Any, tmp_path: Path) -> Desk:
    """A copy of it that a test may change; nobody has rated yet."""
    made, run, batch = original
    folder = tmp_path / "desk"
    shutil.copytree(made.folder, folder)
    return Desk(type(made)(folder), run, batch)


@pytest.fixture
def rated(desk: Desk) -> Desk:
    desk.fill()
    return desk


@pytest.fixture
def refused() -> Callable[..., str]:
    """Checks that a command was refused with one message, on standard error alone."""

    def check(result: Any, code: int, *words: str) -> str:
        assert result.code == code, result.err
        assert result.out == ""
        assert "Traceback" not in result.err
        assert [word for word in words if word not in result.err] == []
        return str(result.err)

    return check


@pytest.fixture
def told() -> Callable[[Any], str]:
    """Checks that a command was done, said nothing on standard error, and fits 80 columns."""

    def check(result: Any) -> str:
        assert result.code == 0, result.err
        assert result.err == ""
        lines = [line for line in result.out.splitlines() if not line.startswith("next: ")]
        assert max(map(cell_len, lines)) <= 80
        assert "\x1b" not in result.out
        return str(result.out)

    return check


@pytest.fixture
def document() -> Callable[[Any], Any]:
    """Checks that a command printed exactly one JSON document, and returns it."""

    def check(result: Any) -> Any:
        assert (result.code, result.err) == (0, "")
        return json.loads(result.out, parse_constant=pytest.fail)

    return check
