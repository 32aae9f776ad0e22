"""What a run's results were made with, beside its journal: library versions and the machine.

Whoever looks at a stored run finds its stages by what made them, whatever is installed by now.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from harness.config.plugin_entries import PluginEntry
from harness.kit.files import read_json, remove, write_json
from harness.records import from_json, to_json
from harness.records.context import silent
from harness.run.job import as_environment, write_question
from harness.stages import Plugin

if TYPE_CHECKING:
    from harness.run.run import Run

FILE = "made-with.json"
SCHEMA = 1


@dataclass(frozen=True, slots=True)
class MadeWith:
    """What the latest walk through a run would make, or made, its stages with.

    Attributes:
        libraries: distribution -> version.
        environments: ``trainer`` and ``generator`` (:attr:`PluginEntry.part`) -> what they said of
            the machine.
    """

    libraries: Mapping[str, str] = field(default_factory=dict)
    environments: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def environments(run: Run, entries: Sequence[PluginEntry]) -> dict[str, dict[str, str]]:
    """Part of each entry -> what its plugin says of the machine, asked where its work is done."""
    by_part: dict[str, dict[str, str]] = {entry.part: {} for entry in entries}
    asked = [e for e in entries if type(e.instance).environment is not Plugin.environment]
    if run.config.settings.execution.launcher == "inline":
        for entry in asked:
            with run.guard("environment", entry):
                by_part[entry.part] = as_environment(entry.instance.environment())
    elif asked:
        folder = run.fresh_folder("environment")
        write_question(asked, run.plugin_files, folder)
        with run.guard("environment", asked[0]):
            by_part |= run.workers.do(folder, silent, run.cancelled, label="environment")["answer"]
        remove(folder)
    return by_part


def write(folder: Path, made_with: MadeWith) -> None:
    """Write it down."""
    write_json(folder / FILE, {"schema": SCHEMA, **to_json(made_with)})


def read(folder: Path) -> MadeWith:
    """What was written down; nothing where that is missing or damaged."""
    try:
        document = read_json(folder / FILE)
        if document.pop("schema") == SCHEMA:
            return from_json(MadeWith, document)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass
    return MadeWith()
