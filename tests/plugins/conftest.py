"""What the tests of several packages share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

import harness

Measure = Callable[[harness.Metric, str, Sequence[str]], Any]


def _measure(metric: harness.Metric, answer: str, references: Sequence[str]) -> Any:
    example = harness.Example("1", ({"role": "user", "content": "?"},), tuple(references))
    return metric.measure(harness.Prediction("1", answer), example)


@pytest.fixture(scope="session")
def measure() -> Measure:
    """Statistics of one answer against its references."""
    return _measure
