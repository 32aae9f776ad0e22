"""Requests in batches: sent once, gone on with, asked again where lines are missing, counted."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from pydantic import ValidationError

import harness
from harness.errors import BudgetSpent
from harness.kit.remote import batches as batching
from harness.kit.remote.asking import Asker
from harness.kit.remote.options import ServerOptions, check_server, money
from harness.kit.remote.replies import Reply, Request
from harness.kit.remote.spending import Spending, counting
from tests.support.batch_server import BatchServer
from tests.support.chat_server import SECRET, Answer, said
from tests.support.waiting import LONG

PRICE = {"in": 1.0, "out": 10.0}
USAGE = {"prompt_tokens": 10, "completion_tokens": 5}
EACH = money(PRICE, 10, 5)


def answer(asked):
    return said(asked.user.upper(), usage=USAGE)


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(batching, "_TICK", 0.01)
    made = BatchServer(answer)
    yield made
    made.close()


def silent(done, total, what):
    return None


def asker(server, **changed):
    options = {
        "endpoint": server.url, "model": "m", "timeout": LONG, "wait": 0, "price": PRICE,
        "batch": True, **changed,
    }  # fmt: skip
    return Asker(ServerOptions(**options), "m", stage="round 1: generate")


def ask(server, texts, progress=silent, accept=None, spending=None, **changed):
    """Text -> what came of it."""
    more = {"accept": accept} if accept else {}
    requests = [Request([{"role": "user", "content": text}], **more) for text in texts]
    with counting(spending):
        outcomes = dict(asker(server, **changed).ask(requests, progress))
    return {text: outcomes[place] for place, text in enumerate(texts)}


def texts_of(outcomes):
    return {text: each.text for text, each in outcomes.items() if isinstance(each, Reply)}


def under_way():
    return list(Path(".harness/replies/batches").glob("*.json"))


def cost(path="spent.jsonl"):
    (each,) = Spending(Path(path), "run").costs().values()
    return each


def test_the_same_is_asked_and_kept_as_one_by_one(server, here):
    outcomes = ask(server, "aba")
    assert texts_of(outcomes) == {"a": "A", "b": "B"}
    sent = [(asked.body, asked.headers["path"]) for asked in server.asked]
    assert [body["messages"][0]["content"] for body, _ in sent] == ["a", "b"]
    kept = {path.name: path.read_bytes() for path in Path(".harness/replies").rglob("??/*.json")}
    assert not under_way() and server.sizes == [2]
    server.asked.clear()
    again = ask(server, "ab", batch=False, cache="other")
    alone = [asked.body for asked in sorted(server.asked, key=lambda asked: asked.user)]
    assert alone == [body for body, _ in sent]
    assert kept == {path.name: path.read_bytes() for path in Path("other").rglob("??/*.json")}
    assert again["a"].text == "A"
    ask(server, "ab")
    assert server.sizes == [2]


@pytest.mark.parametrize(
    "content", [b"", b"yours", b'{"number": 1}\n', b"a line\nand a half", None]
)
def test_a_batch_that_names_a_file_of_yours_as_its_log_of_money_leaves_it(server, here, content):
    """Lines are appended to that log, and the note of a batch may be a stranger's."""
    server.looks = 100_000

    def stop(done, total, what):
        if "in progress" in what:
            raise harness.Cancelled

    with pytest.raises(harness.Cancelled):
        ask(server, "abc", stop, spending=Spending(here / "spent.jsonl", "run"))
    [note], yours = under_way(), here / "yours"
    if content is not None:
        yours.write_bytes(content)
    note.write_text(json.dumps({**json.loads(note.read_bytes()), "spent": str(yours)}))
    server.batches["batch-0"]["looks"] = server.looks = 0
    assert texts_of(ask(server, "abc")) == {"a": "A", "b": "B", "c": "C"}
    assert not under_way()
    assert (yours.read_bytes() if yours.exists() else None) == content


def test_the_key_is_sent_and_never_kept(server, here):
    server.says = lambda asked: said(f"you are {SECRET}")
    assert ask(server, "a")["a"].text == "you are [the key]"
    files = [path for path in here.rglob("*") if path.is_file()]
    assert not [path for path in files if SECRET.encode() in path.read_bytes()]


