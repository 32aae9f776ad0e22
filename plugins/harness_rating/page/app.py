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
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness import EnvironmentFailure, HarnessError
from harness.kit.serving.address import Address
from harness.kit.serving.server import load_extra, server
from harness_rating.batches.records import Batch
from harness_rating.page.door import door
from harness_rating.page.pages import ASSETS, asset, page, zipped
from harness_rating.page.payloads import RaterValues
from harness_rating.page.sessions import RatingService
from harness_rating.page.tokens import Seat

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from harness.kit.serving.connections import Server

PORT = 8642
THREADS = 16
"""Sessions that work at a time: so many waits for the disk overlap. More only take turns."""


def rating_server(
    folder: Path,
    batches: Iterable[Batch],
    tokens: Mapping[str, Seat],
    address: Address,
    values: Mapping[str, RaterValues] | None = None,
) -> Server:
    """The server of the page, not yet running.

    Args:
        folder: where the batches lie.
        tokens: token -> the seat that it opens (:func:`harness_rating.page.tokens.seats`).
        values: item id -> criterion -> the values that raters gave. Shown, without names, to seats
            whose rater is ``settled-<who>`` and to no other.

    Raises:
        EnvironmentFailure: the extra ``web`` is not installed.
        UsageError: the address is not safe.
    """
    load_extra("the rating page", "starlette", "jinja2", "uvicorn")
    from starlette.routing import Route

    handlers = _Handlers(RatingService(folder, batches, values))
    routes = [
        Route("/b/{batch}/{rater}/", handlers.page),
        Route("/b/{batch}/{rater}/state", handlers.state),
        Route("/b/{batch}/{rater}/events", handlers.events, methods=["POST"]),
        Route("/b/{batch}/{rater}/items/{item}", handlers.item),
        Route("/b/{batch}/{rater}/{name}", handlers.asset),
    ]
    return server(routes, door(tokens), address)


class _Handlers:
    """The addresses; the gate has seen to it that every request comes from a rater."""

    def __init__(self, service: RatingService) -> None:
        self.service = service
        self.threads = ThreadPoolExecutor(THREADS, thread_name_prefix="session")

    async def page(self, request: Request) -> Response:
        from starlette.responses import HTMLResponse

        return HTMLResponse(page(self.service.batch(request.scope["holder"])))

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
        return await self._answer(self.service.state, request.scope["holder"])

    async def item(self, request: Request) -> Response:
        return await self._answer(
            self.service.item, request.scope["holder"], request.path_params["item"]
        )

    async def events(self, request: Request) -> Response:
        body = await request.body()
        return await self._answer(self.service.take, request.scope["holder"], body)

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
