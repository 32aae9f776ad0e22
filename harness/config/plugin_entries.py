"""The plugins that a config names, and those that their options name: found, checked, made once.

Problems are collected, each with its place in the file, so that all are told at once.
"""

from __future__ import annotations

import functools
import math
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import core_schema

from harness.boundary.calls import plainly
from harness.errors import ConfigError, PluginError
from harness.kit.problems import Problems
from harness.kit.yaml_file import Place
from harness.registry import Registry
from harness.stages import KINDS, Experiment, Metric, Plugin, StageKind
from harness.stages.base import check_attributes
from harness.stages.kinds import REQUIRED
from harness.stages.metric import check_metric, names_in_run

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler

PEOPLE = "people"
"""The verifier of an entry's ``review`` that names none."""


@dataclass(frozen=True, slots=True)
class PluginEntry:
    """A plugin as the config names it.

    Attributes:
        stage, plugin: which class.
        name: the entry's own name (default: the plugin's).
        rows, control: only under ``augment``.
        review: only there: the verifier that sees its rows once the gate has let them in.
        instance: the plugin, made with its validated options.
        origin: distribution or file that it comes from.
        index: its place in its list, from 0.
        distribution: name of the distribution that it comes from; empty for a one-file plugin.
    """

    stage: str
    plugin: str
    name: str
    instance: Any
    origin: str
    rows: int = 0
    control: str | None = None
    index: int = 0
    distribution: str = ""
    review: PluginEntry | None = None

    @property
    def part(self) -> str:
        """Its stage, numbered where others of that stage come before it: ``trainer 2``."""
        return f"{self.stage} {self.index + 1}" if self.index else self.stage

    @property
    def named(self) -> str:
        """The plugin as messages name it."""
        return f"{self.stage} '{self.plugin}' from {self.origin}"

    @property
    def score_names(self) -> tuple[str, ...]:
        """The run's names of a metric's scores."""
        return names_in_run(self.name, self.instance)

    def key(self) -> dict[str, Any]:
        """What of the entry changes results: of a run's name too, so that an upgraded library
        leaves the run what it is.

        Files are no part of it: they count by content, see :mod:`harness.run.stage_keys`.
        """
        options = self.instance.options
        return {
            "plugin": self.plugin,
            "revision": self.instance.revision,
            "options": {
                name: _keyable(getattr(options, name))
                for name in type(options).model_fields
                if name not in self.instance.unkeyed
            },
        }

    def key_in_list(self) -> dict[str, Any]:
        """The same for an entry beside others of its kind."""
        own = {**self.key(), "name": self.name, "rows": self.rows, "control": self.control}
        return {**own, "review": self.review.key()} if self.review else own

    def whole(self) -> Iterator[tuple[Place, PluginEntry]]:
        """The entry, and all plugins that options within it name, each with its place in it."""
        yield (), self
        options = self.instance.options
        for name in type(options).model_fields:
            for place, value in values_in(getattr(options, name), (name,)):
                if isinstance(value, Named):
                    for inner, entry in value.entry.whole():
                        yield (*place, *inner), entry

    def shown(self) -> dict[str, Any]:
        """The entry with every default, as it stands in the run's ``config.yaml``."""
        head: dict[str, Any] = {KINDS[self.stage].named_by: self.plugin}
        if self.name != self.plugin:
            head["name"] = self.name
        core: dict[str, Any] = {"rows": self.rows} if self.rows else {}
        if self.control:
            core["control"] = self.control
        if self.review:
            core["review"] = self.review.shown()
        return {**head, **core, **self.instance.options.model_dump(mode="json")}

    def published(self) -> dict[str, Any]:
        """The same for readers elsewhere: of commands the first word alone."""
        values = self.covered(self.shown())
        if self.review:
            values["review"] = self.review.published()
        return values

    def covered(self, values: dict[str, Any]) -> dict[str, Any]:
        """Values of its options, of which commands are cut to their first word, in nested
        plugins too."""
        for place, entry in self.whole():
            for name in entry.instance.commands:
                values = covered_at(values, (*place, name))
        return values


