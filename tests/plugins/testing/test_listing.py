"""``harness plugins``: all that is installed, or the plugins of one stage."""

from __future__ import annotations

import pytest

from tests.support.project import Project


@pytest.fixture
def project(tmp_path) -> Project:
    return Project(tmp_path)


def test_the_stages_together_list_everything(project):
    everything = project.inside("plugins", "--json").document["plugins"]
    by_stage = [
        row
        for stage in {row["stage"] for row in everything}
        for row in project.inside("plugins", "--stage", stage, "--json").document["plugins"]
    ]
    key = lambda row: (row["stage"], row["name"])  # noqa: E731
    assert sorted(by_stage, key=key) == sorted(everything, key=key)


def test_the_table_has_one_stage_alone(project):
    shown = project.inside("plugins", "--stage", "source").out
    assert "jsonl" in shown and "rouge" not in shown


def test_an_unknown_stage_is_named_with_the_near_one(project):
    done = project.inside("plugins", "--stage", "metrics")
    assert done.code == 2
    assert "there is no plugin of the stage 'metrics', did you mean 'metric'?" in done.err


@pytest.mark.parametrize("name", ["rate", "iterate"])
def test_the_name_of_a_command_is_told_from_that_of_a_plugin(project, name):
    done = project.inside("plugins", "check", name)
    assert done.code == 2
    assert f"'{name}' is a command, not a plugin" in done.err
    assert "did you mean" not in done.err
