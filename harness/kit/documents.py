"""Values as the documents of a run hold them, and its scores and verdicts as reports show them."""

from __future__ import annotations

import dataclasses
import functools
import json
import math
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar, overload

from annotated_types import MaxLen

from harness.kit.numbers import digits_of
from harness.kit.text import one_line, titled
from harness.records.analysis import AddedRows, Analysis
from harness.records.summary import Summary

Form = TypeVar("Form")

SETTING = 120
"""Characters of a value of the config."""


def finite(value: Any) -> float | None:
    """The number, or None for None, NaN, infinities and whatever is no number."""
    if value is None or not isinstance(value, (int, float)):
        return None
    try:
        return value if math.isfinite(value) else None
    except OverflowError:  # an integer beyond any float
        return None


def as_json(value: Any) -> Any:
    """A setting as a document holds it: what JSON lacks, as an infinity or a date, as text."""
    if isinstance(value, Mapping):
        return {str(key): as_json(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_json(inner) for inner in value]
    known = value is None or isinstance(value, (str, int))
    return value if known or finite(value) is not None else str(value)


def shown(value: Any) -> str:
    """A setting in one line: text as it is, everything else as JSON."""
    text = value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
    return one_line(text, SETTING)


@overload
def as_document(kind: type[Form], record: None, /, **own: Any) -> None: ...
@overload
def as_document(kind: type[Form], record: object, /, **own: Any) -> Form: ...
def as_document(kind: type[Form], record: object, /, **own: Any) -> Form | None:
    """What the document holds of a record: its fields by name, texts in one line, cut to length.

    Args:
        kind: a type of a document.
        own: values of fields that the record has not, or has otherwise; they are taken as they are.

    Returns:
        an object with None for what is not finite, and for empty texts that may be None; None of
        None.
    """
    if record is None:
        return None
    return kind(
        **{
            name: own[name] if name in own else _in_document(hint, getattr(record, name))
            for name, hint in _hints(typing.cast(Any, kind)).items()
        }
    )


@functools.cache
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind, include_extras=True)


def _in_document(hint: Any, value: Any) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if value is None:
        return None
    if origin is typing.Annotated:
        base, *limits = arguments
        longest = next((limit.max_length for limit in limits if isinstance(limit, MaxLen)), None)
        return one_line(value, longest) if base is str else _in_document(base, value)
    if origin in (types.UnionType, typing.Union):
        inner = _in_document(arguments[0], value)
        return None if inner == "" else inner
    if origin is tuple:
        return tuple(_in_document(arguments[0], item) for item in value)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        keys, values = arguments
        return {_in_document(keys, key): _in_document(values, item) for key, item in value.items()}
    if dataclasses.is_dataclass(hint):
        return as_document(typing.cast(Any, hint), value)
    if hint is str:
        return one_line(value)
    return finite(value) if hint is float else value


def score_digits(summary: Summary, name: str) -> int:
    """Decimals of one score, the same wherever a report of the run shows it."""
    sides = [round_.scores for round_ in summary.rounds]
    if test := summary.test:
        sides += [test.baseline, test.kept]
    scores = [scores[name] for scores in sides if name in scores]
    return digits_of(value for score in scores for value in (score.value, score.high))


def score_title(summary: Summary, name: str, limit: int) -> str:
    """``judge (uncalibrated)``: a score's name with the latest round's caveat; only the name is
    cut.
    """
    sides = [round_.scores for round_ in summary.rounds]
    caveats = [scores[name].caveat for scores in sides if name in scores]
    return titled(one_line(name, limit), one_line(caveats[-1], 40) if caveats else "")


def unlabelled(sentence: str, label: str) -> str:
    """A verdict's sentence without the label that it begins with, which stands beside it."""
    return sentence.removeprefix(f"{label}: ")


@dataclasses.dataclass(frozen=True, slots=True)
class WrittenRows:
    """What rows cost that augmenters wrote, the refused ones included, as a report's figures.

    Attributes:
        by: the entries that wrote them.
        rows: that were added.
        tokens, money, seconds: of one of these rows; None where it is not known.
    """

    by: tuple[str, ...]
    rows: int
    tokens: float | None
    money: float | None
    seconds: float | None


def written_rows(analysis: Analysis) -> WrittenRows | None:
    """What the rows cost that a model wrote; None where none was added."""
    written = [row for row in analysis.rows(AddedRows) if row.written]
    rows = sum(row.written for row in written)
    if not rows:
        return None
    costs = [cost for cost in analysis.requests if cost.stage.startswith("augment: ")]
    money = [cost.money for cost in costs if cost.money is not None]
    tokens = sum(cost.prompt_tokens + cost.answer_tokens for cost in costs)
    seconds = analysis.seconds.get("augment")
    return WrittenRows(
        tuple(dict.fromkeys(str(row.made_by) for row in written)), rows,
        tokens / rows or None, sum(money) / rows if money else None,
        None if seconds is None else seconds / rows,
    )  # fmt: skip
