"""The worst answers, with the words in which they differ from their references.

No block of the toolbox says that: each report draws an example in its own way, and the page lets
readers filter them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from harness.kit.blocks import Block, Heading
from harness_reports import figures
from harness_reports.figures import Document
from harness_reports.sections.common import incomplete


@dataclass(frozen=True, slots=True)
class Examples:
    """The examples of an analysis.

    Attributes:
        rows: as the analysis has them, the worst first.
        score: the title of the score that decides.
        kept_round: the round whose answers they are.
    """

    rows: tuple[Document, ...]
    score: str
    kept_round: int


def examples(document: Document) -> Iterator[Block | Examples]:
    notices = list(incomplete(document, "examples"))
    if document["examples"] or notices:
        yield Heading("Among the worst answers", f"dev, round {document['kept_round']}")
    yield from notices
    if document["examples"]:
        score = figures.score_title(document, document["primary"], 40)
        yield Examples(tuple(document["examples"]), score, document["kept_round"])
