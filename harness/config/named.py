"""Plugins that an option of another plugin names: said by the option's type."""

from __future__ import annotations

import functools
import typing
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pydantic_core import core_schema

from harness.stages import KINDS, Plugin

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler

    from harness.config.plugin_entries import PluginEntry

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
        from harness.config.making import make_entries

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
            functools.partial(_read, kind.stage),
            serialization=core_schema.plain_serializer_function_ser_schema(cls.shown),
        )


def _read(stage: str, value: Any) -> Named[Any]:
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
