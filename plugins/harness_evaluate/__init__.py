"""``evaluate``: a team's existing metric script for the `evaluate` library."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

import harness

Pair = tuple[harness.Prediction, harness.Example]
_SAMPLE = 20


class EvaluateMetric(harness.Metric):
    """Scores with a metric script of the `evaluate` library.

    ``path`` is a local script, ``hub`` the name of one that is fetched and run from the Hub.
    ``per: example`` gives each answer a value of its own (the script is called once for each,
    or for many at once where its result has a number for each), and their mean an interval.
    ``per: corpus`` calls the script once with all answers: one number, no interval.
    """

    name = "evaluate"
    libraries = ("evaluate",)
    runs_code = ("path", "hub")
    bounds = (float("-inf"), float("inf"))

    class Options(harness.Options):
        path: Path | None = Field(
            default=None, description="the metric's script (a .py file or its folder)"
        )
        hub: Annotated[str, Field(pattern=r"^\w[\w.-]*(/\w[\w.-]*)?$")] | None = Field(
            default=None, description="a metric of the Hub: its code is fetched and run"
        )
        key: str = Field(description="which number of the script's result is the score")
        per: Literal["example", "corpus"] = "example"
        better: Literal["higher", "lower"] = "higher"
        args: dict[str, Any] = Field(default={}, description="further arguments of compute()")
        right_at: float | None = Field(
            default=None, description="value from which an answer passes"
        )

        @model_validator(mode="after")
        def _one_script(self) -> Self:
            if (self.path is None) == (self.hub is None):
                raise ValueError("give either path (a local script) or hub (a name), not both")
            if {"predictions", "references"} & self.args.keys():
                raise ValueError("args: predictions and references are given by harness")
            return self

    options: Options

    def __new__(cls, options: Any = None) -> EvaluateMetric:
        """``per: corpus`` is a metric of another kind: it has no values of single answers."""
        corpus = options is not None and options.per == "corpus"
        return super().__new__(CorpusMetric if corpus else cls)

    def __init__(self, options: Any = None) -> None:
        super().__init__(options)
        self.higher_is_better = self.options.better == "higher"
        self._digest: str | None = None

    def score_names(self) -> Sequence[str]:
        return (self.options.key,)

    def inputs(self) -> Sequence[Path]:
        """The script's files.

        Raises:
            ConfigError: ``path`` names no script.
        """
        from harness_evaluate.script import files

        return () if self.options.path is None else files(self.options.path)

    def check(self, settings: Mapping[str, Any]) -> Iterable[harness.Problem]:
        """See :meth:`harness.Plugin.check`."""
        if importlib.util.find_spec("evaluate") is None:
            yield harness.Problem("it needs the package evaluate", (), "environment")
        if self.options.hub is not None:
            message = f"whether '{self.options.hub}' can be fetched is not tried before the run"
            yield harness.Problem(message, ("hub",), "unknown")

    def signature(self) -> str:
        from harness_evaluate.script import digest

        options = self.options
        if options.path is None:
            source = f"hub:{options.hub}"
        else:
            source = f"{options.path.name}|sha256:{digest(options.path)}"
        args = f"|args:{json.dumps(options.args, sort_keys=True)}" if options.args else ""
        return f"evaluate|{source}|key:{options.key}|per:{options.per}{args}|rev:{self.revision}"

    def measure(self, prediction: harness.Prediction, example: harness.Example) -> float | None:
        """The script's value for this one answer; None without references.

        Raises:
            PluginError: the script cannot be loaded, or its result has no such number.
            EnvironmentFailure: the Hub's metric is not available.
        """
        if not example.references:
            return None
        found = self._compute([(prediction, example)])
        return found[0] if isinstance(found, list) else found

    def measure_all(self, pairs: Sequence[Pair]) -> Iterable[float | None]:
        """The same for many, in one call where the script gives each answer a number."""
        scored = [pair for pair in pairs if pair[1].references]
        values = self._at_once(scored) if len(scored) > 1 else None
        if values is None:
            return [self.measure(*pair) for pair in pairs]
        each = iter(values)
        return [next(each) if example.references else None for _, example in pairs]

    def remarks(self, pairs: Sequence[Pair]) -> Sequence[str]:
        key = self.options.key
        scored = [pair for pair in pairs if pair[1].references]
        sentence = (
            f"{key} is the mean of {len(scored)} answers' own values, with an interval; the "
            "script's number for all answers together may be another (per: corpus)."
        )
        return (sentence, *self._difference(scored[:_SAMPLE]))

    def _difference(self, scored: Sequence[Pair]) -> Sequence[str]:
        """Whether the script's own number for a few answers is the mean of their values."""
        try:
            together = self._compute(scored) if len(scored) > 1 else []
            if isinstance(together, list):
                return ()
            values = [self._compute([pair]) for pair in scored]
            mean = sum(v[0] if isinstance(v, list) else v for v in values) / len(values)
        except Exception:  # what fails here is reported by measure()
            return ()
        if abs(mean - together) <= 1e-9 * max(abs(mean), abs(together)):
            return ()
        return (
            f"Of the first {len(scored)} answers the script's own number is {together:.4g}, the "
            f"mean of their values {mean:.4g}: they are not the same figure.",
        )

    def _at_once(self, pairs: Sequence[Pair]) -> list[float] | None:
        """All values in one call; None where that would be another number than one by one."""
        probe = self._compute(pairs[:2])
        if not isinstance(probe, list):
            return None
        if probe != [self.measure(*pair) for pair in pairs[:2]]:
            return None
        found = probe if len(pairs) == 2 else self._compute(pairs)
        return found if isinstance(found, list) else None

    def _compute(self, pairs: Sequence[Pair]) -> float | list[float]:
        """The script's number for these answers, or one for each."""
        from harness_evaluate import script

        loaded = self._script()
        texts = [prediction.text for prediction, _ in pairs]
        references = [example.references for _, example in pairs]
        try:
            found = script.compute(loaded, texts, references, self.options.args)
            return script.numbers(found, self.options.key, len(pairs))
        except script.Wrong as error:
            hint = "key: names a number, or a list with one number for each answer"
            raise harness.PluginError(str(error), where=self._where(), hint=hint) from error
        except Exception:
            script.forget()
            raise

    def _script(self) -> Any:
        from harness_evaluate import script

        path = self.options.path
        if path is None:
            return script.from_hub(str(self.options.hub))
        if self._digest is None:
            self._digest = script.digest(path)
        return script.local(path, self._digest)

    def _where(self) -> str:
        return f"metric script {self.options.path or self.options.hub}"


