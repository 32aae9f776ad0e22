"""The store that several machines and people share: whole objects by key, behind one URL.

How they are kept is said by a plugin (:class:`harness.Store`); here is which store a working folder
belongs to, and by which keys its objects are known.

A working folder belongs to one store at most. The first run with ``execution.store`` writes down
which; from then on all that is done in the folder uses it, also where a config names none, until a
config or ``harness pull --store`` names another one.
"""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from harness.config.finding import FILE_NAME
from harness.config.settings import store_url
from harness.errors import UsageError
from harness.kit import gate, own, yaml_file
from harness.kit.files import read_json, write_json
from harness.registry import Registry
from harness.run.places import MACHINE_FOLDER
from harness.stages.store import Store, StoreError, probe

FILE = "store.json"
"""In the machine's folder: which store the working folder belongs to."""


def opened(url: str) -> Store:
    """The store at a URL; nothing is asked of it yet.

    Raises:
        StoreError: a package is missing.
    """
    return _opened(url, os.getpid())


@functools.lru_cache(maxsize=8)
def _opened(url: str, process: int) -> Store:
    """One for each process: connections do not go through a fork."""
    scheme = urlsplit(url).scheme
    plugins = [provider.plugin for provider in Registry.build().of_stage(Store.stage).values()]
    for wanted in (scheme, "*"):
        for plugin in plugins:
            if issubclass(plugin, Store) and wanted in plugin.schemes:
                return plugin(plugin.Options(url=url))
    raise StoreError(
        f"no installed package keeps objects at {scheme}://",
        where=url,
        hint="harness plugins --stage store lists those that there are",
    )


def tried(url: str) -> Store:
    """The store at a URL, tried out once in each process.

    Raises:
        StoreError: it cannot be used.
    """
    _probed(url, os.getpid())
    return opened(url)


@functools.cache
def _probed(url: str, process: int) -> None:
    probe(opened(url))


def attach(machine: Path, url: str | None) -> Store | None:
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


def of(machine: Path) -> Store | None:
    """The store that a working folder belongs to; None: it has its own artifacts alone."""
    url = _url_of(machine)
    return None if url is None else opened(url)


def meant(url: str | None = None) -> Store:
    """The store at a URL, or the one that this folder belongs to, or that ./harness.yaml names.

    Raises:
        UsageError: there is none, or this is no URL of one.
        StoreError: it cannot be used.
        Untrusted: somebody else has noted the store, or named it in the config.
    """
    if url is not None:
        return tried(_valid(url, "--store"))
    of_folder = of(Path(MACHINE_FOLDER))
    if of_folder is not None:
        return tried(of_folder.url)
    if Path(FILE_NAME).is_file():
        execution = yaml_file.read(Path(FILE_NAME))[0].get("execution")
        own.put_to_use(Path(FILE_NAME))
        if isinstance(execution, dict) and isinstance(execution.get("store"), str):
            url = _valid(execution["store"], f"{FILE_NAME}: execution.store")
            return tried(gate.reach(url, by="harness pull"))
    raise UsageError(
        "this folder belongs to no store", hint="harness pull RUN --store s3://bucket/prefix"
    )


def _valid(url: str, where: str) -> str:
    try:
        return str(store_url(url))
    except ValueError as error:
        raise UsageError(f"{where}: {error}") from None


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


def numbered(store: Store, prefix: str, after: int = 0) -> Iterator[tuple[int, bytes]]:
    """The objects ``prefix/1``, ``prefix/2``, … after a number, until there is none."""
    number = after + 1
    while (data := store.get(number_key(prefix, number))) is not None:
        yield number, data
        number += 1


def file_key(sha256: str) -> str:
    """Of a file's content."""
    return f"files/{sha256[:2]}/{sha256}"


def number_key(prefix: str, number: int) -> str:
    return f"{prefix}/{number:08d}"


def last_number(store: Store, prefix: str, known: int = 0) -> int:
    """The highest number below a prefix, found by doubling and halving; 0: there is none.

    Args:
        known: a number that was there once.
    """

    def there(number: int) -> bool:
        return store.get(number_key(prefix, number)) is not None

    low, step = (known, 1) if known and there(known) else (0, 1)
    while there(low + step):
        low, step = low + step, step * 2
    high = low + step
    # Number `low` is there, and `high` is not.
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if there(middle) else (low, middle)
    return low
