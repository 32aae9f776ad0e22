"""Rules for plugins of every stage: what the class says of itself, and its options."""

from __future__ import annotations

import inspect
import json
import re
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from harness.boundary.results import returned
from harness.config.plugin_entries import PluginEntry
from harness.errors import PluginError
from harness.kit.files import digest
from harness.run.stage_keys import entry_key, versions_of
from harness.stages import KINDS, Metric, Options, Plugin
from harness.stages.base import check_attributes
from harness.stages.detector import categories_of
from harness.stages.metric import check_metric
from harness_testing.outcomes import Failed, Noted
from harness_testing.subject import Subject

NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
NAME_IN_WORDS = "lower case letters and digits, separated by single dashes, a letter first"
_NO_SUCH_KEY = "no-such-option"


def contract(subject: Subject) -> str | None:
    """The class has a stage, a name of its own, a docstring, its stage's attributes and methods."""
    plugin = subject.plugin
    if not subject.stage:
        kinds = ", ".join(kind.base.__name__ for kind in KINDS.values())
        raise Failed(f"{plugin.__name__} has no stage", f"Derive it from one of {kinds}")
    if not (isinstance(plugin.name, str) and NAME.fullmatch(plugin.name)):
        raise Failed(f"the name {plugin.name!r} cannot be used", f"Use {NAME_IN_WORDS}")
    _taken(subject)
    if not (plugin.__dict__.get("__doc__") or "").strip():
        mend = "Give one; its first line is what `harness plugins` shows"
        raise Failed("the class has no docstring", mend)
    _methods(type(subject.instance), subject.stage)
    try:
        check_attributes(plugin)
        check_attributes(subject.instance)
        if subject.stage == "metric":
            _metric(subject.instance)
        if subject.stage == "detector" and not categories_of(subject.instance):
            raise Failed("categories() gives {}", "Map each category to a line that defines it")
    except PluginError as error:
        raise Failed(error.what, f"{error.hint[:1].upper()}{error.hint[1:]}") from None
    _content_counts(subject)
    if lacking := [
        name for name, version in versions_of(_entry(subject)).items() if version == "none"
    ]:
        raise Noted(
            f"no distribution '{lacking[0]}' is installed here, as `libraries` says: its version "
            "does not count"
        )
    return None


def _taken(subject: Subject) -> None:
    from harness.registry import Registry

    plugin = subject.plugin
    for stage, name, provider in Registry.build().providers():
        if (stage, name) == (subject.stage, plugin.name) and not _same(provider.plugin, plugin):
            what = f"the {stage} '{name}' exists already, from {provider.origin}"
            raise Failed(what, "Choose another name: two of one name cannot be installed together")


def _same(plugin: type[Any], other: type[Any]) -> bool:
    """Whether two classes come from one place; a file may have been loaded under two names."""
    return plugin.__qualname__ == other.__qualname__ and _file(plugin) == _file(other)


def _file(plugin: type[Any]) -> str:
    file = getattr(sys.modules.get(plugin.__module__), "__file__", None)
    return str(Path(file).resolve()) if file else plugin.__module__


def _methods(plugin: type[Plugin], stage: str) -> None:
    names, base = KINDS[stage].work, KINDS[stage].base
    if stage == "metric" and not getattr(plugin, "additive", True):
        names = ("corpus",)
    if all(getattr(plugin, name) is getattr(base, name) for name in names):
        raise Failed(f"it does not define {' or '.join(names)}()", "Write that method")
    for name, method in inspect.getmembers(base, inspect.isfunction):
        own = getattr(plugin, name, None)
        if inspect.isfunction(own) and own is not method:
            _arguments(name, own, method)


def _arguments(name: str, own: Callable[..., Any], method: Callable[..., Any]) -> None:
    due = list(inspect.signature(method).parameters)
    try:
        inspect.signature(own).bind(*due)
    except TypeError:
        what = f"{name}{inspect.signature(own)} cannot be called as the core calls it"
        raise Failed(what, f"Its arguments are ({', '.join(due)})") from None


def _metric(metric: Metric) -> None:
    check_metric(metric)
    low, high = metric.bounds
    if metric.right_at is not None and not low <= metric.right_at <= high:
        what = f"right_at is {metric.right_at!r}, outside of the bounds {low:g} to {high:g}"
        raise Failed(what, "Give a value of one example from which it counts as right, or None")
    if not isinstance(metric.caveat(), str):
        raise Failed(f"caveat() gives {metric.caveat()!r}", "Give a word or two, mostly none: ''")


