"""Rounds in a tracker: what is sent, once; and a tracker that fails costs a note."""

from __future__ import annotations

import importlib.util
import json
import os
import sys

import pytest

import harness
from harness.records import GuardResult, RoundResult, Verdict
from harness_tracker import backends, figures
from harness_tracker.figures import Entry
from harness_tracker.observer import Tracker
from tests.support.ports import own_port
from tests.support.project import CONFIG, Project

TRAINER = """
import os
import harness
from tests.support.fakes import FakeTrainer


class TrackedTrainer(FakeTrainer):
    name = "tracked"

    class Options(FakeTrainer.Options):
        args: dict = {}

    def train(self, base, train, valid, context):
        if os.environ.get("FAILS_IN") == str(context.round):
            raise RuntimeError("not yet")
        return super().train(base, train, valid, context)


@harness.hookimpl
def register_trainers():
    return [TrackedTrainer]
"""
WANDB = '''
"""As much of wandb as the observer uses; its server is where FAKE_SERVER says."""
import json, os, socket, types

def told(what, **more):
    with open(os.environ["FAKE_LOG"], "a") as stream:
        stream.write(json.dumps({"what": what, **more}) + "\\n")

Settings = dict

class Run:
    def __init__(self, id):
        self.id = id or "made-up"
    def define_metric(self, *names, **more): pass
    def log(self, values):
        if os.environ.get("FAKE_EXITS"):
            raise SystemExit(3)
        told("log", values=values)
    def finish(self, exit_code=0):
        told("finish", code=exit_code)

def init(settings, **more):
    if port := os.environ.get("FAKE_SERVER"):
        try:
            with socket.create_connection(("127.0.0.1", int(port))) as made:
                made.recv(1)
        except OSError as error:
            raise ConnectionError(f"{error} (key {os.environ['WANDB_API_KEY']})") from error
    told("init", **more)
    return Run(more["id"])
'''
SECRET = "fake-secret-key"


class Tracked(Project):
    """An experiment whose ``report_to`` names a wandb that the tests have made."""

    def iterate(self, *arguments, **environment):
        fixed = {
            "FAKE_LOG": str(self.folder / "told.jsonl"),
            "WANDB_API_KEY": SECRET,
        }
        return self.inside("iterate", "--json", *arguments, **{**fixed, **environment})

    def told(self, what):
        path = self.folder / "told.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        return [call for call in map(json.loads, lines) if call["what"] == what]


@pytest.fixture
def tracked(tmp_path, monkeypatch):
    for name in [n for n in os.environ if n.startswith(("WANDB_", "TENSORBOARD"))]:
        monkeypatch.delenv(name)
    (tmp_path / "modules" / "wandb").mkdir(parents=True)
    (tmp_path / "modules" / "wandb" / "__init__.py").write_text(WANDB)
    monkeypatch.syspath_prepend(tmp_path / "modules")
    importlib.invalidate_caches()
    for name in [name for name in sys.modules if name.split(".")[0] == "wandb"]:
        monkeypatch.delitem(sys.modules, name)
    project = Tracked(tmp_path)
    configure(project)
    yield project
    sys.modules.pop("wandb", None)


def configure(project, report_to="wandb", rounds=1):
    project.write(TRAINER, "trainer.py")
    train = f"train: {{plugin: tracked, gain: 0.02, args: {{report_to: {report_to}}}}}"
    text = CONFIG.replace("train: {plugin: fake}", train).replace("rounds: 3", f"rounds: {rounds}")
    project.write(text.replace("plugins: [", "plugins: [trainer.py, "))


