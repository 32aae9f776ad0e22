"""The store that several machines and people share: whole objects by key, behind one URL.

A key is written once, with one exception (the heartbeat of a run's driver): objects are known by
their content, or numbered, and whoever creates a number first has it. Nothing is ever listed while
a run is at work.

A working folder belongs to one store at most. The first run with ``execution.store`` writes down
which; from then on all that is done in the folder uses it, also where a config names none, until a
config or ``harness pull --store`` names another one.
"""

from __future__ import annotations

import functools
import importlib
import os
import re
import shutil
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, unquote, urlsplit

from harness.config.settings import store_url
from harness.errors import EnvironmentFailure
from harness.errors.machine import storing
from harness.kit import gate, own
from harness.kit.files import digest, fsync, read_json, remove, sync_folder, write_bytes, write_json
from harness.kit.installing import install_extra
from harness.kit.waiting import Deadline, Late, Patience

FILE = "store.json"
"""In the machine's folder: which store the working folder belongs to."""
PAUSES = (1.0, 3.0, 9.0, 27.0)
"""Seconds before further attempts at what failed for a moment."""
PATIENCE = 120.0
"""Seconds for one object, all attempts together, beside what its bytes take."""
SLOWEST = 256 << 10
"""Bytes a second that an object has to come or go at, on average, after that."""
LARGEST = 256 << 20
"""Bytes of an object that is read into memory: a state, a manifest, a line of a log."""
T = TypeVar("T")


class StoreError(EnvironmentFailure):
    """The shared store cannot be used. Says nothing that a library said: that may hold keys."""


class Objects:
    """The objects below one URL.

    Attributes:
        url: without credentials.
    """

    def __init__(self, url: str) -> None:
        self.url = url

    @functools.cached_property
    def name(self) -> str:
        """Of the store, where something local says to which it belongs."""
        return digest(self.url)[:16]

    def get(self, key: str) -> bytes | None:
        """The object; None: there is none.

        Raises:
            StoreError: nobody can say.
        """
        raise NotImplementedError

    def fetch(self, key: str, path: Path) -> bool:
        """Write an object to a file; whether there is one."""
        raise NotImplementedError

    def put(self, key: str, data: bytes) -> None:
        """Put an object whole, in the place of another one of that key."""
        raise NotImplementedError

    def send(self, key: str, path: Path) -> None:
        """The same with what a file holds."""
        raise NotImplementedError

    def create(self, key: str, data: bytes) -> bool:
        """Put an object where there is none; whether this is the one that is there now."""
        raise NotImplementedError

    def delete(self, key: str) -> None:
        """Nothing happens where there is none."""
        raise NotImplementedError

    def below(self, key: str) -> list[str]:
        """The names directly below a key, sorted. For people who look: no run lists anything."""
        raise NotImplementedError

    def probe(self) -> None:
        """Create one key twice.

        Raises:
            StoreError: it cannot be used, or accepts both.
        """
        key = f"probe/{uuid.uuid4().hex}"
        first, second = self.create(key, b"first"), self.create(key, b"second")
        data = self.get(key)
        self.delete(key)
        if not first or second or data != b"first":
            raise StoreError(
                "this store lets one key be created twice, so that two people could open a test "
                "set and count as one",
                where=self.url,
                hint="take one with conditional writes (`If-None-Match`), or a folder that all see",
            )


