"""What is known of a row as blocks: for ``harness why``, and for whoever asks ``RunView``."""

from __future__ import annotations

import itertools
import json
from concurrent.futures import ThreadPoolExecutor

import pytest

import harness
from harness.database.contents import Answers, RunContents
from harness.database.writing import build
from harness.kit.blocks import Heading, Passage, Table, to_json
from harness.kit.html.blocks import draw as html
from harness.kit.markdown import draw as markdown
from harness.records import Diagnosis, ErrorLabel, Example, Measurement, Prediction
from tests.plugins.inspection.planted import closed, openings, planted, row

HOSTILE = "\x00\x1b[31m\u202egnp\ud800 <script>alert(1)</script> [bold] ' \" `| ../../x"


def test_a_run_gives_what_it_knows_of_a_row(finished, monkeypatch):
    project, result = finished
    monkeypatch.chdir(project.folder)
    run = harness.open_run(result.document["run"])
    blocks = run.explained("dev-4")
    heads = [block.text for block in blocks if isinstance(block, Heading)]
    assert heads == [
        "dev-4", "Answers against the reference", "Scores",
        "Nearest training rows", "Training rows added for its slices",
    ]  # fmt: skip
    answers = [b for b in blocks if isinstance(b, Passage) and b.title.startswith("round ")]
    assert answers and all(kind in ("same", "missing", "extra") for kind, _ in answers[0].pieces)
    screen = project.inside("why", "dev-4", COLUMNS="200").out
    assert all(head in screen for head in heads)


def test_errors_are_those_of_the_command_and_a_look_is_counted(done, monkeypatch):
    project, name = done
    monkeypatch.chdir(project.folder)
    run = harness.open_run(name)
    with pytest.raises(harness.UsageError, match="did you mean 'dev-1'"):
        run.explained("dev1")
    before = openings(project)
    with pytest.raises(harness.UsageError, match="sealed"):
        run.explained("test-3")
    assert openings(project) == before
    assert run.explained("test-3", open_test=True)[0].text == "test-3"
    assert openings(project) == [*before, f"{name} looked at by harness why"]
    with pytest.raises(harness.UsageError, match="no database here yet"):
        harness.open_run("another").explained("dev-1")
    with pytest.raises(harness.HarnessError, match="no name of a file"):
        harness.open_run("../reports").explained("dev-1")


def test_rows_of_a_database_are_read_anew_where_another_takes_its_place(tmp_path, monkeypatch):
    """What makes the nearest rows quick is kept in the process, for threads of a server, too."""
    monkeypatch.chdir(tmp_path)
    answers = [Answers("main", 0, "dev", [Prediction("d", "no")])]

    def near() -> list[str]:
        (shown,) = (b for b in harness.open_run("r").explained("d") if isinstance(b, Table)
                    and b.caption == "training rows")  # fmt: skip
        return [cells[0] for cells in shown.rows]

    for names in (["t1", "t2"], ["t3"]):
        train = [row(name, text=f"a question of {name}") for name in names]
        planted(tmp_path / "reports" / "r", [row("d", "dev"), *train], answers)
        with ThreadPoolExecutor(4) as threads:
            assert list(threads.map(lambda _: near(), range(8))) == [names] * 8


def test_each_sample_of_an_answer_stands_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    said = [Prediction("d", f"answer {n}", sample=n) for n in range(3)]
    planted(tmp_path / "reports" / "r", [row("d", "dev")], [Answers("main", 0, "dev", said)])
    shown = [b.title for b in harness.open_run("r").explained("d") if isinstance(b, Passage)]
    judged = "cannot be judged"
    assert shown[-3:] == [
        f"round 0 (best round): {judged}",
        *(f"round 0 (best round), sample {n}: {judged}" for n in (1, 2)),
    ]


def test_a_hostile_row_is_shown_as_text_and_in_bounds(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name, long = f"a/../'\"{HOSTILE}", HOSTILE + "x" * 1_000_000
    turns = [{"role": HOSTILE, "content": [{HOSTILE: HOSTILE}]}] * 100
    asked = Example(
        name, (*turns, {"role": "user", "content": long}),
        tuple(f"{HOSTILE} {n}" for n in range(5_000)), "dev", HOSTILE, {HOSTILE: long},
        place=HOSTILE,
    )  # fmt: skip
    answers = [
        Answers(
            "main", number, "dev",
            [Prediction(name, f"{long} {sample}", HOSTILE, sample=sample) for sample in range(4)],
            [Measurement(name, "f", None, {}, long)],
            [ErrorLabel(name, f"{HOSTILE} {n}", HOSTILE, HOSTILE) for n in range(99)],
        )
        for number in (0, 1)
    ]  # fmt: skip
    train = [row(f"{HOSTILE} {n}", text=HOSTILE, place=HOSTILE) for n in range(60)]
    cause = Diagnosis(name, HOSTILE, long, long, tuple(r.id for r in train))
    build(tmp_path / "reports" / "r" / "run.duckdb", RunContents(
        "r", "f1", 0, rounds=[closed(n, "baseline", True) for n in (0, 1)],
        examples=[asked, *train], answers=answers, diagnoses={("main", 0): [cause]},
    ))  # fmt: skip
    blocks = harness.open_run("r").explained(name)
    stored = json.dumps([to_json(block) for block in blocks])
    assert len(blocks) < 400 and len(stored) < 3_000_000
    page = html(blocks, itertools.count())
    text = "\n".join(part for block in blocks for part in markdown(block))
    for shown in (page, text):
        assert not set(shown) & set("\x00\x1b\u202e\ud800") and "alert(1)" in shown
    assert "<script" not in page and len(page) < 4_000_000
