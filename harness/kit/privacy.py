"""Texts that others may read: no home folder, name of a user, password or token stays in them."""

from __future__ import annotations

import getpass
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.kit.text import plain

HIDDEN = "***"
_SECRET = re.compile(
    r"TOKEN|KEY|SECRET|PASS|CREDENTIAL|AUTH|PROXY|ENDPOINT|INDEX_URL|COOKIE", re.IGNORECASE
)
"""Names of environment variables whose values are shown nowhere."""
_SHORTEST = 6
"""Characters of a value that can be anybody's secret: ``1`` and ``true`` are not."""
_IN_ADDRESS = re.compile(r"(?<=://)[^/\s@]+@")
_TOKENS = re.compile(r"\b(?:hf_|sk-|gh[pousr]_|github_pat_|glpat-|pypi-)[\w-]{8,}")


class Private:
    """Takes out of texts what is nobody's business.

    Args:
        environment: variable -> value.
        homes: folders of this user.
        user: name that this user logs in by; empty where there is none.
    """

    def __init__(self, environment: Mapping[str, str], homes: list[Path], user: str) -> None:
        # The longest first: one value may hold another.
        values = {v for k, v in environment.items() if _SECRET.search(k) and len(v) >= _SHORTEST}
        self._values = sorted(values, key=len, reverse=True)
        folders = sorted({str(home).rstrip("/\\") for home in homes}, key=len, reverse=True)
        named = [re.escape(folder) for folder in folders if len(folder) > 1]
        self._home = re.compile(rf"(?:{'|'.join(named)})(?![\w-])") if named else None
        self._user = re.compile(rf"(?<=[/\\]){re.escape(user)}(?![\w-])") if user else None

    def text(self, text: str) -> str:
        """The same text without it; no terminal commands stay either."""
        text = plain(text)
        for value in self._values:
            text = text.replace(value, HIDDEN)
        text = _TOKENS.sub(HIDDEN, _IN_ADDRESS.sub("", text))
        if self._home is not None:
            text = self._home.sub("~", text)
        return self._user.sub("USER", text) if self._user is not None else text

    def json(self, value: Any) -> Any:
        """A JSON value whose every text, keys too, went through :meth:`text`."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.text(str(key)): self.json(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.json(item) for item in value]
        return value


def of_this_user() -> Private:
    """What is private here."""
    home = Path(os.path.expanduser("~"))
    try:
        user = getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container has users without a name
        user = ""
    # Of "root" there is nothing to hide.
    return Private(os.environ, [home, Path(os.path.realpath(home))], "" if user == "root" else user)
