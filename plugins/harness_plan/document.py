"""A forecast as one JSON document: ``harness plan --json``."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import harness
from harness_plan.records import Forecast

SCHEMA = "harness.plan/1"


def document(found: Forecast) -> dict[str, Any]:
    """Seconds are seconds, sizes are bytes, and null is what is not known."""
    return {
        "schema": SCHEMA,
        "harness": harness.__version__,
        "run": found.run,
        "model": found.model,
        "rounds": found.rounds,
        "rows": found.rows,
        "stages": [asdict(one) for one in found.work],
        "beside": [asdict(one) for one in found.beside],
        "requests": [asdict(one) for one in found.requests],
        "seconds": found.seconds,
        "measured": found.measured,
        "needs": asdict(found.needs),
        "dev": {"detectable": found.detectable, "sentence": found.dev_shows},
        "remarks": [asdict(one) for one in found.remarks],
        "works": found.works,
    }
