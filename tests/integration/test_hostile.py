"""A run whose every text is hostile, seen through every command: nothing comes out but text."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import Any

import pytest
from markdown_it import MarkdownIt
from rich.console import Console

from harness.database.writing import query
from harness.kit.terminal.progress import Display
from harness.kit.text import storable
from harness.registry import import_file
from tests.support import nightly
from tests.support.project import FAKES, SUPPORT

ROWS = SUPPORT / "hostile_rows.py"
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


@pytest.mark.nightly
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


@pytest.mark.nightly(but_each=14)
@pytest.mark.parametrize("arguments", LOOKS, ids=lambda found: " ".join(found)[:25].strip("[]"))
def test_at_a_terminal(run: Run, arguments: tuple[str, ...]) -> None:
    project, _ = run
    harmless(project.inside(*arguments, COLUMNS="70"))
    if arguments[0] != "query":
        harmless(project.inside(*arguments, COLUMNS="200"))


def test_every_row_is_shown(run: Run) -> None:
    project, _ = run
    for place, name in enumerate(ids(project)[:: 1 if nightly.FULL else 7]):
        harmless(project.inside("why", "--", name))
        if place % 10:
            continue
        assert project.inside("why", "--json", "--", name).document["id"] == name


REFUSED = (
    ("why", "\x1b]0;x\x07none"), ("errors", "--category", "\x1b[31mx[/red]"),
    ("errors", "--slice", "\x1b[31mx[/red]"), ("query", "SELEC '\x1b[31mx[/red]'"),
    ("query", "SELECT 1", "\x1b[31m[/x]"), ("compare", "\x1b[31m[/x]", "2"),
    ("report", "\x1b[31m[/x]"),
)  # fmt: skip


@pytest.mark.nightly(but_each=8)
@pytest.mark.parametrize("arguments", REFUSED, ids=lambda found: found[0])
def test_what_is_refused_is_named_as_text(run: Run, arguments: tuple[str, ...]) -> None:
    harmless(run[0].inside(*arguments), 2)


@pytest.mark.nightly
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


@pytest.mark.nightly(but_each=6)
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
    tokens = (
        MarkdownIt("commonmark").enable("table").parse((folder / "report.md").read_text("utf-8"))
    )
    kinds = {child.type for token in tokens for child in (token.children or [token])}
    assert not kinds & {"html_inline", "html_block", "link_open", "image", "code_inline"}
    for name in ("summary.json", "analysis.json"):
        assert json.loads((folder / name).read_bytes())["run"]
    assert query(folder / "run.duckdb", "SELECT count(*) FROM examples").rows[0] == (176,)


PLUGINS = SUPPORT / "hostile_plugins.py"
OF_FAKES = CONFIG.replace(f"plugins: [{ROWS}, ", "plugins: [").replace(
    "{source: hostile}", "{source: fake}"
)


def changed(project: Any, **lines: str) -> None:
    """The config of the fakes, with these lines in place of its own."""
    text = OF_FAKES.replace("plugins: [", f"plugins: [{PLUGINS}, {ROWS}, ")
    for key, value in lines.items():
        text = re.sub(rf"(?m)^{key}: .*$", lambda _, k=key, v=value: f"{k}: {v}", text)
    project.write(text)


@pytest.mark.nightly(but_each=6)
@pytest.mark.parametrize("fault", ["id", "split", "meta", "group", "raise"])
def test_rows_that_are_none_are_named_by_check_and_by_the_run(project: Any, fault: str) -> None:
    changed(project, data=f"{{source: bad, fault: {fault}}}")
    for command in ("check", "iterate"):
        done = project.inside(command)
        harmless(done, 5)
        assert f"plugin: source 'bad' from {PLUGINS}, data: " in done.err
        assert max(map(len, done.err.split("\n"))) < 1_000


FAULTS = {
    "none": 5, "alien": 5, "list": 5, "text": 5, "twice": 5, "raise": 5, "class": 5, "data": 4,
    "wait": 6,
}  # fmt: skip


@pytest.fixture(scope="module")
def begun(run_once: Run, tmp_path_factory: pytest.TempPathFactory) -> Any:
    return type(run_once[0])(tmp_path_factory.mktemp("begun"))


@pytest.mark.nightly(but_each=12)
@pytest.mark.parametrize("fault", FAULTS)
def test_what_a_plugin_fails_with_is_text(begun: Any, fault: str) -> None:
    changed(begun, data="{source: hostile}", generate=f"{{plugin: bad, fault: {fault}}}")
    done = begun.inside("iterate")
    harmless(done, FAULTS[fault])
    assert max(map(len, done.err.split("\n"))) < 1_000
    traced = begun.inside("iterate", "--debug")
    assert "Traceback" in traced.err and not CONTROLS.search(traced.err)


@pytest.fixture(scope="module")
def named(run_once: Run, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A run that is decided by a score with a hostile name."""
    made = type(run_once[0])(tmp_path_factory.mktemp("named"))
    score = import_file(PLUGINS).SCORE
    changed(made, rounds="1", metrics="[bad, overlap]", primary=json.dumps(score))
    harmless(made.inside("iterate"))
    return made


