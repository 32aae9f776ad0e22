"""The rubrics that come with the harness: each can be rated by as it is."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from harness.config.finding import shipped
from harness.records import from_json, to_json
from harness.records.rubrics import Criterion, Rubric
from harness_rating.rubric import file, lint, scales, scoring

FOLDER = Path(__file__).parents[4] / "rubrics"
NAMES = sorted(path.stem for path in FOLDER.iterdir())
RATED = [name for name in NAMES if name != "preference"]
CATEGORIES = {"wrong facts", "missing steps", "wrong tone", "wrong format", "unsafe content"}
JARGON = re.compile(
    r"\b(prompts?|tokens?|LLMs?|models?|hallucinat\w*|JSON|outputs?|rounds?|checkpoints?|n/a|null"
    r"|ground truth|metrics?|inference|query|queries)\b",
    re.IGNORECASE,
)
"""Words of the trade, or words that tell where an answer comes from."""


def load(name: str) -> Rubric:
    return file.load(FOLDER / f"{name}.yaml")


def extreme(criterion: Criterion, best: bool) -> Any:
    """The best or the worst value of a criterion that gives a score."""
    values = [option.value for option in scales.options(criterion)]
    return sorted(values, key=lambda value: scoring.normal(criterion, value) or 0.0)[-int(best)]


def all_extreme(made: Rubric, best: bool) -> dict[str, Any]:
    return {c.id: extreme(c, best) for c in made.criteria if c.scores}


def texts(made: Rubric) -> list[str]:
    """All that a rater reads."""
    found = [made.title, made.instructions]
    for criterion in made.criteria:
        found += [criterion.title, criterion.question, *criterion.scale.anchors.values()]
        found += criterion.scale.choices
    return found


def test_the_promised_rubrics_are_there() -> None:
    assert NAMES == [
        "code-explanation", "everyday", "preference", "summarisation", "support-answers",
    ]  # fmt: skip
    assert sorted(path.stem for path in shipped("rubrics").glob("*.yaml")) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_it_loads_without_any_advice(name: str) -> None:
    assert lint.lint(FOLDER / f"{name}.yaml") == []
    assert load(name).id == name


@pytest.mark.parametrize("name", NAMES)
def test_it_lives_in_json(name: str) -> None:
    made = load(name)
    assert from_json(Rubric, json.loads(json.dumps(to_json(made)))) == made


@pytest.mark.parametrize("name", NAMES)
def test_it_has_no_words_of_the_trade(name: str) -> None:
    assert [text for text in texts(load(name)) if JARGON.search(text)] == []


@pytest.mark.parametrize("name", NAMES)
def test_its_texts_are_short(name: str) -> None:
    made = load(name)
    assert len(made.instructions) < 900
    for criterion in made.criteria:
        assert len(criterion.title) < 25
        assert all(len(words) < 100 for words in criterion.scale.anchors.values())


@pytest.mark.parametrize("name", NAMES)
def test_every_value_that_can_be_picked_has_words(name: str) -> None:
    for criterion in load(name).criteria:
        assert [option.label for option in scales.options(criterion) if not option.words] == []


@pytest.mark.parametrize("name", RATED)
def test_a_perfect_answer_scores_one_and_asks_for_no_more(name: str) -> None:
    made = load(name)
    values = all_extreme(made, best=True)
    assert scoring.overall(made, values) == 1.0
    assert [c.id for c in scoring.asked_criteria(made, values)] == list(values)
    assert scoring.missing(made, values) == ()


@pytest.mark.parametrize("name", RATED)
def test_a_bad_answer_scores_nothing_and_may_be_put_right(name: str) -> None:
    made = load(name)
    values = all_extreme(made, best=False)
    assert scoring.overall(made, values) == 0.0
    assert scoring.asked_criteria(made, values) == made.criteria


@pytest.mark.parametrize("name", RATED)
def test_one_flaw_asks_what_is_wrong(name: str) -> None:
    made = load(name)
    best = all_extreme(made, best=True)
    for criterion in made.criteria:
        if criterion.scores:
            values = [option.value for option in scales.options(criterion)]
            flaw = sorted(values, key=lambda value: scoring.normal(criterion, value) or 0.0)[-2]
            asked = [c.id for c in scoring.asked_criteria(made, {**best, criterion.id: flaw})]
            assert "errors" in asked, criterion.id


@pytest.mark.parametrize("name", RATED)
def test_grave_faults_fail_the_whole_answer(name: str) -> None:
    made = load(name)
    best = all_extreme(made, best=True)
    strict = [c for c in made.criteria if c.fail_below is not None]
    assert strict
    for criterion in strict:
        values = {**best, criterion.id: extreme(criterion, best=False)}
        assert scoring.overall(made, values) == 0.0


@pytest.mark.parametrize("name", RATED)
def test_errors_become_categories(name: str) -> None:
    errors = load(name).criterion("errors")
    assert errors.use_as == "error_category"
    assert len(CATEGORIES & set(errors.scale.choices)) >= (4 if name == "summarisation" else 5)


@pytest.mark.parametrize("name", NAMES)
def test_an_expert_can_write_a_better_answer(name: str) -> None:
    better = load(name).criterion("better")
    assert (better.use_as, better.scale.kind, better.required) == ("reference", "text", False)


def test_everyday_has_the_five_criteria_of_everyday_practice() -> None:
    made = load("everyday")
    assert [c.id for c in made.criteria if c.scores] == [
        "relevance", "accuracy", "coherence_fluency", "safety_bias", "task_fit",
    ]  # fmt: skip
    assert all(c.scale.kind == "ordinal" for c in made.criteria if c.scores)


def test_preference_compares_two_answers() -> None:
    made = load("preference")
    assert made.pairwise
    assert [o.key for o in scales.options(made.criterion("preference"))] == ["a", "t", "b"]
    assert [c.id for c in scoring.asked_criteria(made, {"preference": "tie"})] == [
        "preference",
        "better",
    ]
    assert [c.id for c in scoring.missing(made, {"preference": "A"})] == ["reason"]
    assert scoring.overall(made, {"preference": "B"}) == 0.0
