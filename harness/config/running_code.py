"""Which plugins of a config run code that comes with what their options name."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from harness.config import dotted
from harness.config.experiments import intents
from harness.config.loading import Config
from harness.config.plugin_entries import PluginEntry
from harness.config.settings import PLUGIN_KEYS
from harness.config.variants import Variants
from harness.errors import HarnessError
from harness.stages import Intent


class CodeRunner(NamedTuple):
    """What runs code: a plugin, or an experiment that combines settings.

    Attributes:
        named: as messages name it.
        identity: equal for those that do the same.
    """

    named: str
    identity: Any


def runs_code(entry: PluginEntry) -> bool:
    """Whether one of its options has it run code (:attr:`harness.Plugin.runs_code`), or one of a
    plugin that it names.
    """
    return any(
        getattr(each.instance.options, name, None)
        for _, each in entry.whole()
        for name in each.instance.runs_code
    )


def runner_of(entry: PluginEntry) -> CodeRunner:
    options = entry.instance.options.model_dump(mode="json")
    return CodeRunner(entry.named, (entry.stage, entry.plugin, options))


def running_code(config: Config) -> Iterator[CodeRunner]:
    """What runs code in the rounds of a config and in what is trained beside them.

    An experiment that combines settings is one of them where any of these has code run: all that
    it may combine is more than can be looked at.
    """
    yield from map(runner_of, filter(runs_code, _entries(config)))
    for intent in _intents(config):
        for _, changes in intent.changes:
            yield from map(runner_of, _with(config, changes))
    yield from combining(config)


def combining(config: Config) -> Iterator[CodeRunner]:
    """The experiments whose branches may run code by settings that they combine."""
    for intent in _intents(config):
        singles = [{key: value} for key, values in intent.space.items() for value in values]
        runners = [runner_of(entry) for single in singles for entry in _with(config, single)]
        yield from runners
        if runners:
            yield CodeRunner("a search of settings", ("space", intent.space))


def _intents(config: Config) -> Iterator[Intent]:
    with contextlib.suppress(HarnessError):  # nothing is trained by it then
        yield from intents(config)


def _entries(config: Config) -> Iterator[PluginEntry]:
    return (entry for entries in config.entries.values() for entry in entries)


def _with(config: Config, changes: Mapping[str, Any]) -> list[PluginEntry]:
    """Those of the config with these keys changed; none where no such plugin can be named."""
    stages = {
        kind for kind, _, provider in config.registry.providers() if provider.plugin.runs_code
    }
    keys = {key for key, kind in PLUGIN_KEYS.items() if kind.stage in stages}
    with contextlib.suppress(HarnessError):
        if keys & {str(dotted.place_of(key)[0]) for key in changes}:
            return list(filter(runs_code, _entries(Variants(config).changed(changes, ""))))
    return []
