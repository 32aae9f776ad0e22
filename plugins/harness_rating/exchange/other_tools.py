"""Ratings in the forms of other annotation tools, by their public documentation.

Label Studio: JSON of annotated tasks, with the labelling configuration that they belong to.
Argilla: the records that ``rg.Dataset.records.from_json`` reads.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from xml.sax.saxutils import quoteattr

from harness import Criterion, Item
from harness.kit.files import digest
from harness.kit.text import storable
from harness_rating.batches.records import Batch
from harness_rating.ratings.folder import RatingsFolder
from harness_rating.ratings.folding import ItemState
from harness_rating.rubric.scales import label, options

_RATERS = uuid.UUID("5f0b4a52-6f5c-4d0e-8a57-3c1f6f2f5d11")
_ARGILLA_MOST = 10
_STARS = 10


def label_studio(batch: Batch, folder: RatingsFolder) -> bytes:
    tasks = [_task(batch, item, states) for item, states in _states(batch, folder)]
    return (json.dumps(tasks, indent=1) + "\n").encode()


def _states(batch: Batch, folder: RatingsFolder) -> Iterator[tuple[Item, dict[str, ItemState]]]:
    """Each item with rater -> state, of those who did something about it."""
    states_of: dict[str, dict[str, ItemState]] = {item.id: {} for item in batch.items}
    for rater in (*batch.raters, *folder.settlers(batch)):
        for state in folder.state(batch, rater).items:
            if state.at:
                states_of[state.item][rater] = state
    for item in batch.items:
        yield item, states_of[item.id]


def _texts(item: Item) -> dict[str, str]:
    names = ("answer",) if len(item.answers) == 1 else ("answer_a", "answer_b")
    texts = {"prompt": prompt(item), **dict(zip(names, item.answers, strict=True))}
    if item.references:
        texts["reference"] = item.references[0]
    return {name: storable(text) for name, text in texts.items()}


def _origin(batch: Batch, item: Item) -> dict[str, Any]:
    placing = batch.placings[item.id]
    return {
        "batch": batch.name, "rubric": batch.rubric_name, "item": item.id,
        "example": storable(placing.example_id), "arm": placing.arm,
        "rounds": list(placing.rounds), "split": placing.split, "repeat_of": placing.repeat_of,
    }  # fmt: skip


def _task(batch: Batch, item: Item, states: Mapping[str, ItemState]) -> dict[str, Any]:
    # Raters are named in the order of the annotations: the ids that `completed_by` takes are known
    # to a Label Studio server only.
    data = {**_texts(item), **_origin(batch, item), "raters": list(states)}
    annotations = [
        {
            "result": _results(batch, state),
            "was_cancelled": state.status == "skipped",
            "ground_truth": False,
            "lead_time": state.seconds,
        }
        for state in states.values()
    ]
    return {"data": data, "annotations": annotations}


def _results(batch: Batch, state: ItemState) -> list[dict[str, Any]]:
    results = []
    for criterion in batch.rubric.criteria:
        if criterion.id in state.values:
            results.append(_result(batch, criterion, state.values[criterion.id]))
    if state.comment:
        results.append(_labelled(batch, "comment", "textarea", {"text": [storable(state.comment)]}))
    return results


def _result(batch: Batch, criterion: Criterion, value: Any) -> dict[str, Any]:
    name = _control(criterion)
    if value is None:
        return _labelled(batch, f"{name}-na", "choices", {"choices": [label(None)]})
    tag = _tag(criterion)
    if tag == "textarea":
        return _labelled(batch, name, tag, {"text": [storable(value)]})
    if tag == "choices":
        chosen = value if isinstance(value, (list, tuple)) else [value]
        return _labelled(batch, name, tag, {tag: [label(choice) for choice in chosen]})
    return _labelled(batch, name, tag, {tag: value})


def _labelled(batch: Batch, name: str, tag: str, value: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": digest([name, value])[:10], "from_name": name, "to_name": _target(batch),
        "type": tag, "value": dict(value),
    }  # fmt: skip


def _target(batch: Batch) -> str:
    return "prompt" if batch.rubric.pairwise else "answer"


def _control(criterion: Criterion) -> str:
    taken = ("prompt", "answer", "answer_a", "answer_b", "reference", "comment")
    return f"{criterion.id}-rating" if criterion.id in taken else criterion.id


def _tag(criterion: Criterion) -> str:
    scale = criterion.scale
    if scale.kind == "ordinal":
        return "rating" if scale.least == 1 and (scale.most or 0) <= _STARS else "number"
    return {"number": "number", "text": "textarea"}.get(scale.kind, "choices")


def labelling_config(batch: Batch) -> str:
    """The labelling configuration (XML) that the ``label-studio`` export belongs to."""
    target = _target(batch)
    shown = ["prompt", "answer_a", "answer_b"] if batch.rubric.pairwise else ["prompt", "answer"]
    lines = [f'  <Text name="{name}" value="${name}"/>' for name in shown]
    for criterion in batch.rubric.criteria:
        lines.append(f"  <Header value={quoteattr(storable(criterion.question))}/>")
        name, tag = _control(criterion), _tag(criterion)
        lines += _tag_lines(criterion, tag, f'name="{name}" toName="{target}"')
        if criterion.allow_na:
            place = f'name="{name}-na" toName="{target}"'
            lines += _choices(place, "multiple", [label(None)])
    lines.append(f'  <TextArea name="comment" toName="{target}"/>')
    return "<View>\n" + "\n".join(lines) + "\n</View>\n"


def _tag_lines(criterion: Criterion, tag: str, place: str) -> list[str]:
    scale = criterion.scale
    if tag == "rating":
        return [f'  <Rating {place} maxRating="{scale.most:g}"/>']
    if tag == "number":
        return [f'  <Number {place} min="{scale.least:g}" max="{scale.most:g}"/>']
    if tag == "textarea":
        return [f"  <TextArea {place}/>"]
    choice = "multiple" if scale.kind == "choices" else "single"
    return _choices(place, choice, [option.label for option in options(criterion)])


def _choices(place: str, how: str, labels: Sequence[str]) -> list[str]:
    values = [f"    <Choice value={quoteattr(storable(text))}/>" for text in labels]
    return [f'  <Choices {place} choice="{how}">', *values, "  </Choices>"]


def argilla(batch: Batch, folder: RatingsFolder) -> bytes:
    records = [_record(batch, item, states) for item, states in _states(batch, folder)]
    return (json.dumps(records, indent=1) + "\n").encode()


def _record(batch: Batch, item: Item, states: Mapping[str, ItemState]) -> dict[str, Any]:
    # Argilla knows users by UUID: each rater gets one, named beside it in the metadata.
    users = {rater: str(uuid.uuid5(_RATERS, rater)) for rater in states}
    origin = {name: value for name, value in _origin(batch, item).items() if value is not None}
    origin["rounds"] = " ".join(map(str, origin["rounds"]))
    responses: dict[str, list[dict[str, Any]]] = {}
    for rater, state in states.items():
        for criterion in batch.rubric.criteria:
            value = state.values.get(criterion.id)
            if value is not None:
                response = {"value": _argilla_value(criterion, value), "user_id": users[rater]}
                responses.setdefault(criterion.id, []).append(response)
        if state.comment:
            response = {"value": storable(state.comment), "user_id": users[rater]}
            responses.setdefault("comment", []).append(response)
    return {
        "id": item.id, "fields": _texts(item),
        "metadata": {**origin, "raters": list(users), "user_ids": list(users.values())},
        "suggestions": {}, "responses": responses, "vectors": {},
    }  # fmt: skip


def _argilla_value(criterion: Criterion, value: Any) -> Any:
    scale = criterion.scale
    if isinstance(value, (list, tuple)):
        return list(value)
    # Its rating questions take 0 to 10, all others text or a list of labels.
    least, most = scale.least or 0, scale.most or 0
    if scale.kind == "ordinal" and least >= 0 and most <= _ARGILLA_MOST:
        return value
    return storable(label(value))


def prompt(item: Item) -> str:
    """The conversation as one text."""
    turns = (f"{turn.get('role', '')}: {_content(turn.get('content'))}" for turn in item.messages)
    return "\n\n".join(turns)


def _content(content: Any) -> str:
    if isinstance(content, str) or content is None:
        return content or ""
    return json.dumps(content, ensure_ascii=False)
