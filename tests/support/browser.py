"""A real Chromium for tests, driven by Playwright."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.waiting import LONG

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage",
]  # fmt: skip
MILLISECONDS = 1000 * LONG
"""For which a browser on a busy machine may take its time."""
NAMES = ("chromium", "chromium-browser", "google-chrome")
HOW_TO_GET = "no Chromium here: apt-get install chromium (Debian), or put one on the PATH"


def unfit(message: str) -> None:
    """Skip a test that this machine has no means for; in CI that is a failure."""
    (pytest.fail if os.environ.get("CI") else pytest.skip)(message)


@contextlib.contextmanager
def launched(*flags: str) -> Iterator[Any]:
    """The system's Chromium, without a window."""
    path = next((found for found in map(shutil.which, NAMES) if found), None)
    if path is None:
        unfit(HOW_TO_GET)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as player:
        browser = player.chromium.launch(
            executable_path=path, args=[*FLAGS, *flags], timeout=MILLISECONDS
        )
        yield browser
        browser.close()


class Tab:
    """One page at a time, and the addresses that it has asked for."""

    def __init__(self, browser: Any) -> None:
        self._browser, self._page = browser, None
        self.asked: list[str] = []

    def open(self, address: str, width: int = 1280, dark: bool = False, media: str = "") -> None:
        """A new page, in which all requests are recorded from the start."""
        self.close()
        context = self._browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme="dark" if dark else "light",
            is_mobile=width < 500,
        )
        context.set_default_timeout(MILLISECONDS)
        self._page = context.new_page()
        self.asked = asked = []
        self._page.on("request", lambda request: asked.append(request.url))
        self._page.emulate_media(media=media or None)
        self._page.goto(address)

    def evaluate(self, expression: str) -> Any:
        assert self._page is not None
        return self._page.evaluate(expression)

    def close(self) -> None:
        if self._page is not None:
            self._page.context.close()


class Listener:
    """Counts whoever connects."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.socket.getsockname()[1]
        self.calls = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                caller, _ = self.socket.accept()
            except OSError:
                return
            self.calls += 1
            caller.close()
