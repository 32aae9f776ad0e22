"""The run's model behind a server: started with the right words, asked, and ended whole."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import json
import sys
from pathlib import Path

import psutil
import pytest
from pydantic import ValidationError

import harness
from harness.kit.remote.spending import Spending, counting
from harness_endpoint import EndpointGenerator, serving
from tests.support import dripping
from tests.support.chat_server import Answer, Server, said
from tests.support.documents import words_of
from tests.support.ports import own_port
from tests.support.project import CONFIG
from tests.support.waiting import until

PROGRAM = Path(__file__).with_name("stand_in.py")
SERVE = f"{sys.executable} {PROGRAM} {{base}} [--adapter {{adapter}}] --port {{port}}"
SEVERAL = f"{sys.executable} {PROGRAM} {{base}} [--adapters {{adapters}}] --port {{port}}"
ROWS = tuple(
    harness.Example(f"r{n}", ({"role": "user", "content": f"question {n}"},)) for n in range(5)
)


@pytest.fixture(autouse=True)
def _port(monkeypatch):
    """A free port may be somebody else's by the time that a slow server is up."""
    monkeypatch.setattr(serving, "free_port", own_port)


@pytest.fixture
def folder(tmp_path):
    for name, skill in (("a base", 1), ("an adapter's", 9)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "skill.json").write_text(json.dumps(skill))
    (tmp_path / "out").mkdir()
    return tmp_path


@pytest.fixture
def base(folder):
    return harness.Checkpoint("base", str(folder / "a base"), "b")


@pytest.fixture
def adapter(folder, base):
    return harness.Checkpoint("adapter", str(folder / "an adapter's"), "a", base_path=base.path)


def generator(serve=SERVE, **options):
    return EndpointGenerator(EndpointGenerator.Options(serve=serve, wait=0, **options))


def answers(folder, checkpoint, made):
    return list(made.generate(checkpoint, ROWS, harness.Context(folder / "out", seed=1)))


def workers(folder):
    """What the servers started, and did not end themselves."""
    path = folder / "a base" / "workers.txt"
    return [int(line) for line in path.read_text().split()] if path.exists() else []


def ended(folder):
    return until(lambda: not any(map(psutil.pid_exists, workers(folder))), "the end of all")


