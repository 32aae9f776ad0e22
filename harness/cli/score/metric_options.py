"""The metrics that a command line asks for: ``--metrics`` and ``--option``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.config.making import look_at_inputs, make_entries
from harness.config.plugin_entries import PluginEntry
from harness.errors import UsageError, near
from harness.kit import yaml_file
from harness.kit.problems import Problems
from harness.scoring import MetricEntry

DEFAULT = "bleu,chrf,rouge,meteor"


def chosen(text: str, options: Sequence[str], files: Sequence[Path]) -> list[PluginEntry]:
    """The metrics named in ``text``, each made once with its options.

    Args:
        text: ``bleu,rouge``; ``stemmed=rouge`` gives an entry (and a prefix) of its own.
        options: ``rouge.stemmer=true``, by entry.
        files: one-file plugins to load.

    Raises:
        ConfigError: with all problems of names and options.
        PluginError: a one-file plugin cannot be used.
    """
    wanted = _named(text)
    given = _options(options, list(wanted))
    raws = {
        name: {**given.get(name, {}), "plugin": plugin, "name": name}
        for name, plugin in wanted.items()
    }
    entries = make_entries("metric", raws, files, "the metrics of this command", _refuse_doubles)
    for entry in entries:
        look_at_inputs(entry)
    return entries


def _named(text: str) -> dict[str, str]:
    """Entry name -> plugin name."""
    found: dict[str, str] = {}
    for item in (part.strip() for part in text.split(",")):
        name, sign, plugin = item.partition("=")
        if not name or (sign and not plugin):
            raise UsageError(f"--metrics takes names parted by commas, as {DEFAULT}, not {text!r}")
        if name in found:
            raise UsageError(
                f"--metrics names '{name}' twice", hint=f"give one a name: other={plugin or name}"
            )
        found[name] = plugin or name
    return found


def _options(options: Sequence[str], names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Entry name -> option -> value."""
    found: dict[str, dict[str, Any]] = {}
    for text in options:
        place, value = yaml_file.key_value(text) or ("", None)
        name, dot, option = place.partition(".")
        if not dot or not option:
            raise UsageError(
                f"--option takes METRIC.KEY=VALUE, as rouge.stemmer=true, not {text!r}"
            )
        if name not in names:
            raise UsageError(
                f"--option {text}: no metric of this command is called '{name}'{near(name, names)}"
            )
        found.setdefault(name, {})[option] = value
    return found


def _refuse_doubles(entries: Sequence[PluginEntry], problems: Problems) -> None:
    seen: dict[str, str] = {}
    for entry in entries:
        for score in MetricEntry(entry.name, entry.instance).score_names:
            if score in seen:
                problems.add(
                    (entry.name,),
                    f"its score '{score}' is also one of '{seen[score]}'; "
                    f"name one of the two: --metrics other={entry.plugin}",
                )
            seen[score] = entry.name