class Folder(Objects):
    """A folder that all machines see; it is not made: a disk that is not mounted looks like one."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._root = Path(unquote(urlsplit(url).path))

    def get(self, key: str) -> bytes | None:
        return self._try(lambda path: path.read_bytes(), key)

    def fetch(self, key: str, path: Path) -> bool:
        return self._try(lambda source: shutil.copyfile(source, path), key) is not None

    def put(self, key: str, data: bytes) -> None:
        self._try(lambda path: write_bytes(path, data), key)

    def send(self, key: str, path: Path) -> None:
        # What is not here is no object that is not there.
        with storing(path), path.open("rb") as source:

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
            raise StoreError("there is no such folder", where=self.url, hint=hint)
        try:
            return do(self._root / key)
        except (FileExistsError, FileNotFoundError) as error:
            if isinstance(error, FileExistsError):
                raise
            return None
        except OSError as error:
            raise StoreError(
                f"{os.strerror(error.errno or 5)} (at {key})",
                where=self.url,
                hint="what is finished is kept here; then the same command goes on",
            ) from None


class Bucket(Objects):
    """Any store that fsspec knows; the libraries find the credentials."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        scheme = urlsplit(url).scheme
        try:
            # Asked by who opens it: the user's own folder or config names it, whatever is in use.
            fsspec = importlib.import_module("fsspec")
            options: dict[str, Any] = {"use_listings_cache": False}
            if scheme in ("s3", "s3a") and "config_kwargs" not in fsspec.config.conf.get("s3", {}):
                # Tried again here alone: attempts of each layer would multiply the time that takes.
                once = {"total_max_attempts": 1}
                options["config_kwargs"] = {
                    "connect_timeout": 10, "read_timeout": 60, "retries": once,
                }  # fmt: skip
            self._files, self._root = fsspec.core.url_to_fs(url, **options)
            if hasattr(self._files, "retries"):
                self._files.retries = 1  # of s3fs: tried again here
        except ImportError:
            extra = "s3" if scheme in ("s3", "s3a") else ""
            hint = install_extra(extra) if extra else "install the package of fsspec that knows it"
            raise StoreError(
                f"the package for stores at {scheme}:// is not installed", where=url, hint=hint
            ) from None
        except ValueError:
            raise StoreError(f"fsspec knows no store at {scheme}://", where=url) from None

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
        with storing(path):
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

    def _refused(self, key: str, why: str, hint: str = "") -> StoreError:
        return StoreError(
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


def opened(url: str) -> Objects:
    """The store at a URL; nothing is asked of it yet.

    Raises:
        StoreError: a package is missing.
    """
    return _opened(url, os.getpid())


@functools.lru_cache(maxsize=8)
def _opened(url: str, process: int) -> Objects:
    """One for each process: connections do not go through a fork."""
    return Folder(url) if urlsplit(url).scheme == "file" else Bucket(url)


def tried(url: str) -> Objects:
    """The store at a URL, tried out once in each process.

    Raises:
        StoreError: it cannot be used.
    """
    _probed(url, os.getpid())
    return opened(url)


@functools.cache
def _probed(url: str, process: int) -> None:
    opened(url).probe()


def attach(machine: Path, url: str | None) -> Objects | None:
    """Have the working folder belong to a store that can be used.

    Args:
        machine: the folder of all runs.
        url: None: the store that it belongs to, if any.

    Raises:
        StoreError: it cannot be used.
        Untrusted: somebody else has noted the store, or named it in a config.
    """
    try:
        present = _url_of(machine)
    except gate.Untrusted:
        if url is None:
            raise
        present = None
    url = url or present
    if url is None:
        return None
    if url != present:
        gate.reach(url, by="the shared store")
    store = tried(url)
    if url != present:
        file = machine / FILE
        write_json(file, {"schema": 1, "store": url, "signature": own.signed(file, url)})
    return store


def of(machine: Path) -> Objects | None:
    """The store that a working folder belongs to; None: it has its own artifacts alone."""
    url = _url_of(machine)
    return None if url is None else opened(url)


def _url_of(machine: Path) -> str | None:
    """The URL that the folder notes.

    Raises:
        Untrusted: somebody else has noted it.
        StoreError: it cannot be read.
    """
    file = machine / FILE
    try:
        noted = read_json(file)
        url = str(store_url(noted["store"]))
        if gate.is_trusting() or own.is_signed(file, url, noted.get("signature")):
            return url
        raise gate.refuse(
            f"the store {url} is not asked", str(file), "a folder that was not tied to it here"
        )
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        raise StoreError(
            "which store this folder belongs to cannot be read",
            where=str(machine / FILE),
            hint="remove the file, and give the store in the config",
        ) from None


def as_part(name: str) -> str:
    """A name that may hold anything as one part of a key."""
    return quote(name, safe=" ").replace(" ", "+").replace(".", "%2E")


def as_name(part: str) -> str:
    """The name that :func:`as_part` was given."""
    return unquote(part.replace("+", " "))


def is_digest(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch("[0-9a-f]{64}", value) is not None


def numbered(objects: Objects, prefix: str, after: int = 0) -> Iterator[tuple[int, bytes]]:
    """The objects ``prefix/1``, ``prefix/2``, … after a number, until there is none."""
    number = after + 1
    while (data := objects.get(number_key(prefix, number))) is not None:
        yield number, data
        number += 1


def file_key(sha256: str) -> str:
    """Of a file's content."""
    return f"files/{sha256[:2]}/{sha256}"


def number_key(prefix: str, number: int) -> str:
    return f"{prefix}/{number:08d}"


def last_number(objects: Objects, prefix: str, known: int = 0) -> int:
    """The highest number below a prefix, found by doubling and halving; 0: there is none.

    Args:
        known: a number that was there once.
    """

    def there(number: int) -> bool:
        return objects.get(number_key(prefix, number)) is not None

    low, step = (known, 1) if known and there(known) else (0, 1)
    while there(low + step):
        low, step = low + step, step * 2
    high = low + step
    # Number `low` is there, and `high` is not.
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if there(middle) else (low, middle)
    return low
