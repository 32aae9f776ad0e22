"""The store of finished stages: a folder for each key, vouched for by its manifest.

A stage is done if and only if its manifest is there and true. The manifest is written last,
inside the temporary folder, and the folder is renamed into place; so neither a kill nor a full
disk can leave half an artifact that looks whole.

Where the working folder belongs to a shared store (:mod:`harness.run.objects`), this is its
cache. What is not here is looked for there; what is published here is sent there: files by their
digests, then the manifest by the digest of the content, at last the manifest under its key, by
exclusive create. Weights come when a job asks for them.
"""

from __future__ import annotations

import contextlib
import json
import os
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors.machine import storing
from harness.kit.files import (
    digest,
    file_digest,
    manifest_of,
    read_json,
    read_jsonl,
    remove,
    sync_folder,
    sync_tree,
    write_bytes,
    write_json,
)
from harness.kit.gate import Untrusted
from harness.kit.inside import Outside, inside, is_below
from harness.kit.lock import turn
from harness.kit.text import one_line
from harness.records import from_json
from harness.records.plain import Record
from harness.run import objects
from harness.run.pins import TRAIN
from harness.stages.store import Store, StoreError

MANIFEST = "manifest.json"
EMPTIED = "emptied"
"""Marks an artifact whose large files were removed on purpose; its digest and records stand."""
SENT = "sent"
"""Marks an artifact that a shared store has, and says which store."""
LOCK = ".lock"
SCHEMA = 1
_MARKS = (EMPTIED, SENT)
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

    def records(self, kind: type[Record], name: str) -> tuple[Record, ...]:
        """The records of one of its JSONL files, one for each line."""
        return tuple(from_json(kind, line) for line in read_jsonl(self.path / name))


