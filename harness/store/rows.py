"""Records as the rows of the run's database, in batches of columns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar

from harness.kit.features import prompt_features
from harness.records import Measurement, Score
from harness.store.columns import Batch
from harness.store.contents import Answers, RunContents
from harness.store.slices import is_stored, stored_features, where_sql

BLOCK = 20_000
Item = TypeVar("Item")


def batches(name: str, contents: RunContents) -> Iterator[Batch]:
    """The rows of one table, in batches of a bounded number of rows."""
    rows: Callable[[RunContents], Iterator[Batch]] = _ROWS[name]
    return rows(contents)


def _blocks(items: Iterable[Item]) -> Iterator[list[Item]]:
    iterator = iter(items)
    while block := list(islice(iterator, BLOCK)):
        yield block


def _columns(rows: Iterable[Mapping[str, Any]]) -> Iterator[Batch]:
    """Rows as batches of columns: for the small tables, where clarity beats speed."""
    for block in _blocks(rows):
        yield {name: [row[name] for row in block] for name in block[0]}


def _runs(contents: RunContents) -> Iterator[Batch]:
    yield {
        "run": [contents.run],
        "primary_score": contents.primary,
        "kept_round": contents.kept_round,
        "config": contents.config,
        "facts": contents.facts,
    }


def _arms(contents: RunContents) -> Iterator[Batch]:
    return _columns({"arm": arm, "changes": changes} for arm, changes in contents.arms.items())


def _rounds(contents: RunContents) -> Iterator[Batch]:
    for result in contents.rounds:
        verdict, score = result.verdict, result.scores.get(contents.primary)
        yield {
            "arm": [result.arm],
            "round": result.round,
            "train_rows": result.train_rows,
            "score": score.value if score else None,
            "score_low": score.low if score else None,
            "score_high": score.high if score else None,
            "label": verdict.label,
            "against": verdict.against,
            "difference": verdict.difference,
            "low": verdict.low,
            "high": verdict.high,
            "level": verdict.level,
            "detectable": verdict.detectable,
            "kept": result.kept,
            "added": result.growth.added if result.growth else 0,
            "sentence": verdict.sentence,
        }


def _scores(contents: RunContents) -> Iterator[Batch]:
    sets = [(result.arm, result.round, "dev", result.scores) for result in contents.rounds]
    sets += [(a.arm, a.round, a.split, a.scores) for a in contents.answers if a.split != "dev"]
    for arm, number, split, scores in sets:
        if scores:
            yield {"arm": arm, "round": number, "split": split, **_of_scores(scores)}


def _of_scores(scores: Mapping[str, Score]) -> Batch:
    fields = (
        "name", "value", "low", "high", "n", "unscored", "higher_is_better", "signature",
        "caveat",
    )  # fmt: skip
    return {name: [getattr(score, name) for score in scores.values()] for name in fields}


def _rescores(contents: RunContents) -> Iterator[Batch]:
    for answers in contents.answers:
        for again in answers.rescored:
            yield {**_place(answers), **_of_scores(again.scores)}


def _example_rescores(contents: RunContents) -> Iterator[Batch]:
    for answers in contents.answers:
        for again in answers.rescored:
            signature = next(iter(again.scores.values())).signature
            for batch in _own_values(again.measurements):
                yield {**_place(answers), **batch, "signature": signature}


def _examples(contents: RunContents) -> Iterator[Batch]:
    for block in _blocks(contents.examples):
        yield {
            "id": [row.id for row in block],
            "split": [row.split for row in block],
            "group_id": [row.group for row in block],
            "prompt": [row.prompt for row in block],
            "reference": [row.references[0] if row.references else None for row in block],
            "all_references": [row.references for row in block],
            "features": [prompt_features(row) for row in block],
            "meta": [row.meta for row in block],
            "messages": [row.messages for row in block],
            "place": [row.place for row in block],
        }


def _added(contents: RunContents) -> Iterator[Batch]:
    return _columns(
        {
            "arm": arm,
            "round": (row.origin or {}).get("round"),
            "position": position,
            "id": row.id,
            "made_by": (row.origin or {}).get("by"),
            "slice": (row.origin or {}).get("slice"),
            "parent": row.parent,
            "prompt": row.prompt,
            "reference": row.references[0] if row.references else None,
        }
        for arm, rows in contents.added.items()
        for position, row in enumerate(rows)
    )


def _predictions(contents: RunContents) -> Iterator[Batch]:
    for answers in contents.answers:
        for block in _blocks(answers.predictions):
            yield {
                **_place(answers),
                "id": [row.example_id for row in block],
                "sample_index": [row.sample for row in block],
                "text": [row.text for row in block],
                "finish_reason": [row.finish_reason for row in block],
                "prompt_tokens": [row.prompt_tokens for row in block],
                "completion_tokens": [row.completion_tokens for row in block],
                "reply_words": [len(row.text.split()) for row in block],
            }


def _example_scores(contents: RunContents) -> Iterator[Batch]:
    for answers in contents.answers:
        for batch in _own_values(answers.measurements):
            yield {**_place(answers), **batch}


def _own_values(measurements: Sequence[Measurement]) -> Iterator[Batch]:
    entries: dict[str, list[Measurement]] = {}
    for row in measurements:
        entries.setdefault(row.entry, []).append(row)
    for entry, rows in entries.items():
        # An entry that scored nothing has no names: it is shown under its own.
        names = next((tuple(row.values) for row in rows if row.values), (entry,))
        for block in _blocks(rows):
            ids = [row.example_id for row in block]
            errors = [row.error or None for row in block]
            for name in names:
                yield {
                    "id": ids,
                    "name": name,
                    "value": [row.values.get(name) for row in block],
                    "entry": entry,
                    "error": errors,
                }


def _outcomes(contents: RunContents) -> Iterator[Batch]:
    """Each answer's primary score, and whether it counts as right."""
    for answers in contents.answers:
        values = {
            row.example_id: row.values[contents.primary]
            for row in answers.measurements
            if contents.primary in row.values
        }
        for block in _blocks(answers.predictions):
            ids = [row.example_id for row in block]
            yield {
                **_place(answers),
                "id": ids,
                "value": [values.get(name) for name in ids],
                "is_right": [answers.right.get(name) for name in ids],
            }


