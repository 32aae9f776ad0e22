"""The verifier ``people``: reviewers see rows, and the run waits for them."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from pydantic import Field, field_validator, model_validator

import harness
from harness import Context, Example, Verification

if TYPE_CHECKING:
    from harness_rating.ratings.folder import RatingsFolder
    from harness_rating.review.decisions import Decision, Reviews

UNSEEN = "not in the part that was reviewed"
MOST = 1_000
"""Rows of a sample."""


def reviewers(names: tuple[str, ...]) -> tuple[str, ...]:
    """The names, if they can be those of reviewers.

    Raises:
        ValueError: one of them cannot, or there is none.
    """
    from harness_rating.batches.records import SETTLED
    from harness_rating.ratings.events import RATER, RATER_RULE

    for name in names:
        if not RATER.fullmatch(name) or name.startswith(SETTLED):
            raise ValueError(f"{name!r} cannot be a reviewer's name: use {RATER_RULE}")
    if not names or len(set(names)) < len(names):
        raise ValueError("one reviewer or more, each named once")
    return names


class People(harness.Verifier):
    """Has people accept, edit or reject rows on the rating page, all or a random part of them.

    A row is known by what is learned from it: nobody is asked about it a second time.
    """

    name = "people"

    class Options(harness.Options):
        sample: int | None = Field(
            None, ge=1, le=MOST, description="rows that are reviewed, drawn at random; null: all"
        )
        at_least: float | None = Field(
            None,
            ge=0,
            le=1,
            description="share of rows that has to be right as proposed: the run stops where the "
            "sample shows that it is lower",
        )
        raters: tuple[str, ...] = Field(("me",), description="who reviews")
        overlap: float | None = Field(
            None, ge=0, le=1, description="share of rows that two reviewers see; null: 0.3, if two"
        )
        folder: str = Field(
            ".harness/ratings", description="where batches of rows and of ratings are kept"
        )

        @field_validator("raters")
        @classmethod
        def _names(cls, raters: tuple[str, ...]) -> tuple[str, ...]:
            return reviewers(raters)

        @model_validator(mode="after")
        def _of_a_sample(self) -> Self:
            if self.at_least is not None and self.sample is None:
                raise ValueError("at_least is for a sample: of all rows none is left unreviewed")
            return self

    options: Options

    def check(self, settings: Mapping[str, Any]) -> Iterator[harness.Problem]:
        """See :meth:`harness.Plugin.check`: where rows are trained on, the run will wait."""
        if settings.get("rounds", 1) < 2:
            return
        which = "they" if self.options.sample is None else f"{self.options.sample} of them"
        yield harness.Problem(
            f"each round that adds rows waits (exit 6) until {which} are reviewed by "
            f"{' and '.join(self.options.raters)}",
            (),
            "note",
        )

    def verify_all(self, rows: Sequence[Example], context: Context) -> Sequence[Verification]:
        """See :meth:`harness.Verifier.verify_all`.

        Raises:
            Waiting: rows have not been decided; a batch holds each of them.
            DataError: fewer rows are right than ``at_least`` asks for.
        """
        from harness_rating.ratings.folder import RatingsFolder
        from harness_rating.review.batches import ReviewRow, create, item_of_row, learned_digest
        from harness_rating.review.decisions import Reviews

        if not context.run or context.probe:
            raise harness.EnvironmentFailure("people are asked about rows of a run alone")
        folder = RatingsFolder(Path(self.options.folder))
        contents = [learned_digest(item_of_row(row)) for row in rows]
        chosen = self._chosen(contents, context.seed)
        wanted = set(chosen)
        reviews = Reviews(folder)
        new = {
            key: ReviewRow(row, _about(row))
            for key, row in zip(contents, rows, strict=True)
            if key in wanted and key not in reviews.batch_of
        }
        if new:
            create(
                folder, list(new.values()), self.options.raters,
                overlap=self.options.overlap, run=context.run,
            )  # fmt: skip
            reviews = Reviews(folder)
        if waited_for := [key for key in chosen if key not in reviews.decided]:
            raise self._waiting(waited_for, len(chosen), reviews, folder)
        decided = [reviews.decided[key] for key in chosen]
        self._report(decided, len(rows), context)
        return [
            _verification(row, reviews.decided.get(key))
            for row, key in zip(rows, contents, strict=True)
        ]

    def _chosen(self, contents: Sequence[str], seed: int) -> list[str]:
        """The contents that are reviewed, in the order of the rows."""
        distinct = list(dict.fromkeys(contents))
        if self.options.sample is None or self.options.sample >= len(distinct):
            return distinct
        drawn = set(random.Random(f"review/{seed}").sample(distinct, self.options.sample))
        return [key for key in distinct if key in drawn]

    def _waiting(
        self, waited_for: Sequence[str], count: int, reviews: Reviews, folder: RatingsFolder
    ) -> harness.Waiting:
        names = sorted({reviews.batch_of[key] for key in waited_for})
        skipped = sum(
            folder.state(batch, rater).count("skipped")
            for batch in map(folder.batch, names)
            for rater in batch.raters
        )
        words = "1 row waits" if len(waited_for) == 1 else f"{len(waited_for)} rows wait"
        of = "" if len(waited_for) == count else f", of {count},"
        back = f"; {skipped} of them skipped, and can be gone back to" if skipped else ""
        return harness.Waiting(
            f"{words}{of} to be reviewed{back}", [f"harness rate serve {name}" for name in names]
        )

    def _report(self, decided: Sequence[Decision], count: int, context: Context) -> None:
        """What came of the review; stops the run where too few rows are right.

        Raises:
            DataError: fewer than ``at_least`` asks for.
        """
        kinds = Counter(decision.kind for decision in decided)
        right, n = kinds["accept"], len(decided)
        what = f"{n} rows" if n == count else f"{n} of {count} rows, drawn at random,"
        sentences = [
            f"{what} were reviewed: {right} accepted, {kinds['edit']} edited, {kinds['reject']} "
            "rejected."
        ]
        by_two = [decision.each for decision in decided if len(decision.each) > 1]
        if by_two:
            same = sum(len(set(each)) == 1 for each in by_two)
            sentences.append(f"{len(by_two)} were seen by two reviewers, who agreed on {same}.")
        if n == count:
            context.remark(" ".join(sentences))
            return
        low, high = share_bounds(right, n)
        sentences.append(
            f"Of all, {low:.1%} or more and {high:.1%} or less are right as proposed (each bound "
            "at 95 % confidence)."
        )
        context.remark(" ".join(sentences))
        least = self.options.at_least
        if least is not None and high < least:
            raise harness.DataError(
                f"{right} of {n} rows that were reviewed are right as proposed, so of all at most "
                f"{high:.1%} are (at 95 % confidence), and at_least asks for {least:.1%}; nothing "
                "was trained on them",
                hint="mend what makes the rows, or have each of them reviewed: review: required",
            )


def _about(row: Example) -> dict[str, str]:
    """What reviewers are told of a proposed row."""
    place = (row.origin or {}).get("slice")
    return {"made for": str(place)} if place else {}


def _verification(row: Example, decision: Decision | None) -> Verification:
    from harness_rating.review.decisions import edited

    if decision is None:
        return Verification(True, UNSEEN)
    if decision.kind == "reject":
        return Verification(False, decision.reason)
    if decision.kind == "edit":
        return Verification(True, decision.words, edited(row, decision))
    return Verification(True, decision.words)


def share_bounds(right: int, n: int, alpha: float = 0.05) -> tuple[float, float]:
    """The least and the greatest share that ``right`` of ``n`` rows do not speak against.

    Each end is wrong with a probability of at most ``alpha`` (Clopper and Pearson, *The use of
    confidence or fiducial limits illustrated in the case of the binomial*, Biometrika 26, 1934).
    Rows that are drawn without being put back vary less, so both ends are on the safe side.

    Raises:
        ValueError: ``n`` is no number of rows that were reviewed.
    """
    from scipy.special import betaincinv

    if not 0 <= right <= n <= MOST or not n:
        raise ValueError(f"{right} of {n} rows")
    wrong = n - right
    low = float(betaincinv(right, wrong + 1, alpha)) if right else 0.0
    high = float(betaincinv(right + 1, wrong, 1 - alpha)) if wrong else 1.0
    return low, high
