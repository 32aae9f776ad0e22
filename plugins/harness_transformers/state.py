"""What a training changes: the trained weights, and the states of random generators."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import numpy
import torch

from harness_transformers import devices


def trained(model: Any) -> list[tuple[str, torch.nn.Parameter]]:
    """Names and values of what is learned."""
    return [(name, value) for name, value in model.named_parameters() if value.requires_grad]


def random_states() -> dict[str, Any]:
    """The states of all generators, as values that ``torch.load`` takes back."""
    numpy_state: Any = numpy.random.get_state()
    name, keys, *more = numpy_state
    states = {
        "python": random.getstate(),
        "numpy": (name, keys.tolist(), *more),
        "cpu": torch.get_rng_state(),
    }
    module = devices.module()
    return states if module is None else {**states, "device": module.get_rng_state()}


def set_random_states(states: Mapping[str, Any]) -> None:
    """Set all generators to what :func:`random_states` gave on this machine."""
    random.setstate(states["python"])
    numpy.random.set_state(states["numpy"])
    torch.set_rng_state(states["cpu"])
    module = devices.module()
    if module is not None:
        module.set_rng_state(states["device"])
