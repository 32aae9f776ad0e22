"""The verifier ``sample``."""

from __future__ import annotations

import harness
from harness import Context, Example, Verification


class Sample(harness.Verifier):
    """Passes answers that are short enough. Put a check of your own in place of it."""

    name = "sample"

    class Options(harness.Options):
        words: int = 200

    def verify(self, row: Example, context: Context) -> Verification:
        count = len(row.references[0].split())
        return Verification(count <= self.options.words, f"{count} words")


@harness.hookimpl
def register_verifiers() -> list[type[harness.Verifier]]:
    return [Sample]
