"""Plugins that are called outside of a run (score, check, plugins): none is trusted."""

from __future__ import annotations

import importlib.metadata
import json
import signal

import pytest

from harness.boundary import calls as plugin_calls
from harness.config import sourcing
from harness.stages import source
from tests.support.project import SUPPORT, Project
from tests.support.waiting import LONG

FILE = SUPPORT / "faulty.py"
ODD = """\
import json, os, sys
import harness
from harness.registry import import_file

faulty = import_file(__import__("pathlib").Path({file!r}))
RUBBISH = {{"none": None, "object": object(), "list": [object()], "nan": float("nan")}}

def do(metric, place, good):
    if metric.options.place != place:
        return good
    fault = metric.options.fault
    if fault == "noise":
        print("NOISE")
        os.write(1, b"NOISE")
    faulty.do(fault)
    return RUBBISH.get(fault, good)

class Odd(harness.Metric):
    name = "odd"
    class Options(harness.Options):
        place: str = ""
        fault: str = ""
    def score_names(self):
        return do(self, "score_names", ("odd",))
    def inputs(self):
        return do(self, "inputs", ())
    def ready(self, pairs):
        do(self, "ready", None)
    def measure(self, prediction, example):
        return do(self, "measure", float(len(prediction.text)))
    def aggregate(self, sums, weights):
        return do(self, "aggregate", super().aggregate(sums, weights))
    def signature(self):
        return do(self, "signature", "odd")
    def remarks(self, pairs):
        return do(self, "remarks", ())
    @property
    def bounds(self):
        return do(self, "bounds", (0.0, 9.0))
    @property
    def higher_is_better(self):
        return do(self, "higher_is_better", True)

@harness.hookimpl
def register_metrics():
    return [Odd]
"""
CALLS = ("inputs", "ready", "measure", "aggregate", "signature", "remarks")
KIND = ("score_names", "bounds", "higher_is_better")
"""What is asked before anything is measured: a metric that fails there cannot be chosen."""
RAISED = ("value", "own", "exit", "mute", "surrogate", "deep")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    made = Project(tmp_path_factory.mktemp("outside"))
    made.write(ODD.format(file=str(FILE)), "odd.py")
    for name, word in (("new", "text"), ("old", "texts")):
        made.write(
            "".join(f'{{"id": "{n}", "text": "{word}"}}\n' for n in range(24)), f"{name}.jsonl"
        )
    return made


def command(place, fault):
    return (
        "score", "-p", "new.jsonl", "-b", "old.jsonl", "-r", "old.jsonl", "--plugin", "odd.py",
        "-m", "odd", "-o", f"odd.place={place}", "-o", f"odd.fault={fault}", "--json",
    )  # fmt: skip


def score(files, place, fault):
    return files.inside(*command(place, fault))


def is_refused(done, code):
    assert (done.code, done.out) == (code, "")
    assert "odd" in done.err and "Traceback" not in done.err
    assert "good bye" not in done.err or "SystemExit" in done.err


@pytest.mark.nightly(but_each=5)
@pytest.mark.parametrize("fault", RAISED)
@pytest.mark.parametrize("place", CALLS)
def test_whatever_a_metric_raises_names_it(files, place, fault):
    is_refused(score(files, place, fault), 5)


@pytest.mark.nightly(but_each=4)
@pytest.mark.parametrize("fault", [*RAISED, "none", "object", "list", "nan"])
@pytest.mark.parametrize("place", KIND)
def test_a_metric_that_does_not_say_what_it_is_cannot_be_chosen(files, place, fault):
    done = score(files, place, fault)
    is_refused(done, 2)
    assert "odd: its options cannot be used: " in done.err


@pytest.mark.nightly(but_each=3)
@pytest.mark.parametrize("fault", ["object", "list"])
@pytest.mark.parametrize("place", ["inputs", "measure", "aggregate", "signature", "remarks"])
def test_rubbish_that_a_metric_gives_is_not_believed(files, place, fault):
    is_refused(score(files, place, fault), 5)


@pytest.mark.parametrize("place", CALLS)
def test_what_a_metric_prints_is_not_in_the_document(files, place):
    done = score(files, place, "noise")
    assert done.code == 0, done.err
    assert set(json.loads(done.out)["metrics"]) == {"odd"}
    assert "Traceback" not in done.err


