"""What a split is called elsewhere, in names of files and in columns."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from harness import SPLITS

SPLIT_NAMES = {
    **{name: name for name in SPLITS}, "training": "train", "validation": "dev", "val": "dev",
    "development": "dev", "devel": "dev", "eval": "dev", "evaluation": "dev", "testing": "test",
}  # fmt: skip
"""Name elsewhere -> name here."""


def with_dev(splits: Sequence[str]) -> list[str]:
    """The splits of files or lists, in which `valid` is dev where no other one is."""
    if "dev" in splits:
        return list(splits)
    return ["dev" if split == "valid" else split for split in splits]


def split_of(path: Path) -> str:
    """The split that a file's name (``squad-train-v1.json``) or its folder says, or empty."""
    for part in (path.stem, *reversed(path.parent.parts)):
        words = re.split(r"[^a-z]+", part.casefold())
        splits = {SPLIT_NAMES[word] for word in words if word in SPLIT_NAMES}
        if len(splits) == 1:
            return splits.pop()
    return ""
