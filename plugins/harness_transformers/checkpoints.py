"""Checkpoints inside a training, or an answering: whole or not at all, by a manifest.

A checkpoint is a folder ``step-N`` in the scratch of the training's stage. It is written under a
temporary name, synced and renamed; its manifest names what it belongs to and the sha256 of every
file. What does not verify is passed over. The Trainer is handed the folder, and never looks for
one itself: it would take the highest number, whole or not.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import io
import json
from array import array
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from harness.kit.files import digest, manifest_of, read_json, remove, whole_folder, write_json
from harness.kit.inside import inside
from harness_transformers.encoding import Encoded

FORMAT = 2
"""Of a checkpoint's files; raise it whenever they mean something else."""
KEPT = 2
"""Checkpoints that are kept, the latest ones: one may turn out to be damaged."""
MANIFEST = "manifest.json"


class Checkpoints:
    """The checkpoints of one training, or of one answering.

    Args:
        root: an existing folder; holds nothing else.
        belongs: JSON values by name that two attempts must have in common for one to go on from
            the other's checkpoint.
        say: told why a checkpoint is passed over.
    """

    def __init__(self, root: Path, belongs: Mapping[str, Any], say: Callable[[str], None]) -> None:
        self.root, self.belongs, self.say = root, dict(belongs), say

    def save(self, step: int, fill: Callable[[Path], None]) -> None:
        """Keep what ``fill`` writes into an empty folder as the checkpoint of that step.

        Raises:
            OSError: the disk does not take it; nothing of it is left.
        """
        with whole_folder(self._folder(step)) as folder:
            fill(folder)
            document = {
                "format": FORMAT,
                "step": step,
                "belongs": self.belongs,
                "files": manifest_of(folder),
            }
            write_json(folder / MANIFEST, {**document, "seal": digest(document)})
        for older in self._steps()[:-KEPT]:
            remove(self._folder(older))

    def newest(self) -> Path | None:
        """The newest checkpoint that verifies; those passed over are removed."""
        for path in self.root.iterdir():
            if path.name.startswith("."):  # a kill came while it was written
                remove(path)
        for step in reversed(self._steps()):
            folder = self._folder(step)
            trouble = self._trouble(folder, step)
            if not trouble:
                return folder
            self.say(f"the checkpoint of step {step:,} is passed over: {trouble}")
            remove(folder)
        return None

    def _folder(self, step: int) -> Path:
        return inside(self.root, f"step-{step}")

    def _steps(self) -> list[int]:
        """The steps of which there is a folder, in order."""
        names = [path.name.removeprefix("step-") for path in self.root.glob("step-*")]
        return sorted(int(name) for name in names if name.isdecimal())

    def _trouble(self, folder: Path, step: int) -> str:
        """Why the checkpoint cannot be used; empty if it can."""
        try:
            document = read_json(folder / MANIFEST)
            seal = document.pop("seal")
            version, belongs, files = document["format"], document["belongs"], document["files"]
            if seal != digest(document) or document["step"] != step:
                return "its manifest is not what was written"
            listed = manifest_of(folder)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return "its manifest cannot be read"
        if version != FORMAT:
            return f"it has format {version}, and this version reads {FORMAT}"
        if other := _differing(belongs, self.belongs):
            return f"it was made with other {other}"
        listed.pop(MANIFEST, None)
        wrong = sorted(name for name in {*files, *listed} if files.get(name) != listed.get(name))
        return f"{wrong[0]} is not what was written" if wrong else ""


def _differing(wanted: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    """The names of what is not the same in both."""
    names = sorted({*wanted, *other})
    return ", ".join(name for name in names if wanted.get(name) != other.get(name))


def write_tensors(path: Path, value: Any) -> None:
    """``torch.save``, plainly: a checkpoint is synced and renamed as a whole."""
    # By way of memory: torch tells a full disk as a RuntimeError without a reason.
    buffer = io.BytesIO()
    torch.save(value, buffer)
    path.write_bytes(buffer.getvalue())


def belonging(
    rows: Sequence[Encoded], held: Sequence[Encoded], libraries: Sequence[str], **more: Any
) -> dict[str, Any]:
    """What a checkpoint has to have in common with a training that goes on from it.

    Args:
        rows, held: what is learned, and the rows for validation.
        libraries: distributions that make the numbers.
        more: further JSON values.
    """
    versions = {name: importlib.metadata.version(name) for name in libraries}
    values = {"rows": _digest([*rows, *held]), "libraries": versions, **more}
    belongs: dict[str, Any] = json.loads(json.dumps(values))  # as it comes out of a file
    return belongs


def _digest(rows: Sequence[Encoded]) -> str:
    """sha256 (hex) of tokens and labels."""
    whole = hashlib.sha256()
    for row in rows:
        whole.update(f"{len(row.input_ids)} {row.id}\n".encode("utf-8", "surrogatepass"))
        whole.update(array("q", row.input_ids).tobytes())
        whole.update(array("q", row.labels).tobytes())
    return whole.hexdigest()
