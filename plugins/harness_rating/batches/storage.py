"""Batches: frozen plans of who rates what, made once and then only read.

A batch is a folder with ``batch.json`` (private), ``items.json`` (what raters may see) and
``events/``. Its name is a digest of everything that it follows from, so that the same command
finds the batch that it made before.
"""

from __future__ import annotations

import dataclasses
import errno
import os
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness import (
    BASE_ARM,
    DataError,
    Item,
    Rubric,
    UsageError,
    from_json,
    machine_trouble,
    near,
    to_json,
)
from harness.kit.files import digest, read_json, remove, sync_folder, sync_tree, write_json
from harness_rating.batches import assignment
from harness_rating.batches.items import item_of
from harness_rating.batches.order import Order
from harness_rating.batches.records import BATCH_SCHEMA, FOLDER, ITEMS_SCHEMA, Batch, Placing
from harness_rating.batches.sampling import GROUP, VERDICTS, Candidate, Wanted, draw
from harness_rating.rubric.scoring import version_problem

__all__ = ["Order", "create", "load", "names"]


def create(order: Order, candidates: Sequence[Candidate], root: Path = FOLDER) -> Batch:
    """The batch of this order, made now or found.

    Args:
        candidates: the run's answers (:func:`harness_rating.batches.candidates.candidates`).
        root: where the batches lie.

    Raises:
        UsageError: the order cannot be meant, or the rubric's wording changed and its version
            did not.
        DataError: more examples are wanted than there are.
    """
    order.check()
    wanted = Wanted(order.strategy, order.n, order.seed, order.by or GROUP)
    chosen = draw(candidates, wanted)
    content = _content(order, chosen)
    name = f"{order.rubric.id}-{digest(content)[:8]}"
    _check_version(order.rubric, root)
    if (root / name).exists():
        if not (root / name / "batch.json").exists():
            # What raters said may lie in it, so it is not made anew.
            raise _damaged(root / name)
        return load(root, name)
    _check_meta(order.rubric, chosen)
    _publish(_composed(name, order, chosen, digest(["secret", content])), content, root)
    return load(root, name)


def _content(order: Order, chosen: Sequence[Candidate]) -> dict[str, Any]:
    """All that a batch follows from; the secret of its ids is a digest of it."""
    plain = {f.name: getattr(order, f.name) for f in dataclasses.fields(order)}
    del plain["rubric"]
    answers = [[one.example.id, [one.answers[k] for k in order.rounds]] for one in chosen]
    shown = digest([to_json(one.example) | {"place": ""} for one in chosen])
    return {
        **to_json(plain),
        "overlap": order.share,
        "rubric": order.rubric.digest,
        "answers": digest(answers),
        "examples": shown,
    }


def _check_version(rubric: Rubric, root: Path) -> None:
    """A rubric of one version has one wording, here at least.

    Its weights and its judge may change: values keep their meaning.
    """
    for name in names(root):
        try:
            other = from_json(Rubric, read_json(root / name / "batch.json")["rubric"])
            problem = version_problem(other, rubric)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue  # a damaged batch says so where it is used
        if problem:
            raise UsageError(problem, where=f"batch {name}", hint="or restore its wording")


def _check_meta(rubric: Rubric, chosen: Sequence[Candidate]) -> None:
    fields = sorted({name for one in chosen for name in one.example.meta})
    for shown in rubric.show.meta:
        if shown not in fields:
            known = f"there are: {', '.join(fields)}" if fields else "the examples have none"
            raise UsageError(
                f"rubric {rubric.id} shows the field '{shown}', and no example has it"
                f"{near(shown, fields)}",
                hint=known,
            )
        if any(one.example.meta.get(shown) == one.example.id for one in chosen):
            raise UsageError(
                f"rubric {rubric.id} shows the field '{shown}', which holds the examples' ids; "
                "raters must not be able to tell them",
                hint="take it out of show.meta",
            )


