"""Two rated batches of one run: round 3 against round 0, answers one by one and in pairs."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from harness_rating.batches.records import Batch
from harness_rating.ratings.events import Events
from tests.plugins.rating import material

RUN = "secret-run-1"
FAULTS = ("wrong facts", "=1+1", "a; b")


def rated(root: Path) -> tuple[Batch, Batch]:
    """The batches, rated by ana and bo; one value is settled."""
    both = {"versus": 0, "n": 30, "overlap": 1.0}
    singles = material.batch(root, repeats=0.1, **both)
    preference = material.rubric(material.PREFERENCE, id="pairs", title="Which is better")
    pairs = material.batch(root, preference, repeats=0, **both)
    for batch in (singles, pairs):
        for place, rater in enumerate(batch.raters):
            draw = random.Random(place)
            shown = batch.assignments[rater]
            found = [one for item in shown for one in said(batch, item, rater, draw)]
            Events(root / batch.name, rater).extend(found)
    first = next(item for item, one in singles.placings.items() if one.repeat_of is None)
    settled = material.event("settled-cy", first, "quality", value=1)
    Events(root / singles.name, "settled-cy").append(settled)
    return singles, pairs


def said(batch: Batch, item: str, rater: str, draw: random.Random) -> list[Any]:
    """What a rater says of an item: the later round is better, and has fewer faults.

    Raters see the same in an answer, and often say the next value instead.
    """
    placing = batch.placings[item]
    later = placing.rounds[0] == 3
    truth = random.Random(f"{placing.example_id} {placing.rounds[0]}")
    quality = truth.choice((3, 4, 5) if later else (1, 2, 3))
    faults = [fault for fault in FAULTS if truth.random() < (0.15 if later else 0.5)]
    if batch.rubric.pairwise:
        side = truth.choice(["A", "A", "A", "B"] if later else ["B", "B", "B", "A"])
        values = {"preference": "tie" if draw.random() < 0.2 else side}
    else:
        values = {
            "quality": min(5, quality + (draw.random() < 0.3)),
            "polite": truth.random() < 0.7 or draw.random() < 0.1,
            "tone": truth.choice(("warm", "cold")),
            "errors": [fault for fault in faults if draw.random() < 0.8],
            "better": "So, then.",
        }
        if not values["polite"]:
            values["degrees"] = 0.5
        if placing.repeat_of and rater == "bo":
            values["quality"] = None
    return [material.event(rater, item, name, value=value) for name, value in values.items()]
