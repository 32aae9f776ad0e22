"""Reading JSONL files: bytes, lines, rows."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness import SPLITS, DataError, near
from harness.kit import strict_json
from harness.readers import BOM, json_text, packed_or_wide
from harness_rows.files import short_names, shown
from harness_rows.jsonl.rows import Problem, Row, fill

SUFFIX = ".jsonl"
PLACES, SHOWN = 4, 20
LONGEST_HEAD = 2_000
"""Bytes of a table's first line."""
_HINT = (
    'a row is {"messages": [{"role": "user", "content": "…"}], "references": ["…"], '
    '"split": "train"}; CSV and other formats: harness docs own-rows'
)


@dataclass
class Reading:
    """Everything read so far.

    Attributes:
        doubtful: splits that may only seem empty: their file has a problem of its own. None
            in it stands for a row whose split is unknown.
    """

    rows: list[Row] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    doubtful: set[str | None] = field(default_factory=set)


def in_folder(folder: Path) -> dict[str, Path]:
    """Split -> file of a folder with one file per split."""
    return {split: path for split in SPLITS if (path := folder / f"{split}{SUFFIX}").is_file()}


def strangers(folder: Path) -> list[Problem]:
    """Files whose name looks like that of a split which the folder lacks."""
    lacking = [split for split in SPLITS if split not in in_folder(folder)]
    found = []
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        hint = near(path.stem, lacking)
        if path.stem not in SPLITS and hint:
            found.append(Problem(shown(path), 0, 0, f"not the name of a split{hint}"))
    return found


def read(files: Iterable[tuple[str | None, Path]]) -> Reading:
    """All rows of the files, each with the split that it stands for (None: rows say)."""
    files = list(files)
    labels = short_names(
        {path for _, path in files}, lambda path: f"{path.parent.name}/{path.name}"
    )
    reading = Reading()
    for split, path in files:
        _read(reading, split, path, labels[path])
    return reading


def _read(reading: Reading, split: str | None, path: Path, label: str) -> None:
    file = shown(path)
    before = len(reading.rows)
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        problem = Problem(file, 0, 0, "there is no such file")
    except IsADirectoryError:
        problem = Problem(file, 0, 0, "is a folder, not a file")
    except OSError as error:
        problem = Problem(file, 0, 0, f"cannot be read: {os.strerror(error.errno or 0)}")
    else:
        found = packed_or_wide(raw[:4096])
        if not found and 0 in raw[:64]:
            found = f"byte {raw.index(0) + 1} is NUL: the file is no text"
        if not found:
            _lines(reading, split, raw.removeprefix(BOM), file, label)
            if len(reading.rows) > before or reading.doubtful & {None, split}:
                return
            found = "the file has no rows"
        problem = Problem(file, 1, 1, found)
    reading.problems.append(problem)
    reading.doubtful.add(split)


def _table(raw: bytes) -> str:
    """That the file is a table (CSV, TSV), by a first line of names between marks; else ''."""
    head = raw.lstrip().split(b"\n", 1)[0].strip()
    if not head or head[:1] in b"{[" or len(head) > LONGEST_HEAD:
        return ""
    for mark, name in ((b"\t", "TSV"), (b";", "CSV with semicolons"), (b",", "CSV")):
        names = [one.strip().strip(b'"') for one in head.split(mark)]
        if len(names) > 1 and all(re.fullmatch(rb"[\w .-]{1,60}", one) for one in names):
            shown = ", ".join(one.decode(errors="replace") for one in names[:6])
            return f"this looks like {name} (columns {shown}): write one JSON object a line"
    return ""


def _lines(reading: Reading, split: str | None, raw: bytes, file: str, label: str) -> None:
    table = _table(raw)
    if table:
        reading.problems.append(Problem(file, 1, 1, table))
        reading.doubtful.add(split)
        return
    # Only b"\n" ends a line: str.splitlines() also cuts at characters that JSON allows in texts.
    for number, line in enumerate(raw.split(b"\n"), start=1):
        if not line.strip():
            continue
        if line.strip() in (b"[", b"{"):
            reason = "a row must be one line: write one JSON object per line, without a list"
            reading.problems.append(Problem(file, number, 1, reason))
            reading.doubtful.add(split)
            return
        text, faults = line.decode("utf-8", "replace"), []
        try:
            value = strict_json.parse(line)
        except strict_json.Fault:
            faults = json_text.faults(line)
        else:
            if not isinstance(value, dict):
                faults = [(1, "a row must be a JSON object")]
        if faults:
            reading.problems += [Problem(file, number, at, reason) for at, reason in faults]
            reading.doubtful.add(split)
            continue
        row = Row(file, label, number, text)
        reading.problems += fill(row, value, split)
        reading.rows.append(row)
        # Rows without a prompt are dealt out together, and say nothing of the splits.
        if not row.split_known or not row.messages:
            reading.doubtful.add(None)


def refuse(problems: Iterable[Problem], where: str) -> None:
    """Raise if there are problems: all are counted, and the same one of many rows stands once.

    Raises:
        DataError: there is at least one; up to twenty different ones in full.
    """
    found = sorted(set(problems))
    kinds: dict[tuple[str, str], list[Problem]] = {}
    for problem in found:
        kinds.setdefault((problem.file, _kind(problem.reason)), []).append(problem)
    if found:
        lines = [_told(same) for same in kinds.values()]
        number = "1 problem" if len(found) == 1 else f"{len(found)} problems"
        of = f" of {len(lines)} kinds" if 1 < len(lines) < len(found) else ""
        first = f"; the first {SHOWN}:" if len(lines) > SHOWN else ""
        raise DataError(
            f"the data cannot be used: {number}{of}{first}",
            where=where, details=lines[:SHOWN], hint=_HINT,
        )  # fmt: skip


def _kind(reason: str) -> str:
    """The reason without what is a row's own: names, places, and which split is meant."""
    plain = re.sub(r'"(?:[^"\\]|\\.)*"(?= is | must )', '"…"', reason)
    return re.sub(r"\S+:\d+", "…", plain)


def _told(same: Sequence[Problem]) -> str:
    """The first of problems of one kind in full, and the lines of the next few."""
    first, *others = same
    lines = list(dict.fromkeys(one.line for one in others if one.line != first.line))
    if not others:
        return str(first)
    places = ", ".join(map(str, lines[:PLACES])) + (", …" if len(lines) > PLACES else "")
    where = f", in lines {places}" if len(lines) > 1 else f", in line {places}" if lines else ""
    return f"{first} ({len(same)} times{where})"
