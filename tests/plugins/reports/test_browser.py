"""The page in a real Chromium: hostile text does nothing, and people can read it.

Chromium is driven through the DevTools protocol over a pair of pipes.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import runpy
import select
import shutil
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from harness_reports.html.examples import anchor
from harness_reports.html.page import page

Document = dict[str, Any]
HOSTILE = runpy.run_path(str(Path(__file__).parents[2] / "hostile_texts.py"))
PATIENCE = 60.0
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync "
    "--disable-dev-shm-usage --remote-debugging-pipe"
)
# A page that behaves: what makes it fail is listed, so that a failure says what it was.
STATE = """
(() => {
  const all = [...document.querySelectorAll("*")];
  const acting = all.filter((e) => [...e.attributes].some((a) => /^on|^style$|^src/i.test(a.name)));
  const links = [...document.querySelectorAll("[href]")].filter(
    (e) => !/^#[a-z0-9-]+$/.test(e.getAttribute("href")));
  return {canary: window.CANARY || null, title: document.title,
          scripts: document.scripts.length, acting: acting.map((e) => e.outerHTML),
          links: links.map((e) => e.outerHTML), tags: [...new Set(all.map((e) => e.tagName))],
          text: document.body.innerText, place: location.protocol};
})()""".replace("CANARY", HOSTILE["CANARY"])
# Text is read against the nearest background that is not see-through.
CONTRAST = """
(() => {
  const parts = (c) => (c.match(/[\\d.]+/g) || []).map(Number);
  const light = (c) => parts(c).slice(0, 3).map((v) => v / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (e) => {
    for (let at = e; at; at = at.parentElement) {
      const found = parts(getComputedStyle(at).backgroundColor);
      if (found.length === 3 || found[3] > 0) return getComputedStyle(at).backgroundColor;
    }
    return "rgb(255, 255, 255)";
  };
  const found = [];
  for (const e of document.querySelectorAll("body *")) {
    const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
    if (!own || !e.checkVisibility() || e.closest("script")) continue;
    const style = getComputedStyle(e);
    const ink = e instanceof SVGElement ? style.fill : style.color;
    const [a, b] = [light(ink), light(behind(e))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) found.push([e.tagName, e.className.baseVal ?? e.className, ink, ratio]);
  }
  return found;
})()"""


class Chromium:
    """A running browser with one tab at a time."""

    def __init__(self, path: str, profile: Path, port: int) -> None:
        ours, theirs = _pipe(), _pipe()
        command = [path, *FLAGS.split(), f"--user-data-dir={profile}",
                   f"--host-resolver-rules=MAP *.example 127.0.0.1:{port}", "about:blank"]  # fmt: skip
        actions = [(os.POSIX_SPAWN_DUP2, theirs[0], 3), (os.POSIX_SPAWN_DUP2, ours[1], 4)]
        actions += [(os.POSIX_SPAWN_OPEN, at, os.devnull, os.O_RDWR, 0) for at in (0, 1, 2)]
        self.pid = os.posix_spawn(
            path, command, os.environ, file_actions=actions, setsid=True
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


@pytest.fixture(scope="module")
def listener() -> Iterator[Listener]:
    found = Listener()
    yield found
    found.socket.shutdown(socket.SHUT_RDWR)
    found.socket.close()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory, listener: Listener) -> Iterator[Chromium]:
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        told = "no Chromium here: apt-get install chromium (Debian), or put one on the PATH"
        if os.environ.get("CI"):
            pytest.fail(told)
        pytest.skip(told)
    found = Chromium(path, tmp_path_factory.mktemp("profile"), listener.port)
    yield found
    found.close()


@pytest.fixture
def saved(tmp_path: Path) -> Callable[[str], str]:
    def save(markup: str) -> str:
        path = tmp_path / "report.html"
        path.write_text(markup, encoding="utf-8")
        return path.as_uri()

    return save


@pytest.fixture
def poisoned(analysis: Document) -> Document:
    """Hostile text everywhere, and each text as an example, a slice and a kind of error."""
    texts = HOSTILE["TEXTS"]
    found: Document = HOSTILE["filled"](analysis | {"failed": {"causes": "x"}}, texts)
    example, piece = found["examples"][0], found["rounds"][1]["slices"][0]
    found["examples"] = [
        example | {"id": text, "prompt": text, "reference": text, "answer": text[::-1],
                   "errors": [text], "course": text, "place": text,
                   "references": [text, text[:-1]]}
        for text in texts
    ]  # fmt: skip
    found["rounds"][1]["slices"] += [piece | {"slice": text} for text in texts]
    found["rounds"][1]["errors"] = dict.fromkeys(texts, 3)
    found["tables"]["categories"] = [{"round": 1, "category": t, "answers": 3} for t in texts]
    return found


def bare_policy(markup: str) -> str:
    return re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", markup)


ACT = """
for (const e of document.querySelectorAll("details")) e.open = true;
for (const e of document.querySelectorAll("body *")) {
  for (const kind of ["mouseover", "focus", "click", "toggle", "load", "error", "animationstart"])
    if (!(kind === "click" && e.closest("a"))) e.dispatchEvent(new Event(kind));
}"""


@pytest.mark.parametrize("guarded", [True, False], ids=["as it is", "without its policy"])
def test_hostile_text_does_nothing(
    browser: Chromium, listener: Listener, saved: Callable[[str], str],
    poisoned: Document, guarded: bool,
) -> None:  # fmt: skip
    before, markup = listener.calls, page(poisoned)
    address = saved(markup if guarded else bare_policy(markup))
    browser.open(address)
    browser.evaluate(ACT)
    time.sleep(0.3)
    state = browser.evaluate(STATE)
    assert state["canary"] is None and "pwned" not in state["title"].split()
    assert state["scripts"] == 1 and state["acting"] == [] and state["links"] == []
    assert not set(state["tags"]) & {"IMG", "IFRAME", "OBJECT", "EMBED", "LINK", "BASE", "VIDEO"}
    assert browser.asked() == [address]
    assert listener.calls == before and state["place"] == "file:"
    # Still a report: all headings, and the texts themselves, to be read.
    for shown in ("Weak slices", "Worst examples", "<script>", "onerror=", "{{7*7}}", "=1+1"):
        assert shown in state["text"]
    assert browser.evaluate("document.querySelectorAll('details.example').length") >= 80


def test_the_same_texts_do_harm_where_nothing_holds_them(
    browser: Chromium, listener: Listener, saved: Callable[[str], str]
) -> None:
    """So the tests above can fail: as plain HTML these texts run scripts and ask the network."""
    before = listener.calls
    texts = [*HOSTILE["SCRIPTS"], *HOSTILE["HANDLERS"], *HOSTILE["FETCHES"][:7]]
    browser.open(saved(f"<!DOCTYPE html><p>{'<p>'.join(texts)}"))
    deadline = time.monotonic() + 10
    while listener.calls == before and time.monotonic() < deadline:
        time.sleep(0.05)
    state = browser.evaluate(STATE)
    assert state["canary"] == 1 and state["title"] == "pwned"
    assert listener.calls > before and len(browser.asked()) > 1


def test_the_policy_alone_stops_scripts_too(
    browser: Chromium, saved: Callable[[str], str], analysis: Document
) -> None:
    raw = "<p>".join([*HOSTILE["SCRIPTS"], *HOSTILE["HANDLERS"]])
    browser.open(saved(page(analysis).replace("<header>", f"{raw}<header>")))
    browser.evaluate(ACT)
    state = browser.evaluate(STATE)
    assert len(state["acting"]) > 5
    assert state["canary"] is None and "pwned" not in state["title"]
