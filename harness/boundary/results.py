"""What plugins hand over, checked where it enters: the one place that believes no plugin.

A value of the wrong kind would otherwise break something far from the plugin that made it. Each
function here returns the value, or raises a :class:`PluginError` that says which item it was, what
was given and what is due; plugin, version, stage and round are filled in by
:mod:`harness.boundary.calls`. What passes can be written as JSON and read again as the same record.
"""

from __future__ import annotations

import json
import math
import typing
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from harness.boundary.record_checks import (
    Check,
    Flaw,
    anything,
    at,
    check_of,
    items,
    json_flaw,
    mapping,
    number,
    short,
    text,
    truth,
    whole,
)
from harness.errors import PluginError
from harness.kit.blocks import Block, flaw
from harness.kit.text import given
from harness.records import (
    Checkpoint,
    ErrorLabel,
    Example,
    Findings,
    Prediction,
    Problem,
    Rendered,
    Schedule,
)

MOST_ROWS = 5_000_000
"""Rows of a source, beyond which it is taken for one that does not end."""
MOST_SLICES = 20_000
"""Slices and diagnoses per analyzer, beyond which it is taken for one that does not end."""
MOST_LABELS = 100
"""Labels of one answer."""
MOST_CELLS = 100_000
"""Rows of one section."""
MOST_REMARKS = 200
"""Remarks of one stage."""
MOST_COMMANDS = 100
"""Commands of one package for a model."""
MOST_BLOCKS = 500
"""Blocks of one section."""
Record = TypeVar("Record")


def examples(rows: Any) -> Iterator[Example]:
    """The rows of a source."""
    names: set[str] = set()
    for place, row in enumerate(_each(rows, "load()", "harness.Example"), start=1):
        example(row, f"row {place}")
        if row.id in names:
            _refuse(f"row {place}", "id", f"'{short(row.id)}' again", "an id of its own")
        if place > MOST_ROWS:
            _refuse("load()", "", f"more than {MOST_ROWS:,} rows", "a data set that ends")
        names.add(row.id)
        yield row


def example(row: Any, what: str) -> Example:
    """One row of a source or an augmenter; ``what`` names it (``row 3``)."""
    found: Example = record(Example, row, what)
    if not found.messages:
        _refuse(what, "messages", "empty", "at least one turn")
    return found


def proposals(rows: Any) -> Iterator[Any]:
    """What an augmenter proposes; each is to be checked by :func:`example`."""
    return _each(rows, "propose()", "harness.Example")


def problems(values: Any) -> Iterator[Problem]:
    """What a plugin's own check says of its entry."""
    for value in _each(values, "check()", "harness.Problem"):
        yield record(Problem, value, "check()")


def checkpoint(value: Any, call: str) -> Checkpoint:
    """What ``fetch()`` or ``train()`` returned."""
    return record(Checkpoint, value, f"{call}: its result")


def predictions(values: Any, asked: Sequence[Example]) -> list[Prediction]:
    """One prediction for each example, in the order of the examples.

    The first that was not asked for ends it, so that a generator without an end does not hang.
    """
    wanted = {row.id for row in asked}
    by_id: dict[str, Prediction] = {}
    for place, value in enumerate(_each(values, "generate()", "harness.Prediction"), start=1):
        name = getattr(value, "example_id", None)
        what = f"the prediction for '{short(name)}'" if isinstance(name, str) else ""
        found: Prediction = record(Prediction, value, what or f"prediction {place}")
        if found.example_id in by_id:
            raise PluginError(f"it answered '{short(found.example_id)}' twice")
        if found.example_id not in wanted:
            raise PluginError(f"it answered '{short(found.example_id)}', which it was not asked")
        by_id[found.example_id] = found
    missing = [row.id for row in asked if row.id not in by_id]
    if missing:
        raise PluginError(
            f"it left {len(missing)} of {len(asked)} prompts unanswered, first "
            f"'{short(missing[0])}'"
        )
    return [by_id[row.id] for row in asked]


def rendered(values: Any, asked: Sequence[Example]) -> Iterator[Rendered]:
    """One rendered row for each example, in the order of the examples."""
    given_ = _each(values, "rendered()", "harness.Rendered")
    for row in asked:
        what = f"the rendered row '{short(row.id)}'"
        found: Rendered = record(Rendered, next(given_, None), what)
        if found.id != row.id:
            _refuse(what, "id", f"'{short(found.id)}'", "the id of the row at hand")
        if not 0 <= found.cut <= len(found.tokens) == len(found.trained):
            sizes = f"{len(found.tokens)} tokens, {len(found.trained)} trained, {found.cut} cut"
            _refuse(what, "", sizes, "one truth value for each token, and no more cut than there")
        yield found


