"""A runner of one's own: the page's, a thread, carries a whole run out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness.registry import Registry
from harness_testing import check
from tests.integration.test_side_by_side import told
from tests.support.project import CONFIG, FAKES, Project

PAGE = (Path(__file__).parents[2] / "docs" / "plugins" / "launcher.md").read_text("utf-8")
IN_A_THREAD, PROCESSES = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def test_the_end_is_that_of_a_run_without_it(tmp_path: Path) -> None:
    assert len(IN_A_THREAD.splitlines()) <= 40
    documents = []
    for name in ("local", "in-a-thread"):
        project = Project(tmp_path / name)
        project.folder.mkdir()
        (project.folder / "in_a_thread.py").write_text(IN_A_THREAD)
        text = CONFIG.replace(f"[{FAKES}]", f"[{FAKES}, in_a_thread.py]")
        project.write(
            text.replace("rounds: 3", "rounds: 1").replace(
                "launcher: inline", f"launcher: {name}, workers: 2"
            )
        )
        done = project.inside("iterate", "--json")
        assert done.code == 0, done.err
        documents.append(told(done.document))
    assert documents[0] == documents[1]


@pytest.mark.parametrize(("name", "text"), [("in-a-thread", IN_A_THREAD), ("processes", PROCESSES)])
def test_the_pages_examples_obey_the_rules(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / "example.py"
    path.write_text(text)
    outcomes = check(Registry.build([path]).get("runner", name).plugin)
    assert {outcome.rule: outcome.status for outcome in outcomes}["work"] == "ok", outcomes
    assert not [outcome for outcome in outcomes if outcome.status == "failed"]


TAKES_OUTPUT = """
import os
import sys

import harness
from harness import do_job


class Shut(harness.Runner):
    \"\"\"Does jobs with this process's output shut.\"\"\"

    name = "shut"

    def do(self, folder, resources, label, report, cancelled, say):
        {spoil}
        return do_job(folder, report, cancelled)


@harness.hookimpl
def register_runners():
    return [Shut]
"""


@pytest.mark.parametrize("spoil", ["os.close(2)", "os.dup2(os.open(os.devnull, os.O_WRONLY), 1)"])
def test_a_runner_that_takes_the_output_of_its_process_is_noticed(
    tmp_path: Path, spoil: str
) -> None:
    path = tmp_path / "shut.py"
    path.write_text(TAKES_OUTPUT.format(spoil=spoil))
    outcomes = check(Registry.build([path]).get("runner", "shut").plugin)
    assert any("took the output" in outcome.message for outcome in outcomes), outcomes
