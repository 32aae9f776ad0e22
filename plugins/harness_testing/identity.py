"""Rules on what tells one metric from another, and on the plugin as other processes see it."""

from __future__ import annotations

import re
import typing
from collections.abc import Iterator
from typing import Any, Literal

from pydantic import BaseModel, ValidationError

from harness_testing import fresh
from harness_testing.outcomes import Failed, Noted, Skipped
from harness_testing.subject import Subject

_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{6,}")
_PATH = re.compile(r"(?<![\w.])(/[\w.-]+){2,}|\b[A-Za-z]:\\")
_TRIED = 3


def signature(subject: Subject) -> str | None:
    """One line that is equal wherever the numbers are comparable, and differs where not."""
    line = subject.instance.signature()
    if not isinstance(line, str) or not line.strip() or len(line.splitlines()) != 1:
        raise Failed(f"signature() gives {line!r}", "Give one line with name, version, options")
    if _ADDRESS.search(line):
        raise Failed(f"the signature holds an address: {line}", "Name options by their values")
    if _PATH.search(line):
        mend = "Write a file's name or digest, for the path differs between machines"
        raise Failed(f"the signature holds a path: {line}", mend)
    tried = _variants_differ(subject, line)
    return f"tried with {', '.join(tried)}" if tried else None


def _variants_differ(subject: Subject, base: str) -> list[str]:
    """Options that change the numbers must change the signature; returns those that do."""
    numbers, scores = subject.values(subject.pairs), subject.corpus(subject.pairs)
    tried = []
    for name, options in _variants(subject.options):
        try:
            metric = subject.make(options)
            if tuple(metric.score_names()) != subject.names:
                continue
            other = subject.values(subject.pairs, metric), subject.corpus(subject.pairs, metric)
            text = metric.signature()
        except Exception:
            continue  # a value that does not work here tells nothing
        if str(other) == str((numbers, scores)):
            continue
        if text == base:
            what = f"the option '{name}' changes the scores, but not the signature"
            raise Failed(what, "Put it into signature(): scores of two settings cannot be compared")
        tried.append(name)
    return list(dict.fromkeys(tried))


def _variants(options: BaseModel) -> Iterator[tuple[str, BaseModel]]:
    """The same options with one of them changed to another valid value."""
    kind = type(options)
    values = {name: getattr(options, name) for name in kind.model_fields}
    for name, field in kind.model_fields.items():
        tried = 0
        for value in _others(values[name], field.annotation):
            try:
                variant = kind.model_validate({**values, name: value})
            except ValidationError:
                continue
            if getattr(variant, name) == values[name]:
                continue
            yield name, variant
            tried += 1
            if tried == _TRIED:
                break


def _others(value: Any, annotation: Any) -> list[Any]:
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, (int, float)):
        return [value + 1, value / 2, value * 2]
    if isinstance(value, str):
        return list(_literals(annotation))
    if isinstance(value, (list, tuple)) and value:
        return [value[:-1], [*value, *value[:1]]]
    return []


def _literals(annotation: Any) -> Iterator[Any]:
    if typing.get_origin(annotation) is Literal:
        yield from typing.get_args(annotation)
    else:
        for part in typing.get_args(annotation):
            yield from _literals(part)


def _report(subject: Subject) -> fresh.Report:
    report = subject.fresh
    if not report.rebuilt:
        raise Skipped(f"not tried in a fresh process: {report.problem}")
    return report


def rebuild(subject: Subject) -> str | None:
    """Class and options as JSON are all that another process needs."""
    report = subject.fresh
    if not report.rebuilt and "<locals>" in subject.plugin.__qualname__:
        raise Skipped(f"not tried in a fresh process: {report.problem}")
    mend = "Put the class at the top of its module, and keep all settings in its options"
    if not report.rebuilt:
        raise Failed(f"it cannot be rebuilt in a fresh process: {report.problem}", mend)
    if subject.stage == "metric" and (report.signature, report.names) != (
        subject.instance.signature(), subject.names,
    ):  # fmt: skip
        raise Failed(f"rebuilt in a fresh process, it says it is {report.signature}", mend)
    return None


def quiet(subject: Subject) -> str | None:
    """Nothing is printed, on import or later."""
    printed = _report(subject).printed.strip()
    if printed:
        what = f"it prints: {printed[-120:]}"
        raise Failed(what, "Print nothing: use context.log, or a metric's remarks()")
    return None


def isolation(subject: Subject) -> str | None:
    """Importing its module loads nothing heavy, for nearly every command does it."""
    report = _report(subject)
    if report.heavy:
        what = f"importing its module loads {', '.join(report.heavy)}"
        raise Noted(f"{what}: import them inside the methods that use them")
    return f"imported in {report.import_seconds * 1000:,.0f} ms"
