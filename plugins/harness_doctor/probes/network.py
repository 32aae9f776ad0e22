"""Whether the model hub and the package index answer.

Addresses are those that huggingface_hub and pip use here, with their proxies and their settings.
No address leaves this module: it may hold a password, or the name of a machine that is nobody's
business.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit, urlunsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from harness_doctor.probes.answering import answer, reason

SECONDS = 3.0
"""Longest wait for an answer."""
_INDEX = re.compile(r"--index-url <[^>]*>.*?\(default (\S+?)\)", re.DOTALL)


def look() -> dict[str, Any]:
    """What hub and index answer, under ``hub`` and ``index``."""
    found: dict[str, dict[str, Any]] = {}
    looks = {"hub": _hub, "index": _index}
    threads = [
        threading.Thread(target=_into, args=(found, name, one), daemon=True)
        for name, one in looks.items()
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        # The look-up of a name has no time limit of its own.
        thread.join(2 * SECONDS)
    late = {"state": "silent", "reason": f"no answer within {2 * SECONDS:g} s"}
    return {name: found.get(name, late) for name in looks}


def _into(found: dict[str, Any], name: str, work: Callable[[], dict[str, Any]]) -> None:
    try:
        found[name] = work()
    except Exception as error:
        found[name] = {"state": "unknown", "reason": reason(error)}


def _hub() -> dict[str, Any]:
    from huggingface_hub import constants

    about = {"cache": str(constants.HF_HUB_CACHE), "set": "HF_ENDPOINT" in os.environ}
    if constants.HF_HUB_OFFLINE:
        return {**about, "state": "offline", "reason": "HF_HUB_OFFLINE forbids to ask"}
    return {**about, **head(constants.ENDPOINT)}


def _index() -> dict[str, Any]:
    """The index of pip, whose help names the address that is in force."""
    done = subprocess.run(
        [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--help"],
        capture_output=True, text=True, stdin=subprocess.DEVNULL,
        env={**os.environ, "COLUMNS": "4000"},
    )  # fmt: skip
    told = _INDEX.search(done.stdout)
    if done.returncode or told is None:
        lines = done.stderr.strip().splitlines() or ["its help names no index"]
        return {"state": "no pip", "reason": lines[-1]}
    return head(f"{told[1].rstrip('/')}/pip/")


class _NoRedirects(HTTPRedirectHandler):
    """Whoever sends us elsewhere has answered."""

    def redirect_request(self, *_: Any) -> None:
        return None


def head(address: str) -> dict[str, Any]:
    """Ask for the head of a page: ``reachable``, ``failing`` (5xx), ``silent`` or ``unknown``."""
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https"):
        return {"state": "unknown", "reason": "its address is neither http nor https"}
    host = parts.netloc.rpartition("@")[2]  # without a password
    request = Request(urlunsplit(parts._replace(netloc=host)), method="HEAD")
    try:
        with build_opener(_NoRedirects).open(request, timeout=SECONDS) as response:
            code = response.status
    except HTTPError as error:
        code = error.code  # it has answered, whatever it says
        error.close()
    except URLError as error:
        return {"state": "silent", "reason": _why(error.reason)}
    except (OSError, ValueError) as error:
        return {"state": "silent", "reason": _why(error)}
    if code >= 500:
        return {"state": "failing", "reason": f"it answers with an error of its own ({code})"}
    return {"state": "reachable", "reason": ""}


def _why(error: Any) -> str:
    if isinstance(error, TimeoutError) or "timed out" in str(error):
        return f"no answer within {SECONDS:g} s"
    text = getattr(error, "verify_message", None) or getattr(error, "strerror", None)
    return str(text or type(error).__name__)


if __name__ == "__main__":
    answer(look)