OWN = ("--plugin", str(PLUGINS), "--plugin", str(FAKES))
SHOWN = (
    ("report",), ("runs",), ("errors",), ("compare", "0", "1"), ("test",), ("check",),
    ("query", "FROM scores"), ("config", "show"), ("config", "show", "--origin"), ("plugins",),
    ("score", "--run", "RUN", "-m", "bad,overlap", *OWN),
    ("score", "--run", "RUN", "-m", "overlap", *OWN, "--by", "kind"),
)  # fmt: skip


@pytest.mark.nightly(but_each=12)
@pytest.mark.parametrize("arguments", SHOWN, ids=lambda found: " ".join(found)[:22])
def test_a_score_with_a_hostile_name(named: Any, arguments: tuple[str, ...]) -> None:
    run = next((named.folder / "reports").iterdir()).name
    harmless(named.inside(*(run if one == "RUN" else one for one in arguments)))


def test_a_live_display_is_text_too() -> None:
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=100)
    with Display(console, hostile_rows.WORST, 10.0) as display:
        report = display.stage(f"round 1: train {hostile_rows.WORST}")
        report(1, 2, hostile_rows.WORST)
        display.say(f"note: {hostile_rows.WORST}")
        display._progress.refresh()
    own = re.sub(r"\x1b\[[?\d;]*[A-Za-z]", "", screen.getvalue()).replace("\r", "")
    assert not CONTROLS.search(own)
    assert "\x1b[2J" not in screen.getvalue() and "[bold]x[/bold]" in own


def rows_of_a_file() -> list[dict[str, Any]]:
    """Rows for train, pool, dev and test; those to train on nearly repeat the held-out ones."""
    texts = [storable(text) for text in hostile_rows.TEXTS[::4]]
    rows = []
    for number, text in enumerate(texts):
        words = " ".join(f"{word}{number}" for word in hostile_rows.fakes.WORDS)
        for split, place in (("train", 0), ("dev", 0), ("pool", 500), ("test", 500)):
            please = " please" if split in ("train", "pool") else ""
            prompt = f"{text[:3000]} {number + place}: {words} {number + place}{please}"
            rows.append({
                "id": f"{text[:200]} {split}{number}", "split": split, "references": [text + words],
                "messages": [{"role": "user", "content": prompt}], "meta": {text[:90]: text[:90]},
            })  # fmt: skip
    return rows


@pytest.mark.nightly
def test_near_repeats_of_a_file(project: Any) -> None:
    lines = [json.dumps(row) + "\n" for row in rows_of_a_file()]
    (project.folder / "rows.jsonl").write_text("".join(lines))
    changed(project, data="{source: jsonl, path: rows.jsonl}", generate="{plugin: fake}")
    done = project.inside("check")
    harmless(done)
    assert done.out.count("\n  similarity ") >= 3
    harmless(project.inside("iterate", "--rounds", "1"))
    harmless(project.inside("report"))


WRONG: dict[str, Any] = {
    "id": {"id": [storable(hostile_rows.WORST)]},
    "key": {storable(hostile_rows.WORST): 1},
    "split": {"split": storable(hostile_rows.WORST)},
    "role": {"messages": [{"role": storable(hostile_rows.WORST), "content": "x"}]},
    "turn": {"messages": [{"role": "user", "content": "x", storable(hostile_rows.WORST): 1}]},
    "meta": {"meta": {storable(hostile_rows.WORST): [1]}},
    "group": {"group": "\x1b[31m[red]"},
    "half": {"id": hostile_rows.WORST},
}


@pytest.mark.nightly(but_each=2)
@pytest.mark.parametrize("name", WRONG)
def test_problems_of_a_file_that_quote_it(project: Any, name: str) -> None:
    rows = rows_of_a_file()
    rows += [{**row, "id": "\x1b]0;x\x07twice", **WRONG[name]} for row in rows[:2]]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (project.folder / "\x1b[31m[red].jsonl").write_text(text)
    changed(project, data='{source: jsonl, path: "\\e[31m[red].jsonl"}')
    done = project.inside("check")
    harmless(done, 4)
    assert done.err.startswith("data: ") and "[red].jsonl" in done.err
