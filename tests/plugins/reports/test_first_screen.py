"""The short report: what a reader came for, on one screen, in a comment, and at the top of all."""

from __future__ import annotations

import copy
import io
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from harness.stats import detectable, difference
from harness_reports import BriefReporter, TerminalReporter, targets
from harness_reports.html.page import page as html_page
from harness_reports.markdown import page as markdown_page
from harness_reports.markdown.comment import comment
from harness_reports.sections.advice import rows_needed

Document = dict[str, Any]


def screen(document: Document, width: int = 80, **console: Any) -> str:
    page = io.StringIO()
    console.setdefault("color_system", None)
    TerminalReporter().show(document, Console(file=page, width=width, **console))
    return page.getvalue()


TOLD = {
    "the verdict, the run and the day": r"▲ IMPROVED +on test · docstrings-3f2a91c4 · 2026-11-26",
    "how good it was and is": r"rougeL 0\.156 → 0\.303 on dev, 0\.150 → 0\.297 on test",
    "how many pass": r"58 of 158 dev answers pass \(base model: 9\)",
    "a guard that is broken": r"✗ broken guard exact, round 2",
    "a round": r"1 ● +▲ improved +240 +0\.303",
    "test": r"1 on test +▲ improved +240 +0\.297",
    "what was weak and added": r"kind = class +31 +48 of 120 +0\.191 +0\.262 +1 → 2",
    "an answer of before": r"json:JSON\S+ +0\.04 +def iterencode",
    "and of now": r" +0\.77 +Encode the given object",
    "the worst": r"tkinter:Misc\.winfo_rgb +0\.00 +\(empty\)",
    "what was wanted": r"wanted +Return a tuple of integers",
    "the settings": r"lora \(r 16, alpha 32, learning_rate 0\.001, epochs 1\)",
    "the data": r"docstrings \(packages stdlib\); 240 train",
    "the model": r"model: adapter \.harness/artifacts/train/4f0c1b9d2e7a on SmolLM2-135M-Instr",
    "the rest": r"harness report docstrings-3f2a91c4 --full",
    "why": r"^  harness why tkinter:Misc\.winfo_rgb docstrings-3f2a91c4$",
    "compare": r"^  harness compare 0 1 --run docstrings-3f2a91c4$",
}


@pytest.mark.parametrize("what", TOLD)
def test_the_screen_tells(analysis: Document, what: str) -> None:
    assert re.search(TOLD[what], screen(analysis), re.MULTILINE)


@pytest.mark.parametrize("width", [80, 100, 160])
def test_it_is_one_screen(analysis: Document, width: int) -> None:
    analysis["better"] = [analysis["better"][0] | {"id": f"row {n}"} for n in range(3)]
    page = screen(analysis, width)
    assert len(page.rstrip("\n").split("\n")) <= 40
    assert max(map(len, page.split("\n"))) <= width


@pytest.mark.parametrize("width", [50, 60, 72])
def test_a_narrow_screen_loses_nothing(analysis: Document, width: int) -> None:
    shown, _, commands = screen(analysis, width).partition("\nNext")
    assert max(map(len, shown.split("\n"))) <= width
    words = " ".join(shown.split())
    for told in (
        "0.297",
        "▲ improved",
        "first_verb = return",
        "lora (r 16",
        "4f0c1b9d2e7a",
        "0.77",
    ):
        assert told in words
    assert "harness why" in commands


def test_a_document_of_a_first_round_has_a_screen(make_document: Callable[..., Document]) -> None:
    page = screen(make_document(1, finished=False, control=False))
    assert page.startswith(" ○ BASELINE   on dev, round 0")
    assert "rougeL 0.156 on dev (base model)" in page
    assert "got better" not in page and "What was weak" not in page


