"""Ratings that come from elsewhere: the file of a packed page, or a sheet.

Everything in a file is checked against the batch, the rubric's version and the rater before
anything is kept; a file with one wrong line changes nothing. Importing twice does no harm.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness import DataError, from_json, near, to_json
from harness.kit.files import canonical, read_whole
from harness.kit.strict_json import Fault
from harness.kit.text import one_line
from harness_rating.batches.records import SETTLED, Batch, Event
from harness_rating.exchange.exporting import EVERYBODY, JSONL_SCHEMA, checksum
from harness_rating.exchange.refusing import Lines, batch_of, checked_event, refuse, refuse_all
from harness_rating.exchange.sheets import read_sheet
from harness_rating.ratings.events import Events, browser_json
from harness_rating.ratings.folder import RatingsFolder

LARGEST = 256 * 2**20
"""Bytes of a file."""
_FRESH = "ask the rater to export the file again, and import it as it is"
_OWN = "if your team exported it, and no rater sent it: harness rate import --all-raters FILE"
_HEAD = {"schema", "batch", "rubric", "rater", "events", "crc32"}


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What came of a file.

    Attributes:
        new, known: events per rater that were kept now, and that had been before.
    """

    batch: str
    new: Mapping[str, int]
    known: Mapping[str, int]


def import_file(
    path: Path, folder: RatingsFolder, *, expected: str | None = None, all_raters: bool = False
) -> ImportResult:
    """Keep the ratings of a JSONL or CSV file.

    Args:
        expected: the batch that the file has to be of; None takes the file's word.
        all_raters: whether a file of events may be of everybody (``*``), and any file may hold
            what was settled: the team's own exports, never what a rater sends.

    Raises:
        DataError: the file is cut or edited, or does not belong here; nothing was kept.
        EnvironmentFailure: the disk is full; what was not kept is told by importing again.
    """
    try:
        data = read_whole(path, LARGEST)
    except OSError as error:
        raise DataError(f"cannot read it: {error.strerror}", where=str(path)) from None
    if path.suffix.casefold() in (".csv", ".tsv"):
        batch, lines = read_sheet(path, data, folder)
    else:
        batch, lines = _read_jsonl(path, data, folder, all_raters)
    if expected is not None and batch.name != expected:
        what = f"these are ratings of batch {batch.name}, not of {one_line(expected, 60)}"
        refuse(path, 1, what, f"if they are meant to count there: --batch {batch.name}")
    for number, event in lines:
        if event.rater.startswith(SETTLED) and not all_raters:
            refuse(path, number, f"this was settled ('{event.rater}'), and is no rater's", _OWN)
    return _store(path, batch, folder, lines)


def _read_jsonl(
    path: Path, data: bytes, folder: RatingsFolder, all_raters: bool
) -> tuple[Batch, Lines]:
    lines = data.split(b"\n")
    if not data.strip():
        refuse(path, 1, "the file is empty", _FRESH)
    if data.lstrip().startswith(b"<"):
        refuse(path, 1, "this is a page, and not what it saves",
               "open it, press 'Save my ratings as a file', and import that file")  # fmt: skip
    if lines.pop() != b"":
        refuse(path, len(lines) + 1, "the file is cut: its last line has no end", _FRESH)
    head = _object(path, 1, lines[0])
    if head.keys() != _HEAD or head["schema"] != JSONL_SCHEMA:
        refuse(path, 1, f"it does not begin as ratings do ({JSONL_SCHEMA})",
               "import the file that a packed page or harness rate export wrote")  # fmt: skip
    batch = batch_of(path, 1, folder, head["batch"], head["rubric"])
    rater = head["rater"]
    if rater == EVERYBODY and not all_raters:
        refuse(path, 1, "the file speaks for all raters", _OWN)
    if rater != EVERYBODY and rater not in batch.raters:
        name = one_line(str(rater), 60)
        refuse(path, 1, f"'{name}' does not rate in batch {batch.name}{near(name, batch.raters)}",
               f"its raters are {', '.join(batch.raters)}")  # fmt: skip
    if head["events"] != len(lines) - 1:
        refuse(path, len(lines), f"the file is cut: it had {head['events']} events, and "
               f"{len(lines) - 1} are left", _FRESH)  # fmt: skip
    if head["crc32"] != checksum(data, lines[0]):
        refuse(path, 1, "the file was changed after it was exported", _FRESH)
    objects = [(n, _object(path, n, line)) for n, line in enumerate(lines[1:], start=2)]
    return batch, _events(path, batch, rater, objects)


def _object(path: Path, number: int, line: bytes) -> dict[str, Any]:
    try:
        value = browser_json(line)
    except Fault as fault:
        refuse(path, number, f"this line was changed or damaged: {fault}", _FRESH)
    if not isinstance(value, dict):
        refuse(path, number, "this line is no JSON object", _FRESH)
    return value


def _events(
    path: Path, batch: Batch, rater: str, objects: Sequence[tuple[int, dict[str, Any]]]
) -> Lines:
    events: list[tuple[int, Event]] = []
    wrong: list[tuple[int, str]] = []
    for number, fields in objects:
        try:
            event = checked_event(batch, from_json(Event, fields))
            if rater not in (EVERYBODY, event.rater):
                raise DataError(f"this is an event of '{event.rater}' in a file of '{rater}'")
            events.append((number, event))
        except TypeError:
            wrong.append((number, "this is no event: a field is missing or unknown"))
        except DataError as error:
            wrong.append((number, error.what))
    refuse_all(path, wrong)
    return events


def _store(path: Path, batch: Batch, folder: RatingsFolder, lines: Lines) -> ImportResult:
    """Write what is new; an id that is known with another content refuses the file."""
    logs = {event.rater: Events(folder.path / batch.name, event.rater) for _, event in lines}
    stored = {rater: {event.id: event for event in folder.events(batch, rater)} for rater in logs}
    sent: dict[str, dict[str, Event]] = {rater: {} for rater in logs}
    wrong: list[tuple[int, str]] = []
    for number, event in lines:
        before = stored[event.rater].get(event.id) or sent[event.rater].get(event.id) or event
        if _form(batch, before) != canonical(to_json(event)):
            wrong.append((number, f"event {event.id} is known with another content"))
        sent[event.rater][event.id] = event
    refuse_all(path, wrong)
    new = {rater: logs[rater].extend(list(events.values())) for rater, events in sent.items()}
    known = {rater: len(events) - new[rater] for rater, events in sent.items()}
    return ImportResult(batch.name, new, known)


def _form(batch: Batch, event: Event) -> bytes:
    """What is compared of an event that was kept before, perhaps by other hands."""
    try:
        return canonical(to_json(checked_event(batch, event)))
    except DataError:
        return canonical(to_json(event))
