"""One run of the fakes, and what each command shows of it: the golden screens of the walk."""

from __future__ import annotations

import re
import shlex
import shutil

import pytest

from tests.support.golden import Golden
from tests.support.project import FAKES, SHOWING, SUPPORT, Project, Result

SCREENS = {
    "help": "--help",
    "first day": "",
    "check": "check",
    "plan of what is stored": "plan",
    "report": "report",
    "comment": "report --brief",
    "errors": "errors --limit 3",
    "category": "errors --category unsure --round 1 --limit 1",
    "why": "why dev-4",
    "why a training row": "why train-1",
    "compare": "compare 0 1",
    "compare all": "compare --all",
    "runs": "runs",
    "query": "query 'SELECT round, label FROM rounds'",
    "clean": "clean",
    "jobs": "jobs",
    "data stats": "data stats",
    "data check": "data check",
    "data preview": "data preview --rows 1",
    "unknown run": "report nowhere",
    "unknown row": "why dev1",
    "sealed row": "why test-3",
}
"""The name of a screen, and the command that shows it."""
MEASURED = re.compile(r" *(≤ )?\d[\d.]* (s|MB|GB)\b")


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, Result, Result]:
    """A planned and finished run; its plugins lie in its folder, which no machine names."""
    made = Project(tmp_path_factory.mktemp("walked"))
    for name in ("fakes.py", "showing.py"):
        shutil.copy(SUPPORT / name, made.folder)
    made.write(SHOWING.replace(f"{FAKES}", "fakes.py").replace(f"{SUPPORT}/", ""))
    return made, made.inside("plan", COLUMNS="400"), made.inside("iterate", COLUMNS="80")


def test_the_walk(walked: tuple[Project, Result, Result], golden: Golden) -> None:
    made, planned, result = walked
    assert (planned.code, result.code) == (0, 0), planned.err + result.err
    planned_out = MEASURED.sub(r" N \2", planned.out)
    # What is needed counts this process, which other tests may have made large.
    golden(planned_out.replace("memory N GB", "memory N MB"), "planned", made.folder)
    golden(MEASURED.sub(r" N \2", result.err), "said", made.folder)
    golden(result.out, "shown", made.folder)


@pytest.mark.parametrize("name", SCREENS)
def test_a_command(walked: tuple[Project, Result, Result], golden: Golden, name: str) -> None:
    made, *_ = walked
    done = made.inside(*shlex.split(SCREENS[name]), COLUMNS="80", TERMINAL_WIDTH="80")
    said = f"{done.out}{done.err}exit code {done.code}\n"
    golden(MEASURED.sub(r" N \2", said), name.replace(" ", "-"), made.folder)
