"""What pages of the docs have from the program, and the JSON Schema of a run's document.

    python benchmarks/pages.py            # say what is out of date
    python benchmarks/pages.py --write    # write it anew

Each kind of part is made in ``reference.py``, beside this file.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter
from reference import fields, filled, first_paragraph

from harness.records import course, rounds, summary
from harness.registry import Registry
from harness_levers import document as of_levers, records as records_of_levers

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
SCHEMA = ROOT / "harness" / "report" / "summary.schema.json"


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
        _close(part, _type_of(name))
    _close(made, summary.Summary)
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": rounds.SUMMARY_SCHEMA,
        "title": "Summary of a harness run",
    }
    return head | {key: value for key, value in made.items() if key != "title"}


def _close(part: dict[str, Any], kind: type) -> None:
    part.pop("title")
    told = fields(kind)
    part["description"] = first_paragraph(kind)
    for name, field in part["properties"].items():
        field.pop("title", None)
        field.pop("default", None)
        field["description"] = told[name]
    absent = {field.name for field in dataclasses.fields(kind) if field.metadata}
    part["required"] = [name for name in part["properties"] if name not in absent]
    part["additionalProperties"] = False


def _type_of(name: str) -> type:
    return next(
        getattr(room, name)
        for room in (summary, rounds, course, of_levers, records_of_levers)
        if hasattr(room, name)
    )


def made() -> dict[Path, str]:
    """File -> what it has to hold."""
    # The schema first: a page shows its keys.
    text = json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"
    texts = {SCHEMA: text}
    for page in sorted(DOCS.rglob("*.md")):
        up = "../" * (len(page.relative_to(DOCS).parts) - 1)
        texts[page] = filled(page.read_text(encoding="utf-8"), up)
    return texts


def main() -> None:
    """Write all, or say which is out of date."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    write = parser.parse_args().write
    for path, text in made().items():
        if path.read_text(encoding="utf-8") == text:
            continue
        if write:
            path.write_text(text, encoding="utf-8")
        else:
            print(f"{path.relative_to(ROOT)} is out of date: python benchmarks/pages.py --write")


if __name__ == "__main__":
    main()
