"""Where a model is weak."""

from __future__ import annotations

import harness
from harness_slices.analyzer import Slices


@harness.hookimpl
def register_analyzers() -> list[type[harness.Analyzer]]:
    return [Slices]
