"""Whether training was needed, in words and as a table."""

from __future__ import annotations

from typing import Any

from harness.kit.blocks import Bullets, Heading, Paragraph, Table
from harness_reports.sections import prompts
from harness_reports.sections.prompts import PromptsSection
from tests.support.documents import whole

LABELS = {"improved": 0.12, "no evidence": 0.01, "regressed": -0.08}


def baseline(name: str, label: str) -> dict[str, Any]:
    gain = LABELS[label]
    verdict = {
        "label": label, "against": name, "difference": gain, "low": gain - 0.03,
        "high": gain + 0.03, "level": 0.975, "sentence": f"{label}: round 2 and {name}.",
    }  # fmt: skip
    score = {"value": 0.5 - gain, "low": 0.4, "high": 0.6}
    return {"name": name, "what": f"what {name} is", "scores": {"f1": score}, "verdict": verdict}


def document(*labels: str, kept: int = 2) -> dict[str, Any]:
    found = [baseline(name, label) for name, label in zip("ABCDE", labels, strict=False)]
    entry = {"scores": {"f1": {"value": 0.5, "high": 0.6}}, "verdict": {"label": "improved"}}
    rounds = [{"round": number, **entry} for number in range(3)]
    return {"primary": "f1", "kept_round": kept, "rounds": rounds, "baselines": found}


def test_the_conclusion_is_that_of_all_prompts_together() -> None:
    for labels, said in [
        (["improved"], "Round 2 is better than the prompt: than A by 0.120 (at least 0.090)."),
        (
            ["improved", "improved"],
            "Round 2 is better than each prompt: than A by 0.120 (at least 0.090), than B by "
            "0.120 (at least 0.090).",
        ),
        (
            ["improved", "no evidence"],
            "Round 2 is not shown to be better than B (+0.010, bounds [-0.020, +0.040]). It is "
            "better than A.",
        ),
        (
            ["no evidence", "regressed"],
            "A prompt is better than training so far: B beats round 2 by 0.080 (at least 0.050).",
        ),
        (
            ["improved"] * 5,
            "Round 2 is better than each prompt: than A by 0.120 (at least 0.090), than B by "
            "0.120 (at least 0.090), than C by 0.120 (at least 0.090) and 2 more.",
        ),
    ]:
        assert prompts.conclusion(whole(document(*labels))) == said, labels


def test_bounds_at_0_and_the_gain_that_is_asked_for_are_told() -> None:
    found = document("improved")
    found["baselines"][0]["verdict"]["low"] = 0.0
    assert prompts.conclusion(whole(found)).endswith("than A by 0.120 (more than 0).")
    found = document("no evidence") | {"settings": {"min_gain": 0.1}}
    assert "+0.040]; a gain above 0.100 is required)." in prompts.conclusion(whole(found))


def test_that_rows_are_too_few_for_bounds_is_told() -> None:
    found = document("no evidence")
    found["baselines"][0]["verdict"] |= {"low": None, "high": None}
    assert "A (+0.010, too few rows for bounds)." in prompts.conclusion(whole(found))


def test_without_a_best_round_the_base_model_stands_for_it() -> None:
    found = document("no evidence", kept=0)
    assert prompts.conclusion(whole(found)).startswith(
        "The base model as it is asked (no round improved on it) is not shown to be better than A"
    )
    beaten = prompts.conclusion(whole(document("regressed", kept=0)))
    assert "A beats the base model without it by 0.080" in beaten


def test_the_section_has_the_conclusion_the_table_and_what_each_prompt_was() -> None:
    heading, told, table, verdicts, what, _ = PromptsSection().blocks(
        whole(document("improved", "no evidence"))
    )
    assert isinstance(heading, Heading) and heading.text == "Prompts instead of training"
    assert isinstance(told, Paragraph)
    assert isinstance(table, Table) and [row[0] for row in table.rows] == ["A", "B"]
    assert isinstance(verdicts, Bullets) and verdicts.items[0].text == "round 2 and A."
    assert isinstance(what, Bullets) and what.items[1].text == "what B is"


def test_nothing_is_said_where_nothing_was_asked() -> None:
    assert list(PromptsSection().blocks(whole(document()))) == []
    assert list(PromptsSection().in_short(whole(document()))) == []
