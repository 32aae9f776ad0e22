"""A real server on the loopback that never comes to its end by itself, as broken gateways do."""

from __future__ import annotations

import contextlib
import itertools
import socket
import threading
from collections.abc import Callable, Iterator

PAUSE = 0.02
"""Seconds between two drops."""
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"

Drops = Callable[[], Iterator[bytes]]


def body() -> Iterator[bytes]:
    """A body, byte by byte."""
    yield HEAD + b"Content-Length: 1000000\r\n\r\n"
    yield from itertools.repeat(b" ")


def header() -> Iterator[bytes]:
    """A header that does not end."""
    yield HEAD + b"X-Slow: "
    yield from itertools.repeat(b"x")


def interim() -> Iterator[bytes]:
    """One interim response after another."""
    yield from itertools.repeat(b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n")


def silence() -> Iterator[bytes]:
    """Nothing."""
    yield from itertools.repeat(b"")


@contextlib.contextmanager
def dripping(drops: Drops, pause: float = PAUSE) -> Iterator[str]:
    """The address of a server that answers each request so, until the block ends.

    Args:
        pause: 0: as fast as it can.
    """
    over = threading.Event()

    def talk(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.recv(1 << 16)
            for drop in drops():
                if over.wait(pause):
                    return
                connection.sendall(drop)

    def accept() -> None:
        while not over.is_set():
            with contextlib.suppress(OSError):
                connection, _ = listener.accept()
                threads.append(threading.Thread(target=talk, args=(connection,)))
                threads[-1].start()

    threads: list[threading.Thread] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.05)
        threads.append(threading.Thread(target=accept))
        threads[0].start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            over.set()
            for thread in threads:
                thread.join()