def test_a_silent_metric_is_told(files, monkeypatch):
    monkeypatch.setattr(plugin_calls, "SILENCE", 0.02)
    # The thread that says it ends then.
    waits = """from tests.support.waiting import until
        until(lambda: not any(one.name == "harness-silence" for one in threading.enumerate()))"""
    slow = ODD.replace('do(self, "ready", None)', f"import threading\n        {waits}")
    files.write(slow.format(file=str(FILE)), "slow.py")
    done = files.inside(
        "score", "-p", "new.jsonl", "-r", "old.jsonl", "--plugin", "slow.py", "-m", "odd", "--json"
    )
    assert done.code == 0
    assert (
        "note: metric odd has reported nothing for 0.0 s. It may be at work all the same; Ctrl-C"
        in done.err
    )


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("print('NOISE'); 1 / 0", "ZeroDivisionError: division by zero"),
        ("import sys; sys.exit(0)", "it ends the process (SystemExit: 0)"),
        ("raise BaseException('mine')", "BaseException: mine"),
    ],
)
def test_an_installed_plugin_that_fails_is_listed_beside_the_others(
    project, monkeypatch, code, words
):
    class Point:
        name, value, dist = "keys", "acme_keys", None

        def load(self):
            exec(code)

    found = importlib.metadata.entry_points(group="harness")
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: [*found, Point()])
    done = project.inside("plugins", "--json")
    assert done.code == 0
    assert done.document["failed"] == {"acme_keys (acme_keys)": words}
    assert len(done.document["plugins"]) > 20


@pytest.mark.parametrize(
    "body",
    ["[object()]", "[type('Unreadable', (), {'__repr__': None})()]", "[]", "None", "'abc'"],
)
def test_a_hook_that_gives_no_plugins_is_told(project, body):
    project.write(
        f"import harness\n@harness.hookimpl\ndef register_metrics():\n    return {body}\n", "odd.py"
    )
    done = project.inside("plugins", "check", "odd.py")
    assert done.code == 5 and "odd.py" in done.err and "Traceback" not in done.err


@pytest.fixture
def faulty(project):
    """``faulty(fault)``: the config with a source of that fault."""

    def write(fault):
        text = (project.folder / "harness.yaml").read_text()
        text = text.replace("plugins: [", f"plugins: [{FILE}, ")
        project.write(
            text.replace("{source: fake}\nmodel", f"{{source: faulty, fault: {fault}}}\nmodel")
        )
        return project

    return write


@pytest.mark.nightly(but_each=5)
@pytest.mark.parametrize("fault", RAISED)
@pytest.mark.parametrize("command", ["check", "score"])
def test_whatever_a_source_raises_names_it(faulty, command, fault):
    made = faulty(fault)
    made.write('{"text": "x"}\n', "new.jsonl")
    more = {"score": ("-c", "harness.yaml", "-p", "new.jsonl"), "check": ()}[command]
    done = made.inside(command, *more)
    assert (done.code, done.out) == (5, "")
    assert f"source 'faulty' from {FILE}" in done.err and "Traceback" not in done.err


ENDLESS = """\
import harness

class Endless(harness.Source):
    name = "endless"
    def load(self, context):
        number = 0
        while True:
            number += 1
            yield harness.Example(f"r{number}", ({"role": "user", "content": "x"},), ("y",))

@harness.hookimpl
def register_sources():
    return [Endless]
"""


@pytest.mark.parametrize("command", ["check", "iterate"])
def test_a_source_that_does_not_end_is_counted_and_stopped(project, command, monkeypatch):
    project.write(ENDLESS, "endless.py")
    text = (project.folder / "harness.yaml").read_text()
    text = text.replace("plugins: [", "plugins: [endless.py, ")
    project.write(text.replace("{source: fake}\nmodel", "{source: endless}\nmodel"))
    monkeypatch.setattr(source, "MOST_ROWS", 1_000)
    monkeypatch.setattr(sourcing, "EVERY", 400)
    done = project.inside(command)
    assert done.code == 5
    words = " ".join(done.err.split())
    assert "note: source 'endless' from " in words
    assert "has given 400 rows so far; Ctrl-C ends it" in words and "given 800 rows" in words
    assert "load() gives more than 1,000 of them: it has to end" in words


@pytest.mark.nightly
@pytest.mark.parametrize("command", ["check", "iterate"])
def test_ctrl_c_ends_a_source_that_does_not(project, command):
    project.write(ENDLESS, "endless.py")
    text = (project.folder / "harness.yaml").read_text()
    text = text.replace("plugins: [", "plugins: [endless.py, ")
    project.write(text.replace("{source: fake}\nmodel", "{source: endless}\nmodel"))
    process = project.start(command)
    assert "has given 100,000 rows so far" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=LONG)
    assert process.returncode == 130
