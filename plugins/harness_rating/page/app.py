"""The server of the rating page: a few addresses behind one gate.

GET  /in/<token>                     a rater's link: sets the cookie, leads to the page
GET  /b/<batch>/<rater>/             the page; page.js and page.css beside it
GET  /b/<batch>/<rater>/state        rubric, the rater's own items and events
GET  /b/<batch>/<rater>/items/<id>   one of the rater's own items
POST /b/<batch>/<rater>/events       {"events": [...]}: answered once they are on the disk

The rater is in the address and in the path of the cookie, so that the links of two raters can be
open in one browser: each page speaks as the rater whose name is on it.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness import EnvironmentFailure, HarnessError, UsageError
from harness.kit.serving.security import COOKIE, Gate
from harness_rating.batches.records import Batch
from harness_rating.page.pages import ASSETS, SERVING, asset, load_extra, page, passage, zipped
from harness_rating.page.payloads import RaterValues
from harness_rating.page.sessions import RatingService
from harness_rating.page.tokens import Seat, Tokens

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

    from harness.kit.serving.connections import Server

PORT = 8642
MONTH = 30 * 86_400
THREADS = 16
"""Sessions that work at a time: so many waits for the disk overlap. More only take turns."""
_HOST = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")


@dataclass(frozen=True, slots=True)
class Options:
    """How the page is served.

    Attributes:
        folder: where the batches lie.
        host: address to listen at; one beyond this machine needs ``hosts``.
        hosts: the Hosts by which browsers know the page, with port (``rate.example.org``);
            empty = just ``host:port``.
        scheme: as browsers see it; ``https`` behind a proxy that encrypts.
    """

    folder: Path
    host: str = "127.0.0.1"
    port: int = PORT
    hosts: tuple[str, ...] = ()
    scheme: str = "http"

    @property
    def allowed(self) -> tuple[str, ...]:
        """The Hosts that are answered, as browsers send them."""
        own = f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"
        default = ":443" if self.scheme == "https" else ":80"
        return tuple(host.lower().removesuffix(default) for host in self.hosts or (own,))

    def checked(self) -> Options:
        """These options, once they are safe to serve with.

        Raises:
            UsageError: an address that others reach without saying by which name.
        """
        if self.scheme == "https" and not self.hosts:
            raise UsageError(
                "--https is for a page behind a proxy, which browsers know by another address",
                hint="say by which one: --allow-host NAME",
            )
        if not _is_loopback(self.host) and not self.hosts:
            raise UsageError(
                f"--host {self.host} can be reached from other machines",
                hint="say by which address browsers will know the page: "
                f"--allow-host NAME:{self.port}",
            )
        for host in self.hosts:
            if not _HOST.fullmatch(host):
                raise UsageError(
                    f"--allow-host '{host}' is no Host", hint="NAME or NAME:PORT, without http://"
                )
        if self.scheme not in ("http", "https"):
            raise UsageError(f"the scheme is http or https, not {self.scheme!r}")
        return self


def _is_loopback(host: str) -> bool:
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def app(
    batches: Iterable[Batch],
    tokens: Mapping[str, Seat],
    options: Options,
    values: Mapping[str, RaterValues] | None = None,
) -> Starlette:
    """The application.

    Args:
        tokens: token -> the seat that it opens (:func:`harness_rating.page.tokens.seats`).
        values: item id -> criterion -> the values that raters gave. Shown, without names, to seats
            whose rater is ``settled-<who>`` and to no other.

    Raises:
        EnvironmentFailure: the extra ``rate`` is not installed.
        UsageError: the options are not safe.
    """
    load_extra(*SERVING)
    from starlette.applications import Starlette
    from starlette.middleware import Middleware
    from starlette.routing import Route

    options = options.checked()
    handlers = _Handlers(RatingService(options.folder, batches, values), options)
    routes = [
        Route("/in/{token}", handlers.link),
        Route("/b/{batch}/{rater}/", handlers.page),
        Route("/b/{batch}/{rater}/state", handlers.state),
        Route("/b/{batch}/{rater}/events", handlers.events, methods=["POST"]),
        Route("/b/{batch}/{rater}/items/{item}", handlers.item),
        Route("/b/{batch}/{rater}/{name}", handlers.asset),
    ]
    gate = Middleware(Gate, hosts=options.allowed, tokens=Tokens(tokens), scheme=options.scheme)
    return Starlette(routes=routes, middleware=[gate])


class _Handlers:
    """The addresses; the gate has seen to it that every request comes from a rater."""

    def __init__(self, service: RatingService, options: Options) -> None:
        self.service, self.options = service, options
        self.threads = ThreadPoolExecutor(THREADS, thread_name_prefix="session")

    async def link(self, request: Request) -> Response:
        from starlette.responses import HTMLResponse, RedirectResponse

        seat: Seat = request.scope["seat"]
        place = f"/b/{seat.batch}/{seat.rater}/"
        # A browser keeps a strict cookie from a redirect that another site began, so coming
        # from outside it is our own page that leads on.
        answer: Response = RedirectResponse(place, status_code=303)
        if request.scope["from_outside"]:
            answer = HTMLResponse(passage(place))
        answer.set_cookie(
            COOKIE, request.scope["token"], path=place, max_age=MONTH, httponly=True,
            samesite="strict", secure=self.options.scheme == "https",
        )  # fmt: skip
        return answer

    async def page(self, request: Request) -> Response:
        from starlette.responses import HTMLResponse

        return HTMLResponse(page(self.service.batch(request.scope["seat"])))

    async def asset(self, request: Request) -> Response:
        from starlette.responses import Response

        name = request.path_params["name"]
        accepted = request.headers.get("accept-encoding", "").replace(" ", "").split(",")
        headers = {"Vary": "Accept-Encoding"}
        if "gzip" not in accepted:
            return Response(asset(name), media_type=ASSETS[name], headers=headers)
        headers["Content-Encoding"] = "gzip"
        return Response(zipped(name), media_type=ASSETS[name], headers=headers)

    async def state(self, request: Request) -> Response:
        return await self._answer(self.service.state, request.scope["seat"])

    async def item(self, request: Request) -> Response:
        return await self._answer(self.service.item, request.scope["seat"], request.scope["item"])

    async def events(self, request: Request) -> Response:
        body = await request.body()
        return await self._answer(self.service.take, request.scope["seat"], body)

    async def _answer(self, work: Any, *arguments: Any) -> Response:
        """Reading and writing files in a thread; every trouble is one sentence."""
        from starlette.responses import JSONResponse

        loop = asyncio.get_running_loop()
        try:
            status, body = await loop.run_in_executor(self.threads, work, *arguments)
        except EnvironmentFailure as error:
            status, body = 503, {"error": error.what}
        except HarnessError as error:
            status, body = 500, {"error": error.what}
        except OSError as error:
            status, body = 503, {"error": f"the disk does not answer: {error.strerror}"}
        return JSONResponse(body, status)


def links(tokens: Mapping[str, Seat], options: Options) -> list[tuple[Seat, str]]:
    """Each seat with the link to hand to its rater."""
    start = f"{options.scheme}://{options.allowed[0]}/in/"
    return [(seat, f"{start}{token}") for token, seat in tokens.items()]


def listen(options: Options) -> socket.socket:
    """A socket at the address asked for.

    Raises:
        EnvironmentFailure: the port is taken, or the address is not this machine's.
    """
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    try:
        bound = socket.create_server((options.host, options.port), family=family)
    except OSError as error:
        raise EnvironmentFailure(
            f"cannot listen at {options.host}, port {options.port}: {error.strerror}",
            hint="is the page served already? Choose another port with --port",
        ) from None
    # Its connections have it too. Without it the body of an answer, which goes after the headers,
    # waits 40 ms for the browser to acknowledge these; asyncio sees to it only where it listens.
    bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return bound


def server(application: Starlette) -> Server:
    """The server, with its limits on connections.

    Raises:
        EnvironmentFailure: the extra ``rate`` is not installed.
    """
    load_extra("uvicorn")
    from harness.kit.serving.connections import Server

    return Server(application)


def serve(rating_server: Server, bound: socket.socket) -> None:
    """Serve until interrupted (SIGINT or SIGTERM), from this moment on.

    Args:
        rating_server: what :func:`server` gave. It hears signals by itself only once its loop runs,
            and a KeyboardInterrupt before that would leave the loop half made.
    """
    with rating_server.capture_signals():
        rating_server.run(sockets=[bound])
