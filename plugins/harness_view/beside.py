"""The page beside a run: served by a process of its own, until the run's command has ended.

What is looked at takes nothing from the run's process, and cannot harm it. Run as a program, it
reads one line from standard input (JSON: run, token, port), and serves until some seconds after
that is closed, as the end of a killed command does, too: whoever looks sees how it ended.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator

import harness
from harness.kit import gate
from harness.kit.serving.address import Address, listen
from harness.kit.serving.server import serve

REST = 5.0
"""Seconds for which it is served after the end."""


@contextlib.contextmanager
def served_beside(run: str) -> Iterator[str]:
    """Where the page can be looked at, as a sentence.

    Raises:
        EnvironmentFailure: the extra ``web`` is not installed.
    """
    from harness_view.app import PORT, needed
    from harness_view.door import token

    needed()
    bound = _bound(PORT)
    address, secret = Address(bound.getsockname()[1]), token()
    line = json.dumps({"run": run, "token": secret, "port": address.port})
    with bound:
        page = gate.start_ours(
            __name__, str(bound.fileno()), stdin=gate.PIPE, stdout=gate.DEVNULL,
            stderr=gate.DEVNULL, pass_fds=[bound.fileno()], start_new_session=True,
        )  # fmt: skip
    assert page.stdin is not None
    page.stdin.write(f"{line}\n".encode())
    page.stdin.flush()
    try:
        yield f"the page of this run: {address.link(secret)}"
    finally:
        page.stdin.close()
        threading.Thread(target=page.wait, daemon=True).start()  # nobody waits for its rest


def _bound(port: int) -> socket.socket:
    """A socket at the usual port, or at a free one where that is taken."""
    try:
        return listen(Address(port))
    except harness.EnvironmentFailure:
        return listen(Address(0))


def main() -> None:
    """Serve at the socket whose descriptor is the first argument."""
    from harness_view.app import view_server

    given = json.loads(sys.stdin.readline())
    running = view_server(given["token"], Address(given["port"]), first=given["run"])

    def until_closed() -> None:
        sys.stdin.read()
        time.sleep(REST)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=until_closed, daemon=True).start()
    with contextlib.suppress(KeyboardInterrupt):
        serve(running, socket.socket(fileno=int(sys.argv[1])))


if __name__ == "__main__":
    main()
