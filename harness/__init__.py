"""harness: fine-tune a language model in rounds, and be told the truth about each.

Everything that a plugin needs is here; names are loaded when they are first used, so that
``import harness`` costs next to nothing.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "harness.stages": (
        "Analyzer", "Augmenter", "Detector", "Evidence", "Generator", "Metric", "Model",
        "Options", "Reporter", "Source", "Trainer",
    ),
    "harness.records": (
        "Checkpoint", "Condition", "Dataset", "ErrorLabel", "Example", "Findings", "Growth",
        "Measurement", "Plan", "PlanItem", "Prediction", "RoundResult", "Score",
        "ScoredExample", "Slice", "Verdict",
    ),
    "harness.context": ("Context",),
    "harness.hookspecs": ("hookimpl",),
    "harness.errors": (
        "Cancelled", "ConfigError", "DataError", "EnvironmentFailure", "HarnessError",
        "PluginError", "UsageError", "Waiting",
    ),
}  # fmt: skip
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = ["__version__", *sorted(_HOME_OF)]


def __getattr__(name: str) -> Any:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module 'harness' has no attribute '{name}'")
    return getattr(importlib.import_module(home), name)


def __dir__() -> list[str]:
    return __all__
