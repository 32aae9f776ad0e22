"""Rows that a training would refuse, general ones of ``replay`` among them, are seen before."""

from __future__ import annotations

import json
import re
import shutil

import pytest

from harness.kit import yaml_file
from tests.support.project import Project


@pytest.fixture
def labelled(tiny, tmp_path):
    """Short texts with labels, and a config that ``init`` writes for them."""
    shutil.copytree(tiny, tmp_path / "base")
    project = Project(tmp_path)
    rows = [
        {"text": f"w{n * 37 % 101} w{n * n % 97} w{n}", "label": str(n % 3)} for n in range(120)
    ]
    project.write("".join(json.dumps(row) + "\n" for row in rows), "rows.jsonl")
    done = project.inside("init", "rows.jsonl", "--model", "base")
    assert done.code == 0, done.err
    return project


def test_max_length_of_a_first_config_has_room_for_the_general_rows(labelled):
    text = (labelled.folder / "harness.yaml").read_text()
    assert re.search(
        r"max_length: \d+ .*, the longest general one \(replay\) \d+$", text, re.M
    ) or (re.search(r"# .*, the longest general one \(replay\) \d+\n  max_length: ", text))
    assert yaml_file.scalar(text)["replay"] == 0.2
    done = labelled.inside("check")
    assert done.code == 0 and done.out.startswith("harness.yaml: fine."), done.err


@pytest.mark.nightly
def test_check_and_plan_refuse_what_training_would(labelled):
    sets = ("--set", "train.max_length=64", "--set", "baselines=[]")
    done = labelled.inside("check", *sets)
    assert done.code == 4
    assert re.search(r"\d problems? with its data", done.out)
    assert re.search(r"training would refuse \d+ rows, \d+ of `replay`: max_length 64", done.err)
    assert "  general " in done.err and "rows.jsonl:" not in done.err
    named = re.findall(r"^ +(general \d+)$", done.err, re.MULTILINE)
    planned = labelled.inside("plan", "--no-probe", *sets)
    assert planned.code == 4
    assert "problem: training refuses" in planned.out and "'general " in planned.out
    run = labelled.inside("iterate", "--rounds", "1", "--no-test", *sets)
    assert run.code == 4
    refused = re.findall(r"general \d+", run.err)
    assert refused and set(named) & set(refused)


def test_a_row_of_the_task_is_named_by_its_place(labelled):
    done = labelled.inside("check", "--set", "train.max_length=8", "--set", "replay=0")
    assert done.code == 4
    assert re.search(r"training would refuse \d+ rows: ", done.err)
    assert "  rows.jsonl:" in done.err and "replay" not in done.err
