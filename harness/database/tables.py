"""The private tables of the run's database: columns, the order of rows, and what the rows are.

Rows come in groups: what holds for all rows of a group, and its rows. The two together name every
column of the table. A record is the row of its fields; those that are no column are left out.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from harness.database.columns import Layout, Row, layout
from harness.database.contents import Answers, ArmRound, RunContents
from harness.database.slices import is_stored, stored_features, where_sql
from harness.kit.features import prompt_features
from harness.records import Example, Measurement, RoundResult

Groups = Iterable[tuple[Row, Iterable[Row]]]
Maker = Callable[[RunContents], Groups]

TABLES: dict[str, tuple[Layout, Maker]] = {}
"""Table -> its layout, and what makes its rows of a run's contents."""


def _table(order: str, columns: str) -> Callable[[Maker], Maker]:
    """Declares the table that has the name of the function, which makes its rows."""

    def declare(maker: Maker) -> Maker:
        TABLES[maker.__name__] = (layout(order, columns), maker)
        return maker

    return declare


@functools.cache
def _getter(kind: Any) -> tuple[tuple[str, ...], Callable[[Any], tuple[Any, ...]]]:
    return kind.__slots__, operator.attrgetter(*kind.__slots__)


def _fields(record: Any) -> dict[str, Any]:
    """Field -> value of a record, and nothing below them."""
    kind: Any = type(record)
    names, values = _getter(kind)
    return dict(zip(names, values(record), strict=True))


def _round(place: RoundResult | ArmRound) -> Row:
    arm, number = (place.arm, place.round) if isinstance(place, RoundResult) else place
    return {"arm": arm, "round": number}


def _answers(answers: Answers) -> Row:
    return {"arm": answers.arm, "round": answers.round, "split": answers.split}


def _first_reference(row: Example) -> str | None:
    return row.references[0] if row.references else None


@_table("run", "run:s primary_score:s kept_round:i config:j facts:j")
def runs(contents: RunContents) -> Groups:
    yield {"primary_score": contents.primary}, [_fields(contents)]


@_table("arm", "arm:s changes:j")
def arms(contents: RunContents) -> Groups:
    yield {}, ({"arm": arm, "changes": changes} for arm, changes in contents.arms.items())


@_table(
    "arm, round",
    "arm:s round:i train_rows:i score:f score_low:f score_high:f label:s against:s "
    "difference:f low:f high:f level:f detectable:f kept:b added:i sentence:s",
)
def rounds(contents: RunContents) -> Groups:
    for result in contents.rounds:
        score = result.scores.get(contents.primary)
        shared = {
            "score": score.value if score else None,
            "score_low": score.low if score else None,
            "score_high": score.high if score else None,
            "added": result.growth.added if result.growth else 0,
        }
        yield shared, [_fields(result) | _fields(result.verdict)]


_SCORE = "name:s value:f low:f high:f n:i unscored:i higher_is_better:b signature:s caveat:s"


@_table("arm, round, split, name", f"arm:s round:i split:s {_SCORE}")
def scores(contents: RunContents) -> Groups:
    """Those of dev are the round's, those of test come with the answers."""
    for result in contents.rounds:
        yield {**_round(result), "split": "dev"}, map(_fields, result.scores.values())
    for answers in contents.answers:
        if answers.split != "dev":
            yield _answers(answers), map(_fields, answers.scores.values())


@_table(
    "split, id",
    "id:s split:s group_id:s prompt:s reference:s all_references:l features:j meta:j messages:j "
    "place:s",
)
def examples(contents: RunContents) -> Groups:
    yield (
        {},
        (
            _fields(row)
            | {
                "group_id": row.group,
                "prompt": row.prompt,
                "reference": _first_reference(row),
                "all_references": row.references,
                "features": prompt_features(row),
            }
            for row in contents.examples
        ),
    )


_CORE_ORIGIN = ("by", "round", "slice")


def _how_it_was_made(row: Example) -> dict[str, Any] | None:
    """What an augmenter says of how it made the row, beside what the core knows of it."""
    origin = row.origin or {}
    return {name: origin[name] for name in origin if name not in _CORE_ORIGIN} or None


@_table(
    "arm, round, position",
    "arm:s round:i position:i id:s made_by:s slice:s parent:s made:j prompt:s reference:s",
)
def added(contents: RunContents) -> Groups:
    for arm, rows in contents.added.items():
        yield (
            {"arm": arm},
            (
                {
                    "round": (row.origin or {}).get("round"),
                    "position": position,
                    "id": row.id,
                    "made_by": (row.origin or {}).get("by"),
                    "slice": (row.origin or {}).get("slice"),
                    "parent": row.parent,
                    "made": _how_it_was_made(row),
                    "prompt": row.prompt,
                    "reference": _first_reference(row),
                }
                for position, row in enumerate(rows)
            ),
        )


@_table(
    "arm, round, split, id, sample_index",
    "arm:s round:i split:s id:s sample_index:i text:s finish_reason:s prompt_tokens:i "
    "completion_tokens:i reply_words:i",
)
def predictions(contents: RunContents) -> Groups:
    for answers in contents.answers:
        yield (
            _answers(answers),
            (
                _fields(row)
                | {
                    "id": row.example_id,
                    "sample_index": row.sample,
                    "reply_words": len(row.text.split()),
                }
                for row in answers.predictions
            ),
        )


_OWN_SCORE = "arm:s round:i split:s id:s name:s value:f entry:s error:s"


@_table("arm, round, split, id, name", _OWN_SCORE)
def example_scores(contents: RunContents) -> Groups:
    for answers in contents.answers:
        yield _answers(answers), _own_scores(answers.measurements)


