"""Answers from a server that holds the model: vLLM, SGLang, llama.cpp, `transformers serve`."""

from __future__ import annotations

import harness
from harness_endpoint.generator import EndpointGenerator


@harness.hookimpl
def register_generators() -> list[type[harness.Generator]]:
    return [EndpointGenerator]
