"""General texts, instructions and rows, written for this project: the probe ``general``."""

from __future__ import annotations

import harness
from harness_general.general import General


@harness.hookimpl
def register_probes() -> list[type[harness.Probe]]:
    return [General]
