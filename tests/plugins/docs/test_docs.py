"""``harness docs``: every page is listed with what it answers, and each can be shown."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest

from harness.config import finding
from harness.kit.text import plain
from harness_docs import command, search as docs_search

ROOT = finding.shipped("docs").parent
NAMES = {
    path.relative_to(ROOT / "docs").with_suffix("").as_posix()
    for path in (ROOT / "docs").rglob("*.md")
}
TEXTS = [
    path
    for folder, kind in (("harness", "py"), ("plugins", "py"), ("docs", "md"), ("datasets", "yaml"))
    for path in (ROOT / folder).rglob(f"*.{kind}")
]


def test_the_index_has_every_page_once_in_the_order_of_a_readers_life() -> None:
    text = (ROOT / "docs" / "README.md").read_text("utf-8")
    groups = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert (groups[0], groups[-1]) == ("A first day", "Background")
    listed = [entry["page"] for entry in command._ENTRY.finditer(text)]
    assert sorted(listed) == sorted(
        name for name in NAMES if not name.startswith(("metrics/", "plugins/")) and name != "README"
    )
    assert len(listed) == len(re.findall(r"^- ", text, re.MULTILINE))


@pytest.mark.parametrize("columns", ["50", "80"])
def test_the_list_names_every_page_whatever_the_width(columns: str, project: Any) -> None:
    done = project.inside("docs", COLUMNS=columns)
    first = [line.split()[0] for line in done.out.splitlines() if line.strip()]
    assert {name for name in NAMES if "/" not in name} - {"README"} <= set(first)
    assert max(map(len, done.out.splitlines())) <= int(columns)


@pytest.mark.parametrize("asked", ["data", "data.md", "docs/data.md", "metrics/bleu", "bleu"])
def test_a_page_in_a_pipe_is_its_markdown(asked: str, project: Any) -> None:
    done = project.inside("docs", asked)
    name = "metrics/bleu" if "bleu" in asked else "data"
    lines = (ROOT / "docs" / f"{name}.md").read_text("utf-8").splitlines()
    marks = [line for line in lines if line.startswith("<!-- ")]
    assert len(marks) == (2 if name == "metrics/bleu" else 0)
    assert done.out.splitlines() == [line for line in lines if line not in marks]


def test_what_a_page_has_from_the_program_is_shown_and_searched(project: Any) -> None:
    shown = project.inside("docs", "config").out
    assert "### `train`: `lora`" in shown and "<!-- " not in shown
    hits = project.inside("docs", "--search", "which commit, tag or branch", COLUMNS="80").out
    assert "config  data: rows" in hits


def test_a_page_in_a_terminal_is_formatted_and_links_are_commands(project: Any) -> None:
    done = project.inside("docs", "reading-the-report", FORCE_COLOR="1", COLUMNS="60")
    words = " ".join(plain(done.out).split())
    assert "](" not in words and "**" not in words
    assert "(harness docs verdicts)" in words
    assert "(picture: The verdict," in words
    done = project.inside("docs", "evidence", FORCE_COLOR="1", COLUMNS="200")
    assert "(benchmarks/targeting.md)" in " ".join(plain(done.out).split())


@pytest.mark.parametrize("columns", ["50", "80"])
def test_no_word_of_a_table_is_lost(columns: str, project: Any) -> None:
    done = project.inside("docs", "loop", FORCE_COLOR="1", COLUMNS=columns)
    letters = "".join(plain(done.out).split())
    for path in ("reports/<run>/config.yaml", ".harness/test-openings.jsonl", "run.duckdb"):
        assert path in letters


@pytest.mark.parametrize("page", ["bleu", "plugins"])
def test_a_narrow_table_has_every_word_of_a_wide_one(page: str, project: Any) -> None:
    """Where columns have to be narrowed, no cell is cut at the terminal's edge."""
    narrow, wide = (
        Counter(plain(project.inside("docs", page, FORCE_COLOR="1", COLUMNS=width).out).split())
        for width in ("80", "300")
    )
    assert wide - narrow == Counter()


