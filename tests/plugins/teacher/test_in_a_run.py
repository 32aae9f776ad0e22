"""A run with a teacher: nothing of dev or test leaves, and `why` says how a row came about."""

from __future__ import annotations

import json
import re

import pytest

from tests.support.chat_server import SECRET, Answer, Server, said
from tests.support.project import CONFIG

# The turns of the fakes' rows hold their split and number: `repeat dev7: …`.
HELD_OUT = re.compile(r"\b(?:dev|test)\d+")


def writes(asked):
    if "JSON array of objects" not in asked.user:
        return said(asked.user.split(": ", 1)[1])
    rows = [
        {"prompt": f"repeat new{number}: {text}", "answer": text}
        for number in range(4)
        for text in [f"alpha {hash(asked.user) % 10**6} beta {number}"]
    ]
    usage = {"prompt_tokens": 50, "completion_tokens": 50}
    return said(json.dumps(rows), usage=usage, model="big-2026")


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    made = Server(writes)
    yield made
    made.close()


@pytest.fixture
def with_teacher(project, server):
    entry = (
        f"[{{plugin: teacher, rows: 6, endpoint: '{server.url}', model: big, wait: 0, tries: 1, "
        "verify: [{agree: 2}]}]"
    )
    config = CONFIG.replace("[{plugin: fake, rows: 10}]", entry)
    project.write(config.replace("rounds: 3", "rounds: 2"))
    return project


def test_nothing_of_dev_or_test_is_sent(with_teacher, server):
    result = with_teacher.inside("iterate", "--json")
    assert result.code == 0, result.err
    assert len(server.asked) > 4
    sent = [json.dumps(asked.body) for asked in server.asked]
    assert any("train" in text for text in sent)
    assert not [text for text in sent if HELD_OUT.search(text)]
    assert result.document["rounds"][2]["train_rows"] > result.document["rounds"][1]["train_rows"]

    listed = with_teacher.inside("query", "SELECT id FROM added LIMIT 1", "--json").document[0]
    found = with_teacher.inside("why", listed["id"], "--json").document
    assert found["origin"]["made"]["teacher"] == "big-2026"
    told = with_teacher.inside("why", listed["id"]).out
    assert "teacher: big-2026" in told and "agree 2: 2 of 2" in told


def test_what_it_costs_is_told_and_capped(with_teacher, server):
    config = (with_teacher.folder / "harness.yaml").read_text()
    priced = config.replace("wait: 0", "wait: 0, price: {in: 10, out: 20}, max_tokens: 1000")
    capped = priced.replace("launcher: inline}", "launcher: inline, budget: {money: 0.05}}")
    with_teacher.write(capped)
    stopped = with_teacher.inside("iterate")
    assert stopped.code == 130 and "execution.budget.money" in stopped.err
    sent = len(server.asked)
    with_teacher.write(capped.replace("money: 0.05", "money: 5"))
    result = with_teacher.inside("iterate", "--json")
    assert result.code == 0, result.err
    (cost,) = result.document["requests"]
    assert cost["requests"] == len(server.asked) > sent
    # Answers without usage count at their most.
    known = [asked for asked in server.asked if "JSON array" in asked.user]
    assert cost["open"] == len(server.asked) - len(known)
    assert 0.01 < cost["money"] < 5
    full = with_teacher.inside("report", "--full").out
    assert "Requests to servers" in full and "augment: teacher" in full


def test_a_server_that_is_down_ends_the_run_in_words_and_it_goes_on(with_teacher, server):
    server.says = lambda asked: Answer(503)
    result = with_teacher.inside("iterate", "--json")
    assert result.code == 3
    assert "teacher big at" in result.err and "503" in result.err
    server.says = writes
    assert with_teacher.inside("iterate", "--json").code == 0


VERIFIER = '''
import harness


class Short(harness.Verifier):
    """Passes answers of few words."""

    name = "short"

    def verify(self, row, context):
        return harness.Verification(len(row.references[0].split()) < 9, "short enough")


@harness.hookimpl
def register_verifiers():
    return [Short]
'''


def test_a_verifier_may_stand_in_a_file(with_teacher):
    (with_teacher.folder / "short.py").write_text(VERIFIER)
    config = (with_teacher.folder / "harness.yaml").read_text()
    config = config.replace("{agree: 2}", "{plugin: short}").replace(
        "plugins: [", "plugins: [short.py, "
    )
    with_teacher.write(config)
    result = with_teacher.inside("iterate", "--json")
    assert result.code == 0, result.err
    asked = "SELECT made FROM added LIMIT 1"
    made = with_teacher.inside("query", asked, "--json").document[0]["made"]
    assert "short enough" in json.dumps(made)
    assert with_teacher.inside("check").code == 0