def test_the_title_of_the_answers_says_what_there_is(analysis: Document) -> None:
    assert "Answers that got better, and the worst that did not" in screen(analysis)
    assert "The worst answer that did not get better" in screen(analysis | {"better": []})
    assert "worst" not in screen(analysis | {"not_better": None, "examples": []})
    alone = screen(analysis | {"better": [], "kept_round": 0, "chosen": None})
    assert re.search(r"The worst answer  base model$", alone, re.MULTILINE)


def test_the_short_settings_begin_with_the_training_and_leave_mappings_out(
    analysis: Document,
) -> None:
    analysis["settings"]["data"] |= {"sizes": {"train": 140, "dev": 150}}
    page = screen(analysis)
    assert "  training: lora (r 16" in page and "sizes" not in page
    assert "sizes train 140 dev 150" in markdown_page(analysis)


def test_an_earlier_document_tells_a_slice_by_its_next_finding(analysis: Document) -> None:
    analysis["tables"]["targets"] = []
    first = next(one for one in targets.targets(analysis) if one.after == 1)
    found = {piece["slice"]: piece["score"] for piece in analysis["rounds"][2]["slices"]}
    assert first.slice in found and first.now == found[first.slice]


def test_an_empty_answer_of_two_lines_is_one_line(analysis: Document) -> None:
    analysis["better"][0]["answers"][1]["text"] = "one\n\n[bold]two[/bold]\x1b[31m three"
    assert "one [bold]two[/bold] three" in screen(analysis)


def test_the_command_just_run_is_not_among_the_next(analysis: Document) -> None:
    analysis["next_command"] = "harness report docstrings-3f2a91c4"
    commands = screen(analysis).split("Next (")[1].split(":\n")[1]
    assert commands and "harness report" not in commands


@pytest.mark.parametrize("face", [markdown_page, html_page])
def test_the_others_begin_with_the_same(
    analysis: Document, face: Callable[[Document], str]
) -> None:
    page = face(analysis)
    parts = (
        "What was weak, and what was added", "def iterencode", "Settings and model", "4f0c1b9d2e7a",
        "Error categories on dev",
    )  # fmt: skip
    places = [page.rindex(part) for part in parts]  # on the page the contents name them first
    assert places == sorted(places)


# -- what was weak, what was added ---------------------------------------------------------------


def test_rows_that_nobody_learned_are_no_target(analysis: Document) -> None:
    last = analysis["rounds"][-1]
    last |= {"added": 30, "plan": analysis["rounds"][1]["plan"]}
    assert {one.after for one in targets.targets(analysis)} == {1, 2}


def test_after_a_round_that_regressed_the_best_one_is_what_was_looked_at(
    analysis: Document,
) -> None:
    analysis["rounds"][2]["verdict"]["label"] = "regressed"
    assert {one.source for one in targets.targets(analysis) if one.after == 2} == {1}


def test_rows_from_all_data_are_one_sentence(analysis: Document) -> None:
    for entry in analysis["rounds"][1:3]:
        entry["plan"] = [entry["plan"][-1] | {"rows": 120}]
    page = " ".join(screen(analysis).split())
    assert "No slice underperformed by more than chance, so that rows were drawn from all data" in (
        page
    )
    assert "120 after round 1 (round 2: no evidence), 120 after round 2 (round 3: no evidence)" in (
        page
    )


# -- advice --------------------------------------------------------------------------------------


def unheld(analysis: Document) -> Document:
    for entry in analysis["rounds"]:
        for piece in entry["slices"]:
            piece["q"] = 0.6
    return analysis


def test_where_nothing_is_left_to_gain_it_says_what_would_help(analysis: Document) -> None:
    page = " ".join(screen(unheld(analysis)).split())
    assert "No round after round 1 improved, and no slice underperforms" in page
    # 160 rows find .021; the largest gain seen is .015: 160 (.021 / .015)^2 = 313.6
    assert "about 320 dev rows instead of 160" in page
    assert "(+0.015 in round 2) is found four times out of five" in page
    assert "harness iterate" not in page


