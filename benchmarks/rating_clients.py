"""Raters' browsers without browsers: each keeps one connection and sends one rating at a time.

A process of its own, started by ``rating.py``: it reads what to send as JSON from standard input,
tells how much is acknowledged every so often, and what came of it in the last line. HTTP is
written by hand, so that the clients cost little beside the server. With ``--echo`` it is a server
that answers everything at once: what the clients can do at the most is measured against it.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import asdict, dataclass, field
from typing import Any

PATIENCE = 30.0
"""Seconds within which an answer must come."""
PAUSE = 0.05
"""Seconds before the same is sent once more."""
TELL = 20
"""Acknowledged ratings between two lines of progress."""

Event = dict[str, Any]
Answer = tuple[int, dict[str, str], bytes]
"""Status, headers and body."""


class Gone(Exception):
    """The server hung up, or does not listen."""


@dataclass
class Found:
    """What came of it.

    Attributes:
        waited: seconds from the first sending of each event until it was acknowledged.
        acknowledged: ids of events.
        again: how often something was sent once more.
        wall: seconds from the first event to the last acknowledgment.
        cpu: seconds of a core that this process used meanwhile.
    """

    waited: list[float] = field(default_factory=list)
    acknowledged: list[str] = field(default_factory=list)
    again: int = 0
    wall: float = 0.0
    cpu: float = 0.0


class Connection:
    """One kept connection; opened when it is needed, and again after it broke."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, method: str, path: str, headers: str = "", body: bytes = b"") -> Answer:
        """One answer.

        Raises:
            Gone: there is none.
        """
        head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n{headers}\r\n"
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._ask(head.encode() + body)
        except (OSError, EOFError, TimeoutError) as error:
            if self.streams:
                self.streams[1].close()
                self.streams = None
            raise Gone from error

    async def _ask(self, request: bytes) -> Answer:
        if self.streams is None:
            self.streams = await asyncio.open_connection("127.0.0.1", self.port)
        reader, writer = self.streams
        writer.write(request)
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[:-2]
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        return int(first.split()[1]), headers, body


async def enter(connection: Connection, link: str) -> tuple[str, str]:
    """The cookie that a rater's link gives, and the address that it leads to."""
    status, headers, _ = await connection.ask("GET", link)
    if status != 303:
        raise SystemExit(f"the link gives {status}")
    return headers["set-cookie"].split(";")[0], headers["location"]


async def rate(
    connection: Connection, entered: tuple[str, str], events: list[Event], found: Found
) -> None:
    """Every event of one rater, one after the other, each until it is acknowledged."""
    cookie, place = entered
    headers = (
        f"Cookie: {cookie}\r\nOrigin: http://127.0.0.1:{connection.port}\r\n"
        "Content-Type: application/json\r\nContent-Length: "
    )
    for event in events:
        body = json.dumps({"events": [event]}).encode()
        begin = time.perf_counter()
        while True:
            try:
                status, _, answer = await connection.ask(
                    "POST", f"{place}events", f"{headers}{len(body)}\r\n", body
                )
                break
            except Gone:
                found.again += 1
                await asyncio.sleep(PAUSE)
        found.waited.append(time.perf_counter() - begin)
        if status != 200 or json.loads(answer)["saved"] != [event["id"]]:
            raise SystemExit(f"{status}: {answer[:200]!r}")
        found.acknowledged.append(event["id"])
        if len(found.acknowledged) % TELL == 0:
            print(json.dumps(len(found.acknowledged)), flush=True)


async def everyone(given: dict[str, Any]) -> Found:
    """All raters at the same time."""
    found = Found()
    connections = [Connection(given["port"]) for _ in given["raters"]]
    entered = [
        await enter(connection, one["link"])
        for connection, one in zip(connections, given["raters"], strict=True)
    ]
    wall, cpu = time.perf_counter(), time.process_time()
    async with asyncio.TaskGroup() as group:
        for connection, seat, one in zip(connections, entered, given["raters"], strict=True):
            group.create_task(rate(connection, seat, one["events"], found))
    found.wall, found.cpu = time.perf_counter() - wall, time.process_time() - cpu
    return found


# -- the server that answers at once ------------------------------------------------------------


class Echo(asyncio.Protocol):
    """Gives a cookie to a link, and acknowledges whatever else comes."""

    def connection_made(self, transport: Any) -> None:
        self.transport, self.rest = transport, b""

    def data_received(self, data: bytes) -> None:
        self.rest += data
        head, end, body = self.rest.partition(b"\r\n\r\n")
        if not end or len(body) < self._length(head):
            return
        self.rest = b""
        status, more, answer = "303 See Other", "set-cookie: rater=x\r\nlocation: /\r\n", b""
        if body:
            saved = [json.loads(body)["events"][0]["id"]]
            status, more, answer = "200 OK", "", json.dumps({"saved": saved}).encode()
        text = f"HTTP/1.1 {status}\r\n{more}content-length: {len(answer)}\r\n\r\n"
        self.transport.write(text.encode() + answer)

    @staticmethod
    def _length(head: bytes) -> int:
        _, found, rest = head.partition(b"Content-Length: ")
        return int(rest.split(b"\r\n")[0]) if found else 0


async def echo() -> None:
    """Listens at a free port, which is the only line that it prints."""
    server = await asyncio.get_running_loop().create_server(Echo, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    if sys.argv[1:] == ["--echo"]:
        asyncio.run(echo())
    else:
        print(json.dumps(asdict(asyncio.run(everyone(json.load(sys.stdin))))), flush=True)
