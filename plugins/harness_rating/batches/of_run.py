"""The batches of one run, and a digest of all that was said in them.

The digest is light: it is asked for whenever a finished run is shown, so that a rating that came
in late is seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness import HarnessError
from harness.kit.files import digest, file_digest, read_json
from harness_rating.batches import storage as batches
from harness_rating.batches.records import FOLDER, Batch


@dataclass(frozen=True, slots=True)
class Found:
    """The batches of a run.

    Attributes:
        notes: a sentence for each batch that cannot be read.
    """

    batches: tuple[Batch, ...]
    notes: tuple[str, ...] = ()


def batches_of(run: str, root: Path = FOLDER) -> Found:
    """Every whole batch of the run, by name. A damaged one is named, and harms no other.

    Args:
        root: where the batches lie.
    """
    whole: list[Batch] = []
    notes: list[str] = []
    for name in batches.names(root):
        if _run_of(root / name) not in (run, None):
            continue
        try:
            whole.append(batches.load(root, name))
        except HarnessError as error:
            notes.append(f"the ratings of batch {name} are left out: {error.what}")
    return Found(tuple(one for one in whole if one.run == run), tuple(notes))


def digest_of(run: str, root: Path = FOLDER) -> str | None:
    """Digest of all files of the run's batches in which something was said; None without any."""
    said = []
    for name in batches.names(root):
        events = sorted((root / name / "events").glob("*.jsonl"))
        if not events or _run_of(root / name) != run:
            continue
        files = [root / name / "batch.json", root / name / "items.json", *events]
        said += [[name, path.name, file_digest(path)] for path in files if path.is_file()]
    return digest(said) if said else None


def _run_of(folder: Path) -> str | None:
    """The run that a batch belongs to; None where that cannot be told any more."""
    try:
        found = read_json(folder / "batch.json")["run"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if isinstance(found, str) else None