def test_rounds_by_step_and_test_at_the_end(tracked):
    configure(tracked, rounds=2)
    path = tracked.folder / "harness.yaml"
    path.write_text(path.read_text().replace("rows: 10", "rows: 10, control: random"))
    done = tracked.iterate()
    assert done.code == 0 and "wandb does not" not in done.err
    (begun,), sent = tracked.told("init"), [call["values"] for call in tracked.told("log")]
    run = done.document["run"]
    assert (begun["name"], begun["group"]) == (f"{run} rounds", run)
    assert (begun["config"]["rounds"], begun["config"]["train.gain"]) == (2, 0.02)
    assert [values["round"] for values in sent[:3]] == [0, 1, 1]
    first = done.document["rounds"][1]
    assert sent[1]["dev/overlap"] == pytest.approx(first["scores"]["overlap"]["value"])
    assert sent[1]["dev/overlap.low"] == pytest.approx(first["scores"]["overlap"]["low"])
    assert sent[1]["dev/verdict"] == first["verdict"]["label"]
    assert sent[1]["dev/verdict.difference"] == pytest.approx(first["verdict"]["difference"])
    assert (sent[1]["rows/train"], sent[1]["plan/rows"]) == (first["train_rows"], 10)
    assert sent[1]["seconds/train"] >= 0
    assert sent[2]["random/dev/verdict"] == "control"
    *rounds, last = sent
    assert not [name for values in rounds for name in values if "test" in name]
    test = done.document["test"]
    assert last["test/overlap kept"] == pytest.approx(test["kept"]["overlap"]["value"])
    assert last["test/verdict"] == test["verdict"]["label"]
    assert last["round"] == done.document["kept_round"]
    assert [call["code"] for call in tracked.told("finish")] == [0]
    # Names of slices say what rows hold; options may hold anything.
    whole = (tracked.folder / "told.jsonl").read_text()
    assert "= hard" not in whole and "amber" not in whole and "tracked" not in whole


@pytest.mark.nightly
def test_nothing_is_sent_without_report_to(tracked):
    configure(tracked, "none")
    assert tracked.iterate().code == 0
    assert not (tracked.folder / "told.jsonl").exists()
    assert not (tracked.folder / ".harness" / "tracker").exists()


@pytest.mark.nightly
def test_going_on_sends_no_round_twice(tracked):
    configure(tracked, rounds=2)
    place = {"WANDB_PROJECT": "mine", "WANDB_RUN_GROUP": "ours"}
    assert tracked.iterate(FAILS_IN="2", **place).code == 5
    assert [call["values"]["round"] for call in tracked.told("log")] == [0, 1]
    assert tracked.iterate(**place).code == 0
    assert [call["values"]["round"] for call in tracked.told("log")][:3] == [0, 1, 2]
    names = [name for call in tracked.told("log") for name in call["values"]]
    assert names.count("test/verdict") == 1
    first, second = tracked.told("init")
    assert (first["id"], second["id"], second["resume"]) == (None, "made-up", "allow")
    assert (second["project"], second["group"]) == ("mine", "ours")
    assert tracked.iterate().code == 0  # it is finished
    assert len(tracked.told("init")) == 2


@pytest.fixture
def closed():
    """A port on which nobody listens."""
    return str(own_port())


@pytest.mark.nightly
def test_a_tracker_that_fails_costs_a_note(tracked, closed):
    done = tracked.iterate("--no-test", FAKE_SERVER=closed)
    assert done.code == 0
    [told] = [line for line in done.err.splitlines() if "wandb does not get" in line]
    assert told.startswith("note: wandb does not get the figures of the run: ConnectionError: ")
    assert "Connection refused (key ***)" in told and "(the run goes on)" in told
    assert SECRET not in done.err
    assert len(done.document["rounds"]) == 2 and "wandb does not" not in done.out
    # When the run goes on, it gets all that it has not got.
    assert tracked.iterate().code == 0
    assert [call["values"]["round"] for call in tracked.told("log")][:2] == [0, 1]


@pytest.mark.nightly
def test_a_tracker_whose_library_exits_costs_a_note(tracked):
    done = tracked.iterate("--no-test", FAKE_EXITS="1")
    assert done.code == 0 and "wandb does not get the figures of the run: SystemExit" in done.err
    assert len(done.document["rounds"]) == 2


def test_guards_are_numbered_since_their_names_hold_text_of_rows():
    verdict = Verdict("no evidence", "round 0", 0.1, -0.2, 0.4, 0.95, 0.3, "")
    names = [f"exact where answer = {'amber ' * 60}", "overlap"]
    guards = tuple(GuardResult(name, verdict, "held") for name in names)
    result = RoundResult("main", 1, 8, {}, verdict, True, guards=guards)
    entry = figures.of_round(result, {})
    assert (entry.texts["dev/guard 1"], entry.texts["dev/guard 2"]) == ("held", "held")
    assert (entry.numbers["dev/guard 1.low"], entry.numbers["dev/guard 2.high"]) == (-0.2, 0.4)
    assert "amber" not in str(entry)


