"""Who may ask a page's server for what: one gate in front of everything.

The gate lets nothing through but what its door knows. Whatever passes it has the one right Host,
a method that the address takes, the cookie of the very holder whose address it is (or a link with
a true token) and, if it writes, our own Origin and a JSON body of bounded size. How long an answer
takes is not the gate's: a stream of events goes through it as it comes.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import html
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from harness.kit.serving.address import Address

if TYPE_CHECKING:
    from starlette.responses import Response

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

Holder = TypeVar("Holder")
"""Whom a token stands for."""

LINK = re.compile(r"/in/(?P<token>[A-Za-z0-9_-]{43})")
"""The target of a link; its token is one of ``secrets.token_urlsafe(32)``."""
MONTH = 30 * 86_400
LARGEST_BODY = 256 * 1024
"""Bytes of one request's body."""
PATIENCE = 30.0
"""Seconds within which a request must have come in."""
JSON_TYPES = (
    "application/json",
    "application/json; charset=utf-8",
    "application/json;charset=utf-8",
)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), clipboard-read=()",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True)
class Door(Generic[Holder]):
    """How one page is entered. Two pages share neither cookie nor tokens nor addresses.

    Attributes:
        page: what the page is, within a sentence: ``the rating page``.
        cookie: the name of its cookie. Cookies know no ports: pages that one browser may have open
            at once, from several servers of this machine, differ in it or in their addresses.
        tokens: token -> who holds it.
        home: the holder's page (``/view/``), to which the link leads. A token opens what begins
            with it, and the cookie is sent to these addresses alone.
        takes: the method that a target takes: GET without a body, POST with one of JSON; None:
            there is nothing. A target is path and query as the browser sent them, percent escapes
            and all, so that none is read in two ways.
        policy: the page's Content-Security-Policy.
        use_link: the sentence for who comes without a token, or to the wrong address.
    """

    page: str
    cookie: str
    tokens: Mapping[str, Holder]
    home: Callable[[Holder], str]
    takes: Callable[[str], Literal["GET", "POST"] | None]
    policy: str
    use_link: str


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
    """The one middleware: refuses, or hands over with ``scope["holder"]`` and the whole body.

    Args:
        inner: what is behind the gate.
        door: how the page is entered.
        address: where it is served, checked.
    """

    def __init__(self, inner: Application, door: Door[Any], address: Address) -> None:
        self.inner, self.door = inner, door
        self.hosts, self.scheme = frozenset(address.allowed), address.scheme
        self.holders = [(_hashed(token), holder) for token, holder in door.tokens.items()]
        headers = {"Content-Security-Policy": door.policy, **HEADERS}
        self.headers = {name.lower().encode(): value.encode() for name, value in headers.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await self.inner(scope, receive, send)
        if scope["type"] != "http":
            return await send({"type": "websocket.close", "code": 1008})
        send = self._with_headers(send)
        try:
            async with asyncio.timeout(PATIENCE):
                answer, body = await self._admit(scope, receive)
        except TimeoutError:
            return await _say(send, Refused(408, "The request took too long."))
        except Refused as refused:
            return await _say(send, refused)
        return await answer(scope, _replayed(body, receive), send)

    async def _admit(self, scope: Scope, receive: Receive) -> tuple[Application, bytes]:
        """What answers the request, and its body."""
        headers = _Headers(scope["headers"])
        host = headers.only("host")
        if host not in self.hosts:
            raise Refused(421, f"The address of this page is {self.scheme}://{min(self.hosts)}")
        parts = filter(None, (scope["raw_path"], scope["query_string"]))
        target = b"?".join(parts).decode("latin-1")
        if link := LINK.fullmatch(target):
            return self._entered(scope, headers, link["token"]), b""
        method = self.door.takes(target)
        if method is None:
            raise Refused(404, f"There is nothing here. {self.door.use_link}")
        _method(scope, method)
        # Empty from browsers that do not send it: these are held off by cookie and Origin alone.
        if headers.any("sec-fetch-site") not in ("", "same-origin", "none"):
            raise Refused(403, "Another page may not ask for this.")
        holder = self._holder(headers.cookie(self.door.cookie))
        if holder is None or not target.startswith(self.door.home(holder)):
            raise Refused(403, self.door.use_link)
        scope["holder"] = holder
        if method == "GET":
            _no_body(headers)
            return self.inner, b""
        if headers.only("origin") != f"{self.scheme}://{host}":
            raise Refused(403, "Only this page itself may write.")
        return self.inner, await _body(headers, receive)

    def _holder(self, token: str) -> Any:
        """Who holds a token, or None. Every known token is compared, always in full."""
        hashed, match = _hashed(token), None
        for known, holder in self.holders:
            if hmac.compare_digest(known, hashed):
                match = holder
        return match

    def _entered(self, scope: Scope, headers: _Headers, token: str) -> Response:
        """The answer to a link: it sets the cookie, and leads to the holder's page."""
        from starlette.responses import HTMLResponse, RedirectResponse

        _method(scope, "GET")
        # A link is opened from a mail or a chat: another site, but always as a whole page.
        if headers.any("sec-fetch-mode") not in ("", "navigate") or headers.any(
            "sec-fetch-dest"
        ) not in ("", "document"):
            raise Refused(403, "Another page may not ask for this.")
        holder = self._holder(token)
        if holder is None:
            raise Refused(403, "This link is not valid, or no longer. Please ask for a new one.")
        _no_body(headers)
        home = self.door.home(holder)
        # A browser keeps a strict cookie from a redirect that another site began, so coming
        # from outside it is our own page that leads on.
        answer: Response = RedirectResponse(home, status_code=303)
        if headers.any("sec-fetch-site") in ("cross-site", "same-site"):
            answer = HTMLResponse(_passage(home, self.door.page))
        answer.set_cookie(
            self.door.cookie, token, path=home, max_age=MONTH, httponly=True,
            samesite="strict", secure=self.scheme == "https",
        )  # fmt: skip
        return answer

    def _with_headers(self, send: Send) -> Send:
        async def wrapped(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                theirs = [
                    pair for pair in message["headers"] if pair[0].lower() not in self.headers
                ]
                message = {**message, "headers": [*theirs, *self.headers.items()]}
            await send(message)

        return wrapped


def _hashed(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def _passage(home: str, page: str) -> str:
    """A page that leads on to ``home``, so that the browser gets there from our own site."""
    place, name = html.escape(home), html.escape(page)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="refresh" content="0;url={place}">\n<title>{name}</title>\n</head>\n'
        f'<body><p><a href="{place}">Go on to {name}</a></p></body>\n</html>\n'
    )


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

    def cookie(self, name: str) -> str:
        """The value of a cookie; empty unless it comes once: another site may have set a second."""
        lines = self.values.get("cookie", [])
        parts = [part.strip() for line in lines for part in line.split(";")]
        values = [part[len(name) + 1 :] for part in parts if part.startswith(f"{name}=")]
        return values[0] if len(values) == 1 else ""


def _method(scope: Scope, wanted: str) -> None:
    if scope["method"] != wanted:
        raise Refused(405, f"This address takes {wanted} only.")


def _no_body(headers: _Headers) -> None:
    if "transfer-encoding" in headers.values or headers.any("content-length") not in ("", "0"):
        raise Refused(400, "A request that reads has no body.")


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


async def _say(send: Send, refused: Refused) -> None:
    text = refused.why.encode()
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(text)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": refused.status, "headers": headers})
    await send({"type": "http.response.body", "body": text})
