"""From a sample of answers to a batch: items, who rates them, in which order, on which side."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from harness import BASE_ARM, SYSTEM_ROLES, Example, Item, Rubric, UsageError, near, to_json
from harness.kit.files import digest
from harness_rating.batches import assignment
from harness_rating.batches.records import Batch, Placing
from harness_rating.batches.sampling import VERDICTS, Candidate
from harness_rating.batches.spec import BatchSpec

_MESSAGE_KEYS = ("role", "content", "tool_calls", "name", "tool_call_id")


def content_of(spec: BatchSpec, chosen: Sequence[Candidate]) -> dict[str, Any]:
    """All that a batch follows from; its name and the secret of its ids are digests of it."""
    plain = {field.name: getattr(spec, field.name) for field in dataclasses.fields(spec)}
    del plain["rubric"]
    answers = [
        [candidate.example.id, [candidate.answers[number] for number in spec.rounds]]
        for candidate in chosen
    ]
    # Where a row stands in its file is nothing of the batch.
    examples = [to_json(candidate.example) | {"place": ""} for candidate in chosen]
    return {
        **to_json(plain),
        "overlap": spec.share,
        "rubric": spec.rubric.digest,
        "answers": digest(answers),
        "examples": digest(examples),
    }


def check_meta(rubric: Rubric, chosen: Sequence[Candidate]) -> None:
    """Raises UsageError for a field of ``show.meta`` that is missing, or tells examples apart."""
    fields = sorted({name for candidate in chosen for name in candidate.example.meta})
    for field in rubric.show.meta:
        if field not in fields:
            hint = f"there are: {', '.join(fields)}" if fields else "the examples have none"
            raise UsageError(
                f"rubric {rubric.id} shows the field '{field}', and no example has it"
                f"{near(field, fields)}",
                hint=hint,
            )
        if any(candidate.example.meta.get(field) == candidate.example.id for candidate in chosen):
            raise UsageError(
                f"rubric {rubric.id} shows the field '{field}', which holds the examples' ids; "
                "raters must not be able to tell them",
                hint="take it out of show.meta",
            )


def compose(name: str, spec: BatchSpec, chosen: Sequence[Candidate], secret: str) -> Batch:
    """The batch of a sample; everything that is drawn by lot follows from the secret."""
    ids = assignment.opaque_ids(secret)
    assigned = assignment.raters_of(len(chosen), spec.raters, spec.share, spec.several, secret)
    swapped = assignment.sides(assigned, secret)
    items: dict[str, Item] = {}
    placings: dict[str, Placing] = {}
    items_of: dict[str, list[str]] = {rater: [] for rater in spec.raters}
    for candidate, raters, turned in zip(chosen, assigned, swapped, strict=True):
        example = candidate.example
        for rounds in _shown_rounds(spec, turned):
            identifier = next(ids)
            answers = [candidate.answers[number] for number in rounds]
            items[identifier] = item_of(identifier, example, answers, spec.rubric)
            placings[identifier] = Placing(
                identifier, example.id, BASE_ARM, rounds, spec.split, example.group or example.id
            )
            for rater in raters:
                items_of[rater].append(identifier)
    assignments: dict[str, tuple[str, ...]] = {}
    for rater in spec.raters:
        order = assignment.order(rater, items_of[rater], secret)
        copies = []
        for original in assignment.repeated(rater, order, spec.repeats, secret):
            copy = next(ids)
            items[copy] = dataclasses.replace(items[original], id=copy)
            placings[copy] = dataclasses.replace(placings[original], item=copy, repeat_of=original)
            copies.append(copy)
        assignments[rater] = tuple(assignment.with_repeats(rater, order, copies, secret))
    # Items in the order of their ids, which are drawn by lot, tell nothing.
    return Batch(
        name, spec.run, spec.rubric, spec.strategy, spec.seed, spec.raters, assignments,
        tuple(items[item] for item in sorted(items)),
        {item: placings[item] for item in sorted(placings)},
        datetime.now(UTC).date().isoformat(), spec.strategy in VERDICTS,
    )  # fmt: skip


def _shown_rounds(spec: BatchSpec, turned: bool) -> list[tuple[int, ...]]:
    """The rounds of each item that an example becomes: one pair, or each answer by itself."""
    if not spec.rubric.pairwise:
        return [(number,) for number in spec.rounds]
    return [spec.rounds[::-1] if turned else spec.rounds]


def item_of(identifier: str, example: Example, answers: Sequence[str], rubric: Rubric) -> Item:
    """What raters and judges see of an example; keys of messages unknown here are left out."""
    show = rubric.show
    messages = tuple(
        {key: message[key] for key in _MESSAGE_KEYS if key in message}
        for message in example.messages
        if show.system_prompt != "never" or message.get("role") not in SYSTEM_ROLES
    )
    references = () if show.reference == "never" else example.references
    meta = {name: example.meta[name] for name in show.meta if name in example.meta}
    return Item(identifier, messages, tuple(answers), references, meta)