def schedule(value: Any) -> Schedule | None:
    """What a trainer or generator says of its steps."""
    if value is None:
        return None
    found: Schedule = record(Schedule, value, "schedule()")
    if found.steps < 0 or not 0 < found.passes < math.inf:
        given_ = f"{found.steps} steps, {found.passes} passes"
        _refuse("schedule()", "", given_, "no negative number of steps, and more than no pass")
    return found


def facts(values: Mapping[str, Any]) -> dict[str, Any]:
    """What a stage noted with ``context.note()``."""
    _require(json_flaw(values), "context.note()")
    remarks = values.get("remarks", ())
    _require(items(text)(remarks), "context.remark()")
    if len(remarks) > MOST_REMARKS:
        _refuse("context.remark()", "", f"more than {MOST_REMARKS} of them", "a few sentences")
    return dict(values)


def training_log(path: Path) -> list[Mapping[str, Any]]:
    """The lines of a trainer's ``log.jsonl``; empty where there is none."""
    if not path.exists():
        return []
    lines: list[Mapping[str, Any]] = []
    for place, line in enumerate(path.read_bytes().split(b"\n"), start=1):
        if not line.strip():
            continue
        what = f"log.jsonl, line {place}"
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            _refuse(what, "", "no JSON", _LOG_LINE)
        if not isinstance(value, dict):
            _refuse(what, "", given(value), _LOG_LINE)
        for key in _NUMBERS:
            if value.get(key) is not None:
                _require(at(key, number(value[key])), what)
        for key in ("eval_rows", "train_rows"):
            if value.get(key) is not None:
                _require(at(key, _flaw_of_rows(value[key])), what)
        lines.append(value)
    return lines


def _flaw_of_rows(value: Any) -> Flaw | None:
    """Losses of single rows, each in sum over its tokens; see :meth:`harness.Trainer.train`."""
    if not isinstance(value, dict):
        return Flaw("", given(value), "an object with losses and tokens")
    losses: Any = value.get("losses")
    tokens: Any = value.get("tokens")
    for name, part in (("losses", losses), ("tokens", tokens)):
        if not isinstance(part, list):
            return Flaw(f".{name}", given(part), "a list of numbers")
        if (wrong := next(filter(None, map(number, part)), None)) is not None:
            return at(name, wrong)
    if len(losses) != len(tokens) or min(tokens, default=0) <= 0:
        return Flaw("", "no such lists", "as many losses as tokens, each of one token or more")
    return at("of", whole(value["of"])) if value.get("of") is not None else None


_NUMBERS = ("step", "epoch", "loss", "eval_loss", "learning_rate", "share", "share_loss")
_LOG_LINE = 'an object such as {"step": 1, "epoch": 0.5, "loss": 2.1}'


def labels(values: Any, example_id: str) -> list[ErrorLabel]:
    """What a detector found in one answer."""
    what = f"detect() of '{short(example_id)}'"
    found: list[ErrorLabel] = []
    for value in _each(values, what, "harness.ErrorLabel"):
        label: ErrorLabel = record(ErrorLabel, value, what)
        if label.example_id != example_id:
            _refuse(what, "example_id", given(label.example_id), "the id of the answer at hand")
        if not label.category.strip():
            _refuse(what, "category", "blank", "a short name")
        found.append(label)
        if len(found) > MOST_LABELS:
            _refuse(what, "", f"more than {MOST_LABELS} labels", "a few labels of one answer")
    return found


def categories(value: Any) -> Mapping[str, str]:
    """Category -> definition, of a detector."""
    _require(mapping(text)(value), "categories()")
    return dict(value)


def causes(value: Any) -> Mapping[str, tuple[str, str, bool]]:
    """Cause -> definition, remedy, whether data can cure it, of an analyzer."""
    what = "causes()"
    _require(mapping(anything)(value), what)
    for name, entry in value.items():
        kinds = [type(part) for part in entry] if isinstance(entry, (tuple, list)) else []
        if kinds != [str, str, bool]:
            _refuse(what, f"['{short(name)}']", given(entry), "(definition, remedy, by data)")
    return {name: tuple(entry) for name, entry in value.items()}