def test_a_slice_that_holds_or_a_run_that_goes_on_needs_no_such_advice(
    analysis: Document,
) -> None:
    assert "will hardly help" not in screen(analysis)
    going_on = unheld(analysis) | {"test": None, "sealed": None}
    assert "will hardly help" not in screen(going_on)


def test_no_gain_at_all_asks_for_no_more_dev_rows(analysis: Document) -> None:
    for entry in unheld(analysis)["rounds"][2:]:
        entry["verdict"] |= {"difference": -0.004}
    assert "not more dev rows, as no such round scored higher" in " ".join(screen(analysis).split())


def test_a_tiny_gain_is_no_reason_for_a_huge_dev_set(analysis: Document) -> None:
    for entry in unheld(analysis)["rounds"][2:]:
        entry["verdict"] |= {"difference": 0.001}
    page = " ".join(screen(analysis).split())
    assert "not more dev rows (the largest gain, +0.001 in round 2, would take 71,000)" in page


def mean(sums: Any, weights: Any) -> Any:
    return sums / weights[..., None]


@pytest.mark.parametrize(("gain", "spread"), [(0.02, 0.2), (0.05, 0.3)])
def test_the_announced_rows_find_the_gain_four_times_out_of_five(
    gain: float, spread: float
) -> None:
    alpha, n = 0.05 / 3, 120
    noise = np.random.default_rng(5).normal(0.0, spread, n)
    seen = gain + spread * (noise - noise.mean()) / noise.std(ddof=1)
    power = detectable(float(seen.std(ddof=1) / np.sqrt(n)), 1 - alpha, n, 0.8)
    rows = rows_needed(n, gain, power)
    assert rows is not None and rows > n
    draws = np.random.default_rng(7).normal(gain, spread, (200, rows, 1))
    groups = [str(at) for at in range(rows)]
    bounds = (
        difference(mean, values, np.zeros((rows, 1)), groups, 7, 1 - alpha)[0].low
        for values in draws
    )
    found = sum(low is not None and low > 0 for low in bounds)
    assert 0.75 <= found / len(draws) <= 0.9


# -- a comment on a pull request -----------------------------------------------------------------


def test_a_comment_has_at_most_twenty_lines_and_no_link(analysis: Document) -> None:
    text = comment(analysis)
    assert text.count("\n") <= 20
    for told in (
        "**▲ improved** on test", "| rougeL, test | 0.150 [0.140, 0.172] | 0.297 [0.287, 0.319] |",
        "kind = class: 48 rows after round 1, 0.191 → 0.262", "lora (r 16", "2026-11-26 18:37 UTC",
        "adapter: .harness/artifacts/train/4f0c1b9d2e7a; base model: SmolLM2-135M-Instruct",
    ):  # fmt: skip
        assert told in text
    assert "](" not in text and "http" not in text


def test_a_comment_of_hostile_texts_does_nothing(hostile: Document) -> None:
    text = comment(hostile)
    assert text.count("\n") <= 20
    assert not re.search(r"(?<!\\)<|(?<!\\)\[[a-z]|@someone|://", text)


def test_a_comment_is_the_same_again_and_leaves_the_document(
    analysis: Document, tmp_path: Any
) -> None:
    before = copy.deepcopy(analysis)
    (path,) = BriefReporter().write(analysis, tmp_path)
    assert path.read_text(encoding="utf-8") == comment(analysis) and analysis == before


def test_the_commands_show_each_of_them(finished: tuple[Any, Any]) -> None:
    project, done = finished
    short = project.inside("report", COLUMNS="80").out
    assert len(short.rstrip().split("\n")) <= 40
    assert done.document["model"]["adapter"] in " ".join(short.split())
    assert "Error categories on dev" not in short
    assert "Error categories on dev" in project.inside("report", "--full").out
    brief = project.inside("report", "--brief").out
    assert brief.startswith("**▲ improved** on test: overlap rose by")
    assert brief.count("\n") <= 20
    both = project.inside("report", "--full", "--brief")
    assert both.code == 2 and "one of them" in both.err
