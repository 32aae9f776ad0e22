"""The rating page in a real Chromium: how fast it is there, how fast a key is seen and saved."""

from __future__ import annotations

import shutil
import statistics
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
OWN_FILES = ("/page.js", "/page.css")

ANSWER = "#work:not([hidden]) .answer"

# Both run before the page's own script. Times are the browser's; what follows a frame's paint
# is the first message after its animation callbacks.
FIRST = """
window.firstSeen = new Promise((seen) => {
  const look = () => {
    if (!document.querySelector("ANSWER")) return requestAnimationFrame(look);
    const channel = new MessageChannel();
    channel.port1.onmessage = () => seen(performance.now());
    channel.port2.postMessage(0);
  };
  requestAnimationFrame(look);
});
""".replace("ANSWER", ANSWER)
KEYS = """
window.keys = [];
addEventListener("keydown", (event) => {
  const one = {key: event.key, at: event.timeStamp, seen: null, saved: null};
  const saved = document.getElementById("saved");
  const watch = new MutationObserver(() => {
    if (!saved.textContent.startsWith("Saved at")) return;
    one.saved = performance.now();
    watch.disconnect();
  });
  watch.observe(saved, {childList: true, characterData: true, subtree: true});
  const pressed = () => document.querySelectorAll("#criteria [aria-pressed=true]").length;
  const before = pressed(), look = () => {
    if (pressed() === before) return requestAnimationFrame(look);
    const channel = new MessageChannel();
    channel.port1.onmessage = () => { one.seen = performance.now(); };
    channel.port2.postMessage(0);
  };
  requestAnimationFrame(look);
  window.keys.push(one);
}, true);
"""


@contextmanager
def chromium() -> Iterator[Any]:
    """A browser of this machine, or the end with the way to get one."""
    names = ("chromium", "chromium-browser", "google-chrome")
    path = next((found for found in map(shutil.which, names) if found), None)
    if path is None:
        raise SystemExit("no Chromium here: apt-get install chromium (Debian), or --only others")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as player:
        browser = player.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


def first_page(browser: Any, link: str) -> dict[str, float]:
    """One opening with an empty cache.

    Returns:
        ``ms`` from the click on the link to the first item on the screen; bytes over the wire,
        headers included, of the page with its script and style, and of these with the rubric
        and the first item. Items that are fetched ahead do not count.
    """
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.add_init_script(FIRST)
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    paths: dict[str, str] = {}
    sizes: dict[str, float] = {}
    session.on("Network.requestWillBeSent", lambda e: _asked(e, paths, sizes))
    session.on("Network.loadingFinished", lambda e: _came(e, sizes))
    page.goto(link)
    ms = page.evaluate("window.firstSeen")
    page.wait_for_timeout(100)  # the last message about bytes
    context.close()
    files = [size for one, size in sizes.items() if _is_file(paths.get(one, ""))]
    first = [size for one, size in sizes.items() if "/items/" not in paths.get(one, "")]
    return {"ms": ms, "files": sum(files), "all": sum(first)}


def empty_page(browser: Any, address: str) -> float:
    """Milliseconds to the first frame of a page with one line of text: the browser's own share."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.add_init_script(FIRST.replace(ANSWER, "body"))
    page.goto(address)
    ms: float = page.evaluate("window.firstSeen")
    context.close()
    return ms


def _asked(event: Any, paths: dict[str, str], sizes: dict[str, float]) -> None:
    name = event["requestId"]
    paths[name] = event["request"]["url"]
    if before := event.get("redirectResponse"):
        sizes[f"{name} led on"] = before["encodedDataLength"]


def _came(event: Any, sizes: dict[str, float]) -> None:
    sizes[event["requestId"]] = event["encodedDataLength"]


def _is_file(url: str) -> bool:
    return url.endswith(OWN_FILES) or (url.startswith("http") and url.endswith("/"))


def keystrokes(browser: Any, link: str, keys: Sequence[str], count: int) -> list[dict[str, float]]:
    """So many scores given by keyboard, each once the one before is saved.

    Args:
        keys: what answers all questions of an item, in their order.

    Returns:
        Milliseconds from each key to the painted frame that shows it, and to *Saved at*.
    """
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.add_init_script(KEYS)
    page.goto(link)
    page.wait_for_selector(ANSWER)
    found: list[dict[str, float]] = []
    while len(found) < count:
        before = page.text_content("#item-title")
        for key in keys:
            page.keyboard.press(key)
            found.append(_timed(page))
        page.keyboard.press("Enter")
        _until(page, f"document.getElementById('item-title').textContent !== {before!r}")
        _until(page, "document.getElementById('saved').textContent.startsWith('Saved at')")
    context.close()
    return found[:count]


def _timed(page: Any) -> dict[str, float]:
    _until(page, "window.keys.at(-1).seen && window.keys.at(-1).saved")
    one = page.evaluate("window.keys.at(-1)")
    return {"seen": one["seen"] - one["at"], "saved": one["saved"] - one["at"]}


def _until(page: Any, truth: str) -> None:
    """Wait without ``wait_for_function``, which the page's policy stops."""
    for _ in range(1500):
        if page.evaluate(f"Boolean({truth})"):
            return
        page.wait_for_timeout(10)
    raise SystemExit(f"the page does not get there: {truth}")


def spread(values: Sequence[float]) -> dict[str, float]:
    """Median and worst."""
    return {"median": statistics.median(values), "worst": max(values)}
