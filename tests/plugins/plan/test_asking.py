"""What a run will ask of servers is said before anything is sent."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.chat_server import SECRET, Server, said
from tests.support.project import CONFIG, Project

USAGE = {"prompt_tokens": 4, "completion_tokens": 1}
RUBRIC = """
schema: harness.rubric/1
id: fine
version: 1
title: Fine
instructions: Rate the answer.
criteria:
  - id: right
    title: Right
    question: Is it right?
    scale: {kind: ordinal, min: 0, max: 1, anchors: {0: no, 1: yes}}
"""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    made = Server(lambda asked: said("hm", usage=USAGE))
    yield made
    made.close()


@pytest.fixture
def asking(project: Project, server: Server) -> Project:
    of = f"endpoint: '{server.url}', model: big, wait: 0, max_tokens: 100"
    text = CONFIG.replace("rounds: 3", "rounds: 2")
    text += f"baselines: [{{plugin: endpoint, {of}, price: {{in: 10, out: 20}}}}]\n"
    project.write(text)
    return project


def test_requests_tokens_and_money_by_what_asks(asking, server):
    done = asking.inside("plan", "--no-probe", "--json")
    assert done.code == 0, done.err
    dev, test = done.document["requests"]
    assert (dev["what"], dev["model"], dev["count"]) == ("baseline endpoint", "big", 48)
    assert test["what"] == "baseline endpoint on test" and test["sure"] is True
    assert dev["answer"] == 4800 and dev["prompt"] > 48 * 50
    assert dev["money"] == pytest.approx((dev["prompt"] * 10 + 4800 * 20) / 1e6)
    shown = asking.inside("plan", "--no-probe", COLUMNS="80").out
    assert max(map(len, shown.splitlines())) <= 80 and "baseline endpoint: big" in shown
    assert not server.asked
    begun = asking.inside("iterate", "--no-test", "--json")
    assert f"Servers get up to 48 requests, at most {dev['money']:.2f}" in begun.err, begun.err
    [cost] = begun.document["requests"]
    assert cost["requests"] == 48 and cost["money"] < dev["money"]
    left = asking.inside("plan", "--no-probe", "--json").document["requests"]
    assert [each["what"] for each in left] == ["baseline endpoint on test"]


@pytest.mark.nightly
def test_a_judge_and_a_teacher_are_about_so_much_and_a_plan_asks_neither(project, server):
    (project.folder / "fine.yaml").write_text(RUBRIC)
    of = f"endpoint: '{server.url}', model: big, wait: 0, max_tokens: 100"
    text = CONFIG.replace("rounds: 3", "rounds: 2")
    project.write(text)
    assert project.inside("iterate", "--no-test").code == 0
    judge = f"{{plugin: judge, rubric: fine.yaml, samples: 2, {of}}}"
    teacher = f"{{plugin: teacher, rows: 10, verify: [{{agree: 3}}], {of}}}"
    text = text.replace("metrics: [", f"metrics: [{judge}, ")
    project.write(text.replace("augment: [", f"augment: [{teacher}, "))
    done = project.inside("plan", "--no-probe", "--json")
    assert done.code == 0, done.err
    assert not server.asked
    found = {each["what"]: each for each in done.document["requests"]}
    assert set(found) == {"metric judge", "augment teacher"}
    assert found["metric judge"]["count"] == 2 * 48 * 5  # both sides of test, and three of dev
    assert found["augment teacher"]["count"] == 3 + 10 * 2
    assert found["augment teacher"]["money"] is None and not found["metric judge"]["sure"]
