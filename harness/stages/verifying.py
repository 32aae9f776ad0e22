"""The stage that says whether a row that a model wrote may be trained on: verifier."""

from __future__ import annotations

from dataclasses import dataclass

from harness.boundary.results import refused, returned
from harness.context import Context
from harness.records import Example
from harness.stages.base import Plugin


@dataclass(frozen=True, slots=True)
class Verification:
    """What a verifier says of a row.

    Attributes:
        passes: whether the row may be proposed for training.
        said: why, in a few words; kept with the row, and never empty.
    """

    passes: bool
    said: str


class Verifier(Plugin):
    """Checks a proposed row before the gate sees it: an augmenter's options name verifiers."""

    stage = "verifier"

    def verify(self, row: Example, context: Context) -> Verification:
        """Whether the row is right: its last turn asks, its first reference answers.

        Raises:
            harness.errors.EnvironmentFailure: it cannot be said here; nothing is proposed then.
        """
        raise NotImplementedError


def verified(verifier: Verifier, row: Example, context: Context) -> Verification:
    """What a verifier says, with a reason."""
    verification = returned(Verifier.verify, verifier.verify(row, context))
    if not verification.said.strip():
        raise refused("verify() gives no reason in `said`")
    return verification
