"""A heavy stage in a process of its own: the same answer, the same errors, and an end."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path

import pytest

from harness.errors import Cancelled, DataError, EnvironmentFailure, PluginError
from harness.kit.files import read_jsonl
from harness.records import Checkpoint, Example
from harness.registry import Registry
from harness.run import channel, worker
from harness.run.job import Job, run_inline, write
from harness.run.worker import Worker
from tests.support.waiting import until

PLUGIN = r"""
import os, sys, time
import harness
from harness.errors import DataError, EnvironmentFailure

class Echo(harness.Generator):
    name = "echo"
    class Options(harness.Options):
        do: str = ""
    def generate(self, checkpoint, examples, context):
        do = self.options.do
        print("noise on standard output")
        if do == "data":
            raise DataError("bad row", where="x.jsonl:3", hint="mend it", details=["one", "two"])
        if do == "disk":
            raise OSError(28, "No space left on device", "/x")
        if do == "raise":
            raise ValueError("a wrong shape")
        if do == "exit":
            sys.stderr.write("last words\\n")
            sys.stderr.flush()
            os._exit(7)
        if do == "fork" and os.fork() == 0:
            time.sleep(120)
            os._exit(0)
        if do == "copy":
            os.fork()
        if do == "own":
            class Own(BaseException):
                def __str__(self):
                    raise RuntimeError
            raise Own
        if do == "goodbye":
            raise SystemExit("good bye")
        if do == "memory":
            raise MemoryError
        if do == "closed":
            os.closerange(3, 256)
            raise ValueError("after all was closed")
        if do == "wait":
            for step in range(600):
                time.sleep(0.05)
                context.progress(step, 600)
        rows = list(examples)
        if do == "less":
            rows = rows[:-1]
        if do == "twice":
            rows.append(rows[0])
        context.note(seed=context.seed, round=context.round)
        for done, row in enumerate(reversed(rows), 1):
            context.progress(done, len(rows), "prompts")
            yield harness.Prediction(row.id, row.prompt.upper())

@harness.hookimpl
def register_generators():
    return [Echo]
"""


@pytest.fixture
def launch(tmp_path):
    path = tmp_path / "echo.py"
    path.write_text(PLUGIN)

    def go(do="", launcher="local", report=lambda done, total, what: None, stop=lambda: False):
        rows = [Example(f"e{n}", ({"role": "user", "content": f"text {n}"},)) for n in range(3)]
        made = Job(
            "generator", "echo", {"do": do}, (str(path),), Checkpoint("base", "/x", "d"),
            ("examples",), seed=5, round=2, arm="main",
        )  # fmt: skip
        folder = tmp_path / f"job-{launcher}"
        write(made, {"examples": rows}, folder)
        if launcher == "local":
            with Worker() as worker:
                return worker.do(folder, report, stop), folder
        plugin = Registry.build([path]).get("generator", "echo").plugin
        return run_inline(folder, plugin(plugin.Options(do=do)), report, stop), folder

    return go


@pytest.mark.nightly(but_each=2)
@pytest.mark.parametrize("launcher", ["inline", "local"])
def test_the_answers_come_in_the_order_of_the_examples(launch, launcher):
    steps = []
    result, folder = launch(launcher=launcher, report=lambda *step: steps.append(step))
    lines = list(read_jsonl(folder / "output" / "predictions.jsonl"))
    assert [(one["example_id"], one["text"]) for one in lines] == [
        ("e0", "TEXT 0"), ("e1", "TEXT 1"), ("e2", "TEXT 2"),
    ]  # fmt: skip
    assert result == {"answer": 3, "facts": {"seed": 5, "round": 2}}
    assert steps == [(1, 3, "prompts"), (2, 3, "prompts"), (3, 3, "prompts")]


def test_what_libraries_print_goes_to_the_log(launch):
    _, folder = launch()
    assert "noise on standard output" in (folder / "log.txt").read_text()


@pytest.mark.nightly(but_each=4)
@pytest.mark.parametrize(
    ("do", "kind", "words"),
    [
        ("data", DataError, ["x.jsonl:3: bad row", "one", "two", "mend it"]),
        ("disk", EnvironmentFailure, ["disk is full"]),
        ("raise", PluginError, ["ValueError: a wrong shape"]),
        ("exit", PluginError, ["exit code 7", "last words"]),
        ("own", PluginError, ["Own (its text cannot be read)"]),
        ("goodbye", PluginError, ["SystemExit: good bye"]),
        ("memory", EnvironmentFailure, ["the memory is not enough"]),
        ("closed", PluginError, ["ValueError: after all was closed"]),
        ("less", PluginError, ["left 1 of 3 prompts unanswered"]),
        ("twice", PluginError, ["answered 'e0' twice"]),
    ],
)
def test_errors_cross_the_border_whole(launch, do, kind, words):
    with pytest.raises(kind) as caught:
        launch(do)
    assert [word for word in words if word not in str(caught.value)] == []


@pytest.mark.nightly(but_each=2)
@pytest.mark.parametrize("do", ["fork", "copy"])
def test_a_process_that_the_plugin_leaves_behind_hangs_nothing(launch, do):
    result, folder = launch(do)
    assert result["answer"] == 3
    assert len(list(read_jsonl(folder / "output" / "predictions.jsonl"))) == 3


def test_stray_lines_on_the_channel_are_passed_over():
    for line, message in [
        (b"[1, 3, 'a'", None), (b"Downloading shards: 100%", None), (b"", None), (b"\xff", None),
        (b"[" * 100_000, None), (b'[7, "step", 2]', None), (b'[7, "step", "a", 2, "b"]', None),
        (b'{"a": 1}', None), (b"null", None), (b"[7]", None), (b'[7, ["step"], 1, 2, "b"]', None),
        (b'[6, "step", 1, 2, "b"]', None), (b'[7, "step", 1, 2, "b"]', ["step", 1, 2, "b"]),
        (b'[7, "failure", {"kind": "x"}]', ["failure", {"kind": "x"}]),
        (b'[7, "say", "s"]', ["say", "s"]),
    ]:  # fmt: skip
        assert channel.message(line, 7) == message, line


@pytest.mark.parametrize(
    "words",
    ["MemoryError", "ImportError: libarrow.so: failed to map segment from shared object",
     "OSError: [Errno 28] No space left on device: 'x'"],
)  # fmt: skip
def test_a_child_that_the_machine_ended_says_so(tmp_path, words):
    (tmp_path / "log.txt").write_text(f"Traceback (most recent call last):\n{words}\n")
    with pytest.raises(EnvironmentFailure, match="the job's process ended"):
        worker.outcome(tmp_path, 1, None)


def test_a_child_stops_when_it_is_asked_to(launch):
    steps = []
    with pytest.raises(Cancelled):
        launch("wait", report=lambda *step: steps.append(step), stop=lambda: len(steps) > 2)
    assert 3 <= len(steps) < 600


def test_no_process_is_left_behind_where_the_parent_fails(launch, tmp_path):
    def fail(done, total, what):
        raise RuntimeError("the display broke")

    with pytest.raises(RuntimeError, match="the display broke"):
        launch("wait", report=fail)

    def others():
        """Processes that were killed may take a moment to end."""
        for entry in Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                if str(tmp_path).encode() in entry.read_bytes():
                    yield int(entry.parent.name)

    until(lambda: not {*others()} - {os.getpid()}, "the end of the job's process")


def test_a_job_is_plain_json(launch):
    _, folder = launch()
    description = json.loads((folder / "job.json").read_text())
    assert description["rows"] == ["examples"]
    assert description["checkpoint"]["kind"] == "base"
