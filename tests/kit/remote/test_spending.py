"""Money: counted before it is sent, settled by the usage, never less than was sent."""

from __future__ import annotations

import dataclasses
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import harness
from harness.errors import BudgetSpent
from harness.kit import files
from harness.kit.remote import spending as spending_module
from harness.kit.remote.asking import Asker
from harness.kit.remote.options import ServerOptions, money
from harness.kit.remote.replies import Reply, Request
from harness.kit.remote.spending import Spending, account_of, counting, spending_of
from tests.support.chat_server import Answer, said
from tests.support.waiting import LONG, threads_ended

PRICE = {"in": 1.0, "out": 10.0}
USAGE = {"prompt_tokens": 10, "completion_tokens": 5}


def silent(done, total, what):
    return None


def ask(server, spending, *texts, **options):
    made = {"endpoint": server.url, "model": "m", "wait": 0, "price": PRICE, **options}
    asker = Asker(ServerOptions(**made), "m", stage="round 1: generate")
    requests = [Request([{"role": "user", "content": text}]) for text in texts]
    with counting(spending):
        return dict(asker.ask(requests, silent))


def test_a_request_is_counted_at_its_usage(server, here):
    server.says = lambda asked: said("x", usage=USAGE)
    ask(server, Spending(here / "spent.jsonl", "run"), "a", "b")
    ((place, cost),) = Spending(here / "spent.jsonl", "run").costs().items()
    assert place == ("round 1: generate", "m")
    assert (cost.requests, cost.open, cost.prompt, cost.answer) == (2, 0, 20, 10)
    assert cost.money == pytest.approx(2 * (10 * 1 + 5 * 10) / 1e6)


def test_what_it_costs_may_be_asked_in_between(server, here):
    server.says = lambda asked: said("x", usage=USAGE)
    spending = Spending(here / "spent.jsonl", "run")
    for number, text in enumerate("abc", start=1):
        ask(server, spending, text)
        (cost,) = spending.costs().values()
        assert cost.requests == number
        (cost,) = Spending(here / "spent.jsonl", "run").costs().values()
        assert cost.requests == number


def test_without_usage_it_counts_at_its_most(server, here):
    server.says = lambda asked: said("x")
    ask(server, Spending(here / "spent.jsonl", "run"), "a", max_tokens=100)
    (cost,) = Spending(here / "spent.jsonl", "run").costs().values()
    assert cost.open == 1
    assert 100 * 10 / 1e6 < cost.money < 100 * 10 / 1e6 + 1e-3


def test_each_try_counts_and_a_refusal_costs_nothing(server, here):
    def says(asked):
        turn = len(server.asked)
        return Answer({1: 429, 2: 500}[turn]) if turn < 3 else said("x", usage=USAGE)

    server.says = says
    ask(server, Spending(here / "spent.jsonl", "run"), "a")
    (cost,) = Spending(here / "spent.jsonl", "run").costs().values()
    assert (cost.requests, cost.open) == (3, 1)  # a server that failed may have worked


def test_a_refused_key_costs_nothing(server, here):
    server.says = lambda asked: Answer(401)
    with pytest.raises(harness.EnvironmentFailure):
        ask(server, Spending(here / "spent.jsonl", "run"), "a")
    (cost,) = Spending(here / "spent.jsonl", "run").costs().values()
    assert (cost.requests, cost.open, cost.money) == (1, 0, 0)


def test_a_spent_budget_says_so_each_time(here):
    path = here / "spent.jsonl"
    before = Spending(path, "run", 1.0)
    number = before.sent("stage", "m", 0.9)
    again = Spending(path, "run", 1.0)
    for _ in range(2):
        with pytest.raises(BudgetSpent):
            again.sent("stage", "m", 0.2)
    before.sent("stage", "m", 0.1)
    with pytest.raises(BudgetSpent):
        again.sent("stage", "m", 0.2)
    again.settle(number, None, PRICE)
    assert again.sent("stage", "m", 0.2) == 3


