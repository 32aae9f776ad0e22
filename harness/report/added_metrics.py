"""Which metrics a run was scored with again, kept beside its journal.

So its database holds those scores whenever it is built.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness.config.making import make_entries
from harness.config.plugin_entries import PluginEntry
from harness.engine.run import Run
from harness.errors import HarnessError
from harness.kit.files import append_line, read_lines

RECORD = "rescored.jsonl"
_SUBJECT = "the metrics that a run was scored with again"
SCHEMA = 2


def record(run: Run, entries: Sequence[PluginEntry]) -> None:
    """Remember what the run was scored with again, each entry once."""
    known = [(line["origin"], line["entry"]) for line in read_lines(run.folder / RECORD)]
    for entry in entries:
        shown = {**entry.shown(), "name": entry.name}
        if (entry.origin, shown) not in known:
            line = {"schema": SCHEMA, "origin": entry.origin, "entry": shown}
            append_line(run.folder / RECORD, line)


def recorded(run: Run) -> list[PluginEntry]:
    """What the run was scored with again; what cannot be loaded any more is left out."""
    found: list[PluginEntry] = []
    for line in read_lines(run.folder / RECORD):
        raw, origin = line["entry"], Path(line["origin"])
        files = [origin] if origin.suffix == ".py" else []
        try:
            found += make_entries("metric", {raw["name"]: raw}, files, _SUBJECT)
        except HarnessError as error:
            run.watcher.say(f"warning: {run.folder / RECORD}: {error.what}")
    return found
