"""What raters say of a run's answers, by the questions that the advice asks of it.

Only samples of dev count. Where raters are shown to agree too little, what they say of a batch
counts for nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from harness.kit.numbers import estimate
from harness.kit.text import one_line
from harness_advise.run import Document, Run

AGREED = 0.67
"""Krippendorff's alpha below which nothing is concluded."""
LITTLE = 0.65
"""Share of pairs that a metric orders as raters do up to which it says little of them."""
MUCH = 0.8
"""Share from which on it says much of them."""
GROUPS = 20
"""Groups of answers that a share of pairs has to rest on."""
LEAST_SHARE, LEAST = 0.2, 5
"""Share and number of answers judged otherwise from which on that is a sign."""
NAME = 60


@dataclass(frozen=True)
class Raters:
    """What the tables of ratings of a run's document say."""

    run: Run

    @cached_property
    def disagreements(self) -> dict[str, str]:
        """Batch -> how little its raters agree on what its score is made from."""
        found = {}
        for row in self.run.table("agreement"):
            high = row.get("alpha_high")
            decides = row.get("title") == self._deciding.get(row["batch"])
            if decides and high is not None and high < AGREED:
                alpha = estimate(row["alpha"], row["alpha_low"], high)
                found[str(row["batch"])] = (
                    f"raters agree too little on '{_name(row)}': alpha {alpha}, where less than "
                    f"{AGREED:g} carries no conclusion ({row['n']} items rated twice)"
                )
        return found

    @cached_property
    def _deciding(self) -> dict[str, str]:
        """Batch -> title of what decides in it: the overall score, or the only criterion."""
        tables = ("rating_scores", "win_rates")
        rows = [row for name in tables for row in self.run.table(name)]
        return {row["batch"]: row["title"] for row in rows if row.get("position") == 0}

    def _rows(self, name: str) -> list[Document]:
        """The rows of a table but for batches of which nothing is concluded."""
        return [row for row in self.run.table(name) if row["batch"] not in self.disagreements]

    # -- of the answers ---------------------------------------------------------------------------

    def weak(self) -> Iterator[str]:
        """What raters find worst in the best round's answers."""
        yield from self._lowest()
        yield from self._named()

    def _lowest(self) -> Iterator[str]:
        """The criterion that is rated lowest, if it lies below the overall score."""
        scores = [one for one in self._rows("rating_scores") if one["round"] == self.run.kept]
        known = [one for one in scores if one["value"] is not None]
        overall = max((one for one in known if one["position"] == 0), key=_size, default=None)
        if overall is None:
            return
        parts = [one for one in known if one["position"] > 0 and one["batch"] == overall["batch"]]
        worst = min(parts, key=lambda one: float(one["value"]), default=None)
        if worst and worst["high"] is not None and worst["high"] < overall["value"]:
            yield (
                f"raters rate '{_name(worst)}' lowest: {_span(worst)} of 1, overall "
                f"{_span(overall)} ({worst['n']} answers)"
            )

    def _named(self) -> Iterator[str]:
        """The kind of error that they name most often."""
        # These are of all batches together.
        named = () if self.disagreements else self.run.table("named_errors")
        kinds = [one for one in named if one["round"] == self.run.kept]
        most = max(kinds, key=lambda one: int(one["answers"]), default=None)
        if most and most["answers"] >= max(LEAST, LEAST_SHARE * most["rated"]):
            kind = one_line(most["category"], NAME)
            yield f"raters name '{kind}' in {most['answers']} of {most['rated']} rated answers"

    # -- of the primary score ---------------------------------------------------------------------

    def against_the_score(self) -> Iterator[str]:
        """Where raters say otherwise than the primary score does; nothing where it is theirs."""
        if self.run.document.get("by_people"):
            return
        yield from self._passing()
        yield from self._preferring()
        if (order := self.order) and _bound(order, "high") < LITTLE:
            yield str(order["sentence"])

    def doubts(self) -> Iterator[str]:
        """Where the primary score is not shown to order answers as raters do."""
        order = self.order
        if order and _bound(order, "low") <= 0.5 and LITTLE <= _bound(order, "high") < MUCH:
            yield str(order["sentence"])

    @property
    def confirm(self) -> bool:
        """Whether the primary score is shown to order answers much as raters do."""
        return self.order is not None and _bound(self.order, "low") > LITTLE

    def have_rated(self, round_: int) -> bool:
        """Whether answers of the round are rated, and not without agreement."""
        return any(row["rated"] and round_ in row["rounds"] for row in self._rows("rated"))

    @cached_property
    def order(self) -> Document | None:
        """How the primary score orders answers, by the batch and the view that say most."""
        return max(self._orders(self.run.primary), key=_weight, default=None)

    @cached_property
    def better_score(self) -> Document | None:
        """The score that is shown to order answers better than the primary one does."""
        own = self.order
        if own is None:
            return None
        others = [
            one
            for name in dict.fromkeys(row["metric"] for row in self.run.table("validity"))
            for one in self._orders(name)
            if (one["batch"], one["view"]) == (own["batch"], own["view"])
            and _bound(one, "low") > _bound(own, "high")
        ]
        return max(others, key=lambda one: float(one["accuracy"]), default=None)

    def _orders(self, metric: str) -> list[Document]:
        return [
            one
            for one in self._rows("validity")
            if one["metric"] == metric and one["accuracy"] is not None
            and (one.get("accuracy_groups") or 0) >= GROUPS and one["sentence"]
        ]  # fmt: skip

    def _passing(self) -> Iterator[str]:
        """Answers that pass by the one and fail by the other."""
        found = [one for one in self._rows("passes") if one["round"] == self.run.kept]
        most = max(found, key=lambda one: int(one["answers"]), default=None)
        if most is None:
            return
        score = f"'{one_line(self.run.primary, NAME)}'"
        failing = most["raters_alone"] + most["both_fail"]
        passing = most["score_alone"] + most["both_pass"]
        if _many(most["raters_alone"], failing):
            alone = most["raters_alone"]
            yield f"of {failing} rated answers that fail by {score}, raters pass {alone}"
        if _many(most["score_alone"], passing):
            alone = most["score_alone"]
            yield f"of {passing} rated answers that pass by {score}, raters fail {alone}"

    def _preferring(self) -> Iterator[str]:
        """Verdicts of raters that contradict those of the score."""
        verdicts = {
            (one["round"], str(one["verdict"].get("against"))): one["verdict"]["label"]
            for one in self.run.rounds
        }
        for row in self._rows("win_rates"):
            label = verdicts.get((row["round"], f"round {row['against']}"))
            if row["position"] == 0 and (label, row["label"]) in CONTRADICTIONS:
                found = str(row["sentence"]).partition(";")[0]
                yield f"by '{one_line(self.run.primary, NAME)}' {label}, by raters {found}"


CONTRADICTIONS = {
    ("improved", "regressed"), ("regressed", "improved"), ("no evidence", "improved"),
    ("no evidence", "regressed"),
}  # fmt: skip
"""What the score says of two rounds, and what raters say."""


def _bound(row: Document, end: str) -> float:
    """An end of the interval of a share of pairs; the share itself where all pairs say the same."""
    found = row[f"accuracy_{end}"]
    return float(row["accuracy"] if found is None else found)


def _many(alone: int, of: int) -> bool:
    return alone >= max(LEAST, LEAST_SHARE * of)


def _size(row: Document) -> int:
    return int(row["n"] or 0)


def _weight(row: Document) -> tuple[bool, int]:
    return row["view"] == "differences", _size(row)


def _name(row: Document) -> str:
    return one_line(row["title"], NAME)


def _span(row: Document) -> str:
    return estimate(row["value"], row["low"], row["high"])
