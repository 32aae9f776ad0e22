"""What stands beside a metric's scores wherever they are shown."""

from __future__ import annotations

import json
import re

import pytest

import harness
from harness.database.writing import query
from harness.errors import PluginError
from harness.opened import opened
from harness.records import Score, from_json, to_json
from harness.records.context import Quiet
from harness.scoring import MetricEntry, measure, scores
from harness.verdicts import detectable_effect, rule
from tests.support.project import Project

PLUGIN = '''
from pathlib import Path

import harness


class Odd(harness.Metric):
    """Its caveat and its remark are what is in a file by now."""

    name = "odd"
    right_at = 0.5

    def growing(self):
        return [Path("state.txt")]

    def caveat(self):
        return Path("state.txt").read_text().strip()

    def measure(self, prediction, example):
        return float("hm" not in prediction.text)

    def remarks(self, pairs):
        return [f"{len(pairs)} answers, {self.caveat() or 'all is well'}"]


@harness.hookimpl
def register_metrics():
    return [Odd]
'''
CAVEAT = "[red]un\x1b[1mproven"
SHOWN = "odd ([red]unproven)"


class Known(harness.Metric):
    """Gives what it is told to."""

    name = "known"

    def __init__(self, said="unproven"):
        super().__init__()
        self.said = said

    def caveat(self):
        return self.said

    def measure(self, prediction, example):
        return float(prediction.text)


def answers(*values):
    return [
        (
            harness.Prediction(str(n), str(value)),
            harness.Example(str(n), ({"role": "user", "content": "q"},), group=str(n)),
        )
        for n, value in enumerate(values)
    ]


def measured(entry, *values):
    return measure(entry, answers(*values))


def test_a_score_has_its_metrics_caveat_in_one_short_line():
    entry = MetricEntry("known", Known(f"un\n proven {'x' * 100}"))
    (found,) = scores(entry, measured(entry, 0.1, 0.4), {}, 1).values()
    assert found.caveat.startswith("un proven x") and len(found.caveat) == 40


def test_a_metric_without_one_has_none():
    entry = MetricEntry("known", Known(""))
    (found,) = scores(entry, measured(entry, 0.1, 0.4), {}, 1).values()
    assert (found.caveat, entry.titled("known")) == ("", "known")


@pytest.mark.parametrize("said", [None, 3, ["x"]])
def test_a_caveat_that_is_no_text_is_an_error_of_the_plugin(said):
    entry = MetricEntry("known", Known(said))
    with pytest.raises(PluginError, match=r"caveat\(\) gives a "):
        scores(entry, measured(entry, 0.1, 0.4), {}, 1)


def test_a_score_of_an_older_journal_has_none():
    line = to_json(Score("f1", 0.5, 0.4, 0.6, 10, 0, "f1"))
    del line["caveat"]
    assert from_json(Score, line).caveat == ""


def test_every_sentence_of_a_verdict_names_it():
    entry, groups = MetricEntry("known", Known()), {str(n): str(n) for n in range(30)}
    score = rule.DecidingScore(entry, "known", groups)
    low = measured(entry, *(n / 100 for n in range(30)))
    high = measured(entry, *(n / 100 + 0.2 + n % 3 / 50 for n in range(30)))
    decided = rule.judge(score, high, low, alpha=0.025, against="round 0")
    assert decided.sentence.startswith("improved: known (unproven) rose by 0.2")
    doubtful = rule.judge(score, high[:1], low[:1], alpha=0.025)
    assert doubtful.sentence.startswith("no evidence: known (unproven) rose by 0.2")
    missing = rule.judge(score, [], [], alpha=0.025)
    assert missing.sentence.startswith("no evidence: known (unproven) cannot be compared")
    told = [
        detectable_effect.minimum_detectable_effect(score, side, alpha=0.025)[1]
        for side in (low, low[:1])
    ]
    assert all("known (unproven)" in one for one in told)
    assert "in known (unproven), positive" in rule.contrast_arms(score, high, low)[3]


@pytest.fixture(scope="module")
def ended(tmp_path_factory):
    """A finished run that such a score decides."""
    project = Project(tmp_path_factory.mktemp("caveats"))
    project.write()
    project.write(PLUGIN, "odd.py")
    project.write(CAVEAT, "state.txt")
    text = (project.folder / "harness.yaml").read_text().replace("plugins: [", "plugins: [odd.py, ")
    text = text.replace("metrics: [{plugin: overlap}]", "metrics: [odd, {plugin: overlap}]")
    project.write(
        text.replace("primary: overlap", "primary: odd\nobjective: {metric: odd, target: 2}")
    )
    done = project.inside("iterate", "--rounds", "1", "--json", "--set", "train.gain=0.03")
    assert done.code == 0, done.err
    assert done.document["kept_round"] == 1
    return project, done.document


@pytest.fixture
def run(ended, monkeypatch):
    """The same in the working folder, with the caveat that it began with."""
    monkeypatch.chdir(ended[0].folder)
    ended[0].write(CAVEAT, "state.txt")
    return ended


def folder(project, document):
    return project.folder / "reports" / document["run"]


