"""Answers held to a form: by each way of decoding, whole unless they are cut, and nothing else."""

from __future__ import annotations

import contextlib
import json
import sys

import pytest

import harness
from harness_transformers import TransformersGenerator, loading
from harness_transformers.chats import Chats
from harness_transformers.llamacpp.generator import LlamaCppGenerator
from tests.support.later import Later

torch = Later("torch")
greedy = Later("harness_transformers.greedy")
grammars = Later("harness_transformers.grammar")

LABELS = ["red", "red wine", 'a "quoted" \\d {x} | %', "ünï\nlines"]
SCHEMA = {
    "type": "object",
    "properties": {
        "kind": {"type": "string", "enum": ["order", "refund\n"]},
        "count": {"type": "integer", "minimum": 0, "maximum": 99},
        "open": {"type": "boolean"},
    },
    "required": ["kind", "count", "open"],
    "additionalProperties": False,
}
ROWS = [
    harness.Example(f"r{n}", ({"role": "user", "content": text},))
    for n, text in enumerate(("red", "the list of names", "open", "first blue value", "a"))
]


def answers(base, tmp_path, schema, **options):
    options = {"max_new_tokens": 60, "processes": 1, "precision": "fp32", **options}
    generator = TransformersGenerator(TransformersGenerator.Options(schema=schema, **options))
    made = generator.generate(base, ROWS, harness.Context(tmp_path))
    return {answer.example_id: answer for answer in made}


WAYS = {
    "greedy": {},
    "one at a time": {"batch_size": 1},
    "drawn": {"do_sample": True, "top_k": 5, "temperature": 1.5},
}


@pytest.mark.parametrize("way", WAYS)
def test_each_answer_is_one_of_the_labels(base, tmp_path, way):
    free = answers(base, tmp_path, None, **WAYS[way])
    assert not any(answer.text in LABELS for answer in free.values())
    held = answers(base, tmp_path, LABELS, **WAYS[way])
    assert {answer.text for answer in held.values()} <= set(LABELS)
    assert {answer.finish_reason for answer in held.values()} == {"stop"}


@pytest.mark.parametrize("way", WAYS)
def test_each_answer_is_json_of_the_schema(base, tmp_path, way):
    from jsonschema import validate

    for answer in answers(base, tmp_path, SCHEMA, **WAYS[way]).values():
        validate(json.loads(answer.text), SCHEMA)
        assert answer.finish_reason == "stop"


def test_how_many_are_answered_at_once_changes_no_held_answer(base, tmp_path):
    texts = [
        {name: answer.text for name, answer in answers(base, tmp_path, SCHEMA, **way).items()}
        for way in ({"batch_size": 1}, {"batch_size": 2}, {"batch_size": 5})
    ]
    assert texts[0] == texts[1] == texts[2]


def test_both_ways_of_decoding_hold_alike(base, tmp_path, monkeypatch):
    held = answers(base, tmp_path, SCHEMA)
    monkeypatch.setattr(greedy, "suits", lambda *_: False)
    assert answers(base, tmp_path, SCHEMA) == held


@pytest.mark.parametrize("form", [LABELS, SCHEMA], ids=["labels", "schema"])
def test_llama_cpp_holds_alike(base, tmp_path, form):
    options = LlamaCppGenerator.Options(schema=form, max_new_tokens=60, quantize="f32")
    made = LlamaCppGenerator(options).generate(base, ROWS, harness.Context(tmp_path))
    whole = answers(base, tmp_path, form)
    texts = {answer.example_id: answer.text for answer in made}
    assert texts == {name: answer.text for name, answer in whole.items()}


def test_an_answer_cut_inside_its_form_says_so(base, tmp_path):
    schema = {"type": "array", "items": {"type": "string", "minLength": 40}, "minItems": 3}
    cut = answers(base, tmp_path, schema, max_new_tokens=8)
    assert {answer.finish_reason for answer in cut.values()} == {"length"}
    assert all(answer.text.lstrip().startswith("[") for answer in cut.values())


def test_decoding_goes_on_inside_a_form(base):
    """The grammar is not part of what is saved: it reads the tokens again."""
    chats = Chats.of(base)
    model = loading.base_of(base, torch.float32).eval()
    prompts, _ = chats.prompts(ROWS, 60, count=False)

    def decoder(check=lambda: None):
        grammar = grammars.Grammar(SCHEMA, chats.tokenizer, chats.stops, grammars.vocabulary(model))
        return greedy.Greedy(model, chats.stops, 2, check, grammar)

    whole = dict(decoder().answers(prompts, 60))
    steps = 0

    def stop():
        nonlocal steps
        steps += 1
        if steps == 7:
            raise KeyboardInterrupt

    first, done = decoder(stop), {}
    with contextlib.suppress(KeyboardInterrupt):
        for number, tokens in first.answers(prompts, 60):
            done[number] = tokens
    assert steps == 7
    state = first.state()
    rest = dict(decoder().answers(prompts, 60, state))
    assert {**done, **rest} == whole
    assert rest


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({"type": "objekt"}, "objekt"),
        ({"type": "string", "pattern": "(?=a)b"}, "look-around"),
        ({"type": "object", "unevaluatedProperties": False}, "unevaluatedProperties"),
    ],
)
def test_a_schema_that_is_not_known_is_found_before_the_run(schema, said):
    generator = TransformersGenerator(TransformersGenerator.Options(schema=schema))
    [problem] = [each for each in generator.check({}) if "schema" in each.place]
    assert said in problem.message
    with pytest.raises(harness.ConfigError, match="schema"):
        TransformersGenerator().held_to(schema)


def test_without_the_package_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "llguidance", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    generator = TransformersGenerator(TransformersGenerator.Options(schema=LABELS))
    [problem] = [each for each in generator.check({}) if "schema" in each.place]
    assert problem.level == "environment"
    assert "[grammar]" in problem.message
    with pytest.raises(harness.EnvironmentFailure):
        TransformersGenerator().held_to(LABELS)


def test_probes_are_answered_freely(base):
    held = TransformersGenerator(TransformersGenerator.Options(schema=LABELS))
    assert held.form() == LABELS
    brief = held.brief(20)
    assert brief.form() is None
    assert brief.held_to(SCHEMA).form() == SCHEMA