def test_free_requests_are_allowed_one_after_the_other(here):
    spending = Spending(here / "spent.jsonl", "run", 1.0)
    asking = threading.Thread(target=spending.allow)
    with spending._lock:  # a thread that writes down what was spent
        asking.start()
        asking.join(0.05)
        assert asking.is_alive()
    asking.join(LONG)
    assert not asking.is_alive()


def test_what_would_pass_the_cap_is_not_sent(server, here):
    server.says = lambda asked: said("x", usage=USAGE)
    each = money(PRICE, 200, 100)
    spending = Spending(here / "spent.jsonl", "run", 2.5 * each)
    with pytest.raises(BudgetSpent, match=r"execution\.budget\.money"):
        ask(server, spending, *map(str, range(500)), max_tokens=100, concurrency=1)
    sent = len(server.asked)
    assert 2 < sent < 500
    (cost,) = Spending(here / "spent.jsonl", "run").costs().values()
    assert cost.money <= 2.5 * each and cost.requests == sent
    # Another run has money of its own; the same one has none left.
    with pytest.raises(BudgetSpent):
        ask(server, Spending(here / "spent.jsonl", "run", cost.money), "more", max_tokens=100)
    ask(server, Spending(here / "other.jsonl", "other", 2 * each), "more", max_tokens=100)


def test_with_a_cap_and_no_price_nothing_is_sent(server, here):
    with pytest.raises(BudgetSpent, match="its price is not known"):
        ask(server, Spending(here / "spent.jsonl", "run", 1.0), "a", price=None)
    assert not server.asked


@pytest.mark.nightly
def test_two_processes_share_a_cap(here):
    path = here / "spent.jsonl"
    context = multiprocessing.get_context("spawn")
    with context.Pool(2) as pool:
        sent = pool.starmap(_spend, [(path, 60), (path, 60)])
    assert sum(sent) == 50
    assert Spending(path, "run").costs()["s", "m"].money == pytest.approx(5.0)


def _spend(path, times):
    spending, sent = Spending(path, "run", 5.0), 0
    for _ in range(times):
        try:
            spending.sent("s", "m", 0.1)
            sent += 1
        except BudgetSpent:
            break
    return sent


def test_a_changed_line_is_refused(here):
    path = here / "spent.jsonl"
    Spending(path, "run").sent("s", "m", 0.5)
    path.write_bytes(path.read_bytes().replace(b"0.5", b"0.1"))
    with pytest.raises(harness.DataError, match="what was spent cannot be told"):
        Spending(path, "run").sent("s", "m", 0.5)
    with pytest.raises(harness.DataError):
        Spending(path, "run").costs()


KILLED = """
import os, signal, sys
from pathlib import Path
from harness.kit.remote.spending import Spending
from harness.kit.remote.replies import Reply
spending = Spending(Path("spent.jsonl"), "run")
for turn in range(10_000):
    number = spending.sent("s", "m", 1.0)
    os.write(1, b"s")  # it is sent now
    spending.settle(number, Reply("", prompt_tokens=1, answer_tokens=1), None)
"""


@pytest.mark.parametrize(
    "after",
    [
        pytest.param(place, marks=() if place == 57 else pytest.mark.nightly)
        for place in range(1, 101)
    ],
)
def test_a_kill_leaves_nothing_uncounted(here, after):
    """What was said to be sent is in the log, wherever the kill falls."""
    with subprocess.Popen(
        [sys.executable, "-c", KILLED], stdout=subprocess.PIPE, cwd=here, env={**os.environ}
    ) as process:
        assert process.stdout is not None
        sent = len(process.stdout.read(after))
        process.send_signal(signal.SIGKILL)
        sent += len(process.stdout.read())
    (cost,) = Spending(Path("spent.jsonl"), "run").costs().values()
    assert sent >= after
    assert cost.requests >= sent
    assert cost.open >= cost.requests - sent


@pytest.fixture
def no_disk(monkeypatch):
    """How often the disk is waited for."""
    waits = []
    monkeypatch.setattr(files.os, "fsync", waits.append)
    return waits


