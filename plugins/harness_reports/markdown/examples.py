"""Some of the worst answers, with the words in which they differ from their references."""

from __future__ import annotations

from collections.abc import Iterator

from harness.kit.numbers import number
from harness.kit.text import markdown_block
from harness_reports import figures, findings
from harness_reports.figures import Document
from harness_reports.markdown.blocks import safe
from harness_reports.sections import Examples

PROMPT_LIMIT = 600


def draw_examples(block: Examples, most: int) -> Iterator[str]:
    yield "Words in bold are not in the other text."
    for row in findings.examples(block.rows, block.kept_round, most):
        expected, given = figures.sides(row["reference"], row["answer"])
        lines = [f"expected: {_words(expected)}", f"answer: {_words(given)}"]
        if cause := row["cause"]:
            lines.append(f"cause: {safe(cause['cause'], 60)}: {safe(cause['evidence'], 300)}")
        if row["place"]:
            lines.append(f"row: {safe(row['place'], 200)}")
        yield _title(row, block.score)
        yield markdown_block(row["prompt"], PROMPT_LIMIT)
        yield "\n".join(f"- {line}" for line in lines)


def _title(row: Document, score: str) -> str:
    facts = [f"{safe(score, 200)} {number(row['score'], 2)}"]
    facts += [safe(kind, 60) for kind in row["errors"][:3]]
    facts += [safe(row["course"], 30)] if row["course"] else []
    return f"### {safe(row['id'], 80)} ({' · '.join(facts)})"


def _words(runs: figures.Runs) -> str:
    """A text with the words that differ in bold."""
    if not runs:
        return "*(empty)*"
    safe_runs = ((safe(words), differs) for words, differs in runs)
    return " ".join(f"**{words}**" if differs else words for words, differs in safe_runs)
