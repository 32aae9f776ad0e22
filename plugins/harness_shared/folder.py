"""A store in a folder that all machines see."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

import harness
from harness.kit.files import fsync, remove, sync_folder, write_bytes

T = TypeVar("T")


class Folder(harness.Store):
    """A folder that all machines see; it is not made: a disk that is not mounted looks like one."""

    name = "folder"
    schemes = ("file",)

    def __init__(self, options: Any) -> None:
        super().__init__(options)
        self._root = Path(unquote(urlsplit(self.url).path))

    def get(self, key: str) -> bytes | None:
        return self._try(lambda path: path.read_bytes(), key)

    def fetch(self, key: str, path: Path) -> bool:
        return self._try(lambda source: shutil.copyfile(source, path), key) is not None

    def put(self, key: str, data: bytes) -> None:
        self._try(lambda path: write_bytes(path, data), key)

    def send(self, key: str, path: Path) -> None:
        # What is not here is no object that is not there.
        with harness.storing(path), path.open("rb") as source:

            def copy(temporary: Path) -> None:
                with temporary.open("wb") as stream:
                    shutil.copyfileobj(source, stream, 2**20)

            self._placed(key, copy, os.replace)

    def create(self, key: str, data: bytes) -> bool:
        try:
            self._placed(key, lambda temporary: temporary.write_bytes(data), os.link)
        except FileExistsError:
            return self.get(key) == data
        return True

    def delete(self, key: str) -> None:
        self._try(remove, key)

    def below(self, key: str) -> list[str]:
        return sorted(self._try(os.listdir, key) or [])

    def _placed(
        self, key: str, write: Callable[[Path], object], place: Callable[[Path, Path], None]
    ) -> None:
        """Write a whole file beside its place, then put it there."""

        def placed(path: Path) -> None:
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary = path.with_name(f".{uuid.uuid4().hex}.tmp")
            try:
                write(temporary)
                with temporary.open("rb") as stream:
                    fsync(stream.fileno())
                place(temporary, path)
            finally:
                temporary.unlink(missing_ok=True)
            sync_folder(path.parent)

        self._try(placed, key)

    def _try(self, do: Callable[[Path], T], key: str) -> T | None:
        if not self._root.is_dir():
            hint = "make the folder first, or mount it"
            raise harness.StoreError("there is no such folder", where=self.url, hint=hint)
        try:
            return do(self._root / key)
        except (FileExistsError, FileNotFoundError) as error:
            if isinstance(error, FileExistsError):
                raise
            return None
        except OSError as error:
            raise harness.StoreError(
                f"{os.strerror(error.errno or 5)} (at {key})",
                where=self.url,
                hint="what is finished is kept here; then the same command goes on",
            ) from None
