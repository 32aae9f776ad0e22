"""Connections of a page's server: so many at a time, and none that only waits.

uvicorn waits without end for the headers of a request, and asyncio accepts connections until
descriptors run out. Here the headers have a time limit (the body's is the gate's), and the
number of connections a limit below that of descriptors: beyond it the connection goes that has
been waiting longest for its browser, so that a person who comes is always served. An answer may
take as long as it wants, and a stream of events ends when the server does.
"""

from __future__ import annotations

import asyncio
import resource
import socket
from typing import Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

PATIENCE = 10.0
"""Seconds within which the headers of a request must have come in."""
BACKLOG = 1024
"""Connections that wait to be accepted; the system may hold fewer."""
MOST = 2000
"""Connections at a time, however many descriptors there are."""
OTHERS = 64
"""Descriptors for files and the loop itself."""


class Server(uvicorn.Server):
    """uvicorn with a limit on connections; nothing of a request is logged, as links are secret."""

    def __init__(self, application: Any) -> None:
        descriptors, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        free = max(descriptors - OTHERS, 16) if descriptors > 0 else 2 * MOST
        Connection.most = min(MOST, free // 2)
        config = uvicorn.Config(
            application, http=Connection, access_log=False, log_level="error", ws="none",
            server_header=False, lifespan="off", proxy_headers=False, timeout_keep_alive=30,
            timeout_graceful_shutdown=3,
            # So many are accepted in one turn of the loop. One that is closed gives back its
            # descriptor four turns later.
            backlog=min(512, free // 16),
        )  # fmt: skip
        super().__init__(config)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for bound in sockets or ():
            bound.listen(BACKLOG)


class Connection(H11Protocol):
    """One connection, closed where its headers take too long or others need its place."""

    most = MOST
    _since = 0.0
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._await_headers()
        held: list[Any] = [
            connection for connection in self.connections if not connection.transport.is_closing()
        ]
        if len(held) > self.most:
            waiting = [connection for connection in held if connection.receiving]
            longest = min(waiting or held, key=lambda connection: connection._since)
            longest.transport.abort()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._headers_came()
        elif self._deadline is None:
            self._await_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        self._headers_came()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """End what waits, and the streams; an answer that has not begun is still given.

        An answer that has begun, and lets the server get to this, is a stream: it has no end.
        """
        super().shutdown()
        if self.cycle is not None and self.cycle.response_started:
            self.transport.close()

    @property
    def receiving(self) -> bool:
        """Whether it waits for its browser, not for an answer of ours."""
        return self.cycle is None or self.cycle.response_complete or self.cycle.more_body

    def _await_headers(self) -> None:
        self._since = self.loop.time()
        self._deadline = self.loop.call_later(PATIENCE, self.transport.abort)

    def _headers_came(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
