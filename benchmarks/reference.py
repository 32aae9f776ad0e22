"""What pages of the docs have from the program: options, keys, records, tables.

A page says where by a line ``<!-- made: options -->``, or with a name: ``metric bleu``,
``file package.module:Model``, ``records package.module``. What is made stands between that line and
``<!-- end -->``; ``make pages`` writes it, of the plugins that iteration-harness ships.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import json
import pkgutil
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import is_dataclass
from typing import Any, cast, get_args, get_type_hints

from pydantic import BaseModel
from pydantic.fields import FieldInfo

import harness
from harness.config import settings
from harness.database.columns import layout
from harness.database.writing import views
from harness.kit.terms import Kind, shown
from harness.records import analysis, summary
from harness.registry import Registry
from harness.report.queries import QUERIES
from harness.report.reading import summary_schema
from harness.stages import KINDS
from harness.stages.base import Plugin
from harness.stages.kinds import StageKind

END = "<!-- end -->"
_MADE = re.compile(
    rf"^(?P<mark><!-- made: (\w+)(?: ([\w.:-]+))? -->\n)(?:(?:(?!<!-- made: ).*\n)*?{END}\n)?",
    re.MULTILINE,
)
_LINK = re.compile(r"\]\((?=[\w/-]+\.md)")


def filled(text: str, up: str = "") -> str:
    """A page with what is made of the program as it is now.

    Args:
        up: the way from the page's folder to ``docs/``, to which links of docstrings are relative.
    """

    def made(match: re.Match[str]) -> str:
        given = (match[3],) if match[3] else ()
        content = _LINK.sub(f"]({up}", MAKERS[match[2]](*given).rstrip("\n"))
        return f"{match['mark']}{content}\n{END}\n"

    return _MADE.sub(made, text)


def options(keys: Mapping[str, FieldInfo]) -> str:
    """Keys as a table of Markdown, with their defaults as YAML."""
    rows = [f"| `{field.alias or key}` | {_default(field)} | {cell(field.description or '')} |\n"
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
    by_key: dict[str, FieldInfo] = {}
    for key, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            by_key |= {f"{key}.{name}": part for name, part in inner.model_fields.items()}
        else:
            by_key[key] = field
    return by_key


def plugins() -> Iterator[tuple[str, str, Any]]:
    """Stage, name and class of each plugin that iteration-harness ships, by stage."""
    order = list(KINDS)
    for stage, name, provider in sorted(
        Registry.build().providers(), key=lambda provided: order.index(provided[0])
    ):
        if provider.plugin.__module__.startswith("harness_"):
            yield stage, name, provider.plugin


def _plugins() -> str:
    """Each plugin that a config may name: what it does, and its options."""
    parts = []
    for stage, name, plugin in plugins():
        if not getattr(plugin, "always", False):  # those no config names
            key = KINDS[stage].key
            what = (inspect.getdoc(plugin) or "").partition("\n")[0]
            own = options(flat(plugin.Options)) if plugin.Options.model_fields else "No options.\n"
            parts.append(f"### `{key or stage}`: `{name}`\n\n{what}\n\n{own}")
    return "\n".join(parts)


def _metric(name: str) -> str:
    """The options of a metric."""
    plugin: Any = Registry.build().get("metric", name).plugin
    return options(flat(plugin.Options))


def _file(name: str) -> str:
    """The keys of a file that a plugin reads, by the name of its model; then those of its parts."""
    model: type[BaseModel] = pkgutil.resolve_name(name)
    parts = [f"### `{key}`\n\n{options(part.model_fields)}" for key, part in _parts(model)]
    return "\n".join((options(model.model_fields), *parts))


def _parts(model: type[BaseModel]) -> Iterator[tuple[str, type[BaseModel]]]:
    """Keys that hold a model within this one, or a list of it, with that model."""
    for key, field in model.model_fields.items():
        for kind in (field.annotation, *get_args(field.annotation)):
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                yield key, kind
                yield from _parts(kind)


def _summary() -> str:
    """The keys of a run's document, from its JSON Schema."""
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
    further = {
        name: layout(*table)
        for provider in Registry.build().of_stage("annotation").values()
        for name, table in cast(Any, provider.plugin).tables.items()
    }
    rows = [
        f"| `{name}` | {', '.join(f'`{column}` {kind}' for column, kind in columns.items())} |\n"
        for name, columns in views(further).items()
    ]
    return "".join(("| view | columns |\n|---|---|\n", *rows))