P = TypeVar("P", bound=Plugin)


class Named(Generic[P]):
    """The type of an option that names another plugin, as ``check: harness.Named[Verifier]``.

    The config has ``check: NAME`` or ``check: {plugin: NAME, …its options}``, as everywhere. The
    core makes the plugin with the one that names it, tells what is wrong with its options at their
    place, asks its ``check``, and takes all that its results depend on into the key of the stage:
    options, revision, versions of libraries, content of files, and what it names itself.

    Attributes:
        stage: the kind of plugin that is named.
        raw: the entry as it was read.
        made: the entry as the config made it.
    """

    # No data class: pydantic would read the types of its fields.
    def __init__(self, stage: str, raw: Mapping[str, Any], made: PluginEntry | None = None) -> None:
        self.stage, self.raw, self.made = stage, raw, made

    def __repr__(self) -> str:
        return f"Named({self.stage}: {dict(self.raw)})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Named) and (self.stage, self.raw) == (other.stage, other.raw)

    @property
    def plugin(self) -> P:
        """The plugin, made once.

        Raises:
            ConfigError: no config made it, and none that is installed has the name, or takes the
                options.
        """
        plugin: P = self.entry.instance
        return plugin

    @functools.cached_property
    def entry(self) -> PluginEntry:
        """The same as an entry of a config; raises as :attr:`plugin` does."""
        if self.made is not None:
            return self.made
        [entry] = make_entries(self.stage, {self.stage: self.raw}, (), f"the {self.stage}")
        return entry

    def shown(self) -> dict[str, Any]:
        """The entry as a config holds it: the options that were given, their paths whole."""
        if self.made is None:
            return dict(self.raw)
        options = self.made.instance.options.model_dump(mode="json", include=set(self.raw))
        return {KINDS[self.stage].named_by: self.made.plugin, **options}

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        (kind,) = typing.get_args(source)
        return core_schema.no_info_plain_validator_function(
            functools.partial(_read_named, kind.stage),
            serialization=core_schema.plain_serializer_function_ser_schema(cls.shown),
        )


def _read_named(stage: str, value: Any) -> Named[Any]:
    kind = KINDS[stage]
    head = kind.named_by
    if isinstance(value, Named):
        value = value.raw
    raw = {head: value} if isinstance(value, str) else value
    if not isinstance(raw, Mapping):
        raise ValueError(f"a {stage} is needed: NAME or {{{head}: NAME}}")
    if not isinstance(raw.get(head), str):
        raise ValueError(f"it names no {stage}: {{{head}: NAME}} is needed")
    for key in sorted(kind.reserved & raw.keys() - {head}):
        raise ValueError(f"'{key}' has no effect here: a plugin that another one names has none")
    return Named(stage, raw)


def covered_at(values: Any, place: Place) -> Any:
    """Plain values with the command at a place, if there is one, cut to its first word."""
    if not place:
        return f"{values.split()[0]} …" if isinstance(values, str) and values.split() else values
    first, *rest = place
    if isinstance(values, dict) and first in values:
        return {**values, first: covered_at(values[first], tuple(rest))}
    if isinstance(values, list) and isinstance(first, int) and first < len(values):
        return [*values[:first], covered_at(values[first], tuple(rest)), *values[first + 1 :]]
    return values


def entries_of(
    registry: Registry, kind: StageKind, raw: Any, base: Path, problems: Problems
) -> Iterator[PluginEntry]:
    """The entries under the key of a kind of stage."""
    name, stage = kind.key, kind.stage
    if not kind.many and not (kind.in_order and isinstance(raw, list)):
        entry = entry_of(registry, stage, raw, (name,), base, problems)
        if entry is not None:
            yield entry
        return
    if not isinstance(raw, list):
        problems.add((name,), "a list of plugins is needed")
        return
    if kind.default is REQUIRED and not raw:
        problems.add((name,), f"at least one {stage} is needed")
    names: set[str] = set()
    for index, item in enumerate(raw):
        entry = entry_of(registry, stage, item, (name, index), base, problems)
        if entry is None:
            continue
        if entry.name in names:
            problems.add((name, index), f"'{entry.name}' is listed twice; set name: on one of them")
        names.add(entry.name)
        yield entry