def _content_counts(subject: Subject) -> None:
    """Change a copy of each file or folder that an option names: the key has to change.

    Results would be taken for those of other content otherwise.
    """
    for name in type(subject.options).model_fields:
        path = getattr(subject.options, name)
        if not isinstance(path, Path) or not path.exists() or subject.stage == "model":
            continue  # a model's folder counts by the digest of its checkpoint
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder, path.name or "copy")
            shutil.copytree(path, copy) if path.is_dir() else shutil.copy2(path, copy)
            before = _key(subject, name, copy)
            files = [copy] if copy.is_file() else [p for p in copy.rglob("*") if p.is_file()]
            for file in files:
                file.write_bytes(file.read_bytes() + b"\n")
            if files and _key(subject, name, copy) == before:
                raise Failed(
                    f"the content of the option '{name}' is not part of its key",
                    "Have inputs() name every file that the results depend on, or leave it out",
                )


def _key(subject: Subject, name: str, path: Path) -> str:
    options = subject.options.model_copy(update={name: path})
    return digest(entry_key(_entry(subject, options), {}))


def _entry(subject: Subject, options: Any = None) -> PluginEntry:
    stage, own = subject.stage, subject.plugin.name
    return PluginEntry(stage, own, own, subject.make(options), "")


def asking(subject: Subject) -> str | None:
    """check() gives harness.Problems that are placed in its options, or nothing."""
    options = subject.plugin.Options.model_fields
    for settings in ({}, {"model": {"source": "x"}}):
        for problem in returned(Plugin.check, subject.instance.check(settings)):
            if problem.place and problem.place[0] not in options:
                what = (
                    f"check() places a problem at {problem.place!r}, which is none of its options"
                )
                raise Failed(
                    what, 'Name the option first, as ("args", "report_to"); () is the entry'
                )
    return None


def options(subject: Subject) -> str | None:
    """Options are a frozen harness.Options that refuses unknown keys and survives JSON."""
    kind: Any = subject.plugin.Options
    if not (isinstance(kind, type) and issubclass(kind, Options)):
        raise Failed("its Options are no harness.Options", "class Options(harness.Options): ...")
    if not kind.model_config.get("frozen"):
        raise Failed("its options can be changed", "Leave `frozen` of model_config as it is")
    _unknown_keys(subject, kind)
    _reserved(subject, kind)
    _defaults(subject, kind)
    _round_trip(subject, kind)
    return None


def _unknown_keys(subject: Subject, kind: type[Options]) -> None:
    try:
        kind.model_validate({**subject.given, _NO_SUCH_KEY: 1})
    except ValidationError:
        return
    what = "an option that does not exist is accepted"
    raise Failed(what, 'Leave extra="forbid" of model_config as it is: a typo must not be silent')


def _reserved(subject: Subject, kind: type[Options]) -> None:
    if clash := sorted(KINDS[subject.stage].reserved & set(kind.model_fields)):
        what = f"the option '{clash[0]}' can never be given: that key belongs to the core"
        raise Failed(what, "Rename it")


def _defaults(subject: Subject, kind: type[Options]) -> None:
    for name, field in kind.model_fields.items():
        if field.is_required() or name in subject.given:
            continue
        default = field.get_default(call_default_factory=True, validated_data={})
        try:
            kind.model_validate({**subject.given, name: default})
        except ValidationError:
            what = f"the default of '{name}' ({default!r}) is not valid"
            raise Failed(
                what, "Give a valid default, or none: the option is required then"
            ) from None


def _round_trip(subject: Subject, kind: type[Options]) -> None:
    mend = "Use types that JSON carries: str, bool, int, finite float, list, dict, Path, Literal"
    try:
        text = json.dumps(subject.options.model_dump(mode="json"), allow_nan=False)
        kind.model_validate(json.loads(text))
    except (ValidationError, ValueError, TypeError) as error:
        line = str(error).split("\n", 1)[0]
        raise Failed(f"its options do not survive JSON ({line})", mend) from None


def revision(subject: Subject) -> str | None:
    """The revision is a whole number from 1."""
    value: Any = subject.plugin.revision
    if not isinstance(value, int) or value < 1:
        mend = "Set `revision = 1`, and raise it whenever the same options give other results"
        raise Failed(f"revision is {value!r}", mend)
    return f"revision {value}"
