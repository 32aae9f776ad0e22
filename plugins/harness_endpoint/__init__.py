"""Answers from servers: the run's own model behind one, and another model as a baseline."""

from __future__ import annotations

import harness
from harness_endpoint.baseline import EndpointBaseline
from harness_endpoint.generator import EndpointGenerator


@harness.hookimpl
def register_generators() -> list[type[harness.Generator]]:
    return [EndpointGenerator]


@harness.hookimpl
def register_baselines() -> list[type[harness.Baseline]]:
    return [EndpointBaseline]
