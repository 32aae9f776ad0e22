"""Ports of this machine that are a test's own until its process ends."""

from __future__ import annotations

import socket


def own_port() -> int:
    """A port of the loopback on which nobody listens, and which the system gives to nobody else.

    A socket stays bound to it without listening: who connects is refused, and a server may listen
    there (with ``SO_REUSEADDR``, as ``socket.create_server`` sets it) as often as a test wants.
    """
    with socket.socket() as bound:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(("127.0.0.1", 0))
        port = int(bound.getsockname()[1])
        bound.detach()
    return port
