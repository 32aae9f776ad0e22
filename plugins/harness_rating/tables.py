"""What raters said of a run's answers, as rows of tables: for its database and its reports.

Without ratings this is cheap: NumPy is loaded only where there is something to compute.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness import BASE_ARM, Annotated, AnnotatedRun, AnswerValues, HarnessError
from harness_rating.batches.records import FOLDER, SETTLED, Batch, Rating
from harness_rating.exchange.exporting import rows_for_store
from harness_rating.ratings.error_categories import NamedErrors, named_errors, named_rows
from harness_rating.ratings.folder import RatingsFolder
from harness_rating.ratings.progress import BatchStatus, status
from harness_rating.ratings.resolved import OVERALL

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Said:
    """One batch with what was said in it."""

    batch: Batch
    status: BatchStatus
    ratings: Sequence[Rating]
    settled: Sequence[Rating]
    seconds: Mapping[tuple[str, str], float]


def said_of(run: AnnotatedRun) -> Annotated:
    """All that raters said of a run's answers, with what it comes to.

    A batch that is damaged is named in a note, and harms no other.
    """
    folder = RatingsFolder(run.folder / FOLDER)
    of_run = folder.of_run(run.name)
    tables: dict[str, list[Row]] = {}
    named: list[NamedErrors] = []
    notes = list(of_run.notes)
    values: AnswerValues | None = None
    for batch in of_run.batches:
        try:
            said = _read(batch, folder)
            rows = {"batches": [_batch(said)], "ratings": list(_ratings(said))}
            if said.ratings:
                values = run.values() if values is None else values
                rows |= _computed(said, values, run.level)
            named.append(named_errors(batch, [*said.ratings, *said.settled]))
        except HarnessError as error:
            notes.append(f"the ratings of batch {batch.name} are left out: {error.what}")
            continue
        for name, more in rows.items():
            tables.setdefault(name, []).extend(more)
    if rows_of_all := named_rows(named):
        tables["named_errors"] = [*rows_of_all]
    return Annotated(tables, notes, names_errors=_named_on_dev(tables.get("named_errors", ())))


def _named_on_dev(rows: Iterable[Row]) -> bool:
    return any(row["arm"] == BASE_ARM and row["split"] == "dev" for row in rows)


def _read(batch: Batch, folder: RatingsFolder) -> _Said:
    given = [rating for rater in batch.raters for rating in folder.given(batch, rater)]
    progress, settled = status(batch, folder), folder.settled(batch)
    return _Said(batch, progress, given, settled, folder.seconds(batch))


def _head(batch: Batch) -> dict[str, Any]:
    return {"batch": batch.name, "rubric": batch.rubric.id, "version": batch.rubric.version}


def _batch(said: _Said) -> Row:
    batch = said.batch
    return {
        **_head(batch),
        "title": batch.rubric.title,
        "strategy": batch.strategy,
        "verdicts": batch.verdicts,
        "split": ", ".join(sorted({placing.split for placing in batch.placings.values()})),
        "rounds": batch.rounds,
        "raters": list(batch.raters),
        "items": said.status.items,
        "rated": said.status.rated,
        "created": batch.created,
    }


def _ratings(said: _Said) -> Iterator[Row]:
    batch = said.batch
    of = {one.id: one for one in batch.rubric.criteria}
    given = [one for one in (*said.ratings, *said.settled) if one.criterion in of]
    for row in rows_for_store(batch, given):
        criterion = of[row["criterion"]]
        yield {
            **_head(batch),
            **row,
            "split": batch.placings[row["item"]].split,
            "scale": criterion.scale.kind,
            "use_as": criterion.use_as,
            "settled": row["rater"].startswith(SETTLED),
            "rated_at": row["at"],
        }


def _computed(said: _Said, values: AnswerValues, level: float) -> dict[str, list[Row]]:
    """What needs statistics."""
    from harness_rating.agreement.document import agreement_of
    from harness_rating.outcomes.outcomes import outcomes_of
    from harness_rating.outcomes.validity import validity_of

    everything = [*said.ratings, *said.settled]
    outcomes = outcomes_of(said.batch, everything, level=level)
    agreed = agreement_of(said.batch, said.ratings, seconds=said.seconds)
    valid = validity_of(
        said.batch, everything, values.scores, lower_is_better=values.lower_is_better
    )
    return {
        "rating_scores": [_score(said.batch, part) for part in outcomes["scores"]],
        "rated_answers": list(_answers(said.batch, everything)),
        "win_rates": [_win_rate(said.batch, part) for part in outcomes["comparisons"]],
        "agreement": [_agreement(said.batch, part) for part in _parts(said.batch, agreed)],
        "raters": list(_raters(said, agreed)),
        "validity": list(_validity(said.batch, valid)),
    }


def _position(batch: Batch, criterion: str) -> int:
    """The criterion's place in the rubric; the overall score comes first."""
    names = [OVERALL, *(one.id for one in batch.rubric.criteria)]
    return names.index(criterion) if criterion in names else len(names)


