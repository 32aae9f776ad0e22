"""Which plugins of a config run code that comes with what their options name."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

from harness.config import arms, dotted
from harness.config.loading import Config
from harness.config.overriding import overridden
from harness.config.plugin_entries import PluginEntry
from harness.config.searching import space_of
from harness.config.settings import PLUGIN_KEYS
from harness.errors import HarnessError


def runs_code(entry: PluginEntry) -> bool:
    """Whether one of its options has it run code (:attr:`harness.Plugin.runs_code`)."""
    options = entry.instance.options
    return any(getattr(options, name, None) for name in entry.instance.runs_code)


def running_code(config: Config) -> Iterator[PluginEntry]:
    """The plugins that run code in the rounds of a config and in what is trained beside them.

    A search is one of them where a trial may run code: a trial has a value of each of its keys,
    and all of them together are more than can be looked at.
    """
    yield from filter(runs_code, _entries(config))
    for _, _, changed in arms.named(config):
        yield from _with(config, changed)
    if config.search is None:
        return
    space = space_of(config.search)
    trials = [
        entry
        for key, values in space.items() for value in values
        for entry in _with(config, {key: value})
    ]  # fmt: skip
    yield from trials
    if trials:
        yield config.search


def _entries(config: Config) -> Iterator[PluginEntry]:
    return (entry for entries in config.entries.values() for entry in entries)


def _with(config: Config, changed: Mapping[str, Any]) -> list[PluginEntry]:
    """Those of the config with these keys changed; none where no such plugin can be named."""
    stages = {kind for kind, _, one in config.registry.providers() if one.plugin.runs_code}
    keys = {key for key, kind in PLUGIN_KEYS.items() if kind.stage in stages}
    with contextlib.suppress(HarnessError):  # then nothing is trained by it
        if keys & {str(dotted.place_of(key)[0]) for key in changed}:
            return list(filter(runs_code, _entries(overridden(config, changed, ""))))
    return []
