"""What a reader of a judge's scores has to know: whether it is calibrated, and errs."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from harness import Item, Judgement, Rubric
from harness_rating.batches.composing import item_of
from harness_rating.judge import judgements
from harness_rating.judge.calibration import Row, calibration_of, words_of
from harness_rating.judge.calibration_text import in_short
from harness_rating.judge.prompted import PromptedJudge
from harness_rating.ratings.by_answer import Key, key_of, single_answers, with_counts
from harness_rating.ratings.folder import RatingsFolder
from harness_rating.rubric_scores import Pairs


def items_of(rubric: Rubric, pairs: Pairs) -> list[Item]:
    """The answers as items; their ids are their places."""
    return [
        item_of(str(place), row, (answer.text,), rubric)
        for place, (answer, row) in enumerate(pairs)
    ]


def remark(rubric: Rubric, engine: PromptedJudge, pairs: Pairs, folder: RatingsFolder) -> str:
    """Calibrated or not and the rest of it, from what is kept alone."""
    rows = _rated(rubric, engine, folder)
    for (answer, row), item in zip(pairs, items_of(rubric, pairs), strict=True):
        key = key_of(row.id, answer.text)
        if key in rows:
            continue
        judged = engine.stored(item)
        if judged is not None:
            rows[key] = Row(row.group or row.id, words_of(item), (), judged)
    return in_short(calibration_of(rubric, list(rows.values())))


def calibrated(rubric: Rubric, engine: PromptedJudge, folder: RatingsFolder) -> bool:
    """Whether what raters have rated and what is kept agree as the rubric asks for."""
    rows = list(_rated(rubric, engine, folder).values())
    if len(rows) < judgements.settings(rubric).items:
        return False
    return bool(calibration_of(rubric, rows)["calibrated"])


def _rated(rubric: Rubric, engine: PromptedJudge, folder: RatingsFolder) -> dict[Key, Row]:
    """Answers that raters have rated, in whatever batch, and that the judge has judged."""
    rows: dict[Key, Row] = {}
    for batch in folder.by_rubric(rubric):
        rated, items = folder.complete(batch), batch.by_id
        for item, key in single_answers(batch).items():
            if item not in rated:
                continue
            values = list(rated[item].values())
            if key in rows:
                people = [*rows[key].people, *values]
                rows[key] = dataclasses.replace(rows[key], people=people)
                continue
            judged = engine.stored(items[item])
            if judged is not None:
                rows[key] = Row(batch.group(item), words_of(items[item]), values, judged)
    return rows


def statistics(rubric: Rubric, judged: dict[str, Judgement], names: Sequence[str]) -> list[float]:
    """The overall value and each criterion's, then 1 for each that is known.

    Raises:
        ValueError: something of what the judge said could not be read.
    """
    for name, judgement in judged.items():
        if judgement.error:
            raise ValueError(f"{name}: {judgement.error}")
    columns = [judgements.overall(rubric, judged)]
    for name in names:
        value = None
        if name in judged:
            value = judgements.score(rubric.criterion(name), judged[name])
        columns.append(value)
    return with_counts(tuple(columns))
