"""A plugin with its options, as the rules see it."""

from __future__ import annotations

import dataclasses
import inspect
import math
import traceback
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from harness.boundary.lending import Lent
from harness.config.plugin_entries import paths_in
from harness.errors import NO_FAULT, ConfigError, InputChanged
from harness.kit.problems import Problems
from harness.kit.text import one_line
from harness.stages import KINDS, Metric, Plugin
from harness_testing import fresh, texts
from harness_testing.outcomes import Skipped, reason

if TYPE_CHECKING:
    from harness.records import Checkpoint, Measurement
    from harness.scoring import MetricEntry

Pair = texts.Pair
TOLERANCE = 1e-9
_HINT = "give options: {} (on the command line --option KEY=VALUE)"


class Subject:
    """A plugin with its options, as the rules see it.

    Attributes:
        pairs: ordinary predictions with their examples.
        checkpoint: a base model of the author's; None where none was given.
    """

    def __init__(
        self,
        plugin: type[Plugin],
        options: Mapping[str, Any] | None = None,
        pairs: Sequence[Pair] | None = None,
        checkpoint: Checkpoint | None = None,
    ) -> None:
        self.plugin = plugin
        self.given = dict(options or {})
        self.pairs = list(texts.ordinary() if pairs is None else pairs)
        self.checkpoint = checkpoint
        self.stage = next((s for s, k in KINDS.items() if issubclass(plugin, k.base)), "")
        self.options = self._options()

    def _options(self) -> Any:
        kind: Any = self.plugin.Options
        if not (isinstance(kind, type) and issubclass(kind, BaseModel)):
            return None  # the rule on options says so
        problems = Problems(None, {})
        try:
            options = self.plugin.Options.model_validate(self.given)
            self._check_paths(options, problems)
            return options
        except ValidationError as error:
            problems.add_validation((), error, self.plugin.Options)
            fields = self.plugin.Options.model_fields.items()
            needed = [n for n, f in fields if f.is_required() and n not in self.given]
            raise ConfigError(
                f"the options of {self.stage or 'plugin'} '{self.plugin.name}' cannot be used",
                details=problems.found,
                hint=_HINT.format(", ".join(needed or self.plugin.Options.model_fields)),
            ) from None

    def _check_paths(self, options: Any, problems: Problems) -> None:
        """A plugin may read what an option names in any of its methods."""
        for name in type(options).model_fields:
            for path in paths_in(getattr(options, name)):
                if not path.exists():
                    problems.add((name,), f"there is no file or folder {path}")
        problems.subject = f"the options of {self.stage or 'plugin'} '{self.plugin.name}'"
        problems.done()

    def make(self, options: Any = None) -> Any:
        """A new instance."""
        return self.plugin(self.options if options is None else options)

    @cached_property
    def instance(self) -> Any:
        """An instance that all rules share."""
        return self.make()

    @property
    def sign(self) -> float:
        """+1 where higher is better, else -1."""
        return 1.0 if self.instance.higher_is_better else -1.0

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The metric's own score names."""
        return tuple(self.instance.score_names())

    @property
    def single(self) -> bool:
        """Whether the metric says anything of one example."""
        return self._overrides("measure", "measure_all")

    def need_single(self) -> None:
        """Skip the rule for a metric that knows only whole sets."""
        if not self.single:
            raise Skipped("it scores whole sets only (corpus), not single examples")

    def need_references(self) -> None:
        """Skip the rule for a metric that never looks at references."""
        if not self.uses_references:
            raise Skipped("its scores do not depend on the references")

    def _overrides(self, *methods: str) -> bool:
        kind = type(self.instance)  # options may choose a subclass
        return any(getattr(kind, m) is not getattr(Metric, m) for m in methods)

    @cached_property
    def flaw(self) -> tuple[str, str] | None:
        """Why a metric fails on all ordinary answers, and how to mend it; None if it does not."""
        call = ("measure" if self._overrides("measure") else "measure_all") + "()"
        lent = Lent(*map(list, zip(*self.pairs, strict=True)))
        scored = False
        flaw: BaseException | None = None
        try:
            if not self.single:  # no score is one, too: what people say is not there yet
                call, scored = "corpus()", True
                self.corpus(self.pairs)
            for pair in self.pairs if self.single else ():
                try:
                    scored |= statistics_of(self.raw(pair)) is not None
                except NO_FAULT:
                    raise
                except (Exception, SystemExit) as error:
                    flaw = flaw or error
            lent.check()
        except InputChanged as changed:
            return changed.what, "Let it change a copy (dataclasses.replace, copy.deepcopy)"
        except NO_FAULT:
            raise
        except (Exception, SystemExit) as error:
            scored, flaw = False, error
        if scored or flaw is None:
            return None
        what, place = reason(flaw), self.placed(flaw)
        if not place:  # it gave what no score can be
            code = getattr(type(self.instance), call.removesuffix("()")).__code__
            what, place = one_line(str(flaw), 200), _place(code.co_filename, code.co_firstlineno)
        mend = "Give a number, several as a list, or None for what cannot be scored"
        return f"{call} scores no ordinary answer: {what}{place}", mend

    def placed(self, error: BaseException) -> str:
        """Where in the plugin's own file it was raised, as `` (recall.py:12)``; empty elsewhere."""
        own = {
            member.__code__.co_filename
            for base in type(self.instance).__mro__
            if not base.__module__.startswith("harness.")
            for member in vars(base).values()
            if inspect.isfunction(member)
        }
        raised: BaseException | None = error
        while raised is not None:
            frames = [
                (frame.f_code.co_filename, line)
                for frame, line in traceback.walk_tb(raised.__traceback__)
                if frame.f_code.co_filename in own
            ]
            if frames:
                return _place(*frames[-1])
            raised = raised.__cause__
        return ""

    def raw(self, pair: Pair) -> Any:
        """The metric's raw answer for one example."""
        if self._overrides("measure"):
            return self.instance.measure(*pair)
        return next(iter(self.instance.measure_all([pair])))

    def alone(self, pair: Pair) -> tuple[float, ...] | None:
        """The statistics of one example, measured by itself; None where it is not scored."""
        try:
            return statistics_of(self.raw(pair))
        except NO_FAULT:
            raise
        except Exception:
            return None  # the core records such a row as unscored

    def measured(self, pairs: Sequence[Pair], metric: Any = None) -> list[Measurement]:
        """What the core makes of the metric's answers, in the order of ``pairs``."""
        from harness.scoring import measure

        return measure(self.entry(metric), pairs)

    def entry(self, metric: Any = None) -> MetricEntry:
        """The metric as the core calls it, with its shapes checked."""
        from harness.scoring import MetricEntry

        return MetricEntry(self.plugin.name, self.instance if metric is None else metric)

    def numbers(self, pairs: Sequence[Pair], metric: Any = None) -> list[tuple[float, ...] | None]:
        """Each example's statistics, or the corpus scores of a metric that has none."""
        if not self.single:
            return [tuple(self.corpus(pairs, metric).values())]
        return [m.statistics for m in self.measured(pairs, metric)]

    def values(self, pairs: Sequence[Pair], metric: Any = None) -> list[tuple[float, ...]]:
        """Each example's own scores (NaN where there is none), in the order of ``names``."""
        if not self.single:
            return [tuple(self.corpus(pairs, metric).values())]
        rows = self.measured(pairs, metric)
        return [tuple(row.values.get(name, math.nan) for name in self.names) for row in rows]

    def corpus(self, pairs: Sequence[Pair], metric: Any = None) -> dict[str, float]:
        """The scores of the whole set; empty if no row is scored."""
        import numpy as np

        entry = self.entry(metric)
        names = tuple(entry.metric.score_names())
        if not entry.metric.additive:
            values = entry.metric.corpus(list(pairs))
            return {name: float(values[name]) for name in names}
        rows = [m.statistics for m in self.measured(pairs, metric) if m.statistics is not None]
        if not rows:
            return {}
        scores = entry.aggregate(np.array(rows).sum(axis=0), np.array(float(len(rows))))
        return dict(zip(names, scores.tolist(), strict=True))

    @cached_property
    def uses_references(self) -> bool:
        """Whether other references give other numbers."""
        shift = [pair[1].references for pair in [*self.pairs[1:], *self.pairs[:1]]]
        others = [with_references(p, r) for p, r in zip(self.pairs, shift, strict=True)]
        return self.numbers(self.pairs) != self.numbers(others)

    @cached_property
    def fresh(self) -> fresh.Report:
        """What another process, with another hash seed, makes of the plugin."""
        scored = self.stage == "metric" and self.single and self.flaw is None
        pairs = self.pairs if scored else []
        return fresh.ask(self.plugin, self.options, pairs)


def _place(file: str, line: int) -> str:
    return f" ({Path(file).name}:{line})"


def with_references(pair: Pair, references: Sequence[str]) -> Pair:
    """The same answer to an example with other references."""
    return pair[0], dataclasses.replace(pair[1], references=tuple(references))


def with_text(pair: Pair, text: str) -> Pair:
    """Another answer to the same example."""
    return dataclasses.replace(pair[0], text=text, message=None), pair[1]


def statistics_of(raw: Any) -> tuple[float, ...] | None:
    """What a metric gave for one example, as floats; None = not scored.

    Raises:
        ValueError: it is neither a finite number nor some of these.
    """
    from harness.scoring.outcomes import outcome_of

    outcome = outcome_of(raw)
    if isinstance(outcome, str):
        raise ValueError(outcome)
    return outcome


def close(value: float, other: float) -> bool:
    """Equal but for rounding; two scores that do not exist are equal."""
    if math.isnan(value) or math.isnan(other):
        return math.isnan(value) and math.isnan(other)
    return math.isclose(value, other, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