def sections() -> dict[str, Mapping[str, FieldInfo]]:
    """Heading -> keys of the config that belong to the core, the first one those at its top."""
    models: dict[str, type[BaseModel]] = {
        "plan": settings.Planning,
        "filters": settings.Filtering,
        "execution": settings.Execution,
    }
    core: dict[str, Mapping[str, FieldInfo]] = {"": settings.fields(Registry.build())}
    return core | {f"### `{name}`": flat(model) for name, model in models.items()}


def _core() -> str:
    """The keys of the config that belong to the core."""
    return "\n".join(
        f"{heading}\n\n{options(keys)}" if heading else options(keys)
        for heading, keys in sections().items()
    )


def _kinds() -> str:
    """Each kind of plugin: its hook, its base class, and what its methods give."""
    parts = []
    for kind in KINDS.values():
        head = f"### `{kind.stage}`\n\n`{kind.hook}`: `harness.{kind.base.__name__}`."
        parts.append(f"{head} {_plain(kind.base)}\n\n{_methods(kind)}")
    return "\n".join(parts)


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
    rows = [f"- {calls[name]}: {_plain(methods[name])}\n" for name in needed]
    others = ", ".join(calls[name] for name in methods if name not in needed)
    return "".join((*rows, f"- Besides: {others}\n" if others else ""))


def _raises(method: Any) -> bool:
    return "NotImplementedError" in method.__code__.co_names


def _shared() -> str:
    """What every plugin's class may say of itself, and the optional methods of all."""
    descriptions = fields(Plugin).items()
    attributes = {name: _markdown(what).replace("`null`", "`None`") for name, what in descriptions}
    own = {name: method for name, method in vars(Plugin).items()
           if name[0] != "_" and inspect.isfunction(method)}  # fmt: skip
    methods = {f"{name}()": _plain(method) for name, method in own.items()}
    return f"{_name_table('attribute', attributes)}\n{_name_table('method', methods)}"


def _name_table(head: str, descriptions: Mapping[str, str]) -> str:
    rows = [f"| `{name}` | {cell(what)} |\n" for name, what in descriptions.items()]
    return "".join((f"| {head} | what it says |\n|---|---|\n", *rows))


def fields(kind: type) -> dict[str, str]:
    """Field -> what its class's docstring says of it, those of a base class first."""
    descriptions: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        text = inspect.cleandoc(base.__doc__ or "").partition("Attributes:\n")[2]
        for names, what in re.findall(r"^ {4}(\w[\w, ]*):\s+((?:.|\n {8})*)", text, re.MULTILINE):
            description = re.sub(r"\bNone\b", "`null`", " ".join(what.split())).replace("``", "`")
            descriptions |= dict.fromkeys(names.split(", "), description)
    return descriptions


def first_paragraph(thing: Any) -> str:
    """Of a docstring, as one line."""
    return " ".join((inspect.getdoc(thing) or "").split("\n\n")[0].split())


def _plain(thing: Any) -> str:
    return _markdown(first_paragraph(thing))


def _markdown(text: str) -> str:
    return re.sub(r":\w+:`\.?([^`]*)`", r"`\1`", text).replace("``", "`")


def _analysis() -> str:
    """The keys that an analysis has beside those of a summary, and the records below them."""
    kinds: list[type] = [
        kind for kind in vars(analysis).values() if isinstance(kind, type) and is_dataclass(kind)
        and kind.__module__ == analysis.__name__ and not hasattr(kind, "table")
    ]  # fmt: skip
    of_summary = fields(summary.Summary)
    told = {
        kind: {name: what + _below(get_type_hints(kind)[name], kinds)
               for name, what in fields(kind).items()}
        for kind in kinds
    }  # fmt: skip
    keys = told.pop(analysis.Analysis)
    keys = {name: what for name, what in keys.items() if of_summary.get(name) != what}
    parts = [_name_table("key", keys)]
    for kind, names in told.items():
        parts.append(f"### `{kind.__name__}`\n\n{_plain(kind)}\n\n{_name_table('key', names)}")
    return "\n".join(parts)


def _below(hint: Any, kinds: Sequence[type]) -> str:
    """Which of these records a field holds."""
    if hint in kinds:
        return f" See `{hint.__name__}`."
    return "".join(_below(part, kinds) for part in get_args(hint))


def _tables() -> str:
    """The tables of a run's analysis, what each holds, and the record of its rows."""
    held = {name: query.what for name, query in QUERIES.items()}
    for provider in Registry.build().of_stage("annotation").values():
        queries = cast(Any, provider.plugin).queries
        held |= {name: what for name, (what, _) in queries.items()}
    records = {getattr(kind, "table", ""): name for name, kind in vars(analysis).items()}
    rows = [
        f"| `{name}` | {cell(what)} | {f'`{records[name]}`' if name in records else ''} |\n"
        for name, what in held.items()
    ]
    return "".join(("| table | holds | record |\n|---|---|---|\n", *rows))


