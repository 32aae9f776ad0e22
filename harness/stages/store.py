"""The kind of plugin that keeps what several machines and people share."""

from __future__ import annotations

import functools
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from harness.errors import EnvironmentFailure, PluginError
from harness.errors.machine import storing
from harness.kit.files import digest, write_bytes
from harness.kit.options import Options
from harness.kit.text import given
from harness.stages.base import Plugin


class StoreError(EnvironmentFailure):
    """The shared store cannot be used. Says nothing that a library said: that may hold keys."""


class Store(Plugin):
    """Keeps whole objects by key, behind one URL, for all working folders that belong to it.

    Objects are known by their content, or numbered, and whoever creates a number first has it.
    Written again are the heartbeat of a run's driver, and the manifest of a stage that was made
    anew; deleted is what turns out to be damaged. Nothing is ever listed while a run is at work.
    Several threads call it at once.

    Attributes:
        schemes: of the URLs that it opens, such as ``("s3",)``; ``("*",)``: of all that no other
            plugin names.
    """

    stage = "store"
    schemes: ClassVar[Sequence[str]] = ()

    class Options(Options):
        url: str = Field(description="where the objects are, without credentials")

    def __init__(self, options: Any) -> None:
        super().__init__(options)
        self.url: str = options.url

    @functools.cached_property
    def id(self) -> str:
        """By which something local says to which store it belongs."""
        return digest(self.url)[:16]

    def get(self, key: str) -> bytes | None:
        """The object; None: there is none.

        Raises:
            harness.StoreError: nobody can say.
        """
        raise NotImplementedError

    def put(self, key: str, data: bytes) -> None:
        """Put an object whole, in the place of another one of that key."""
        raise NotImplementedError

    def create(self, key: str, data: bytes) -> bool:
        """Put an object where there is none; whether this is the one that is there now.

        So it gives True for equal bytes, too: an attempt whose answer was lost is made again.
        """
        raise NotImplementedError

    def delete(self, key: str) -> None:
        """Nothing happens where there is none."""
        raise NotImplementedError

    def below(self, key: str) -> list[str]:
        """The names directly below a key, sorted. For people who look: no run lists anything."""
        raise NotImplementedError

    def fetch(self, key: str, path: Path) -> bool:
        """Write an object to a file; whether there is one. Optional: for objects that are too large
        for the memory."""
        data = self.get(key)
        if data is not None:
            write_bytes(path, data)
        return data is not None

    def send(self, key: str, path: Path) -> None:
        """Put what a file holds. Optional, likewise."""
        with storing(path):
            data = path.read_bytes()
        self.put(key, data)


def probe(store: Store) -> None:
    """Create one key twice.

    Raises:
        StoreError: the store cannot be used, or accepts both.
    """
    if _created_twice(store) != ((True, False), b"first"):
        raise StoreError(
            "this store lets one key be created twice, so that two people could open a test "
            "set and count as one",
            where=store.url,
            hint="take one with conditional writes (`If-None-Match`), or a folder that all see; "
            "in a store of your own create() gives False where another object is there",
        )


def _created_twice(store: Store) -> tuple[tuple[bool, bool], bytes | None]:
    """What two creations of one key give, and the object that is there then."""
    key = f"probe/{uuid.uuid4().hex}"
    created = store.create(key, b"first"), store.create(key, b"second")
    there = store.get(key)
    store.delete(key)
    return created, there


def exercise_store(store: Store) -> list[str]:
    """Put an object, replace it, look for it, and take it away; then create it twice."""
    key = f"probe/{uuid.uuid4().hex}/object"
    head, _, name = key.rpartition("/")
    for data in (b"first", b"second"):
        store.put(key, data)
        if (there := store.get(key)) != data:
            raise PluginError(f"get() gives {given(there)} where {given(data)} was put")
    listed = store.below(head)
    store.delete(key)
    store.delete(key)
    if listed != [name]:
        raise PluginError(f"below() gives {given(listed)} where ['{name}'] is due")
    if store.get(key) is not None:
        raise PluginError("get() gives an object that was deleted")
    again = store.create(key, b"equal") and store.create(key, b"equal")
    store.delete(key)
    if not again:
        raise PluginError("create() gives False for an object that is there with equal bytes")
    created, there = _created_twice(store)
    if created != (True, False) or there != b"first":
        raise PluginError(f"create() gives {created} for one key, where (True, False) is due")
    return listed
