"""Several workers: tasks side by side, and what one of them does for all."""

from __future__ import annotations

import functools
import time
from pathlib import Path
from typing import Any, ClassVar

import pytest

from harness.errors import Cancelled, JobKilled, PluginError
from harness.records.context import silent, unheard
from harness.run.local_runner import LocalRunner
from harness.run.worker import Worker
from harness.run.workers import ATTEMPTS, Workers
from harness.stages import Resources


class Sleeping(Worker):
    """Sleeps as many seconds as the folder's name says, or until it is asked to stop; with a plus
    before them to the end.

    Attributes:
        slept: names of those that were not asked to stop.
    """

    slept: ClassVar[list[str]] = []

    def do(self, folder: Any, report: Any, cancelled: Any, say: Any = None) -> Any:
        over = time.monotonic() + float(folder.name)
        while time.monotonic() < over:
            if cancelled() and folder.name[0] != "+":
                raise Cancelled
            time.sleep(0.005)
        self.slept.append(folder.name)
        return folder.name


@pytest.fixture(autouse=True)
def sleeping(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.run.local_runner.Worker", Sleeping)
    monkeypatch.setattr(Sleeping, "slept", [])


def job(workers: Workers, seconds: str) -> Any:
    return lambda: workers.do(Path(seconds), silent, lambda: False)


def test_results_come_in_the_order_of_the_tasks() -> None:
    ended: list[int] = []

    def task(number: int) -> int:
        job(workers, "0.01")()
        while number == 0 and len(ended) < 3:  # the first one is the last to end
            job(workers, "0.01")()
        ended.append(number)
        return number

    with Workers(3) as workers:
        tasks = [functools.partial(task, number) for number in range(4)]
        assert list(workers.side_by_side(tasks)) == [0, 1, 2, 3]
    assert ended[-1] == 0


def test_no_more_jobs_than_workers_are_at_work() -> None:
    with Workers(2) as workers:
        begun = time.monotonic()
        inner = [job(workers, "0.1")] * 2
        tasks = [lambda: list(workers.side_by_side(inner))] * 2  # as a loop does beside the rounds
        assert list(workers.side_by_side(tasks)) == [["0.1", "0.1"]] * 2
        assert time.monotonic() - begun >= 0.2


def test_within_a_window_a_task_waits_for_those_before_it_alone() -> None:
    ended: list[int] = []
    seen: dict[int, list[int]] = {}

    def task(number: int) -> int:
        seen[number] = list(ended)
        job(workers, "0.02")()
        while number == 1 and not {0, 2, 3} <= {*ended}:
            job(workers, "0.01")()
        ended.append(number)
        return number

    with Workers(3) as workers:
        tasks = [functools.partial(task, number) for number in range(6)]
        assert list(workers.side_by_side(tasks, window=3)) == list(range(6))
    assert sorted(ended[:3]) == [0, 2, 3], "the slow one holds back what is three places behind it"
    assert all({*range(number - 2)} <= {*before} for number, before in seen.items())


def test_what_fails_within_a_window_ends_those_that_wait_for_it() -> None:
    def fails() -> Any:
        job(workers, "0.05")()
        raise PluginError("it broke")

    with Workers(3) as workers:
        results = workers.side_by_side([fails, *[job(workers, "0.01")] * 4], window=2)
        with pytest.raises(PluginError, match="it broke"):
            list(results)


def test_one_worker_begins_nothing_before_it_is_asked_for() -> None:
    begun: list[int] = []
    with Workers(1) as workers:
        results = workers.side_by_side([lambda: begun.append(1), lambda: begun.append(2)])
        next(results)
        assert begun == [1]


def test_what_fails_is_raised_in_its_place_and_ends_those_that_follow() -> None:
    def fails() -> Any:
        raise PluginError("it broke")

    with Workers(2) as workers:
        results = workers.side_by_side(
            [job(workers, "0.1"), fails, job(workers, "60"), job(workers, "60")]
        )
        assert next(results) == "0.1"
        with pytest.raises(PluginError, match="it broke"):
            next(results)
    assert Sleeping.slept == ["0.1"]


def test_whoever_goes_away_ends_all_that_is_at_work() -> None:
    with Workers(2) as workers:
        results = workers.side_by_side([job(workers, "0.01"), job(workers, "60")])
        assert next(results) == "0.01"
        results.close()  # type: ignore[attr-defined]
        assert Sleeping.slept == ["0.01"]


def test_everything_but_jobs_happens_in_turns() -> None:
    inside, most = 0, 0

    def task() -> None:
        nonlocal inside, most
        for _ in range(5):
            inside += 1
            most = max(most, inside)
            time.sleep(0.001)
            inside -= 1
            job(workers, "0.002")()

    with Workers(4) as workers:
        list(workers.side_by_side([task] * 4))
    assert most == 1


class Dying(Sleeping):
    """Dies as often as the folder's name says, with an answer half written."""

    def do(self, folder: Path, report: Any, cancelled: Any, say: Any = unheard) -> Any:
        assert not list((folder / "output").iterdir()), "what it left half done is gone"
        (folder / "output" / "half").touch()
        with (folder / "begun").open("a") as stream:
            stream.write("again ")
        begun = len((folder / "begun").read_text().split())
        if begun <= int(folder.name):
            raise JobKilled("the job's process was killed (signal 9)", details=["its last words"])
        return begun


@pytest.mark.parametrize("deaths", [0, 2, 3])
def test_a_job_that_dies_is_begun_again_twice(
    deaths: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.run.local_runner.Worker", Dying)
    said: list[str] = []
    folder = tmp_path / str(deaths)
    (folder / "output").mkdir(parents=True)
    with Workers() as workers:
        if deaths < ATTEMPTS:
            assert workers.do(folder, silent, lambda: False, said.append) == deaths + 1
        else:
            with pytest.raises(JobKilled, match="signal 9") as caught:
                workers.do(folder, silent, lambda: False, said.append)
            assert caught.value.details == ("its last words", "it died in each of 3 attempts")
    note = "the job's process was killed (signal 9); it is begun again"
    assert said == [note] * min(deaths, ATTEMPTS - 1)


def test_the_same_is_made_once() -> None:
    store: dict[str, str] = {}
    made: list[str] = []

    def task() -> str:
        with workers.alone("key"):
            if "key" not in store:
                made.append("key")
                store["key"] = job(workers, "0.05")()
            return store["key"]

    with Workers(3) as workers:
        assert list(workers.side_by_side([task] * 3)) == ["0.05"] * 3
    assert made == ["key"]


def test_a_failure_ahead_is_met_by_who_asks_once() -> None:
    with Workers(2) as workers:
        workers.note_ahead("fine", None)
        workers.note_ahead("broken", PluginError("it broke"))
        assert workers.asked_for("fine") and not workers.asked_for("fine")
        with pytest.raises(PluginError):
            workers.asked_for("broken")
        assert not workers.asked_for("broken")


def test_closing_ends_what_was_begun_ahead() -> None:
    with Workers(2) as workers:
        workers.ahead(job(workers, "60"))
        job(workers, "0.05")()
    assert Sleeping.slept == ["0.05"]


def test_each_worker_sees_gpus_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,5,7")
    gpu = {"train": Resources(gpus=1)}
    assert [LocalRunner(3, gpu).devices(number) for number in range(4)] == ["4", "5", "7", "4"]
    assert LocalRunner(2, {"train": Resources(gpus=2)}).devices(0) == "4,5"
    assert LocalRunner(1, gpu).devices(0) is None, "one worker sees all, as without workers"
    assert LocalRunner(2, {}).devices(0) is None
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert LocalRunner(2, gpu).devices(0) is None


def test_whoever_waits_within_a_task_is_not_left_waiting_for_what_never_begins() -> None:
    with Workers(2) as workers:
        inner = [*[job(workers, "+0.2")] * 2, job(workers, "60")]
        workers.ahead(lambda: list(workers.side_by_side(inner)))
        job(workers, "0.05")()
    assert "60" not in Sleeping.slept
