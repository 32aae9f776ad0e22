"""A team's existing metric script for the `evaluate` library, by local path."""

from __future__ import annotations

import contextlib
import functools
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import Field

import harness


class EvaluateMetric(harness.Metric):
    """Scores each answer with a metric script of the `evaluate` library (a local file)."""

    name = "evaluate"

    class Options(harness.Options):
        path: Path = Field(description="the metric's script (a .py file or its folder)")
        key: str = Field(description="which number of the script's result is the score")
        better: str = Field(
            default="higher", pattern="^(higher|lower)$", description="higher | lower"
        )
        args: dict[str, Any] = Field(default={}, description="further arguments of compute()")
        right_at: float | None = Field(
            default=None, description="value from which an answer counts as right"
        )

    options: Options
    bounds = (float("-inf"), float("inf"))

    def __init__(self, options: Any = None) -> None:
        super().__init__(options)
        self.higher_is_better = self.options.better == "higher"

    def score_names(self) -> Sequence[str]:
        return (self.options.key,)

    def inputs(self) -> Sequence[Path]:
        path = self.options.path
        return sorted(path.glob("*.py")) if path.is_dir() else [path]

    def signature(self) -> str:
        return f"evaluate|{self.options.path.name}|{self.options.key}|mean of single answers"

    def measure(self, prediction: harness.Prediction, example: harness.Example) -> float | None:
        """The script's value for this one answer, so that the mean gets an interval.

        Several references are given as a list where there is more than one.

        Raises:
            PluginError: the script has no such key, or cannot be loaded.
        """
        if not example.references:
            return None
        several = len(example.references) > 1
        reference = list(example.references) if several else example.references[0]
        script = _script(str(self.options.path))
        with contextlib.redirect_stdout(io.StringIO()):
            found = script.compute(
                predictions=[prediction.text], references=[reference], **self.options.args
            )
        if self.options.key not in found:
            raise harness.PluginError(
                f"the script gives {', '.join(map(str, found))}, not '{self.options.key}'"
            )
        value = found[self.options.key]
        return float(value[0] if isinstance(value, (list, tuple)) else value)


@functools.cache
def _script(path: str) -> Any:
    """The loaded metric. Only a local path: a name would mean code from the hub."""
    import evaluate

    return evaluate.load(path, keep_in_memory=True)


@harness.hookimpl
def register_metrics() -> list[type[harness.Metric]]:
    return [EvaluateMetric]
