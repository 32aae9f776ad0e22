"""The trackers that ``report_to`` names, beside a training: its curves, and none of its result.

Each of transformers' integrations is called as the Trainer would call it. One that raises is left
out from then on; while one waits for a network, the training waits too.
"""

from __future__ import annotations

import contextlib
import functools
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any

from transformers import TrainerCallback
from transformers.integrations import get_reporting_integration_callbacks

import harness
from harness.kit.privacy import of_this_user
from harness.kit.text import one_line

EVENTS = tuple(name for name in dir(TrainerCallback) if name.startswith("on_"))


@contextlib.contextmanager
def guarded(settings: Any, context: harness.Context) -> Iterator[list[TrainerCallback]]:
    """The callbacks of the trackers that TrainingArguments name, for one training.

    They are taken out of the arguments, so that the Trainer makes none of its own. At the end
    each tracker's run is closed, whatever became of the training. Of a probe none is told, and of
    several ranks the first one tells.
    """
    reported, settings.report_to = list(settings.report_to or ()), []
    names = [] if context.probe or settings.process_index else reported
    trackers = [Tracker(name, context) for name in names]
    with _grouped(context) if names else contextlib.nullcontext():
        try:
            yield [callback for tracker in trackers if (callback := tracker.callback())]
        finally:
            failed = sys.exc_info()[0] is not None
            for tracker in trackers:
                tracker.close(failed)


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
    chosen = {name: value for name, value in own.items() if name not in os.environ}
    if "MLFLOW_EXPERIMENT_ID" in os.environ:
        chosen.pop("MLFLOW_EXPERIMENT_NAME", None)
    chosen["TENSORBOARD_LOGGING_DIR"] = os.path.join(folder, run, label(context).replace(" ", "-"))
    before = {name: os.environ.get(name) for name in chosen}
    os.environ.update(chosen)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


class Tracker:
    """One tracker of a training; what it raises is said once, and is not the training's."""

    def __init__(self, name: str, context: harness.Context) -> None:
        self.name, self.context, self.failed = name, context, False

    def callback(self) -> TrainerCallback | None:
        """transformers' integration, every event of which goes through :meth:`call`."""
        made: TrainerCallback | None = self.call(
            lambda: get_reporting_integration_callbacks([self.name])[0]()
        )
        for event in EVENTS if made is not None else ():
            setattr(made, event, functools.partial(self.call, getattr(made, event)))
        return made

    def call(self, work: Callable[..., Any], *arguments: Any, **more: Any) -> Any:
        """What it returns; None where it fails, or something failed before."""
        if self.failed:
            return None
        try:
            return work(*arguments, **more)
        except (Exception, SystemExit) as error:
            self.failed = True
            self.context.log.error("tracker %s failed", self.name, exc_info=error)
            reason = one_line(of_this_user().text(f"{type(error).__name__}: {error}"), 200)
            self.context.say(
                f"the curve of {label(self.context)} is not complete in {self.name}, which failed "
                f"({reason}); the training itself is not concerned"
            )

    def close(self, failed: bool) -> None:
        """End the tracker's run, where the integration would leave that to the process's end."""
        library = sys.modules.get(self.name)
        if self.name == "wandb" and library is not None:
            self.call(library.finish, exit_code=int(failed))
        elif self.name == "mlflow" and library is not None:
            self.call(library.end_run, "FAILED" if failed else "FINISHED")
