"""The user-level cache of models: folders that a manifest vouches for."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from harness.kit.files import file_digest

MANIFEST = "manifest.json"


def cache_folder() -> Path:
    """``$HARNESS_CACHE``, or the platform's cache folder for this user."""
    chosen = os.environ.get("HARNESS_CACHE")
    if chosen:
        return Path(chosen)
    import platformdirs

    return platformdirs.user_cache_path("harness")


def content(folder: Path) -> dict[str, str]:
    """Relative name -> sha256 of every file (the manifest and the hub's notes aside)."""
    return {
        path.relative_to(folder).as_posix(): file_digest(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and path.name != MANIFEST
        and ".cache" not in path.relative_to(folder).parts
    }


def digest(files: dict[str, str]) -> str:
    """One digest for the content of a model's folder."""
    return hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()


def verified(folder: Path) -> str | None:
    """The folder's digest if it is exactly what its manifest says, else None."""
    try:
        files: dict[str, str] = json.loads((folder / MANIFEST).read_bytes())["files"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return digest(files) if files and content(folder) == files else None


def obtain(folder: Path, make: Callable[[Path], None]) -> str:
    """The digest of a cached folder, which is made first if it is not there or is damaged.

    It is made under a temporary name and renamed, the manifest last.
    """
    cached = verified(folder)
    if cached is not None:
        return cached
    temporary = folder.with_name(f".{folder.name}.{os.getpid()}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    try:
        make(temporary)
        files = content(temporary)
        (temporary / MANIFEST).write_text(json.dumps({"schema": 1, "files": files}, indent=1))
        shutil.rmtree(folder, ignore_errors=True)
        try:
            temporary.rename(folder)
        except OSError:
            if verified(folder) is None:  # else another process was faster
                raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return digest(files)
