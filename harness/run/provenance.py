"""What a run's results were made with, beside its journal: library versions and the machine.

Whoever looks at a stored run finds its stages by what made them, whatever is installed by now.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from harness.kit.files import read_json, write_json
from harness.records import from_json, to_json

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
