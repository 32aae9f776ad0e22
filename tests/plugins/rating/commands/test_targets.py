"""Files that commands write where they are told to: every command refuses alike."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

COMMANDS = {
    "export": ("rate", "export", "-o"),
    "pack": ("rate", "pack", "--rater", "ana", "-o"),
    "report as HTML": ("report", "--html"),
    "report as Markdown": ("report", "--md"),
    "scores": ("score", "-p", "a.txt", "-r", "a.txt", "-m", "exact", "--per-example"),
}
"""Each command line lacks its last word, the file."""


@pytest.fixture
def write(desk: Any) -> Callable[[str, str], Any]:
    desk.project.write("one\n", "a.txt")
    return lambda command, target: desk.project.inside(*COMMANDS[command], target)


@pytest.mark.nightly(but_each=3)
@pytest.mark.parametrize("command", COMMANDS)
def test_where_no_file_can_be_nothing_is_written(
    desk: Any, write: Any, refused: Any, command: str
) -> None:
    option = COMMANDS[command][-1]
    (desk.folder / "folder.jsonl").mkdir()
    os.mkfifo(desk.folder / "pipe.jsonl")
    before = sorted(desk.folder.rglob("*"))
    cases = {
        "none/x.jsonl": "there is no folder none",
        "folder.jsonl": "this is a folder",
        "pipe.jsonl": "this is a device or a pipe",
        "x" * 300 + ".jsonl": "name too long",
    }
    for target, words in cases.items():
        refused(write(command, target), 2, f"{option} {target}: ", words)
    assert sorted(desk.folder.rglob("*")) == before
    assert (desk.folder / "pipe.jsonl").is_fifo()


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="there is no /proc here")
@pytest.mark.parametrize("command", [name for name in COMMANDS if name != "scores"])
def test_what_the_system_refuses_is_told_with_the_name_that_was_given(
    write: Any, refused: Any, command: str
) -> None:
    path = f"{COMMANDS[command][-1]} /proc/x: cannot write: "
    refused(write(command, "/proc/x"), 3, path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
@pytest.mark.parametrize("command", COMMANDS)
def test_a_folder_that_is_read_only_is_told(
    desk: Any, write: Any, refused: Any, command: str
) -> None:
    (desk.folder / "locked").mkdir(mode=0o500)
    refused(write(command, "locked/x.jsonl"), 3, "locked", "Permission denied")