def _diagnoses(contents: RunContents) -> Iterator[Batch]:
    return _columns(
        {
            "arm": arm,
            "round": number,
            "id": one.example_id,
            "cause": one.cause,
            "evidence": one.evidence,
            "remedy": one.remedy,
            "train_rows": one.rows,
        }
        for (arm, number), found in contents.diagnoses.items()
        for one in found
    )


def _guards(contents: RunContents) -> Iterator[Batch]:
    fields = ("label", "against", "difference", "low", "high", "n")
    return _columns(
        {
            "arm": result.arm,
            "round": result.round,
            "name": guard.name,
            "state": guard.state,
            "largest_loss": guard.largest_loss,
            "refuses": guard.refuses,
            **{name: getattr(guard.verdict, name) for name in fields},
            "sentence": guard.sentence,
        }
        for result in contents.rounds
        for guard in result.guards
    )


def _errors(contents: RunContents) -> Iterator[Batch]:
    for answers in contents.answers:
        for block in _blocks(answers.labels):
            yield {
                **_place(answers),
                "id": [label.example_id for label in block],
                "category": [label.category for label in block],
                "cause": [label.cause or None for label in block],
                "evidence": [label.evidence for label in block],
                "found_by": [label.found_by for label in block],
            }


def _place(answers: Answers) -> dict[str, Any]:
    return {"arm": answers.arm, "round": answers.round, "split": answers.split}


def _slices(contents: RunContents) -> Iterator[Batch]:
    fields = (
        "n", "groups", "score", "gap", "low", "high", "q", "from_prompt", "holds", "half",
        "shrunken", "weight",
    )  # fmt: skip
    features = stored_features(contents)
    return _columns(
        {
            "arm": arm,
            "round": number,
            "slice": found.words,
            **{name: getattr(found, name) for name in fields},
            "where_sql": where_sql(found) if is_stored(found, features) else None,
        }
        for (arm, number), slices in contents.slices.items()
        for found in slices
    )


def _plans(contents: RunContents) -> Iterator[Batch]:
    return _columns(
        {
            "arm": result.arm,
            "round": result.round,
            "position": position,
            "strategy": result.plan.strategy,
            "slice": item.slice.words if item.slice else "everywhere",
            **{
                name: getattr(item.slice, name) if item.slice else None
                for name in ("n", "gap", "low", "high")
            },
            "rows": item.rows,
            "remedy": item.remedy,
            "reason": item.reason,
        }
        for result in contents.rounds
        if result.plan
        for position, item in enumerate(result.plan.items)
    )


def _filters(contents: RunContents) -> Iterator[Batch]:
    return _columns(
        {"arm": result.arm, "round": result.round, "reason": reason, "rows": rows}
        for result in contents.rounds
        if result.growth
        for reason, rows in result.growth.refused.items()
    )


def _training(contents: RunContents) -> Iterator[Batch]:
    for (arm, number), log in contents.logs.items():
        steps: dict[int, dict[str, Any]] = {}
        for line in log:
            if isinstance(line.get("step"), int):
                known = ("epoch", "loss", "eval_loss")
                found = {name: line[name] for name in known if line.get(name) is not None}
                steps.setdefault(line["step"], {}).update(found)
        yield from _columns(
            {
                "arm": arm,
                "round": number,
                "step": step,
                **{name: found.get(name) for name in ("epoch", "loss", "eval_loss")},
            }
            for step, found in steps.items()
        )


def _nothing(contents: RunContents) -> Iterator[Batch]:
    """For a table that is filled from the others."""
    return iter(())


_ROWS: Mapping[str, Callable[[RunContents], Iterator[Batch]]] = {
    "runs": _runs,
    "arms": _arms,
    "rounds": _rounds,
    "scores": _scores,
    "examples": _examples,
    "added": _added,
    "predictions": _predictions,
    "example_scores": _example_scores,
    "rescores": _rescores,
    "example_rescores": _example_rescores,
    "outcomes": _outcomes,
    "diagnoses": _diagnoses,
    "guards": _guards,
    "slice_members": _nothing,
    "errors": _errors,
    "slices": _slices,
    "plans": _plans,
    "filters": _filters,
    "training": _training,
}
