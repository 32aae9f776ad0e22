"""What raters said of a run's answers, as rows of tables: for its database and its reports.

Without ratings this is cheap: NumPy is loaded only where there is something to compute.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness import BASE_ARM, Annotated, AnnotatedRun, AnswerValues, HarnessError
from harness_rating.batches.records import FOLDER, SETTLED, Batch, Rating
from harness_rating.exchange.exporting import rows_for_store
from harness_rating.ratings.folder import RatingsFolder
from harness_rating.ratings.progress import BatchStatus, status
from harness_rating.ratings.resolved import OVERALL, adjudicated, category_criteria, choices_in

Row = Mapping[str, Any]


def annotated(run: AnnotatedRun) -> Annotated:
    """All that raters said of a run's answers, with what it comes to.

    A batch that is damaged is named in a note, and harms no other.
    """
    folder = RatingsFolder(run.folder / FOLDER)
    batches, notes = folder.of_run(run.name)
    tables: dict[str, list[Row]] = {}
    errors = NamedErrors()
    values: AnswerValues | None = None
    for batch in batches:
        try:
            rated = _read(batch, folder)
            rows = {"batches": [_batch(rated)], "ratings": list(_ratings(rated))}
            if rated.ratings:
                values = run.values() if values is None else values
                rows |= _computed(rated, values, run.level)
            errors.add(batch, rated.everything)
        except HarnessError as error:
            notes.append(f"the ratings of batch {batch.name} are left out: {error.what}")
            continue
        for name, more in rows.items():
            tables.setdefault(name, []).extend(more)
    if named := errors.rows():
        tables["named_errors"] = named
    on_dev = any(row["arm"] == BASE_ARM and row["split"] == "dev" for row in named)
    return Annotated(tables, notes, names_errors=on_dev)


# -- one batch ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _RatedBatch:
    """One batch with what was said in it."""

    batch: Batch
    status: BatchStatus
    ratings: Sequence[Rating]
    settled: Sequence[Rating]
    seconds: Mapping[tuple[str, str], float]

    @property
    def everything(self) -> list[Rating]:
        return [*self.ratings, *self.settled]


def _read(batch: Batch, folder: RatingsFolder) -> _RatedBatch:
    ratings = [rating for rater in batch.raters for rating in folder.last_ratings(batch, rater)]
    progress, settled = status(batch, folder), folder.settled(batch)
    return _RatedBatch(batch, progress, ratings, settled, folder.seconds(batch))


def _head(batch: Batch) -> dict[str, Any]:
    return {"batch": batch.name, "rubric": batch.rubric.id, "version": batch.rubric.version}


def _batch(rated: _RatedBatch) -> Row:
    batch = rated.batch
    return {
        **_head(batch),
        "title": batch.rubric.title,
        "strategy": batch.strategy,
        "verdicts": batch.verdicts,
        "split": ", ".join(sorted({placing.split for placing in batch.placings.values()})),
        "rounds": batch.rounds,
        "raters": list(batch.raters),
        "items": rated.status.items,
        "rated": rated.status.rated,
        "created": batch.created,
    }


def _ratings(rated: _RatedBatch) -> Iterator[Row]:
    batch = rated.batch
    criteria = {criterion.id: criterion for criterion in batch.rubric.criteria}
    ratings = [rating for rating in rated.everything if rating.criterion in criteria]
    for row in rows_for_store(batch, ratings):
        criterion = criteria[row["criterion"]]
        yield {
            **_head(batch),
            **row,
            "split": batch.placings[row["item"]].split,
            "scale": criterion.scale.kind,
            "use_as": criterion.use_as,
            "settled": row["rater"].startswith(SETTLED),
            "rated_at": row["at"],
        }


# -- what needs statistics ----------------------------------------------------------------------


def _computed(rated: _RatedBatch, values: AnswerValues, level: float) -> dict[str, list[Row]]:
    from harness_rating.agreement.document import agreement_of
    from harness_rating.outcomes.outcomes import outcomes_of
    from harness_rating.outcomes.validity import validity_of

    batch, everything = rated.batch, rated.everything
    outcomes = outcomes_of(batch, everything, level=level)
    agreement = agreement_of(batch, rated.ratings, seconds=rated.seconds)
    validity = validity_of(batch, everything, values.scores, lower_is_better=values.lower_is_better)
    return {
        "rating_scores": [_score(batch, score) for score in outcomes["scores"]],
        "rated_answers": list(_answers(batch, everything)),
        "win_rates": [_win_rate(batch, comparison) for comparison in outcomes["comparisons"]],
        "agreement": [_agreement(batch, part) for part in _parts(batch, agreement)],
        "raters": list(_raters(rated, agreement)),
        "validity": list(_validity(batch, validity)),
    }


def _criterion(batch: Batch, name: str, title: str) -> dict[str, Any]:
    """The batch, and the criterion with its place in the rubric; the overall score is first."""
    names = [OVERALL, *(criterion.id for criterion in batch.rubric.criteria)]
    position = names.index(name) if name in names else len(names)
    return {**_head(batch), "criterion": name, "title": title, "position": position}


def _figure(name: str, figure: Row | None) -> dict[str, Any]:
    """A figure as three columns."""
    if figure is None:
        return {name: None, f"{name}_low": None, f"{name}_high": None}
    return {name: figure["value"], f"{name}_low": figure["low"], f"{name}_high": figure["high"]}


def _score(batch: Batch, score: Row) -> Row:
    fields = ("arm", "round", "value", "low", "high", "n", "groups", "unrated")
    return {
        **_criterion(batch, score["criterion"], score["title"]),
        **{name: score[name] for name in fields},
    }


def _answers(batch: Batch, ratings: Iterable[Rating]) -> Iterator[Row]:
    """Each answer that was rated by itself, with its overall score; nothing of pairs."""
    from harness_rating.outcomes.validity import overall_scores

    if batch.rubric.pairwise:
        return
    for item, value in overall_scores(batch, ratings).items():
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
        **_criterion(batch, comparison["criterion"], comparison["title"]),
        **{name: comparison[name] for name in fields},
        **_figure("win_rate", comparison["win_rate"]),
        **_figure("difference", comparison["difference"]),
    }


def _parts(batch: Batch, agreement: Row) -> list[Row]:
    """The agreement document's criteria; the overall score first, where several make it up."""
    overall = agreement["overall"]
    several = sum(criterion.scores for criterion in batch.rubric.criteria) > 1
    first = [{**overall, "id": OVERALL, "title": "Overall"}] if overall and several else []
    return [*first, *agreement["criteria"]]


