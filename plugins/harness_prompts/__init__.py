"""Prompts in place of training: a system turn, and examples of train as earlier turns."""

from __future__ import annotations

import harness
from harness_prompts.few_shot import FewShot
from harness_prompts.prompted import Prompted


@harness.hookimpl
def register_baselines() -> list[type[harness.Baseline]]:
    return [Prompted, FewShot]
