"""A launcher of processes, and what tests do to it: the scaffold's, as a one-file plugin."""

from __future__ import annotations

from pathlib import Path

SAMPLE = Path(__file__).parents[2] / "plugins/harness_testing/templates/launcher.py"
