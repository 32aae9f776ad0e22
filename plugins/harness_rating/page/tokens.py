"""Raters' secret links: which token stands for whom."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from harness import DataError
from harness.kit import files
from harness.kit.files import sync_folder
from harness.kit.inside import inside
from harness_rating.batches.records import Batch

FILE = "tokens.json"
LINK = re.compile(r"/in/(?P<token>[A-Za-z0-9_-]{43})")


@dataclass(frozen=True, slots=True)
class Seat:
    """One rater's place at one batch: what a token stands for."""

    batch: str
    rater: str


class Tokens:
    """The seats, each under its token; compared in a time that tells nothing.

    Args:
        seats: token -> seat.
    """

    def __init__(self, seats: Mapping[str, Seat]) -> None:
        self._seats = [(_hashed(token), seat) for token, seat in seats.items()]

    def seat(self, token: str) -> Seat | None:
        """The seat of a token, or None. Every known token is compared, always in full."""
        hashed, match = _hashed(token), None
        for known, seat in self._seats:
            if hmac.compare_digest(known, hashed):
                match = seat
        return match


def _hashed(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def seats(folder: Path, batches: Iterable[Batch]) -> dict[str, Seat]:
    """Token -> seat for every rater of these batches.

    Tokens are drawn once and kept in ``<folder>/<batch>/tokens.json``, which only its owner can
    read, so that links still work when the server starts again. Who removes that file makes all
    old links of the batch void.

    Raises:
        DataError: the file is damaged.
    """
    by_token: dict[str, Seat] = {}
    for batch in batches:
        path = inside(folder, batch.name, FILE)
        if not path.exists():
            _publish(path, {rater: secrets.token_urlsafe(32) for rater in batch.raters})
        by_token |= {token: Seat(batch.name, rater) for rater, token in _read(path).items()}
    return by_token


def _publish(path: Path, drawn: Mapping[str, str]) -> None:
    """Make the file of the tokens, whole, unless another server has made it meanwhile."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(json.dumps(drawn, indent=1) + "\n")
        stream.flush()
        files.fsync(stream.fileno())
    try:
        os.link(temporary, path)  # unlike a rename, it replaces nothing
    except FileExistsError:
        pass
    except OSError:  # a disk without links
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(path.parent)


def _read(path: Path) -> dict[str, str]:
    try:
        tokens = json.loads(path.read_bytes())
        if all(LINK.fullmatch(f"/in/{token}") for token in tokens.values()):
            return dict(tokens)
    except (ValueError, AttributeError):
        pass
    raise DataError(
        "this is no list of raters' tokens",
        where=str(path),
        hint="remove the file: new links are made, and the old ones end",
    )
