"""What a server has behind a name: its own list of models says more of it than the name does.

``default`` is any model, and the weights behind a name may be exchanged. So kept replies belong to
what the server's list (``<endpoint>/models``) says of the model: name, files, parameters, as far as
it says anything. What it was told last stays written down, for when the server is not there.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from harness.errors import EnvironmentFailure
from harness.kit.files import canonical, digest, read_json, write_json
from harness.kit.remote.client import Client
from harness.kit.remote.faults import Fault
from harness.kit.remote.options import ServerOptions
from harness.kit.telling import tell
from harness.kit.text import one_line

SCHEMA = 1
UNKNOWN = ""
"""Of a model of which the server says nothing."""
_NAMED = ("id", "root", "parent")
_COUNTED = ("n_params", "n_vocab", "n_embd", "size")
"""What stays as it is while the weights do; other entries are times, prices and descriptions."""
_LONGEST = 2000


class Served:
    """What the model of some options is, at their server.

    Args:
        folder: where replies are kept.
        who: whom a message is about.
    """

    def __init__(self, options: ServerOptions, folder: Path, who: str) -> None:
        self._options, self._who = options, who
        place = digest([options.endpoint.rstrip("/"), options.model])
        self._path = folder / "served" / f"{place}.json"

    def last(self) -> str:
        """What it was when the server was asked last; :data:`UNKNOWN` if it never said it."""
        try:
            document = read_json(self._path)
            if document["schema"] == SCHEMA:
                return str(document["serves"])
        except (OSError, ValueError, KeyError, TypeError):
            pass
        return UNKNOWN

    def now(self) -> str:
        """What it is now. That costs nothing: no model works for it.

        A server that does not answer is taken for what it was; a change is told.
        """
        before = self.last()
        client = Client(self._options, self._who)
        try:
            serves = _of_list(client.models(), self._options.model)
        except (Fault, EnvironmentFailure):
            return before
        finally:
            client.close()
        if serves in (UNKNOWN, before):
            return before
        if before:
            tell(
                f"{self._who} is not the model whose replies are kept (now {_shown(serves)}, "
                f"then {_shown(before)}): all is asked again"
            )
        write_json(self._path, {"schema": SCHEMA, "serves": serves})
        return serves


def _of_list(listed: list[Any], model: str) -> str:
    """What a list says of a model; where it has one model alone, of that one."""
    entries = [entry for entry in listed if isinstance(entry, dict)]
    named = [entry for entry in entries if entry.get("id") == model] or entries
    if len(named) != 1:
        return UNKNOWN
    meta = named[0].get("meta")
    said = {name: named[0].get(name) for name in _NAMED}
    said |= {name: meta.get(name) for name in _COUNTED} if isinstance(meta, dict) else {}
    known = {name: value for name, value in said.items() if isinstance(value, str | int)}
    text = canonical(known).decode() if known else UNKNOWN
    return text if len(text) <= _LONGEST else digest(text)


def _shown(serves: str) -> str:
    """One line of what it is."""
    try:
        known = json.loads(serves)
        words = ", ".join(f"{name} {value}" for name, value in known.items())
    except ValueError:
        words = serves
    return one_line(words, 160)
