"""A page's server: made from routes and a door, run until interrupted."""

from __future__ import annotations

import importlib
import socket
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from harness.errors import EnvironmentFailure
from harness.errors.installing import install_extra
from harness.kit.serving.address import Address
from harness.kit.serving.security import Door, Gate

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

    from harness.kit.serving.connections import Server


def load_extra(page: str, *names: str) -> None:
    """Import these modules of the extra ``web``, so that what is missing shows before any work.

    Args:
        page: what needs them, to be said.

    Raises:
        EnvironmentFailure: some are not installed; all of them are named.
    """
    missing = [missed for missed in map(_missing, names) if missed]
    if missing:
        verb = "is" if len(missing) == 1 else "are"
        raise EnvironmentFailure(
            f"{page} needs {', '.join(missing)}, which {verb} not installed",
            hint=install_extra("web"),
        )


def _missing(name: str) -> str:
    """The module that cannot be imported: this one, or one that it needs; empty if all is well."""
    try:
        importlib.import_module(name)
    except ImportError as error:
        return error.name or name
    return ""


def server(routes: Sequence[BaseRoute], door: Door[Any], address: Address) -> Server:
    """The server of these routes behind the door; in ``scope["holder"]`` they find who asks.

    Make it before a link is shown: its imports would swallow a Ctrl-C that follows one.

    Raises:
        UsageError: the address is not safe.
    """
    from starlette.applications import Starlette
    from starlette.middleware import Middleware

    from harness.kit.serving.connections import Server

    gate = Middleware(Gate, door=door, address=address.checked())
    return Server(Starlette(routes=routes, middleware=[gate]))


def serve(running: Server, bound: socket.socket) -> None:
    """Serve until interrupted (SIGINT or SIGTERM), from this moment on.

    Args:
        running: what :func:`server` gave. It hears signals by itself only once its loop runs,
            and a KeyboardInterrupt before that would leave the loop half made.
        bound: what :func:`~harness.kit.serving.address.listen` gave.

    Raises:
        KeyboardInterrupt: it was interrupted by SIGINT, and has ended in order.
    """
    with running.capture_signals():
        running.run(sockets=[bound])
