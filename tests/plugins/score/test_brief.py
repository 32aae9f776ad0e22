"""``harness score --brief`` and ``--junit``: what a pull request is told."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from tests.support.golden import Golden
from tests.support.project import Project

WORDS = ["the", "invoice", "was", "paid", "last", "week", "a", "refund", "is", "on", "its", "way"]
PAIR = ("score", "-p", "new.jsonl", "-b", "old.jsonl", "-r", "refs.jsonl", "-m", "rouge,ter")
HOSTILE = "| x |\n```\n<script>a</script> @someone #1 [a](http://evil.example) \x1b[2J\x00"


def written(project: Project, name: str, rows: list[dict[str, Any]]) -> None:
    project.write("".join(json.dumps(row) + "\n" for row in rows), name)


@pytest.fixture
def pair(project: Project) -> Project:
    """refs.jsonl, old.jsonl and new.jsonl: better at two kinds of rows, worse at one."""
    draw = random.Random(5)
    wrong = {"old": {"ab": 0.4, "c": 0.2}, "new": {"ab": 0.1, "c": 0.5}}
    kinds = ["abc"[number % 3] for number in range(60)]
    texts = [" ".join(draw.choices(WORDS, k=12)) for _ in kinds]
    rows = list(enumerate(zip(texts, kinds, strict=True)))
    written(
        project,
        "refs.jsonl",
        [{"id": f"r{n}", "references": [text], "kind": kind} for n, (text, kind) in rows],
    )
    for name, shares in wrong.items():
        answers = []
        for number, (text, kind) in rows:
            share = shares["c" if kind == "c" else "ab"]
            words = ("no" if draw.random() < share else word for word in text.split())
            answers.append({"id": f"r{number}", "text": " ".join(words)})
        written(project, f"{name}.jsonl", answers)
    return project


def test_a_comment_has_the_verdict_the_other_scores_and_what_got_worse(
    pair: Project, golden: Golden
) -> None:
    asked = ("--primary", "rougeL", "--by", "kind", "--brief", "--min-gain", "0.2")
    done = pair.inside(*PAIR, *asked)
    assert done.code == 1 and "not as required: rougeL" in done.err
    golden(done.out, "beside")
    alone = pair.inside("score", *PAIR[1:3], *PAIR[5:], "--primary", "ter", "--brief")
    assert alone.code == 0, alone.err
    golden(alone.out, "alone")


def test_hostile_answers_ids_fields_and_file_names_are_only_text(pair: Project) -> None:
    rows = [json.loads(line) for line in (pair.folder / "refs.jsonl").read_text().splitlines()]
    for name, text in (("a`|<b>@x.jsonl", "no no"), ("old.jsonl", None)):
        answers = [
            {"id": HOSTILE + row["id"], "text": HOSTILE + (text or row["references"][0])}
            for row in rows
        ]
        written(pair, name, answers)
    hostile = [{**row, "id": HOSTILE + row["id"], "kind": HOSTILE} for row in rows]
    written(pair, "refs.jsonl", hostile)
    done = pair.inside(
        "score", "-p", "a`|<b>@x.jsonl", *PAIR[3:], "--primary", "rougeL", "--by", "kind",
        "--brief", "--junit", "verdicts.xml",
    )  # fmt: skip
    assert done.code == 0, done.err
    assert done.out.startswith("### ▼ regressed") and done.out.count("\n| ---") == 3
    tables = [line for line in done.out.splitlines() if line.startswith("|")]
    assert len({len(re.findall(r"(?<!\\)\|", line)) for line in tables[-6:]}) == 1
    assert not re.search(r"(?<!\\)[<`]|(?<!\\)\[a|@\w|#\d|://|[\x00\x1b]", done.out)
    [case] = ET.parse(pair.folder / "verdicts.xml").getroot().iter("testcase")
    assert case[0].tag == "failure" and case[0].get("message", "").startswith("regressed: rougeL")


@pytest.mark.parametrize(
    ("asked", "outcomes", "code"),
    [
        ((), {"rouge1", "rouge2", "rougeL", "rougeLsum", "ter"}, 0),
        (("--primary", "ter"), {"ter"}, 0),
        (("--primary", "ter", "--require", "improved"), {"ter"}, 0),
        (("--primary", "ter", "--min-gain", "90"), {"ter: failure"}, 1),
    ],
)
def test_each_score_or_the_one_that_decides_is_a_test(
    pair: Project, asked: tuple[str, ...], outcomes: set[str], code: int
) -> None:
    done = pair.inside(*PAIR, *asked, "--junit", "verdicts.xml")
    assert done.code == code, done.err
    cases = ET.parse(pair.folder / "verdicts.xml").getroot().iter("testcase")
    assert {": ".join([case.get("name", ""), *(x.tag for x in case)]) for case in cases} == outcomes


def test_what_cannot_be_meant_is_refused_before_anything_is_read(pair: Project) -> None:
    for asked, told in (
        (("--brief",), "--brief tells about one score, and there are 5"),
        (("--brief", "--json"), "one of them"),
        (("--junit", "no/such/file.xml"), "there is no folder no/such"),
        (("--junit", "new.jsonl"), "this file is read"),
    ):
        done = pair.inside(*PAIR, *asked)
        assert (done.code, done.out, told in done.err) == (2, "", True), done.err
    alone = pair.inside("score", *PAIR[1:3], *PAIR[5:], "--junit", "verdicts.xml")
    assert alone.code == 2 and "--junit tells about one system against one baseline" in alone.err
    assert not Path(pair.folder, "verdicts.xml").exists()
