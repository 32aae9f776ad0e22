"""Where jobs run that are not done on the run's own machine: SLURM, Ray; and `harness jobs`."""

from __future__ import annotations

from collections.abc import Sequence

import harness
from harness_launchers.ray import Ray
from harness_launchers.slurm import Slurm


@harness.hookimpl
def register_launchers() -> Sequence[type[harness.Launcher]]:
    return [Ray, Slurm]
