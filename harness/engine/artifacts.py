"""The store of finished stages: a folder for each key, vouched for by its manifest.

A stage is done if and only if its manifest is there and true. The manifest is written last,
inside the temporary folder, and the folder is renamed into place; so neither a kill nor a full
disk can leave half an artifact that looks whole.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors.machine import storing
from harness.kit.files import (
    digest,
    manifest_of,
    read_json,
    remove,
    sync_folder,
    sync_tree,
    write_bytes,
    write_json,
)
from harness.kit.lock import turn

MANIFEST = "manifest.json"
EMPTIED = "emptied"
"""Marks an artifact whose large files were removed on purpose; its digest and records stand."""
LOCK = ".lock"
SCHEMA = 1
_RECORDS = (".json", ".jsonl")
"""Files that stay in an emptied artifact: what reports are made of."""


@dataclass(frozen=True, slots=True)
class Artifact:
    """A finished stage.

    Attributes:
        digest: of the content of its files (names and sha256).
        facts: what the stage noted.
        seconds: how long it took when it was made.
        emptied: whether its large files are gone.
    """

    key: str
    path: Path
    digest: str
    facts: Mapping[str, Any]
    seconds: float
    emptied: bool = False


class Artifacts:
    """Artifacts below one folder.

    Attributes:
        damaged: a sentence for every artifact that was found broken and set aside.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.damaged: list[str] = []
        self._seen: dict[tuple[str, str], Artifact] = {}

    def folder(self, stage: str, key: str) -> Path:
        return self.root / stage / key[:24]

    def has(self, stage: str, key: str) -> bool:
        """Whether there is an artifact, unchecked."""
        return (self.folder(stage, key) / MANIFEST).is_file()

    def find(self, stage: str, key: str) -> Artifact | None:
        """The artifact if it is whole (every byte is checked once per process).

        A broken one is removed and named in :attr:`damaged`: it is never used.
        """
        if (stage, key) in self._seen:
            return self._seen[stage, key]
        artifact = self._whole(stage, self.folder(stage, key), key)
        if artifact is not None:
            self._seen[stage, key] = artifact
        return artifact

    def with_digest(self, stage: str, wanted: str) -> Artifact | None:
        """The whole artifact of that content, whatever its key; None if there is none."""
        for manifest in sorted((self.root / stage).glob(f"*/{MANIFEST}")):
            try:
                document = read_json(manifest)
                key, files = document["key"], document["files"]
            except (OSError, ValueError, KeyError, TypeError):
                continue
            if digest(files) == wanted:
                artifact = self._whole(stage, manifest.parent, key)
                if artifact is not None and artifact.digest == wanted:
                    return artifact
        return None

    def _whole(self, stage: str, folder: Path, key: str) -> Artifact | None:
        if not folder.exists():
            return None
        artifact, trouble = _verify(folder, key)
        if artifact is not None:
            return artifact
        with self._changing(stage):
            # Another process may have put a whole one there meanwhile.
            artifact, trouble = _verify(folder, key)
            if artifact is None and folder.exists():
                self.damaged.append(f"{stage} artifact {folder}: {trouble}; it is made again")
                remove(folder)
        return artifact

    @contextlib.contextmanager
    def _changing(self, stage: str) -> Iterator[None]:
        """Hold the store against other processes, for the time of a rename."""
        place = self.root / stage
        if not place.is_dir():
            place.mkdir(parents=True, exist_ok=True)
            sync_folder(self.root)
        with turn(self.root / LOCK):
            yield

    def publish(
        self,
        stage: str,
        key: str,
        work: Path,
        facts: Mapping[str, Any],
        seconds: float,
        *,
        replace: bool = False,
    ) -> Artifact:
        """Make the files in ``work`` the artifact of ``key``; ``work`` is moved away.

        Of two runs that make the same at the same time the first one's counts for both, unless a
        plugin had failed in it. One that makes way for another is kept beside it: a closed round
        of some run may rest on it.

        Args:
            replace: what is there makes way and is not kept.

        Raises:
            StorageError: the disk does not take it.
        """
        target = self.folder(stage, key)
        with storing(target):
            files = manifest_of(work)
            document = {
                "schema": SCHEMA,
                "stage": stage,
                "key": key,
                "files": files,
                "facts": dict(facts),
                "seconds": round(seconds, 3),
            }
            document["seal"] = digest(document)
            write_json(work / MANIFEST, document)
            sync_tree(work)
            with self._changing(stage):
                theirs = _verify(target, key)[0] if target.exists() else None
                stays = theirs is not None and not replace and not theirs.facts.get("failed")
                emptied = theirs is not None and theirs.emptied
                same = theirs is not None and theirs.digest == digest(files)
                unchanged = stays or (same and theirs is not None and theirs.facts == dict(facts))
                if theirs is not None and unchanged and not emptied:
                    remove(work)
                    self._seen[stage, key] = theirs
                    return theirs
                if theirs is not None and not replace and not (emptied and same):
                    aside = target.with_name(f"{target.name}-{theirs.digest[:12]}")
                    remove(aside)
                    os.replace(target, aside)
                remove(target)
                os.replace(work, target)
                sync_folder(target.parent)
        artifact = Artifact(key, target, digest(files), dict(facts), seconds)
        self._seen[stage, key] = artifact
        return artifact


def _verify(folder: Path, key: str) -> tuple[Artifact | None, str]:
    try:
        document = read_json(folder / MANIFEST)
        files, facts = document["files"], document["facts"]
        if document["schema"] != SCHEMA:
            return None, f"it has schema {document['schema']}, this version reads {SCHEMA}"
        if document.pop("seal", None) != digest(document):
            return None, "its manifest is not what was written"
        if document["key"] != key:
            return None, "it belongs to another stage (swapped)"
        found = manifest_of(folder)
    except (OSError, ValueError, KeyError, TypeError) as error:
        return None, f"its manifest cannot be read ({type(error).__name__})"
    found.pop(MANIFEST, None)
    emptied = found.pop(EMPTIED, None) is not None
    expected = {name for name in files if not emptied or name in found or _is_record(name)}
    wrong = sorted(name for name in {*expected, *found} if files.get(name) != found.get(name))
    if wrong:
        return None, f"not what was written: {', '.join(wrong[:3])}"
    return Artifact(key, folder, digest(files), facts, float(document["seconds"]), emptied), ""


def _is_record(name: str) -> bool:
    return name.endswith(_RECORDS)


def large_files(folder: Path) -> list[Path]:
    """What :func:`empty` removes of an artifact: weights, above all. No link is followed."""
    found = (Path(top, name) for top, _, names in os.walk(folder) for name in names)
    return sorted(path for path in found if not _is_record(path.name) and path.name != EMPTIED)


def empty(folder: Path) -> None:
    """Remove an artifact's large files. The mark comes first: a kill leaves it whole or emptied."""
    write_bytes(folder / EMPTIED, b"")
    for path in large_files(folder):
        path.unlink(missing_ok=True)
