"""The system turn of the config goes with the model: each way to ask it gives the run's answers.

All are asked what a user would type, and nothing else. What they answer, or the prompt that they
render, is compared with what the run evaluated for that row of dev.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import re
import shutil

import pytest

import harness
from harness.records.context import silent
from harness_endpoint import EndpointBaseline
from harness_transformers import loading
from harness_transformers.export import modelfile, system_turn
from harness_transformers.quiet import quietly
from tests.plugins.transformers.conftest import TEMPLATE
from tests.support.chat_server import Server, said
from tests.support.later import Later
from tests.support.project import Project

asking = Later("harness_transformers.llamacpp.asking")
encoding = Later("harness_transformers.encoding")
made = Later("harness_transformers.export.made")
origin = Later("harness_transformers.export.origin")
serving = Later("harness_transformers.llamacpp.serving")
transformers = Later("transformers")

SYSTEM = 'Find the "list" of names:\n{{ messages }} {% raw %} é 😀 \\n """x'
ANSWER = "find the red"
CONFIG = """\
rounds: 1
data: {{source: rows, path: rows.jsonl, format: columns, system: {system},
        columns: {{prompt: ask, references: say, split: split}}}}
model: {{source: local, path: {folder}}}
train: {{plugin: lora, r: 8, epochs: 12, batch_size: 4, learning_rate: 0.03, precision: fp32}}
generate: {{plugin: transformers, max_new_tokens: 8, precision: fp32}}
metrics: [{{plugin: exact}}]
primary: exact
analyze: []
detect: []
report: []
baselines: []
execution: {{launcher: inline}}
"""


@pytest.fixture(scope="module")
def trained(tiny, tmp_path_factory):
    """A run of rows below a system turn of signs that mean something to one language or another."""
    project = Project(tmp_path_factory.mktemp("system"))
    shutil.copytree(tiny, project.folder / "base")
    rows = [
        {"split": split, "ask": f"{split} number {n}", "say": ANSWER}
        for split, count in (("train", 8), ("dev", 24), ("test", 24)) for n in range(count)
    ]  # fmt: skip
    project.write("\n".join(map(json.dumps, rows)), "rows.jsonl")
    project.write(CONFIG.format(folder=project.folder / "base", system=json.dumps(SYSTEM)))
    done = project.inside("iterate", "--json")
    assert done.code == 0, done.err
    return project


@pytest.fixture(scope="module")
def evaluated(trained):
    """The first row of dev whose answer is another one without the system turn, its answer and its
    prompt as text."""
    with pytest.MonkeyPatch.context() as patch, quietly():
        patch.chdir(trained.folder)
        run = harness.open_run()
        bare = [harness.Example(r.id, r.messages[1:], split="dev") for r in run.rows("dev")]
        without = run.models([1]).answer(1, bare)
        for row, answer, other in zip(run.rows("dev"), run.answers(1), without, strict=True):
            if answer.text != other.text:
                found = origin.find(None, 1, silent)
                prompt = encoding.prompt(loading.tokenizer_of(found.tuned), row)
                assert SYSTEM in prompt
                return row, answer.text, prompt
    raise AssertionError("the system turn changes no answer, so that nothing would be seen")


@pytest.fixture(scope="module")
def merged(trained, tmp_path_factory):
    target = tmp_path_factory.mktemp("merged") / "tuned"
    done = trained.inside("export", "--merge", "-o", str(target))
    assert done.code == 0, done.err
    assert "its chat template puts the run's system turn before a chat that has none" in done.err
    return target


@pytest.fixture(scope="module")
def file(trained, tmp_path_factory):
    target = tmp_path_factory.mktemp("gguf") / "tuned"
    done = trained.inside("export", "--gguf", "--quantize", "f32", "-o", str(target))
    assert done.code == 0, done.err
    return target


