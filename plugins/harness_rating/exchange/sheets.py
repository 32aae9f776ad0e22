"""Ratings from a CSV file, such as ``harness rate export --to csv`` writes and a sheet edits.

A row says what a rater's value is to be. Where it is so already nothing happens; else a new event
is made, so that a sheet that is imported twice changes nothing the second time.
"""

from __future__ import annotations

import dataclasses
import json
import math
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from harness import Criterion, DataError, near, to_json
from harness.kit.files import digest
from harness.kit.readers import Delimited, Fault, File
from harness.kit.text import one_line
from harness_rating.batches.records import ITEM_EVENT, Batch, Event, Kind
from harness_rating.exchange.blank_sheet import READING
from harness_rating.exchange.cells import CANNOT_JUDGE, COLUMNS, GUARDED, cell, cell_value
from harness_rating.exchange.refusing import Lines, batch_of, checked_event, refuse, refuse_all
from harness_rating.ratings.events import later, now
from harness_rating.ratings.folder import RatingsFolder
from harness_rating.rubric.scales import label

NEEDED = ("batch", "rubric", "rater", "item", "criterion", "value")
FLAGS = ("skip", "flag")
MARKS = (*FLAGS, "comment")
_KINDS = ("set", CANNOT_JUDGE, *MARKS)
_KNOWN = (*COLUMNS, *READING)
_NO_ID = "0" * 32
MOST_SECONDS = 1e7
_TRUE = ("yes", "true", "1")
_FALSE = ("no", "false", "0")

Row = Mapping[str, str]


Place = tuple[str, str, Kind, str]
"""Rater, item, kind (``set`` or a mark), criterion."""


@dataclass(frozen=True, slots=True)
class _Standing:
    """What stands already: how a sheet shows it, the value, and since when."""

    shown: str = ""
    value: Any = None
    at: str = ""


def read_sheet(path: Path, data: bytes, folder: RatingsFolder) -> tuple[Batch, Lines]:
    """The batch of a sheet, and the events that make its ratings so.

    Raises:
        DataError: it is no sheet of ratings, or a row of it is wrong.
    """
    rows = _rows(path, data)
    if not rows:
        refuse(path, 1, "the sheet has no row", "import what harness rate export --to csv wrote")
    first, row = rows[0]
    batch = batch_of(path, first, folder, row["batch"], row["rubric"])
    standing = _standing(batch, folder)
    seen: dict[Place, int] = {}
    raters = (*batch.raters, *folder.settlers(batch))
    # What was brought in before, even if it was taken back since.
    imported = {rater: {event.id for event in folder.events(batch, rater)} for rater in raters}
    wrong: list[tuple[int, str]] = []
    events: list[tuple[int, Event]] = []
    for line, row in rows:
        try:
            event = _event(batch, row, _place(batch, rows[0][1], row, seen, line), standing)
        except DataError as error:
            wrong.append((line, error.what))
            continue
        if event is not None and event.id not in imported.get(event.rater, ()):
            events.append((line, event))
    refuse_all(path, wrong)
    return batch, events


def _place(batch: Batch, first: Row, row: Row, seen: dict[Place, int], line: int) -> Place:
    """What a row speaks of; each thing is said once."""
    if (row["batch"], row["rubric"]) != (first["batch"], first["rubric"]):
        raise DataError("this row is of another batch or rubric than the first")
    kind = row.get("kind", "").strip() or "set"
    criteria = [criterion.id for criterion in batch.rubric.criteria]
    if kind not in _KINDS:
        name = one_line(kind, 40)
        raise DataError(
            f"there is no kind '{name}'{near(name, _KINDS)}; there are: {', '.join(_KINDS)}"
        )
    criterion = ITEM_EVENT if kind in MARKS else row["criterion"]
    if kind not in MARKS and criterion not in criteria:
        name = one_line(criterion, 40)
        raise DataError(f"the rubric has no criterion '{name}'{near(name, criteria)}")
    place: Place = (
        row["rater"], row["item"], cast(Kind, kind) if kind in MARKS else "set", criterion
    )  # fmt: skip
    if place in seen:
        raise DataError(f"this says again what line {seen[place]} says")
    seen[place] = line
    return place


def _rows(path: Path, data: bytes) -> list[tuple[int, Row]]:
    """Rows with the line that each begins in."""
    if 0 in data:
        line = data[: data.index(0)].count(b"\n") + 1
        refuse(path, line, "there is a NUL in it", "save the sheet as CSV UTF-8")
    faults: list[Fault] = []
    sheet = Delimited(File(None, path.name, data), faults.append)
    # A sheet ends in rows of empty cells where somebody cleared some.
    rows: list[tuple[int, Row]] = [(n, row) for n, row in sheet.rows() if any(row.values())]
    for name in sheet.columns:
        if name not in _KNOWN:
            refuse(path, 1, f"there is no column '{one_line(name, 40)}'{near(name, _KNOWN)}",
                   f"needed are: {', '.join(NEEDED)}")  # fmt: skip
    wrong = [(fault.row, f"the sheet is cut or damaged here: {_said(fault)}") for fault in faults]
    refuse_all(path, wrong, faults[0].hint if faults else "")
    for name in NEEDED:
        if sheet.columns and name not in sheet.columns:
            refuse(path, 1, f"the column '{name}' is missing", f"needed are: {', '.join(NEEDED)}")
    return rows


