"""Which runs, stores and configs are one's own: those that this user has put to use here.

A signature is a keyed digest (HMAC-SHA256) by a key that lies in the user's own folder, where no
project, run or store brings anything. What was signed is known again; what a run's own files claim
counts for nothing. A signature holds for its place: a copy elsewhere is not one's own.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from harness.errors import DataError
from harness.kit import gate
from harness.kit.files import made_once, read_json, write_json

MACHINE_FOLDER = ".harness"
SIGNATURE = "own.sig"
PULLED = "pulled.json"


def put_to_use(config: Path) -> None:
    """Close the gate where a config file is not the user's own: that of a run that was not begun
    here, or one as a store has brought it."""
    path = Path(os.path.abspath(config))
    if MACHINE_FOLDER in path.parts[:-1]:
        if not is_own_run(path.parent, path):
            gate.close(f"the run {path.parent.name}, which was not begun here")
    elif is_pulled(path):
        gate.close(f"{config}, which was pulled from a store")


def note_run(folder: Path, config: Path) -> None:
    """This user has begun the run in that folder, or goes on with it, by this config file of it.

    Nothing is noted while somebody else's config is in use (:func:`harness.kit.gate.closed_for`).
    """
    if not gate.closed_for():
        with contextlib.suppress(OSError):  # without one it is looked at as a stranger's
            (folder / SIGNATURE).write_text(_signature(folder / SIGNATURE, config.read_bytes()))


def is_own_run(folder: Path, config: Path) -> bool:
    """Whether this user has begun the run in that folder here, by the config file as it is."""
    try:
        noted = (folder / SIGNATURE).read_text("ascii").strip()
        return hmac.compare_digest(noted, _signature(folder / SIGNATURE, config.read_bytes()))
    except (OSError, ValueError):
        return False


def signed(place: Path, text: str) -> str:
    """The signature of a text that stands in the file at ``place``; empty if none can be made."""
    try:
        return "" if gate.closed_for() else _signature(place, text.encode())
    except OSError:
        return ""


def is_signed(place: Path, text: str, signature: object) -> bool:
    """Whether this user has put that text there."""
    try:
        return isinstance(signature, str) and hmac.compare_digest(
            signature, _signature(place, text.encode())
        )
    except (OSError, ValueError, TypeError):
        return False


def note_pulled(machine: Path, digests: dict[str, str]) -> None:
    """Remember files of the project that a store has brought: path below it -> sha256."""
    write_json(machine / PULLED, {**_pulled(machine), **digests})


def adopt(config: Path | None) -> None:
    """A config that a store has brought is the user's own from now on, if they trust it."""
    if gate.is_trusting() and config is not None:
        for machine, name in _places(config):
            if name in (digests := _pulled(machine)):
                del digests[name]
                write_json(machine / PULLED, digests)


def is_pulled(file: Path) -> bool:
    """Whether a file is as a store has brought it to a folder that it lies below, whichever folder
    one works in. One that was edited since is the user's."""
    try:
        noted = [_pulled(machine).get(name) for machine, name in _places(file)]
        return any(noted) and hashlib.sha256(file.read_bytes()).hexdigest() in noted
    except OSError:
        return False


def _places(file: Path) -> Iterator[tuple[Path, str]]:
    """The folder of runs of each folder above a file, and the file's path below that one."""
    path = file.resolve()
    for folder in path.parents:
        yield folder / MACHINE_FOLDER, path.relative_to(folder).as_posix()


def _pulled(machine: Path) -> dict[str, str]:
    """Digests of the files that a store has brought, by path.

    Raises:
        DataError: they are not known.
    """
    try:
        digests = read_json(machine / PULLED)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError):
        digests = None
    if isinstance(digests, dict):
        return digests
    raise DataError(
        "which files a store has brought is not known: this file is damaged",
        where=str(machine / PULLED),
        hint="read what lies in the folder, then remove this file: all of it counts as yours",
    )


def _bound_to(place: Path) -> bytes:
    return os.fsencode(os.path.realpath(place))


def _signature(place: Path, content: bytes) -> str:
    message = _bound_to(place) + b"\0" + hashlib.sha256(content).digest()
    return hmac.new(_key(), message, hashlib.sha256).hexdigest()


def _key() -> bytes:
    """The user's key, made at the first use.

    Raises:
        OSError: it cannot be written or read.
    """
    import platformdirs

    path = platformdirs.user_data_path("harness") / "own.key"
    # A part of a key is none: whoever can guess it forges signatures.
    return made_once(path, lambda key: len(key) == 32, lambda: secrets.token_bytes(32), 0o600)
