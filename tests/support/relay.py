"""A server as a program: it passes each connection on to a server of the test, and ends with it."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import threading


def relay(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data)
    for side in (source, target):
        with contextlib.suppress(OSError):
            side.shutdown(socket.SHUT_RDWR)


if __name__ == "__main__":
    _, port, behind = sys.argv[-3:]
    listener = socket.create_server(("127.0.0.1", int(port)))
    while True:
        near, _ = listener.accept()
        try:
            far = socket.create_connection(("127.0.0.1", int(behind)))
        except OSError:
            print("the engine died", file=sys.stderr, flush=True)
            os._exit(9)
        for side in (near, far):
            side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for pair in ((near, far), (far, near)):
            threading.Thread(target=relay, args=pair, daemon=True).start()
