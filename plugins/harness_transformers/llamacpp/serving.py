"""Prompts as llama.cpp's own server makes them: by the file's chat template and tokenizer.

The server (``xllamacpp``) runs in a process of its own, ``python -m
harness_transformers.llamacpp.serving FILE``: it reads chats as JSON lines and writes a line for
each, its tokens.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from collections.abc import Sequence
from typing import Any
from urllib.request import Request

from harness.kit import gate

_MODULE = "xllamacpp"
LOADING, EACH = 600, 2
"""Seconds that the server may take for loading a file, and beside that for each prompt."""


def installed() -> bool:
    """Whether the server is there."""
    return importlib.util.find_spec(_MODULE) is not None


def prompts(path: str, chats: Sequence[dict[str, Any]]) -> list[list[int] | str]:
    """The tokens of each prompt, or why the server makes none of it.

    Args:
        path: of the file.
        chats: what ``/apply-template`` takes: ``messages``, ``tools``, ``chat_template_kwargs``.
    """
    places = os.pathsep.join(filter(None, sys.path))
    limit = LOADING + EACH * len(chats)
    try:
        done = gate.run_ours(
            __name__, path, input="".join(json.dumps(chat) + "\n" for chat in chats).encode(),
            capture_output=True, timeout=limit,
            env={**os.environ, "PYTHONPATH": places, "PYTHONWARNINGS": "ignore"},
        )  # fmt: skip
        replies, lost = done.stdout, f"the server ended with {done.returncode}"
    except gate.TimeoutExpired as late:
        replies, lost = late.stdout or b"", f"the server gave no answer within {limit} seconds"
    whole = replies.decode().split("\n")[:-1]
    tokens = [json.loads(line) for line in whole if line.startswith(("[", '"'))]
    return [*tokens, *[lost] * (len(chats) - len(tokens))]


def main() -> None:
    """Serve a file, and make a prompt of each line."""
    import xllamacpp

    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what C prints is no reply
    parameters = xllamacpp.CommonParams()
    parameters.model.path = sys.argv[1]
    parameters.n_ctx = 256
    parameters.port = 0
    parameters.hostnames = ["127.0.0.1"]
    parameters.verbosity = -1
    parameters.warmup = False
    server = xllamacpp.Server(parameters)

    def ask(path: str, **body: Any) -> Any:
        request = Request(
            server.listening_address + path,
            json.dumps(body).encode(),
            {"content-type": "application/json"},
        )
        with gate.open_url(request, by="llama.cpp", timeout=60, proxies=False) as response:
            return json.load(response)

    for line in sys.stdin:
        try:
            text = ask("/apply-template", **json.loads(line))["prompt"]
            reply = ask("/tokenize", content=text, add_special=True, parse_special=True)["tokens"]
        except OSError as error:
            reply = f"the server refuses it: {error}"
        replies.write(json.dumps(reply) + "\n")
        replies.flush()
    os._exit(0)  # its threads would wait for requests


if __name__ == "__main__":
    main()
