"""Where a model is weak, and which kinds of errors its answers show."""

from __future__ import annotations

import harness
from harness_slices.analyzer import Slices
from harness_slices.detectors import Basic


@harness.hookimpl
def register_analyzers() -> list[type[harness.Analyzer]]:
    return [Slices]


@harness.hookimpl
def register_detectors() -> list[type[harness.Detector]]:
    return [Basic]
