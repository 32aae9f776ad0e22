"""What models are compared on beside the task, written for this project: probes."""

from __future__ import annotations

import harness
from harness_general.general import General
from harness_general.safety import Safety


@harness.hookimpl
def register_probes() -> list[type[harness.Probe]]:
    return [General, Safety]
