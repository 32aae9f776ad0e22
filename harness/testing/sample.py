"""The small data set, run and rubric on which plugins are called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.records import (
    Condition,
    Example,
    PlanItem,
    Prediction,
    ScoredExample,
    Slice,
    Verdict,
    to_json,
)
from harness.records.summary import SCHEMA, Data, Dates, MainRound, Model, ShownScore, Summary
from harness.rubrics import Criterion, Item, Overall, Rubric, Scale, Show

SCORE = "score"
_ROWS = (
    ("train", "billing", "When will my refund arrive?", "Your refund arrives within five days."),
    ("train", "billing", "Can I pay by card?", "Yes, all common cards are accepted."),
    ("train", "billing", "Where do I find last year's invoices?", "Open Account, then Invoices."),
    ("train", "delivery", "Why is my parcel late?", "Snow has closed the road to your town."),
    ("train", "delivery", "Do you ship to Norway?", "Yes, within eight working days."),
    ("train", "delivery", "How do I return a broken lamp?", "Print the label that we sent you."),
    ("valid", "billing", "Which currencies do you take?", "Euro, pound and Swedish krona."),
    ("valid", "delivery", "Who signs when nobody is at home?", "A neighbour, or the shop."),
    ("pool", "billing", "How long is a voucher valid?", "Three years from the day of purchase."),
    ("pool", "billing", "Is there a fee for small orders?", "Two euro, for less than ten."),
    ("pool", "delivery", "Can a courier come on Saturday?", "Yes, from nine to one."),
    ("pool", "delivery", "What does the green dot on the map mean?", "There is a pick-up point."),
    ("dev", "billing", "Was my October bill paid twice?", "No, the second one was cancelled."),
    ("dev", "billing", "May I split the amount over months?", "Yes, over three at most."),
    ("dev", "delivery", "Which company brings frozen food?", "Our own vans do."),
    ("dev", "delivery", "Has the ship with my sofa left Genoa?", "It left on Monday."),
)
_ANSWERS = (("No, the second one was cancelled.", 1.0), ("Yes.", 0.0), ("", 0.0), ("Monday", None))


@dataclass(frozen=True, slots=True)
class Sample:
    """What plugins are given, new for each call: a plugin may have changed the last one.

    Attributes:
        rows: of all splits but test.
        scored: answers to dev, of which one is right, one empty, one not scored.
        items: of an augmenter's plan: a slice, and rows from everywhere.
    """

    rows: tuple[Example, ...]
    scored: tuple[ScoredExample, ...]
    items: tuple[PlanItem, ...]

    def split(self, name: str) -> tuple[Example, ...]:
        return tuple(row for row in self.rows if row.split == name)


def small() -> Sample:
    """Sixteen rows about orders in a shop."""
    rows = tuple(_row(number, *row) for number, row in enumerate(_ROWS))
    scored = tuple(
        ScoredExample(row, Prediction(row.id, text, "stop", 9, 7), {SCORE: value})
        for row, (text, value) in zip(rows[-len(_ANSWERS) :], _ANSWERS, strict=True)
    )
    weak = Slice((Condition("topic", "=", "billing"),), 2, 2, 0.1, 0.4, 0.1, 0.7, 0.01)
    return Sample(rows, scored, (PlanItem(weak, 2, "add rows"), PlanItem(None, 1, "explore")))


def _row(number: int, split: Any, topic: str, question: str, answer: str) -> Example:
    system = {"role": "system", "content": "You help customers of a shop."}
    user = {"role": "user", "content": question}
    turns = (system, user) if number % 3 == 0 else (user,)
    meta = {"topic": topic, "urgent": number % 2 == 0, "orders": number}
    return Example(f"row-{number}", turns, (answer,), split, f"customer-{number}", meta)


def rubric() -> Rubric:
    """A rubric with one question."""
    right = Criterion("right", "Right", "Is the answer right?", Scale("binary"))
    return Rubric(
        id="sample", version=1, title="Sample", language="en", instructions="Rate the answer.",
        show=Show(), criteria=(right,), overall=Overall(), judge=None, digest="sample",
    )  # fmt: skip


def items(sample: Sample) -> tuple[Item, ...]:
    """Two answers to rate."""
    return tuple(
        Item(f"{number:012x}", scored.example.messages, (scored.prediction.text,))
        for number, scored in enumerate(sample.scored[:2])
    )


_SCORE = ShownScore(0.5, None, None, 3, 0, "score|v:1", True, "")
_ROUND = MainRound(
    round=0, train_rows=0, kept=True, scores={SCORE: _SCORE},
    verdict=Verdict("baseline", "", None, None, None, 0.95, None, "The base model.", 3, 3),
    errors={}, slices=(), strategy="none", plan=(), added=0, added_by={}, refused={}, log=(),
    course=None, guards=(), replayed=0, forgetting=None,
)  # fmt: skip
_SUMMARY = Summary(
    schema=SCHEMA, run="sample", primary=SCORE, model=Model("sample", None, 0, ()),
    dates=Dates(None, None), settings={}, data=Data({"dev": 3}, 3, {}, None), rounds=(_ROUND,),
    kept_round=0, best_prompt=None, beats_prompts=None, forgot=None, test=None, sealed=None,
    objective=None, examples=(), notes=(), seconds={}, cached=(), next_command="",
    arms=(), experiments={}, chosen=None,
)  # fmt: skip
DOCUMENT: Mapping[str, Any] = {
    **to_json(_SUMMARY), "schema": "harness.analysis/4", "baselines": [],
    "annotations": {}, "right_at": None, "bounds": [None, None], "by_people": False,
    "between_references": None, "definitions": {}, "causes_known": {}, "not_looked_for": "",
    "tables": {}, "better": [], "not_better": None, "remedies": [], "queries": [],
    "sections": [], "failed": {},
}  # fmt: skip
"""The analysis of a run that has closed its first round and knows no more."""
