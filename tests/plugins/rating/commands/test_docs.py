"""The page on rating rounds names every command and option of ``harness rate``, and its default."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import typer

from harness.cli.commands import app

TEXT = (Path(__file__).parents[4] / "docs" / "rating-round.md").read_text(encoding="utf-8")
ROOT: Any = typer.main.get_command(app)
COMMANDS: dict[str, Any] = ROOT.get_command(None, "rate").load().commands
HEADINGS: dict[str, str] = dict(re.findall(r"^### `rate ([a-z]+)(.*)`$", TEXT, re.MULTILINE))


def rows(command: str) -> dict[str, str]:
    """Option -> what its row says of the default."""
    section = TEXT.split(f"### `rate {command}{HEADINGS[command]}`\n")[1].split("\n##")[0]
    found = re.findall(r"^\| `(-[^ `]+)[^|]*\|.*\|([^|]*)\|$", section, re.MULTILINE)
    return {name: default.strip() for name, default in found}


def options(command: str) -> dict[str, Any]:
    """Option -> how the program takes it; arguments stand in the heading."""
    found = [one for one in COMMANDS[command].params if one.param_type_name == "option"]
    return {one.opts[-1]: one for one in found}


def test_the_page_has_every_command_in_the_order_of_the_help() -> None:
    assert list(HEADINGS) == list(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_page_names_what_a_command_takes(command: str) -> None:
    params = [one for one in COMMANDS[command].params if one.param_type_name == "argument"]
    assert HEADINGS[command].split() == [one.metavar for one in params]
    assert sorted(rows(command)) == sorted(options(command))


@pytest.mark.parametrize("command", COMMANDS)
def test_defaults_on_the_page_are_those_of_the_program(command: str) -> None:
    told = rows(command)
    for name, param in options(command).items():
        if param.required:
            assert told[name] == "needed", name
        elif not any(param.default is one for one in (None, False)) and param.default != []:
            assert told[name].strip("`") == str(param.default), name
        else:
            assert told[name] != "needed", name