def _said(fault: Fault) -> str:
    column = fault.column if isinstance(fault.column, str) else ""
    return f"'{one_line(column, 40)}': {fault.reason}" if column else fault.reason


def _standing(batch: Batch, folder: RatingsFolder) -> dict[Place, _Standing]:
    standing: dict[Place, _Standing] = {}
    for rater in (*batch.raters, *folder.settlers(batch)):
        for rating in folder.last_ratings(batch, rater):
            shown = str(cell(cell_value(rating.value)))
            standing[rater, rating.item, "set", rating.criterion] = _Standing(
                shown, rating.value, rating.at
            )
        for state in folder.state(batch, rater).items:
            marks: dict[Kind, bool | str] = {
                "skip": state.status == "skipped", "flag": state.flagged, "comment": state.comment,
            }  # fmt: skip
            for kind, value in marks.items():
                if value:
                    place = (rater, state.item, kind, ITEM_EVENT)
                    standing[place] = _Standing(str(cell(value)), value, state.at)
    return standing


def _event(
    batch: Batch, row: Row, place: Place, standing: Mapping[Place, _Standing]
) -> Event | None:
    """What has to happen so that the row is true; None if it is, or says nothing."""
    rater, item, kind, criterion = place
    raw, before = _lines(row["value"]), standing.get(place, _Standing())
    stated = row.get("at", "").strip()
    cannot_judge = _cannot_judge(batch, row, criterion)
    if not raw.strip() and not cannot_judge:
        # Nothing is to be done, and yet the row's rater, item and time have to be right.
        checked_event(batch, Event(_NO_ID, rater, item, ITEM_EVENT, "flag", False, stated or now()))
        return None
    value: Any = None
    if not cannot_judge:
        value = _mark(raw) if kind in FLAGS else _value(batch, criterion, raw)
    event = checked_event(
        batch, Event(_NO_ID, rater, item, criterion, kind, value, stated or now())
    )
    if before.at:
        same = _plain(event.value) == _plain(before.value) or raw == _lines(before.shown)
    else:
        same = kind in FLAGS and event.value is False  # nobody has set the mark
    if same:
        return None
    seconds = _seconds(row.get("seconds", ""))
    return dataclasses.replace(_timed(event, row["batch"], stated, before.at), seconds=seconds)


def _cannot_judge(batch: Batch, row: Row, criterion: str) -> bool:
    """Whether a row says that it cannot be judged: by its kind or, without one, by its value."""
    kind = row.get("kind", "").strip()
    if kind or row["value"].strip().casefold() != label(None):
        return kind == CANNOT_JUDGE
    rated = batch.rubric.criterion(criterion)
    return rated.allow_na and label(None) not in rated.scale.choices


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return _lines(value)
    return list(value) if isinstance(value, tuple) else value


def _lines(text: str) -> str:
    """Ends of lines as everywhere else; sheets write their own."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _seconds(raw: str) -> float | None:
    """The time on the item, as it is counted up to a row's event; empty where not known."""
    if not raw.strip():
        return None
    try:
        seconds = float(raw.strip().replace(",", "."))
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds < MOST_SECONDS:
        raise DataError(f"'seconds' is a number, not '{one_line(raw, 40)}'")
    return seconds


def _timed(event: Event, batch: str, stated: str, since: str) -> Event:
    """The event with its time and id; ``since`` is the time of what stands, empty without it."""
    if stated and since and stated < since:
        raise DataError(
            f"this row is of {stated}, and {event.rater} said something else at {since}; empty "
            "its cell 'at' to put the row before it"
        )
    if stated and not since:
        # The same id each time: what the rater took back since is not brought in again.
        return dataclasses.replace(event, id=digest([batch, to_json(event)])[:32])
    if stated > since:
        at = stated
    elif since:
        # The value was changed in the sheet, just now for all that is known. What stands may bear
        # a time ahead of this clock; a correction comes after it all the same.
        at = max(now(), later(since, 1))
    else:
        at = now()
    if at == since:
        raise DataError(f"{event.rater} said something else at {since}, and no time is later")
    return dataclasses.replace(event, id=uuid.uuid4().hex, at=at)


def _mark(raw: str) -> bool:
    word = raw.strip().casefold()
    if word and word not in (*_TRUE, *_FALSE):
        raise DataError(f"a mark is yes or no, not '{one_line(raw, 40)}'")
    return word in _TRUE


def _value(batch: Batch, criterion: str, raw: str) -> Any:
    """A cell as the value of a scale; what does not fit is left as text, to be refused."""
    text = raw[1:] if GUARDED.match(raw) else raw
    if criterion == ITEM_EVENT:
        return text
    rated = batch.rubric.criterion(criterion)
    read = {"binary": _binary, "ordinal": _number, "number": _number, "choices": _choices}
    return read.get(rated.scale.kind, _text)(rated, text)


def _binary(criterion: Criterion, text: str) -> Any:
    word = text.strip().casefold()
    if word in _TRUE:
        return True
    return False if word in _FALSE else text


def _number(criterion: Criterion, text: str) -> Any:
    try:
        return float(text.strip().replace(",", "."))
    except ValueError:
        return text


def _choices(criterion: Criterion, text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return [part.strip() for part in text.split(";") if part.strip()]


def _text(criterion: Criterion, text: str) -> Any:
    word = text.strip()
    if criterion.scale.kind == "pairwise":
        return {"a": "A", "b": "B", "tie": "tie"}.get(word.casefold(), word)
    return word
