"""Another model as a baseline: asked in a run, judged beside the rounds, told with its cost."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import jsonschema
import pytest

import harness
from harness_endpoint.baseline import EndpointBaseline
from tests.support.batch_server import BatchServer
from tests.support.chat_server import SECRET, Answer, Server, said
from tests.support.project import CONFIG, Project
from tests.support.waiting import threads_ended

USAGE = {"prompt_tokens": 40, "completion_tokens": 10}


def right(asked: Any) -> Answer:
    """The fakes' rows say what is to be repeated."""
    text = asked.user.split(": ", 1)[1]
    return said(text, usage=USAGE, model="big-2026")


def wrong(asked: Any) -> Answer:
    return said("hm", usage=USAGE)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("BIG_KEY", SECRET)
    made = Server(right)
    yield made
    made.close()


def config(server: Server, more: str = "", others: str = "prompted, ") -> str:
    server_of = f"endpoint: '{server.url}', model: big, key: BIG_KEY, wait: 0"
    entry = f"{{plugin: endpoint, {server_of}{more}}}"
    return CONFIG.replace("rounds: 3", "rounds: 1") + f"baselines: [{others}{entry}]\n"


PRICED = ", price: {in: 10, out: 20}"


@pytest.fixture
def big(project: Project, server: Server) -> Project:
    project.write(config(server, PRICED))
    return project


def test_a_better_model_is_said_not_to_be_reached_and_is_no_prompt(big, server):
    done = big.inside("iterate", "--json")
    assert done.code == 0, done.err
    document = done.document
    jsonschema.Draft202012Validator(harness.summary_schema()).validate(document)
    [found] = document["models"]
    assert (found["name"], found["model"], found["split"]) == ("endpoint", "big", "test")
    assert found["scores"]["overlap"]["value"] == 1.0
    assert found["verdict"]["label"] == "regressed" and found["verdict"]["difference"] < 0
    assert found["verdict"]["level"] == document["test"]["verdict"]["level"]
    assert found["sentence"].startswith("Round 1 does not reach big: a difference of -0.")
    # 1,000 x (40 x 10 + 10 x 20) / 1,000,000
    assert "1,000 answers by big cost 0.60 (40,000 tokens of prompts and 10," in found["sentence"]
    assert found["thousand"] == {"prompt_tokens": 40000, "answer_tokens": 10000, "money": 0.6}
    # Whether a prompt would do is another question.
    assert [each["name"] for each in document["baselines"]] == ["prompted"]
    assert document["best_prompt"]["name"] == "prompted" and document["beats_prompts"] is True
    assert "The server calls the model big: big-2026." in document["notes"]
    assert document["test"]["looks"] == 1
    asked = Counter(asked.user.split()[1].rstrip("0123456789:") for asked in server.asked)
    assert asked == {"dev": 48, "test": 48}


def test_what_is_sent_are_prompts_and_no_references(big, server):
    assert big.inside("iterate", "--no-test").code == 0
    for asked in server.asked:
        assert asked.headers["Authorization"] == f"Bearer {SECRET}"
        assert asked.body["temperature"] == 0 and asked.body["model"] == "big"
        assert [turn["role"] for turn in asked.body["messages"]] == ["user"]
    assert not [asked for asked in server.asked if asked.user.startswith("repeat test")]
    files = [path for path in big.folder.rglob("*") if path.is_file()]
    assert not [path for path in files if SECRET.encode() in path.read_bytes()]


@pytest.mark.nightly
def test_a_worse_model_is_reached(big, server):
    server.says = wrong
    found = big.inside("iterate", "--json", "--no-test").document["models"][0]
    assert found["split"] == "dev" and found["verdict"]["label"] == "improved"
    assert found["sentence"].startswith("Round 1 reaches big and is better: a difference of 0.")


@pytest.mark.nightly
def test_where_no_round_improved_the_base_model_stands_beside_it(big):
    done = big.inside("iterate", "--json", "--set", "train.gain=0")
    [found] = done.document["models"]
    assert found["split"] == "dev" and done.document["kept_round"] == 0
    assert found["sentence"].startswith("The base model (no round improved on it) does not reach")


@pytest.mark.nightly
def test_without_a_price_tokens_are_told_and_without_usage_nothing(big, server):
    big.write(config(server, others=""))
    document = big.inside("iterate", "--json", "--no-test").document
    assert "baselines" not in document and document["best_prompt"] is None
    assert document["models"][0]["thousand"]["money"] is None
    assert "1,000 answers by big take 40,000 tokens" in document["models"][0]["sentence"]
    assert "better than a prompt" not in big.inside("report").out
    server.says = lambda asked: said("another")
    big.write(config(server, ", max_tokens: 100"))
    [found] = big.inside("iterate", "--json", "--no-test").document["models"]
    assert found["thousand"] is None and "1,000 answers" not in found["sentence"]


