"""Batches on disk: frozen plans of who rates what, written once and then only read.

A batch is a folder with ``batch.json`` (private), ``items.json`` (what raters may see) and
``events/``.
"""

from __future__ import annotations

import errno
import os
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness import DataError, Item, Rubric, from_json, machine_trouble, to_json
from harness.kit.files import digest, remove, sync_folder, sync_tree, write_json
from harness.kit.inside import inside
from harness_rating.batches.records import BATCH_SCHEMA, ITEMS_SCHEMA, Batch, Placing

UNREADABLE = (OSError, ValueError, TypeError, KeyError, AttributeError)
"""What reading a damaged batch raises."""


def publish(batch: Batch, content: Mapping[str, Any], root: Path) -> None:
    """Write the folder under another name and rename it: it is there whole, or not at all.

    Args:
        content: all that the batch follows from.
    """
    temporary = inside(root, f".{batch.name}.{uuid.uuid4().hex[:8]}.tmp")
    items = [to_json(item) for item in batch.items]
    document = {
        "schema": BATCH_SCHEMA, "name": batch.name, "run": batch.run, "created": batch.created,
        "strategy": batch.strategy, "seed": batch.seed, "verdicts": batch.verdicts,
        "raters": list(batch.raters), "content": dict(content), "rubric": to_json(batch.rubric),
        "assignments": to_json(batch.assignments), "placings": to_json(batch.placings),
        "items": digest(items),
    }  # fmt: skip
    document["seal"] = digest(document)
    try:
        (temporary / "events").mkdir(parents=True)
        shown = {"schema": ITEMS_SCHEMA, "batch": batch.name, "items": items}
        write_json(temporary / "items.json", shown)
        write_json(temporary / "batch.json", document)
        # It says what raters may not learn: which example and round an answer is of.
        (temporary / "batch.json").chmod(0o600)
        sync_tree(temporary)
        os.replace(temporary, inside(root, batch.name))
        sync_folder(root)
    except OSError as error:
        # Another process may have made the same batch meanwhile.
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise (machine_trouble(error) or error) from error
    finally:
        remove(temporary)


def parse(name: str, document: Mapping[str, Any], shown: Mapping[str, Any]) -> Batch:
    """The batch of ``batch.json`` and ``items.json``; raises one of :data:`UNREADABLE`."""
    unsealed = {key: value for key, value in document.items() if key != "seal"}
    if document["schema"] != BATCH_SCHEMA or document["seal"] != digest(unsealed):
        raise ValueError("batch.json is not what was written")
    if shown["batch"] != name or digest(shown["items"]) != document["items"]:
        raise ValueError("items.json is not what was written")
    if any(isinstance(criterion["ask_if"], str) for criterion in document["rubric"]["criteria"]):
        raise DataError(
            "the rubric of this batch has conditions as text, which an older version wrote",
            where=name,
            hint="remove its folder and make another batch: harness rate create",
        )
    return Batch(
        document["name"], document["run"], from_json(Rubric, document["rubric"]),
        document["strategy"], document["seed"], tuple(document["raters"]),
        {rater: tuple(ids) for rater, ids in document["assignments"].items()},
        tuple(from_json(Item, item) for item in shown["items"]),
        {item: from_json(Placing, placing) for item, placing in document["placings"].items()},
        document["created"], document["verdicts"],
    )  # fmt: skip


def damaged(folder: Path) -> DataError:
    """The error of a batch that is not what was written."""
    return DataError(
        "this batch was changed or is damaged, and batches are frozen",
        where=str(folder),
        hint="take batch.json and items.json from a backup",
    )
