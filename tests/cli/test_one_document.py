"""``iterate --json`` prints exactly one document, whatever plugins print."""

from __future__ import annotations

import json

import pytest

from tests.support.project import CONFIG, Project

LOUD = """
import os

import harness

os.write(1, b"loaded\\n")


class Loud(harness.Baseline):
    \"\"\"Asks as it is asked.\"\"\"

    name = "loud"

    def prompts(self, rows, train, context):
        print("printed")
        os.write(1, b"written\\n")
        os.system("echo by another process")
        return rows


@harness.hookimpl
def on_run_end(run, summary):
    os.write(1, b"at the end\\n")


@harness.hookimpl
def register_baselines():
    return [Loud]
"""


@pytest.mark.nightly
@pytest.mark.parametrize("launcher", ["inline", "local"])
def test_standard_output_is_one_document(project: Project, launcher: str) -> None:
    project.write(LOUD, "loud.py")
    text = CONFIG.replace("plugins: [", "plugins: [loud.py, ").replace("rounds: 3", "rounds: 1")
    text = text.replace("launcher: inline", f"launcher: {launcher}")
    project.write(text + "baselines: [loud]\n")
    done = project.harness("iterate", "--json", "--no-test")
    assert done.code == 0, done.err
    assert json.loads(done.out)["rounds"]
    for words in ("loaded", "printed", "written", "by another process", "at the end"):
        assert words in done.err
    opened = project.harness("test", "--json")
    assert opened.code == 0, opened.err
    assert json.loads(opened.out)["test"]
    assert json.loads(project.harness("iterate", "--json").out)["test"]
