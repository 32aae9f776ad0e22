"""Which metrics a run was scored with again, kept beside its journal.

So its database holds those scores whenever it is built.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.config.plugin_entries import PluginEntry, make_entries
from harness.errors import HarnessError
from harness.kit import gate, own
from harness.kit.files import canonical, digest, files_digest
from harness.kit.log import Log
from harness.run.run import Run

RECORD = "rescored.jsonl"
_SUBJECT = "the metrics that a run was scored with again"
SCHEMA = 2


@dataclass(frozen=True, slots=True)
class AddedMetric:
    """A metric that a run was scored with again.

    Attributes:
        origin: the distribution, or the file, that the metric comes from.
        entry: as a config names it.
        digest: of that file.
        signature: of the user who has scored with it (:mod:`harness.kit.own`).
    """

    origin: str
    entry: Mapping[str, Any]
    digest: str | None = None
    signature: str = ""


def record(run: Run, entries: Sequence[PluginEntry]) -> None:
    """Remember what the run was scored with again, each entry once."""
    log, recorded_before = _log(run), _lines(run)
    for entry in entries:
        if (metric := _of_entry(run, entry)) not in recorded_before:
            log.append(metric)


def _log(run: Run) -> Log[AddedMetric]:
    return Log(
        run.folder / RECORD, AddedMetric, schema=SCHEMA,
        cost="which metrics the run was scored with again cannot be known",
        hint="take the file from a backup, or remove it and score the run again",
    )  # fmt: skip


def _lines(run: Run) -> list[AddedMetric]:
    lines: list[AddedMetric] = []
    _log(run).read(lines.append)
    return lines


def _of_entry(run: Run, entry: PluginEntry) -> AddedMetric:
    """What is remembered of an entry, the digest of its file with it."""
    shown, file = {**entry.shown(), "name": entry.name}, Path(entry.origin)
    origin, content = entry.origin, None
    if file.suffix == ".py":
        origin, content = str(file.resolve()), files_digest([file])
    return AddedMetric(
        origin, shown, content, own.signed(run.folder / RECORD, _text(origin, shown))
    )


def _text(origin: str, entry: Mapping[str, Any]) -> str:
    """What is signed of a line."""
    return canonical([origin, entry]).decode()


def recorded(run: Run, added: Sequence[PluginEntry] = ()) -> list[PluginEntry]:
    """What the run was scored with again; what cannot be loaded any more is left out.

    So is what somebody else has scored it with.

    Args:
        added: entries that were just made, as the person at the terminal named them.
    """
    made = [(_of_entry(run, entry), entry) for entry in added]
    entries: list[PluginEntry] = []
    # Of a file that was changed the last line counts.
    latest = {digest([metric.origin, metric.entry]): metric for metric in _lines(run)}
    for metric in latest.values():
        known = next((entry for same, entry in made if same == metric), None)
        try:
            entries.append(known or _made(run, metric))
        except (HarnessError, LookupError, TypeError, ValueError) as error:
            why = error.what if isinstance(error, HarnessError) else "an entry says nothing"
            if isinstance(error, gate.Untrusted):
                why += f" ({error.hint})"
            run.watcher.say(f"warning: {run.folder / RECORD}: {why}")
    return entries


def _made(run: Run, metric: AddedMetric) -> PluginEntry:
    """The entry of a metric.

    Raises:
        Untrusted: somebody else has scored the run with it.
        ConfigError, PluginError: it cannot be made any more.
        LookupError, TypeError, ValueError: the entry is none of ours.
    """
    raw, place = metric.entry, run.folder / RECORD
    text = _text(metric.origin, metric.entry)
    if not (gate.is_trusting() or own.is_signed(place, text, metric.signature)):
        what = f"the metric '{raw['name']}' of {metric.origin} is left out"
        raise gate.refuse(what, str(place), "a line that was not written here")
    files = [origin] if (origin := Path(metric.origin)).suffix == ".py" else []
    [entry] = make_entries("metric", {raw["name"]: raw}, files, _SUBJECT)
    return entry