def findings(value: Any) -> Findings:
    """What an analyzer returned."""
    if isinstance(value, Findings):
        for name in ("slices", "diagnoses", "notes"):
            part = getattr(value, name)
            if isinstance(part, (tuple, list)) and len(part) > MOST_SLICES:
                _refuse("analyze()", name, f"{len(part)} of them", f"at most {MOST_SLICES}")
    return record(Findings, value, "analyze(): its result")


def score_names(value: Any) -> tuple[str, ...]:
    """The names of a metric's scores."""
    what = "score_names()"
    _require(items(text)(value), what)
    if not value:
        _refuse(what, "", "no name", "at least one")
    if len(set(value)) != len(value):
        _refuse(what, "", "one name twice", "different names")
    return tuple(value)


def metric_kind(metric: Any) -> None:
    """What a metric says of itself: direction, bounds, and whether it is a sum over rows."""
    for name in ("higher_is_better", "additive", "needs_references", "by_people"):
        _require(truth(getattr(metric, name)), name)
    if metric.right_at is not None:
        _require(number(metric.right_at), "right_at")
    bounds = metric.bounds
    _require(items(_bound)(bounds), "bounds")
    if len(bounds) != 2 or not bounds[0] < bounds[1]:
        _refuse("bounds", "", "another pair", "(least, greatest)")


def _bound(value: Any) -> Flaw | None:
    """A number that may be infinite."""
    return None if value in (-math.inf, math.inf) else number(value)


def instance_of(kind: type[Record], value: Any, call: str) -> Record:
    """Something that must be an object of that class (the metric of ``beside()``)."""
    if not isinstance(value, kind):
        _refuse(f"{call}: its result", "", given(value), f"a harness.{kind.__name__}")
    return value


def paths(value: Any, call: str) -> list[Path]:
    """Files that a plugin names; texts are not taken for paths."""
    found = list(_each(value, call, "pathlib.Path"))
    for path in found:
        if not isinstance(path, Path):
            _refuse(call, "", given(path), "a pathlib.Path")
    return found


def commands(value: Any) -> list[str]:
    """Command lines, each a text."""
    found: list[str] = []
    for command in _each(value, "commands_for_model()", "texts"):
        _require(text(command), "commands_for_model()")
        if len(found) == MOST_COMMANDS:
            _refuse("commands_for_model()", "", f"more than {MOST_COMMANDS}", "a few commands")
        found.append(command)
    return found


def table(value: Any) -> list[Mapping[str, Any]]:
    """The rows of a section."""
    rows: list[Mapping[str, Any]] = []
    for place, row in enumerate(_each(value, "rows()", "mappings"), start=1):
        if not isinstance(row, Mapping):
            _refuse(f"rows(): row {place}", "", given(row), "a mapping of column to value")
        if place > MOST_CELLS:
            _refuse("rows()", "", f"more than {MOST_CELLS} rows", "a table that people can read")
        rows.append(row)
    return rows


def blocks(value: Any) -> list[Block]:
    """What a section says: known blocks, texts that are texts, tables as wide as their columns."""
    found: list[Block] = []
    check: Check = check_of(Block)
    for place, block in enumerate(_each(value, "blocks()", "harness.kit.blocks"), start=1):
        what = f"blocks(): block {place}"
        _require(check(block), what)
        if wrong := flaw(block):
            raise PluginError(f"{what}: {wrong}", hint="correct the plugin")
        if place > MOST_BLOCKS:
            _refuse("blocks()", "", f"more than {MOST_BLOCKS} blocks", "what people can read")
        found.append(block)
    return found


def record(kind: type[Record], value: Any, what: str) -> Record:
    """The value, if it is a record of that kind and so is all that it holds."""
    check: Check = check_of(typing.cast(Any, kind))
    _require(check(value), what)
    found: Record = value
    return found


def _require(flaw: Flaw | None, what: str) -> None:
    if flaw is not None:
        _refuse(what, *flaw)


def _refuse(what: str, path: str, given_: str, wanted: str) -> NoReturn:
    place = f"{what}: {path.lstrip('.')}" if path else what
    raise PluginError(f"{place} is {given_}, where {wanted} is due", hint="correct the plugin")


def _each(values: Any, call: str, kind: str) -> Iterator[Any]:
    """The items of a result that has to be iterable."""
    if isinstance(values, (str, bytes, Mapping)) or not isinstance(values, Iterable):
        _refuse(call, "", given(values), f"an iterable of {kind}")
    return iter(values)
