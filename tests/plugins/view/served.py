"""The page of a project's runs: asked by the tests as its browser would, or shown in Chromium."""

from __future__ import annotations

import http.client
import re
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import NamedTuple

import pytest

from harness.kit.serving.address import Address, listen
from harness_view.app import view_server
from harness_view.door import token
from tests.kit.serving.pages import need
from tests.support.ports import own_port
from tests.support.project import Project
from tests.support.waiting import LONG, until


class Reply(NamedTuple):
    status: int
    headers: http.client.HTTPMessage
    text: str


class Served:
    """One page in a thread."""

    def __init__(self, first: str | None, open_test: bool) -> None:
        self.token, self.address = token(), Address(own_port())
        self.link = self.address.link(self.token)
        self.base = self.link.partition("/in/")[0]
        self.server = view_server(self.token, self.address, first=first, open_test=open_test)
        self.thread = threading.Thread(
            target=self.server.run, args=([listen(self.address)],), daemon=True
        )

    def ask(self, target: str, method: str = "GET", **changed: str) -> Reply:
        """One request with the page's cookie."""
        connection = http.client.HTTPConnection("127.0.0.1", self.address.port, timeout=LONG)
        headers = {"Cookie": f"view-{self.address.port}={self.token}", **changed}
        with closing(connection):
            connection.request(method, target, headers=headers)
            answer = connection.getresponse()
            return Reply(answer.status, answer.headers, answer.read().decode())

    def main(self, target: str) -> str:
        """What stands in the middle of a page, as text without its markup."""
        reply = self.ask(target)
        assert reply.status == 200, reply.text
        return words(reply.text)


def words(page: str) -> str:
    main = page.partition("<main>")[2].partition("</main>")[0]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", main))


@contextmanager
def served(
    project: Project, first: str | None = None, *, open_test: bool = False
) -> Iterator[Served]:
    need()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project.folder)
        page = Served(first, open_test)
        page.thread.start()
        try:
            until(lambda: page.server.started, "the start of the server")
            yield page
        finally:
            page.server.should_exit = page.server.force_exit = True
            page.thread.join(LONG)