def test_it_is_wherever_the_score_is(run):
    project, document = run
    for entry in document["rounds"]:
        caveats = {name: one["caveat"] for name, one in entry["scores"].items()}
        assert caveats == {"odd": "[red]unproven", "overlap": ""}
    assert document["test"]["kept"]["odd"]["caveat"] == "[red]unproven"
    told = [document["rounds"][1]["verdict"], document["test"]["verdict"]]
    assert f"{SHOWN} " in document["objective"]["sentence"]
    assert any(SHOWN in one["sentence"] for one in told)
    rows = query(folder(project, document) / "run.duckdb",
                 "SELECT DISTINCT name, caveat FROM scores ORDER BY name").rows  # fmt: skip
    assert rows == (("odd", "[red]unproven"), ("overlap", ""))
    files = {name: (folder(project, document) / name).read_text() for name in
             ("report.md", "report.html", "report.txt")}  # fmt: skip
    assert files["report.html"].count(SHOWN) >= 6
    assert files["report.md"].count(r"odd (\[red\]unproven)") >= 4
    assert files["report.txt"].count(SHOWN) >= 3
    assert re.search(
        r"^ +odd *\n +round .*rows +\(\[red\]unproven\)", files["report.txt"], re.MULTILINE
    )


@pytest.mark.nightly(but_each=4)
@pytest.mark.parametrize(
    "command",
    [("compare", "0", "1"), ("runs",), ("score", "--run", "NAME"), ("why", "ID")],
)
def test_every_command_that_shows_the_score_shows_it(run, command):
    project, document = run
    names = {"NAME": document["run"], "ID": document["examples"][0]["id"]}
    done = project.inside(*(names.get(word, word) for word in command), COLUMNS="160")
    assert done.code == 0, done.err
    assert SHOWN in done.out


@pytest.mark.parametrize("columns", ["70", "160"])
def test_where_there_is_no_room_there_is_a_mark(run, columns):
    project, _ = run
    done = project.inside("errors", COLUMNS=columns)
    assert "odd *" in done.out and "* odd: [red]unproven" in done.out


@pytest.mark.parametrize("command", [("compare", "0", "1"), ("score", "--run", "NAME")])
def test_a_table_without_room_says_below_it_what_the_mark_is(run, command):
    project, document = run
    words = (document["run"] if word == "NAME" else word for word in command)
    done = project.inside(*words, COLUMNS="80")
    assert "odd *" in done.out and "\n* [red]unproven" in done.out


@pytest.mark.nightly
def test_documents_of_commands_have_it(run):
    project, document = run
    compared = project.inside("compare", "0", "1", "--json").document
    assert compared["metrics"]["odd"]["caveat"] == "[red]unproven"
    scored = project.inside("score", "--run", document["run"], "--json").document
    assert scored["metrics"]["odd"]["caveat"] == "[red]unproven"
    wrong = project.inside("errors", "--json").document
    assert wrong["caveats"] == {"odd": "[red]unproven"}


def test_slices_of_a_score_have_a_mark(project):
    project.write(PLUGIN, "odd.py")
    project.write("unproven", "state.txt")
    lines = [{"id": str(n), "text": "so", "prompt": "say", "kind": "x" * n} for n in (1, 2)]
    for name in ("p.jsonl", "r.jsonl"):
        project.write("\n".join(map(json.dumps, lines)) + "\n", name)
    done = project.inside("score", "-p", "p.jsonl", "-r", "r.jsonl", "-m", "odd", "--by", "kind",
                          "--plugin", "odd.py")  # fmt: skip
    assert done.code == 0, done.err
    assert "odd (unproven)" in done.out and "odd *" in done.out and "* unproven" in done.out


def test_made_again_the_reports_tell_what_is_so_by_now(run):
    project, document = run
    place = folder(project, document)
    journal = project.folder / ".harness" / "runs" / document["run"] / "journal.jsonl"
    closed = [path.read_bytes() for path in (place / "summary.json", journal)]
    notes = [note for note in document["notes"] if ": odd: " in note]
    assert len(notes) == 4 and all("unproven" in note for note in notes)
    project.write("", "state.txt")
    assert project.inside("rebuild").code == 0
    now = project.inside("report", "--json").document
    changed = [note for note in now["notes"] if ": odd: " in note]
    assert changed[0] == "round 0: score: odd: 48 answers, all is well"
    assert len(changed) == len(notes) and not any("unproven" in note for note in changed)
    assert [note for note in now["notes"] if ": odd: " not in note] == [
        note for note in document["notes"] if ": odd: " not in note
    ]
    scores_now = [one["scores"]["odd"] for one in (*now["rounds"], {"scores": now["test"]["kept"]})]
    assert {one["caveat"] for one in scores_now} == {""}
    assert query(place / "run.duckdb", "SELECT DISTINCT caveat FROM scores").rows == (("",),)
    # A verdict is not given anew, so that its words stay.
    assert now["rounds"][1]["verdict"] == document["rounds"][1]["verdict"]
    assert [path.read_bytes() for path in (place / "summary.json", journal)] == closed
    again = opened(document["run"], Quiet()).journal.closed("main", 1)
    assert again is not None and again.scores["odd"].caveat == "[red]unproven"
    project.write(CAVEAT, "state.txt")
    assert project.inside("rebuild").code == 0
