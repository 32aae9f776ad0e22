"""A one-file plugin beside ``fakes.py``: the trainer ``showing``, which shows how it takes rows.

``fakes.py`` itself stays as it is: its content is part of the names of the runs that tests keep.
"""

from __future__ import annotations

import harness
from tests.support.fakes import FakeTrainer

LONGEST = 100


class ShowingTrainer(FakeTrainer):
    """Learns as ``fake`` does."""

    name = "showing"

    def rendered(self, base, rows, context):
        """Words are tokens, of which it takes the first hundred of a row."""
        for row in rows:
            prompt = "".join(f"<{m['role']}> {m['content']} " for m in row.messages)
            asked = [f"{word} " for word in f"{prompt}<assistant>".split(" ")]
            said = [*row.references[0].split(), "<end>"] if row.references else []
            tokens = (*asked, *said)
            yield harness.Rendered(
                row.id, tokens, (*[False] * len(asked), *[True] * len(said)),
                cut=max(len(tokens) - LONGEST, 0), context=2 * LONGEST,
                problem=f"{LONGEST} tokens cut its answer" if len(tokens) > LONGEST else "",
            )  # fmt: skip


@harness.hookimpl
def register_trainers():
    return [ShowingTrainer]
