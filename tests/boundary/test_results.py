"""Results of the wrong kind are refused where they enter, with what was given and what is due."""

from __future__ import annotations

import dataclasses
import itertools
import json
from pathlib import Path

import pytest

import harness
from harness.boundary import results
from harness.context import Context
from harness.errors import PluginError
from harness.records import from_json, to_json

ROW = harness.Example("e1", ({"role": "user", "content": "hi"},), ("ho",), "dev", meta={"n": 1})
BASE = harness.Checkpoint("base", "/x", "d", "name", info={"skill": 0.5})
ANSWER = harness.Prediction("e1", "ho", "stop", 3, 1)
WEAK = harness.Slice((harness.Condition("kind", "=", "x"),), 3, 3, 0.5, 0.1, 0.0, 0.2)
LABEL = harness.ErrorLabel("e1", "cut off")
CAUSE = harness.Diagnosis("e1", "gap", "no row is near", "add rows")


def change(record, **fields):
    return dataclasses.replace(record, **fields)


def deep():
    value = inner = []
    for _ in range(5000):
        inner.append([])
        inner = inner[0]
    return {"a": value}


def shown(name="e1", tokens=("a", "b"), trained=(False, True), **fields):
    return harness.Rendered(name, tokens, trained, **fields)


def endless():
    while True:
        yield ANSWER


def refused(call, *words):
    with pytest.raises(PluginError) as caught:
        call()
    message = caught.value.what
    assert [word for word in words if word not in message] == [], message
    json.dumps(message)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (None, ["load() is None", "an iterable of harness.Example"]),
        ("rows", ["load() is the text", "iterable"]),
        ({"a": ROW}, ["load() is a dict"]),
        (7, ["load() is the number 7"]),
        ([{"id": "e1"}], ["row 1 is a dict", "a harness.Example"]),
        ([ROW, None], ["row 2 is None"]),
        ([ROW, ROW], ["row 2: id is 'e1' again"]),
        ([harness.Example], ["row 1 is the class Example"]),
        ([change(ROW, id=7)], ["row 1: id is the number 7", "text"]),
        ([change(ROW, messages="hi")], ['messages is the text "hi"', "a tuple"]),
        ([change(ROW, messages=("hi",))], ["messages[0]", "a mapping"]),
        ([change(ROW, messages=())], ["messages is empty", "one turn"]),
        ([change(ROW, references=None)], ["references is None"]),
        ([change(ROW, references=7)], ["references is the number 7"]),
        ([change(ROW, references="ho")], ['references is the text "ho"']),
        ([change(ROW, references=(None,))], ["references[0] is None"]),
        ([change(ROW, split="training")], ["split is the text", "train, valid, pool"]),
        ([change(ROW, group=None)], ["group is None"]),
        ([change(ROW, meta=None)], ["meta is None", "a mapping"]),
        ([change(ROW, meta={1: 2})], ["the key the number 1"]),
        ([change(ROW, meta={"a": {1, 2}})], ['meta["a"] is a set', "JSON"]),
        ([change(ROW, meta={"a": float("nan")})], ["the number nan", "finite"]),
        ([change(ROW, meta=deep())], ["nested deeper"]),
        ([change(ROW, tools=({"f": object()},))], ['tools[0]["f"] is an object']),
        ([change(ROW, parent=3)], ["parent is the number 3", "None or text"]),
    ],
)
def test_rows_of_a_source(given, words):
    refused(lambda: list(results.examples(given)), *words)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (None, ["train(): its result is None", "a harness.Checkpoint"]),
        ("/a/path", ["is the text"]),
        ({"kind": "base"}, ["is a dict"]),
        (Path("/x"), ["Path"]),
        (change(BASE, info=None), ["info is None"]),
        (change(BASE, info={"a": b"x"}), ['info["a"] is a bytes']),
        (change(BASE, name=None), ["name is None"]),
        (change(BASE, path=Path("/x")), ["path is a PosixPath", "text"]),
        (change(BASE, kind=3), ["kind is the number 3"]),
    ],
)
def test_checkpoints(given, words):
    refused(lambda: results.checkpoint(given, "train()"), *words)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (None, ["generate() is None", "iterable"]),
        (["ho"], ["prediction 1 is the text"]),
        ([None], ["prediction 1 is None"]),
        ([{"example_id": "e1", "text": "ho"}], ["prediction 1 is a dict"]),
        ([change(ANSWER, text=None)], ["the prediction for 'e1': text is None"]),
        ([change(ANSWER, text=5)], ["text is the number 5"]),
        ([change(ANSWER, finish_reason=None)], ["finish_reason is None"]),
        ([change(ANSWER, prompt_tokens="3")], ['prompt_tokens is the text "3"', "whole number"]),
        ([change(ANSWER, completion_tokens=1.5)], ["completion_tokens is the number 1.5"]),
        ([change(ANSWER, example_id=1)], ["prediction 1: example_id is the number 1"]),
        ([change(ANSWER, message="x")], ["message is the text"]),
        ([ANSWER, ANSWER], ["answered 'e1' twice"]),
        ([change(ANSWER, example_id="e9")], ["answered 'e9', which it was not asked"]),
        ([], ["left 1 of 1 prompts unanswered, first 'e1'"]),
        (endless(), ["answered 'e1' twice"]),
    ],
)
def test_predictions(given, words):
    refused(lambda: results.predictions(given, [ROW]), *words)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (None, ["rendered() is None", "an iterable of harness.Rendered"]),
        ([], ["the rendered row 'e1' is None", "a harness.Rendered"]),
        ([ANSWER], ["the rendered row 'e1'", "a harness.Rendered"]),
        ([shown("e2")], ["'e1': id is 'e2'"]),
        ([shown(trained=(True,))], ["2 tokens, 1 trained", "one truth value for each token"]),
        ([shown(cut=3)], ["2 tokens, 2 trained, 3 cut"]),
        ([shown(cut=-1)], ["-1 cut"]),
        ([shown(tokens=(1, 2))], ["tokens[0] is the number 1", "text"]),
        ([shown(problem=None)], ["problem is None"]),
    ],
)
def test_rendered_rows(given, words):
    refused(lambda: list(results.rendered(given, [ROW])), *words)