def _composed(name: str, order: Order, chosen: Sequence[Candidate], secret: str) -> Batch:
    ids = assignment.opaque_ids(secret)
    assigned = assignment.raters_of(len(chosen), order.raters, order.share, order.several, secret)
    swapped = assignment.sides(assigned, secret)
    items: dict[str, Item] = {}
    placings: dict[str, Placing] = {}
    own: dict[str, list[str]] = {rater: [] for rater in order.raters}
    for one, raters, turned in zip(chosen, assigned, swapped, strict=True):
        for rounds in _shown_rounds(order, turned):
            item = next(ids)
            answers = [one.answers[k] for k in rounds]
            items[item] = item_of(item, one.example, answers, order.rubric)
            placings[item] = _placing(item, one, rounds, order.split)
            for rater in raters:
                own[rater].append(item)
    assignments: dict[str, tuple[str, ...]] = {}
    for rater in order.raters:
        shown = assignment.order(rater, own[rater], secret)
        copies = []
        for original in assignment.repeated(rater, shown, order.repeats, secret):
            copies.append(next(ids))
            items[copies[-1]] = dataclasses.replace(items[original], id=copies[-1])
            placings[copies[-1]] = dataclasses.replace(
                placings[original], item=copies[-1], repeat_of=original
            )
        assignments[rater] = tuple(assignment.with_repeats(rater, shown, copies, secret))
    return Batch(
        name, order.run, order.rubric, order.strategy, order.seed, order.raters, assignments,
        tuple(items[item] for item in sorted(items)),
        {item: placings[item] for item in sorted(placings)},
        datetime.now(UTC).date().isoformat(), order.strategy in VERDICTS,
    )  # fmt: skip


def _shown_rounds(order: Order, turned: bool) -> list[tuple[int, ...]]:
    """The rounds of each item that an example becomes: one pair, or each answer by itself."""
    if not order.rubric.pairwise:
        return [(number,) for number in order.rounds]
    return [order.rounds[::-1] if turned else order.rounds]


def _placing(item: str, one: Candidate, rounds: tuple[int, ...], split: str) -> Placing:
    example = one.example
    return Placing(item, example.id, BASE_ARM, rounds, split, example.group or example.id)


def _publish(batch: Batch, content: Mapping[str, Any], root: Path) -> None:
    """Write the folder under another name and rename it: it is there whole, or not at all."""
    temporary = root / f".{batch.name}.{uuid.uuid4().hex[:8]}.tmp"
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
        sync_tree(temporary)
        os.replace(temporary, root / batch.name)
        sync_folder(root)
    except OSError as error:
        # Another process may have made the same batch meanwhile.
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise (machine_trouble(error) or error) from error
    finally:
        remove(temporary)


def names(root: Path = FOLDER) -> list[str]:
    """The batches of a folder, by name."""
    return sorted(p.parent.name for p in root.glob("*/batch.json") if p.parent.name[0] != ".")


def rubric_of(root: Path, name: str) -> tuple[str, int]:
    """Id and version of the rubric of a batch, whatever else is wrong with it.

    Raises:
        DataError: not even that can be read.
    """
    try:
        rubric = read_json(root / name / "batch.json")["rubric"]
        return rubric["id"], rubric["version"]
    except (OSError, ValueError, TypeError, KeyError):
        raise _damaged(root / name) from None


def made_by(root: Path, name: str, rubric: Rubric) -> bool:
    """Whether a batch is of this rubric and version, by its name alone where it is damaged.

    Raises:
        DataError: it is of this rubric, and its version cannot be read any more.
    """
    try:
        return rubric_of(root, name) == (rubric.id, rubric.version)
    except DataError:
        if name.rpartition("-")[0] != rubric.id:
            return False  # a batch is called after its rubric
        raise


def load(root: Path, name: str) -> Batch:
    """A batch as it was made.

    Raises:
        UsageError: there is none of that name.
        DataError: a file of it was changed or is damaged.
    """
    known = names(root)
    if name not in known:
        hint = f"there are: {', '.join(known)}" if known else "harness rate create makes one"
        raise UsageError(f"there is no batch '{name}'{near(name, known)}", hint=hint)
    try:
        return _read(root / name)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        raise _damaged(root / name) from None


def _damaged(folder: Path) -> DataError:
    return DataError(
        "this batch was changed or is damaged, and batches are frozen",
        where=str(folder),
        hint="take batch.json and items.json from a backup",
    )


def _read(folder: Path) -> Batch:
    document = read_json(folder / "batch.json")
    shown = read_json(folder / "items.json")
    seal = document.pop("seal")
    if document["schema"] != BATCH_SCHEMA or seal != digest(document):
        raise ValueError("batch.json is not what was written")
    if shown["batch"] != folder.name or digest(shown["items"]) != document["items"]:
        raise ValueError("items.json is not what was written")
    return Batch(
        document["name"], document["run"], from_json(Rubric, document["rubric"]),
        document["strategy"], document["seed"], tuple(document["raters"]),
        {rater: tuple(ids) for rater, ids in document["assignments"].items()},
        tuple(from_json(Item, item) for item in shown["items"]),
        {item: from_json(Placing, one) for item, one in document["placings"].items()},
        document["created"], document["verdicts"],
    )  # fmt: skip
