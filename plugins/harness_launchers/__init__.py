"""Jobs that run elsewhere than on the run's own machine: launchers, of which SLURM and Ray are two.

A launcher of one's own is a :class:`Launcher`, handed over by the hook ``register_runners``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import harness
from harness_launchers import launcher
from harness_launchers.launcher import (
    Launched as Launched,
    LaunchedJob as LaunchedJob,
    Launcher as Launcher,
)
from harness_launchers.node import Carrier as Carrier
from harness_launchers.ray import Ray
from harness_launchers.slurm import Slurm


@harness.hookimpl
def register_runners() -> Sequence[type[harness.Runner]]:
    return [Ray, Slurm]


@harness.hookimpl
def withdraw(folder: Path, cancelled: Callable[[], bool]) -> None:
    launcher.withdraw([folder], cancelled)
