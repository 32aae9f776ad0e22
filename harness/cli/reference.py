"""References that are made of the program when a page is shown: ``harness docs config`` and others.

A page says where by a line ``<!-- made: options -->``. What is made names installed plugins of
others, too.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

from pydantic import BaseModel
from pydantic.fields import FieldInfo

_MADE = re.compile(r"^<!-- made: (\w+) -->$", re.MULTILINE)


def filled(text: str) -> str:
    """A page with what stands for a reference replaced by it."""
    return _MADE.sub(lambda match: MAKERS[match[1]](), text)


def options(keys: Mapping[str, FieldInfo]) -> str:
    """Keys as a table of Markdown, with their defaults as YAML."""
    rows = [f"| `{key}` | {_default(field)} | {cell(field.description or '')} |\n"
            for key, field in keys.items()]  # fmt: skip
    return "".join(("| key | default | meaning |\n|---|---|---|\n", *rows))


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "needed"
    default = field.get_default(call_default_factory=True)
    if isinstance(default, BaseModel):
        return "see below"
    if isinstance(default, bool) or default is None:
        return f"`{json.dumps(default)}`"
    if isinstance(default, (list, tuple)):
        return f"`[{', '.join(map(str, default))}]`"
    return f"`{default}`" if default != "" else "`''`"


def cell(text: str) -> str:
    """A text as a cell of a table of Markdown."""
    return text.replace("|", "\\|")


def flat(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """Its fields; those of a model within it as ``outer.inner``."""
    made: dict[str, FieldInfo] = {}
    for key, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            made |= {f"{key}.{name}": part for name, part in inner.model_fields.items()}
        else:
            made[key] = field
    return made


def _plugins() -> str:
    """Each installed plugin that a config may name: what it does, and its options."""
    from harness.registry import Registry
    from harness.stages import KINDS

    parts = []
    order = list(KINDS)
    for stage, name, provider in sorted(
        Registry.build().providers(), key=lambda found: order.index(found[0])
    ):
        plugin: Any = provider.plugin
        if not getattr(plugin, "always", False):  # those no config names
            key = KINDS[stage].key
            what = (inspect.getdoc(plugin) or "").partition("\n")[0]
            own = options(flat(plugin.Options)) if plugin.Options.model_fields else "No options.\n"
            parts.append(f"### `{key or stage}`: `{name}`\n\n{what}\n\n{own}")
    return "\n".join(parts)


def _summary() -> str:
    """The keys of a run's document, from its JSON Schema."""
    from harness.report.reading import summary_schema

    schema = summary_schema()
    parts = [_keys(schema)]
    for name, kind in schema["$defs"].items():
        parts.append(f"### `{name}`\n\n{kind['description']}\n\n{_keys(kind)}")
    return "\n".join(parts)


def _keys(kind: Mapping[str, Any]) -> str:
    rows = []
    for name, field in kind["properties"].items():
        inner = "".join(f" See `{ref}`." for ref in dict.fromkeys(_values(field, "$ref")))
        choices = ", ".join(f"`{value}`" for value in _values(field, "enum"))
        description = field["description"] + inner + (f" One of {choices}." if choices else "")
        rows.append(f"| `{name}` | {cell(description)} |\n")
    return "".join(("| key | what it holds |\n|---|---|\n", *rows))


def _values(field: Any, what: str) -> Iterator[str]:
    """The records that a field holds, by name (``$ref``), or the values that it may have."""
    for key, part in field.items() if isinstance(field, dict) else enumerate(field):
        if key == what:
            yield from [part.rpartition("/")[2]] if isinstance(part, str) else map(str, part)
        elif isinstance(part, (dict, list)):
            yield from _values(part, what)


def _views() -> str:
    """The views of a run's database, with their columns and types."""
    from harness.registry import Registry
    from harness.store.columns import layout
    from harness.store.writing import views

    further = {
        name: layout(*table)
        for stage, _, provider in Registry.build().providers()
        if stage == "annotation"
        for name, table in cast(Any, provider.plugin).tables.items()
    }
    rows = [
        f"| `{name}` | {', '.join(f'`{column}` {kind}' for column, kind in columns.items())} |\n"
        for name, columns in views(further).items()
    ]
    return "".join(("| view | columns |\n|---|---|\n", *rows))


MAKERS = {"options": _plugins, "summary": _summary, "views": _views}
"""What stands in a page -> what makes it."""