def served(folder, messages):
    """What a server answers that loads a folder as any other model and renders what it is sent."""
    with quietly():
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
        model = transformers.AutoModelForCausalLM.from_pretrained(folder)
        inputs = tokenizer.apply_chat_template(
            messages, add_generation_prompt=True, return_tensors="pt", return_dict=True
        )
        answer = model.generate(**inputs, max_new_tokens=8, do_sample=False)
    text = tokenizer.decode(answer[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
    return text.strip()


@pytest.mark.nightly
def test_try_asks_below_it(trained, evaluated):
    row, answer, _ = evaluated
    asked = ("try", "-p", row.prompt, "--round", "1", "--json")
    [found] = trained.inside(*asked).document["answers"]
    assert found["tuned"]["text"] == answer
    [found] = trained.inside(*asked, "--system", "").document["answers"]
    assert found["tuned"]["text"] != answer


@pytest.mark.nightly
def test_a_server_of_the_exported_weights_answers_below_it(merged, evaluated):
    row, answer, prompt = evaluated
    user = [{"role": "user", "content": row.prompt}]
    assert served(merged, user) == answer
    with quietly():
        tokenizer = transformers.AutoTokenizer.from_pretrained(merged)
    given = {"tokenize": False, "add_generation_prompt": True}
    assert tokenizer.apply_chat_template(user, **given) == prompt
    assert tokenizer.apply_chat_template([*row.messages], **given) == prompt
    other = [{"role": "system", "content": "Be brief."}, *user]
    assert SYSTEM not in tokenizer.apply_chat_template(other, **given)
    assert served(merged, [{"role": "system", "content": "-"}, *user]) != answer


def test_the_snippet_of_the_card_gives_the_same_answer(evaluated, merged):
    row, answer, _ = evaluated
    code = (merged / "README.md").read_text().partition("```python\n")[2].partition("```")[0]
    assert code.count("'…'") == 1
    code = code.replace("'…'", repr(row.prompt)).replace('"."', repr(str(merged)))
    with contextlib.redirect_stdout(io.StringIO()) as out, quietly():
        exec(code, {})
    assert out.getvalue().strip() == answer


@pytest.mark.nightly
def test_llama_cpp_answers_below_it(file, trained, evaluated, monkeypatch):
    row, answer, prompt = evaluated
    monkeypatch.chdir(trained.folder)
    with quietly():
        chats = asking.Chats.of(origin.find(None, 1, silent).tuned)
    ids = chats.tokenizer(prompt, add_special_tokens=False)["input_ids"]
    path = file / "model-f32.gguf"
    [rendered] = serving.prompts(
        str(path), [{"messages": [{"role": "user", "content": row.prompt}]}]
    )
    assert rendered == ids
    [tokens] = asking.answers(path, chats, [rendered], 8, silent)
    assert chats.text(tokens) == answer


def said_by(system, pieces):
    return [line for line in modelfile._system_lines(system, pieces) if line]


def test_the_modelfile_has_it_and_its_template_renders_it(trained, evaluated, file, monkeypatch):
    monkeypatch.chdir(trained.folder)
    with quietly():
        found = origin.find(None, 1, silent)
        pieces = modelfile.pieces_of(loading.tokenizer_of(found.tuned))
    # Ollama's language has no escapes, so three quotation marks cannot stand in it.
    assert "# The system turn of the run cannot be said here" in (file / "Modelfile").read_text()
    plain = {"role": "system", "content": "Find the list.\nNames alone."}
    [line] = said_by([plain], pieces)
    text = re.fullmatch(r'SYSTEM """(.*)"""', line, re.DOTALL)[1]
    row = harness.Example("a", (plain, {"role": "user", "content": "red"}))
    with quietly():
        due = encoding.prompt(loading.tokenizer_of(found.tuned), row)
    assert pieces.rendered([("system", text), ("user", "red")]) == due
    assert said_by([], pieces) == []
    for turns in ([{**plain, "role": "developer"}], [plain, plain]):
        assert said_by(turns, pieces)[0].startswith("# The system turn of the run cannot be said")


def test_a_server_that_the_run_asks_is_sent_it(merged, evaluated, tmp_path, monkeypatch):
    row, answer, _ = evaluated
    monkeypatch.setenv("KEY", "x" * 20)
    server = Server(lambda asked: said(served(merged, asked.body["messages"])))
    options = {"endpoint": server.url, "model": "m", "key": "KEY", "wait": 0, "cache": ""}
    made = harness.make_plugin("baseline", "endpoint", options)
    assert isinstance(made, EndpointBaseline)
    try:
        context = harness.Context(tmp_path)
        [prompt] = made.prompts([row.as_asked()], [], context)
        [reply] = made.answers([prompt], context)
    finally:
        server.close()
    assert reply.text == answer
    assert server.asked[0].system == SYSTEM


def test_rows_with_system_turns_of_their_own_have_none_that_goes_with_the_model(
    trained, monkeypatch
):
    monkeypatch.chdir(trained.folder)
    with quietly():
        found = origin.find(None, 1, silent)
    card = found.stored.card
    first, *others = card.examples
    bare = dataclasses.replace(first, messages=first.messages[1:])
    stored = dataclasses.replace(
        found.stored, card=dataclasses.replace(card, examples=[bare, *others])
    )
    mixed = dataclasses.replace(found, stored=stored)
    assert found.system_turns and mixed.system_turns == ()
    with quietly():
        assert system_turn.placed(mixed.tuned, mixed.system_turns) is mixed.tuned
    assert made.Export(
        origin=mixed,
        library="peft",
        kind="adapter",
        base="",
        licence="",
        parity=None,
        checks=(),
        system_placed=False,
    ).system_note == ("the rows of dev have system turns of their own: give one with each chat")


TRICKY = {
    "plain": TEMPLATE,
    "begins with a line break": "\n" + TEMPLATE,
    "begins with white space": "   {% if messages %}{% endif %}" + TEMPLATE,
    "has a default of its own": "{% if messages[0]['role'] != 'system' %}{{ 'Be good.' }}"
    "{% endif %}" + TEMPLATE,
    "takes no system turn": "{% if messages[0]['role'] == 'system' %}"
    "{{ raise_exception('no') }}{% endif %}" + TEMPLATE,
    "counts turns": "{{ messages | length }}" + TEMPLATE,
    "looks at the first turn by index": "{% set first = messages[0] %}"
    "{{ first['role'] }}" + TEMPLATE,
}


@pytest.mark.parametrize("name", TRICKY)
def test_templates_of_other_forms_render_a_chat_without_it_as_one_with_it(name, retemplated):
    base = retemplated(TRICKY[name])
    turns = ({"role": "system", "content": SYSTEM},)
    with quietly():
        made = loading.tokenizer_of(system_turn.placed(base, turns))
    user = {"role": "user", "content": "red"}
    if name == "takes no system turn":
        assert made.chat_template == TRICKY[name]
        return
    one, other = (
        encoding.prompt(made, harness.Example("a", chat)) for chat in ((user,), (*turns, user))
    )
    with quietly():
        own = encoding.prompt(loading.tokenizer_of(base), harness.Example("a", (*turns, user)))
    assert one == other == own
