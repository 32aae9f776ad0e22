"""Whatever a plugin raises, returns or does to the process: one message that names it."""

from __future__ import annotations

import json
import shutil
import signal
import time

import pytest

from harness.boundary import calls as plugin_calls
from harness.config import loading as configuration
from harness.errors import EnvironmentFailure, PluginError
from harness.loop import rounds
from harness.records.context import Quiet
from harness.registry import import_file
from harness.report import publishing
from harness.run.run import Run
from harness.steps import Steps
from harness.steps.history import History
from tests.support.project import SUPPORT

FILE = SUPPORT / "faulty.py"
FAULTY = import_file(FILE)
RAISES = sorted(FAULTY.RAISES)
LINES = {
    "source": "data: {source: faulty, fault: %s}",
    "model": "model: {source: faulty, fault: %s}",
    "trainer": "train: {plugin: faulty, fault: %s}",
    "generator": "generate: {plugin: faulty, fault: %s}",
    "metric": "metrics: [{plugin: faulty, fault: %s}]",
    "detector": "detect: [{plugin: faulty, fault: %s}]",
    "analyzer": "analyze: [{plugin: faulty, fault: %s}]",
    "augmenter": "augment: [{plugin: faulty, rows: 1, fault: %s}]",
    "reporter": "report: [{plugin: faulty, fault: %s}]",
    "section": "sections: [{plugin: faulty, fault: %s}]",
}
HEAD = f"rounds: 1\nplugins: [{FILE}]\nprimary: faulty\nexecution: {{launcher: inline}}\n"
LOOP = [stage for stage in LINES if stage not in ("reporter", "section")]
NOTED = ("detector", "analyzer")
"""Stages whose failure is a note: the run goes on without them."""
MACHINE = ("memory", "disk", "io")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """One folder for all: what comes before the faulty stage is made once."""
    return tmp_path_factory.mktemp("faults")


def walk(folder, stage, fault):
    """The run as far as it gets."""
    lines = [line % ("''" if name != stage else fault) for name, line in LINES.items()]
    (folder / "harness.yaml").write_text(HEAD + "\n".join(lines))
    run = Run(configuration.load(folder / "harness.yaml"), Quiet(), root=folder)
    run.prepare()
    steps, history = Steps(run), History()
    for _ in rounds(steps, history):
        pass
    return run, steps, history


def names(stage, text):
    assert f"{stage} 'faulty' from {FILE}" in text or stage in NOTED, text
    assert stage in ("source", "model") or "round" in text, text
    text.encode()


@pytest.mark.nightly(but_each=16)
@pytest.mark.parametrize("fault", RAISES)
@pytest.mark.parametrize("stage", LOOP)
def test_whatever_is_raised_names_the_plugin(folder, stage, fault):
    if stage in NOTED and fault not in MACHINE:
        notes = walk(folder, stage, fault)[0].notes
        names(stage, next(note for note in notes if "failed" in note))
        return
    kind = EnvironmentFailure if fault in MACHINE else PluginError
    with pytest.raises(kind) as caught:
        walk(folder, stage, fault)
    text = str(caught.value)
    if fault == "disk":
        assert "/full/x: the disk is full" in text
    else:
        names(stage, text)


def published(folder, stage, fault, say):
    run, steps, history = walk(folder, stage, fault)
    run.watcher = say
    return publishing.publish(run, steps, history, final=True)


class Saying(Quiet):
    def __init__(self):
        self.said = []

    def say(self, sentence):
        self.said.append(sentence)


@pytest.mark.nightly
@pytest.mark.parametrize("fault", ["mute", "wrong"])
def test_a_reporter_that_fails_is_a_warning(folder, fault):
    watcher = Saying()
    published(folder, "reporter", fault, watcher)
    (line,) = [line for line in watcher.said if "reporter" in line]
    assert line.startswith(f"warning: reporter 'faulty' ({FILE})")


@pytest.fixture(scope="module")
def complete(run_once, tmp_path_factory):
    """A copy of a run that has ended, whose reporter may be made to fail."""
    folder = tmp_path_factory.mktemp("complete") / "copy"
    shutil.copytree(run_once[0].folder, folder)
    return type(run_once[0])(folder)


