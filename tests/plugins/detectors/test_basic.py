from __future__ import annotations

import pytest

from harness.records import Answer, Example, Prediction, ScoredExample, ToolCall
from harness.registry import Registry
from harness_detectors import Basic
from harness_detectors.basic import CATEGORIES
from harness_detectors.repeats import loop

from .conftest import PROMPT, REFERENCE, scored


@pytest.mark.parametrize(
    ("text", "finish", "category", "evidence"),
    [
        (" \n", "stop", "empty", "0 words"),
        ("Return the total price of the", "length", "cut off", "… Return the total price of the"),
        ("it is so " * 5 + "good", "stop", "repetition loop", "it is so (x 5)"),
        ("So it goes and goes on " + "哈" * 12, "stop", "repetition loop", "哈 (x 12)"),
        ("It returns the sum of all the prices in the list", "stop", "copy of the prompt",
         "the sum of all the prices in the list"),
        ("Price.", "stop", "too short", "1 words, references 9"),
        ("Bananas are a rather yellow kind of fruit", "stop", "low overlap", "word overlap 0.12"),
        ("Sorry, but I cannot do that for you", "stop", "refusal",
         "Sorry, but I cannot do that for you"),
    ],
)  # fmt: skip
def test_each_category_and_its_evidence(labels, text, finish, category, evidence):
    assert labels(text, REFERENCE, finish=finish) == {category: evidence}


def test_too_long(labels):
    text = " ".join(f"item{'abcdefghij'[i % 10]}{'xyz'[i // 10]}" for i in range(30))
    assert labels(text, REFERENCE) == {"too long": "30 words, references 9"}


def test_a_good_answer_has_no_label(labels):
    assert labels("Returns the total price of all items with taxes.", REFERENCE) == {}


def test_several_may_hold_and_low_overlap_only_alone(labels):
    found = labels("no no no no no no no no no no", REFERENCE, finish="length")
    assert set(found) == {"cut off", "repetition loop"}


def test_a_copy_is_no_error_where_the_reference_copies_too(labels):
    wanted = "the sum of all the prices in the list"
    assert "copy of the prompt" not in labels(wanted, wanted)


def test_a_copy_counts_words_in_runs_of_five(labels):
    new = "and nothing else was ever found in it"
    assert "copy of the prompt" in labels(f"the sum of all the prices in the list {new}")
    assert "copy of the prompt" not in labels(f"the sum of all the {new}")


def test_without_references_nothing_is_compared_with_them(labels):
    assert labels("Bananas of Ecuador cost 7 euros and are yellow") == {}


def test_unspaced_scripts_count_characters_as_words(labels):
    assert labels("我", "我喜欢看书喜欢音乐") == {"too short": "1 words, references 9"}
    assert labels("我喜欢读书喜欢音乐", "我喜欢看书喜欢音乐") == {}


def test_what_is_no_loop():
    for text in [
        "-- -- -- -- -- --",
        "0 0 0 0 0 0 0",
        "ha ha ha",
        "hahaha",
        "",
        "1. a\n2. b\n3. c\n4. d",
        "| --- | --- | --- | --- | --- |",
        "no, no, no",
    ]:
        assert loop(text, 4) == "", text


def test_loops():
    for text, evidence in [
        ("1. Pickles\n2. Pickles\n3. pickles\n4. Pickles\n", "Pickles (x 4)"),
        ("Sorry for it. Sorry for it! sorry for it; Sorry for it", "Sorry for it. (x 4)"),
        ("a JSON-DATA-JSON-DATA-JSON-DATA-JSON-DATA- b", "JSON-DATA- (x 4)"),
        ("くはならくはならくはならくはなら", "くはなら (x 4)"),
        ("start " + "word " * 9000, "word (x 3999)"),
        (" ".join(f"w{i}" for i in range(9000)) + " end end end end", "end (x 4)"),
    ]:
        assert loop(text, 4) == evidence, text


def test_a_near_copy_of_a_training_row(labels):
    learned = "Please open the app and choose the plan that fits your family best, then confirm."
    rows = [
        Example("t1", ({"role": "user", "content": "x"},), (learned,), "train"),
        Example("t2", ({"role": "user", "content": "y"},), ("a", ), "train"),
        Example("t3", ({"role": "user", "content": "z"},), (), "train"),
    ]  # fmt: skip
    detector = Basic()
    answer = learned.replace("best", "well").upper()
    reference = "The line can be stopped on the first day of each month, free of charge."

    def found(text, *references):
        return {x.category: x.evidence for x in detector.detect(scored(text, *references))}

    assert "near copy of a training row" not in found(answer, reference)
    detector.prepare(rows)
    evidence = found(answer, reference)["near copy of a training row"]
    assert evidence.startswith("training row t1: Please open the app and choose the plan")
    assert "near copy of a training row" not in found(answer, learned)
    assert "near copy of a training row" not in found("Please open the app and choose", reference)
    assert "near copy of a training row" not in found(learned[:40] + reference, reference)
    detector.prepare(())
    assert "near copy of a training row" not in found(answer, reference)


def test_every_category_has_one_line_of_definition():
    found = Basic().categories()
    assert tuple(found) == CATEGORIES
    assert all(d and "\n" not in d for d in found.values())


def test_a_kind_can_be_left_out(labels):
    detector = Basic(Basic.Options(skip=["too short", "empty"]))
    assert tuple(detector.categories()) == tuple(
        name for name in CATEGORIES if name not in ("too short", "empty")
    )
    assert labels("Price.", REFERENCE, skip=["too short"]) == {}
    assert labels("", REFERENCE, skip=["empty"]) == {}


def test_an_unknown_kind_is_refused():
    with pytest.raises(ValueError, match="skip"):
        Basic.Options(skip=["too shrot"])


def test_the_package_registers_basic_under_the_default_name():
    import harness_detectors

    registry = Registry()
    registry.add(harness_detectors, "harness_detectors")
    assert registry.get("detector", "basic").plugin is Basic
    assert Basic.revision == 5


def test_calls_of_tools_are_no_text_that_is_said():
    tool = {"type": "function", "function": {"name": "light_on"}}
    asked = ({"role": "user", "content": PROMPT},)
    call = Answer("", (ToolCall("light_on", {"room": "hall " * 20}),)).text
    example = Example("e", asked, (call,), "dev", tools=(tool,))

    def categories(text: str) -> set[str]:
        row = ScoredExample(example, Prediction("e", text, "stop"), {})
        return {label.category for label in Basic(Basic.Options()).detect(row)}

    assert categories(call) == set()
    assert categories("") == {"empty"}
    assert categories("Sorry, but I cannot do that for you") == {"refusal"}