class CorpusMetric(EvaluateMetric):
    """The script's one number for all answers (``per: corpus``)."""

    additive = False
    needs_references = True
    measure = harness.Metric.measure  # type: ignore[assignment]
    measure_all = harness.Metric.measure_all  # type: ignore[assignment]

    def corpus(self, pairs: Sequence[Pair]) -> Mapping[str, float]:
        """The script's number; answers without references are left out.

        Raises:
            PluginError: the script fails, or gives no finite number.
        """
        import math

        from harness_evaluate.script import reason

        scored = [pair for pair in pairs if pair[1].references]
        try:
            found = self._compute(scored)
        except (harness.HarnessError, harness.Cancelled):
            raise
        except Exception as error:
            what = f"compute() failed on all {len(scored)} answers: {reason(error)}"
            raise harness.PluginError(what, where=self._where(), hint=_CORPUS) from error
        if isinstance(found, list) or not math.isfinite(found):
            what = "a list of numbers" if isinstance(found, list) else "not finite"
            what = f"'{self.options.key}' is {what}, where one number is due"
            raise harness.PluginError(what, where=self._where(), hint=_CORPUS)
        return {self.options.key: found}

    def remarks(self, pairs: Sequence[Pair]) -> Sequence[str]:
        scored = sum(bool(example.references) for _, example in pairs)
        return (
            f"{self.options.key} is the script's one number for {scored} answers: it has no "
            "interval and no verdict (per: example gives both).",
        )


_CORPUS = "per: example scores each answer alone"


@harness.hookimpl
def register_metrics() -> list[type[harness.Metric]]:
    return [EvaluateMetric]
