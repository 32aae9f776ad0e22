"""The server of the page: a few addresses behind one gate, all of them read.

GET /in/<token>               the link: sets the cookie, leads to the page
GET /view/                    leads to the run that the command names, or to the latest one
GET /view/runs                all runs of the folder
GET /view/run/<run>/<part>    now, rounds, rows, row or added
GET /view/run/<run>/events    a line whenever there is something new to see
GET /view/events              the same of all runs
GET /view/static/<file>       styles and scripts
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import hashlib
import threading
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING

import harness
from harness.kit.html.markup import Html, element, joined, name
from harness.kit.html.page import Page, linked
from harness.kit.serving.address import Address
from harness.kit.serving.server import load_extra, server
from harness_view.door import door
from harness_view.frame import SCRIPTS, STYLES, files, framed, watched
from harness_view.links import HOME, Asked, ServedLinks
from harness_view.now import WORDS
from harness_view.parts import drawn, explained
from harness_view.rows import rows_page
from harness_view.source import SUMMARY, Source, Stamp, stamp

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from harness.kit.serving.connections import Server

PORT = 8645
PAGE = "the page of runs"
EVERY = 1.0
"""Seconds between two looks for something new."""
SILENCE = 20.0
"""Seconds after which a stream says a word, so that nobody between takes it for dead."""


def needed() -> None:
    """See to it that what serves the page is installed.

    Raises:
        EnvironmentFailure: it is not.
    """
    load_extra(PAGE, "starlette", "uvicorn")


def view_server(
    token: str, address: Address, *, first: str | None = None, open_test: bool = False
) -> Server:
    """The server of the runs of this folder, not yet running.

    Args:
        token: that opens it.
        first: the run that it shows first; None: the latest.
        open_test: rows of test may be looked at, which is counted.

    Raises:
        EnvironmentFailure: the extra ``web`` is not installed.
        UsageError: the address is not safe.
    """
    needed()
    from starlette.routing import Route

    handlers = _Handlers(first, open_test)
    threading.Thread(target=handlers.prepare, daemon=True).start()
    routes = [
        Route(HOME, handlers.first),
        Route(f"{HOME}runs", handlers.runs),
        Route(f"{HOME}events", handlers.events),
        Route(f"{HOME}static/{{name}}", handlers.asset),
        Route(f"{HOME}run/{{run}}/events", handlers.events),
        Route(f"{HOME}run/{{run}}/{{part}}", handlers.part),
    ]
    return server(routes, door(token, address), address)


class _Handlers:
    """The addresses. Those that read files are plain functions: starlette calls them in threads."""

    def __init__(self, first: str | None, open_test: bool) -> None:
        self._first, self._open_test = first, open_test
        self._sources: dict[str, Source] = {}
        self._marks: dict[str, tuple[float, str]] = {}
        self._turn = threading.Lock()
        self._of_runs: Mapping[str, str] = {}

    def prepare(self) -> None:
        """Read what the first requests would wait for: the report, the database, a row."""
        source = self._source(self._shown_first() or "")
        with contextlib.suppress(harness.HarnessError):
            if source is not None:
                source.report()
                for row in rows_page(source, Asked()).rows[:1]:
                    explained(source, row.id)

    def _shown_first(self) -> str | None:
        return self._first or next(iter(harness.run_names()), None)

    def first(self, request: Request) -> Response:
        from starlette.responses import RedirectResponse

        run = self._shown_first()
        to = ServedLinks(run).part("now") if run else f"{HOME}runs"
        return RedirectResponse(to, status_code=303)

    def asset(self, request: Request) -> Response:
        from starlette.responses import Response

        file = request.path_params["name"]
        text = {**files(), **self._of_runs}.get(file)
        if text is None:
            return _said("There is no such file.", 404)
        kind = "text/css" if file.endswith(".css") else "text/javascript"
        return Response(text, media_type=f"{kind}; charset=utf-8")

    def runs(self, request: Request) -> Response:
        try:
            page = harness.runs_page(lambda run: ServedLinks(run).part("now"))
        except harness.HarnessError as error:
            return _said(error.placed, 500)
        self._of_runs = {"runs.css": joined(page.styles), "runs.js": joined(page.scripts)}
        names = harness.run_names()
        begun = [run for run in names if _summary(run) is None]
        table = page.main if len(begun) < len(names) or not names else None
        main = watched([_begun(begun), table], self._mark(None), f"{HOME}events")
        styles, scripts = ("look.css", "view.css", "runs.css"), ("runs.js", "view.js")
        return _answer(dataclasses.replace(page, main=main), styles, scripts)

    def part(self, request: Request) -> Response:
        run, part = request.path_params["run"], request.path_params["part"]
        source = self._source(run)
        if source is None:
            return _said(f"There is no run '{run}' in this folder.", 404)
        links, mark = ServedLinks(run), self._mark(source)
        status, main = drawn(source, part, request.url.query, links)
        page = framed(run, part, main, links, mark=mark, events=links.events)
        return _answer(page, STYLES, SCRIPTS, status)

    async def events(self, request: Request) -> Response:
        """A stream: the mark now, and again whenever it is another one."""
        from starlette.concurrency import run_in_threadpool
        from starlette.responses import StreamingResponse

        run = request.path_params.get("run")
        source = None if run is None else await run_in_threadpool(self._source, run)
        if run is not None and source is None:
            return _said(f"There is no run '{run}' in this folder.", 404)

        async def stream() -> AsyncIterator[str]:
            said, again = "", 0.0
            while not await request.is_disconnected():
                mark = await run_in_threadpool(self._mark, source)
                now = time.monotonic()
                if mark != said:
                    said, again = mark, now + SILENCE
                    yield f"data: {mark}\n\n"
                elif now >= again:
                    again = now + SILENCE
                    yield ": still here\n\n"
                await asyncio.sleep(EVERY)

        return StreamingResponse(stream(), media_type="text/event-stream")

    def _source(self, run: str) -> Source | None:
        """The run of that name, or None where this folder has none."""
        with self._turn:
            if run not in self._sources and run in harness.run_names():
                with contextlib.suppress(harness.HarnessError):  # its reports are a link
                    self._sources[run] = Source(run, open_test=self._open_test)
            return self._sources.get(run)

    def _mark(self, source: Source | None) -> str:
        """Changes whenever there is something new to see of the run, or of any of the folder.

        Looked at once in a while, however many viewers there are.
        """
        key = source.name if source else ""
        with self._turn:
            at, mark = self._marks.get(key, (-EVERY, ""))
            if time.monotonic() - at >= EVERY / 2:
                state = source.state if source else _folder()
                mark = hashlib.sha256(repr(state).encode()).hexdigest()[:16]
                self._marks[key] = time.monotonic(), mark
            return mark


def _folder() -> tuple[object, ...]:
    return tuple((run, _summary(run)) for run in harness.run_names())


def _summary(run: str) -> Stamp:
    with contextlib.suppress(harness.HarnessError):  # its name is none that reports could have
        return stamp(harness.open_run(run).reports / SUMMARY)
    return None


def _begun(names: Sequence[str]) -> Html | None:
    """The runs of which the table says nothing yet: their first round is not closed."""
    items = []
    for run in names:
        live = harness.open_run(run).live()
        link = element("a", name(run, 200), href=ServedLinks(run).part("now"))
        items.append(element("li", link, ": ", WORDS[live.state] if live else "not begun"))
    title = element("h2", "Before their first round is closed")
    return joined(title, element("ul", items)) if items else None


def _answer(
    page: Page, styles: Sequence[str], scripts: Sequence[str], status: int = 200
) -> Response:  # fmt: skip
    from starlette.responses import HTMLResponse

    sheets, loaded = ([f"{HOME}static/{file}" for file in names] for names in (styles, scripts))
    return HTMLResponse(linked(page, sheets, loaded), status)


def _said(sentence: str, status: int) -> Response:
    from starlette.responses import PlainTextResponse

    return PlainTextResponse(sentence, status)
