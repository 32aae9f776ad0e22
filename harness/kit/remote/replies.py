"""Requests, and answers of models kept by the content of what was asked, a small JSON file each.

The key holds the server's address, the model's name and what the server says of it, the whole
prompt, the sampling and the index of the draw. Faults are never kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.kit.files import canonical, digest, read_json, write_bytes
from harness.kit.inside import inside
from harness.kit.text import storable_json
from harness.records import from_json, to_json

SCHEMA = 4


def anything(text: str) -> bool:
    """Every answer will do."""
    return True


@dataclass(frozen=True, slots=True)
class Request:
    """One draw of an answer to a prompt.

    Attributes:
        tools: schemas of the tools that the prompt names.
        draw: tells draws of the same prompt apart, from 0 on: each is another sample.
        model: another one of the same server; empty: the one that the options name.
        accept: whether an answer will do; one that will not is asked for again with another seed,
            and the last one is taken.
        schema: a JSON Schema that the server holds the answer to; None: nothing.
    """

    messages: Sequence[Mapping[str, Any]]
    draw: int = 0
    tools: Sequence[Mapping[str, Any]] = ()
    accept: Callable[[str], bool] = field(default=anything, compare=False)
    model: str = ""
    schema: Mapping[str, Any] | None = None

    def seed(self, attempt: int) -> int:
        """Another try is another draw: the same seed would say the same again."""
        return 1000 * self.draw + attempt


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model said.

    Attributes:
        text: the answer; one that calls tools is in the form of :class:`harness.Answer`.
        tries: how often it was asked until then.
        finish: why the answer ends, in the server's words (``stop``, ``length``); empty: not said.
        prompt_tokens, answer_tokens: as the server counts them; None: not said.
        served: the model's name in the server's words, which may be more exact than the name that
            was asked for; empty: not said.
    """

    text: str
    tries: int = 1
    finish: str = ""
    prompt_tokens: int | None = None
    answer_tokens: int | None = None
    served: str = ""


def reply_key(asked: Any) -> str:
    """The name of what was asked, a JSON value."""
    return digest([SCHEMA, asked])


class KeptReplies:
    """A folder of answers."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get(self, key: str) -> Reply | None:
        """The answer; None if there is none that can be used."""
        try:
            document = read_json(self._path(key))
            if document["schema"] == SCHEMA and document["key"] == key:
                reply: Reply = from_json(Reply, document["reply"])
                return reply
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            pass
        return None

    def put(self, key: str, reply: Reply, model: str, *, durable: bool = True) -> None:
        """Keep an answer; the file is there whole or not at all.

        Args:
            durable: False: one that costs nothing may be lost where the machine itself ends.
        """
        document = {"schema": SCHEMA, "key": key, "model": model, "reply": to_json(reply)}
        write_bytes(self._path(key), canonical(storable_json(document)) + b"\n", durable=durable)

    def _path(self, key: str) -> Path:
        return inside(self.folder, key[:2], f"{key}.json")