def test_progress_says_how_far_the_batch_is(server, here):
    server.looks = 3
    told = []
    ask(server, "abc", lambda *said: told.append(said))
    assert (0, 3, "batch in progress") in told


def test_lines_that_are_missing_are_in_a_further_batch(server, here):
    server.left_out = lambda asked: asked.user in "bd" and len(server.sizes) < 2
    outcomes = ask(server, "abcde", spending=Spending(here / "spent.jsonl", "run"))
    assert texts_of(outcomes) == {text: text.upper() for text in "abcde"}
    assert server.sizes == [5, 2] and set(server.worked.values()) == {1}
    # Whether a line that is nowhere was paid for cannot be known: it counts at its most.
    assert (cost().requests, cost().open) == (7, 2)


def test_lines_that_stay_missing_are_faults(server, here):
    server.left_out = lambda asked: asked.user == "b"
    outcomes = ask(server, "abc")
    assert outcomes["b"].words == "left out of a batch (completed)"
    assert server.sizes == [3, 1, 1] and not under_way()


def test_an_expired_batch_is_sent_again_without_what_it_answered(server, here):
    server.ends = ["expired", "cancelled"]
    outcomes = ask(server, "abcdefgh", spending=Spending(here / "spent.jsonl", "run"))
    assert len(texts_of(outcomes)) == 8
    assert server.sizes == [8, 4, 2] and set(server.worked.values()) == {1}
    assert cost().money >= 8 * EACH and cost().open == 3


def test_a_batch_that_is_refused_says_why_and_costs_nothing(server, here):
    server.ends = ["failed"]
    with pytest.raises(harness.EnvironmentFailure, match="Enqueued token limit") as caught:
        ask(server, "abc", spending=Spending(here / "spent.jsonl", "run"))
    assert "a batch of 3 requests" in caught.value.what and "batch: 500" in caught.value.hint
    assert (cost().requests, cost().open, cost().money) == (3, 0, 0)
    assert len(texts_of(ask(server, "abc", batch=2))) == 3
    assert server.sizes == [3, 2, 1]


def test_requests_that_fail_stand_in_the_error_file(server, here):
    def says(asked):
        tries = Counter(each.user for each in server.asked)[asked.user]
        if asked.user == "a":
            return Answer(400, b'{"error": {"message": "too long"}}')
        return Answer(500) if asked.user == "b" and tries == 1 else answer(asked)

    server.says = says
    outcomes = ask(server, "abc", spending=Spending(here / "spent.jsonl", "run"))
    assert outcomes["a"].words == "400 (bad request), too long"
    assert texts_of(outcomes) == {"b": "B", "c": "C"} and server.sizes == [3, 1]
    assert (cost().requests, cost().open) == (
        4,
        1,
    )  # what failed may have worked, what was refused not


def test_an_error_file_without_a_line_is_no_fault(server, here):
    def always(kind, path, body, plain=server._done):
        made = plain(kind, path, body)
        if kind == "GET batches/batch-*" and b'"output_file_id"' in made.body:
            server.files["file-99"] = b""
            made = Answer(body=made.body.replace(b'{"id"', b'{"error_file_id": "file-99", "id"'))
        return made

    server._done = always
    assert len(texts_of(ask(server, "abc"))) == 3
    assert not under_way()


def test_lines_that_are_none_are_passed_over(server, here):
    def reading(kind, path, body, plain=server._done):
        made = plain(kind, path, body)
        if kind == "GET files/file-*/content" and server.calls[kind] == 1:
            whole, lines = (
                made.body.splitlines(),
                [b"", b"[]", b"{}", b"null", b"<html>", b"[" * 9999],
            )
            lines += [b'{"custom_id": ["x"], "response": {"status_code": 200}}']
            lines += [b'{"custom_id": "x", "response": {"status_code": "?"}}', b"x" * (5 << 20)]
            return Answer(body=b"\n".join([*lines, *whole[1:], whole[0][:40]]))
        return made

    server._done = reading
    outcomes = ask(server, "abc")
    assert len(texts_of(outcomes)) == 3 and server.sizes == [3, 1]


