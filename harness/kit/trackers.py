"""Experiment trackers, as ``train.args.report_to`` names them."""

from __future__ import annotations

FULL = ("mlflow", "tensorboard", "trackio", "wandb")
"""Trackers that rounds are sent to; an extra of the same name installs each."""
ALL = "all"
"""Stands for the trackers that are installed."""


def named(report_to: object) -> list[str]:
    """The names in a value of ``report_to``, :data:`ALL` among them; ``none`` is no name."""
    names = report_to if isinstance(report_to, (list, tuple)) else [report_to or "none"]
    return [str(name) for name in names if name != "none"]
