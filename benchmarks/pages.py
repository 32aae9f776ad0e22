"""What is made from the types of a run's document: its JSON Schema, and tables of docs/summary.md.

    python benchmarks/pages.py --write

A table of the page stands below a comment that names its type; the rest of the page is kept.
"""

from __future__ import annotations

import argparse
import dataclasses
import inspect
import json
import re
import typing
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from harness.records import course, rounds, summary
from harness.registry import Registry
from harness.report.summary import MAY_BE_ABSENT
from harness_levers import document as of_levers, records as records_of_levers

ROOT = Path(__file__).parents[1]
SCHEMA = ROOT / "harness" / "report" / "summary.schema.json"
PAGE = ROOT / "docs" / "summary.md"
_TABLE = re.compile(r"(<!-- (\w+) -->\n)(?:\|.*\n)*")


def schema() -> dict[str, Any]:
    """The JSON Schema of a run's document: no other key, and few that may be missing."""
    made = TypeAdapter(summary.Summary).json_schema()
    experiments = {
        name: provider.plugin.document
        for stage, name, provider in Registry.build().providers()
        if stage == "experiment"
    }
    told = TypeAdapter(dict[str, Any]).json_schema() | {"properties": {}}
    for name, kind in experiments.items():
        part = TypeAdapter(kind).json_schema()
        made["$defs"] |= part.pop("$defs", {}) | {kind.__name__: part}
        told["properties"][name] = {"$ref": f"#/$defs/{kind.__name__}"}
    made["properties"]["experiments"] = told
    for name, part in made["$defs"].items():
        _close(part, _type_of(name), absent=frozenset())
    _close(made, summary.Summary, absent=MAY_BE_ABSENT)
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": rounds.SUMMARY_SCHEMA,
        "title": "Summary of a harness run",
    }
    return head | {key: value for key, value in made.items() if key != "title"}


def _close(part: dict[str, Any], kind: type, absent: frozenset[str]) -> None:
    part.pop("title")
    told = fields(kind)
    part["description"] = _head(kind)
    for name, field in part["properties"].items():
        field.pop("title", None)
        field.pop("default", None)
        field["description"] = told[name]
    part["required"] = [name for name in part["properties"] if name not in absent]
    part["additionalProperties"] = False


def _type_of(name: str) -> type:
    return next(
        getattr(room, name)
        for room in (summary, rounds, course, of_levers, records_of_levers)
        if hasattr(room, name)
    )


def _head(kind: type) -> str:
    text = inspect.getdoc(kind) or ""
    return " ".join(text.split("\n\n")[0].split())


def fields(kind: type) -> dict[str, str]:
    """Field -> what its class's docstring says of it, those of a base class first."""
    told: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        text = inspect.cleandoc(base.__doc__ or "").partition("Attributes:\n")[2]
        for names, what in re.findall(r"^ {4}(\w[\w, ]*):\s+((?:.|\n {8})*)", text, re.MULTILINE):
            shown = re.sub(r"\bNone\b", "`null`", " ".join(what.split())).replace("``", "`")
            told |= dict.fromkeys(names.split(", "), shown)
    return told


def table(kind: type) -> str:
    """The fields of a type as a table of Markdown; neighbours of one meaning share a row."""
    rows: list[tuple[list[str], str]] = []
    told, hints = fields(kind), typing.get_type_hints(kind)
    for field in dataclasses.fields(kind):
        what = told[field.name].removesuffix(".") + _choices(hints[field.name])
        if rows and rows[-1][1] == what:
            rows[-1][0].append(field.name)
        else:
            rows.append(([field.name], what))
    lines = [
        f"| {', '.join(f'`{name}`' for name in names)} | {_cell(what)} |" for names, what in rows
    ]
    return "".join(f"{line}\n" for line in ("| key | what it holds |", "|---|---|", *lines))


def _choices(hint: Any) -> str:
    """The values of a field that has a few."""
    values = [value for part in (hint, *typing.get_args(hint)) for value in _values(part)]
    return f" ({', '.join(f'`{value}`' for value in values)})" if len(values) > 1 else ""


def _values(hint: Any) -> tuple[Any, ...]:
    return typing.get_args(hint) if typing.get_origin(hint) is typing.Literal else ()


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def page() -> str:
    """The page with its tables made anew."""
    text = PAGE.read_text(encoding="utf-8")
    return _TABLE.sub(lambda found: found[1] + table(_type_of(found[2])), text)


def main() -> None:
    """Write both, or say which is out of date."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    write = parser.parse_args().write
    made = {SCHEMA: json.dumps(schema(), indent=1, ensure_ascii=False) + "\n", PAGE: page()}
    for path, text in made.items():
        if write:
            path.write_text(text, encoding="utf-8")
        elif path.read_text(encoding="utf-8") != text:
            print(f"{path.relative_to(ROOT)} is out of date: python benchmarks/pages.py --write")


if __name__ == "__main__":
    main()
