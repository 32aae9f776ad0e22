"""Files of accepted corrections.

A file looks like this, and nothing else may stand in it::

    {"schema": "harness.corrections/1"}
    {"example_id": "row-7", "split": "dev", "reference": "…", "prompt": "<sha256>",
     "origin": {"batch": "…", "item": "…", "rater": "…", "at": "…"}, "rounds": [0, 1]}

Each object stands in one line. ``rounds`` may be missing: which rounds' answers the raters of the
batch were shown is then unknown. A line for a row of the pool may have ``rejected``, a list of
answers to which the reference is preferred; its reference may be empty then.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from harness.data.corrections import CORRECTED_SPLITS, Correction, corrected
from harness.errors import DataError
from harness.kit.files import canonical
from harness.kit.strict_json import Fault, parse
from harness.kit.text import one_line
from harness.records import Example, to_json
from harness.records.rubrics import LONGEST_TEXT

SCHEMA = "harness.corrections/1"
ORIGIN = ("batch", "item", "rater", "at")
_KEYS = ("example_id", "split", "reference", "prompt", "origin")
_OPTIONAL = ("rounds", "rejected")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_HINT = "harness rate accept writes such files"
_LONGEST = {"dev": LONGEST_TEXT, "pool": 1_000_000}
"""Characters of a text: raters type those for dev, and of the pool there are whole answers, too."""


def merged_corrections(old: Sequence[Correction], new: Sequence[Correction]) -> list[Correction]:
    """The old ones, then those that say something new.

    Raises:
        DataError: a text was typed for another prompt than a text of the same example.
    """
    by_text = {c.text: c for c in old}
    prompts = {c.example_id: c for c in old}
    for c in new:
        before = prompts.setdefault(c.example_id, c)
        if (before.prompt, before.split) != (c.prompt, c.split):
            raise DataError(
                f"'{one_line(c.example_id, 80)}' had another prompt or split when an earlier "
                f"text was typed, in batch {before.origin.get('batch')}",
                where=c.place or before.place,
                hint="write to a new file, or take the old lines out",
            )
        by_text.setdefault(c.text, c)
    return list(by_text.values())


def encoded_corrections(corrections: Iterable[Correction]) -> bytes:
    """What a file of these holds."""
    lines = [{"schema": SCHEMA}, *(_line(correction) for correction in corrections)]
    return b"".join(canonical(line) + b"\n" for line in lines)


def _line(correction: Correction) -> dict[str, Any]:
    line = {key: to_json(getattr(correction, key)) for key in _KEYS}
    more = {"rounds": list(correction.rounds), "rejected": list(correction.rejected)}
    return {**line, **{key: values for key, values in more.items() if values}}


def read_corrections(path: Path) -> list[Correction]:
    """The corrections of a file, in its order; what says the same twice is there once.

    Raises:
        DataError: the file cannot be read, or something in it is no correction; with its line.
    """
    return parsed(content(path), str(path))


def content(path: Path) -> bytes:
    """The file's bytes.

    Raises:
        DataError: it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"cannot read it: {error.strerror}", where=str(path), hint=_HINT) from None


def parsed(data: bytes, name: str) -> list[Correction]:
    """:func:`read_corrections` for a file's bytes; ``name`` is what messages call it."""
    lines = data.removesuffix(b"\n").split(b"\n")
    head = _object(f"{name}:1", lines[0])
    if head != {"schema": SCHEMA}:
        _refuse(f"{name}:1", f"it does not begin as accepted corrections do ({SCHEMA})")
    corrections = [_read(f"{name}:{at}", line) for at, line in enumerate(lines[1:], start=2)]
    return merged_corrections([], corrections)


def _object(place: str, line: bytes) -> dict[str, Any]:
    try:
        value = parse(line)
    except Fault as fault:
        _refuse(place, f"this line is cut or damaged: {fault}")
    if not isinstance(value, dict):
        _refuse(place, "this line is no JSON object")
    return value


def _read(place: str, line: bytes) -> Correction:
    value = _object(place, line)
    _check_keys(place, value, _KEYS, "", _OPTIONAL)
    for key in ("example_id", "split", "reference", "prompt"):
        bare = key == "reference" and value.get("rejected")
        if not isinstance(value[key], str) or not (value[key].strip() or bare):
            _refuse(place, f"{key}: text is needed")
    if value["split"] not in CORRECTED_SPLITS:
        sealed = "the test set is sealed" if value["split"] == "test" else "it takes dev or pool"
        _refuse(place, f"a row of '{one_line(value['split'], 40)}' cannot be corrected: {sealed}")
    rejected = value.get("rejected", [])
    if not isinstance(rejected, list) or not all(
        isinstance(text, str) and text.strip() for text in rejected
    ):
        _refuse(place, "rejected: a list of texts is needed")
    if rejected and value["split"] != "pool":
        _refuse(place, "rejected: answers to dev teach nobody, only those to the pool may")
    if value["reference"] in rejected:
        _refuse(place, "rejected: the reference is one of these texts")
    longest = _LONGEST[value["split"]]
    for key, texts in {"reference": [value["reference"]], "rejected": rejected}.items():
        if any(len(text) > longest for text in texts):
            _refuse(place, f"{key}: it has more than {longest} characters")
    if not _DIGEST.fullmatch(value["prompt"]):
        _refuse(place, "prompt: 64 hex digits are needed")
    origin = value["origin"]
    if not isinstance(origin, dict) or not all(isinstance(text, str) for text in origin.values()):
        _refuse(place, "origin: an object of texts is needed")
    _check_keys(place, origin, ORIGIN, "origin.")
    rounds = value.get("rounds", [])
    whole = isinstance(rounds, list) and all(type(n) is int and n >= 0 for n in rounds)
    if not whole:
        _refuse(place, "rounds: a list of numbers of rounds is needed")
    shown = tuple(sorted(set(rounds)))
    return Correction(
        **{key: value[key] for key in _KEYS}, place=place, rounds=shown, rejected=tuple(rejected)
    )


def _check_keys(
    place: str, value: Mapping[str, Any], known: Sequence[str], above: str,
    optional: Sequence[str] = (),
) -> None:  # fmt: skip
    for key in value:
        if key not in (*known, *optional):
            names = ", ".join((*known, *optional))
            _refuse(place, f"unknown key {above}{one_line(key, 40)}; known: {names}")
    missing = [above + key for key in known if key not in value]
    if missing:
        _refuse(place, f"{', '.join(missing)}: needed")


def _refuse(place: str, what: str) -> NoReturn:
    raise DataError(what, where=place, hint=_HINT)


def applied(path: Path | None, rows: Sequence[Example]) -> Sequence[Example]:
    """A source's rows with the corrections of the file, where there is one.

    Raises:
        DataError: the file is none, or does not fit the rows.
    """
    return rows if path is None else corrected(rows, read_corrections(path), str(path)).rows
