"""harness: fine-tune a language model in rounds, and be told the truth about each.

Everything that a plugin needs is here; names are loaded when they are first used, so that
``import harness`` costs next to nothing.
"""

from __future__ import annotations

TYPE_CHECKING = False  # `typing` takes longer to load than all of this; checkers know the name

if TYPE_CHECKING:
    from typing import Any

    from harness.context import (
        Context as Context,
    )
    from harness.errors import (
        Cancelled as Cancelled,
    )
    from harness.errors import (
        ConfigError as ConfigError,
    )
    from harness.errors import (
        DataError as DataError,
    )
    from harness.errors import (
        EnvironmentFailure as EnvironmentFailure,
    )
    from harness.errors import (
        HarnessError as HarnessError,
    )
    from harness.errors import (
        PluginError as PluginError,
    )
    from harness.errors import (
        UsageError as UsageError,
    )
    from harness.errors import (
        Waiting as Waiting,
    )
    from harness.hookspecs import (
        hookimpl as hookimpl,
    )
    from harness.kit.files import write_text as write_text
    from harness.records import (
        Checkpoint as Checkpoint,
    )
    from harness.records import (
        Condition as Condition,
    )
    from harness.records import (
        Dataset as Dataset,
    )
    from harness.records import (
        Diagnosis as Diagnosis,
    )
    from harness.records import (
        ErrorLabel as ErrorLabel,
    )
    from harness.records import (
        Example as Example,
    )
    from harness.records import (
        Findings as Findings,
    )
    from harness.records import (
        Growth as Growth,
    )
    from harness.records import (
        Measurement as Measurement,
    )
    from harness.records import (
        Plan as Plan,
    )
    from harness.records import (
        PlanItem as PlanItem,
    )
    from harness.records import (
        Prediction as Prediction,
    )
    from harness.records import (
        Problem as Problem,
    )
    from harness.records import (
        RoundResult as RoundResult,
    )
    from harness.records import (
        Score as Score,
    )
    from harness.records import (
        ScoredExample as ScoredExample,
    )
    from harness.records import (
        Slice as Slice,
    )
    from harness.records import (
        Verdict as Verdict,
    )
    from harness.stages import (
        Analyzer as Analyzer,
    )
    from harness.stages import (
        Augmenter as Augmenter,
    )
    from harness.stages import (
        Detector as Detector,
    )
    from harness.stages import (
        Evidence as Evidence,
    )
    from harness.stages import (
        Generator as Generator,
    )
    from harness.stages import (
        Judge as Judge,
    )
    from harness.stages import (
        Metric as Metric,
    )
    from harness.stages import (
        Model as Model,
    )
    from harness.stages import (
        Options as Options,
    )
    from harness.stages import (
        Reporter as Reporter,
    )
    from harness.stages import (
        Section as Section,
    )
    from harness.stages import (
        Source as Source,
    )
    from harness.stages import (
        Trainer as Trainer,
    )
    from harness.store.writing import query as query

__version__ = "0.1.0"

_HOMES = {
    "harness.stages": (
        "Analyzer", "Augmenter", "Detector", "Evidence", "Generator", "Judge", "Metric", "Model",
        "Options", "Reporter", "Section", "Source", "Trainer",
    ),
    "harness.records": (
        "Checkpoint", "Condition", "Dataset", "ErrorLabel", "Example", "Findings", "Growth",
        "Diagnosis", "Measurement", "Plan", "PlanItem", "Prediction", "Problem",
        "RoundResult", "Score", "ScoredExample", "Slice", "Verdict",
    ),
    "harness.context": ("Context",),
    "harness.store.writing": ("query",),
    "harness.kit.files": ("write_text",),
    "harness.hookspecs": ("hookimpl",),
    "harness.errors": (
        "Cancelled", "ConfigError", "DataError", "EnvironmentFailure", "HarnessError",
        "PluginError", "UsageError", "Waiting",
    ),
}  # fmt: skip
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = ["__version__", *sorted(_HOME_OF)]


def __getattr__(name: str) -> Any:
    import importlib

    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module 'harness' has no attribute '{name}'")
    return getattr(importlib.import_module(home), name)


def __dir__() -> list[str]:
    return __all__
