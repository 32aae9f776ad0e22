"""A model behind a real HTTP server on the loopback, which says what a test tells it to."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SECRET = "sk-test/4f9a-Very+Secret-0123456789"


@dataclass
class Asked:
    """A request, as the server got it."""

    body: dict[str, Any]
    headers: dict[str, str]

    @property
    def system(self) -> str:
        return self.body["messages"][0]["content"]

    @property
    def user(self) -> str:
        return self.body["messages"][-1]["content"]


@dataclass
class Answer:
    """A response: a status, a body, and what is wrong with it."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    slow: float = 0.0
    cut: bool = False


def said(text: str, **further: Any) -> Answer:
    """A reply of the model, as such APIs wrap it; ``usage`` and the like beside it."""
    document = {"choices": [{"message": {"role": "assistant", "content": text}}], **further}
    return Answer(body=json.dumps(document).encode())


class Server:
    """The server.

    Attributes:
        says: what it answers; a test sets it.
        asked: all requests for an answer so far.
        others: what answers other addresses, by method, path and body; None: they are as unknown
            as any other.
    """

    def __init__(
        self,
        says: Callable[[Any], Answer] = lambda asked: said("ok"),
        asked_as: Any = Asked,
        port: int = 0,
    ) -> None:
        self.says = says
        self.asked: list[Any] = []
        self.others: Callable[[str, str, bytes], Answer] | None = None
        lock = threading.Lock()
        self._closed = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # else each answer takes 40 ms

            def do_POST(self) -> None:
                size = int(self.headers["Content-Length"])
                if outer.others and not self.path.endswith("/chat/completions"):
                    body = self.rfile.read(size)
                    with lock:
                        answer = outer.others("POST", self.path, body)
                    self._give(answer)
                    return
                request = asked_as(json.loads(self.rfile.read(size)), dict(self.headers))
                request.headers["path"] = self.path
                with lock:
                    outer.asked.append(request)
                    answer = outer.says(request)
                self._give(answer)

            def do_GET(self) -> None:
                with lock:
                    given = outer.others("GET", self.path, b"") if outer.others else Answer(404)
                self._give(given)

            def _give(self, answer: Answer) -> None:
                outer._closed.wait(answer.slow)
                try:
                    self._send(answer)
                except OSError:
                    self.close_connection = True

            def _send(self, answer: Answer) -> None:
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                half = answer.body[: len(answer.body) // 2]
                self.wfile.write(half if answer.cut else answer.body)
                self.close_connection = answer.cut

            def log_message(self, *_: Any) -> None:
                return None

        class Quiet(ThreadingHTTPServer):
            request_queue_size = 128  # whoever is not in it tries again after a second

            def handle_error(self, *_: Any) -> None:
                return None

        self._server = Quiet(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def close(self) -> None:
        self._closed.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
