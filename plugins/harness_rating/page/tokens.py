"""Raters' secret links: which token stands for whom."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from harness import DataError
from harness.kit import files
from harness.kit.inside import inside
from harness.kit.serving.security import LINK
from harness_rating.batches.records import Batch

FILE = "tokens.json"


@dataclass(frozen=True, slots=True)
class Seat:
    """One rater's place at one batch: what a token stands for."""

    batch: str
    rater: str


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
            drawn = {rater: secrets.token_urlsafe(32) for rater in batch.raters}
            files.write_first(path, f"{json.dumps(drawn, indent=1)}\n".encode(), 0o600)
        by_token |= {token: Seat(batch.name, rater) for rater, token in _read(path).items()}
    return by_token


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