def test_rendered_rows_that_are_fine_are_given_on():
    row = shown(cut=1, context=8, problem="it is cut")
    assert list(results.rendered(iter([row]), [ROW])) == [row]
    assert from_json(harness.Rendered, json.loads(json.dumps(to_json(row)))) == row


def test_a_generator_that_never_ends_is_stopped_at_the_first_prediction_too_many():
    def more():
        for number in range(10**9):
            yield change(ANSWER, example_id=f"e{number + 1}")

    refused(lambda: results.predictions(more(), [ROW]), "answered 'e2', which it was not asked")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"not json\n", ["line 1 is no JSON"]),
        (b"\xff\xfe\x00\n", ["line 1 is no JSON"]),
        (b'{"step": 1}\n[1]\n', ["line 2 is a list"]),
        (b"3\n", ["line 1 is the number 3"]),
        (b'{"loss": "low"}\n', ['loss is the text "low"', "a finite number"]),
        (b'{"loss": NaN}\n', ["loss is the number nan"]),
        (b"[" * 100_000, ["line 1"]),
        (b'{"eval_rows": [1]}\n', ["eval_rows is a list", "an object with losses and tokens"]),
        (b'{"train_rows": {"losses": [1]}}\n', ["train_rows.tokens is None", "a list of numbers"]),
        (b'{"eval_rows": {"losses": ["x"], "tokens": [1]}}\n', ["eval_rows.losses is the text"]),
        (b'{"eval_rows": {"losses": [1], "tokens": [1, 2]}}\n', ["as many losses as tokens"]),
        (b'{"eval_rows": {"losses": [1], "tokens": [0]}}\n', ["each of one token or more"]),
        (b'{"eval_rows": {"losses": [1], "tokens": [1], "of": "x"}}\n', ["eval_rows.of is the"]),
        (
            b'{"eval_rows": {"losses": [1], "tokens": [1], "of": 12.5}}\n',
            ["eval_rows.of is the number 12.5", "a whole number"],
        ),
        (b'{"loss": 2, "learning_rate": [1e-4, 1e-5]}\n', ["learning_rate is a list"]),
    ],
)
def test_training_logs(tmp_path, content, words):
    (tmp_path / "log.jsonl").write_bytes(content)
    refused(lambda: results.training_log(tmp_path / "log.jsonl"), "log.jsonl", *words)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (None, ["detect() of 'e1' is None"]),
        ("cut off", ["is the text"]),
        (["cut off"], ["detect() of 'e1' is the text", "a harness.ErrorLabel"]),
        ([change(LABEL, category=None)], ["category is None"]),
        ([change(LABEL, category=" ")], ["category is blank"]),
        ([change(LABEL, evidence=3)], ["evidence is the number 3"]),
        ([change(LABEL, example_id="e2")], ['example_id is the text "e2"']),
        ([LABEL] * 1000, ["more than 100 labels"]),
    ],
)
def test_labels(given, words):
    refused(lambda: results.labels(given, "e1"), *words)


