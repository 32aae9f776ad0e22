"""Why an answer is probably wrong, and what to do about it."""

from __future__ import annotations

import harness
from harness_causes.analyzer import Causes


@harness.hookimpl
def register_analyzers() -> list[type[harness.Analyzer]]:
    return [Causes]
