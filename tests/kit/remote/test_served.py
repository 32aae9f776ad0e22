"""Kept replies belong to what a server has behind a name."""

from __future__ import annotations

import json

import pytest

from harness.kit.remote.asking import Asker
from harness.kit.remote.options import ServerOptions
from harness.kit.remote.replies import Request
from harness.kit.telling import telling
from tests.support.chat_server import Answer, Server, said
from tests.support.waiting import LONG

VLLM = {"id": "m", "object": "model", "created": 1, "root": "/models/a", "permission": [{"id": 1}]}
LLAMA = {"id": "/x.gguf", "created": 1, "meta": {"n_params": 7, "size": 9, "n_ctx": 512}}


def silent(done, total, what):
    return None


def serve(server, *models):
    server.others = lambda method, path, body: (
        Answer(200, json.dumps({"object": "list", "data": models}).encode())
        if (method, path) == ("GET", "/v1/models")
        else Answer(404)
    )


def ask(server, *texts, **changed):
    """What is said meanwhile."""
    options = {"endpoint": server.url, "model": "m", "wait": 0, **changed}
    asker, sentences = Asker(ServerOptions(**options), "judge m"), []
    requests = [Request([{"role": "user", "content": text}]) for text in texts]
    with telling(sentences.append):
        answers = [reply.text for _, reply in sorted(asker.ask(requests, silent))]
    return answers, sentences


@pytest.mark.parametrize(
    ("first", "second", "asked_again"),
    [
        (VLLM, {**VLLM, "root": "/models/b"}, True),
        (VLLM, {**VLLM, "created": 2, "permission": [{"id": 2}]}, False),
        (VLLM, {**VLLM, "parent": "/models/base"}, True),
        # One model alone is meant by whatever name.
        (LLAMA, {**LLAMA, "id": "/y.gguf"}, True),
        (LLAMA, {**LLAMA, "meta": {"n_params": 8, "size": 9}}, True),
        (LLAMA, {**LLAMA, "created": 2, "meta": {"n_params": 7, "size": 9, "n_ctx": 99}}, False),
    ],
)
def test_exchanged_weights_are_asked_anew(server, here, first, second, asked_again):
    serve(server, first)
    server.says = lambda asked: said("old")
    assert ask(server, "a", "b") == (["old", "old"], [])
    serve(server, second)
    server.says = lambda asked: said("new")
    answers, sentences = ask(server, "a", "b")
    assert answers == (["new", "new"] if asked_again else ["old", "old"])
    assert len(server.asked) == (4 if asked_again else 2)
    assert len(sentences) == (1 if asked_again else 0)
    if asked_again:
        assert "judge m is not the model whose replies are kept" in sentences[0]
    # The first weights again: their replies are kept still.
    serve(server, first)
    answers, _ = ask(server, "a", "b")
    assert answers == ["old", "old"]


def test_of_several_models_the_named_one_counts(server, here):
    serve(server, VLLM, {**VLLM, "id": "n"})
    ask(server, "a")
    serve(server, VLLM, {**VLLM, "id": "n", "root": "/models/c"})
    ask(server, "a")
    assert len(server.asked) == 1
    serve(server, {**VLLM, "id": "n"}, {**VLLM, "id": "o"})  # it is not there
    ask(server, "a")
    assert len(server.asked) == 1


def test_two_servers_of_one_name_share_nothing(server, here):
    other = Server(lambda asked: said("of the other"))
    server.says = lambda asked: said("of the first")
    assert ask(server, "a", model="default")[0] == ["of the first"]
    assert ask(other, "a", model="default")[0] == ["of the other"]
    assert ask(server, "a", model="default")[0] == ["of the first"]
    other.close()
    assert (len(server.asked), len(other.asked)) == (1, 1)


def test_a_server_that_is_gone_is_taken_for_what_it_was(server, here):
    serve(server, VLLM)
    server.says = lambda asked: said("kept")
    ask(server, "a")
    for answer in (Answer(404), Answer(500), Answer(401), Answer(200, b"[]"), Answer(200, b"{")):
        server.others = lambda *_, answer=answer: answer
        assert ask(server, "a")[0] == ["kept"]
    server.close()
    assert ask(server, "a")[0] == ["kept"]
    assert len(server.asked) == 1


def test_a_list_without_an_end_is_not_waited_for(server, here, monkeypatch):
    monkeypatch.setattr("harness.kit.remote.client.LONGEST_LIST", 0.2)
    server.others = lambda *_: Answer(200, b"{}", slow=LONG)
    assert ask(server, "a")[0] == ["ok"]


@pytest.mark.parametrize(
    "hostile",
    [{"id": "m", "root": "x" * 100_000}, {"id": "m", "root": ["\ud800"]}, {"id": "m\ud800\0"}],
)
def test_a_hostile_list_harms_nothing(server, here, hostile):
    serve(server, hostile, "no entry", None)
    for _ in range(2):
        assert ask(server, "a") == (["ok"], [])
    assert len(server.asked) == 1


def test_another_name_in_new_replies_is_said_once(server, here):
    server.says = lambda asked: said("x", model="m-2025")
    ask(server, "a")
    server.says = lambda asked: said("x", model="m-2026")
    _, (sentence,) = ask(server, "a", "b", "c")
    assert "judge m calls its model m-2026 now, and m-2025 in replies that are kept" in sentence
    assert ask(server, "a", "b", "c")[1] == []