@pytest.mark.parametrize("given", [None, ["cut off"], {"cut off": None}, {1: "x"}, "cut off"])
def test_categories(given):
    refused(lambda: results.categories(given), "categories()")


@pytest.mark.parametrize("given", [None, {"gap": "x"}, {"gap": ("a", "b")}, {"gap": ("a", "b", 1)}])
def test_causes(given):
    refused(lambda: results.causes(given), "causes()")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (None, ["analyze(): its result is None", "a harness.Findings"]),
        ([], ["is a list"]),
        (harness.Findings("slices"), ["slices is the text"]),
        (harness.Findings(("kind = x",)), ["slices[0] is the text", "a harness.Slice"]),
        (harness.Findings((change(WEAK, conditions=("x",)),)), ["conditions[0]", "Condition"]),
        (harness.Findings((change(WEAK, n=2.5),)), ["slices[0].n is the number 2.5"]),
        (harness.Findings((change(WEAK, gap=float("inf")),)), ["slices[0].gap", "finite"]),
        (
            harness.Findings((change(WEAK, conditions=(harness.Condition("a", "<", 1),)),)),
            ["conditions[0].op", "one of =, <=, >"],
        ),
        (harness.Findings(diagnoses=("gap",)), ["diagnoses[0] is the text"]),
        (harness.Findings(diagnoses=(change(CAUSE, rows=(1,)),)), ["diagnoses[0].rows[0]"]),
        (harness.Findings(notes=(3,)), ["notes[0] is the number 3"]),
        (harness.Findings(failed={"a": None}), ['failed["a"] is None']),
        (harness.Findings((WEAK,) * 20_001), ["slices is 20001 of them"]),
    ],
)
def test_findings(given, words):
    refused(lambda: results.findings(given), *words)


@pytest.mark.parametrize("given", [None, "score", (), (1,), ("a", "a"), {"a": 1}])
def test_score_names(given):
    refused(lambda: results.score_names(given), "score_names()")


@pytest.mark.parametrize("given", [None, "x.txt", ["x.txt"], 3])
def test_paths(given):
    refused(lambda: results.paths(given, "inputs()"), "inputs()", "pathlib.Path")


@pytest.mark.parametrize("given", [None, "rows", {"a": 1}, ["row"], [None]])
def test_tables(given):
    refused(lambda: results.table(given), "rows()")


def test_facts_are_json():
    refused(lambda: results.facts({"a": object()}), "context.note()", "an object")


@pytest.mark.parametrize("remarks", [5, "a text", [5], [None]])
def test_remarks_are_sentences(remarks):
    refused(lambda: results.facts({"remarks": remarks}), "context.remark()")


def test_remarks_and_commands_end():
    assert results.facts({"remarks": ["one"]}) == {"remarks": ["one"]}
    refused(lambda: results.facts({"remarks": ["x"] * 1000}), "context.remark()", "more than 200")
    assert results.commands(["a", "b"]) == ["a", "b"]
    endless = itertools.repeat("a")
    refused(lambda: results.commands(endless), "commands_for_model()", "more than 100")


def test_a_remark_that_is_no_text_is_refused_at_once(tmp_path):
    with pytest.raises(PluginError, match=r"context\.remark\(\) is given a int"):
        Context(tmp_path).remark(5)


def test_what_is_right_passes_as_it_is():
    assert list(results.examples(iter([ROW]))) == [ROW]
    listed = change(ROW, messages=[{"role": "user", "content": "hi"}], references=["ho"])
    assert list(results.examples([listed])) == [listed]
    assert results.checkpoint(BASE, "fetch()") is BASE
    assert results.predictions([ANSWER], [ROW]) == [ANSWER]
    assert results.labels(iter([LABEL, LABEL]), "e1") == [LABEL, LABEL]
    found = harness.Findings((WEAK,), (CAUSE,), ("a note",), {"other": "failed"})
    assert results.findings(found) is found
    assert from_json(harness.Findings, json.loads(json.dumps(to_json(found)))) == found
    assert results.score_names(["a", "b"]) == ("a", "b")
    assert results.table(iter([{"a": 1}])) == [{"a": 1}]


class Odd(BaseException):
    def __str__(self):
        raise RuntimeError("no text")


@pytest.mark.parametrize("given", [Odd(), Odd, object(), "\ud800", "x" * 10**6, 10**400, b"\xff"])
def test_what_was_given_is_named_without_asking_it(given):
    text = results.given(given)
    assert len(text) < 100
    text.encode()
