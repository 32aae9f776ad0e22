"""Documents made whole, and what the reports show of them with all their sections."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from typing import Any

from rich.console import Console

import harness_reports.html.page as html
import harness_reports.terminal as in_terminal
from harness.records.summary import ShownExample, Summary
from harness.registry import Registry
from harness.report.sections import with_sections
from harness_reports import markdown as as_markdown
from harness_reports.markdown.comment import comment as brief

Document = dict[str, Any]

REGISTRY = Registry.build()
_TRUE = {"higher_is_better", "from_prompt"}
_ANALYSIS: Document = {
    "schema": "harness.analysis/4", "annotations": {}, "right_at": None, "bounds": [None, None],
    "by_people": False, "between_references": None, "definitions": {}, "causes_known": {},
    "not_looked_for": "", "tables": {}, "better": [], "not_better": None, "remedies": [],
    "queries": [], "sections": [], "failed": {}, "control": None, "baselines": [], "arms": [],
    "experiments": {}, "chosen": None,
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
        hints = typing.get_type_hints(kind, include_extras=True)
        known = found or {}
        return {**known, **{key: filled(hint, known.get(key), key) for key, hint in hints.items()}}
    if found is None and kind in (str, int, float, bool):
        return name in _TRUE if kind is bool else kind()
    return found


def whole(document: Mapping[str, Any]) -> Document:
    """An analysis with every key, of a run that knows no more than the document says."""
    known = {"rounds": [{}], **document}
    found: Document = {**_ANALYSIS, **known, **filled(Summary, {**known, "control": None})}
    for key in ("control", "baselines", "arms", "chosen"):
        kind = typing.get_type_hints(Summary, include_extras=True)[key]
        found[key] = filled(kind, known[key]) if known.get(key) else _ANALYSIS[key]
    found["schema"] = document.get("schema", _ANALYSIS["schema"])
    found["model"].setdefault("lost", False)
    found["rounds"] = found["rounds"] or filled(Summary, {"rounds": [{}]})["rounds"]
    for key in ("examples", "better"):
        found[key] = [_row(row) for row in found[key]]
    found["not_better"] = found["not_better"] and _row(found["not_better"])
    return found


def _row(row: Mapping[str, Any]) -> Document:
    found = {**_ROW, **filled(ShownExample, row)}
    found["answers"] = [_ANSWER | answer for answer in found["answers"]]
    return found


def drawn(document: Mapping[str, Any]) -> Document:
    """What a reporter is given."""
    return with_sections(whole(document), REGISTRY)


def page(document: Mapping[str, Any]) -> str:
    return html.page(drawn(document))


def markdown(document: Mapping[str, Any], examples: int = 3) -> str:
    return as_markdown.page(drawn(document), examples)


def comment(document: Mapping[str, Any]) -> str:
    return brief(drawn(document))


def render(document: Mapping[str, Any], console: Console, examples: int = 3) -> None:
    in_terminal.render(drawn(document), console, examples)


def render_first(document: Mapping[str, Any], console: Console) -> None:
    in_terminal.render_first(drawn(document), console)
