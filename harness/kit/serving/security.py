"""Who may ask the page's server for what: one gate in front of everything.

The gate knows every address that there is, and lets nothing else through. Whatever passes it
has the one right Host, a method that the address takes, the cookie of that very rater of that batch
(or a link with a true token) and, if it writes, our own Origin and a JSON body of bounded size.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from harness_rating.page.tokens import LINK, Tokens

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

COOKIE = "rater"
LARGEST_BODY = 256 * 1024
"""Bytes of one request's body."""
PLACE = re.compile(
    r"/b/(?P<batch>[a-z0-9-]{1,100})/(?P<rater>[a-z0-9-]{1,40})/"
    r"(?P<what>|page\.js|page\.css|state|events"
    r"|items/(?P<item>[0-9a-f]{12}))"
)
WRITES = ("events",)
PATIENCE = 30.0
"""Seconds within which a request must have come in."""
JSON_TYPES = (
    "application/json",
    "application/json; charset=utf-8",
    "application/json;charset=utf-8",
)
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), clipboard-read=()",
    "Cache-Control": "no-store",
}
USE_LINK = "This page needs your own link. Please open the link that you were sent once more."


class Refused(Exception):
    """A request that is not let through.

    Args:
        status: of the answer.
        why: one sentence for a person; it never repeats what the request held.
    """

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status, self.why = status, why


class Gate:
    """The one middleware: refuses, or hands over with ``scope["seat"]`` and the whole body.

    Args:
        inner: what is behind the gate.
        hosts: the Hosts that are ours, each with its port where that is not the scheme's own.
        tokens: who may come in.
        scheme: ``http`` or ``https``, as browsers see it.
    """

    def __init__(
        self, inner: Application, hosts: Iterable[str], tokens: Tokens, scheme: str
    ) -> None:
        self.inner, self.hosts, self.tokens = inner, frozenset(hosts), tokens
        self.scheme = scheme

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await self.inner(scope, receive, send)
        if scope["type"] != "http":
            return await send({"type": "websocket.close", "code": 1008})
        try:
            async with asyncio.timeout(PATIENCE):
                body = await self._admit(scope, receive)
        except TimeoutError:
            return await _say(send, Refused(408, "The request took too long."))
        except Refused as refused:
            return await _say(send, refused)
        return await self.inner(scope, _replayed(body, receive), _with_headers(send))

    async def _admit(self, scope: Scope, receive: Receive) -> bytes:
        headers = _Headers(scope["headers"])
        host = headers.only("host")
        if host not in self.hosts:
            raise Refused(421, f"The address of this page is {self.scheme}://{min(self.hosts)}")
        path = self._path(scope)
        if link := LINK.fullmatch(path):
            return self._link(scope, headers, link["token"])
        place = PLACE.fullmatch(path)
        if place is None:
            raise Refused(404, f"There is nothing here. {USE_LINK}")
        writes = place["what"] in WRITES
        _method(scope, "POST" if writes else "GET")
        # Empty from browsers that do not send it: these are held off by cookie and Origin alone.
        if headers.any("sec-fetch-site") not in ("", "same-origin", "none"):
            raise Refused(403, "Another page may not ask for this.")
        seat = self.tokens.seat(_cookie(headers))
        if seat is None or (seat.batch, seat.rater) != (place["batch"], place["rater"]):
            raise Refused(403, USE_LINK)
        scope["seat"], scope["item"] = seat, place["item"]
        if not writes:
            return _nothing(headers)
        if headers.only("origin") != f"{self.scheme}://{host}":
            raise Refused(403, "Only this page itself may write.")
        return await _body(headers, receive)

    def _path(self, scope: Scope) -> str:
        path: str = scope["path"]
        raw = scope.get("raw_path", path.encode())
        # Percent escapes and queries have no place in our addresses: none is read in two ways.
        if raw.split(b"?")[0] != path.encode("utf-8", "replace") or scope.get("query_string"):
            raise Refused(404, f"There is nothing here. {USE_LINK}")
        return path

    def _link(self, scope: Scope, headers: _Headers, token: str) -> bytes:
        _method(scope, "GET")
        # A link is opened from a mail or a chat: another site, but always as a whole page.
        if headers.any("sec-fetch-mode") not in ("", "navigate") or headers.any(
            "sec-fetch-dest"
        ) not in ("", "document"):
            raise Refused(403, "Another page may not ask for this.")
        seat = self.tokens.seat(token)
        if seat is None:
            raise Refused(403, "This link is not valid, or no longer. Please ask for a new one.")
        scope["seat"], scope["token"] = seat, token
        scope["from_outside"] = headers.any("sec-fetch-site") in ("cross-site", "same-site")
        return _nothing(headers)