def test_an_answer_that_will_not_do_is_in_a_further_batch_with_another_seed(server, here):
    server.says = lambda asked: said("yes" if asked.user != "b" or len(server.asked) > 3 else "no")
    outcomes = ask(server, "abc", accept=lambda text: text == "yes")
    assert outcomes["b"].text == "yes" and outcomes["b"].tries == 2
    assert server.sizes == [3, 1]
    assert len({asked.body["seed"] for asked in server.asked if asked.user == "b"}) == 2


def test_what_does_not_fit_or_cannot_be_paid_at_once_comes_in_the_next_batch(server, here):
    assert len(texts_of(ask(server, "abcde", batch=2))) == 5
    assert server.sizes == [2, 2, 1]
    most = money(PRICE, 200, 100)
    spending = Spending(here / "spent.jsonl", "run", 2.5 * most)
    with pytest.raises(BudgetSpent, match=r"execution\.budget\.money"):
        ask(server, [*map(str, range(500))], spending=spending, max_tokens=100)
    assert cost().money <= 2.5 * most and cost().open == 0
    assert sum(server.sizes[3:]) == cost().requests < 500
    sizes = len(server.sizes)
    with pytest.raises(BudgetSpent, match="price is not known"):
        ask(server, "xyz", spending=Spending(here / "spent.jsonl", "run", 1.0), price=None)
    assert len(server.sizes) == sizes and not under_way()


@pytest.mark.nightly(but_each=4)
@pytest.mark.parametrize("kind", ["POST files", "POST batches", "GET batches/batch-*",
                                  "GET files/file-*/content"])  # fmt: skip
@pytest.mark.parametrize("fault", [Answer(429), Answer(503), Answer(body=b"<html>"),
                                   Answer(body=b'{"id": 5}'), Answer(cut=True)],
                         ids=["429", "503", "html", "form", "cut"])  # fmt: skip
def test_a_fault_in_between_is_tried_again_and_begins_no_second_batch(server, here, kind, fault):
    server.faults = {kind: [fault]}
    outcomes = ask(server, "abc", spending=Spending(here / "spent.jsonl", "run"))
    assert len(texts_of(outcomes)) == 3
    assert sum(server.worked.values()) == 3 and len(server.batches) == 1
    assert cost().open == 0 and not under_way()


def test_a_server_without_batches_is_said(server, here):
    server.others = None
    server.faults = {}
    server.others = lambda method, path, body: Answer(404)
    with pytest.raises(
        harness.EnvironmentFailure, match="there is no files at the server"
    ) as caught:
        ask(server, "a")
    assert "leave batch out" in caught.value.hint and not under_way()


def test_a_refused_key_ends_it(server, here):
    server.faults = {"POST files": [Answer(401)]}
    with pytest.raises(harness.EnvironmentFailure, match="is refused"):
        ask(server, "a", spending=Spending(here / "spent.jsonl", "run"))
    assert cost().money == 0 and not under_way()


def test_ctrl_c_leaves_the_batch_at_work_and_the_same_goes_on_with_it(server, here):
    server.looks = 100_000

    def stop(done, total, what):
        if "in progress" in what:
            raise harness.Cancelled

    spending = Spending(here / "spent.jsonl", "run")
    with pytest.raises(harness.Cancelled, match="batch batch-0 stays at work"):
        ask(server, "abc", stop, spending=spending)
    assert len(under_way()) == 1 and cost().open == 3
    server.batches["batch-0"]["looks"] = server.looks = 0
    # More than that is asked for by now, and it is counted elsewhere, or nowhere.
    assert len(texts_of(ask(server, "bcd"))) == 3
    assert server.sizes == [3, 1] and set(server.worked.values()) == {1}
    assert cost().open == 0 and cost().money == pytest.approx(3 * EACH)
    assert texts_of(ask(server, "a")) == {"a": "A"} and not under_way()


