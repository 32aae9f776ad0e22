"""The small data set on which plugins are called."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.records import Condition, Example, PlanItem, Prediction, ScoredExample, Slice

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
_ANSWERS = (
    ("No, the second one was cancelled.", 1.0),
    ("Yes.", 0.0),
    ("", 0.0),
    ("Has the ship with my sofa left Genoa?", None),
)


class SampleRows:
    """Rows, and answers to some of them.

    Attributes:
        folder: for the files of the call.
        rows: of all splits but test.
        scored: answers to dev: a right one, a wrong one, an empty one, and the prompt, not scored.
        examples: the rows of dev as they are asked.
        plan: of an augmenter: a slice, and rows from everywhere.
    """

    seed = 7

    def __init__(self, folder: Path) -> None:
        """Files go below ``folder``, an empty one."""
        self.folder = folder / "output"
        self.folder.mkdir()
        self.rows = tuple(_row(number, *row) for number, row in enumerate(_ROWS))
        self.scored = tuple(
            ScoredExample(row, Prediction(row.id, text, "stop", 9, 7), {SCORE: value})
            for row, (text, value) in zip(self.rows[-len(_ANSWERS) :], _ANSWERS, strict=True)
        )
        self.train, self.valid, self.pool = map(self.rows_of, ("train", "valid", "pool"))
        self.examples = tuple(row.as_asked() for row in self.rows_of("dev"))
        weak = Slice((Condition("topic", "=", "billing"),), 2, 2, 0.1, 0.4, 0.1, 0.7, 0.01)
        self.item = PlanItem(weak, 2, "add rows")
        self.plan = (self.item, PlanItem(None, 1, "explore"))

    def rows_of(self, split: str) -> tuple[Example, ...]:
        return tuple(row for row in self.rows if row.split == split)


def _row(number: int, split: Any, topic: str, question: str, answer: str) -> Example:
    system = {"role": "system", "content": "You help customers of a shop."}
    user = {"role": "user", "content": question}
    turns = (system, user) if number % 3 == 0 else (user,)
    meta = {"topic": topic, "urgent": number % 2 == 0, "orders": number}
    return Example(f"row-{number}", turns, (answer,), split, f"customer-{number}", meta)
