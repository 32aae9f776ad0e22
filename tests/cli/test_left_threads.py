"""A plugin's thread that never ends does not keep the program."""

from __future__ import annotations

import json

import pytest

from tests.support.project import CONFIG

LEAVING = """
import os, threading, time
import harness

class Leaving(harness.Analyzer):
    name = "leaving"
    def analyze(self, evidence, context):
        threading.Thread(target=forever).start()
        print("printed")
        os.write(1, b"written\\n")
        return harness.Findings()

def forever():
    time.sleep(1000)

@harness.hookimpl
def register_analyzers():
    return [Leaving]
"""


@pytest.mark.nightly
def test_the_program_ends_and_names_the_plugin(project):
    (project.folder / "leaving.py").write_text(LEAVING)
    text = CONFIG.replace("plugins: [", "plugins: [leaving.py, ").replace(
        "[fake]\naugment", "[leaving]\naugment"
    )
    assert "analyze: [leaving]" in text
    project.write(text)
    done = project.process("iterate", "--rounds", "1", "--no-test", "--json")
    assert done.code == 0, done.err
    assert json.loads(done.out)["run"]  # one document, whatever a plugin prints
    assert "still running that a plugin left behind (leaving: forever)" in done.err
    assert "printed" in done.err and "written" in done.err