def _criterion(batch: Batch, part: Row) -> dict[str, Any]:
    name = part["criterion"] if "criterion" in part else part["id"]
    return {
        **_head(batch),
        "criterion": name,
        "title": part["title"],
        "position": _position(batch, name),
    }


def _figure(name: str, figure: Row | None) -> dict[str, Any]:
    """A figure as three columns."""
    figure = figure or {"value": None, "low": None, "high": None}
    return {name: figure["value"], f"{name}_low": figure["low"], f"{name}_high": figure["high"]}


def _score(batch: Batch, score: Row) -> Row:
    fields = ("arm", "round", "value", "low", "high", "n", "groups", "unrated")
    return {**_criterion(batch, score), **{name: score[name] for name in fields}}


def _answers(batch: Batch, ratings: Iterable[Rating]) -> Iterator[Row]:
    """Each answer that was rated by itself, with its overall score; nothing of pairs."""
    from harness_rating.outcomes.validity import overall_scores

    items = {} if batch.rubric.pairwise else overall_scores(batch, ratings)
    for item, value in items.items():
        placing = batch.placings[item]
        yield {
            **_head(batch),
            "arm": placing.arm,
            "round": placing.rounds[0],
            "split": placing.split,
            "example_id": placing.example_id,
            "value": value,
            "passes": value >= batch.rubric.overall.right_at,
        }


def _win_rate(batch: Batch, comparison: Row) -> Row:
    fields = (
        "arm", "round", "against", "n", "groups", "wins", "ties", "losses", "label", "low",
        "high", "level", "detectable", "sentence",
    )  # fmt: skip
    return {
        **_criterion(batch, comparison),
        **{name: comparison[name] for name in fields},
        **_figure("win_rate", comparison["win_rate"]),
        **_figure("difference", comparison["difference"]),
    }


def _parts(batch: Batch, agreed: Row) -> list[Row]:
    """The agreement document's criteria; the overall score first, where several make it up."""
    overall = agreed["overall"]
    several = sum(one.scores for one in batch.rubric.criteria) > 1
    first = [{**overall, "id": OVERALL, "title": "Overall"}] if overall and several else []
    return [*first, *agreed["criteria"]]


def _agreement(batch: Batch, part: Row) -> Row:
    alpha = part["alpha"]
    return {
        **_criterion(batch, part),
        "kind": part["kind"],
        "n": part["items_rated_twice"],
        **_figure("alpha", alpha),
        **_figure("kappa", part["kappa"]["mean"]),
        "raw": part["raw"]["value"],
        "why": alpha["why"] or None,
        "sentence": next(iter(part["sentences"]), None),
    }


def _raters(said: _Said, agreed: Row) -> Iterator[Row]:
    """A row for each rater and criterion, whatever is known of it."""
    seconds = {one["rater"]: one["median"] for one in agreed["time"]["raters"]}
    done = {one.rater: one.done for one in said.status.raters}
    for part, rater in itertools.product(_parts(said.batch, agreed), said.batch.raters):
        strict = _of(part["severity"], rater)
        steady = _of(part["consistency"], rater)
        yield {
            **_criterion(said.batch, part),
            "rater": rater,
            "done": done.get(rater, 0),
            "seconds": seconds.get(rater),
            **_figure("severity", strict),
            "n": strict["n"] if strict else 0,
            **_figure("same", steady and {**steady, "value": steady["same"]}),
            "repeats": steady["repeats"] if steady else 0,
        }


def _of(rows: Iterable[Row], rater: str) -> Row | None:
    return next((row for row in rows if row["rater"] == rater), None)


def _validity(batch: Batch, valid: Row) -> Iterator[Row]:
    for metric, view in itertools.product(valid["metrics"], ("answers", "differences")):
        figures = metric[view]
        if figures is None:
            continue
        yield {
            **_head(batch),
            "metric": metric["metric"],
            "view": view,
            "n": figures["n"],
            "groups": figures["groups"],
            **_figure("accuracy", figures["accuracy"]),
            "accuracy_groups": figures["accuracy"]["groups"],
            "sentence": figures["sentence"],
        }
