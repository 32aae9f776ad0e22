"""The rules that call a plugin, on a small data set and through the checks that a run has."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import itertools
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness.boundary import results
from harness.boundary.calls import plainly
from harness.boundary.lending import Lent
from harness.data.augmentation import AugmenterPlan, collect
from harness.data.filters import INVALID, NO_ORIGIN, RowGate
from harness.errors import (
    Cancelled,
    ConfigError,
    DataError,
    EnvironmentFailure,
    HarnessError,
    PluginError,
    Waiting,
)
from harness.records import Dataset, Plan
from harness.stages import KINDS, Plugin, StageKind
from harness.stages.kinds import REQUIRED
from harness_testing.outcomes import Failed, Noted, Skipped
from harness_testing.sample import Sample
from harness_testing.subject import Subject

_MOST_ITEMS = 1_000
_CALLS = 3
_LACKING = (EnvironmentFailure, DataError, ConfigError, Waiting)
"""A plugin's own words for what it needs and does not find in the sample, or on this machine."""
_MADE_UP = "its base model has no files; one that it can load is given by checkpoint=…"


def work(subject: Subject) -> str | None:
    """It does its work on a small data set, called as a run calls it, and prints nothing."""
    kind = KINDS[subject.stage]
    with (
        tempfile.TemporaryDirectory() as folder,
        contextlib.redirect_stdout(io.StringIO()) as printed,
    ):
        sample = Sample(Path(folder), subject)
        try:
            result = _result(subject.instance, kind, sample)
            if _empty(result) and kind.default is REQUIRED and kind.key:
                raise PluginError(f"{kind.work[0]}() gives nothing, and no run can do without")
            results.facts(sample.context.facts)
        except Cancelled:
            raise
        except _LACKING as error:
            raise Skipped(f"not called to the end: {error.what}") from None
        except HarnessError as error:
            on_a_model = {"base", "checkpoint"} & set(kind.takes)
            if on_a_model and subject.checkpoint is None and _elsewhere(error, subject.plugin):
                raise Skipped(f"{_MADE_UP}: {error.what}") from None
            mend = error.hint or f"the docstring of harness.{kind.base.__name__} says what is given"
            what = f"{error.what}{subject.placed(error)}"
            raise Failed(what, mend[:1].upper() + mend[1:]) from None
    if text := printed.getvalue().strip():
        tells = "context" in kind.takes
        mend = (
            "Print nothing: use context.log, or context.remark() for readers" if tells
            else "Print nothing: raise what went wrong, or tell it by what the call is given"
        )  # fmt: skip
        raise Failed(f"it prints: {text[-120:]}", mend)
    return _said(result)


def _result(plugin: Plugin, kind: StageKind, sample: Sample) -> Any:
    """What a call of the plugin gives.

    Raises:
        HarnessError: it gives something else than is due, or changes what it is given.
        Skipped: the sample has not what its kind is given.
    """
    if unknown := [name for name in kind.takes if name not in dir(sample)]:
        raise Skipped(f"the kit has no {unknown[0]} to give to this kind of plugin")
    arguments = {name: getattr(sample, name) for name in kind.takes}
    with plainly(plugin.name, lent=Lent(sample.rows, sample.scored, sample.plan)):
        result = kind.call(plugin, **arguments)
        return (
            list(itertools.islice(result, _MOST_ITEMS)) if isinstance(result, Iterator) else result
        )


def seed(subject: Subject) -> str | None:
    """Called again with the same seed, it gives the same."""
    outcomes = []
    for _ in range(_CALLS):
        with tempfile.TemporaryDirectory() as folder:
            sample = Sample(Path(folder), subject)
            plugin = subject.make()
            if plugin.requests(sample.train, 1) is not None:
                raise Skipped("it asks a server, which may answer otherwise each time")
            try:
                outcomes.append(_result(plugin, KINDS[subject.stage], sample))
            except Cancelled:
                raise
            except HarnessError as error:  # which the rule before this one has told
                raise Skipped(f"not called to the end: {error.what}") from None
    if any(outcome != outcomes[0] for outcome in outcomes):
        mend = (
            "Draw from random.Random(context.seed) alone, and depend on no time or order of a set"
        )
        raise Failed(f"{_CALLS} calls with one seed give different results", mend)
    return None


def _said(result: Any) -> str:
    if _empty(result):
        raise Noted("it gives nothing for the small data set, so no result of it was checked")
    if isinstance(result, (list, tuple)):
        return f"it gives {len(result)} result{'s' if len(result) > 1 else ''}"
    if result is True:
        return ""
    name = type(result).__name__
    return f"it gives {'an' if name[0] in 'AEIOU' else 'a'} {name}"


def _empty(result: Any) -> bool:
    if dataclasses.is_dataclass(result):
        return not any(getattr(result, field.name) for field in dataclasses.fields(result))
    return not result


def _elsewhere(error: HarnessError, plugin: type[Plugin]) -> bool:
    """Whether a library raised it, which was given a model without files, and not the plugin."""
    trace = error.__cause__ and error.__cause__.__traceback__
    if not trace or isinstance(error.__cause__, SystemExit):
        return False
    while trace.tb_next:
        trace = trace.tb_next
    module = str(trace.tb_frame.f_globals.get("__name__"))
    return module.partition(".")[0] != plugin.__module__.partition(".")[0]


_REFUSED = {
    INVALID: "A row ends in a user's turn, has a reference, and has an id that no other row had",
    NO_ORIGIN: "A new row names the row that it was made from as its `parent`",
}


def gate(subject: Subject) -> str | None:
    """What it proposes in two rounds is no row that the gate of every run refuses."""
    with tempfile.TemporaryDirectory() as folder:
        sample = Sample(Path(folder), subject)
        train, pool = list(sample.train), sample.pool
        refused: Counter[str] = Counter()
        doorkeeper = RowGate(sample.rows_of("dev"), train, known=pool)
        plan = AugmenterPlan(subject.plugin.name, subject.instance, Plan("targeted", sample.plan))
        try:
            for number in (1, 2):  # an id of the first one must not come again
                taken = {row.id for row in train}
                left = [row for row in pool if row.id not in taken]
                context = dataclasses.replace(
                    sample.context, round=number, seed=sample.seed + number
                )
                rows, growth = collect([plan], Dataset((*train, *left)), doorkeeper, context)
                train += rows
                refused.update(growth.refused)
                for reason, mend in _REFUSED.items():
                    if count := growth.refused.get(reason, 0):
                        raise Failed(f"{count} of its rows are refused: {reason}", mend)
        except Cancelled:
            raise
        except HarnessError as error:  # which the rule before this one has told
            raise Skipped(f"not called to the end: {error.what}") from None
    if not (count := len(train) - len(sample.train)):
        if refused:
            reasons = ", ".join(f"{reason}: {number}" for reason, number in refused.items())
            raise Noted(f"the gate let no row in, in two rounds ({reasons})")
        raise Noted("the gate was given no row in two rounds, so nothing was checked")
    return f"{count} rows in two rounds"
