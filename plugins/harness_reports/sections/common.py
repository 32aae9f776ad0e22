"""What sections share: their base, columns of rounds, notices of what could not be computed."""

from __future__ import annotations

from collections.abc import Iterator

import harness
from harness import Analysis
from harness.kit.blocks import Block, Column, Heading, Note
from harness.records.summary import MainRound
from harness_reports import figures

MOST_ROUNDS = 8


class ReportSection(harness.Section):
    """A section of ours: it stands in every report without being named in a config."""

    always = True


def incomplete(document: Analysis, *parts: str) -> Iterator[Block]:
    """A notice for each of these parts of the analysis that could not be made."""
    purposes = {query.name: query.what for query in document.queries}
    for part, why in sorted(document.failed.items()):
        if part in parts:
            what = f"This part is incomplete. Not computed: {purposes.get(part, part)}"
            yield Note(f"{what}. {why}", failed=True)


def headed(document: Analysis, heading: Heading, shown: object, *parts: str) -> list[Block]:
    """The heading, and the notices of these parts of the analysis.

    Nothing where there is nothing to show and no notice.
    """
    notices = list(incomplete(document, *parts))
    return [heading, *notices] if shown or notices else []


def rounds_of(document: Analysis) -> tuple[list[MainRound], tuple[Column, ...]]:
    """The rounds that have room, each with its column; the older give way first.

    The first, the best and the latest round never do.
    """
    shown = figures.shown_rounds(document, MOST_ROUNDS)
    fixed = {0, document.kept_round, shown[-1].round}
    columns = [
        Column(
            figures.round_name(entry.round, document), "number",
            spare=0 if entry.round in fixed else 20 - place,
        )
        for place, entry in enumerate(shown)
    ]  # fmt: skip
    return shown, tuple(columns)
