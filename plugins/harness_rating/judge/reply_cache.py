"""Replies kept by the content of what was asked, a small JSON file each.

The key holds the model's name, the whole prompt, the sampling and the number of the sample; not
the address, so that a server may move. Faults are never kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.kit.files import canonical, digest, read_json, write_bytes
from harness.kit.text import storable

SCHEMA = 1
LONGEST = 50_000
"""Characters of a reply that are kept."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model said.

    Attributes:
        tries: how often it was asked until then.
    """

    text: str
    tries: int = 1


class Kept:
    """A folder of replies."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def key(self, asked: Any) -> str:
        """The name of what was asked, a JSON value."""
        return digest([SCHEMA, asked])

    def get(self, key: str) -> Reply | None:
        """The reply; None if there is none that can be used."""
        try:
            found = read_json(self._path(key))
            if found["schema"] == SCHEMA and found["key"] == key:
                return Reply(str(found["text"]), int(found["tries"]))
        except (OSError, ValueError, KeyError, TypeError):
            pass
        return None

    def put(self, key: str, reply: Reply, model: str) -> None:
        """Keep a reply; the file is there whole or not at all."""
        document = {
            "schema": SCHEMA, "key": key, "model": storable(model), "tries": reply.tries,
            "text": storable(reply.text[:LONGEST]),
        }  # fmt: skip
        write_bytes(self._path(key), canonical(document) + b"\n")

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key}.json"
