"""The metrics that a command line asks for: ``--metrics`` and ``--option``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness import UsageError, near
from harness.kit import yaml_file

DEFAULT = "bleu,chrf,rouge,meteor"


def wanted(names: str, options: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Entry name -> plugin and options, as :func:`harness.make_metrics` takes them.

    Args:
        names: ``bleu,rouge``; ``stemmed=rouge`` gives an entry (and a prefix) of its own.
        options: ``rouge.stemmer=true``, by entry.

    Raises:
        UsageError: what cannot be meant.
    """
    entries: dict[str, dict[str, Any]] = {}
    for item in (part.strip() for part in names.split(",")):
        name, sign, plugin = item.partition("=")
        if not name or (sign and not plugin):
            raise UsageError(f"--metrics takes comma-separated names, as {DEFAULT}, not {names!r}")
        if name in entries:
            raise UsageError(
                f"--metrics names '{name}' twice", hint=f"give one a name: other={plugin or name}"
            )
        entries[name] = {"plugin": plugin or name}
    for text in options:
        _set(entries, text)
    return entries


def _set(entries: dict[str, dict[str, Any]], text: str) -> None:
    place, value = yaml_file.key_value(text) or ("", None)
    name, dot, option = place.partition(".")
    if not dot or not option:
        raise UsageError(f"--option takes METRIC.KEY=VALUE, as rouge.stemmer=true, not {text!r}")
    if option in ("plugin", "name"):
        raise UsageError(f"--option {text}: '{option}' is no option of a metric")
    if name not in entries:
        meant = near(name, list(entries))
        raise UsageError(f"--option {text}: no metric of this command is called '{name}'{meant}")
    entries[name][option] = value
