"""The store of finished stages: a folder for each key, vouched for by its manifest.

A stage is done if and only if its manifest is there and true. The manifest is written last,
inside the temporary folder, and the folder is renamed into place; so neither a kill nor a full
disk can leave half an artifact that looks whole.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.files import (
    digest,
    manifest_of,
    read_json,
    remove,
    sync_folder,
    sync_tree,
    write_json,
)

MANIFEST = "manifest.json"
SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Artifact:
    """A finished stage.

    Attributes:
        digest: of the content of its files (names and sha256).
        facts: what the stage noted.
        seconds: how long it took when it was made.
    """

    key: str
    path: Path
    digest: str
    facts: Mapping[str, Any]
    seconds: float


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
        folder = self.folder(stage, key)
        if not folder.exists():
            return None
        artifact, trouble = _verify(folder, key)
        if artifact is None:
            self.damaged.append(f"{stage} artifact {folder}: {trouble}; it is made again")
            remove(folder)
            return None
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
            if digest(files) == wanted and (found := self.find(stage, key)) is not None:
                return found
        return None

    def publish(
        self, stage: str, key: str, work: Path, facts: Mapping[str, Any], seconds: float
    ) -> Artifact:
        """Make the files in ``work`` the artifact of ``key``; ``work`` is moved away."""
        files = manifest_of(work)
        theirs = self.find(stage, key)
        if theirs is not None and theirs.digest == digest(files) and theirs.facts == dict(facts):
            # Another run made the same meanwhile, and its child may be reading it.
            remove(work)
            return theirs
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
        target = self.folder(stage, key)
        target.parent.mkdir(parents=True, exist_ok=True)
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
    wrong = sorted(name for name in {*files, *found} if files.get(name) != found.get(name))
    if wrong:
        return None, f"not what was written: {', '.join(wrong[:3])}"
    return Artifact(key, folder, digest(files), facts, float(document["seconds"])), ""