def test_base_and_adapter_are_served_and_ended(folder, base, adapter, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-another-server-0123456789")
    made = generator()
    for checkpoint, skill, finish in ((base, 1, "stop"), (adapter, 9, "length")):
        by_id = {one.example_id: one for one in answers(folder, checkpoint, made)}
        assert len(by_id) == len(ROWS)
        assert by_id["r3"].text == f"question 3 by {skill}"
        assert (by_id["r3"].finish_reason, by_id["r3"].prompt_tokens) == (finish, 3)
    assert len(workers(folder)) == 2 and ended(folder)
    assert not list((folder / "out").iterdir())


@pytest.mark.parametrize(
    ("form", "text"),
    [
        (["a ü", "b"], "a ü"),
        ({"type": "object"}, '{"said": "question 3 by 1"}'),
        ({"const": 1}, "question 3 by 1"),
    ],
)
def test_a_form_is_sent_as_a_schema_and_labels_come_back_as_texts(folder, base, form, text):
    held = generator().held_to(form)
    assert held.form() == form and held.brief(9).form() is None
    by_id = {each.example_id: each.text for each in answers(folder, base, held)}
    assert by_id["r3"] == text


def test_a_schema_that_cannot_be_read_is_found_before_the_run(folder):
    (folder / "form.json").write_text("[]")
    problems = generator(schema=folder / "form.json").check({})
    assert any("holds no schema" in each.message for each in problems)


@pytest.mark.nightly
def test_a_cap_on_money_does_not_stop_a_server_of_the_run(folder, base):
    spending = Spending(folder / "spent.jsonl", "run", most=0.0)
    with counting(spending):
        assert len(answers(folder, base, generator(max_tokens=None))) == len(ROWS)
    [cost] = spending.costs().values()
    assert (cost.requests, cost.open, cost.money) == (len(ROWS), 0, 0.0)


@pytest.mark.nightly
def test_both_sides_are_asked_row_by_row_in_one_process(folder, base, adapter):
    (folder / "kept").mkdir()
    (folder / "kept" / "skill.json").write_text("4")
    kept = dataclasses.replace(adapter, path=str(folder / "kept"), digest="k")
    log = folder / "asked.txt"
    made = generator(f"{SEVERAL} --asked {log}", concurrency=1)
    assert made.holds_both() and made.asked_again() == 0
    for other, name, skill in ((base, base.path, 1), (kept, "tuned-kept", 4)):
        context = harness.Context(folder / "out", seed=1)
        answers = list(made.generate_both((adapter, other), ROWS, context))
        by_side = [{a.example_id: a.text for side, a in answers if side == n} for n in (0, 1)]
        assert by_side[0]["r3"] == "question 3 by 9" and by_side[1]["r3"].endswith(f"by {skill}")
        assert [len(each) for each in by_side] == [len(ROWS)] * 2
        assert context.facts["served"] == {"tuned": ["tuned"], name: [name]}
        # Neither side is always the first of a row.
        first = ["tuned", name, name, "tuned"]
        assert log.read_text().splitlines() == [*first, *first, "tuned", name]
        log.unlink()
    assert len(workers(folder)) == 2 and ended(folder)
    assert len(list(made.generate(base, ROWS, harness.Context(folder / "out")))) == len(ROWS)


def test_a_command_for_one_adapter_holds_one_model(folder):
    assert not generator().holds_both() and generator().asked_again() == 60
    assert generator(again=7).asked_again() == 7
    by_name = generator("serve --port {port}", tuned="{adapter}")
    assert by_name.holds_both() and by_name.asked_again() == 0


@pytest.mark.nightly
def test_a_server_that_ignores_the_signal_is_killed(folder, base, monkeypatch):
    monkeypatch.setattr(serving, "_ENDING", 0.3)
    assert answers(folder, base, generator(f"{SERVE} --stubborn"))
    assert ended(folder)


def test_a_server_that_ends_is_told_in_its_own_words(folder, base):
    with pytest.raises(harness.EnvironmentFailure, match="the server ended with 7") as caught:
        answers(folder, base, generator(f"{SERVE} --fail"))
    assert "out of memory" in "".join(caught.value.details)


@pytest.mark.nightly
def test_a_server_that_is_slow_is_waited_for_and_given_up(folder, base):
    assert answers(folder, base, generator(f"{SERVE} --slow 0.5"))
    with pytest.raises(harness.EnvironmentFailure, match="does not answer within"):
        answers(folder, base, generator(f"{SERVE} --slow 600", start_timeout=0.5))
    assert ended(folder)


def test_a_program_that_is_not_there_is_named(folder, base):
    made = generator("no-such-server {base} [{adapter}] --port {port}")
    with pytest.raises(harness.EnvironmentFailure, match="cannot be started"):
        answers(folder, base, made)
    assert any("no-such-server" in problem.message for problem in made.check({}))
    assert not [one for one in generator().check({}) if one.level == "config"]


def test_a_server_without_adapters_is_refused_before_anything_is_trained():
    made = generator("transformers serve --port {port}", tuned="{adapter}")
    assert any("knows no adapters" in one.message for one in made.check({}))


def test_many_may_be_asked_at_once(folder, base):
    assert len(answers(folder, base, generator(concurrency=1024))) == len(ROWS)


@pytest.mark.nightly
def test_a_wrong_name_of_the_model_is_told(folder, base):
    with pytest.raises(harness.EnvironmentFailure, match="no such model or address"):
        answers(folder, base, generator(model="another"))
    assert ended(folder)


def test_a_job_that_is_stopped_leaves_no_server(folder, base):
    context = harness.Context(folder / "out", seed=1)
    context.cancelled = lambda: bool(workers(folder))
    with pytest.raises(harness.Cancelled):
        list(generator(f"{SERVE} --slow 600").generate(base, ROWS, context))
    assert ended(folder)


def test_what_cannot_be_meant_is_refused():
    for options, words in [
        ({"serve": "vllm serve {base}"}, "needs {port}"),
        ({"serve": "vllm serve {model} --port {port}"}, "is not known"),
        ({"serve": SERVE, "endpoint": "http://127.0.0.1:1/v1"}, "Extra inputs"),
        ({"serve": SERVE, "tuned": "{lora}"}, "is not known"),
        ({"serve": "'vllm serve --port {port}"}, "No closing quotation"),
        ({"serve": "llama-server --port {port}"}, "never told of the adapter"),
        ({"serve": "vllm serve --lora {adapter} --port {port}"}, "stands in brackets"),
        ({"serve": "vllm serve [--lora={adapters}] --port {port}"}, "a word of its own"),
        ({"serve": "serve [{adapters}] [{adapter}] --port {port}"}, "one too many"),
        ({"serve": SEVERAL, "model": "m", "tuned": "m"}, "two names"),
    ]:
        with pytest.raises(ValidationError, match=words):
            EndpointGenerator.Options(**options)


def test_a_path_is_one_word_whatever_it_holds():
    for hostile in ["a b; rm -rf /", "$(touch x)", "--help", "'\"", "{port}"]:
        values = {"base": hostile, "port": "1"}
        origins = """serve {base} --allowed-origins '["*"]'"""
        assert serving.words(origins, values)[-1] == '["*"]', hostile
        assert serving.words("serve {base} [--lora {adapter}] --port {port}", values) == [
            "serve", hostile, "--port", "1",
        ], hostile  # fmt: skip


def test_the_programs_version_is_part_of_what_answers_are_made_with():
    (told,) = generator().environment().values()  # python3 says its name otherwise than python
    assert told.endswith(f"Python {sys.version.split()[0]}")
    none = generator("no-such-server {base} [{adapter}] --port {port}")
    assert none.environment() == {"server": ""}


def test_a_module_says_its_packages_version_and_a_program_its_name(tmp_path):
    version = importlib.metadata.version("pytest")
    module = f"{sys.executable} -m pytest.server [{{adapter}}] --port {{port}}"
    assert serving.version(module) == f"pytest {version}"
    program = tmp_path / "server"
    program.write_text('#!/bin/sh\n[ "$1" = version ] && echo 5.24\n')
    program.chmod(0o755)
    assert serving.version(f"{program} [{{adapter}}] --port {{port}}") == "server 5.24"


def run_with(project, serve):
    text = CONFIG.replace("rounds: 3", "rounds: 1") + "report: []\nprobes: []\n"
    entry = json.dumps({"plugin": "endpoint", "serve": serve})
    return project.write(text.replace("generate: {plugin: fake}", f"generate: {entry}"))


@pytest.mark.nightly
def test_a_run_judges_both_sides_of_one_process(project):
    """A shift of each server that holds an adapter would be taken for a gain."""
    shifted = f"{sys.executable} {PROGRAM} {{base}} --repeat 0.3 --shift 0.4 --port {{port}}"
    asked = ("iterate", "--json", "--no-test", "--set", "train.gain=0.0025")  # 0.2 + 40 x 0.0025
    run_with(project, f"{shifted} [--adapter {{adapter}}]")
    done = project.inside(*asked, "--set", "generate.again=0")
    assert done.code == 0, done.err
    assert done.document["rounds"][1]["verdict"]["label"] == "improved"
    run_with(project, f"{shifted} [--adapters {{adapters}}]")
    done = project.inside(*asked)
    assert done.code == 0, done.err
    verdict = done.document["rounds"][1]["verdict"]
    assert verdict["label"] == "no evidence" and abs(verdict["difference"]) < 0.1
    assert "Both sides were asked in one pass of one process. There" in words_of(verdict)


# -- another server at the port ---------------------------------------------------------------


@pytest.fixture
def foreign(monkeypatch):
    """A server of somebody else, at the port that the run has chosen."""
    server = Server(lambda asked: said("of somebody else"))
    models = {"data": [{"id": "mine"}, {"id": "tuned"}]}
    server.others = lambda *asked: Answer(200, json.dumps(models).encode())
    port = int(server.url.split(":")[2].partition("/")[0])
    monkeypatch.setattr(serving, "free_port", lambda: port)
    yield server
    server.close()


def test_another_server_is_not_taken_for_one_that_has_ended(folder, base, foreign):
    with pytest.raises(harness.EnvironmentFailure, match="the server ended with 7") as caught:
        answers(folder, base, generator(f"{SERVE} --fail", model="mine"))
    assert "CUDA error" in str(caught.value)
    assert foreign.asked == []


@pytest.mark.nightly(but_each=2)
@pytest.mark.parametrize("name", ["mine", "another"])
def test_another_server_is_not_taken_for_one_that_cannot_have_the_port(
    folder, base, foreign, name, monkeypatch
):
    """It ends some time after the other one has answered, whose model may have the same name."""
    made = generator(f"{SERVE} --slow 0.5", model=name)
    with pytest.raises(harness.EnvironmentFailure, match="ended with 1; another server") as caught:
        answers(folder, base, made)
    assert "(mine, tuned)" in caught.value.what
    assert foreign.asked == []


IDLE = f"{sys.executable} -c 'import time; time.sleep(600)' {{base}} {{port}} [{{adapter}}]"


@pytest.mark.nightly
def test_a_server_that_is_not_seen_to_listen_counts_by_its_names(
    folder, base, foreign, monkeypatch
):
    """As in a container: the command stays at work, and somebody else has the port."""
    monkeypatch.setattr(serving, "_SETTLED", 0.3)
    assert {a.text for a in answers(folder, base, generator(IDLE, model="mine"))} == {
        "of somebody else"
    }
    foreign.asked.clear()
    made = generator(IDLE, model="another", start_timeout=1)
    with pytest.raises(harness.EnvironmentFailure, match="within 1 s; another server answers"):
        answers(folder, base, made)
    assert foreign.asked == []


@pytest.mark.nightly(but_each=3)
@pytest.mark.parametrize("drops", [dripping.header, dripping.interim, dripping.body])
def test_a_server_that_drips_is_not_waited_for_longer_than_is_said(
    folder, base, monkeypatch, drops
):
    monkeypatch.setattr("harness.kit.remote.client.LONGEST_LIST", 0.2)
    with dripping.dripping(drops) as address:
        monkeypatch.setattr(serving, "free_port", lambda: int(address.split(":")[2]))
        with pytest.raises(harness.EnvironmentFailure, match="does not answer within 1 s"):
            answers(folder, base, generator(IDLE, start_timeout=1))


@pytest.mark.nightly
def test_what_is_published_shows_the_commands_first_word_alone(project):
    """Commands hold secrets (`--api-key X`); the run's own copy is what it is loaded from."""
    secret = "hf_SECRET0123456789"
    serve = f"{sys.executable} {PROGRAM} {{base}} --repeat 0.3 --port {{port}}"
    run_with(project, f"{serve} --asked {project.folder}/{secret} [--adapters {{adapters}}]")
    done = project.inside("iterate", "--json", "--no-test")
    assert done.code == 0, done.err
    name = done.document["run"]
    assert done.document["settings"]["generate"]["serve"] == f"{sys.executable} …"
    shown = [done.out, *(project.inside(*words, name).out for words in (("report",), ("rebuild",)))]
    published = [path for path in (project.folder / "reports" / name).rglob("*") if path.is_file()]
    assert {"config.yaml", "summary.json"} < {path.name for path in published}
    for content in (*map(str.encode, shown), *(path.read_bytes() for path in published)):
        assert secret.encode() not in content
    # It is gone on with, and nothing is made again.
    again = project.inside("iterate", "--json", "--no-test")
    assert again.code == 0 and again.document["run"] == name
    assert again.bare == done.bare
