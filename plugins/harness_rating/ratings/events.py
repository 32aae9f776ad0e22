"""What raters did, kept for good: one append-only JSONL file per rater.

``append`` returns only once the event is on the disk. Several tabs, threads or processes may
append to one file at a time: each time is one write at the end of the file, under a lock. A
line cut by a crash was never acknowledged; it is ignored when read, and cut off before the next
line is written. Each line carries its checksum: one that was changed is refused, as what raters
did cannot be made again.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from harness import LONGEST_TEXT, DataError, UsageError, machine_trouble, to_json
from harness.kit.files import AppendLog, read_sealed, sealed, whole_lines
from harness.kit.inside import inside
from harness.kit.strict_json import parse
from harness_rating.batches.records import ITEM_EVENT, KINDS, SETTLED, Batch, Event
from harness_rating.rubric import scales

RATER = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
RATER_RULE = "lower-case letters, digits and dashes, 40 at most"
LAST = "9999-12-31T23:59:59.999Z"
"""Nothing can be said to be later."""
_ID = re.compile(r"[0-9a-f]{32}")
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB]..\\u[dD][c-fC-F]..|(?P<half>u[dD][89a-fA-F]..)|.)", re.DOTALL
)
"""An escape of a JSON text: a whole surrogate pair, half of one, or any other."""
_AT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


class Events:
    """The events of one rater in one batch.

    Args:
        folder: the batch's folder.

    Raises:
        UsageError: the name cannot be a rater's.
    """

    def __init__(self, folder: Path, rater: str) -> None:
        if not RATER.fullmatch(rater):
            raise UsageError(f"'{rater}' cannot be a rater's name", hint=f"use {RATER_RULE}")
        self.rater = rater
        self.path = inside(folder, "events", f"{rater}.jsonl")
        self._mutex = threading.Lock()
        self._log = AppendLog(self.path)
        self._known: set[str] = set()
        self._lines = 0

    def append(self, event: Event) -> None:
        """Keep an event; it is on the disk when this returns. A known id does nothing."""
        self.extend([event])

    def extend(self, events: Sequence[Event]) -> int:
        """Keep events, all or none, in one write; returns how many were not known yet.

        Raises:
            DataError: the file is damaged; nothing was kept.
            EnvironmentFailure: the disk is full or not writable; nothing was kept.
        """
        if any(event.rater != self.rater for event in events):
            raise ValueError(f"an event of another rater than {self.rater}")
        fresh: dict[str, Event] = {}

        def unknown_events(lines: list[bytes], whole: bool) -> bytes:
            """What is to be written, once the lines are known that others have added (or all).

            Called by the log under the lock of the file, so that no other process comes between.
            """
            before = 0 if whole else self._lines
            added = {self._parsed(line, at).id for at, line in enumerate(lines, start=before + 1)}
            if whole:
                self._known.clear()
            self._known |= added
            self._lines = before + len(lines)
            fresh.update({event.id: event for event in events if event.id not in self._known})
            return b"".join(sealed(to_json(event)) for event in fresh.values())

        with self._mutex:
            try:
                self._log.append(unknown_events)
            except OSError as error:
                raise (machine_trouble(error) or error) from error
            self._known |= fresh.keys()
            self._lines += len(fresh)
        return len(fresh)

    def all(self) -> list[Event]:
        """Every event that was acknowledged, in the order of writing, each id once.

        Raises:
            DataError: a complete line is damaged.
        """
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            return []
        by_id: dict[str, Event] = {}
        for number, line in enumerate(whole_lines(data), start=1):
            event = self._parsed(line, number)
            by_id.setdefault(event.id, event)
        return list(by_id.values())

    def _parsed(self, line: bytes, number: int) -> Event:
        value, trouble = read_sealed(line)
        if value is not None:
            try:
                event = Event(**value)  # so flat a record needs no from_json, which is slow
            except TypeError:
                trouble = "it is no event"
            else:
                if event.rater == self.rater:
                    return event
                trouble = "it is of another rater"
        raise DataError(
            f"this line is damaged ({trouble}), and what the rater did cannot be known",
            where=f"{self.path}:{number}",
            hint="take the file from a backup; without the line the rest can be read",
        )


def browser_json(raw: bytes) -> Any:
    """Strict JSON as browsers write it; half of a surrogate pair, which they escape, is U+FFFD.

    Raises:
        Fault: it is none (:func:`harness.kit.strict_json.parse`).
    """

    def whole(escape: re.Match[bytes]) -> bytes:
        return b"\\ufffd" if escape["half"] else escape[0]

    return parse(_ESCAPE.sub(whole, raw))


def now() -> str:
    """The time as events have it: ISO UTC with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def problem(batch: Batch, event: Event) -> str | None:
    """What is wrong with an event for this batch, in words, or None.

    Everything that comes from outside goes through here before it is kept.
    """
    names = (event.id, event.rater, event.item, event.criterion, event.kind)
    if not all(isinstance(name, str) for name in names):
        return "its id, rater, item, criterion and kind are not all text"
    if not _ID.fullmatch(event.id):
        return "its id is not 32 hex digits"
    if event.kind not in KINDS:
        return f"there is no kind '{event.kind}'; there are: {', '.join(KINDS)}"
    if not _is_time(event.at):
        return "its time is not of the form 2026-11-25T15:30:00.123Z"
    seconds = event.seconds
    if seconds is not None and not (_is_number(seconds) and 0 <= seconds < 1e7):
        return "its seconds are no sensible time"
    if event.rater not in batch.raters and not event.rater.startswith(SETTLED):
        return f"'{event.rater}' does not rate in this batch"
    if event.item not in batch.assignments.get(event.rater, batch.placings):
        return f"there is no item '{event.item}' for {event.rater} in this batch"
    return _wrong_value(batch, event)


def _wrong_value(batch: Batch, event: Event) -> str | None:
    names = [criterion.id for criterion in batch.rubric.criteria]
    if event.kind in ("set", "clear"):
        if event.criterion not in names:
            return f"the rubric has no criterion '{event.criterion}'; it has {', '.join(names)}"
        if event.kind == "clear":
            return None
        try:
            scales.check(batch.rubric.criterion(event.criterion), event.value)
        except DataError as error:
            return error.what
        return None
    if event.criterion != ITEM_EVENT:
        return f"'{event.kind}' is about an item, not about a criterion"
    if event.kind == "comment":
        is_text = isinstance(event.value, str) and len(event.value) <= LONGEST_TEXT
        return None if is_text else f"a comment is text of at most {LONGEST_TEXT} characters"
    is_mark = event.value is None or isinstance(event.value, bool)
    return None if is_mark else f"'{event.kind}' takes true or false"


def _is_time(text: Any) -> bool:
    if not isinstance(text, str) or not _AT.fullmatch(text):
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def later(at: str, milliseconds: int) -> str:
    """The time so much later, or :data:`LAST`."""
    try:
        moved = datetime.fromisoformat(at) + timedelta(milliseconds=milliseconds)
    except OverflowError:
        return LAST
    return moved.isoformat(timespec="milliseconds").replace("+00:00", "Z")