def test_who_comes_later_reads_no_old_lines(here, no_disk, monkeypatch):
    path, reply = here / "spent.jsonl", Reply("", prompt_tokens=1, answer_tokens=1)
    monkeypatch.setattr(spending_module, "EVERY", 50)
    first = Spending(path, "run")
    batch = first.sent_in("batch", "s", "m", [0.5] * 3)
    for turn in range(1000):
        number = first.sent("s", f"m{turn % 3}", 0.5)
        if turn % 100:  # a few are never settled
            first.settle(number, reply, PRICE)
    first.settle(batch[1], reply, PRICE)
    taken = []
    later = Spending(path, "run")
    monkeypatch.setattr(later, "_take", lambda r, take=later._take: (taken.append(r), take(r)))
    assert later.numbers("batch") == batch
    assert len(taken) <= 60 < 1900 < len(path.read_bytes().splitlines())
    later.settle(batch[0], reply, PRICE)
    later.settle(batch[0], reply, PRICE)  # once
    later.settle(batch[2], reply, PRICE)
    assert later.sent("s", "m0", 0.1) == 1004
    # What was summed up is what each line says.
    whole = {place: dataclasses.asdict(cost) for place, cost in later.costs().items()}
    plain = path.with_name("plain.jsonl")
    lines = path.read_bytes().splitlines(keepends=True)
    plain.write_bytes(b"".join(line for line in lines if b'"lines":' not in line))
    summed = Spending(plain, "run").costs().items()
    assert whole == {place: pytest.approx(dataclasses.asdict(cost)) for place, cost in summed}
    spent = sum(cost["money"] for cost in whole.values())
    with pytest.raises(BudgetSpent):
        Spending(path, "run", spent + 0.01).sent("s", "m", 0.02)
    Spending(path, "run", spent + 0.03).sent("s", "m", 0.02)


@pytest.mark.parametrize("price", [{"in": 0, "out": 0}, None])
def test_what_costs_nothing_does_not_wait_for_the_disk(server, here, no_disk, price):
    server.says = lambda asked: said("x", usage=USAGE)
    spending = Spending(here / "spent.jsonl", "run")
    with threads_ended():
        ask(server, spending, *map(str, range(40)), price=price)
    assert len(no_disk) <= 3
    (cost,) = Spending(here / "spent.jsonl", "run").costs().values()
    assert (cost.requests, cost.open, cost.prompt, cost.answer) == (40, 0, 400, 200)
    assert cost.money == (None if price is None else 0)


def test_what_costs_nothing_is_sent_without_money_and_not_against_the_word(server, here):
    server.says = lambda asked: said("x", usage=USAGE)
    free = {"in": 0, "out": 0}
    ask(server, Spending(here / "spent.jsonl", "run", 0.0), "a", price=free)
    assert len(server.asked) == 1
    with pytest.raises(BudgetSpent):  # whoever forecasts has nothing sent
        ask(server, Spending(here / "spent.jsonl", "run", -1.0), "b", price=free)
    with pytest.raises(BudgetSpent):
        ask(server, Spending(here / "spent.jsonl", "run", 1.0), "b", price=None)
    assert len(server.asked) == 1


def test_faults_of_what_costs_nothing_are_counted(server, here):
    server.says = lambda asked: Answer({1: 429, 2: 500}.get(len(server.asked), 200), said("x").body)
    with threads_ended():
        ask(server, Spending(here / "spent.jsonl", "run"), "a", price={"in": 0, "out": 0})
    (cost,) = Spending(here / "spent.jsonl", "run").costs().values()
    # A server that failed may have worked, and one that says no usage has.
    assert (cost.requests, cost.open) == (3, 2)


def test_what_others_have_spent_counts(here):
    for name, most in (("b", 0.3), ("c", 0.4)):
        Spending(here / name, "run").sent("s", "m", most)
    beside = [here / "b", here / "c", here / "none"]
    spending = Spending(here / "a", "run", 1.0, beside)
    spending.sent("s", "m", 0.2)
    with pytest.raises(BudgetSpent):
        spending.sent("s", "m", 0.2)
    (cost,) = spending.costs().values()
    assert (cost.requests, cost.money) == (3, pytest.approx(0.9))
    other = spending_of(account_of(spending))
    with pytest.raises(BudgetSpent):
        other.sent("s", "m", 0.2)
    other.sent("s", "m", 0.1)
