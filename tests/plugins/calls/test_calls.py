from __future__ import annotations

import numpy as np
import pytest

import harness
from harness import Answer, ErrorLabel
from harness.scoring import MetricEntry, evaluate
from harness_calls import ToolCall, ToolCallDetector
from tests.plugins.calls.ast_cases import TOOLS, WHOLE, tool

PARIS = harness.ToolCall("weather", {"city": "Paris"})
ROME = harness.ToolCall("weather", {"city": "Rome"})
NOW = harness.ToolCall("now", {})


def row(*references, tools=TOOLS, name="a"):
    return harness.Example(name, (), references, tools=tuple(tools))


def text(*calls, said=""):
    return Answer(said, calls).text


def scores(answer, example, **options):
    entry = MetricEntry("tool-call", ToolCall(ToolCall.Options(**options)))
    card = evaluate([example], [harness.Prediction("a", answer)], [entry])
    return {name.removeprefix("tool-call-"): card.scores[name].value for name in entry.score_names}


def labels(answer, example):
    detector = ToolCallDetector(ToolCallDetector.Options())
    scored = harness.ScoredExample(example, harness.Prediction("a", answer), {})
    given = list(detector.detect(scored))
    assert {label.category for label in given} <= detector.categories().keys()
    return {label.category: label.evidence for label in given}


def test_the_parts_are_pooled_over_calls():
    rows = [row(text(PARIS, NOW), name="a"), row("I cannot.", name="b"), row(text(PARIS), name="c")]
    answers = [text(ROME), "I cannot.", f"```json\n{text(PARIS)}\n```"]
    entry = MetricEntry("tool-call", ToolCall(ToolCall.Options()))
    given = [harness.Prediction(r.id, a) for r, a in zip(rows, answers, strict=True)]
    card = evaluate(rows, given, [entry])
    values = [card.scores[name].value for name in entry.score_names]
    # One answer of three; of 2 + 1 calls in a and 1 + 1 in c, two pairs; one argument of two; a
    # call in form, and one in a fence.
    assert values == pytest.approx([1 / 3, 4 / 5, 1 / 2, 1 / 2])
    assert card.scores["tool-call"].n == 3


def test_a_part_of_which_there_is_nothing_is_none():
    assert scores("I cannot.", row("Sorry.")) == {
        "tool-call": 1.0, "name": None, "arguments": None, "form": None,
    }  # fmt: skip


def test_rows_without_tools_or_references_are_not_scored():
    metric = ToolCall(ToolCall.Options())
    answer = harness.Prediction("a", text(PARIS))
    assert metric.measure(answer, row(text(PARIS), tools=())) is None
    assert metric.measure(answer, row()) is None
    rows = [row(text(PARIS), tools=()), row(text(PARIS), name="b")]
    assert metric.unscorable(rows, lambda *_: None) == {"the row has no tools": ["a"]}
    [bare] = metric.remarks([(answer, rows[0]), (answer, rows[1])])
    assert bare.startswith("1 of 2 rows have no tools")


def test_the_best_reference_counts():
    example = row(text(PARIS), text(ROME))
    assert scores(text(ROME), example)["tool-call"] == 1.0
    assert labels(text(ROME), example) == {}


@pytest.mark.parametrize(
    "answer",
    [
        f"```json\n{text(PARIS)}\n```",
        f"Let me look: {text(PARIS)} is what I call.",
        '{"function": {"name": "weather", "arguments": "{\\"city\\": \\"Paris\\"}"}}',
    ],
)
def test_a_call_in_another_form_is_wrong_and_its_parts_are_scored(answer):
    assert scores(answer, row(text(PARIS))) == {
        "tool-call": 0.0, "name": 1.0, "arguments": 1.0, "form": 0.0,
    }  # fmt: skip
    assert list(labels(answer, row(text(PARIS)))) == ["malformed call"]


@pytest.mark.parametrize(
    "answer",
    [
        '<tool_call>\n{"name": "weather", "arguments": {"city": "Par',
        '{"name": "weather", "arguments": {"city": Paris}}',
        'weather(city="Paris")',
        '```\nweather(city="Paris")\n```',
        "<tool_call>weather</tool_call>",
    ],
)
def test_a_call_that_cannot_be_read_is_malformed(answer):
    assert scores(answer, row(text(PARIS)))["form"] == 0.0
    assert list(labels(answer, row(text(PARIS)))) == ["malformed call"]


@pytest.mark.parametrize(
    "answer",
    ["It is sunny.", "The weather (in Paris) is fine.", '{"name": "Ann", "arguments": {}}'],
)
def test_a_text_that_calls_nothing_is_no_malformed_call(answer):
    assert scores(answer, row("Sorry."))["tool-call"] == (1.0 if answer[0] != "{" else 0.0)
    assert "malformed call" not in labels(answer, row("Sorry."))


def test_kinds_of_errors_of_calls():
    wanted = row(text(PARIS))
    assert labels("Sunny.", wanted) == {"text instead of a call": "no call of weather"}
    assert labels(text(PARIS), row("Sorry.")) == {"call instead of text": "weather"}
    assert labels(text(NOW), wanted) == {"wrong tool": "now instead of weather"}
    unknown = harness.ToolCall("wether", {"city": "Paris"})
    assert labels(text(unknown), wanted) == {"unknown tool": "wether"}
    assert labels(text(PARIS, NOW), wanted) == {"extra call": "now"}
    assert labels(text(PARIS), row(text(PARIS, NOW))) == {"missing call": "now"}
    assert labels(text(NOW, PARIS), row(text(PARIS, NOW))) == {}


