"""The run's model behind a server: started with the right words, asked, and ended whole."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import psutil
import pytest
from pydantic import ValidationError

import harness
from harness_endpoint import EndpointGenerator, serving

PROGRAM = Path(__file__).with_name("stand_in.py")
SERVE = f"{sys.executable} {PROGRAM} {{base}} [--adapter {{adapter}}] --port {{port}}"
ROWS = tuple(
    harness.Example(f"r{n}", ({"role": "user", "content": f"question {n}"},)) for n in range(5)
)


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
    end = time.monotonic() + 5
    while any(map(psutil.pid_exists, workers(folder))):
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


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


def test_a_server_that_ignores_the_signal_is_killed(folder, base, monkeypatch):
    monkeypatch.setattr(serving, "_ENDING", 0.3)
    assert answers(folder, base, generator(f"{SERVE} --stubborn"))
    assert ended(folder)


def test_a_server_that_ends_is_told_in_its_own_words(folder, base):
    with pytest.raises(harness.EnvironmentFailure, match="the server ended with 7") as caught:
        answers(folder, base, generator(f"{SERVE} --fail"))
    assert "out of memory" in "".join(caught.value.details)


def test_a_server_that_is_slow_is_waited_for_and_given_up(folder, base):
    assert answers(folder, base, generator(f"{SERVE} --slow 0.5"))
    with pytest.raises(harness.EnvironmentFailure, match="does not answer within"):
        answers(folder, base, generator(f"{SERVE} --slow 60", start_timeout=0.5))
    assert ended(folder)


def test_a_program_that_is_not_there_is_named(folder, base):
    made = generator("no-such-server {base} --port {port}")
    with pytest.raises(harness.EnvironmentFailure, match="cannot be started"):
        answers(folder, base, made)
    assert any("no-such-server" in problem.message for problem in made.check({}))
    assert not [one for one in generator().check({}) if one.level == "config"]


def test_many_may_be_asked_at_once(folder, base):
    assert len(answers(folder, base, generator(concurrency=1024))) == len(ROWS)


def test_a_wrong_name_of_the_model_is_told(folder, base):
    with pytest.raises(harness.EnvironmentFailure, match="no such model or address"):
        answers(folder, base, generator(model="another"))
    assert ended(folder)


def test_a_job_that_is_stopped_leaves_no_server(folder, base):
    context = harness.Context(folder / "out", seed=1)
    context.cancelled = lambda: bool(workers(folder))
    with pytest.raises(harness.Cancelled):
        list(generator(f"{SERVE} --slow 5").generate(base, ROWS, context))
    assert ended(folder)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"serve": "vllm serve {base}"}, "needs {port}"),
        ({"serve": "vllm serve {model} --port {port}"}, "is not known"),
        ({"serve": SERVE, "endpoint": "http://127.0.0.1:1/v1"}, "Extra inputs"),
        ({"serve": SERVE, "tuned": "{lora}"}, "is not known"),
        ({"serve": "'vllm serve --port {port}"}, "No closing quotation"),
    ],
)
def test_what_cannot_be_meant_is_refused(options, words):
    with pytest.raises(ValidationError, match=words):
        EndpointGenerator.Options(**options)


@pytest.mark.parametrize("hostile", ["a b; rm -rf /", "$(touch x)", "--help", "'\"", "{port}"])
def test_a_path_is_one_word_whatever_it_holds(hostile):
    values = {"base": hostile, "port": "1"}
    assert serving.words("serve {base} [--lora {adapter}] --port {port}", values) == [
        "serve", hostile, "--port", "1",
    ]  # fmt: skip


def test_the_programs_version_is_part_of_what_answers_are_made_with():
    assert generator().environment() == {"server": f"Python {sys.version.split()[0]}"}
    assert generator("no-such-server {base} --port {port}").environment() == {"server": ""}
