"""``harness try``: the base model and a tuned one side by side, on prompts of one's own."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

import harness


@harness.hookimpl
def commands_for_model(run: str) -> Sequence[str]:
    """Whatever the training left, the run's own generator answers with it."""
    return [shlex.join(["harness", "try", run])]
