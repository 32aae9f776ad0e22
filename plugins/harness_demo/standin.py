"""A server with the OpenAI API whose answers are computed: stands in for a large model."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

LETTERS = 4
"""Letters that count as a token in ``usage``."""

Says = Callable[[Sequence[Mapping[str, Any]], int], str]
"""What is answered to messages; the number is the request's seed, another for each sample."""


class StandIn:
    """Answers ``POST /v1/chat/completions`` on a free port of the loopback, until it is left.

    Args:
        says: computes an answer; called by several threads.

    Attributes:
        url: the endpoint.
    """

    def __init__(self, says: Says, model: str = "stand-in") -> None:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # else each answer takes 40 ms

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                text = says(body["messages"], body.get("seed", 0))
                asked = sum(len(str(turn.get("content", ""))) for turn in body["messages"])
                answer = {"message": {"role": "assistant", "content": text}}
                usage = {
                    "prompt_tokens": asked // LETTERS + 1,
                    "completion_tokens": len(text) // LETTERS + 1,
                }
                document = {"model": model, "choices": [answer], "usage": usage}
                encoded = json.dumps(document).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(encoded)))
                self.end_headers()
                self.wfile.write(encoded)

            def log_message(self, *_: Any) -> None:
                return None

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.01,), daemon=True
        )
        self._thread.start()

    def __enter__(self) -> StandIn:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