class Artifacts:
    """Artifacts below one folder.

    Attributes:
        damaged: a sentence for every artifact that was found broken and set aside.
    """

    def __init__(self, root: Path, *, read_only: bool = False) -> None:
        """Nothing is read yet.

        Args:
            read_only: nothing is sent to a shared store, and one that does not answer has nothing.
        """
        self.root, self.read_only = root, read_only
        self.damaged: list[str] = []
        self._seen: dict[tuple[str, str], Artifact] = {}
        self._unreachable = False

    @property
    def _objects(self) -> Store | None:
        """The store that is shared with others, if any."""
        if self._unreachable:
            return None
        try:
            return objects.of(self.root.parent)
        except Untrusted as error:
            if not self.read_only:
                raise
            self._unreachable = True
            self.damaged.append(f"{error.placed} ({error.hint}); what is not here is left out")
            return None

    def folder(self, stage: str, key: str) -> Path:
        """Where the artifact of a key lies.

        Raises:
            Outside: the store, or the folder of the stage in it, is a link.
        """
        return self._at(stage, key[:24])

    def _at(self, *names: str) -> Path:
        """A place in the store; the store itself is no link."""
        return inside(self.root.parent, self.root.name, *names)

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
        if artifact is None:
            artifact = self._fetched(stage, key=key)
        elif not self.read_only:
            self._send(stage, artifact)
        if artifact is not None:
            self._seen[stage, key] = artifact
        return artifact

    def with_digest(self, stage: str, wanted: str) -> Artifact | None:
        """The whole artifact of that content, whatever its key; None if there is none."""
        for manifest in sorted(self._at(stage).glob(f"*/{MANIFEST}")):
            try:
                document = read_json(manifest)
                key, files = document["key"], document["files"]
            except (OSError, ValueError, KeyError, TypeError):
                continue
            if digest(files) == wanted:
                artifact = self._whole(stage, self._at(stage, manifest.parent.name), key)
                if artifact is not None and artifact.digest == wanted:
                    return artifact
        return self._fetched(stage, content=wanted) if wanted else None

    def complete(self, folder: Path) -> bool:
        """Get the large files of an emptied artifact from the shared store, where that has them.

        Returns:
            Whether they are there now.

        Raises:
            Outside: its manifest names a file elsewhere, or a link lies in the way.
        """
        if not (folder / EMPTIED).is_file():
            return True
        if folder.absolute().parent.parent != self.root.absolute():
            return True  # a model of the user's own, which no store has
        folder = self._at(folder.parent.name, folder.name)
        store = self._objects
        if store is None:
            return False
        files = read_json(folder / MANIFEST)["files"]
        places = {name: _in(folder, name) for name in files}
        missing = {name: files[name] for name, place in places.items() if not place.is_file()}
        with self._work() as work:
            if not self._all_fetched(store, missing, work, str(folder)):
                self._forget(store, folder.parent.name, digest(files))
                return False
            with storing(folder):
                for name in missing:
                    places[name].parent.mkdir(parents=True, exist_ok=True)
                    os.replace(_in(work, name), places[name])
                sync_tree(folder)
                (folder / EMPTIED).unlink(missing_ok=True)
        # It was seen as an emptied one.
        self._seen = {at: seen for at, seen in self._seen.items() if seen.path != folder}
        return True

    def trim(self, most: int) -> None:
        """Remove large files of trainings that the shared store has, until ``most`` bytes are
        left: those first that nobody has asked for longest. For whoever knows that no run is at
        work in the folder."""
        store = self._objects
        if store is None or not (self.root / TRAIN).is_dir():
            return
        trainings = []
        for path in self._at(TRAIN).iterdir():
            folder = self._at(TRAIN, path.name)
            if sizes := [path.stat().st_size for path in large_files(folder)]:
                mark = folder / SENT
                sent = mark.is_file() and mark.read_text() == store.id
                trainings.append((sent, mark.stat().st_mtime if sent else 0.0, sum(sizes), folder))
        total = sum(size for _, _, size, _ in trainings)
        for _, _, size, folder in sorted(entry for entry in trainings if entry[0]):
            if total <= most:
                return
            with storing(folder), turn(self.root / LOCK):
                empty_artifact(folder)
            total -= size

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
        place = self._at(stage)
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
                if theirs is not None:
                    first_counts = not replace and not theirs.facts.get("failed")
                    same = theirs.digest == digest(files)
                    unchanged = first_counts or (same and theirs.facts == dict(facts))
                    if unchanged and not theirs.emptied:
                        remove(work)
                        self._seen[stage, key] = self._send(stage, theirs)
                        return theirs
                    if not replace and not (theirs.emptied and same):
                        _move_aside(target, theirs)
                remove(target)
                os.replace(work, target)
                sync_folder(target.parent)
        artifact = Artifact(key, target, digest(files), dict(facts), seconds)
        artifact = self._send(stage, artifact, replace=replace, fresh=True)
        self._seen[stage, key] = artifact
        return artifact

    def _send(
        self, stage: str, artifact: Artifact, *, replace: bool = False, fresh: bool = False
    ) -> Artifact:
        """Have the shared store have it, where there is one.

        Args:
            replace: what it has under the key makes way.
            fresh: it was made just now, so that what another machine made first counts for both.

        Returns:
            what counts.

        Raises:
            StoreError: it cannot be sent; it is whole here, and sent the next time.
        """
        store, folder = self._objects, artifact.path
        if store is None or artifact.emptied:
            return artifact
        mark = folder / SENT
        if not fresh and mark.is_file() and mark.read_text() == store.id:
            os.utime(mark)  # asked for now: what was asked for longest ago is trimmed first
            return artifact
        manifest = (folder / MANIFEST).read_bytes()  # with the order in which facts were noted
        document = json.loads(manifest)
        content = _content_object(stage, artifact.digest)
        # Files first: whoever finds a manifest in the store finds its files there, too.
        if store.get(content) is None:
            for name, entry in document["files"].items():
                store.send(objects.file_key(entry["sha256"]), _in(folder, name))
            store.create(content, manifest)
        under_key = _key_object(stage, artifact.key)
        if not store.create(under_key, manifest):
            theirs = _manifest(store.get(under_key), stage, key=artifact.key)
            other = theirs is not None and digest(theirs["files"]) != artifact.digest
            if other and fresh and not replace and not (theirs or {})["facts"].get("failed"):
                # Another machine was first, so what it made counts here, too.
                counts = self._fetched(stage, key=artifact.key, aside=True)
                if counts is not None:
                    return counts
            if theirs is None or replace or (fresh and (other or theirs["facts"].get("failed"))):
                store.put(under_key, manifest)
        write_bytes(mark, store.id.encode())
        return artifact

    def _fetched(
        self, stage: str, *, key: str = "", content: str = "", aside: bool = False
    ) -> Artifact | None:
        """An artifact of the shared store, put among those here; None: it has no whole one.

        Args:
            key, content: which one is asked for: the other of both is empty.
            aside: what is here under its key is moved aside.
        """
        try:
            store = self._objects
            if store is None:
                return None
            data = store.get(_key_object(stage, key) if key else _content_object(stage, content))
            if data is None:
                return None
            document = _manifest(data, stage, key=key, content=content)
            if document is None:
                self.damaged.append(
                    f"{stage} {(key or content)[:24]}: its manifest in the store {store.url} is "
                    "damaged, or of another stage; it is made again"
                )
                return None
            files, key = document["files"], document["key"]
            # Weights stay there until a job asks for them (:meth:`complete`).
            left_out = {file for file in files if stage == TRAIN and not _is_record(file)}
            wanted = {file: entry for file, entry in files.items() if file not in left_out}
            with self._work() as work:
                if not self._all_fetched(store, wanted, work, f"{stage} {key[:24]}"):
                    self._forget(store, stage, digest(files))
                    return None
                (work / MANIFEST).write_bytes(data)
                (work / SENT).write_text(store.id)
                if left_out:
                    (work / EMPTIED).touch()
                return self._placed(stage, key, work, digest(files), aside=aside)
        except StoreError as error:
            if not self.read_only:
                raise
            self._unreachable = True
            self.damaged.append(f"{error.placed}; what is not here is taken as not there")
            return None

    def _placed(
        self, stage: str, key: str, work: Path, content: str, *, aside: bool
    ) -> Artifact | None:
        """Put fetched files in the place of their key, or beside what is there."""
        target = self.folder(stage, key)
        with storing(target), self._changing(stage):
            sync_tree(work)
            theirs = _verify(target, key)[0] if target.exists() else None
            if theirs is not None and theirs.digest == content:
                return theirs
            if theirs is not None and aside:
                _move_aside(target, theirs)
            elif theirs is not None:
                target = target.with_name(f"{target.name}-{content[:12]}")
            remove(target)
            os.replace(work, target)
            sync_folder(target.parent)
        return _verify(target, key)[0]

    def _all_fetched(
        self, store: Store, files: Mapping[str, Mapping[str, Any]], work: Path, what: str
    ) -> bool:
        """Fetch files and compare each byte; what is not what it should be is never used."""
        for name, entry in files.items():
            path, key = _in(work, name), objects.file_key(entry["sha256"])
            path.parent.mkdir(parents=True, exist_ok=True)
            for _ in range(2):  # the second time, in case it was changed on its way
                with storing(path):
                    there = store.fetch(key, path)
                if there and file_digest(path) == entry["sha256"]:
                    break
            else:
                why = "not what was sent" if there else "not there"
                self.damaged.append(
                    f"{what}: {name} in the store {store.url} is {why}; it is made again"
                )
                return False
        return True

    def _forget(self, store: Store, stage: str, content: str) -> None:
        """Have whoever makes this content again send all of its files."""
        if not self.read_only:
            store.delete(_content_object(stage, content))

    @contextlib.contextmanager
    def _work(self) -> Iterator[Path]:
        """An empty folder on the same disk; what a kill leaves of it is removed by `clean`."""
        work = inside(self.root.parent, "work", f"{uuid.uuid4().hex[:12]}.removed")
        with storing(work):
            work.mkdir(parents=True)
        try:
            yield work
        finally:
            remove(work)


