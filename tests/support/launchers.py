"""A launcher of processes, and what tests do to it: a one-file plugin."""

from __future__ import annotations

from pathlib import Path

SAMPLE = Path(__file__).parent / "sample_launcher.py"
