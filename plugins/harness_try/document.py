"""``harness.try/1``: prompts with both answers, for programs (``docs/use-the-model.md``)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import harness
from harness.kit.text import storable, storable_json
from harness_try.sides import Answered, Sides

SCHEMA = "harness.try/1"
Document = dict[str, Any]


def document(
    sides: Sides, rows: Sequence[harness.Example], answers: tuple[Answered, Answered]
) -> Document:
    """The document; texts are whole and as they are."""
    base, tuned = answers
    return {
        "schema": SCHEMA,
        "run": sides.run,
        "base": storable(sides.models.base.name),
        "round": sides.round,
        "best": sides.best,
        "seconds": {"base": round(base.seconds, 3), "tuned": round(tuned.seconds, 3)},
        "answers": [
            {
                "id": row.id,
                "messages": storable_json([dict(turn) for turn in row.messages]),
                "base": _answer(answer),
                "tuned": _answer(other),
                "same": answer.text == other.text,
            }
            for row, answer, other in zip(rows, base.predictions, tuned.predictions, strict=True)
        ],
    }


def _answer(prediction: harness.Prediction) -> Document:
    return {
        "text": storable(prediction.text),
        "finish_reason": prediction.finish_reason,
        "prompt_tokens": prediction.prompt_tokens,
        "completion_tokens": prediction.completion_tokens,
    }
