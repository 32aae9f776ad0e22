"""A judge whose server fails: one message, bounded retries, the rest is kept."""

from __future__ import annotations

import os
import re
import time

import pytest

import harness


def test_a_server_that_is_down_is_not_asked_for_everything(server, metric, pairs, words):
    server.says = lambda asked: words.Answer(503)
    with pytest.raises(harness.EnvironmentFailure) as caught:
        metric(tries=1).ready(pairs)
    assert "10 of 10 answers could not be judged: " in caught.value.what
    assert re.search(
        r": \d x 503 \(service unavailable\), \d+ x not asked any more;", str(caught.value)
    )
    assert len(server.asked) <= 10  # six in a row, and what was under way


def test_a_wrong_key_is_asked_once_for_each_thread(server, metric, pairs, words, capfd):
    server.says = lambda asked: words.Answer(401, f"{words.SECRET} is wrong".encode())
    with pytest.raises(harness.EnvironmentFailure, match="is refused: 401"):
        metric().ready(pairs)
    assert len(server.asked) <= 4
    assert words.SECRET not in "".join(capfd.readouterr())


def test_the_user_may_stop_and_go_on(server, metric, pairs, words):
    def stopped(done, total, what):
        if done >= 3:
            raise harness.Cancelled

    def slow_from_the_fourth(asked):
        answer = words.fair(asked)
        answer.slow = 600.0 if len(server.asked) > 3 else 0.0
        return answer

    server.says = slow_from_the_fourth
    one = metric()
    one.progress = stopped
    with pytest.raises(harness.Cancelled):
        one.ready(pairs)
    time.sleep(0.1)
    assert 3 <= len(server.asked) <= 3 + 2  # what was under way
    server.says = words.fair
    first = {(asked.criterion, asked.text()) for asked in server.asked}
    server.asked = []
    metric().ready(pairs)
    again = {(asked.criterion, asked.text()) for asked in server.asked}
    assert len(first & again) <= 2


def test_the_key_is_in_no_file(server, metric, pairs, words, here):
    server.says = lambda asked: words.judged(
        5 if asked.criterion == "Right" else "yes", f"your key is {words.SECRET}"
    )
    one = metric()
    one.ready(pairs)
    one.remarks(pairs)
    files = [path for path in here.rglob("*") if path.is_file()]
    assert len(files) > 20
    assert not [path for path in files if words.SECRET.encode() in path.read_bytes()]
    assert any(b"[the key]" in path.read_bytes() for path in files)
    assert words.SECRET not in repr(one.options) + one.signature() + repr(vars(one))
    assert os.environ["OPENAI_API_KEY"] == words.SECRET
