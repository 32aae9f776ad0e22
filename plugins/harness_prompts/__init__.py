"""Prompts in place of training: a system turn, examples of train as earlier turns, a form."""

from __future__ import annotations

import harness
from harness_prompts.few_shot import FewShot
from harness_prompts.prompted import Prompted
from harness_prompts.schema import Schema


@harness.hookimpl
def register_baselines() -> list[type[harness.Baseline]]:
    return [Prompted, FewShot, Schema]
