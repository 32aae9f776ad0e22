"""Reading ``summary.json`` and ``analysis.json``."""

from __future__ import annotations

import functools
import json
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from harness.errors import DataError, UsageError
from harness.kit.files import canonical, read_json
from harness.kit.text import one_line, storable_json
from harness.records import to_json
from harness.records.analysis import Analysis
from harness.records.plain import from_document
from harness.records.rounds import SUMMARY_SCHEMA
from harness.records.summary import Summary

if TYPE_CHECKING:
    from pydantic import TypeAdapter

FILE_NAME = "analysis.json"
SCHEMA = "harness.analysis/4"

_LONGEST_PROBLEM = 300
"""Characters of what is said to be wrong with a file."""


class NotWhole(DataError):
    """A file lacks what its documents have: somebody edited it, or an earlier version wrote it."""


def read_analysis(folder: Path) -> Analysis:
    """The analysis in a folder of reports.

    It is made anew from what is stored whenever it is outdated, so it is not checked as a summary
    is: that takes as long as all else of showing a run.

    Raises:
        UsageError: there is none.
        DataError: it is damaged, or of a newer harness.
    """
    path = folder / FILE_NAME
    try:
        there = path.stat()
    except OSError:
        there = None
    return _analysis(path, there and (there.st_ino, there.st_mtime_ns, there.st_size))


@functools.lru_cache(maxsize=1)  # whoever shows a report has just seen whether it is outdated
def _analysis(path: Path, there: object) -> Analysis:
    document = _read(path, SCHEMA, "analysis", "harness rebuild RUN makes it")
    try:
        return from_document(Analysis, document)
    except (AttributeError, KeyError, TypeError, ValueError) as problem:
        hint = "harness rebuild RUN makes it anew"
        raise _damaged(path, "analysis", str(problem), hint) from None


def read_summary(path: Path) -> Summary:
    """The document in a ``summary.json``.

    Raises:
        UsageError: there is no such file.
        DataError: it is not a whole summary, or one of a newer harness.
    """
    document = _read(path, SUMMARY_SCHEMA, "summary")
    try:
        # In the order of the file, in which reports show what they list.
        text = json.dumps(storable_json(document), allow_nan=False)
        summary = _adapter().validate_json(text, strict=True)
        canonical(to_json(summary))  # an integer beyond any float became an infinity
        problem = _problem(summary)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        problem = f"{place}: {first['msg'][:1].lower()}{first['msg'][1:]}"
    except ValueError:
        problem = "it has a number that is not finite"
    if problem:
        hint = "it was edited: take it from a backup, or run the same `harness iterate` again"
        raise _damaged(path, "summary", problem, hint)
    return summary


def rounds_closed(summary: Summary) -> int:
    """How many closed rounds of all arms it tells of."""
    return len(summary.rounds) + (len(summary.control.rounds) if summary.control else 0)


def summary_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a summary document."""
    text = files("harness.report").joinpath("summary.schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def _read(path: Path, schema: str, name: str, hint: str = "") -> dict[str, Any]:
    """A document of one of the schemas.

    Args:
        name: what messages call it.
        hint: how it is made where there is none.
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


def _damaged(path: Path, name: str, problem: str, hint: str) -> NotWhole:
    what = one_line(f"this is no whole {name}: {problem}", _LONGEST_PROBLEM)
    return NotWhole(what, where=str(path), hint=hint)


def _problem(summary: Summary) -> str:
    """What keeps a run from being told by a summary, beside its types; empty for nothing."""
    if not isinstance(summary.settings.get("data", {}), dict):
        return "settings.data: input should be a valid dictionary"
    if summary.kept_round >= len(summary.rounds):
        return "its best round is not among its rounds"
    for name, experiment in summary.experiments.items():
        sentences = experiment.get("sentences", [])
        if not isinstance(sentences, list) or not all(isinstance(s, str) for s in sentences):
            return f"experiments.{name}.sentences: a list of texts is needed"
    scored = [summary.best.scores, *([summary.test.kept] if summary.test else [])]
    if any(summary.primary not in scores for scores in scored):
        return "its primary score is not among its scores"
    return ""


@functools.cache
def _adapter() -> TypeAdapter[Summary]:
    # Thirty classes, which a run that is finished shows itself without.
    from pydantic import TypeAdapter

    return TypeAdapter(Summary)
