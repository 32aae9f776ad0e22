"""A JSON document that holds a list of rows, or one for each split."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from harness import near
from harness.kit import strict_json
from harness.kit.readers import BOM, Fault, File, JsonObjects, Problems, Reader
from harness.kit.text import one_line
from harness_rows.splits import SPLIT_NAMES, with_dev

LISTS = ("data", "rows", "examples", "items", "records", "instances")
"""Keys under which others put the list of rows."""
DEPTH = 3
"""Objects within each other in which a list is looked for."""
NAME, NAMED = 40, 5
"""Characters of a name that a message shows, and names."""


class Part(NamedTuple):
    """A reader, and the split that the name of its file or list says; or empty.

    Attributes:
        said: what people should know of it.
    """

    reader: Reader
    split: str
    said: str = ""


def parts(file: File, split: str, problems: Problems) -> list[Part]:
    """The lists of a JSON document; none where it has none: its problem has been noted.

    Args:
        split: what the name of the file says, for lists that do not.

    Raises:
        OSError: the file cannot be read.
    """
    with file.open() as stream:
        raw = stream.read().removeprefix(BOM)
    try:
        value = strict_json.parse(raw)
    except strict_json.Fault as fault:
        problems.add(Fault(str(fault), file.label))
        return []
    if not isinstance(value, dict):
        problems.add(Fault(_no_list(value), file.label))
        return []
    if any(_split(name) and _has_rows(held) for name, held in value.items()):
        return _splits(file, problems, value)
    lists = {name: held for name, held in value.items() if name in LISTS and _has_rows(held)}
    if not lists:
        return _only_list(file, split, problems, value)
    return [
        Part(_objects(file, problems, rows, name, len(lists)), split)
        for name, rows in lists.items()
    ]


def _only_list(file: File, split: str, problems: Problems, value: dict[str, Any]) -> list[Part]:
    """The one list of objects that an object holds, as answers of a server have them."""
    lists = dict(_lists_in(value, "", DEPTH))
    if len(lists) == 1:
        ((name, rows),) = lists.items()
        sentence = f"rows are the list `{_shown(name)}` of the file"
        return [Part(_objects(file, problems, rows, name, 1), split, sentence)]
    if lists:
        names = [f"`{_shown(name)}` ({len(rows):,} rows)" for name, rows in lists.items()]
        most = max(lists, key=lambda name: len(lists[name]))
        hint = f"a file with one of them: jq {shlex.quote(f'.{most}')} {shlex.quote(file.label)}"
        many = ", ".join(names[:NAMED])
        fault = Fault(f"the file holds several lists of rows: {many}", file.label, hint=hint)
    else:
        fault = Fault(_no_list(value), file.label)
    problems.add(fault)
    return []


def _lists_in(value: dict[str, Any], path: str, depth: int) -> Iterator[tuple[str, list[Any]]]:
    """Path (``result.records``) and list of each list of objects within nested objects."""
    for key, held in value.items():
        if _has_rows(held):
            yield f"{path}{key}", held
        elif isinstance(held, dict) and depth > 1:
            yield from _lists_in(held, f"{path}{key}.", depth - 1)


def _splits(file: File, problems: Problems, value: dict[str, Any]) -> list[Part]:
    """A reader for each split of an object that holds a list for each."""

    def wrong(reason: str) -> None:
        problems.add(Fault(reason, file.label))

    unknown = [name for name, held in value.items() if not _split(name) and _has_rows(held)]
    if unknown:
        wrong(_no_split(unknown))
    # An empty list holds no rows of its split, so `valid` may be dev beside an empty `dev`.
    lists = {name: held for name, held in value.items() if _split(name) and held != []}
    for name in (name for name, held in lists.items() if not isinstance(held, list)):
        wrong(f"`{_shown(name)}` must be a list of rows")
    for name_shown, count in Counter(map(_shown, lists)).items():
        if count > 1:
            wrong(f"two lists have the name `{name_shown}`: put their rows in one")
    splits = with_dev([_split(name) for name in lists])
    return [
        Part(_objects(file, problems, rows, name, len(lists)), split)
        for (name, rows), split in zip(lists.items(), splits, strict=True)
        if isinstance(rows, list)
    ]


def _objects(file: File, problems: Problems, rows: list[Any], name: str, of: int) -> JsonObjects:
    """One of the lists of a file. Rows of each are numbered from 1: of several each has a label."""
    label = f"{file.label}/{_shown(name)}" if of > 1 else file.label
    kind = f"JSON, the list `{_shown(name)}`"
    return JsonObjects(replace(file, label=label), problems.add, rows, kind)


def _shown(name: str) -> str:
    """A name of the data as ids and messages have it."""
    return one_line(name, NAME)


def _split(name: str) -> str:
    return SPLIT_NAMES.get(name.strip().casefold(), "")


def _has_rows(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(item, dict) for item in value)


def _no_split(names: Sequence[str]) -> str:
    listed = ", ".join(f"`{_shown(name)}`" for name in names[:NAMED])
    listed += ", …" if len(names) > NAMED else ""
    if len(names) > 1:
        what = f"{listed} are not names of splits"
    else:
        what = f"{listed} is not the name of a split{near(names[0], list(SPLIT_NAMES))}"
    return f"{what} (known: {', '.join(SPLIT_NAMES)})"


def _no_list(value: Any) -> str:
    what = "holds no list of rows under `data`, or under the name of a split"
    if isinstance(value, dict) and any(isinstance(held, (dict, list)) for held in value.values()):
        what += '; of pandas, `df.to_json(path, orient="records", lines=True)` writes rows'
    return f"the file {what}"
