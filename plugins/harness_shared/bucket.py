"""A store in a bucket, or behind any other URL that fsspec knows."""

from __future__ import annotations

import importlib
import os
import re
import tempfile
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import harness
from harness.errors.installing import install_extra
from harness.kit.waiting import Deadline, Late, Patience

PAUSES = (1.0, 3.0, 9.0, 27.0)
"""Seconds before further attempts at what failed for a moment."""
PATIENCE = 120.0
"""Seconds for one object, all attempts together, beside what its bytes take."""
SLOWEST = 256 << 10
"""Bytes a second that an object has to come or go at, on average, after that."""
LARGEST = 256 << 20
"""Bytes of an object that is read into memory: a state, a manifest, a line of a log."""
T = TypeVar("T")


class Bucket(harness.Store):
    """Any store that fsspec knows; the libraries find the credentials."""

    name = "bucket"
    schemes = ("*",)

    def __init__(self, options: Any) -> None:
        super().__init__(options)
        url = self.url
        scheme = urlsplit(url).scheme
        try:
            # Asked by who opens it: the user's own folder or config names it, whatever is in use.
            fsspec = importlib.import_module("fsspec")
            arguments: dict[str, Any] = {"use_listings_cache": False}
            if scheme in ("s3", "s3a") and "config_kwargs" not in fsspec.config.conf.get("s3", {}):
                # Tried again here alone: attempts of each layer would multiply the time that takes.
                once = {"total_max_attempts": 1}
                arguments["config_kwargs"] = {
                    "connect_timeout": 10, "read_timeout": 60, "retries": once,
                }  # fmt: skip
            self._files, self._root = fsspec.core.url_to_fs(url, **arguments)
            if hasattr(self._files, "retries"):
                self._files.retries = 1  # of s3fs: tried again here
        except ImportError:
            extra = "s3" if scheme in ("s3", "s3a") else ""
            hint = install_extra(extra) if extra else "install the package of fsspec that knows it"
            raise harness.StoreError(
                f"the package for stores at {scheme}:// is not installed", where=url, hint=hint
            ) from None
        except ValueError:
            raise harness.StoreError(
                f"no installed package keeps objects at {scheme}://, and fsspec knows no such URL",
                where=url,
                hint="install the package of the store; one that is named under `plugins:` alone "
                "is not found (harness docs store)",
            ) from None

    def get(self, key: str) -> bytes | None:
        def read(meter: _Meter) -> bytes:
            with tempfile.TemporaryDirectory(prefix="harness-") as folder:
                path = Path(folder) / "object"
                self._files.get_file(self._path(key), str(path), callback=meter.callback())
                return path.read_bytes()

        return self._try(read, key, most=LARGEST)

    def fetch(self, key: str, path: Path) -> bool:
        # An attempt that was given up may write on, and has a file of its own.
        temporary = path.with_name(f".{uuid.uuid4().hex}.tmp")

        def copy(meter: _Meter) -> None:
            self._files.get_file(self._path(key), str(temporary), callback=meter.callback())

        try:
            if not self._done(copy, key):
                return False
            os.replace(temporary, path)
            return True
        finally:
            temporary.unlink(missing_ok=True)

    def put(self, key: str, data: bytes) -> None:
        self._written(lambda _: self._files.pipe_file(self._path(key), data), key, len(data))

    def send(self, key: str, path: Path) -> None:
        with harness.storing(path):
            size = path.stat().st_size
        self._written(lambda _: self._files.put_file(str(path), self._path(key)), key, size)

    def create(self, key: str, data: bytes) -> bool:
        def piped(_: _Meter) -> None:
            self._files.pipe_file(self._path(key), data, mode="create")

        try:
            self._written(piped, key, len(data))
        except FileExistsError:
            # An attempt whose answer was lost may have put it there.
            return self.get(key) == data
        return True

    def delete(self, key: str) -> None:
        self._try(lambda _: self._files.rm_file(self._path(key)), key)

    def below(self, key: str) -> list[str]:
        paths = self._try(lambda _: self._files.ls(self._path(key), detail=False), key)
        return sorted(path.rstrip("/").rsplit("/", 1)[-1] for path in paths or [])

    def _path(self, key: str) -> str:
        return f"{self._root.rstrip('/')}/{key}"

    def _written(self, do: Callable[[_Meter], object], key: str, size: int) -> None:
        if not self._done(do, key, size):
            raise self._refused(key, "there is no such bucket or folder")

    def _done(self, do: Callable[[_Meter], object], key: str, size: int = 0) -> bool:
        """Do it; False where there is no such object."""

        def done(meter: _Meter) -> bool:
            do(meter)
            return True

        return self._try(done, key, size=size) is not None

    def _try(
        self, do: Callable[[_Meter], T], key: str, *, size: int = 0, most: int | None = None
    ) -> T | None:
        """What ``do`` gives; None where there is no such object. Again where that may help.

        Args:
            size: bytes that are sent.
            most: bytes that may come; None: any number.

        Raises:
            FileExistsError: there is one already.
            StoreError: anything else.
        """
        meter = _Meter(
            Deadline(PATIENCE + size / SLOWEST), Patience(f"the store at {self.url}"), most
        )
        late = f"it has not given or taken the whole object within {PATIENCE:g} s"
        for pause in (*PAUSES, None):
            try:
                return _timely(lambda: do(meter), meter)
            except FileExistsError:
                raise
            except Late:
                raise self._refused(key, late) from None
            except _TooLarge:
                what = f"it gives over {LARGEST >> 20} MiB where a small file is wanted"
                raise self._refused(key, what, "nothing of the harness is so large") from None
            except FileNotFoundError as error:
                if _code(error) == "NoSuchBucket":
                    raise self._refused(key, "there is no such bucket") from None
                return None
            except Exception as error:
                words = _code(error) or type(error).__name__
                why, hint, passing = _trouble(error, words)
                if pause is None or not passing:
                    raise self._refused(key, why, hint) from None
            time.sleep(pause)
        raise AssertionError

    def _refused(self, key: str, why: str, hint: str = "") -> harness.StoreError:
        return harness.StoreError(
            f"{why} (at {key})",
            where=self.url,
            hint=hint
            or "what is finished is kept here; once the store can be used the same command goes on",
        )