def _move_aside(target: Path, artifact: Artifact) -> None:
    """Keep an artifact beside the one in its place; :meth:`Artifacts.with_digest` finds it."""
    aside = target.with_name(f"{target.name}-{artifact.digest[:12]}")
    remove(aside)
    os.replace(target, aside)


def _key_object(stage: str, key: str) -> str:
    return f"artifacts/{objects.as_part(stage)}/{key}"


def _content_object(stage: str, content: str) -> str:
    return f"contents/{objects.as_part(stage)}/{content}"


def _manifest(
    data: bytes | None, stage: str, *, key: str = "", content: str = ""
) -> dict[str, Any] | None:
    """What a manifest in the shared store says; None where it cannot be believed.

    Args:
        key, content: of what was asked for; the other of both is empty.
    """
    if data is None:
        return None
    try:
        document: dict[str, Any] = json.loads(data)
        sealed = {name: value for name, value in document.items() if name != "seal"}
        believed = (
            document["schema"] == SCHEMA
            and document["seal"] == digest(sealed)
            and document["stage"] == stage
            and objects.is_digest(document["key"])
            and key in ("", document["key"])
            and isinstance(document["facts"], dict)
            and all(
                _is_inside(name) and objects.is_digest(entry["sha256"])
                for name, entry in document["files"].items()
            )
            and content in ("", digest(document["files"]))
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return document if believed else None


def _is_inside(name: object) -> bool:
    """Whether a file's name stays in its folder, and is none of ours."""
    return is_below(name) and name not in (MANIFEST, *_MARKS)


def _in(folder: Path, name: str) -> Path:
    """The file that a manifest names in a folder.

    Raises:
        Outside: it is none that could lie there.
    """
    if not _is_inside(name):
        raise Outside(f"'{one_line(str(name), 80)}' is no file of an artifact", where=str(folder))
    return inside(folder, *name.split("/"))


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
        if not all(map(_is_inside, files)):
            return None, "its manifest names files elsewhere"
        there = manifest_of(folder)
    except (OSError, ValueError, KeyError, TypeError) as error:
        return None, f"its manifest cannot be read ({type(error).__name__})"
    there.pop(MANIFEST, None)
    there.pop(SENT, None)
    emptied = there.pop(EMPTIED, None) is not None
    expected = {name for name in files if not emptied or name in there or _is_record(name)}
    wrong = sorted(name for name in {*expected, *there} if files.get(name) != there.get(name))
    if wrong:
        return None, f"not what was written: {', '.join(wrong[:3])}"
    return Artifact(key, folder, digest(files), facts, float(document["seconds"]), emptied), ""


def _is_record(name: str) -> bool:
    return name.endswith(_RECORDS)


def large_files(folder: Path) -> list[Path]:
    """What :func:`empty_artifact` removes: weights, above all. No link is followed."""
    files = (Path(top, name) for top, _, names in os.walk(folder) for name in names)
    return sorted(path for path in files if not _is_record(path.name) and path.name not in _MARKS)


def empty_artifact(folder: Path) -> None:
    """Remove an artifact's large files. The mark comes first: a kill leaves it whole or emptied."""
    write_bytes(folder / EMPTIED, b"")
    for path in large_files(folder):
        path.unlink(missing_ok=True)
