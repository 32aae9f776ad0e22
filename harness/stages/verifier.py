"""The stage that says whether a proposed row may be trained on: verifier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.boundary.results import refused, returned
from harness.records import Example
from harness.records.context import Context
from harness.stages.base import Plugin


@dataclass(frozen=True, slots=True)
class Verification:
    """What a verifier says of a row.

    Attributes:
        passes: whether the row may be trained on.
        said: why, in a few words, and never empty: kept with a row that passes, and the reason by
            which one that does not is counted.
        row: what the row has to become, under the same id; None leaves it as it is.
    """

    passes: bool
    said: str
    row: Example | None = None


class Verifier(Plugin):
    """Checks proposed rows.

    An augmenter's options may name verifiers, which see a row before the gate does. The key
    ``review`` of any entry of ``augment`` names the one that sees the rows which the gate let in:
    what it changes goes through the gate once more.
    """

    stage = "verifier"

    def verify(self, row: Example, context: Context) -> Verification:
        """Whether the row is right: its last turn asks, its first reference answers.

        Raises:
            harness.errors.EnvironmentFailure: it cannot be said here; nothing is proposed then.
            harness.errors.Waiting: people have not said it yet; the rows are kept for them.
        """
        raise NotImplementedError

    def verify_all(self, rows: Sequence[Example], context: Context) -> Sequence[Verification]:
        """The same for several rows, in their order.

        What a reader of the results has to know of them is a :meth:`harness.Context.remark`.
        """
        return [self.verify(row, context) for row in rows]


def verified(
    verifier: Verifier, rows: Sequence[Example], context: Context
) -> Sequence[Verification]:
    """What a verifier says of each row, with a reason."""
    said = returned(Verifier.verify_all, verifier.verify_all(rows, context))
    if len(said) != len(rows):
        raise refused(f"verify_all() says something of {len(said)} rows, of {len(rows)} given")
    for row, verification in zip(rows, said, strict=True):
        if not verification.said.strip():
            raise refused("a verification has no reason in `said`")
        if verification.row is not None and verification.row.id != row.id:
            raise refused("a verification has another row than it is about")
    return said
