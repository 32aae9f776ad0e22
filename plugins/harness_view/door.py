"""The door of the page: one holder, whose link is printed when the server starts."""

from __future__ import annotations

import re
import secrets
from typing import Literal

from harness.kit.serving.address import Address
from harness.kit.serving.security import Door
from harness_view.links import HOME

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_TARGET = re.compile(
    rf"{HOME}(?:|runs|events|static/[a-z]+\.(?:css|js)|"
    r"run/[A-Za-z0-9._~%-]{1,800}/(?:now|rounds|rows|row|added|events))"
    r"(?:\?[A-Za-z0-9._~%+=&*-]{0,8000})?"
)


def token() -> str:
    """A new one, for one start of the server: a folder that others have written holds none."""
    return secrets.token_urlsafe(32)


def door(token: str, address: Address) -> Door[str]:
    """How people come in: by the link that was printed, to the addresses of the page alone."""
    return Door(
        page="the page of these runs",
        # Cookies know no ports, and there may be a page of another folder.
        cookie=f"view-{address.port}",
        tokens={token: "viewer"},
        home=lambda _: HOME,
        takes=_takes,
        policy=POLICY,
        use_link="This page is opened by its link. "
        "It stands in the terminal in which the page is served.",
    )


def _takes(target: str) -> Literal["GET"] | None:
    return "GET" if _TARGET.fullmatch(target) else None