def _ready(stage: str) -> Iterator[Any]:
    """The plugins of a stage that need no option."""
    for of_stage, _, plugin in plugins():
        required = (field.is_required() for field in flat(plugin.Options).values())
        if of_stage == stage and not any(required):
            yield plugin()


def _title(kind: Kind, name: str) -> str:
    word = shown(kind, name)
    return f"`{name}`" if word == name else f"{word} (`{name}`)"


def _categories() -> str:
    """The error categories of every installed detector, with their definitions."""
    rows = [
        f"| {_title('category', name)} | {cell(what)} |\n"
        for detector in _ready("detector")
        for name, what in detector.categories().items()
    ]
    return "".join(("| category | definition |\n|---|---|\n", *rows))


def _causes() -> str:
    """The causes that analyzers tell apart, what they mean, and what to do about them."""
    rows = [
        f"| {_title('cause', name)} | {cell(what)} | {cell(remedy)} | {'yes' if new else 'no'} |\n"
        for analyzer in _ready("analyzer")
        for name, (what, remedy, new) in analyzer.causes().items()
    ]
    head = "| cause | means | suggested action | new data help |\n|---|---|---|---|\n"
    return "".join((head, *rows))


_ROOMS = (
    "kit", "kit.alike", "records.analysis", "records.course", "records.live", "records.summary",
    "stats", "verdicts",
)  # fmt: skip
"""What plugins may import beside the names of ``harness``; of the first two each module."""


def _api() -> str:
    """What plugins may import: functions, runs as they are looked at, and rooms."""
    public = {name: getattr(harness, name) for name in harness.__all__}
    functions = {
        f"harness.{name}({', '.join(inspect.signature(function).parameters)})": _plain(function)
        for name, function in sorted(public.items())
        if inspect.isfunction(function)
    }
    parts = ["### Functions\n\n", _name_table("function", functions)]
    classes = {
        name: value
        for name, value in public.items()
        if inspect.isclass(value) and not issubclass(value, BaseException)
    }
    for name, kind in sorted(classes.items()):
        parts += [f"\n### `harness.{name}`\n\n{_plain(kind)}\n\n"]
        parts += [_name_table("member", members)] if (members := _members(kind)) else []
    failures = {
        f"harness.{name}": _plain(value)
        for name, value in public.items()
        if inspect.isclass(value) and issubclass(value, BaseException)
    }
    parts += ["\n### Errors\n\n", _name_table("error", failures)]
    rooms = {}
    for room in _ROOMS:
        module = importlib.import_module(f"harness.{room}")
        rooms[module.__name__] = _plain(module)
        for module_info in pkgutil.iter_modules(module.__path__) if room in _ROOMS[:2] else ():
            name = f"harness.{room}.{module_info.name}"
            rooms[name] = _plain(importlib.import_module(name))
    parts += ["\n### Rooms\n\n", _name_table("import", rooms)]
    return "".join(parts)


def _members(kind: type) -> dict[str, str]:
    """Fields and methods of a class of ours, each with what its docstring says."""
    descriptions = {
        name: _markdown(what).replace("`null`", "`None`") for name, what in fields(kind).items()
    }
    held = getattr(kind, "__dataclass_fields__", {})
    members = {name: f"`{field.type}`" for name, field in held.items()} | descriptions
    for name, value in vars(kind).items():
        if (
            name[0] != "_"
            and name not in held
            and (inspect.isroutine(value) or isinstance(value, _PROPERTIES))
        ):
            call = name
            if inspect.isfunction(value):
                call = f"{name}({', '.join([*inspect.signature(value).parameters][1:])})"
            members[call] = _plain(value)
    return members


def _records(name: str) -> str:
    """The records of a module: what each is for, and its fields."""
    module = importlib.import_module(name)
    records = [
        kind
        for kind in vars(module).values()
        if inspect.isclass(kind) and is_dataclass(kind) and kind.__module__ == name
    ]
    return "\n".join(
        f"### `{kind.__name__}`\n\n{_plain(kind)}\n\n{_name_table('member', _members(kind))}"
        for kind in records
    )


_PROPERTIES = (property, functools.cached_property)


MAKERS: Mapping[str, Callable[..., str]] = {
    "analysis": _analysis,
    "api": _api,
    "categories": _categories,
    "causes": _causes,
    "core": _core,
    "file": _file,
    "options": _plugins,
    "kinds": _kinds,
    "metric": _metric,
    "records": _records,
    "shared": _shared,
    "summary": _summary,
    "tables": _tables,
    "views": _views,
}
"""What stands in a page -> what makes it."""
