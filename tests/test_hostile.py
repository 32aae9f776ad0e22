"""A run whose every text is hostile, seen through every command: nothing comes out but text."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest

from harness.registry import import_file
from harness.store import query
from harness.text import storable

FAKES = Path(__file__).with_name("fakes.py")
ROWS = Path(__file__).with_name("hostile_rows.py")
hostile_rows = import_file(ROWS)
NAMED = storable(hostile_rows.WORST)
"""The kind of error as the database holds it; no shell can pass NUL or half a character."""
CONFIG = f"""\
rounds: 2
seed: 7
plugins: [{ROWS}, {FAKES}]
data: {{source: hostile}}
model: {{source: fake}}
train: {{plugin: hostile}}
generate: {{plugin: hostile}}
metrics: [{{plugin: overlap}}, {{plugin: hostile}}]
primary: overlap
detect: [hostile]
analyze: [hostile]
augment: [{{plugin: fake, rows: 10}}]
sections: [hostile]
report: [terminal, markdown, html]
execution: {{launcher: inline}}
"""
CONTROLS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
FORMULA = re.compile(r"\s*[=+@\-\t\r]")


Run = tuple[Any, Any]


@pytest.fixture(scope="module")
def run(run_once: Run, tmp_path_factory: pytest.TempPathFactory) -> Run:
    made = type(run_once[0])(tmp_path_factory.mktemp("hostile"))
    made.write(CONFIG)
    return made, made.inside("iterate")


def harmless(done: Any, code: int = 0) -> None:
    assert done.code == code, done.err
    for text in (done.out, done.err):
        found = CONTROLS.search(text)
        assert found is None, repr(text[max(0, found.start() - 60) : found.end() + 20])
    assert "Traceback" not in done.err


def test_what_a_run_says(run: Run) -> None:
    project, done = run
    harmless(done)
    notes = [line for line in done.err.split("\n") if line.startswith("note: ")]
    assert any("[/red][bold]x[/bold]" in note for note in notes)
    log = next((project.folder / ".harness/runs").glob("*/harness.log")).read_text("utf-8")
    assert not CONTROLS.search(log)


def test_it_goes_on_and_is_made_again(run: Run) -> None:
    project, done = run
    again = project.inside("iterate")
    harmless(again)
    assert again.out == done.out
    harmless(project.inside("rebuild"))


def ids(project: Any) -> list[str]:
    return [row["id"] for row in project.inside("errors", "--json").document["rows"]]


LOOKS = (
    ("report",), ("runs",), ("errors",), ("compare", "0", "2"), ("check",),
    ("errors", "--category", NAMED), ("errors", "--cause", NAMED),
    ("query", "FROM examples"), ("query", "FROM predictions"), ("query", "FROM errors"),
    ("query", "FROM diagnoses"), ("query", "FROM scores"), ("query", "FROM lineage"),
    ("query", "FROM predictions LIMIT 1"),
)  # fmt: skip


@pytest.mark.parametrize("arguments", LOOKS, ids=lambda found: " ".join(found)[:25].strip("[]"))
def test_at_a_terminal(run: Run, arguments: tuple[str, ...]) -> None:
    project, _ = run
    for width in ("70", "200"):
        harmless(project.inside(*arguments, COLUMNS=width))


def test_every_row_is_shown(run: Run) -> None:
    project, _ = run
    for name in ids(project)[::6]:
        harmless(project.inside("why", "--", name))
        assert project.inside("why", "--json", "--", name).document["id"] == name


REFUSED = (
    ("why", "\x1b]0;x\x07none"), ("errors", "--category", "\x1b[31mx[/red]"),
    ("errors", "--slice", "\x1b[31mx[/red]"), ("query", "SELEC '\x1b[31mx[/red]'"),
    ("query", "SELECT 1", "\x1b[31m[/x]"), ("compare", "\x1b[31m[/x]", "2"),
    ("report", "\x1b[31m[/x]"),
)  # fmt: skip


@pytest.mark.parametrize("arguments", REFUSED, ids=lambda found: found[0])
def test_what_is_refused_is_named_as_text(run: Run, arguments: tuple[str, ...]) -> None:
    harmless(run[0].inside(*arguments), 2)


def test_as_json_nothing_is_lost(run: Run) -> None:
    project, _ = run
    wanted = {text[:300] for text in hostile_rows.TEXTS}
    harmless(found := project.inside("query", "FROM examples WHERE split = 'train'", "--json"))
    prompts = [row["prompt"] for row in found.document]
    kept = {storable(text) for text in wanted}
    seen = [text for text in kept if any(text in prompt for prompt in prompts)]
    assert len(seen) >= 35
    for arguments in (("report",), ("errors",), ("compare", "0", "2"), ("runs",)):
        done = project.inside(*arguments, "--json")
        harmless(done)
        assert done.document


@pytest.mark.parametrize("table", ["examples", "predictions", "errors", "diagnoses", "scores"])
def test_a_sheet_has_no_formula(run: Run, table: str) -> None:
    project, _ = run
    found = project.inside("query", f"FROM {table}", "--csv")
    assert found.code == 0
    assert not CONTROLS.search(found.out.replace("\t", ""))
    head, *rows = csv.reader(io.StringIO(found.out))
    assert rows
    for cell in (cell for row in [head, *rows] for cell in row):
        assert not FORMULA.match(cell) or re.fullmatch(r"-?[\d.]+(e-?\d+)?", cell), cell[:80]


def test_the_pages_hold_it_as_text(run: Run) -> None:
    project, _ = run
    folder = next((project.folder / "reports").iterdir())
    for name in ("report.txt", "report.md", "report.html"):
        page = (folder / name).read_text("utf-8")
        assert not CONTROLS.search(page.replace("\t", "")), name
    assert "<script>window" not in (folder / "report.html").read_text("utf-8")
    for name in ("summary.json", "analysis.json"):
        assert json.loads((folder / name).read_bytes())["run"]
    assert query(folder / "run.duckdb", "SELECT count(*) FROM examples").rows[0] == (176,)
