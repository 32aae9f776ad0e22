"""The store ``sample``."""

from __future__ import annotations

import harness


class Sample(harness.Store):
    """Keeps objects in this process's memory. Put your own service in its place."""

    name = "sample"
    schemes = ("sample",)

    def __init__(self, options: harness.Store.Options) -> None:
        super().__init__(options)
        self._objects: dict[str, bytes] = {}

    def get(self, key: str) -> bytes | None:
        return self._objects.get(key)

    def put(self, key: str, data: bytes) -> None:
        self._objects[key] = data

    def create(self, key: str, data: bytes) -> bool:
        return self._objects.setdefault(key, data) == data

    def delete(self, key: str) -> None:
        self._objects.pop(key, None)

    def below(self, key: str) -> list[str]:
        head = f"{key}/"
        below = [name for name in self._objects if name.startswith(head)]
        return sorted({name.removeprefix(head).split("/")[0] for name in below})


@harness.hookimpl
def register_stores() -> list[type[harness.Store]]:
    return [Sample]
