"""Which metrics a run was scored with again, kept beside its journal.

So its database holds those scores whenever it is built.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.config.making import make_entries
from harness.config.plugin_entries import PluginEntry
from harness.config.running_code import runner_of, runs_code
from harness.engine import trust
from harness.engine.run import Run
from harness.errors import HarnessError
from harness.kit.files import append_line, digest, files_digest, read_lines

RECORD = "rescored.jsonl"
_SUBJECT = "the metrics that a run was scored with again"
SCHEMA = 2


def record(run: Run, entries: Sequence[PluginEntry]) -> None:
    """Remember what the run was scored with again, each entry once."""
    known = read_lines(run.folder / RECORD)
    for entry in entries:
        line = _line(entry)
        if line not in known:
            append_line(run.folder / RECORD, line)


def _line(entry: PluginEntry) -> dict[str, Any]:
    """What is remembered of an entry, the digest of its file with it."""
    origin, file = entry.origin, Path(entry.origin)
    made_with: dict[str, str] = {}
    if file.suffix == ".py":
        origin, made_with = str(file.resolve()), {"digest": files_digest([file])}
    shown = {**entry.shown(), "name": entry.name}
    return {"schema": SCHEMA, "origin": origin, "entry": shown, **made_with}


def recorded(run: Run, added: Sequence[PluginEntry] = ()) -> list[PluginEntry]:
    """What the run was scored with again; what cannot be loaded any more is left out.

    So is code that this project's own config does not name (:mod:`harness.engine.trust`).

    Args:
        added: entries that were just made, as the person at the terminal named them.
    """
    made = [(_line(entry), entry) for entry in added]
    found: list[PluginEntry] = []
    lines = read_lines(run.folder / RECORD)
    # Of a file that was changed the last line counts.
    latest = {digest([line.get("origin"), line.get("entry")]): line for line in lines}
    for line in latest.values():
        known = next((entry for same, entry in made if same == line), None)
        try:
            found.append(known or _made(run, line))
        except (HarnessError, LookupError, TypeError, ValueError) as error:
            why = error.what if isinstance(error, HarnessError) else "a line says nothing"
            if isinstance(error, trust.Untrusted):
                why += f" ({error.hint})"
            run.watcher.say(f"warning: {run.folder / RECORD}: {why}")
    return found


def _made(run: Run, line: Mapping[str, Any]) -> PluginEntry:
    """The entry of a line.

    Raises:
        Untrusted: the line names code that this project's own config does not name.
        ConfigError, PluginError: it cannot be made any more.
        LookupError, TypeError, ValueError: it is no line of ours.
    """
    raw, origin = line["entry"], Path(line["origin"])
    files = [origin] if origin.suffix == ".py" else []
    trust.refuse(run.folder, trust.foreign(run.folder, files, {str(origin): line.get("digest")}))
    [entry] = make_entries("metric", {raw["name"]: raw}, files, _SUBJECT)
    code = [runner_of(entry)] if runs_code(entry) else []
    trust.refuse(run.folder, trust.foreign_options(run.folder, code))
    return entry