def _agreement(batch: Batch, part: Row) -> Row:
    alpha = part["alpha"]
    return {
        **_criterion(batch, part["id"], part["title"]),
        "kind": part["kind"],
        "n": part["items_rated_twice"],
        **_figure("alpha", alpha),
        **_figure("kappa", part["kappa"]["mean"]),
        "raw": part["raw"]["value"],
        "why": alpha["why"] or None,
        "sentence": next(iter(part["sentences"]), None),
    }


def _raters(rated: _RatedBatch, agreement: Row) -> Iterator[Row]:
    """A row for each rater and criterion, whatever is known of it."""
    batch = rated.batch
    seconds = {row["rater"]: row["median"] for row in agreement["time"]["raters"]}
    done = {row.rater: row.done for row in rated.status.raters}
    for part in _parts(batch, agreement):
        severity_of = {row["rater"]: row for row in part["severity"]}
        consistency_of = {row["rater"]: row for row in part["consistency"]}
        for rater in batch.raters:
            severity, consistency = severity_of.get(rater), consistency_of.get(rater)
            same = None if consistency is None else {**consistency, "value": consistency["same"]}
            yield {
                **_criterion(batch, part["id"], part["title"]),
                "rater": rater,
                "done": done.get(rater, 0),
                "seconds": seconds.get(rater),
                **_figure("severity", severity),
                "n": 0 if severity is None else severity["n"],
                **_figure("same", same),
                "repeats": 0 if consistency is None else consistency["repeats"],
            }


def _validity(batch: Batch, validity: Row) -> Iterator[Row]:
    for metric, view in itertools.product(validity["metrics"], ("answers", "differences")):
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


# -- errors that raters named -------------------------------------------------------------------

_Answer = tuple[str, int, str, str]
"""Arm, round, split and example."""


class NamedErrors:
    """Categories of errors that raters named, counted in answers, over all batches of a run.

    Whoever of the raters named one counts, by the adjudicated values. Pairs are left out: nothing
    says which of the two answers is meant.
    """

    def __init__(self) -> None:
        self._rated: set[_Answer] = set()
        self._named: set[tuple[_Answer, str]] = set()

    def add(self, batch: Batch, ratings: Iterable[Rating]) -> None:
        """Take in a batch; of a rubric that does not ask for categories of errors, nothing.

        Raises:
            DataError: a value that its scale does not know.
        """
        criteria = category_criteria(batch.rubric)
        if not criteria:
            return
        for item, raters in adjudicated(batch, ratings).items():
            placing = batch.placings[item]
            if len(placing.rounds) != 1:
                continue
            answer = placing.arm, placing.rounds[0], placing.split, placing.example_id
            self._rated.add(answer)
            for values in raters.values():
                for criterion in criteria:
                    for category in choices_in(values.get(criterion.id)):
                        self._named.add((answer, category))

    def rows(self) -> list[Row]:
        """Rows of the table ``named_errors``: an answer counts once for each category, in however
        many batches it is.
        """
        rated = Counter(answer[:3] for answer in self._rated)
        counts = Counter((answer[:3], category) for answer, category in self._named)
        return [
            {
                "arm": place[0], "round": place[1], "split": place[2], "category": category,
                "answers": count, "rated": rated[place],
            }
            for (place, category), count in sorted(counts.items())
        ]  # fmt: skip
