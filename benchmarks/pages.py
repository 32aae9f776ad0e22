"""What is made from the program: the JSON Schema of a run's document, and tables of the docs.

    python benchmarks/pages.py --write

- docs/plugins.md: the kinds of plugins with their methods, and what all of them share, below
  comments that name the table.
- docs/config.md: the first table below a heading holds the keys of the core;
  docs/metrics/NAME.md: the table of *Options* those of the metric.

The rest of the pages is kept. What ``harness docs PAGE`` makes when it shows a page is not in them
(``harness/cli/reference.py``).
"""

from __future__ import annotations

import argparse
import inspect
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter
from pydantic.fields import FieldInfo

from harness.cli.reference import cell, flat, options
from harness.config import settings
from harness.records import course, rounds, summary
from harness.registry import Registry
from harness.report.summary import MAY_BE_ABSENT
from harness.stages import KINDS
from harness.stages.base import Plugin
from harness.stages.kinds import StageKind
from harness_levers import document as of_levers, records as records_of_levers

ROOT = Path(__file__).parents[1]
SCHEMA = ROOT / "harness" / "report" / "summary.schema.json"
PLUGINS = ROOT / "docs" / "plugins.md"
TEMPLATES = ROOT / "plugins" / "harness_authoring" / "templates"
CONFIG = ROOT / "docs" / "config.md"
METRICS = ROOT / "docs" / "metrics"
CORE = "Keys of the core"
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


def _head(kind: Any) -> str:
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


def plugins_page() -> str:
    """docs/plugins.md with its tables made anew."""
    tables = {"contracts": contracts(), "attributes": attributes(), "shared": shared()}
    text = PLUGINS.read_text(encoding="utf-8")
    return _TABLE.sub(lambda found: found[1] + tables[found[2]], text)


def contracts() -> str:
    """A row for each kind of plugin: its hook, its base class, and what its methods give."""
    rows = ["| hook | contract | methods |\n", "|---|---|---|\n"]
    for kind in KINDS.values():
        page = PLUGINS.with_suffix("") / f"{kind.stage}.md"
        example = page if page.exists() else TEMPLATES / f"{kind.stage}.py"
        link = Path(os.path.relpath(example, PLUGINS.parent)).as_posix()
        contract = f"`harness.{kind.base.__name__}` ([example]({link})): {_plain(kind.base)}"
        rows.append(f"| `{kind.hook}` | {cell(contract)} | {cell(_methods(kind))} |\n")
    return "".join(rows)


def _methods(kind: StageKind) -> str:
    """The methods that a plugin needs, with what they give; then the names of the others."""
    own = {name: getattr(kind.base, name) for name in vars(kind.base) if name[0] != "_"}
    methods = {name: method for name, method in own.items() if inspect.isfunction(method)}
    calls = {
        name: f"`{name}({', '.join(inspect.signature(method).parameters)})`".replace(
            "self, ", ""
        ).replace("(self)", "()")
        for name, method in methods.items()
    }
    needed = [name for name in methods if name in kind.work or _raises(methods[name])]
    told = " ".join(f"{calls[name]}: {_plain(methods[name])}" for name in needed)
    others = ", ".join(calls[name] for name in methods if name not in needed)
    return f"{told} Besides: {others}" if others else told


def _raises(method: Any) -> bool:
    return "NotImplementedError" in method.__code__.co_names


def _plain(thing: Any) -> str:
    """The first paragraph of a docstring, as Markdown."""
    return _markdown(_head(thing))


def _markdown(text: str) -> str:
    return re.sub(r":\w+:`\.?([^`]*)`", r"`\1`", text).replace("``", "`")


def attributes() -> str:
    """What every plugin's class may say of itself."""
    told = fields(Plugin).items()
    return _rows("attribute", {n: _markdown(what).replace("`null`", "`None`") for n, what in told})


def shared() -> str:
    """The optional methods of every plugin."""
    own = {name: method for name, method in vars(Plugin).items()
           if name[0] != "_" and inspect.isfunction(method)}  # fmt: skip
    return _rows("method", {f"{name}()": _plain(method) for name, method in own.items()})


def _rows(head: str, told: Mapping[str, str]) -> str:
    rows = [f"| `{name}` | {cell(what)} |\n" for name, what in told.items()]
    return "".join((f"| {head} | what it says |\n|---|---|\n", *rows))


def sections() -> dict[str, Mapping[str, FieldInfo]]:
    """Heading of docs/config.md -> the keys below it."""
    models = {
        "plan": settings.Planning,
        "filters": settings.Filtering,
        "execution": settings.Execution,
    }
    core = {CORE: settings.fields(Registry.build())}
    return core | {name: flat(model) for name, model in models.items()}


def config_page() -> str:
    """docs/config.md with its tables made anew; a heading that is lacking is added at the end."""
    text = CONFIG.read_text(encoding="utf-8")
    for heading, keys in sections().items():
        text = _with_table(text, f"## {heading}" if heading == CORE else f"### `{heading}`", keys)
    return text


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
    made = {SCHEMA: json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"}
    made |= {CONFIG: config_page(), PLUGINS: plugins_page()} | metric_pages()
    for path, text in made.items():
        if write:
            path.write_text(text, encoding="utf-8")
        elif path.read_text(encoding="utf-8") != text:
            print(f"{path.relative_to(ROOT)} is out of date: python benchmarks/pages.py --write")


if __name__ == "__main__":
    main()
