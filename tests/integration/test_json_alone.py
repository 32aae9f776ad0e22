"""``--json`` prints one document, whatever plugins print or write."""

from __future__ import annotations

import json

import pytest

from tests.support.project import CONFIG

LOUD = """
import os
import harness

print("printed"); os.write(1, b"written\\n")

class Loud(harness.Annotations):
    name = "loud"
    def digest(self, run, folder):
        print("printed"); os.write(1, b"written\\n"); os.system("echo from a child")
        return None
    def collect(self, run):
        print("printed")
        return harness.Annotated()

@harness.hookimpl
def register_annotations():
    return [Loud]
"""


@pytest.fixture(scope="module")
def loud(tmp_path_factory):
    from tests.support.project import Project

    project = Project(tmp_path_factory.mktemp("loud"))
    (project.folder / "loud.py").write_text(LOUD)
    project.write(CONFIG.replace("plugins: [", "plugins: [loud.py, ").replace("s: 3", "s: 1"))
    assert project.harness("iterate", "--no-test", "--json").document["run"]
    return project


@pytest.mark.nightly(but_each=3)
@pytest.mark.parametrize(
    "command",
    [("report",), ("errors",), ("why", "dev-1"), ("compare", "0", "1"), ("advise",), ("runs",),
     ("query", "FROM rounds"), ("iterate", "--no-test")],
)  # fmt: skip
def test_one_document_stands_on_standard_output(loud, command):
    done = loud.harness(*command, "--json")
    assert done.code == 0, done.err
    json.loads(done.out)
    if command != ("runs",):  # imports no plugin
        assert "written" in done.err