@pytest.mark.nightly(but_each=18)
@pytest.mark.parametrize("fault", RAISES)
def test_a_reporter_that_fails_to_show_a_complete_run_is_named(complete, run_once, fault):
    text = (run_once[0].folder / "harness.yaml").read_text()
    text = text.replace("plugins: [", f"plugins: [{FILE}, ")
    complete.write(text + f"report: [{{plugin: faulty, show: {fault}}}, terminal]\n")
    done = complete.inside("iterate")
    assert done.code == (3 if fault in MACHINE else 5), done.err
    assert "Traceback" not in done.err
    if fault not in MACHINE:
        assert f"plugin: reporter 'faulty' from {FILE}: " in done.err
        assert "the run is complete: harness report harness-" in done.err
    assert complete.inside("report").code == 0


@pytest.mark.nightly
@pytest.mark.parametrize("fault", ["mute", "wrong"])
def test_a_section_that_fails_is_named_in_the_report(folder, fault):
    summary = published(folder, "section", fault, Saying())
    analysis = json.loads((folder / "reports" / summary.run / "analysis.json").read_text())
    assert set(analysis["failed"]) == {"faulty"} and analysis["sections"] == []


@pytest.mark.nightly
def test_a_plugin_that_ends_the_process_is_named_at_the_next_start(project):
    text = (project.folder / "harness.yaml").read_text()
    (project.folder / "ends.py").write_text(ENDS)
    text = text.replace("plugins: [", "plugins: [ends.py, ")
    project.write(text.replace("detect: [fake]", "detect: [ends]"))
    small = [f"--set=data.{split}=8" for split in ("train", "pool", "dev", "test")]
    dead = project.harness("iterate", "--rounds", "1", *small)
    assert dead.code == -signal.SIGABRT
    (project.folder / "mended").touch()
    again = project.inside("iterate", "--rounds", "1", *small)
    assert again.code == 0
    assert "the last attempt ended within detector 'ends' from " in again.err
    assert "round 0: detect" in again.err and "ended the process" in again.err
    assert "ended within" not in project.inside("iterate", "--rounds", "1", *small).err


ENDS = """\
import os, pathlib, harness

class Ends(harness.Detector):
    name = "ends"
    def categories(self):
        return {}
    def detect(self, scored):
        if not pathlib.Path("mended").exists():
            os.abort()
        return []

@harness.hookimpl
def register_detectors():
    return [Ends]
"""


def test_silence_is_said_once_and_names_the_plugin(monkeypatch):
    monkeypatch.setattr(plugin_calls, "SILENCE", 0.02)
    said = []
    calls = plugin_calls.PluginCalls(None, said.append)
    with calls.into("metric 'slow' from here, round 1: score", watched=True):
        end = time.monotonic() + 20
        while not said and time.monotonic() < end:
            time.sleep(0.01)
        time.sleep(0.06)
    (sentence,) = said
    assert "metric 'slow' from here, round 1: score has reported nothing" in sentence
    assert "Ctrl-C" in sentence


@pytest.mark.nightly
def test_threads_that_raise_and_wrong_logging_go_to_the_log(project):
    (project.folder / "noisy.py").write_text(NOISY)
    text = (project.folder / "harness.yaml").read_text()
    text = text.replace("plugins: [", "plugins: [noisy.py, ")
    project.write(text.replace("detect: [fake]", "detect: [noisy]"))
    small = [f"--set=data.{split}=8" for split in ("train", "pool", "dev", "test")]
    done = project.inside("iterate", "--rounds", "1", *small)
    assert done.code == 0
    assert "Traceback" not in done.err and "Logging error" not in done.err
    (log,) = (project.folder / ".harness" / "runs").glob("*/harness.log")
    assert "thread a worker failed: ValueError: within a thread" in log.read_text()


NOISY = """\
import logging, threading, harness

def fail():
    raise ValueError("within a thread")

class Noisy(harness.Detector):
    name = "noisy"
    def categories(self):
        return {}
    def detect(self, scored):
        thread = threading.Thread(target=fail, name="a worker")
        thread.start()
        thread.join()
        logging.getLogger("noisy").error("%d of %s", "x")
        return []

@harness.hookimpl
def register_detectors():
    return [Noisy]
"""
