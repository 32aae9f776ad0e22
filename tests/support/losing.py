"""A one-file plugin beside ``fakes.py``: the generator ``losing``, which knows what answers lose.

A word of an answer costs little where it stands in the prompt, and much where it does not.
"""

from __future__ import annotations

import harness
from tests.support.fakes import FakeGenerator, moment

KNOWN, UNKNOWN, END = 0.1, 4.0, 0.05


class LosingGenerator(FakeGenerator):
    """Answers as ``fake`` does."""

    name = "losing"

    def answer_losses(self, checkpoint, rows, context):
        for done, row in enumerate(rows, start=1):
            if done == len(rows) // 2:
                moment(f"middle of losses {context.arm}")
            context.progress(done, len(rows), "rows")
            said = row.prompt.lower().split()
            answer = row.references[0].lower().split()
            yield [*(KNOWN if word in said else UNKNOWN for word in answer), END]


@harness.hookimpl
def register_generators():
    return [LosingGenerator]
