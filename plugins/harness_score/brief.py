"""A ``harness.score/1`` document as a comment on a pull request."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness import Scorecard
from harness.kit.blocks import Block, Heading, Paragraph
from harness.kit.comment import NAME, Beside, Part, comment, lowest
from harness.kit.terminal.requirements import Requirement
from harness.kit.text import one_line
from harness_score.request import Request
from harness_score.table import compared_scores, remarks, scores_table, value_text

Document = Mapping[str, Any]


def brief(document: Document, systems: Mapping[str, Scorecard], request: Request) -> str:
    """Markdown: the document's system against the baseline, or alone.

    Args:
        systems: by name, as the document has them.
    """
    score = request.primary or next(iter(document["metrics"]))
    if document["comparison"].get(document["system"]):
        return comment(_beside(document, systems, score, request.requirement).blocks())
    return comment(_alone(document, systems, score))


def _beside(
    document: Document, systems: Mapping[str, Scorecard], primary: str, required: Requirement
) -> Beside:
    new, old = document["system"], document["baseline"]
    comparison = document["comparison"][new][primary]
    return Beside(
        (old, new), primary, comparison["label"], comparison["sentence"],
        required.unmet(comparison), compared_scores(document, new),
        document["metrics"][primary]["higher_is_better"],
        _slices(document, primary) if document["by"] else None,
        _rows(systems, old, new, primary),
        [document["sentence"], *remarks(document)],
    )  # fmt: skip


def _alone(document: Document, systems: Mapping[str, Scorecard], primary: str) -> Iterator[Block]:
    name = document["system"]
    yield Heading(f"Scores of {one_line(name, NAME)}", level=3)
    yield scores_table(document)
    yield Paragraph(document["sentence"])
    rows, higher = _rows(systems, name, name, primary), document["metrics"][primary]
    yield from lowest(rows, primary, higher["higher_is_better"])
    for remark in remarks(document):
        yield Paragraph(one_line(remark, 600))


def _slices(document: Document, score: str) -> list[Part]:
    parts = []
    for field, slices in document["by"].items():
        for piece in slices:
            before, after = (
                piece["systems"][document[side]]["metrics"][score]["value"]
                for side in ("baseline", "system")
            )
            name = one_line(f"{field} = {value_text(piece['value'])}", NAME)
            parts.append(Part(name, before, after, piece["n"]))
    return parts


def _rows(systems: Mapping[str, Scorecard], old: str, new: str, score: str) -> Sequence[Part]:
    before, after = systems[old], systems[new]
    values = before.values, after.values
    return [
        Part(
            row.id, values[0][row.id].get(score), values[1][row.id].get(score),
            texts=(was.text, now.text),
        )
        for row, was, now in zip(
            after.examples, before.predictions, after.predictions, strict=True
        )
    ]  # fmt: skip