def test_links_within_a_page_are_words_and_those_of_a_folder_are_commands(project: Any) -> None:
    done = project.inside("docs", "use-the-model", FORCE_COLOR="1", COLUMNS="100")
    assert "(#" not in plain(done.out)
    for page, words in (
        ("json", "exact (harness docs metrics/exact)"),
        ("bleu", "(harness docs metrics)"),
        ("facts", "(datasets/support-billing/README.md)"),
    ):
        done = project.inside("docs", page, FORCE_COLOR="1", COLUMNS="200")
        assert words in " ".join(plain(done.out).split())


@pytest.mark.nightly(but_each=3)
@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("verdict", "no page 'verdict', did you mean 'verdicts'?"),
        ("../README", "no page '../README'"),
        ("\x1b[31mdata", "no page 'data'"),
    ],
)
def test_an_unknown_page_is_an_error_with_the_nearest_name(
    asked: str, words: str, project: Any
) -> None:
    done = project.inside("docs", asked)
    assert (done.code, done.out) == (2, "")
    assert words in done.err and "-> harness docs" in done.err


@pytest.mark.nightly
def test_an_unknown_page_says_where_the_word_stands(project: Any) -> None:
    done = project.inside("docs", "checkpoint_minutes")
    assert done.code == 2 and "the word stands in " in done.err
    assert "training" in done.err and "harness docs --search checkpoint_minutes" in done.err


@pytest.mark.nightly(but_each=2)
@pytest.mark.parametrize("asked", ["memory runs out", "MEMORY  run-out"])
def test_a_search_shows_page_heading_and_lines_the_best_first(asked: str, project: Any) -> None:
    done = project.inside("docs", "--search", asked, COLUMNS="80")
    lines = done.out.splitlines()
    assert done.code == 0 and lines[0] == "training  When memory runs out"
    assert lines[1].startswith("  ") and "memory" in done.out.partition("\n")[2]
    assert max(map(len, lines)) <= 80 and "[" not in lines[0]


@pytest.mark.nightly(but_each=3)
@pytest.mark.parametrize("asked", ["zzqq", "", "[/]zzqq\x1b"])
def test_what_no_page_holds_is_said(asked: str, project: Any) -> None:
    done = project.inside("docs", "--search", asked)
    assert (done.code, done.out) == (2, "")
    assert "no page holds" in done.err and "\x1b" not in done.err


def test_sections_are_told_by_their_headings_and_not_by_comments_of_code() -> None:
    text = "# A\none\nline\n\n```sh\n# no heading\nrun it\n```\n"
    text += "## `B` [x](y.md)\n| a | b |\n|---|---|\n"
    found = docs_search.sections("page", text)
    assert [(section.heading, section.lines) for section in found] == [
        ("", ()), ("A", ("one line", "# no heading", "run it")), ("B x", ("a · b",)),
    ]  # fmt: skip
    [hit, other] = docs_search.search(["lines", "run"], found[:2] + found)
    assert hit.section.heading == other.section.heading == "A" and hit.words == 2
    assert docs_search.search(["ine"], found) == []


def test_every_page_that_a_text_names_exists() -> None:
    named = {
        (path.relative_to(ROOT).as_posix(), page)
        for path in [*TEXTS, ROOT / "README.md", ROOT / "harness.yaml"]
        for page in re.findall(r"harness docs ([a-z][\w/-]*)", path.read_text("utf-8"))
    }
    assert {page for _, page in named} >= {"formats", "config"}
    short = {name.rpartition("/")[2] for name in NAMES}
    assert {pair for pair in named if pair[1] not in NAMES | short} == set()


def test_no_message_names_a_file_that_an_installed_wheel_lacks() -> None:
    """Docstrings, which mark code by two backticks, may: they are for those who have the source."""
    named = {
        path.relative_to(ROOT).as_posix(): found
        for path in TEXTS
        if path.suffix != ".md"
        and (found := re.findall(r"(?<!`)docs/[\w-]+\.md", path.read_text("utf-8")))
    }
    assert named == {}
