"""What a run says of itself while it is at work, and how a reader takes it."""

from __future__ import annotations

import errno
import io
import itertools
import json
import math
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

import harness
from harness.kit.lock import exclusive
from harness.kit.remote.replies import Reply
from harness.kit.remote.spending import Spending
from harness.kit.terminal.progress import Display
from harness.records import to_json
from harness.records.live import CURVES, LINE, LINES, POINTS, SCORES
from harness.run import live
from harness.run.live import Curve, LiveFile, read_live
from harness.run.shared_run import SharedRun

TRAINER = """
import os
import pathlib
import signal

import harness
from tests.support.fakes import FakeTrainer
from tests.support.waiting import until


class Telling(FakeTrainer):
    name = "telling"

    class Options(FakeTrainer.Options):
        then: str = ""

    def train(self, base, train, valid, context):
        for step in range(1, 11):
            context.progress(step, 10, "steps", loss=1 / step)
        context.progress(10, 10, "steps, eval_loss 0.5, the end")
        if self.options.then == "fail":
            raise harness.DataError("a row is broken", where="train.jsonl:7")
        if self.options.then == "raise":
            raise ValueError("a wrong shape")
        if self.options.then == "stop":
            os.kill(os.getpid(), signal.SIGINT)
            context.check()
        if self.options.then == "die":
            [file] = pathlib.Path(".harness/runs").glob("*/live.json")
            until(lambda: b"eval_loss" in file.read_bytes())
            os.kill(os.getpid(), signal.SIGKILL)
        return super().train(base, train, valid, context)


@harness.hookimpl
def register_trainers():
    return [Telling]
"""
ONE_ROUND = ("iterate", "--rounds", "1", "--json", "--set")


