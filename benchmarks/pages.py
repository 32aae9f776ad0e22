"""What is made from the program: the JSON Schema of a run's document, and tables of the docs.

    python benchmarks/pages.py --write

docs/metrics/NAME.md: the table of *Options*, that of the metric.

The rest of the pages is kept. What ``harness docs PAGE`` makes when it shows a page is not in them
(``harness/cli/reference.py``).
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter
from pydantic.fields import FieldInfo

from harness.cli.reference import fields, first_paragraph, flat, options
from harness.records import course, rounds, summary
from harness.registry import Registry
from harness.report.summary import MAY_BE_ABSENT
from harness_levers import document as of_levers, records as records_of_levers

ROOT = Path(__file__).parents[1]
SCHEMA = ROOT / "harness" / "report" / "summary.schema.json"
METRICS = ROOT / "docs" / "metrics"


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
    part["description"] = first_paragraph(kind)
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


def metric_pages() -> dict[Path, str]:
    """docs/metrics/NAME.md -> it with its table of options made anew."""
    metrics = {name: provider.plugin for stage, name, provider in Registry.build().providers()
               if stage == "metric"}  # fmt: skip
    pages = {path: path.read_text(encoding="utf-8") for path in sorted(METRICS.glob("*.md"))}
    return {
        path: _with_table(text, "## Options", flat(metrics[path.stem].Options))
        for path, text in pages.items()
    }


def _with_table(text: str, heading: str, keys: Mapping[str, FieldInfo]) -> str:
    """The text with the first table below this heading made anew; without keys there is none."""
    before, found, after = f"\n{text}".partition(f"\n{heading}\n")
    if not found:
        return f"{text}\n{heading}\n\n{options(keys)}" if keys else text
    section, rest = (*re.split(r"(?=\n#)", after, maxsplit=1), "")[:2]
    section = re.sub(r"(?:^\|.*\n)+", lambda _: options(keys), section, count=1, flags=re.M)
    return (before + found + section + rest)[1:]


def main() -> None:
    """Write all, or say which is out of date."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    write = parser.parse_args().write
    made: dict[Path, str] = {SCHEMA: json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"}
    made |= metric_pages()
    for path, text in made.items():
        if write:
            path.write_text(text, encoding="utf-8")
        elif path.read_text(encoding="utf-8") != text:
            print(f"{path.relative_to(ROOT)} is out of date: python benchmarks/pages.py --write")


if __name__ == "__main__":
    main()