def test_the_bounds_of_a_score_with_a_long_name_stay_apart():
    score = harness.Score("long " * 60, 0.5, 0.25, 0.75, n=8, unscored=0, signature="")
    verdict = Verdict("baseline", "", None, None, None, 0.95, None, "")
    result = RoundResult("main", 0, 0, {score.name: score}, verdict, True)
    sent = figures.of_round(result, {}).numbers
    values = {name[-5:]: value for name, value in sent.items() if "long" in name}
    assert sorted(values.values()) == [0.25, 0.5, 0.75]
    assert max(map(len, sent)) == figures.LONGEST


@pytest.mark.nightly
def test_trackers_that_get_no_rounds_are_named(tracked):
    configure(tracked, "comet_ml")
    done = tracked.iterate("--no-test")
    assert done.code == 0
    assert "note: rounds are not sent to comet_ml, which gets the trainings alone" in done.err


REPORTING = {"train": {"args": {"report_to": "wandb"}}}


def recorded(monkeypatch, failing=()):
    """What a tracker is told, and which steps it fails at."""
    calls = []

    class Recorded:
        def __init__(self, asked):
            self.id = "made-up"
            calls.append(f"begin {asked.id}".strip())

        def send(self, step, numbers, texts):
            if step in failing:
                raise ConnectionError("no route to host")
            calls.append((step, numbers["dev/x"]))

        def end(self):
            calls.append("end")

    monkeypatch.setattr(backends, "Wandb", Recorded)
    return calls


def entry(number, value):
    return Entry(f"main/{number}", number, {"dev/x": value}, {}, {"seconds/train": number * 1.0})


def test_rounds_decided_again_are_sent_again(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    calls = recorded(monkeypatch)
    first = Tracker("wandb", "demo", REPORTING)
    for number in range(3):
        first.send(entry(number, 0.5))
    assert calls == ["begin", (0, 0.5), (1, 0.5), (2, 0.5)]
    calls.clear()
    again = Tracker("wandb", "demo", REPORTING)
    again.send(entry(0, 0.5))
    assert calls == []
    again.send(entry(1, 0.75))
    again.send(entry(2, 0.5))
    again.end(None)
    assert calls == ["begin made-up", (1, 0.75), "end"]


def test_what_could_not_be_sent_is_sent_with_the_next(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    failing = {0, 1}
    calls = recorded(monkeypatch, failing)
    tracker = Tracker("wandb", "demo", REPORTING)
    for number in (0, 1):
        with pytest.raises(ConnectionError):
            tracker.send(entry(number, 0.5))
    failing.clear()
    tracker.send(entry(2, 0.5))
    assert calls == ["begin", (0, 0.5), (1, 0.5), (2, 0.5)]


def test_a_damaged_note_of_what_was_sent_sends_all_again(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    calls = recorded(monkeypatch)
    Tracker("wandb", "demo", REPORTING).send(entry(0, 0.5))
    (tmp_path / ".harness/tracker/demo.wandb.json").write_text("[")
    Tracker("wandb", "demo", REPORTING).send(entry(0, 0.5))
    assert calls == ["begin", (0, 0.5)] * 2


@pytest.mark.nightly
def test_tensorboard_has_the_rounds_as_they_were(tracked):
    if importlib.util.find_spec("tensorboard") is None:
        pytest.skip("needs tensorboard: pip install -e '.[tensorboard]'")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    configure(tracked, "tensorboard")
    done = tracked.iterate()
    assert done.code == 0 and "tensorboard does not" not in done.err
    folder = tracked.folder / "tensorboard" / done.document["run"] / "rounds"
    found = EventAccumulator(str(folder))
    found.Reload()
    scores = [entry["scores"]["overlap"]["value"] for entry in done.document["rounds"]]
    sent = [(event.step, event.value) for event in found.Scalars("dev/overlap")]
    assert sent == [(number, pytest.approx(score)) for number, score in enumerate(scores)]
    assert found.Scalars("test/overlap kept")
