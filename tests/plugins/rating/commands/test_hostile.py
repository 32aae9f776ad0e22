"""Rating the answers of a run whose every text is hostile, with hostile better answers."""

from __future__ import annotations

import csv
import io
import re
from typing import Any

import pytest

from harness.registry import import_file
from harness_rating.ratings.folder import RatingsFolder
from tests.plugins.rating.conftest import Desk
from tests.support.project import FAKES, SUPPORT, Project

ROWS = SUPPORT / "hostile_rows.py"
TEXTS = import_file(ROWS).TEXTS
CONTROLS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
CONFIG = f"""\
rounds: 1
seed: 7
plugins: [{ROWS}, {FAKES}]
data: {{source: hostile}}
model: {{source: fake}}
train: {{plugin: fake}}
generate: {{plugin: hostile}}
metrics: [{{plugin: overlap}}]
primary: overlap
detect: [hostile]
augment: [{{plugin: fake, rows: 10}}]
execution: {{launcher: inline}}
"""


def harmless(done: Any, kept: str = "") -> Any:
    assert done.code == 0, done.err
    for text in (done.out, done.err):
        found = CONTROLS.search(text.translate(str.maketrans("", "", kept)))
        assert found is None, repr(text[max(0, found.start() - 60) : found.end() + 20])
    return done


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Any:
    project = Project(tmp_path_factory.mktemp("rated"))
    project.write(CONFIG)
    harmless(project.inside("iterate"))
    create = ("rate", "create", "--rubric", "everyday", "--raters", "ana", "-n", "40", "--json")
    name = harmless(project.inside(*create, "--repeats", "0")).document["batch"]
    desk = Desk(project, "", name)
    batch = RatingsFolder(desk.ratings).batch(name)
    for place, item in enumerate(batch.assignments["ana"]):
        text = TEXTS[2 * place % len(TEXTS)]
        desk.says("ana", item, "better", text)
        desk.says("ana", item, "relevance", 1 + place % 3)
        desk.says("ana", item, "relevance", text, "comment")
        desk.says("ana", item, "", None, "done")
    return desk


@pytest.mark.nightly(but_each=8)
@pytest.mark.parametrize("command", ["status", "agreement", "verdict", "validity"])
def test_what_is_told_of_a_batch(hostile: Any, command: str) -> None:
    harmless(hostile.rate(command, hostile.name))
    harmless(hostile.rate(command, hostile.name, "--json"))


@pytest.mark.nightly(but_each=5)
@pytest.mark.parametrize("form", ["csv", "sheet", "jsonl", "label-studio", "argilla"])
def test_every_export(hostile: Any, form: str) -> None:
    done = harmless(hostile.rate("export", hostile.name, "--to", form), kept="\t")
    if form in ("csv", "sheet"):
        rows = list(csv.reader(io.StringIO(done.out, newline="")))
        assert len(rows) > 40
        assert not [cell for row in rows for cell in row if re.match(r"\s*[=+@\-\t\r]", cell)]


@pytest.mark.nightly
def test_accepted_answers_correct_the_next_run(hostile: Any) -> None:
    accept = ("accept", hostile.name, "-o", "better.jsonl")
    harmless(hostile.rate(*accept))
    accepted = harmless(hostile.rate(*accept, "--json")).document["accepted"]
    items = {one["origin"]["item"] for one in accepted}
    assert items == set(hostile.batch.assignments["ana"])
    sets = ("--set", "corrections=better.jsonl")
    harmless(hostile.project.inside("check", *sets))
    done = harmless(hostile.project.inside("iterate", *sets))
    assert "corrected references from better.jsonl" in done.err
    for command in ("report", "runs", "errors"):
        harmless(hostile.project.inside(command))
