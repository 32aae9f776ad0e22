"""The trackers that ``report_to`` names, beside a training: its curves, and none of its result.

Each of transformers' integrations is called in a thread of its own, and the training waits for
it no longer than :data:`LIMIT`. One that raises or does not answer is left out from then on.
"""

from __future__ import annotations

import contextlib
import os
import queue
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

from transformers import TrainerCallback

import harness

LIMIT = 30.0
"""Seconds that a training waits for a tracker, at each call."""

EVENTS = tuple(name for name in dir(TrainerCallback) if name.startswith("on_"))


@contextlib.contextmanager
def guarded(settings: Any, context: harness.Context) -> Iterator[list[TrainerCallback]]:
    """The callbacks of the trackers that TrainingArguments name, for one training.

    They are taken out of the arguments, so that the Trainer makes none of its own. At the end
    each tracker's run is closed, whatever became of the training. Of a probe none is told.
    """
    given, settings.report_to = list(settings.report_to or ()), []
    names = [] if context.probe else given
    made: list[Guarded] = []
    with _grouped(context) if names else contextlib.nullcontext():
        try:
            made.extend(Guarded(name, context) for name in names)
            yield list(made)
        finally:
            failed = sys.exc_info()[0] is not None
            for callback in made:
                callback.close(failed)


def label(context: harness.Context) -> str:
    """What the training is called beside others: ``round 2``."""
    arm = "" if context.arm == harness.BASE_ARM else f" {context.arm}"
    return f"round {context.round}{arm}"


@contextlib.contextmanager
def _grouped(context: harness.Context) -> Iterator[None]:
    """Environment variables by which the integrations put trainings of one run side by side.

    Those of the user stand; but TensorBoard, which draws everything in one folder as one curve,
    gets a folder below it for each training.
    """
    run = context.run or "trainings"
    folder = os.environ.get("TENSORBOARD_LOGGING_DIR", "tensorboard")
    own = {
        "WANDB_RUN_GROUP": run,
        "WANDB_CONSOLE": "off",  # what is printed may quote rows
        "MLFLOW_EXPERIMENT_NAME": run,
    }
    given = {name: value for name, value in own.items() if name not in os.environ}
    if "MLFLOW_EXPERIMENT_ID" in os.environ:
        given.pop("MLFLOW_EXPERIMENT_NAME", None)
    given["TENSORBOARD_LOGGING_DIR"] = os.path.join(folder, run, label(context).replace(" ", "-"))
    before = {name: os.environ.get(name) for name in given}
    os.environ.update(given)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


class Guarded(TrainerCallback):
    """One of transformers' integrations, whose failures are not the training's."""

    def __init__(self, name: str, context: harness.Context) -> None:
        self.name, self.context = name, context
        self.callback: Any = None
        self.lane = _Lane(f"harness-{name}")
        self.alive = True
        self._call(self._make)

    def _make(self) -> None:
        from transformers.integrations import get_reporting_integration_callbacks

        (kind,) = get_reporting_integration_callbacks([self.name])
        self.callback = kind()

    def close(self, failed: bool) -> None:
        """End the tracker's run, which some integrations leave open."""
        if self.alive and self.name in _ENDINGS:
            self._call(lambda: _ENDINGS[self.name](failed))
        self.lane.end()

    def tell(self, event: str, *arguments: Any, **more: Any) -> None:
        """Pass an event on, if the integration listens to it."""
        if not self.alive or getattr(type(self.callback), event) is getattr(TrainerCallback, event):
            return
        self._call(lambda: getattr(self.callback, event)(*arguments, **more))

    def _call(self, work: Callable[[], Any]) -> None:
        try:
            error = self.lane.do(work, LIMIT)
        except TimeoutError:
            error = TimeoutError(f"no answer within {LIMIT:.0f} s")
        if error is not None:
            self.alive = False
            self.context.log.error("tracker %s failed", self.name, exc_info=error)
            self.context.say(
                f"the curve of {label(self.context)} is not complete in {self.name}, which failed "
                f"({_reason(error)}); the training itself is not concerned"
            )


def _forwarded(event: str) -> Callable[..., None]:
    def tell(self: Guarded, *arguments: Any, **more: Any) -> None:
        self.tell(event, *arguments, **more)

    return tell


for _event in EVENTS:
    setattr(Guarded, _event, _forwarded(_event))


def _end_wandb(failed: bool) -> None:
    sys.modules["wandb"].finish(exit_code=int(failed))


def _end_mlflow(failed: bool) -> None:
    sys.modules["mlflow"].end_run("FAILED" if failed else "FINISHED")


_ENDINGS: dict[str, Callable[[bool], None]] = {"wandb": _end_wandb, "mlflow": _end_mlflow}
"""How a tracker's run is ended where the integration would leave it to the process's end."""


def _reason(error: BaseException) -> str:
    from harness.kit.privacy import of_this_user
    from harness.kit.text import one_line

    text = one_line(of_this_user().text(str(error)), 200)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


class _Lane:
    """A thread that does one thing after the other.

    Trackers keep their run by thread, so each has one for all its calls.
    """

    def __init__(self, name: str) -> None:
        self.todo: queue.SimpleQueue[Any] = queue.SimpleQueue()
        threading.Thread(target=self._work, name=name, daemon=True).start()

    def do(self, work: Callable[[], Any], limit: float) -> BaseException | None:
        """What it raised, or None.

        Raises:
            TimeoutError: it is not done within ``limit`` seconds. It may go on.
        """
        done: queue.SimpleQueue[BaseException | None] = queue.SimpleQueue()
        self.todo.put((work, done))
        try:
            return done.get(timeout=limit)
        except queue.Empty:
            raise TimeoutError from None

    def end(self) -> None:
        self.todo.put(None)

    def _work(self) -> None:
        while (item := self.todo.get()) is not None:
            work, done = item
            try:
                work()
            except BaseException as error:  # SystemExit, too: it ends no more than this thread
                done.put(error)
            else:
                done.put(None)