@_table("arm, round, split, name, signature", f"arm:s round:i split:s {_SCORE}")
def rescores(contents: RunContents) -> Groups:
    for answers in contents.answers:
        for rescored in answers.rescored:
            yield _answers(answers), map(_fields, rescored.scores.values())


@_table("arm, round, split, id, name, signature", f"{_OWN_SCORE} signature:s")
def example_rescores(contents: RunContents) -> Groups:
    for answers in contents.answers:
        for rescored in answers.rescored:
            signature = next(iter(rescored.scores.values())).signature
            shared = {**_answers(answers), "signature": signature}
            yield shared, _own_scores(rescored.measurements)


def _own_scores(measurements: Sequence[Measurement]) -> Iterator[Row]:
    """A row for each score of each answer; a score that an answer lacks is null."""
    names: dict[str, tuple[str, ...]] = {}
    for row in measurements:
        if row.values:
            names.setdefault(row.entry, tuple(row.values))
    for row in measurements:
        # An entry that scored nothing has no names: it is shown under its own.
        for name in names.get(row.entry, (row.entry,)):
            yield {
                "id": row.example_id,
                "name": name,
                "value": row.values.get(name),
                "entry": row.entry,
                "error": row.error or None,
            }


@_table("arm, round, split, id", "arm:s round:i split:s id:s value:f is_right:b")
def outcomes(contents: RunContents) -> Groups:
    """Each answer's primary score, and whether it counts as right."""
    for answers in contents.answers:
        values = {
            row.example_id: row.values[contents.primary]
            for row in answers.measurements
            if contents.primary in row.values
        }
        rows = [
            {"id": id_, "value": values.get(id_), "is_right": answers.right.get(id_)}
            for id_ in (row.example_id for row in answers.predictions)
        ]
        yield _answers(answers), rows


@_table("arm, round, id, cause", "arm:s round:i id:s cause:s evidence:s remedy:s train_rows:l")
def diagnoses(contents: RunContents) -> Groups:
    for place, of_answer in contents.diagnoses.items():
        yield (
            _round(place),
            (
                _fields(diagnosis) | {"id": diagnosis.example_id, "train_rows": diagnosis.rows}
                for diagnosis in of_answer
            ),
        )


@_table(
    "arm, round, name",
    "arm:s round:i name:s state:s largest_loss:f refuses:b label:s against:s "
    "difference:f low:f high:f n:i sentence:s",
)
def guards(contents: RunContents) -> Groups:
    for result in contents.rounds:
        # Both have a sentence: the guard's own is stored.
        yield _round(result), (_fields(guard.verdict) | _fields(guard) for guard in result.guards)


@_table("arm, round, position", "arm:s round:i position:i what:s sentence:s figures:j")
def remarks(contents: RunContents) -> Groups:
    for result in contents.rounds:
        of_verdict = enumerate(result.verdict.remarks)
        yield _round(result), (_fields(each) | {"position": place} for place, each in of_verdict)


@_table("arm, round, slice, id", "arm:s round:i slice:s id:s")
def slice_members(contents: RunContents) -> Groups:
    """Filled from the other tables, by the SQL of each slice."""
    return ()


@_table(
    "arm, round, split, id, category, evidence",
    "arm:s round:i split:s id:s category:s cause:s evidence:s found_by:s",
)
def errors(contents: RunContents) -> Groups:
    for answers in contents.answers:
        yield (
            _answers(answers),
            (
                _fields(label) | {"id": label.example_id, "cause": label.cause or None}
                for label in answers.labels
            ),
        )


@_table(
    "arm, round, gap DESC NULLS LAST, slice",
    "arm:s round:i slice:s n:i groups:i score:f gap:f low:f high:f q:f from_prompt:b "
    "holds:b half:i shrunken:f weight:f where_sql:s",
)
def slices(contents: RunContents) -> Groups:
    features = stored_features(contents)
    for place, weak in contents.slices.items():
        yield (
            _round(place),
            (
                _fields(item)
                | {
                    "slice": item.words,
                    "where_sql": where_sql(item) if is_stored(item, features) else None,
                }
                for item in weak
            ),
        )


@_table(
    "arm, round, position",
    "arm:s round:i position:i strategy:s slice:s n:i gap:f low:f high:f rows:i remedy:s reason:s",
)
def plans(contents: RunContents) -> Groups:
    everywhere = {"n": None, "gap": None, "low": None, "high": None}
    for result in contents.rounds:
        if result.plan:
            yield (
                {**_round(result), "strategy": result.plan.strategy},
                (
                    (_fields(item.slice) if item.slice else everywhere)
                    | _fields(item)
                    | {
                        "position": position,
                        "slice": item.slice.words if item.slice else "everywhere",
                    }
                    for position, item in enumerate(result.plan.items)
                ),
            )


@_table("arm, round, reason", "arm:s round:i reason:s rows:i")
def filters(contents: RunContents) -> Groups:
    for result in contents.rounds:
        if result.growth:
            refused = result.growth.refused
            yield _round(result), ({"reason": name, "rows": n} for name, n in refused.items())


@_table("arm, round, step", "arm:s round:i step:i epoch:f loss:f eval_loss:f score:f")
def training(contents: RunContents) -> Groups:
    """A row for each step, of which a log may have several lines."""
    for place, log in contents.logs.items():
        steps: dict[int, dict[str, Any]] = {}
        for line in log:
            if isinstance(line.get("step"), int):
                nothing = dict.fromkeys(("epoch", "loss", "eval_loss", "score"))
                row = steps.setdefault(line["step"], {"step": line["step"], **nothing})
                row |= {name: line[name] for name in row if line.get(name) is not None}
        yield _round(place), steps.values()
