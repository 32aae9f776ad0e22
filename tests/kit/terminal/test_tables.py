"""Tables at several widths: no column, name or verdict is lost, and no word is broken."""

from __future__ import annotations

import dataclasses
import io
import json
import random
from typing import Any

import pytest
from rich.console import Console

from harness.kit.blocks import Column, Table, flaw, from_json, table, to_json
from harness.kit.terminal.blocks import draw_rows

WIDTHS = (50, 60, 72, 80, 160)
NAMES = ("bleu", "chrf", "rouge1", "rouge2", "rougeL", "rougeLsum")
FILES = {"new.jsonl": 1, "old.jsonl": 3, "refs.jsonl": 0}


def words(text: str) -> list[str]:
    return text.replace(":", " ").split()


def drawn(shown: Table, width: int) -> list[str]:
    console = Console(file=io.StringIO(), width=width)
    draw_rows(shown, console)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]  # type: ignore[attr-defined]


EXAMPLE = Table(
    (Column("score"), Column("value", "number"), Column("what it says"), Column("", "label")),
    (
        ("rougeLsum", "0.1234", "the longest common subsequence", "no evidence"),
        ("[red]ter", "12.00", "", "improved"),
    ),
    "an example",
)


def test_columns_stand_side_by_side_where_they_have_room() -> None:
    assert drawn(EXAMPLE, 65) == [
        "score       value  what it says",
        "rougeLsum  0.1234  the longest common subsequence  ◆ no evidence",
        "[red]ter    12.00                                  ▲ improved",
    ]


def test_texts_are_wrapped_before_anything_else_gives_way() -> None:
    assert drawn(EXAMPLE, 49) == [
        "score       value  what it says",
        "rougeLsum  0.1234  the longest      ◆ no evidence",
        "                   common",
        "                   subsequence",
        "[red]ter    12.00                   ▲ improved",
    ]


def test_rows_are_stacked_where_columns_have_no_room() -> None:
    assert drawn(EXAMPLE, 40) == [
        "rougeLsum  ◆ no evidence",
        "  value 0.1234",
        "  what it says: the longest common",
        "  subsequence",
        "[red]ter  ▲ improved",
        "  value 12.00",
    ]


NAMED = Table(
    (Column("id", "id"), Column("score", "number"), Column("answer / reference", "line")),
    (("row-1", "0.5", ("yes, of course, at once", "no")), ("row-2", "1", "it is [b]bold[/b]")),
    "named rows",
)


def test_lines_are_cut_and_stand_below_each_other() -> None:
    assert drawn(NAMED, 32) == [
        "id     score  answer / reference",
        "row-1    0.5  yes, of course, a…",
        "              no",
        "row-2      1  it is [b]bold[/b]",
    ]


def test_a_name_to_be_copied_is_never_broken() -> None:
    long = "a-name-that-is-longer-than-the-terminal-is-wide"
    rows = ((long, "0.5", ("yes, of course, at once", "no")),)
    assert drawn(dataclasses.replace(NAMED, rows=rows), 22) == [
        long, "  score 0.5", "  answer     yes, of …", "  reference  no",
    ]  # fmt: skip


def test_of_many_texts_each_has_what_it_needs_or_its_share() -> None:
    rows = [("short", "one two three four five six seven", "some words of a sentence")]
    assert drawn(table(["a", "b", "c"], rows), 44) == [
        "a      b                   c",
        "short  one two three four  some words of a",
        "       five six seven      sentence",
    ]


def test_spare_columns_are_left_out_in_their_order_and_named() -> None:
    rows = [("name", "1", "22222222", "3333333")]
    shown = table(["x", "a", "b", "c"], rows, right=["a", "b", "c"], spare=["c", "a"])
    assert drawn(shown, 23)[:2] == ["x     a         b", "name  1  22222222"]
    assert " ".join(drawn(shown, 23)[2:]) == "not shown for want of room: c"
    assert drawn(shown, 15)[:2] == ["x            b", "name  22222222"]
    assert " ".join(drawn(shown, 15)[2:]) == "not shown for want of room: a, c"