@pytest.mark.nightly
def test_a_fault_within_the_opening_counts_it_once(big, server):
    def down_on_test(asked: Any) -> Answer:
        return Answer(503) if asked.user.startswith("repeat test") else right(asked)

    server.says = down_on_test
    assert big.inside("iterate").code == 3
    server.says = right
    server.asked.clear()
    done = big.inside("iterate", "--json")
    assert done.code == 0, done.err
    assert done.document["test"]["looks"] == 1
    assert done.document["models"][0]["split"] == "test"
    assert all(asked.user.startswith("repeat test") for asked in server.asked)


@pytest.mark.nightly
def test_replies_are_kept_for_other_runs(big, server):
    assert big.inside("iterate", "--no-test").code == 0
    server.asked.clear()
    assert big.inside("iterate", "--no-test", "--set", "train.gain=0.2").code == 0
    assert not server.asked


@pytest.mark.nightly
def test_prompts_may_come_from_another_baseline(big, server):
    big.write(config(server, ", name: big", others=""))
    [alone] = big.inside("iterate", "--json", "--no-test").document["models"]
    assert alone["name"] == "big" and "big (big)" not in alone["sentence"]
    server.asked.clear()
    big.write(config(server, ", name: shown, prompts: {plugin: few-shot, k: 2}", others=""))
    done = big.inside("iterate", "--json", "--no-test")
    assert done.code == 0, done.err
    turns = [turn["content"] for turn in server.asked[0].body["messages"]]
    assert len(turns) == 5 and turns[0].startswith("repeat train")
    [found] = done.document["models"]
    assert "2 examples of train before each prompt" in found["what"]
    assert "shown (big)" in found["sentence"]


@pytest.mark.parametrize(
    ("way", "words"),
    [
        ("nothing-such", "nothing-such"),
        ("{k: 2}", "it names no baseline"),
        ("{plugin: endpoint, endpoint: 'http://127.0.0.1:1/v1', model: x}", "makes no prompts"),
        ("{plugin: few-shot, k: 0}", "k"),
    ],
)
def test_prompts_that_cannot_be_made_are_refused(big, server, way, words):
    big.write(config(server, f", prompts: {way}"))
    done = big.inside("iterate")
    assert done.code == 2 and words in done.err, done.err
    assert not server.asked


@pytest.mark.parametrize(
    ("more", "words"), [("", "needs price"), (f"{PRICED}, max_tokens: null", "needs max_tokens")]
)
def test_a_cap_on_money_needs_what_a_request_can_cost(big, server, more, words):
    text = config(server, more)
    big.write(text.replace("launcher: inline}", "launcher: inline, budget: {money: 5}}"))
    for command in ("check", "iterate"):
        done = big.inside(command)
        assert done.code == 2 and f"execution.budget.money {words}" in done.err, done.err
    assert not server.asked


def test_money_is_capped(big, server):
    text = config(server, f"{PRICED}, max_tokens: 1000")
    big.write(text.replace("launcher: inline}", "launcher: inline, budget: {money: 0.05}}"))
    with threads_ended():
        stopped = big.inside("iterate", "--no-test")
    assert stopped.code == 130 and "execution.budget.money" in stopped.err
    assert 0 < len(server.asked) < 48
    big.write(text)
    done = big.inside("iterate", "--json", "--no-test")
    assert done.code == 0, done.err
    assert len(server.asked) == 48
    [cost] = done.document["requests"]
    assert (cost["stage"], cost["model"]) == ("baseline endpoint", "big")


def test_reports_tell_it_in_a_line_and_fit_80_columns(big):
    assert big.inside("iterate").code == 0
    for arguments in (("report",), ("report", "--full")):
        shown = big.inside(*arguments, COLUMNS="80").out
        assert max(map(len, shown.splitlines())) <= 80
        assert "Other models" in shown
        assert "Round 1 does not reach big: a difference of -0." in " ".join(shown.split())
    assert "endpoint  test    1.000  no       -0.640" in shown
    run = next((big.folder / "reports").glob("*/summary.json"))
    for name in ("report.md", "report.html", "report.txt"):
        text = " ".join((run.parent / name).read_text().split())
        assert "does not reach big" in text and "1,000 answers by big cost 0.60" in text, name


@pytest.mark.nightly
def test_what_looks_asks_nothing(big, server):
    for command in ("check", "plan"):
        assert big.inside(command).code == 0, command
    assert not server.asked
    told = big.inside("check").out
    assert "are sent to 127.0.0.1" in told
    done = big.inside("iterate", "--json")
    server.asked.clear()
    for arguments in (("plan",), ("rebuild", done.document["run"]), ("compare", "0", "1")):
        assert big.inside(*arguments).code == 0, arguments
    assert not server.asked
    database = big.folder / "reports" / done.document["run"] / "run.duckdb"
    sql = "SELECT DISTINCT split FROM predictions WHERE arm = 'baseline endpoint'"
    assert set(harness.query(database, sql).rows) == {("dev",), ("test",)}