def test_a_batch_that_the_server_does_not_know_is_not_sent_again_by_itself(server, here):
    server.looks = 100_000

    def stop(done, total, what):
        if "in progress" in what:
            raise harness.Cancelled

    with pytest.raises(harness.Cancelled):
        ask(server, "abc", stop)
    server.faults = {"GET batches/batch-*": [Answer(404)]}
    with pytest.raises(harness.EnvironmentFailure, match="there is no batches/") as caught:
        ask(server, "abc")
    (path,) = under_way()
    assert str(path) in caught.value.hint
    path.write_text("{")
    with pytest.raises(harness.DataError, match="sent as a batch cannot be read"):
        ask(server, "abc")
    path.unlink()
    server.looks = 0
    assert len(texts_of(ask(server, "abc"))) == 3 and server.sizes == [3, 3]


def test_a_batch_that_cannot_be_meant_is_refused(server):
    options = {"endpoint": server.url, "model": "m"}
    with pytest.raises(ValidationError, match="less than or equal"):
        ServerOptions(batch=60_000, **options)
    with pytest.raises(ValueError, match="batch needs cache"):
        check_server(ServerOptions(batch=True, cache="", **options))


@pytest.mark.parametrize("ends", ["settle", "remove"])
def test_a_command_that_ended_once_all_was_kept_is_settled_by_the_next(
    server, here, monkeypatch, ends
):
    """Its last answer is kept, and its cost is not settled, or its file is still there."""
    settled = Spending.settle

    def ended(*_):
        raise KeyboardInterrupt

    def settle(log, number, reply, price):
        if number == 3:
            raise KeyboardInterrupt
        settled(log, number, reply, price)

    with monkeypatch.context() as patch:
        where, cut = (Spending, settle) if ends == "settle" else (batching, ended)
        patch.setattr(where, ends, cut)
        with pytest.raises(KeyboardInterrupt):
            ask(server, "abc", spending=Spending(here / "spent.jsonl", "run"))
    assert len(under_way()) == 1 and cost().open == (ends == "settle")
    assert len(texts_of(ask(server, "abc"))) == 3 and server.sizes == [3]
    assert cost().open == 0 and cost().money == pytest.approx(3 * EACH)
    assert not under_way()


KILLED = """
import os, sys
from pathlib import Path
from harness.kit.remote import batches
from harness.kit.remote.asking import Asker
from harness.kit.remote.options import ServerOptions
from harness.kit.remote.replies import Request
from harness.kit.remote.spending import Spending, counting
batches._TICK = 0.005
options = ServerOptions(
    endpoint=sys.argv[1], model="m", wait=0, batch=True, price={"in": 1.0, "out": 10.0}
)
requests = [Request([{"role": "user", "content": f"q{n}"}]) for n in range(20)]
with counting(Spending(Path("spent.jsonl"), "run")):
    found = dict(Asker(options, "m", stage="s").ask(requests, lambda *told: os.write(1, b".")))
os.write(1, "".join(sorted(found[n].text for n in found)).encode())
"""


@pytest.mark.nightly
@pytest.mark.parametrize("place", range(100))
def test_a_kill_anywhere_sends_nothing_twice_and_counts_all(server, here, place):
    """A hundred places from before anything is sent until all is kept."""
    server.looks = 3
    command = [sys.executable, "-c", KILLED, server.url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=here) as process:
        end = time.monotonic() + 20
        # From the first line that is written, or from the first request that comes.
        while process.poll() is None and time.monotonic() < end:
            if server.calls or (place < 20 and under_way()):
                break
            time.sleep(0.0002)
        time.sleep(place * 0.0003 if place < 20 else (place - 20) * 0.003)
        process.send_signal(signal.SIGKILL)
    worked = sum(server.worked.values())
    costs = Spending(Path("spent.jsonl"), "run").costs().values()
    assert sum(each.money or 0 for each in costs) >= worked * EACH * 0.999
    done = subprocess.run(command, capture_output=True, cwd=here, env={**os.environ}, check=True)
    assert done.stdout.endswith("".join(sorted(f"Q{n}" for n in range(20))).encode())
    assert set(server.worked.values()) == {1} and len(server.worked) == 20
    assert cost().open == 0 and cost().money == pytest.approx(20 * EACH)
    assert not under_way()
