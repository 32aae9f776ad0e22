"""A judge whose server fails: one message, bounded retries, the rest is kept."""

from __future__ import annotations

import os
import re
import time

import pytest

import harness


def test_429_then_fine_needs_no_attention(server, metric, pairs, words):
    seen = set()

    def once(asked):
        name = asked.user + asked.criterion
        if name not in seen:
            seen.add(name)
            return words.Answer(429, b"", {"Retry-After": "0"})
        return words.fair(asked)

    server.says = once
    one = metric()
    one.ready(pairs)
    assert len(server.asked) == 2 * len(seen)
    assert one.measure(*pairs[1])[0] == 1.0


def test_only_what_is_missing_is_asked_again(server, metric, pairs, words):
    def patchy(asked):
        if asked.text().endswith(("answer 4", "answer 7")):
            return words.Answer(500 if "7" in asked.text() else 429)
        return words.fair(asked)

    server.says = patchy
    with pytest.raises(harness.EnvironmentFailure) as caught:
        metric(tries=2).ready(pairs)
    error = caught.value
    assert error.exit_code == 3
    assert error.what.startswith("2 of 10 answers could not be judged: 1 x ")
    assert "1 x 429 (too many requests)" in error.what
    assert "1 x 500 (internal server error)" in error.what
    assert error.what.endswith("the others are kept")
    assert error.hint == "the same command asks only for the missing"
    assert sum("answer 4" in asked.text() for asked in server.asked) == 2  # tries

    server.says, server.asked = words.fair, []
    one = metric(tries=2)
    one.ready(pairs)
    assert sorted((a.criterion, a.text()) for a in server.asked) == [
        ("Polite", "a good answer 7"), ("Right", "a good answer 7"), ("Right", "a poor answer 4"),
    ]  # fmt: skip
    server.asked = []
    metric().ready(pairs)
    assert server.asked == []
    assert [one.measure(*pair)[0] for pair in pairs] == [0.0, 1.0] * 5


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

    one = metric()
    one.progress = stopped
    with pytest.raises(harness.Cancelled):
        one.ready(pairs)
    before = len(server.asked)
    assert 3 <= before < 10
    time.sleep(0.1)
    assert len(server.asked) <= before + 2  # what was under way
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
