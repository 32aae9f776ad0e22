"""The trackers: how a run is begun, told and ended in each.

Projects, servers, accounts and folders are those that the tracker's own environment variables
name, as transformers' integrations take them, so that a training and its rounds lie side by side.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

Numbers = Mapping[str, float]
Texts = Mapping[str, str]


class Tracked(Protocol):
    """A tracker's run.

    Attributes:
        id: by which the tracker finds it again.
    """

    id: str

    def send(self, step: int, numbers: Numbers, texts: Texts) -> None: ...

    def end(self, *, finished: bool) -> None: ...


def begin(asked: Mapping[str, Any]) -> Tracked:
    """The run of the tracker that is asked for.

    Args:
        asked: ``tracker``, ``run``, ``settings``, ``args`` (of ``train.args``), ``id`` (empty: a
            new one) and ``attempt``.
    """
    made: Tracked = _KINDS[asked["tracker"]](asked)
    return made


def _title(asked: Mapping[str, Any]) -> str:
    again = f" {asked['attempt']}" if asked["attempt"] > 1 else ""
    return f"rounds{again}"


class TensorBoard:
    """Event files in a folder of the run, beside those of its trainings."""

    def __init__(self, asked: Mapping[str, Any]) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            from tensorboardX import SummaryWriter  # type: ignore[no-redef]

        root = Path(os.environ.get("TENSORBOARD_LOGGING_DIR", "tensorboard")).expanduser()
        self.id = str(root / asked["run"] / _title(asked).replace(" ", "-"))
        self.writer: Any = SummaryWriter(log_dir=self.id)
        if not asked["id"]:
            lines = (f"{name}: {value:g}" for name, value in asked["settings"].items())
            self.writer.add_text("settings", "  \n".join(lines))

    def send(self, step: int, numbers: Numbers, texts: Texts) -> None:
        for name, value in numbers.items():
            self.writer.add_scalar(name, value, step)
        for name, text in texts.items():
            self.writer.add_text(name, text, step)
        self.writer.flush()

    def end(self, *, finished: bool) -> None:
        self.writer.close()


class Wandb:
    """A run of the project and the group that the trainings have."""

    def __init__(self, asked: Mapping[str, Any]) -> None:
        import wandb

        self.run: Any = wandb.init(
            project=os.environ.get("WANDB_PROJECT", "huggingface"),
            group=os.environ.get("WANDB_RUN_GROUP", asked["run"]),
            name=f"{asked['run']} {_title(asked)}",
            job_type="rounds",
            id=asked["id"] or None,
            resume="allow",
            config=dict(asked["settings"]),
            settings=wandb.Settings(console="off", disable_git=True, save_code=False),
        )
        self.id = str(self.run.id)
        self.run.define_metric("round")
        self.run.define_metric("*", step_metric="round")

    def send(self, step: int, numbers: Numbers, texts: Texts) -> None:
        self.run.log({"round": step, **numbers, **texts})

    def end(self, *, finished: bool) -> None:
        self.run.finish(exit_code=0 if finished else 1)


class MLflow:
    """A run of the experiment that the trainings have."""

    def __init__(self, asked: Mapping[str, Any]) -> None:
        import mlflow

        self.mlflow: Any = mlflow
        if "MLFLOW_EXPERIMENT_ID" not in os.environ:
            mlflow.set_experiment(os.environ.get("MLFLOW_EXPERIMENT_NAME", asked["run"]))
        name = f"{asked['run']} {_title(asked)}"
        run = mlflow.start_run(run_id=asked["id"] or None, run_name=name)
        self.id = str(run.info.run_id)
        if not asked["id"]:
            mlflow.log_params(asked["settings"])

    def send(self, step: int, numbers: Numbers, texts: Texts) -> None:
        self.mlflow.log_metrics(dict(numbers), step=step)
        self.mlflow.set_tags({f"round {step} {name}": text for name, text in texts.items()})

    def end(self, *, finished: bool) -> None:
        self.mlflow.end_run("FINISHED" if finished else "KILLED")


class Trackio:
    """A run of the project that the trainings have."""

    def __init__(self, asked: Mapping[str, Any]) -> None:
        import trackio

        self.trackio: Any = trackio
        args = asked["args"]
        self.id = f"{asked['run']} {_title(asked)}"
        trackio.init(
            project=args.get("project", "huggingface"),
            name=self.id,
            group=asked["run"],
            space_id=args.get("trackio_space_id"),
            resume="allow",
            config=dict(asked["settings"]),
            embed=False,
        )

    def send(self, step: int, numbers: Numbers, texts: Texts) -> None:
        self.trackio.log({"round": step, **numbers, **texts}, step=step)

    def end(self, *, finished: bool) -> None:
        self.trackio.finish()


_KINDS: dict[str, Any] = {
    "mlflow": MLflow, "tensorboard": TensorBoard, "trackio": Trackio, "wandb": Wandb,
}  # fmt: skip
