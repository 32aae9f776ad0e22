"""The door of the rating page: each rater's own addresses, at each batch."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

from harness.kit.serving.security import Door
from harness_rating.page.tokens import Seat

PLACE = re.compile(
    r"/b/[a-z0-9-]{1,100}/[a-z0-9-]{1,40}/"
    r"(?:|page\.js|page\.css|state|(?P<writes>events)|items/[0-9a-f]{12})"
)
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'"
)


def door(tokens: Mapping[str, Seat]) -> Door[Seat]:
    """How raters come in: each by a token to the addresses of one seat.

    Args:
        tokens: token -> the seat that it opens (:func:`harness_rating.page.tokens.seats`).
    """
    return Door(
        page="the rating page",
        cookie="rater",
        tokens=tokens,
        home=lambda seat: f"/b/{seat.batch}/{seat.rater}/",
        takes=_takes,
        policy=POLICY,
        use_link="This page needs your own link. "
        "Please open the link that you were sent once more.",
    )


def _takes(target: str) -> Literal["GET", "POST"] | None:
    place = PLACE.fullmatch(target)
    if place is None:
        return None
    return "POST" if place["writes"] else "GET"