def entry_of(
    registry: Registry, stage: str, raw: Any, place: Place, base: Path, problems: Problems
) -> PluginEntry | None:
    """The plugin that one entry of a config names, made with its options; None if it cannot be.

    Args:
        raw: the entry as it was read: a name, or a mapping.
        place: of the entry; a number at its end is the entry's place in its list.
        base: the folder that relative paths are relative to.
        problems: gets all that is wrong with it.
    """
    kind = KINDS[stage]
    head = kind.named_by
    if isinstance(raw, str):
        raw = {head: raw}
    if not isinstance(raw, dict):
        problems.add(place, f"{{{head}: NAME}} is needed, not {raw!r}")
        return None
    options = dict(raw)
    plugin = options.pop(head, kind.usual or None)
    if not isinstance(plugin, str):
        problems.add(place, f"{head}: is needed (one of {', '.join(registry.names(stage))})")
        return None
    name = options.pop("name", plugin) if head == "plugin" else plugin
    rows = options.pop("rows", 0) if kind.sized else 0
    control = options.pop("control", None) if kind.sized else None
    review = options.pop("review", None) if kind.sized else None
    if not isinstance(name, str):
        problems.add((*place, "name"), f"text is needed, not {name!r}")
    if isinstance(rows, bool) or not isinstance(rows, int):
        problems.add((*place, "rows"), f"a whole number is needed, not {rows!r}")
        rows = 1  # said already
    if control not in (None, "random", "none"):
        problems.add((*place, "control"), f"'random' or 'none' is needed, not {control!r}")
    try:
        provider = registry.get(stage, plugin)
    except ConfigError as error:
        problems.add((*place, head), "; ".join([error.what, *error.details]))
        return None
    reviewer = None
    if review is not None:
        reviewer = _reviewer(registry, review, (*place, "review"), base, problems)
    instance = _instance(registry, provider.plugin, options, place, base, problems)
    if instance is None:
        return None
    last = place[-1] if place else 0
    index = last if isinstance(last, int) else 0
    return PluginEntry(
        stage, plugin, str(name), instance, provider.origin, rows, control, index,
        provider.distribution, reviewer,
    )  # fmt: skip


def make_entries(
    stage: str, raws: Mapping[str, Any], files: Sequence[Path], subject: str,
    check: Callable[[Sequence[PluginEntry], Problems], None] | None = None,
) -> list[PluginEntry]:  # fmt: skip
    """Entries as a config has them, by the places that messages name.

    Args:
        subject: of what a message says that it has problems.
        check: adds what is wrong with all of them together.

    Raises:
        ConfigError: with all that is wrong.
        PluginError: a one-file plugin cannot be used.
    """
    registry, problems = Registry.build(files), Problems(None, {}, subject)
    made = [
        entry_of(registry, stage, raw, (place,), Path.cwd(), problems)
        for place, raw in raws.items()
    ]
    entries = [entry for entry in made if entry is not None]
    if check is not None:
        check(entries, problems)
    problems.done()
    return entries


def _reviewer(
    registry: Registry, raw: Any, place: Place, base: Path, problems: Problems
) -> PluginEntry | None:
    """The verifier that ``review`` asks for: people, where it names no other."""
    if raw == "required":
        raw = {}
    if not isinstance(raw, dict):
        problems.add(place, f"'required' is needed, or options of the review, not {raw!r}")
        return None
    return entry_of(registry, "verifier", {"plugin": PEOPLE, **raw}, place, base, problems)


