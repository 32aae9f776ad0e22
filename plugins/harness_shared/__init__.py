"""Stores that machines and people share: a folder that all see, and any that fsspec knows."""

from __future__ import annotations

from collections.abc import Sequence

import harness
from harness_shared.bucket import Bucket
from harness_shared.folder import Folder


@harness.hookimpl
def register_stores() -> Sequence[type[harness.Store]]:
    return [Folder, Bucket]
