"""Whether the content of the files that options name is part of a plugin's key."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

from harness.config.plugin_entries import PluginEntry
from harness.engine.stage_keys import entry_key
from harness.kit.files import digest
from harness.testing.outcomes import Failed
from harness.testing.subject import Subject


def content_counts(subject: Subject) -> None:
    """Change a copy of each file or folder that an option names: the key has to change.

    Raises:
        Failed: results would be taken for those of other content.
    """
    for name in type(subject.options).model_fields:
        path = getattr(subject.options, name)
        if not isinstance(path, Path) or not path.exists() or subject.stage == "model":
            continue  # a model's folder counts by the digest of its checkpoint
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder, path.name or "copy")
            shutil.copytree(path, copy) if path.is_dir() else shutil.copy2(path, copy)
            before = _key(subject, name, copy)
            files = [copy] if copy.is_file() else [p for p in copy.rglob("*") if p.is_file()]
            for file in files:
                file.write_bytes(file.read_bytes() + b"\n")
            if files and _key(subject, name, copy) == before:
                raise Failed(
                    f"the content of the option '{name}' is not part of its key",
                    "Have inputs() name every file that the results depend on, or leave it out",
                )


def _key(subject: Subject, name: str, path: Path) -> Any:
    options = subject.options.model_copy(update={name: path})
    instance = subject.make(options)
    stage, own = subject.stage, subject.plugin.name
    return digest(entry_key(PluginEntry(stage, own, own, instance, ""), {}))