def test_a_table_without_rows_is_its_head() -> None:
    assert drawn(table(["score", "value"], []), 40) == ["score  value"]
    assert flaw(NAMED) == "" == flaw(from_json(to_json(NAMED)))


@pytest.fixture(scope="module")
def folder(finished: Any) -> Any:
    """A finished run, and beside it files of answers to score."""
    project, _ = finished
    draw = random.Random(1)
    texts = [
        draw.choices(["the", "refund", "will", "arrive", "on", "monday", "by", "card"], k=8)
        for _ in "x" * 40
    ]
    for name, spoilt in FILES.items():
        rows = (
            {"id": n, "text": " ".join(["x"] * spoilt + w[spoilt:])} for n, w in enumerate(texts)
        )
        project.write("".join(json.dumps(row) + "\n" for row in rows), name)
    return project


@pytest.mark.nightly(but_each=6)
@pytest.mark.parametrize("width", WIDTHS)
def test_a_comparison_of_files_keeps_scores_and_verdicts(width: int, folder: Any) -> None:
    done = folder.inside(
        "score", "-p", "new.jsonl", "-b", "old.jsonl", "-r", "refs.jsonl",
        "-m", "bleu,chrf,rouge", COLUMNS=str(width),
    )  # fmt: skip
    there = words(done.out.split("Signatures")[0].replace(", ", " "))
    for name in NAMES:
        assert name in there
    assert there.count("improved") == len(NAMES)
    for title in ("baseline", "value", "interval", "p"):
        assert title in there
    assert max(map(len, done.out.splitlines())) <= width


@pytest.mark.nightly(but_each=3)
@pytest.mark.parametrize("width", WIDTHS)
def test_a_comparison_of_rounds_keeps_scores_and_verdicts(width: int, folder: Any) -> None:
    done = folder.inside("compare", "0", "1", COLUMNS=str(width))
    first = done.out.split("\n\n")[1]
    assert "overlap" in first.split() and "improved" in first.split()
    for title in ("A", "B", "B - A", "95 % interval", "p"):
        assert title in first


@pytest.mark.parametrize("width", WIDTHS)
def test_the_list_of_runs_keeps_names_and_verdicts(width: int, folder: Any) -> None:
    name = folder.inside("runs", "--json").document[0]["run"]
    done = folder.inside("runs", COLUMNS=str(width))
    known = {name, "best", "round", "verdict", "improved", "overlap", "fake", "data", "UTC"}
    assert known <= set(words(done.out))


@pytest.mark.nightly(but_each=3)
@pytest.mark.parametrize("width", WIDTHS)
def test_wrong_answers_keep_their_ids_and_scores(width: int, folder: Any) -> None:
    rows = folder.inside("errors", "--json", "--limit", "20").document["rows"]
    there = words(folder.inside("errors", COLUMNS=str(width)).out)
    for row in rows:
        assert row["id"] in there and f"{row['score']:.4f}" in there


@pytest.mark.nightly(but_each=3)
@pytest.mark.parametrize("width", WIDTHS)
def test_the_report_keeps_rounds_and_verdicts(width: int, folder: Any) -> None:
    text = folder.inside("report", "--full", COLUMNS=str(width)).out
    there = words(text.split("Test set")[0].split("Rounds")[1])
    assert sum(there.count(label) for label in ("improved", "evidence", "regressed")) >= 3
    assert {"0", "1", "2", "3", "baseline"} <= set(there)


@pytest.mark.nightly(but_each=3)
@pytest.mark.parametrize("width", WIDTHS)
def test_the_list_of_plugins_keeps_names_and_packages(width: int, folder: Any) -> None:
    known = folder.inside("plugins", "--json").document["plugins"]
    there = words(folder.inside("plugins", COLUMNS=str(width)).out)
    for plugin in known:
        assert {plugin["name"], plugin["stage"], plugin["origin"].split()[0]} <= set(there)
