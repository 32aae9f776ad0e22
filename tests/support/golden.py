"""Screens as files: what a command shows is compared with a file under ``tests/golden/``.

``pytest --update-golden PATH`` writes the files of these tests anew; the change of a screen is
then read in the diff. What differs between two machines or two walks is drawn as one thing: the
folder of the test as ``FOLDER``, the name of a run as ``00000000``, a date as ``2026-01-01``, and
the program, which ``-m pytest`` has started, as ``harness``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

TESTS = Path(__file__).parents[1]
FOLDER = TESTS / "golden"
Golden = Callable[..., None]

_ONE_THING = (
    (re.compile(r"^Usage: .*?\bharness\b", re.MULTILINE), lambda m: "Usage: harness"),
    (re.compile(r"\b(?=\w*\d)[0-9a-f]{24}\b|\b(?=\w*\d)[0-9a-f]{8}\b"), lambda m: "0" * len(m[0])),
    (re.compile(r"\b\d{4}-\d\d-\d\d \d\d:\d\d\b"), lambda m: "2026-01-01 00:00"),
)


def place(test_file: Path, function: str, part: str) -> Path:
    """Where the screen of a test lies: ``tests/golden/cli/clean/the_table[.part].txt``."""
    room = test_file.relative_to(TESTS).with_name(test_file.stem.removeprefix("test_"))
    name = function.removeprefix("test_") + (f".{part}" if part else "")
    return FOLDER / room / f"{name}.txt"


def steady(shown: str, folder: Path) -> str:
    """The screen without what the machine and the moment decide, and without spaces at ends."""
    text = shown.replace(str(folder), "FOLDER").replace(str(TESTS), "TESTS")
    for pattern, drawn in _ONE_THING:
        text = pattern.sub(drawn, text)
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines())
