"""Which kinds of errors an answer shows, as far as rules can see."""

from __future__ import annotations

import harness
from harness_detectors.basic import Basic


@harness.hookimpl
def register_detectors() -> list[type[harness.Detector]]:
    return [Basic]
