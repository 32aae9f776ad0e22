"""Plugins made by name, where a command names them and no config does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.boundary.calls import plainly
from harness.boundary.results import paths
from harness.config.plugin_entries import PluginEntry, make_entries
from harness.kit.problems import Problems
from harness.stages import KINDS, Plugin

if TYPE_CHECKING:
    from harness.scoring import MetricEntry  # NumPy takes longer to load than all else here


def make_plugin(
    stage: str, name: str, options: Mapping[str, Any], files: Sequence[Path] = ()
) -> Plugin:
    """A plugin with its options, checked as those of a config are.

    Args:
        stage: as in the name of its hook, ``judge`` of ``register_judges``.
        options: option -> value; a path is taken from the working folder.
        files: one-file plugins to load.

    Raises:
        ConfigError: with all that is wrong, also where no plugin has the name.
        PluginError: a one-file plugin cannot be used, or the plugin fails.
    """
    raw = {**options, KINDS[stage].named_by: name}
    [entry] = make_entries(stage, {stage: raw}, files, f"the options of the {stage}")
    look_at_inputs(entry)
    plugin: Plugin = entry.instance
    return plugin


def make_metrics(
    entries: Mapping[str, Mapping[str, Any]], files: Sequence[Path] = ()
) -> list[MetricEntry]:
    """Metrics with their options, as the config's ``metrics`` names them, for ``evaluate``.

    Args:
        entries: entry name -> its options, and under ``plugin`` the metric's name if the entry
            has another one. Of an entry with a name of its own the scores are called after it.
        files: one-file plugins to load.

    Raises:
        ConfigError: with all that is wrong, also where two entries give a score of one name.
        PluginError: a one-file plugin cannot be used, or a metric fails.
    """
    return list(map(metric_entry, metric_entries(entries, files)))


def metric_entries(
    entries: Mapping[str, Mapping[str, Any]], files: Sequence[Path] = ()
) -> list[PluginEntry]:
    """The plugins of :func:`make_metrics`, as a config has them."""
    raws = {name: {"plugin": name, **options, "name": name} for name, options in entries.items()}
    made = make_entries("metric", raws, files, "the metrics", _refuse_equal_scores)
    for entry in made:
        look_at_inputs(entry)
    return made


def metric_entry(entry: PluginEntry) -> MetricEntry:
    """An entry of ``metrics`` as scoring takes it."""
    from harness.scoring import MetricEntry

    return MetricEntry(entry.name, entry.instance)


def _refuse_equal_scores(entries: Sequence[PluginEntry], problems: Problems) -> None:
    owners: dict[str, str] = {}
    for entry in entries:
        for score in entry.score_names:
            if score in owners:
                what = f"its score '{score}' is also one of '{owners[score]}'"
                problems.add((entry.name,), f"{what}; give one of the two another name")
            owners[score] = entry.name


def look_at_inputs(entry: PluginEntry) -> None:
    """Ask for the files that results depend on: a damaged one shows before any work."""
    for _, each in entry.whole():
        with plainly(each.named):
            paths(each.instance.inputs(), "inputs()")