@pytest.mark.parametrize(
    ("given", "category", "evidence"),
    [
        ({}, "missing argument", 'weather: city is not given, "Paris" is wanted'),
        (
            {"city": "Paris", "zone": 1},
            "invented argument",
            "weather: zone is 1, and is not wanted",
        ),
        (
            {"city": ["Paris"]},
            "argument of wrong type",
            'weather: city is ["Paris"] instead of "Paris"',
        ),
        (
            {"city": "Paris", "days": "1"},
            "argument of wrong type",
            'weather: days is "1" instead of 1',
        ),
        ({"city": "Rome"}, "wrong argument", 'weather: city is "Rome" instead of "Paris"'),
    ],
)
def test_kinds_of_errors_of_arguments(given, category, evidence):
    answer = text(harness.ToolCall("weather", given))
    assert labels(answer, row(text(PARIS))) == {category: evidence}


def test_a_place_within_an_argument_is_named():
    def deliver(count):
        items = [{"name": "tea", "count": 1}, {"name": "milk", "count": count}]
        return text(
            harness.ToolCall("deliver", {"address": {"street": "s", "city": "c"}, "items": items})
        )

    evidence = "deliver: items[1].count is 3 instead of 2"
    assert labels(deliver(3), row(deliver(2))) == {"wrong argument": evidence}


def test_markup_and_control_characters_in_evidence_stay_on_one_line():
    call = harness.ToolCall("weather\x1b[31m\n[bold]", {})
    [label] = ToolCallDetector().detect(
        harness.ScoredExample(row(text(PARIS)), harness.Prediction("a", text(call)), {})
    )
    assert isinstance(label, ErrorLabel) and "\n" not in label.evidence


# -- schemas as pydantic writes them ---------------------------------------------------------------


ORDER = tool(
    "order",
    {
        "size": {"$ref": "#/$defs/Size"},
        "note": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None},
        "to": {"anyOf": [{"$ref": "#/$defs/Place"}, {"type": "null"}]},
        "loop": {"$ref": "#/properties/loop"},
        "elsewhere": {"$ref": "https://example.org/schema"},
    },
    "size",
)
ORDER["function"]["parameters"]["$defs"] = {
    "Size": {"enum": ["small", "large"], "type": "string"},
    "Place": {"type": "object", "properties": {"floor": {**WHOLE, "default": 0}}},
}


@pytest.mark.parametrize(
    ("wanted", "given", "category"),
    [
        ({"size": "small"}, {"size": "small", "note": None}, None),
        ({"size": "small", "note": None}, {"size": "small"}, None),
        ({"size": "small", "to": {}}, {"size": "small", "to": {"floor": 0}}, None),
        ({"size": "small", "to": {"floor": 1}}, {"size": "small", "to": {}}, "wrong argument"),
        ({"size": "small"}, {"size": "large"}, "wrong argument"),
        ({"size": "small"}, {"size": 1}, "argument of wrong type"),
        ({"size": "small", "note": "x"}, {"size": "small", "note": 1}, "argument of wrong type"),
        ({"size": "small", "loop": 1}, {"size": "small", "loop": 1}, None),
        (
            {"size": "small", "elsewhere": 1},
            {"size": "small", "elsewhere": "1"},
            "argument of wrong type",
        ),
    ],
)
def test_references_and_alternatives_of_a_schema_are_followed(wanted, given, category):
    example = row(text(harness.ToolCall("order", wanted)), tools=[ORDER])
    answer = text(harness.ToolCall("order", given))
    assert list(labels(answer, example)) == ([category] if category else [])
    assert scores(answer, example)["tool-call"] == float(category is None)


def test_arguments_that_are_nested_without_end_cost_little():
    deep = {}
    for _ in range(400):
        deep = {"a": deep}
    call = text(harness.ToolCall("now", {"x": deep}))
    assert scores(call, row(call))["tool-call"] == 1.0


def test_texts_are_compared_by_a_metric_that_is_named():
    wanted = row(text(harness.ToolCall("send", {"to": ["Ann"], "body": "See you at five, Ann"})))
    answer = text(harness.ToolCall("send", {"to": ["Ann"], "body": "Ann, see you at five!"}))
    assert scores(answer, wanted)["tool-call"] == 0.0
    named = {"plugin": "token-f1", "right_at": 0.8}
    assert scores(answer, wanted, text=named)["tool-call"] == 1.0
    # A choice is compared to the letter.
    fahrenheit = row(text(harness.ToolCall("weather", {"city": "Paris", "unit": "fahrenheit"})))
    other = text(harness.ToolCall("weather", {"city": "paris", "unit": "Fahrenheit"}))
    assert scores(other, fahrenheit, text=named) | {"arguments": 0.5} == scores(
        other, fahrenheit, text=named
    )
    signature = ToolCall(ToolCall.Options(text=named)).signature()
    assert "token-f1" in signature and "0.8" in signature


def test_a_metric_without_a_threshold_cannot_compare_texts():
    metric = ToolCall(ToolCall.Options(text="length"))
    with pytest.raises(harness.ConfigError, match="length does not say from which value"):
        metric.measure(harness.Prediction("a", text(PARIS)), row(text(PARIS)))


def test_a_set_of_answers_has_an_interval_of_each_part():
    rows = [row(text(PARIS if n % 2 else NOW), name=str(n)) for n in range(40)]
    given = [harness.Prediction(str(n), text(PARIS if n % 3 else ROME)) for n in range(40)]
    entry = MetricEntry("tool-call", ToolCall(ToolCall.Options()))
    card = evaluate(rows, given, [entry])
    for name in ("tool-call", "tool-call-name", "tool-call-arguments"):
        score = card.scores[name]
        assert score.low is not None and score.low < score.value < score.high, name
    assert not np.isnan(card.scores["tool-call-form"].value)
