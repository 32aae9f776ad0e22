"""What plugins of each kind give is checked by their call: what was given, and what is due."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from types import SimpleNamespace

import pytest

import harness
from harness.errors import PluginError
from harness.records import from_json, to_json
from harness.stages import analyzer, detector, generator, section, trainer
from harness.stages.metric import check_metric
from harness.stages.model import fetched
from harness.stages.source import rows_of

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


def gives(method, value):
    """A plugin whose method gives the value, whatever it is asked."""
    return SimpleNamespace(**{method: lambda *asked: value})


def loaded(value):
    return list(rows_of(gives("load", value), None))


def answered(value):
    return generator.answered(gives("generate", value), BASE, [ROW], None)


def rendered(value):
    return list(trainer.rendered(gives("rendered", value), BASE, [ROW], None))


def detected(value):
    scored = [harness.ScoredExample(ROW, ANSWER, {})]
    plugin = gives("detect", value)
    plugin.categories, plugin.prepare = dict, lambda train: None
    return detector.detected(plugin, scored, [])


def analyzed(value):
    plugin = gives("analyze", value)
    plugin.causes = dict
    return analyzer.analyzed(plugin, None, None)


def refused(call, *words):
    with pytest.raises(PluginError) as caught:
        call()
    message = caught.value.what
    assert [word for word in words if word not in message] == [], message
    json.dumps(message)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (None, ["load() is None", "an iterable of Example"]),
        ("rows", ["load() is the text", "iterable"]),
        ({"a": ROW}, ["load() is a dict"]),
        (7, ["load() is the number 7"]),
        ([{"id": "e1"}], ["item 1 is a dict", "an instance of Example"]),
        ([ROW, None], ["item 2 is None"]),
        ([ROW, ROW], ["item 2 ('e1') has an id that was there before"]),
        ([harness.Example], ["item 1 is the class Example"]),
        ([change(ROW, id=7)], ["item 1: id is the number 7", "a valid string"]),
        ([change(ROW, messages="hi")], ['messages is the text "hi"', "a valid tuple"]),
        ([change(ROW, messages=("hi",))], ["messages[0]", "a valid dictionary"]),
        ([change(ROW, messages=())], ["no turn in its messages"]),
        ([change(ROW, references=None)], ["references is None"]),
        ([change(ROW, references=7)], ["references is the number 7"]),
        ([change(ROW, references="ho")], ['references is the text "ho"']),
        ([change(ROW, references=(None,))], ["references[0] is None"]),
        ([change(ROW, split="training")], ["split is the text", "'train', 'valid', 'pool'"]),
        ([change(ROW, group=None)], ["group is None"]),
        ([change(ROW, meta=None)], ["meta is None", "a valid dictionary"]),
        ([change(ROW, meta={1: 2})], ["[key] is the number 1"]),
        ([change(ROW, meta={"a": {1, 2}})], ["meta.a is a set", "JSON"]),
        ([change(ROW, meta={"a": float("nan")})], ["the number nan", "finite"]),
        ([change(ROW, meta=deep())], ["nested less deeply"]),
        ([change(ROW, tools=({"f": object()},))], ["tools[0].f is an object"]),
        ([change(ROW, parent=3)], ["parent is the number 3", "a valid string"]),
    ],
)
def test_rows_of_a_source(given, words):
    refused(lambda: loaded(given), *words)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (None, ["fetch() is None", "an instance of Checkpoint"]),
        ("/a/path", ["is the text"]),
        ({"kind": "base"}, ["is a dict"]),
        (Path("/x"), ["Path"]),
        (change(BASE, info=None), ["info is None"]),
        (change(BASE, info={"a": b"x"}), ["info.a is a bytes"]),
        (change(BASE, name=None), ["name is None"]),
        (change(BASE, path=Path("/x")), ["path is a PosixPath", "a valid string"]),
        (change(BASE, kind=3), ["kind is the number 3"]),
    ],
)
def test_checkpoints(given, words):
    refused(lambda: fetched(gives("fetch", given), None), *words)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (None, ["generate() is None", "iterable"]),
        (["ho"], ["item 1 is the text"]),
        ([None], ["item 1 is None"]),
        ([{"example_id": "e1", "text": "ho"}], ["item 1 is a dict"]),
        ([change(ANSWER, text=None)], ["item 1 ('e1'): text is None"]),
        ([change(ANSWER, text=5)], ["text is the number 5"]),
        ([change(ANSWER, finish_reason=None)], ["finish_reason is None"]),
        ([change(ANSWER, prompt_tokens="3")], ['prompt_tokens is the text "3"', "a valid integer"]),
        ([change(ANSWER, completion_tokens=1.5)], ["completion_tokens is the number 1.5"]),
        ([change(ANSWER, example_id=1)], ["item 1: example_id is the number 1"]),
        ([change(ANSWER, message="x")], ["message is the text"]),
        ([ANSWER, ANSWER], ["answered 'e1' twice"]),
        ([change(ANSWER, example_id="e9")], ["answered 'e9', which it was not asked"]),
        ([], ["left 1 of 1 prompts unanswered, first 'e1'"]),
        (endless(), ["answered 'e1' twice"]),
    ],
)
def test_predictions(given, words):
    refused(lambda: answered(given), *words)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (None, ["rendered() is None", "an iterable of Rendered"]),
        ([], ["rendered() of 'e1' is missing"]),
        ([ANSWER], ["item 1 ('e1')", "an instance of Rendered"]),
        ([shown("e2")], ["'e1' has the id 'e2'"]),
        ([shown(trained=(True,))], ["2 tokens, 1 trained", "one truth value for each token"]),
        ([shown(cut=3)], ["2 tokens, 2 trained, 3 cut"]),
        ([shown(cut=-1)], ["-1 cut"]),
        ([shown(tokens=(1, 2))], ["tokens[0] is the number 1", "a valid string"]),
        ([shown(problem=None)], ["problem is None"]),
    ],
)
def test_rendered_rows(given, words):
    refused(lambda: rendered(given), *words)


def test_rendered_rows_that_are_fine_are_given_on():
    row = shown(cut=1, context=8, problem="it is cut")
    assert rendered(iter([row])) == [row]
    assert from_json(harness.Rendered, json.loads(json.dumps(to_json(row)))) == row


def test_a_generator_that_never_ends_is_stopped_at_the_first_prediction_too_many():
    def more():
        for number in range(10**9):
            yield change(ANSWER, example_id=f"e{number + 1}")

    refused(lambda: answered(more()), "answered 'e2', which it was not asked")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"not json\n", ["line 1 is no JSON"]),
        (b"\xff\xfe\x00\n", ["line 1 is no JSON"]),
        (b'{"step": 1}\n[1]\n', ["line 2 is a list"]),
        (b"3\n", ["line 1 is the number 3"]),
        (b'{"loss": "low"}\n', ['loss is the text "low"', "a valid number"]),
        (b'{"loss": NaN}\n', ["loss is the number nan"]),
        (b"[" * 100_000, ["line 1"]),
        (b'{"eval_rows": [1]}\n', ["eval_rows is a list", "a valid dictionary"]),
        (b'{"train_rows": {"losses": [1]}}\n', ["train_rows.tokens: Field required"]),
        (b'{"eval_rows": {"losses": ["x"], "tokens": [1]}}\n', ["eval_rows.losses[0] is the text"]),
        (b'{"eval_rows": {"losses": [1], "tokens": [1, 2]}}\n', ["as many losses as tokens"]),
        (b'{"eval_rows": {"losses": [1], "tokens": [0]}}\n', ["each of one token or more"]),
        (b'{"eval_rows": {"losses": [1], "tokens": [1], "of": "x"}}\n', ["eval_rows.of is the"]),
        (
            b'{"eval_rows": {"losses": [1], "tokens": [1], "of": 12.5}}\n',
            ["eval_rows.of is the number 12.5", "a valid integer"],
        ),
        (b'{"loss": 2, "learning_rate": [1e-4, 1e-5]}\n', ["learning_rate is a list"]),
    ],
)
def test_training_logs(tmp_path, content, words):
    (tmp_path / "log.jsonl").write_bytes(content)
    refused(lambda: trainer.training_log(tmp_path / "log.jsonl"), "log.jsonl", *words)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (None, ["detect() of 'e1' is None"]),
        ("cut off", ["is the text"]),
        (["cut off"], ["detect() of 'e1': item 1 is the text", "an instance of ErrorLabel"]),
        ([change(LABEL, category=None)], ["category is None"]),
        ([change(LABEL, category=" ")], ["a label without a category"]),
        ([change(LABEL, evidence=3)], ["evidence is the number 3"]),
        ([change(LABEL, example_id="e2")], ["gives a label of 'e2'"]),
        ([LABEL] * 1000, ["more than 100 of them"]),
    ],
)
def test_labels(given, words):
    refused(lambda: detected(given), *words)


@pytest.mark.parametrize("given", [None, ["cut off"], {"cut off": None}, {1: "x"}, "cut off"])
def test_categories(given):
    refused(lambda: detector.categories_of(gives("categories", given)), "categories()")


@pytest.mark.parametrize("given", [None, {"gap": "x"}, {"gap": ("a", "b")}, {"gap": ("a", "b", 1)}])
def test_causes(given):
    refused(lambda: analyzer.causes_of(gives("causes", given)), "causes()")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (None, ["analyze() is None", "an instance of Findings"]),
        ([], ["is a list"]),
        (harness.Findings("slices"), ["slices is the text"]),
        (harness.Findings(("kind = x",)), ["slices[0] is the text", "an instance of Slice"]),
        (harness.Findings((change(WEAK, conditions=("x",)),)), ["conditions[0]", "Condition"]),
        (harness.Findings((change(WEAK, n=2.5),)), ["slices[0].n is the number 2.5"]),
        (harness.Findings((change(WEAK, gap=float("inf")),)), ["slices[0].gap", "finite"]),
        (
            harness.Findings((change(WEAK, conditions=(harness.Condition("a", "<", 1),)),)),
            ["conditions[0].op", "'=', '<=' or '>' is due"],
        ),
        (harness.Findings(diagnoses=("gap",)), ["diagnoses[0] is the text"]),
        (harness.Findings(diagnoses=(change(CAUSE, rows=(1,)),)), ["diagnoses[0].rows[0]"]),
        (harness.Findings(notes=(3,)), ["notes[0] is the number 3"]),
        (harness.Findings(failed={"a": None}), ["failed.a is None"]),
        (harness.Findings((WEAK,) * 20_001), ["20,001 slices"]),
    ],
)
def test_findings(given, words):
    refused(lambda: analyzed(given), *words)


@pytest.mark.parametrize("given", [None, "score", (), (1,), ("a", "a"), {"a": 1}])
def test_score_names(given):
    refused(lambda: check_metric(gives("score_names", given)), "score_names()")


@pytest.mark.parametrize("given", [None, "rows", {"a": 1}, ["row"], [None]])
def test_tables(given):
    refused(lambda: section.table_of(gives("rows", given), {}, Path()), "rows()")


def test_what_is_right_passes_as_it_is():
    assert loaded(iter([ROW])) == [ROW]
    listed = change(ROW, messages=[{"role": "user", "content": "hi"}], references=["ho"])
    assert loaded([listed]) == [listed]
    assert fetched(gives("fetch", BASE), None) is BASE
    assert answered([ANSWER]) == [ANSWER]
    assert detected(iter([LABEL, LABEL])) == [LABEL, LABEL]
    found = harness.Findings((WEAK,), (CAUSE,), ("a note",), {"other": "failed"})
    assert analyzed(found) is found
    assert from_json(harness.Findings, json.loads(json.dumps(to_json(found)))) == found
    assert section.table_of(gives("rows", iter([{"a": 1}])), {}, Path()) == [{"a": 1}]