class _TooLarge(Exception):
    """More comes than may."""


class _Meter:
    """Counts what comes of an object, which buys it time and is limited.

    Args:
        most: bytes of one attempt; None: any number.
    """

    def __init__(self, deadline: Deadline, patience: Patience, most: int | None) -> None:
        self.deadline, self.patience, self._most = deadline, patience, most

    def callback(self) -> Any:
        """What fsspec tells of an attempt; what it raises ends the attempt."""
        from fsspec.callbacks import Callback

        come = 0

        def check(size: int | None) -> None:
            if self._most is not None and size is not None and size > self._most:
                raise _TooLarge

        class Told(Callback):  # type: ignore[misc]
            def set_size(_, size: int | None) -> None:
                check(size)

            def relative_update(_, inc: int = 1) -> None:
                nonlocal come
                come += inc
                check(come)
                self.deadline.left()
                self.deadline.extend(inc / SLOWEST)
                self.patience.heard()

        return Told()


def _timely(do: Callable[[], T], meter: _Meter) -> T:
    """What ``do`` gives in a thread of its own, which is left alone after the deadline.

    Raises:
        Late: it gives nothing.
    """
    ended, results, errors = threading.Event(), list[T](), list[BaseException]()
    meter.deadline.left()

    def work() -> None:
        try:
            results.append(do())
        except BaseException as error:
            errors.append(error)
        finally:
            ended.set()

    threading.Thread(target=work, name="harness-store", daemon=True).start()
    while not ended.wait(min(1.0, meter.deadline.left())):
        meter.patience.look()
    if errors:
        raise errors[0]
    return results[0]


def _code(error: BaseException) -> str:
    """The code by which a server said what is wrong; empty where it said none."""
    seen: BaseException | None = error
    while seen is not None:
        response = getattr(seen, "response", None)
        if isinstance(response, dict):
            code = response.get("Error", {}).get("Code", "")
            return str(code) if re.fullmatch(r"\w{1,60}", str(code)) else ""
        seen = seen.__cause__ or seen.__context__
    return ""


def _trouble(error: BaseException, words: str) -> tuple[str, str, bool]:
    """Why, what to do, and whether it may pass by itself."""
    if words in ("NoCredentialsError", "PartialCredentialsError", "TokenRetrievalError"):
        hint = "give them as for other programs: AWS_PROFILE, ~/.aws, a role of the machine"
        return "no credentials are found", hint, False
    if isinstance(error, PermissionError):
        hint = (
            "who uses the store has to read, write and list it: without the right to list "
            "(s3:ListBucket) a missing object cannot be told from a forbidden one"
        )
        return f"access is refused ({words})", hint, False
    if words in ("InvalidBucketName", "ParamValidationError", "NoSuchBucket", "InvalidRegionName"):
        return f"this is no name of a bucket that there is ({words})", "", False
    return f"it does not answer as it should ({words})", "", True
