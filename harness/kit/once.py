"""Parts of a work that are done once, however often the work is begun."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness.kit.files import digest, write_json

FOLDER = "parts"


def once(scratch: Path | None, name: str, make: Callable[[], Any]) -> Any:
    """What ``make()`` gives: a JSON value, kept in the scratch as soon as it is there.

    The next attempt at the same work finds it and does not call ``make``. A file that a crash has
    cut, or in which a bit has flipped, counts as none.

    Args:
        scratch: ``context.scratch``; None, as it is outside of a run: nothing is kept.
        name: of the part within the work: whatever tells its inputs from those of other parts.

    Raises:
        StorageError: the disk does not take it.
        TypeError, ValueError: it is no JSON value.
    """
    if scratch is None:
        return make()
    path = scratch / FOLDER / f"{digest(name)}.json"
    try:
        document = json.loads(path.read_bytes())
        if document["digest"] == digest(document["value"]):
            return document["value"]
    except (OSError, ValueError, KeyError, TypeError):
        pass
    value = json.loads(json.dumps(make(), allow_nan=False))  # as it comes out of the file
    path.parent.mkdir(exist_ok=True)
    write_json(path, {"value": value, "digest": digest(value)})
    return value
