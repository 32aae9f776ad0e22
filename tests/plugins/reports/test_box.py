"""The first lines of a report: what stands against an improvement, in whole sentences."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from harness.kit.blocks import Bullets, Paragraph, Table
from harness_reports.sections import box, prompts
from harness_reports.sections.general import GeneralSection
from harness_reports.sections.prompts import PromptsSection
from tests.plugins.reports.faces import comment, markdown, page, render, render_first
from tests.support.documents import whole

SAID = (
    "Round 1 beats the base model by 0.689 in f1, and few-shot, the best of 2 prompts on dev, by "
    "0.449: each by at least 0.360 at 95 % confidence. All figures are of the same 100 rows of "
    "test."
)
LOST = (
    "The model answers general instructions worse than before: 22 of 40 were answered right "
    "before, 4 after (18 lost, 0 gained, exact one-sided p < 0.001)."
)
LOSS = (
    "The model predicts general text worse than before: +0.054 nats per token [+0.021, +0.087], "
    "perplexity 105 to 111."
)
WORSE = "worse at general instructions: 22 → 4 of 40"


def verdict(label: str, sentence: str = "") -> dict[str, Any]:
    said = sentence or f"{label}: f1 rose by 0.689."
    return {"label": label, "sentence": said, "difference": 0.6, "low": 0.5, "high": 0.7}


def scores(value: float) -> dict[str, Any]:
    return {"f1": {"value": value, "low": value - 0.1, "high": value + 0.1}}


def document(
    label: str = "improved", *, prompt: str | None = None, forgot: str = "", **changes: Any
) -> dict[str, Any]:
    """Of a run with a test set that was opened.

    Args:
        prompt: the label of the best round against it; None where none was asked.
        forgot: what is shown to be lost.
    """
    counts = {"asked": 40, "right_before": 22, "right_after": 4, "sentence": LOST}
    forgetting = {"low": 0.021, "instructions": counts, "sentence": LOSS}
    rounds = [
        {"round": 0, "scores": scores(0.0), "verdict": verdict("baseline")},
        {"round": 1, "scores": scores(0.7), "verdict": verdict("improved"),
         "forgetting": forgetting},
    ]  # fmt: skip
    found: dict[str, Any] = {
        "run": "harness-398988e5", "primary": "f1", "kept_round": 1, "rounds": rounds,
        "test": {
            "looks": 1, "baseline": scores(0.0), "kept": scores(0.689), "verdict": verdict(label),
        },
        "forgot": {"round": 1, "instructions": None, "loss": None, "sentence": forgot},
    }  # fmt: skip
    if prompt is not None:
        one = {"name": "few-shot", "what": "three examples", "scores": scores(0.3)}
        found["baselines"] = [{**one, "verdict": verdict(prompt)}]
        found["best_prompt"] = {
            "name": "few-shot", "split": "test", "scores": scores(0.24),
            "verdict": verdict(prompt), "base": verdict(label), "low": 0.36, "sentence": SAID,
        }  # fmt: skip
        found["beats_prompts"] = prompt == "improved"
    return {**found, **changes}


def test_an_improvement_that_something_stands_against_is_not_green() -> None:
    for found, text, tone in [
        (document(), "test", "good"),
        (document(prompt="improved"), "test", "good"),
        (document(forgot=WORSE), f"test, and {WORSE}", "open"),
        (
            document(prompt="no evidence"), "test, but not shown to be better than a prompt",
            "open",
        ),
        (document(prompt="regressed"), "test, but a prompt is better", "open"),
        (
            document(prompt="no evidence", forgot=WORSE),
            f"test, but not shown to be better than a prompt, and {WORSE}", "open",
        ),
        (
            document(prompt="improved", best_prompt=None, beats_prompts=None),
            "test, but not compared with a prompt", "open",
        ),
        (document("no evidence", prompt="no evidence", forgot=WORSE), f"test, and {WORSE}", "open"),
        (document("regressed", prompt="regressed"), "test", "bad"),
    ]:  # fmt: skip
        heading = box.heading(whole(found))
        assert (heading.text, heading.toned) == (text, tone), found
        assert heading.label == found["test"]["verdict"]["label"], found
        assert f'class="banner {tone}"' in page(found), found


def test_the_first_line_says_what_loss_is_not_excluded_where_none_is_shown() -> None:
    beside = "general instructions: a loss of up to 11 of 40 not excluded"
    assert len(beside.split()) <= 12
    for most, shown, text in [
        (11, None, f"test · {beside}"), (0, None, "test"), (None, None, "test"),
        (11, {"before": 22, "after": 4, "n": 40, "p": 0.0, "level": 0.95}, "test"),
    ]:  # fmt: skip
        found = document()
        found["rounds"][1]["forgetting"]["instructions"]["possible_loss"] = most
        found["forgot"]["instructions"] = shown
        heading = box.heading(whole(found))
        assert (heading.text, heading.toned) == (text, "good"), most


def test_words_of_a_verdict_say_on_which_rows() -> None:
    found = document()
    found["test"]["verdict"]["against"] = found["rounds"][1]["verdict"]["against"] = "round 0"
    assert box.verdict_words(whole(found)) == "On test: f1 rose by 0.689."
    assert box.verdict_words(whole({**found, "test": None})) == "On dev: f1 rose by 0.689."


def test_figures_of_the_first_line_are_of_the_same_rows_where_a_prompt_was_asked() -> None:
    told = box.before_and_now(whole(document(prompt="improved")))
    assert told == "f1 on test: base model 0.000, few-shot 0.240, round 1 0.689"
    without = box.before_and_now(whole(document()))
    assert without == "f1 0.000 → 0.700 on dev, 0.000 → 0.689 on test (base model → round 1)"


def shown(found: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for width in (60, 80, 120):
        for name, draw in (("first", render_first), ("full", render)):
            out = io.StringIO()
            draw(found, Console(file=out, width=width, color_system=None))
            yield f"{name} {width}", out.getvalue()
    yield "brief", comment(found)
    yield "markdown", markdown(found)
    yield "page", page(found)


def test_sentences_are_whole_in_every_report_and_width() -> None:
    found = document(prompt="no evidence", forgot=WORSE)
    for name, text in shown(found):
        told = " ".join(text.replace("\\", "").replace("&lt;", "<").split())
        for sentence in (SAID, LOST, LOSS):
            assert sentence in told, name
        assert f"but not shown to be better than a prompt, and {WORSE}" in told, name
        assert told.count(LOST) == 1, name


def test_other_rounds_stand_in_their_section_and_the_shown_one_in_the_box_alone() -> None:
    found = whole(document(forgot=WORSE))
    assert not [block for block in GeneralSection().blocks(found) if isinstance(block, Bullets)]
    later = replace(found.rounds[1], round=2)
    found = replace(found, rounds=(*found.rounds, later))
    [bullets] = [block for block in GeneralSection().blocks(found) if isinstance(block, Bullets)]
    assert [item.lead for item in bullets.items] == ["Round 2:"]


@pytest.mark.parametrize("split", ["dev", "test"])
def test_a_comparison_with_prompts_on_dev_is_said_once(split: str) -> None:
    found = whole(document(prompt="no evidence"))
    found = replace(found, best_prompt=replace(found.best_prompt, split=split))
    for section in (PromptsSection().blocks, PromptsSection().in_short):
        blocks = list(section(found))
        told = [block.text for block in blocks if isinstance(block, Paragraph)]
        assert told == ([prompts.conclusion(found)] if split == "test" else [])
        assert [block for block in blocks if isinstance(block, Table)]
