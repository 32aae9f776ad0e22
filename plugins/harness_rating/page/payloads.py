"""What a browser is told, and what is believed of what it says.

Texts that came from data or a model are stripped of control and direction characters here; the
page shows them as text and never as markup.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from harness import LONGEST_TEXT, SYSTEM_ROLES, Criterion, DataError, Item, Rubric
from harness.kit.shown_calls import readable, readable_turn
from harness.kit.strict_json import Fault
from harness.kit.text import plain, storable
from harness_rating.batches.records import REVIEW, Batch, Event
from harness_rating.ratings.events import browser_json, problem
from harness_rating.rubric import conditions
from harness_rating.rubric.scales import check, label, na_key, options

RaterValues = Mapping[str, Sequence[Any]]
"""Criterion -> the values that raters gave, without their names."""
_FIELDS = {"id", "item", "criterion", "kind", "value", "at", "seconds"}
STARTS = ("answer", "question")
"""The criteria of a review whose text begins as that of the row."""


def rubric(batch: Batch) -> dict[str, Any]:
    """The rubric as the page needs it; nothing of judges, weights or thresholds."""
    reviews = batch.strategy == REVIEW
    return {
        "title": plain(batch.rubric.title),
        "language": batch.rubric.language,
        "instructions": plain(batch.rubric.instructions),
        "reference": batch.rubric.show.reference,
        "criteria": [
            {**_criterion(criterion), "starts": reviews and criterion.id in STARTS}
            for criterion in batch.rubric.criteria
        ],
        "longest": LONGEST_TEXT,
    }


def _criterion(criterion: Criterion) -> dict[str, Any]:
    scale = criterion.scale
    return {
        "id": criterion.id,
        "title": plain(criterion.title),
        "question": plain(criterion.question),
        "kind": scale.kind,
        "least": scale.least,
        "most": scale.most,
        "options": [
            {
                "value": option.value,
                "label": plain(option.label),
                "words": plain(option.words),
                "key": option.key,
            }
            for option in options(criterion)
        ],
        "anchors": {str(key): plain(text) for key, text in scale.anchors.items()},
        "na": na_key(criterion) if criterion.allow_na else None,
        "required": criterion.required,
        "when": None if criterion.ask_if is None else conditions.tree(criterion.ask_if),
    }


def item(
    shown: Item, rubric: Rubric, *, reference: bool, values: RaterValues | None = None
) -> dict[str, Any]:
    """An item as the page needs it.

    Args:
        reference: whether the references may be told; else they are None.
        values: what raters gave, for who settles what they disagree on.
    """
    folds = rubric.show.system_prompt is not True
    meta = {key: shown.meta[key] for key in rubric.show.meta if key in shown.meta}
    # Who writes an answer sees calls of tools as they have to be written.
    writes = any(each.use_as == "reference" or each.id in STARTS for each in rubric.criteria)
    as_shown = plain if writes else lambda text: plain(readable(text))
    return {
        "id": shown.id,
        "messages": [
            _turn(turn) | ({"folded": True} if folds and turn.get("role") in SYSTEM_ROLES else {})
            for turn in shown.messages
        ],
        "answers": [as_shown(text) for text in shown.answers],
        "references": [as_shown(text) for text in shown.references] if reference else None,
        "meta": [[plain(str(key)), plain(str(value))] for key, value in meta.items()],
        "said": {
            criterion: [plain(label(value)) for value in of_criterion]
            for criterion, of_criterion in (values or {}).items()
        },
    }


def _turn(turn: Mapping[str, Any]) -> dict[str, Any]:
    return {"role": plain(str(turn.get("role", ""))), "text": plain(readable_turn(turn))}


def event(event: Event) -> dict[str, Any]:
    """A rater's own event, for the rater's own browser."""
    return {name: getattr(event, name) for name in sorted(_FIELDS)}


def read_body(body: bytes) -> Any:
    """The JSON value of a request.

    Raises:
        DataError: it is none, or one that is read differently by different programs.
    """
    try:
        return browser_json(body)
    except Fault:
        raise DataError("this is no valid JSON") from None


def read_event(batch: Batch, rater: str, data: Any) -> Event:
    """The event that a browser tells of, once every part of it is right.

    Raises:
        DataError: it is no event that this rater can have made of this batch.
    """
    if not isinstance(data, dict) or not _FIELDS <= data.keys() <= {*_FIELDS, "rater"}:
        raise DataError("an event has the fields " + ", ".join(sorted(_FIELDS)))
    if not all(isinstance(data[name], str) for name in ("id", "item", "criterion", "kind", "at")):
        raise DataError("id, item, criterion, kind and at are texts")
    event = Event(**{name: data[name] for name in _FIELDS}, rater=rater)
    if wrong := problem(batch, event):
        raise DataError(wrong)
    value = event.value
    if event.kind == "set":
        value = check(batch.rubric.criterion(event.criterion), value)
    elif isinstance(value, str):
        value = storable(value)
    return dataclasses.replace(event, value=value)


def claimed_rater(data: Any, rater: str) -> Any:
    """Who says that they made an event; ``rater`` where it does not say."""
    return data.get("rater", rater) if isinstance(data, dict) else rater


def claimed_id(data: Any) -> str:
    """The id that a refused event goes by, or an empty text."""
    identifier = data.get("id") if isinstance(data, dict) else None
    return identifier if isinstance(identifier, str) and len(identifier) <= 64 else ""
