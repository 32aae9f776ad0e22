"""A real Chromium for tests, driven through the DevTools protocol over a pair of pipes."""

from __future__ import annotations

import fcntl
import json
import os
import select
import shutil
import signal
import socket
import threading
import time
from pathlib import Path
from typing import Any

Document = dict[str, Any]
PATIENCE = 60.0
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--remote-debugging-pipe",
)  # fmt: skip
HOW_TO_GET = "no Chromium here: apt-get install chromium (Debian), or put one on the PATH"


def found_chromium() -> str | None:
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((path for path in map(shutil.which, names) if path), None)


class Chromium:
    """A running browser with one tab at a time.

    Hosts under ``.example`` are looked for at a port of this machine; nothing else is reachable
    by name that was not before.
    """

    def __init__(self, path: str, profile: Path, port: int) -> None:
        ours, theirs = _pipe(), _pipe()
        hosts = f"MAP *.example 127.0.0.1:{port}"
        command = [path, *FLAGS, f"--user-data-dir={profile}", f"--host-resolver-rules={hosts}"]
        actions = [(os.POSIX_SPAWN_DUP2, theirs[0], 3), (os.POSIX_SPAWN_DUP2, ours[1], 4)]
        actions += [(os.POSIX_SPAWN_OPEN, at, os.devnull, os.O_RDWR, 0) for at in (0, 1, 2)]
        self.pid = os.posix_spawn(
            path, [*command, "about:blank"], os.environ, file_actions=actions, setsid=True
        )  # fmt: skip
        os.close(theirs[0])
        os.close(ours[1])
        self.inward, self.outward = ours[0], theirs[1]
        self.rest, self.number, self.session = b"", 0, ""
        self.events: list[Document] = []

    def call(self, method: str, **params: Any) -> Document:
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.outward, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == self.number:
                assert "error" not in answer, (method, answer["error"])
                result: Document = answer["result"]
                return result
            self.events.append(answer)

    def _read(self) -> Document:
        while b"\0" not in self.rest:
            assert select.select([self.inward], [], [], PATIENCE)[0], "Chromium does not answer"
            found = os.read(self.inward, 1 << 20)
            assert found, "Chromium has ended"
            self.rest += found
        message, _, self.rest = self.rest.partition(b"\0")
        answer: Document = json.loads(message)
        return answer

    def open(self, address: str, width: int = 1280, dark: bool = False, media: str = "") -> None:
        """A new tab, in which everything is recorded from the start."""
        self.session = ""
        tab = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=tab, flatten=True)["sessionId"]
        self.events.clear()
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", media=media, features=[scheme])
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=900,
                  deviceScaleFactor=1, mobile=width < 500)  # fmt: skip
        self.call("Page.navigate", url=address)
        while self.evaluate("document.readyState") != "complete":
            time.sleep(0.02)

    def evaluate(self, expression: str) -> Any:
        found = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def asked(self) -> list[str]:
        """Addresses that this tab has asked for."""
        self.call("Page.enable")
        return [event["params"]["request"]["url"] for event in self.events
                if event.get("method") == "Network.requestWillBeSent"]  # fmt: skip

    def close(self) -> None:
        os.killpg(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.inward)
        os.close(self.outward)


def _pipe() -> tuple[int, int]:
    """A pipe with numbers that are not in the way of 3 and 4."""
    low = os.pipe()
    high = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 20) for end in low]
    for end in low:
        os.close(end)
    return high[0], high[1]


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