TOOLS = ({"type": "function", "function": {"name": "f", "parameters": {}}},)


def _answered(folder, message: dict[str, Any], end: str, *turns: dict[str, Any]) -> Any:
    """What a server was asked, what is made of its answer, and the remarks."""
    choices = [{"message": {"role": "assistant", **message}, "finish_reason": end}]
    body = json.dumps({"choices": choices, "usage": USAGE}).encode()
    server = Server(lambda asked: Answer(body=body))
    options = EndpointBaseline.Options(endpoint=server.url, model="big", cache="", key="NO_KEY")
    row = harness.Example("a", ({"role": "user", "content": "?"}, *turns), tools=TOOLS)
    context = harness.Context(folder, stage="generate test", arm="baseline endpoint")
    try:
        [made] = EndpointBaseline(options).answers([row], context)
    finally:
        server.close()
    return server.asked[0].body, made, context.facts.get("remarks", [])


def test_turns_are_sent_as_the_api_has_them(tmp_path):
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": {"a": "é"}}}
    thought = {"role": "assistant", "content": None, "tool_calls": [call], "thinking": "well"}
    result = {"role": "tool", "content": "3", "tool_call_id": "1"}
    body, _, _ = _answered(tmp_path, {"content": "3"}, "stop", thought, result)
    assert body["tools"] == list(TOOLS)
    sent = {**call, "function": {"name": "f", "arguments": '{"a": "é"}'}}
    assert body["messages"][1] == {"role": "assistant", "content": None, "tool_calls": [sent]}
    assert body["messages"][2] == result


def test_an_answer_that_the_server_breaks_off_is_counted(tmp_path):
    _, made, [remark] = _answered(tmp_path, {"content": None}, "content_filter")
    assert (made.text, made.prompt_tokens, made.completion_tokens) == ("", 40, 10)
    expected = "1 of 1 answers of big (baseline endpoint, generate test) were broken off"
    assert remark.startswith(expected) and "1 x content_filter" in remark


def test_calls_of_tools_are_taken_as_the_server_read_them(tmp_path):
    calls = [
        {"id": str(number), "type": "function", "function": {"name": "f", "arguments": arguments}}
        for number, arguments in enumerate(('{"a": "é"}', "", '{"b": [1]}'))
    ]
    _, made, remarks = _answered(tmp_path, {"tool_calls": calls}, "tool_calls")
    assert made.text.split("\n") == [
        '{"name": "f", "arguments": {"a": "é"}}',
        '{"name": "f", "arguments": {}}',
        '{"name": "f", "arguments": {"b": [1]}}',
    ]
    read = [(call.name, call.arguments) for call in harness.Answer.of(made.message).calls]
    assert read == [("f", {"a": "é"}), ("f", {}), ("f", {"b": [1]})]
    assert not remarks


@pytest.mark.parametrize("arguments", ['{"a": ', "[1]", "3", 7, None])
def test_a_call_without_arguments_that_can_be_read_is_shown_as_the_text_that_it_is(
    tmp_path, arguments
):
    call = {"id": "1", "function": {"name": "f", "arguments": arguments}}
    _, made, _ = _answered(tmp_path, {"content": "So:", "tool_calls": [call]}, "tool_calls")
    assert made.message is None
    said, shown = made.text.split("\n")
    assert said == "So:" and json.loads(shown) == call


@pytest.mark.nightly
def test_a_batch_that_was_left_is_gone_on_with_by_the_same_command(big, monkeypatch):
    server = BatchServer(right)
    big.write(config(server, f"{PRICED}, batch: true", others=""))
    try:
        server.faults = {"GET batches/batch-*": [Answer(401)]}
        stopped = big.inside("iterate", "--no-test")
        assert stopped.code == 3 and "is refused" in stopped.err
        assert "the same command" in stopped.err or "to send its requests again" in stopped.err
        done = big.inside("iterate", "--json", "--no-test")
        assert done.code == 0, done.err
        [cost] = done.document["requests"]
        assert (cost["stage"], cost["requests"], cost["open"]) == ("baseline endpoint", 48, 0)
        assert cost["money"] == pytest.approx(48 * (40 * 10 + 10 * 20) / 1e6)
        assert server.sizes == [48]
        # The same replies as one by one: nothing is asked again.
        big.write(config(server, PRICED, others=""))
        again = big.inside("iterate", "--json", "--no-test")
        assert again.code == 0 and len(server.asked) == 48
        assert again.document["models"][0]["verdict"] == done.document["models"][0]["verdict"]
    finally:
        server.close()
