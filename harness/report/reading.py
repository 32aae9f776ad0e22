"""Reading ``summary.json`` and ``analysis.json``: light, so that a finished run is shown soon."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from harness.errors import DataError, UsageError
from harness.kit.files import canonical, read_json
from harness.kit.text import one_line, storable_json
from harness.records import to_json
from harness.records.rounds import SUMMARY_SCHEMA

if TYPE_CHECKING:
    from pydantic import TypeAdapter

    from harness.records.summary import Summary

FILE_NAME = "analysis.json"
SCHEMA = "harness.analysis/4"

_LONGEST_PROBLEM = 300
"""Characters of what is said to be wrong with a file."""

Document = dict[str, Any]


def read(path: Path) -> Document:
    """The document in an ``analysis.json``.

    Raises:
        UsageError: there is none.
        DataError: it is damaged, or of a newer harness.
    """
    return read_document(path, SCHEMA, "analysis", "harness rebuild RUN makes it")


def read_analysis(folder: Path) -> Document:
    """The analysis document in a folder of reports.

    Raises:
        UsageError: there is none.
        DataError: it is damaged, or of a newer harness.
    """
    return read(folder / FILE_NAME)


def read_document(path: Path, schema: str, name: str, hint: str = "") -> Document:
    """A document of one of the schemas.

    Args:
        name: what messages call it.
        hint: how it is made where there is none.

    Raises:
        UsageError: there is none.
        DataError: it is damaged, or of a newer harness.
    """
    try:
        document = read_json(path)
    except FileNotFoundError:
        raise UsageError(f"there is no {name} here yet", where=str(path), hint=hint) from None
    except ValueError as problem:
        raise DataError(f"this is not JSON: {problem}", where=str(path)) from None
    except RecursionError:
        raise DataError("its values lie too deep in each other", where=str(path)) from None
    given = document.get("schema") if isinstance(document, dict) else None
    if given != schema:
        raise DataError(
            f"schema {given!r} is not known to this version, which reads {schema!r}",
            where=str(path),
            hint="run the same `harness iterate` again, or install a newer harness",
        )
    return dict(document)


def rounds_closed(document: Mapping[str, Any]) -> int:
    """How many closed rounds of all arms the document tells of."""
    control = document.get("control") or {"rounds": ()}
    return len(document["rounds"]) + len(control["rounds"])


def read_summary(path: Path) -> Document:
    """The document in a ``summary.json``.

    Raises:
        UsageError: there is no such file.
        DataError: it is not a whole summary, or one of a newer harness.
    """
    document = read_document(path, SUMMARY_SCHEMA, "summary")
    if problem := _problem(document):
        what = one_line(f"this is no whole summary: {problem}", _LONGEST_PROBLEM)
        hint = "it was edited: take it from a backup, or run the same `harness iterate` again"
        raise DataError(what, where=str(path), hint=hint)
    return document


def summary_schema() -> Document:
    """The JSON Schema (draft 2020-12) of a summary document."""
    text = files("harness.report").joinpath("summary.schema.json").read_text(encoding="utf-8")
    document: Document = json.loads(text)
    return document


def _problem(document: Document) -> str:
    """What keeps the document from being a summary that a run can be told by; empty for nothing."""
    try:
        summary = _adapter().validate_json(canonical(storable_json(document)), strict=True)
        canonical(to_json(summary))  # an integer beyond any float became an infinity
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        return f"{place}: {first['msg'][:1].lower()}{first['msg'][1:]}"
    except ValueError:
        return "it has a number that is not finite"
    if not isinstance(document["settings"].get("data", {}), dict):
        return "settings.data: input should be a valid dictionary"
    if document["kept_round"] >= len(document["rounds"]):
        return "its best round is not among its rounds"
    for name, experiment in document["experiments"].items():
        sentences = experiment.get("sentences", [])
        if not isinstance(sentences, list) or not all(isinstance(s, str) for s in sentences):
            return f"experiments.{name}.sentences: a list of texts is needed"
    test = document["test"]
    scored = [
        document["rounds"][document["kept_round"]]["scores"],
        *([test["kept"]] if test else []),
    ]
    if any(document["primary"] not in scores for scores in scored):
        return "its primary score is not among its scores"
    return ""


@functools.cache
def _adapter() -> TypeAdapter[Summary]:
    # Thirty classes, which a run that is finished shows itself without.
    from pydantic import TypeAdapter

    from harness.records.summary import Summary

    return TypeAdapter(Summary)
