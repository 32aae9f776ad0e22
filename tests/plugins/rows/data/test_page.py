"""The page on ``harness data`` names every option, every key of the documents, every command."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from harness_rows.commands.data.app import app

from .conftest import Shop, shop

PAGE = (Path(__file__).parents[4] / "docs" / "data.md").read_text("utf-8")
OWN = ("check", "stats", "preview", "split")


def group() -> Any:
    return get_command(app)


@pytest.mark.parametrize("name", OWN)
def test_every_option_is_named(name: str) -> None:
    command = group().commands[name]
    options = [p.opts[-1] if p.name != "config" else "-c" for p in command.params]
    options = [one for one in options if one.startswith("-")]
    assert len(options) > 5
    assert [one for one in options if not re.search(rf"{one}\b", PAGE)] in ([], ["--output"])


@pytest.mark.nightly(but_each=2)
@pytest.mark.parametrize("name", OWN)
def test_every_key_of_the_document_is_named(place: Shop, name: str) -> None:
    place.write(shop())
    output = ["-o", "out.jsonl"] if name == "split" else []
    document = place.data(name, "shop.jsonl", "--json", *output).document
    section = PAGE.split(f"## `harness data {name}`")[1].split("\n## ")[0]
    assert [key for key in document if f"`{key}`" not in section] == []


def test_a_line_of_help_is_not_cut(place: Shop) -> None:
    done = place.data("--help", COLUMNS="80")
    assert done.code == 0 and "..." not in done.out.replace("[ARGS]...", "")
    for name in OWN:
        assert f"  {name} " in done.out


def test_help_loads_nothing_heavy() -> None:
    import subprocess
    import sys

    code = (
        "import sys\nfrom harness.cli import main\nsys.argv = ['harness', 'data', '--help']\n"
        "try: main()\nexcept SystemExit: pass\n"
        "print({'numpy', 'torch', 'pyarrow', 'datasets', 'duckdb'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "set()"
