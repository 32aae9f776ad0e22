"""``evaluate``: a team's existing metric script for the `evaluate` library."""

from __future__ import annotations

import functools
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

import harness
from harness.kit import gate
from harness.kit.files import files_digest
from harness.kit.text import one_line, storable

Pair = tuple[harness.Prediction, harness.Example]
_RELATIVE = re.compile(r"^(?:from|import)\s+\.(\w+)(.*)", re.MULTILINE)


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
            default=None,
            description="the script: a `.py` file, or a folder with a `.py` file of the "
            "folder's name",
        )
        hub: Annotated[str, Field(pattern=r"^\w[\w.-]*(/\w[\w.-]*)?$")] | None = Field(
            default=None,
            description="instead of `path`, the name of a metric of the Hub: its code is "
            "fetched and run",
        )
        key: str = Field(description="which number of the script's result is the score")
        per: Literal["example", "corpus"] = Field(
            default="example",
            description="`example`: a value for each answer, and the mean has an interval; "
            "`corpus`: one number without an interval",
        )
        better: Literal["higher", "lower"] = Field(
            default="higher", description="`higher` or `lower`"
        )
        args: dict[str, Any] = Field(
            default={}, description="further arguments of the script's `compute`"
        )
        right_at: float | None = Field(
            default=None, description="own value from which an answer passes; without it, none does"
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
        self.higher_is_better = self.options.better == "higher"  # type: ignore[misc]

    def score_names(self) -> Sequence[str]:
        return (self.options.key,)

    def inputs(self) -> Sequence[Path]:
        """The script's files: itself first, then what it imports from beside it.

        Raises:
            ConfigError: ``path`` names no script.
            PluginError: the script imports code from an address.
        """
        if self.options.path is None:
            return ()
        path = self.options.path.absolute()
        script = path / f"{path.name}.py" if path.is_dir() else path
        # The library takes a path that is no file for a name of the Hub.
        if script.suffix != ".py" or not script.is_file():
            raise harness.ConfigError(
                "there is no such metric script",
                where=str(script),
                hint="path: names a .py file, or a folder with a .py file of the folder's name",
            )
        imports = _RELATIVE.findall(script.read_text(encoding="utf-8", errors="replace"))
        for name, rest in imports:
            if "From:" in rest:  # the library would fetch it and run it
                what = f"the script would fetch '{name}' from an address"
                hint = "put the file beside the script, and import it without an address"
                raise harness.PluginError(what, where=str(script), hint=hint)
        if path.is_dir():
            return [script, *sorted({*path.rglob("*.py")} - {script})]
        beside = {script.with_name(f"{name}.py") for name, _ in imports} - {script}
        return [script, *sorted(file for file in beside if file.is_file())]

    def check(self, settings: Mapping[str, Any]) -> Iterable[harness.Problem]:
        """See :meth:`harness.Plugin.check`."""
        if self.options.hub is not None:
            message = f"whether '{self.options.hub}' can be fetched is not tried before the run"
            yield harness.Problem(message, ("hub",), "unknown")

    def signature(self) -> str:
        options = self.options
        if options.path is None:
            source = f"hub:{options.hub}"
        else:
            source = f"{options.path.name}|sha256:{files_digest(self.inputs())[:10]}"
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
        value = self._compute([(prediction, example)])
        return value[0] if isinstance(value, list) else value

    def measure_all(self, pairs: Sequence[Pair]) -> Iterable[float | None]:
        """The same for many, in one call where the script gives each answer a number."""
        scored = [pair for pair in pairs if pair[1].references]
        first = self._compute(scored[:2]) if len(scored) > 1 else None
        # Values that depend on which others are in the call are none of single answers.
        if isinstance(first, list) and first == [self.measure(*pair) for pair in scored[:2]]:
            values = self._compute(scored)
            if isinstance(values, list):
                each = iter(values)
                return [next(each) if example.references else None for _, example in pairs]
        return [self.measure(*pair) for pair in pairs]

    def remarks(self, pairs: Sequence[Pair]) -> Sequence[str]:
        scored = sum(bool(example.references) for _, example in pairs)
        return (
            f"{self.options.key} is the mean of {scored} answers' own values, with an interval; "
            "the script's number for all answers together may be another (per: corpus).",
        )

    def _compute(self, pairs: Sequence[Pair]) -> float | list[float]:
        """The script's number for these answers, or one for each.

        References are given as lists where the script's features take lists, else as one text.

        Raises:
            ValueError: an answer has several references and the script takes one; or the number
                is None: these answers are unscored.
            PluginError: the result has no such number, whatever the answers are.
        """
        script = self._script()
        answers = [storable(prediction.text) for prediction, _ in pairs]
        references: list[Any] = [list(map(storable, row.references)) for _, row in pairs]
        if not _takes_lists(script):
            if any(len(texts) != 1 for texts in references):
                raise ValueError("the script takes one reference per answer, and here are several")
            references = [texts[0] for texts in references]
        try:
            result = script.compute(predictions=answers, references=references, **self.options.args)
        except BaseException:
            _load.cache_clear()  # the library may hold half of the answers
            raise
        return self._number(result, len(pairs))

    def _number(self, result: Any, count: int) -> float | list[float]:
        """What a result of ``count`` answers says under ``key``."""
        key = self.options.key
        if not isinstance(result, Mapping):
            raise self._wrong(f"compute() gave a {type(result).__name__} where a dict is due")
        if key not in result:
            names = ", ".join(one_line(str(name), 40) for name in result) or "nothing"
            raise self._wrong(f"compute() gives {names}, not '{key}'")
        value = result[key]
        value = value.tolist() if hasattr(value, "tolist") else value  # numpy's, torch's
        several = isinstance(value, (list, tuple))
        numbers = list(value) if several else [value]
        if None in numbers:
            raise ValueError(f"the script gave None as '{key}'")
        if several and len(numbers) != count:
            raise self._wrong(f"'{key}' has {len(numbers)} numbers for {count} answers")
        for number in numbers:
            if not hasattr(number, "__float__"):
                raise self._wrong(f"'{key}' is a {type(number).__name__} where a number is due")
        return [float(number) for number in numbers] if several else float(value)

    def _script(self) -> Any:
        """What ``evaluate.load`` gives for the script.

        Raises:
            ConfigError: it names no script.
            PluginError, EnvironmentFailure: the local one, or the Hub's, cannot be loaded.
        """
        hub = self.options.hub
        gate.code(f"the script {hub or self.options.path}", by="metric 'evaluate'")
        try:
            if hub is None:
                files = self.inputs()
                return _load(str(files[0]), files_digest(files))
            if Path(hub, f"{hub.rpartition('/')[2]}.py").exists():
                # The library would take the folder.
                what = f"a folder here has the name of the Hub's metric '{hub}'"
                raise harness.ConfigError(what, where=hub, hint="give it as path:, or rename it")
            return _load(hub, "")
        except harness.HarnessError:
            raise
        except (Exception, SystemExit) as error:
            reason = f"{type(error).__name__}: {one_line(str(error), 300)}"
            if hub is None:
                what = f"the metric script cannot be loaded: {reason}"
                hint = "it must be a script that evaluate.load() takes"
                raise harness.PluginError(what, where=str(files[0]), hint=hint) from error
            raise harness.EnvironmentFailure(
                f"the Hub's metric is not available: {reason}",
                where=f"hub: {hub}",
                hint="fetch it once where there is a network, or give a local script as path:",
            ) from error

    def _wrong(self, what: str) -> harness.PluginError:
        hint = "key: names a number, or a list with one number for each answer"
        where = f"metric script {self.options.path or self.options.hub}"
        return harness.PluginError(what, where=where, hint=hint)


class CorpusMetric(EvaluateMetric):
    """The script's one number for all answers (``per: corpus``)."""

    additive = False
    needs_references = True
    measure = harness.Metric.measure  # type: ignore[assignment]
    measure_all = harness.Metric.measure_all  # type: ignore[assignment]

    def corpus(self, pairs: Sequence[Pair]) -> Mapping[str, float]:
        """The script's number; answers without references are left out.

        Raises:
            PluginError: it gives no finite number.
        """
        number = self._compute([pair for pair in pairs if pair[1].references])
        if isinstance(number, list) or not math.isfinite(number):
            raise self._wrong(f"'{self.options.key}' is {number}, where one finite number is due")
        return {self.options.key: number}

    def remarks(self, pairs: Sequence[Pair]) -> Sequence[str]:
        scored = sum(bool(example.references) for _, example in pairs)
        return (
            f"{self.options.key} is the script's one number for {scored} answers: it has no "
            "interval and no verdict (per: example gives both).",
        )


@functools.lru_cache(8)
def _load(path: str, digest: str) -> Any:
    """A script, loaded once for each content (``digest``) of its files."""
    evaluate = gate.library("evaluate", "the model hub", by="metric 'evaluate'")
    evaluate.logging.set_verbosity_error()
    evaluate.logging.disable_progress_bar()
    return evaluate.load(path, keep_in_memory=True, seed=1)


def _takes_lists(script: Any) -> bool:
    """Whether one of the forms of input that the script names has lists of references."""
    from datasets import ClassLabel, Value

    forms = script.features if isinstance(script.features, list) else [script.features]
    kinds = [form["references"] for form in forms if "references" in form]
    return any(not isinstance(kind, Value | ClassLabel) for kind in kinds)


@harness.hookimpl
def register_metrics() -> list[type[harness.Metric]]:
    return [EvaluateMetric]