class _Headers:
    """Header names in lower case -> all values."""

    def __init__(self, pairs: Iterable[tuple[bytes, bytes]]) -> None:
        self.values: dict[str, list[str]] = {}
        for name, value in pairs:
            self.values.setdefault(name.decode("latin-1").lower(), []).append(
                value.decode("latin-1")
            )

    def only(self, name: str) -> str:
        """The value of a header that must come exactly once."""
        values = self.values.get(name, [])
        if len(values) != 1:
            raise Refused(400, f"A request needs one {name} header.")
        return values[0]

    def any(self, name: str) -> str:
        """The value of a header that may come once, or an empty text."""
        return self.only(name) if name in self.values else ""


def _method(scope: Scope, wanted: str) -> None:
    if scope["method"] != wanted:
        raise Refused(405, f"This address takes {wanted} only.")


def _cookie(headers: _Headers) -> str:
    parts = [part.strip() for line in headers.values.get("cookie", []) for part in line.split(";")]
    values = [part[len(COOKIE) + 1 :] for part in parts if part.startswith(f"{COOKIE}=")]
    if len(values) != 1:  # of two, another site of this host may have set one
        raise Refused(403, USE_LINK)
    return values[0]


def _nothing(headers: _Headers) -> bytes:
    if "transfer-encoding" in headers.values or headers.any("content-length") not in ("", "0"):
        raise Refused(400, "A request that reads has no body.")
    return b""


async def _body(headers: _Headers, receive: Receive) -> bytes:
    # A form of another site can send neither of the JSON types without asking first (CORS).
    if (
        headers.only("content-type").lower() not in JSON_TYPES
        or "content-encoding" in headers.values
    ):
        raise Refused(415, "Only plain JSON is taken.")
    length = headers.any("content-length")
    if not re.fullmatch(r"[0-9]{1,9}", length) or "transfer-encoding" in headers.values:
        raise Refused(411, "A body needs its length.")
    if int(length) > LARGEST_BODY:
        raise Refused(413, f"At most {LARGEST_BODY // 1024} KiB can be sent at a time.")
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise Refused(400, "The request ended too early.")
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > LARGEST_BODY:
            raise Refused(413, f"At most {LARGEST_BODY // 1024} KiB can be sent at a time.")
        if not message.get("more_body"):
            return b"".join(parts)


def _replayed(body: bytes, receive: Receive) -> Receive:
    sent = False

    async def again() -> MutableMapping[str, Any]:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def _with_headers(send: Send) -> Send:
    ours = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
    names = {name for name, _ in ours}

    async def wrapped(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            theirs = [pair for pair in message.get("headers", []) if pair[0].lower() not in names]
            message = {**message, "headers": [*theirs, *ours]}
        await send(message)

    return wrapped


async def _say(send: Send, refused: Refused) -> None:
    text = refused.why.encode()
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(text)).encode()),
        (b"connection", b"close"),
    ]
    start = {"type": "http.response.start", "status": refused.status, "headers": headers}
    send = _with_headers(send)
    await send(start)
    await send({"type": "http.response.body", "body": text})