def experiments_of(
    registry: Registry, values: Mapping[str, Any], base: Path, problems: Problems
) -> Iterator[PluginEntry]:
    """All installed experiments, whose options are keys of the config.

    Args:
        values: of the config, as it was read.
    """
    for name, provider in registry.of_stage(Experiment.stage).items():
        options = {
            key: values[key] for key in provider.plugin.Options.model_fields if key in values
        }
        instance = _instance(registry, provider.plugin, options, (), base, problems)
        if instance is not None:
            yield PluginEntry(
                Experiment.stage, name, name, instance, provider.origin,
                distribution=provider.distribution,
            )  # fmt: skip


def _instance(
    registry: Registry, plugin: type[Plugin], options: Any, place: Place, base: Path,
    problems: Problems,
) -> Plugin | None:  # fmt: skip
    kind = plugin.Options
    try:
        validated = kind.model_validate(options)
    except ValidationError as error:
        problems.add_validation(place, error, kind, plugin.synonyms)
        return None
    settling = _Settling(registry, base, problems)
    resolved = {
        name: settling.settled(value, (*place, name))
        for name in kind.model_fields
        for value in [getattr(validated, name)]
        if any(isinstance(leaf, (Path, Named)) for _, leaf in values_in(value))
    }
    if settling.failed:
        return None
    try:
        with plainly(plugin.name):
            instance = plugin(validated.model_copy(update=resolved))
            check_attributes(instance)
            if isinstance(instance, Metric):
                check_metric(instance)
    except PluginError as error:
        what = error.what.removeprefix("ValueError: ")
        problems.add(place, f"its options cannot be used: {what}")
        return None
    return instance


def values_in(value: Any, place: Place = ()) -> Iterator[tuple[Place, Any]]:
    """All that an option holds that holds nothing itself, each with its place."""
    if isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from values_in(getattr(value, name), (*place, name))
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from values_in(item, (*place, str(key)))
    elif isinstance(value, (list, tuple, set, frozenset)):
        for number, item in enumerate(value):
            yield from values_in(item, (*place, number))
    else:
        yield place, value


def paths_in(value: Any) -> Iterator[Path]:
    """The paths among an option's values."""
    return (leaf for _, leaf in values_in(value) if isinstance(leaf, Path))


@dataclass(slots=True)
class _Settling:
    """Makes options whole by the config that holds them: its folder, its plugins.

    Attributes:
        failed: whether a plugin that an option names could not be made.
    """

    registry: Registry
    base: Path
    problems: Problems
    failed: bool = False

    def settled(self, value: Any, place: Place) -> Any:
        if isinstance(value, BaseModel):
            fields = type(value).model_fields
            own = {name: self.settled(getattr(value, name), (*place, name)) for name in fields}
            return value.model_copy(update=own)
        if isinstance(value, Mapping):
            return {key: self.settled(item, (*place, str(key))) for key, item in value.items()}
        if isinstance(value, (list, tuple, set, frozenset)):
            return type(value)(
                self.settled(item, (*place, number)) for number, item in enumerate(value)
            )
        if isinstance(value, Named):
            made = entry_of(
                self.registry, value.stage, dict(value.raw), place, self.base, self.problems
            )
            self.failed |= made is None
            return Named(value.stage, value.raw, made)
        return self.base / value.expanduser() if isinstance(value, Path) else value


def _keyable(value: Any) -> Any:
    """An option's value as JSON with one form in every process; paths do not count."""
    if isinstance(value, BaseModel):
        return {name: _keyable(getattr(value, name)) for name in type(value).model_fields}
    if isinstance(value, Mapping):
        return {str(key): _keyable(item) for key, item in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted((_keyable(item) for item in value), key=str)
    if isinstance(value, (list, tuple)):
        return [_keyable(item) for item in value]
    if isinstance(value, Path):
        return "<file>"
    if isinstance(value, Named):
        return value.entry.key()
    plain = value is None or isinstance(value, (str, bool, int))
    return value if plain or (isinstance(value, float) and math.isfinite(value)) else str(value)