@pytest.fixture
def telling(project: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A project whose trainer tells its loss; each write of the file is one that could be late."""
    text = (project.folder / "harness.yaml").read_text()
    text = text.replace("plugins: [", "plugins: [telling.py, ")
    project.write(TRAINER, "telling.py")
    project.write(text.replace("train: {plugin: fake}", "train: {plugin: telling}"))
    monkeypatch.chdir(project.folder)
    return project


def only_run() -> harness.RunView:
    [folder] = Path(".harness/runs").iterdir()
    return harness.RunView(folder.name)


def said() -> harness.Live:
    document = only_run().live()
    assert document is not None
    return document


def test_a_finished_run_tells_losses_scores_and_verdicts(telling: Any) -> None:
    augment = "augment=[{plugin: fake, rows: 5, control: random}]"
    done = telling.inside(*ONE_ROUND, augment)
    assert done.code == 0, done.err
    summary = done.document
    told = said()
    assert (told.state, told.why, told.done, told.left) == ("finished", "", 1.0, 0.0)
    assert told.command == f"harness iterate --set '{augment}' --rounds 1"
    assert told.run == summary["run"] and told.pid == os.getpid() and not told.stages
    curves = {(curve.label, curve.name): curve.points for curve in told.curves}
    assert curves["round 1: train", "loss"] == tuple(
        (step, float(f"{1 / step:.4g}")) for step in range(1, 11)
    )
    assert curves["round 1: train", "eval_loss"] == ((10, 0.5),)
    assert [score.label for score in told.scores] == [
        "round 0: dev", "round 1: dev", "round 1: dev (random)",
    ]  # fmt: skip
    of_summary = summary["rounds"][0]["scores"]["overlap"]
    assert to_json(told.scores[0]) == {
        "label": "round 0: dev", "name": "overlap",
        **{key: of_summary[key] for key in ("value", "low", "high", "n")},
    }  # fmt: skip
    assert any(line.text.startswith("round 1: ") for line in told.lines)
    of_store = SharedRun(None, Path(".harness"), told.run)._files()  # type: ignore[arg-type]
    names = {Path(path).name for path in of_store}
    assert "journal.jsonl" in names and "live.json" not in names


@pytest.mark.parametrize(
    ("then", "state", "why"),
    [
        ("fail", "failed", "train.jsonl:7: a row is broken"),
        ("raise", "failed", "a wrong shape"),
        ("stop", "interrupted", ""),
    ],
)
def test_how_a_command_ended_and_what_it_was_at(
    telling: Any, then: str, state: str, why: str
) -> None:
    assert telling.inside(*ONE_ROUND, f"train.then={then}").code
    told = said()
    assert told.state == state and why in told.why and "\n" not in told.why
    [stage] = told.stages
    assert (stage.label, stage.done, stage.total) == ("round 1: train", 10, 10)
    assert stage.what == "steps, eval_loss 0.5, the end" and 0 < told.done < 1


def test_whoever_waits_for_people_says_what_they_have_to_run(telling: Any) -> None:
    from tests.integration.test_waiting import prepare

    prepare(telling)
    assert telling.inside("iterate", "--rounds", "1").code == 6
    told = said()
    assert told.state == "waiting" and "nobody has rated yet" in told.why
    assert told.commands == (f"ask {told.run} --round 0",)
    assert told.command == "harness iterate --rounds 1"


def test_a_process_that_was_killed_is_gone(telling: Any) -> None:
    assert telling.harness(*ONE_ROUND, "train.then=die").code == -9
    view = only_run()
    assert json.loads((view.folder / "live.json").read_bytes())["state"] == "running"
    told = said()
    assert (
        told.state == "gone" and told.command == "harness iterate --set train.then=die --rounds 1"
    )
    with exclusive(view.folder / "lock"):  # as while it is at work
        assert said().state == "running"


def _full(path: Path, data: bytes, *, durable: bool = True) -> None:
    raise OSError(errno.ENOSPC, "No space left on device", str(path))


def test_a_full_disk_costs_a_run_nothing_but_this_file(
    telling: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "write_bytes", _full)
    done = telling.inside(*ONE_ROUND, "seed=8")
    assert done.code == 0, done.err
    assert only_run().live() is None and len(done.document["rounds"]) == 2


def test_what_lies_in_its_place_costs_a_run_nothing_but_this_file(telling: Any) -> None:
    given = (*ONE_ROUND, "train.then=fail")
    first = telling.inside(*given)
    file = only_run().folder / "live.json"
    file.unlink()
    file.mkdir()
    again = telling.inside(*given)
    assert (again.code, again.err) == (first.code, first.err) and only_run().live() is None
    file.rmdir()
    file.symlink_to(telling.folder / "telling.py")  # it is replaced, and not written through
    (half := file.with_name(".live.json.0123abcd.tmp")).touch()  # as a kill leaves it
    telling.inside(*given)
    assert said().state == "failed" and not file.is_symlink() and not half.exists()
    assert (telling.folder / "telling.py").read_text() == TRAINER


def test_without_a_thread_it_is_written_at_the_end(
    telling: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threading.Thread, "start", _no_thread(threading.Thread.start))
    assert telling.inside(*ONE_ROUND, "train.then=fail").code
    assert said().state == "failed"


def _no_thread(start: Any) -> Any:
    def refuse(thread: threading.Thread) -> None:
        if thread.name == "harness-live":
            raise RuntimeError("can't start new thread")
        start(thread)

    return refuse


class _Over:
    """In place of the event that ends the thread: the clock goes on by each pause."""

    def __init__(self, clock: list[float], pauses: int) -> None:
        self.clock, self.left, self.pauses = clock, pauses, list[float]()

    def wait(self, pause: float) -> bool:
        self.pauses.append(pause)
        self.clock[0] += pause
        self.left -= 1
        return self.left < 0


@pytest.mark.parametrize(
    ("took", "changes", "pauses", "writes"),
    [
        (0.0, True, [0.0, 1.0, 1.0, 1.0], 3),
        (0.02, True, [0.0, 8.0, 8.0, 8.0], 3),  # a slow disk
        (9.0, True, [0.0, 60.0, 60.0, 60.0], 3),  # no reader may take it for gone
        (0.0, False, [0.0] + [1.0] * 61, 2),  # the beat
    ],
)
def test_it_is_written_once_a_second_at_most(
    monkeypatch: pytest.MonkeyPatch, took: float, changes: bool, pauses: list[float], writes: int
) -> None:
    clock, written = [100.0], list[str]()
    monkeypatch.setattr(live.time, "monotonic", lambda: clock[0])
    file = object.__new__(LiveFile)
    file._over, file._changed = _Over(clock, len(pauses) - 1), changes

    def write(state: str) -> None:
        written.append(state)
        clock[0] += took
        file._changed = changes

    file._write = write
    file._follow()
    assert file._over.pauses == pytest.approx(pauses) and written == ["running"] * writes


@pytest.mark.parametrize("count", [1, POINTS, POINTS + 1, 10_000])
def test_a_curve_keeps_its_ends_and_evenly_spaced_points(count: int) -> None:
    curve = Curve()
    for step in range(1, count + 1):
        curve.add(step, step / 2)
    steps = [step for step, _ in curve.points]
    assert all(value == step / 2 for step, value in curve.points)
    assert steps[0] == 1 and steps[-1] == count and len(steps) <= POINTS
    assert len({after - before for before, after in itertools.pairwise(steps[:-1])}) <= 1
    assert len(steps) >= min(count, POINTS // 2)


def test_a_training_that_begins_again_draws_its_curve_again() -> None:
    curve = Curve()
    for step in [*range(1, 1001), *range(500, 1001)]:
        curve.add(step, float(step >= 500))
    steps = [step for step, _ in curve.points]
    assert steps == sorted({*steps}) and steps[-1] == 1000
    assert len({after - before for before, after in itertools.pairwise(steps[:-1])}) <= 2


@pytest.fixture
def run_folder(tmp_path: Path) -> Iterator[Path]:
    """The folder of a run that is at work, as a reader finds it."""
    with exclusive(tmp_path / "lock"):
        yield tmp_path


def document(**changes: Any) -> dict[str, Any]:
    plain = harness.Live(
        "harness.live/1", "toy", "running", "", (), "harness iterate", "2026-12-03T08:00:00Z",
        "2026-12-03T08:00:01Z", live.one_line(os.uname().nodename), 7, 0.5, None, (), (), (), (),
        0, None,
    )  # fmt: skip
    return {**to_json(plain), **changes}


def test_a_document_is_read_as_it_was_written(run_folder: Path) -> None:
    (run_folder / "live.json").write_text(json.dumps(document()))
    told = read_live(run_folder)
    assert told is not None and to_json(told) == document()


STAGE = {"label": "train", "what": "", "done": 1, "total": 2, "seconds": 1.0, "left": None}


@pytest.mark.parametrize(
    "content",
    [
        "", "{", "[]", "null", "[" * 100_000, "9" * 5_000,
        json.dumps(document(schema="harness.live/2")),
        json.dumps(document(pid="7")),
        json.dumps(document(pid=-1)),
        json.dumps(document(done=math.nan)),
        json.dumps(document()).replace("0.5", "1e999"),
        json.dumps(document(done=2)),
        json.dumps(document(state="resting")),
        json.dumps(document(why="x" * (LINE + 1))),
        json.dumps(document(lines=[{"at": "", "text": ""}] * (LINES + 1))),
        json.dumps(document(stages=[{**STAGE, "done": 10**400}])),
        json.dumps(document(curves=[{"label": "", "name": "", "points": [[1, 2, 3]]}])),
        json.dumps(document(curves=[{"label": "", "name": "", "points": []}] * (CURVES + 1))),
        json.dumps(document(stages=[{**STAGE, "label": None}])),
        json.dumps({key: value for key, value in document().items() if key != "run"}),
    ],
)  # fmt: skip
def test_what_is_no_such_document_is_none(run_folder: Path, content: str) -> None:
    (run_folder / "live.json").write_text(content)
    assert read_live(run_folder) is None


def test_what_lies_in_its_place_is_neither_followed_nor_waited_for(run_folder: Path) -> None:
    path, elsewhere = run_folder / "live.json", run_folder / "elsewhere.json"
    assert read_live(run_folder) is None
    elsewhere.write_text(json.dumps(document()))
    path.symlink_to(elsewhere)
    assert read_live(run_folder) is None
    path.unlink()
    os.mkfifo(path)
    assert read_live(run_folder) is None
    path.unlink()
    with path.open("wb") as stream:
        stream.truncate(100 << 20)
    assert read_live(run_folder) is None


@pytest.mark.parametrize(
    ("updated", "state"),
    [
        ("2026-12-03T08:00:01Z", "gone"), ("no time", "gone"), ("2026-12-03T08:00:01", "gone"),
        ("2999-12-03T08:00:01Z", "running"),
    ],
)  # fmt: skip
def test_a_process_of_another_machine_is_gone_after_a_while(
    tmp_path: Path, updated: str, state: str
) -> None:
    (tmp_path / "live.json").write_text(json.dumps(document(host="elsewhere", updated=updated)))
    told = read_live(tmp_path)
    assert told is not None and told.state == state


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LiveFile:
    """Of a run without a config, which writes to the test's folder."""
    monkeypatch.setattr(live.resume_command, "way_on", lambda folder, config: ["x" * 9_000])
    return file_in(tmp_path)


def file_in(folder: Path) -> LiveFile:
    spending = Spending(folder / "spent.jsonl", "toy")
    run = SimpleNamespace(folder=folder, name="toy", config=None, spending=spending)
    return LiveFile(run, Display(Console(file=io.StringIO()), "toy", 1.0))  # type: ignore[arg-type]


def test_curves_of_stages_that_work_side_by_side_are_together(
    file: LiveFile, tmp_path: Path
) -> None:
    reports = [file.stage(label) for label in ("round 1: train", "round 1: train (other)")]
    for name in ("loss", "eval_loss"):
        for report in reports:  # each in a thread of its own, where there are several workers
            report(1, 2, f"steps, {name} 1")
    file.__exit__(None, None, None)
    told = read_live(tmp_path)
    assert told is not None
    assert [(curve.label, curve.name) for curve in told.curves] == [
        ("round 1: train", "loss"), ("round 1: train", "eval_loss"),
        ("round 1: train (other)", "loss"), ("round 1: train (other)", "eval_loss"),
    ]  # fmt: skip


@pytest.mark.parametrize("ended", [True, False])
def test_a_curve_goes_on_where_the_command_before_was_ended(
    file: LiveFile, tmp_path: Path, ended: bool
) -> None:
    report = file.stage("round 1: train")
    for step in range(1, 81):
        report(step, 100, "steps, loss 2")
    file.__exit__(None, None if ended else harness.Cancelled(), None)
    again = file_in(tmp_path)
    report = again.stage("round 1: train")
    for step in range(51, 101):  # from its last checkpoint on
        report(step, 100, "steps, loss 1")
    again.__exit__(None, None, None)
    told = read_live(tmp_path)
    assert told is not None
    kept = () if ended else tuple((step, 2.0) for step in range(1, 51))
    assert told.curves[0].points == (*kept, *((step, 1.0) for step in range(51, 101)))


def test_what_requests_cost_is_told(file: LiveFile, tmp_path: Path) -> None:
    spending, price = file._run.spending, {"in": 100.0, "out": 100.0}
    with file:
        spending.sent("round 1: generate", "large", 0.25)
        number = spending.sent("round 1: generate", "large", 0.25)
        spending.settle(number, Reply("yes", prompt_tokens=1000, answer_tokens=0), price)
    told = read_live(tmp_path)
    assert told is not None and (told.requests, told.money) == (2, 0.35)
    spending.path.write_text("damaged\n" * 2)
    file.__exit__(None, None, None)
    told = read_live(tmp_path)
    assert told is not None and (told.requests, told.money) == (0, None)


@pytest.mark.parametrize("step", [(1, 2, None), (0.5, 1, "x"), (math.nan, 1, ""), (-1, -1, "")])
def test_steps_that_are_none_are_no_reason_to_fail(
    file: LiveFile, tmp_path: Path, step: Any
) -> None:
    with file:
        file.stage("round 1: train")(*step)
    told = read_live(tmp_path)
    assert told is not None and told.state == "finished" and len(told.stages) == 1


def test_a_step_that_is_no_number_is_the_plugins_fault_alone(
    file: LiveFile, tmp_path: Path
) -> None:
    with file:
        with pytest.raises(TypeError):
            file.stage("round 1: train")("1", 2, "")  # type: ignore[arg-type]
        file.say("goes on")
    told = read_live(tmp_path)
    assert told is not None and told.state == "finished"


def test_texts_and_numbers_of_strangers_are_bounded(file: LiveFile, tmp_path: Path) -> None:
    """The largest document that is written can be read."""
    worst = "\x1b[31m\ud800\u202e<b>\n" + "é" * 5_000
    score = harness.Score(worst, math.nan, -math.inf, None, 3, 0, "")

    def command() -> None:
        with file:
            for number in range(2 * CURVES):
                report = file.stage(f"{number} {worst}")
                for step in range(POINTS + 5):
                    report(step, 10**30, f"{worst}, loss 1e300, {'n' * 500} 1, accuracy -1e999")
            for number in range(SCORES):
                file.scored(f"{number} {worst}", {worst: score, "other": score})
            for _ in range(2 * LINES):
                file.say(worst)
            raise harness.Waiting(worst, [worst] * 50)

    with pytest.raises(harness.Waiting):
        command()
    told = read_live(tmp_path)
    assert told is not None and told.state == "waiting"
    assert (len(told.curves), len(told.scores), len(told.lines)) == (CURVES, SCORES, LINES)
    assert told.scores[0].value is None and told.scores[0].low is None
    assert {*map(len, (told.why, *told.commands))} == {LINE}
    assert "\x1b" not in json.dumps(to_json(told), ensure_ascii=False)
