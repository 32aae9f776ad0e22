"""The trackers: how a run is begun, told and ended in each.

Projects, servers, accounts and folders are those that the tracker's own environment variables
name, as transformers' integrations take them, so that a training and its rounds lie side by side.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from harness.kit import gate

Numbers = Mapping[str, float]
Texts = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a tracker's run is begun with.

    Attributes:
        id: of the tracker's run that is gone on with; empty: a new one.
        settings: see :func:`harness_tracker.figures.of_settings`.
        args: ``train.args`` of the config.
    """

    run: str
    id: str
    settings: Numbers
    args: Mapping[str, Any]

    @property
    def title(self) -> str:
        return f"{self.run} rounds"


class Tracked(Protocol):
    """A tracker's run.

    Attributes:
        id: by which the tracker finds it again.
    """

    id: str

    def send(self, step: int, numbers: Numbers, texts: Texts) -> None: ...

    def end(self) -> None: ...


def begin(tracker: str, asked: Asked) -> Tracked:
    """The run of the tracker of that name, begun or gone on with."""
    kinds: dict[str, Any] = {
        "mlflow": MLflow, "tensorboard": TensorBoard, "trackio": Trackio, "wandb": Wandb,
    }  # fmt: skip
    tracked: Tracked = kinds[tracker](asked)
    return tracked


class TensorBoard:
    """Event files in a folder of the run, beside those of its trainings."""

    def __init__(self, asked: Asked) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            from tensorboardX import SummaryWriter  # type: ignore[no-redef]

        root = Path(os.environ.get("TENSORBOARD_LOGGING_DIR", "tensorboard")).expanduser()
        self.id = str(root / asked.run / "rounds")
        self.writer: Any = SummaryWriter(log_dir=self.id)
        if not asked.id:
            lines = (f"{name}: {value:g}" for name, value in asked.settings.items())
            self.writer.add_text("settings", "  \n".join(lines))

    def send(self, step: int, numbers: Numbers, texts: Texts) -> None:
        for name, value in numbers.items():
            self.writer.add_scalar(name, value, step)
        for name, text in texts.items():
            self.writer.add_text(name, text, step)
        self.writer.flush()

    def end(self) -> None:
        self.writer.close()


class Wandb:
    """A run of the project and the group that the trainings have."""

    def __init__(self, asked: Asked) -> None:
        wandb = gate.library("wandb", "wandb", by="tracker 'wandb'")
        self.run: Any = wandb.init(
            project=os.environ.get("WANDB_PROJECT", "huggingface"),
            group=os.environ.get("WANDB_RUN_GROUP", asked.run),
            name=asked.title,
            job_type="rounds",
            id=asked.id or None,
            resume="allow",
            config=dict(asked.settings),
            # What is printed may quote rows.
            settings=wandb.Settings(console="off", disable_git=True, save_code=False),
        )
        self.id = str(self.run.id)
        self.run.define_metric("round")
        self.run.define_metric("*", step_metric="round")

    def send(self, step: int, numbers: Numbers, texts: Texts) -> None:
        self.run.log({"round": step, **numbers, **texts})

    def end(self) -> None:
        self.run.finish()


class MLflow:
    """A run of the experiment that the trainings have."""

    def __init__(self, asked: Asked) -> None:
        self.mlflow: Any = gate.library("mlflow", "mlflow", by="tracker 'mlflow'")
        mlflow = self.mlflow
        if "MLFLOW_EXPERIMENT_ID" not in os.environ:
            mlflow.set_experiment(os.environ.get("MLFLOW_EXPERIMENT_NAME", asked.run))
        run = mlflow.start_run(run_id=asked.id or None, run_name=asked.title)
        self.id = str(run.info.run_id)
        if not asked.id:
            mlflow.log_params(dict(asked.settings))

    def send(self, step: int, numbers: Numbers, texts: Texts) -> None:
        self.mlflow.log_metrics(dict(numbers), step=step)
        self.mlflow.set_tags({f"round {step} {name}": text for name, text in texts.items()})

    def end(self) -> None:
        self.mlflow.end_run()


class Trackio:
    """A run of the project that the trainings have."""

    def __init__(self, asked: Asked) -> None:
        trackio = gate.library("trackio", "trackio", by="tracker 'trackio'")
        self.trackio: Any = trackio
        self.id = asked.title
        trackio.init(
            project=asked.args.get("project", "huggingface"),
            name=self.id,
            group=asked.run,
            space_id=asked.args.get("trackio_space_id"),
            resume="allow",
            config=dict(asked.settings),
            embed=False,
        )

    def send(self, step: int, numbers: Numbers, texts: Texts) -> None:
        self.trackio.log({"round": step, **numbers, **texts}, step=step)

    def end(self) -> None:
        self.trackio.finish()
