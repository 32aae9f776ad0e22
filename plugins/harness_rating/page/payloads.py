"""What a browser is told, and what is believed of what it says.

Texts that came from data or a model are stripped of control and direction characters here; the
page shows them as text and never as markup.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from typing import Any

from harness import LONGEST_TEXT, Criterion, DataError, Item, Rubric
from harness.kit.strict_json import Fault
from harness.kit.text import plain, storable
from harness_rating.batches.records import REVIEW, Batch, Event
from harness_rating.ratings.events import browser_json, problem
from harness_rating.rubric import conditions
from harness_rating.rubric.scales import label, na_key, options
from harness_rating.rubric.scoring import check_value

Said = Mapping[str, Sequence[Any]]
"""Criterion -> the values that raters gave, without their names."""
_FIELDS = {"id", "item", "criterion", "kind", "value", "at", "seconds"}


STARTS = ("answer", "question")
"""The criteria of a review whose text begins as that of the row."""


def rubric(batch: Batch) -> dict[str, Any]:
    """The rubric as the page needs it; nothing of judges, weights or thresholds."""
    given, reviews = batch.rubric, batch.strategy == REVIEW
    return {
        "title": plain(given.title),
        "language": given.language,
        "instructions": plain(given.instructions),
        "reference": given.show.reference,
        "criteria": [
            {**_criterion(criterion), "starts": reviews and criterion.id in STARTS}
            for criterion in given.criteria
        ],
        "longest": LONGEST_TEXT,
    }


def _criterion(given: Criterion) -> dict[str, Any]:
    scale = given.scale
    return {
        "id": given.id,
        "title": plain(given.title),
        "question": plain(given.question),
        "kind": scale.kind,
        "least": scale.least,
        "most": scale.most,
        "options": [
            {"value": o.value, "label": plain(o.label), "words": plain(o.words), "key": o.key}
            for o in options(given)
        ],
        "anchors": {str(key): plain(text) for key, text in scale.anchors.items()},
        "na": na_key(given) if given.allow_na else None,
        "required": given.required,
        "when": None if given.ask_if is None else conditions.tree(given.ask_if),
    }


def item(
    given: Item, shown: Rubric, *, reference: bool, said: Said | None = None
) -> dict[str, Any]:
    """An item as the page needs it.

    Args:
        reference: whether the references may be told; else they are None.
        said: what raters answered, for who settles what they disagree on.
    """
    system = shown.show.system_prompt
    turns = [turn for turn in given.messages if system or turn.get("role") != "system"]
    meta = {key: given.meta[key] for key in shown.show.meta if key in given.meta}
    return {
        "id": given.id,
        "messages": [_turn(turn) for turn in turns],
        "answers": [plain(text) for text in given.answers],
        "references": [plain(text) for text in given.references] if reference else None,
        "meta": [[plain(str(key)), plain(str(value))] for key, value in meta.items()],
        "said": {
            key: [plain(label(one)) for one in values] for key, values in (said or {}).items()
        },
    }


def _turn(turn: Mapping[str, Any]) -> dict[str, str]:
    content = turn.get("content")
    if isinstance(content, list):
        parts = [part.get("text") for part in content if isinstance(part, Mapping)]
        content = "\n".join(part for part in parts if isinstance(part, str))
    calls = turn.get("tool_calls")
    texts = [content if isinstance(content, str) else "" if content is None else str(content)]
    texts += [json.dumps(calls, ensure_ascii=False, indent=1, default=str)] if calls else []
    return {"role": plain(str(turn.get("role", ""))), "text": plain("\n".join(filter(None, texts)))}


def own(event: Event) -> dict[str, Any]:
    """A rater's own event, for the rater's own browser."""
    return {name: getattr(event, name) for name in sorted(_FIELDS)}


def document(body: bytes) -> Any:
    """The JSON value of a request.

    Raises:
        DataError: it is none, or one that is read differently by different programs.
    """
    try:
        return browser_json(body)
    except Fault:
        raise DataError("this is no valid JSON") from None


def event(batch: Batch, rater: str, data: Any) -> Event:
    """The event that a browser tells of, once every part of it is right.

    Raises:
        DataError: it is no event that this rater can have made of this batch.
    """
    if not isinstance(data, dict) or not _FIELDS <= data.keys() <= {*_FIELDS, "rater"}:
        raise DataError("an event has the fields " + ", ".join(sorted(_FIELDS)))
    if not all(isinstance(data[name], str) for name in ("id", "item", "criterion", "kind", "at")):
        raise DataError("id, item, criterion, kind and at are texts")
    found = Event(**{name: data[name] for name in _FIELDS}, rater=rater)
    if wrong := problem(batch, found):
        raise DataError(wrong)
    return dataclasses.replace(found, value=_stored(batch.rubric, found))


def _stored(shown: Rubric, given: Event) -> Any:
    if given.kind == "set":
        return check_value(shown.criterion(given.criterion), given.value)
    return storable(given.value) if isinstance(given.value, str) else given.value


def maker(data: Any, rater: str) -> Any:
    """Who says that they made an event; ``rater`` where it does not say."""
    return data.get("rater", rater) if isinstance(data, dict) else rater


def claimed(data: Any) -> str:
    """The id that a refused event goes by, or an empty text."""
    found = data.get("id") if isinstance(data, dict) else None
    return found if isinstance(found, str) and len(found) <= 64 else ""
