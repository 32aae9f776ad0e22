"""Documents made whole: every key that a summary or an analysis has, of a run that knows little."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from typing import Any

from harness.records import Verdict, analysis
from harness.records.analysis import Analysis
from harness.records.plain import from_document
from harness.records.summary import ShownExample, Summary

Document = dict[str, Any]

_TRUE = {"higher_is_better", "from_prompt"}
_ANALYSIS: Document = {
    "schema": "harness.analysis/4", "annotations": {}, "right_at": None, "bounds": [None, None],
    "by_people": False, "between_references": None, "definitions": {}, "causes_known": {},
    "not_looked_for": "", "tables": {}, "better": [], "not_better": None, "remedies": [],
    "queries": [], "sections": [], "failed": {}, "control": None, "baselines": [], "models": [],
    "arms": [], "experiments": {}, "chosen": None,
}  # fmt: skip
_TABLES = {
    kind.table: kind for kind in vars(analysis).values()
    if isinstance(kind, type) and dataclasses.is_dataclass(kind) and hasattr(kind, "table")
}  # fmt: skip
_ROW: Document = {"references": [], "course": "", "answers": [], "cause": None}
_ANSWER: Document = {"finish_reason": "stop", "errors": [], "right": None}


def filled(kind: Any, found: Any, name: str = "") -> Any:
    """A value of a document with every key of its record; what is missing says nothing."""
    if typing.get_origin(kind) is typing.Annotated:
        return filled(typing.get_args(kind)[0], found, name)
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        inner = [argument for argument in arguments if argument is not type(None)]
        return filled(inner[0], found) if found is not None and len(inner) == 1 else found
    if origin is tuple:
        return [filled(arguments[0], item) for item in found or ()]
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {key: filled(arguments[1], item) for key, item in (found or {}).items()}
    if dataclasses.is_dataclass(kind):
        of_kind, known = typing.get_type_hints(kind, include_extras=True), found or {}
        hints = {field.name: of_kind[field.name] for field in dataclasses.fields(kind)}
        return {**known, **{key: filled(hint, known.get(key), key) for key, hint in hints.items()}}
    if found is None and kind in (str, int, float, bool):
        return name in _TRUE if kind is bool else kind()
    return found


def whole(document: Mapping[str, Any]) -> Analysis:
    """An analysis of a run that knows no more than the document says."""
    return from_document(Analysis, _whole(document))


def _whole(document: Mapping[str, Any]) -> Document:
    known = {"rounds": [{}], **document}
    found: Document = {**_ANALYSIS, **known, **filled(Summary, {**known, "control": None})}
    for key in ("control", "baselines", "models", "arms", "chosen"):
        kind = typing.get_type_hints(Summary, include_extras=True)[key]
        found[key] = filled(kind, known[key]) if known.get(key) else _ANALYSIS[key]
    found["schema"] = document.get("schema", _ANALYSIS["schema"])
    found["rounds"] = found["rounds"] or filled(Summary, {"rounds": [{}]})["rounds"]
    for key in ("examples", "better"):
        found[key] = [_row(row) for row in found[key]]
    found["not_better"] = found["not_better"] and _row(found["not_better"])
    for name, kind in _TABLES.items():
        if name in found["tables"]:
            rows = found["tables"][name]
            found["tables"] = found["tables"] | {name: [filled(kind, row) for row in rows]}
    return found


def _row(row: Mapping[str, Any]) -> Document:
    found = {**_ROW, **filled(ShownExample, row)}
    found["answers"] = [_ANSWER | answer for answer in found["answers"]]
    return found


def words_of(verdict: Mapping[str, Any]) -> str:
    """A verdict of a document as people read it."""
    return from_document(Verdict, verdict).words
