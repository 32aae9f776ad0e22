"""A small page behind a door, its server in a thread or in a process of its own."""

from __future__ import annotations

import asyncio
import http.client
import importlib.util
import secrets
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, contextmanager
from email.message import Message
from pathlib import Path
from typing import Any, Literal, NamedTuple

from harness.kit.serving.address import Address, listen
from harness.kit.serving.security import Door
from harness.kit.serving.server import serve, server
from tests.support.browser import unfit
from tests.support.ports import own_port
from tests.support.waiting import LONG, until

POLICY = "default-src 'none'; script-src 'self'"
NEEDED = ("starlette", "uvicorn")


def need() -> None:
    """Skip where a package is missing; in CI that is a failure."""
    if missing := [name for name in NEEDED if importlib.util.find_spec(name) is None]:
        unfit(f"no {', '.join(missing)} here: pip install -e '.[web,dev]'")


def door(token: str, name: str = "small") -> Door[str]:
    """One holder, whose addresses begin with the page's name."""

    def takes(target: str) -> Literal["GET", "POST"] | None:
        if not target.startswith(f"/{name}/"):
            return None
        return "POST" if target == f"/{name}/write" else "GET"

    return Door(
        page=f"the {name} page", cookie=name, tokens={token: "me"}, home=lambda _: f"/{name}/",
        takes=takes, policy=POLICY, use_link="Use the link.",
    )  # fmt: skip


def small_server(token: str, address: Address, name: str = "small") -> Any:
    from starlette.requests import Request
    from starlette.responses import JSONResponse, Response, StreamingResponse
    from starlette.routing import Route

    async def stream(request: Request) -> Response:
        async def events() -> AsyncIterator[str]:
            while True:
                yield "data: tick\n\n"
                await asyncio.sleep(0.05)

        return StreamingResponse(events(), media_type="text/event-stream")

    async def echo(request: Request) -> Response:
        body = (await request.body()).decode()
        words = dict(request.query_params)
        asked = {"path": request.url.path, "query": words, "body": body}
        return JSONResponse({**asked, "name": request.path_params.get("rest")})

    routes = [
        Route(f"/{name}/stream", stream),
        Route(f"/{name}/write", echo, methods=["POST"]),
        Route(f"/{name}/{{rest:path}}", echo),
    ]
    return server(routes, door(token, name), address)


class Reply(NamedTuple):
    status: int
    headers: Message
    body: bytes


class Page:
    """One page in a thread."""

    def __init__(self, name: str = "small") -> None:
        self.name, self.token = name, secrets.token_urlsafe(32)
        self.address = Address(own_port())
        self.server = small_server(self.token, self.address, name)
        self.thread = threading.Thread(
            target=self.server.run, args=([listen(self.address)],), daemon=True
        )
        self.headers = {"Cookie": f"{name}={self.token}", "Sec-Fetch-Site": "same-origin"}

    @contextmanager
    def asked(
        self, path: str, method: str = "GET", body: str | None = None, **changed: str
    ) -> Iterator[http.client.HTTPResponse]:
        """One request as the page's own browser sends it; the answer's body is not read yet."""
        connection = http.client.HTTPConnection("127.0.0.1", self.address.port, timeout=LONG)
        headers = {**self.headers, **{key.replace("_", "-"): v for key, v in changed.items()}}
        with closing(connection):
            connection.request(method, path, body, headers)
            with connection.getresponse() as answer:
                yield answer

    def ask(self, *request: str, **changed: str) -> Reply:
        with self.asked(*request, **changed) as answer:
            return Reply(answer.status, answer.headers, answer.read())


@contextmanager
def served(name: str = "small") -> Iterator[Page]:
    page = Page(name)
    page.thread.start()
    try:
        until(lambda: page.server.started, "the start of the server")
        yield page
    finally:
        page.server.should_exit = page.server.force_exit = True
        page.thread.join(LONG)


def process(port: int, descriptors: int, stderr: Any) -> subprocess.Popen[bytes]:
    """The server as a process with so many descriptors; it is up when this returns."""
    own = [sys.executable, "-m", "tests.kit.serving.pages", str(port)]
    limited = ["sh", "-c", f'ulimit -n {descriptors} && exec "$@"', "sh", *own]
    started = subprocess.Popen(limited, stderr=stderr, cwd=Path(__file__).parents[3])

    def up() -> bool:
        assert started.poll() is None, "the server has ended"
        with socket.socket() as tried:
            return not tried.connect_ex(("127.0.0.1", port))

    until(up, "the start of the server")
    return started


if __name__ == "__main__":
    from harness.kit.serving import connections

    connections.PATIENCE = 600.0  # no test waits for its end
    own_address = Address(int(sys.argv[1]))
    serve(small_server("A" * 43, own_address), listen(own_address))
