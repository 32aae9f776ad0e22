"""Some of the worst answers, with the words in which they differ from their references."""

from __future__ import annotations

from harness.kit.numbers import number
from harness.kit.text import markdown_block, markdown_safe
from harness_reports import figures, findings
from harness_reports.figures import Document
from harness_reports.markdown.pieces import bullets, safe

PROMPT_LIMIT = 600


def section(document: Document, most: int) -> str:
    rows = findings.examples(document, most)
    if not rows:
        return ""
    parts = ["## Among the worst answers", "Words in bold are not in the other text."]
    for row in rows:
        expected, given = figures.sides(row["reference"], row["answer"])
        lines = [f"expected: {_words(expected)}", f"answer: {_words(given)}"]
        if cause := row.get("cause"):
            lines.append(f"cause: {safe(cause['cause'], 60)}: {safe(cause['evidence'], 300)}")
        if row["place"]:
            lines.append(f"row: {safe(row['place'])}")
        parts += [_title(row, document), markdown_block(row["prompt"], PROMPT_LIMIT)]
        parts.append(bullets(lines))
    return "\n\n".join(parts)


def _title(row: Document, document: Document) -> str:
    facts = [
        f"{safe(figures.score_title(document, document['primary'], 40))} {number(row['score'], 2)}"
    ]
    facts += [safe(kind, 60) for kind in row["errors"][:3]]
    facts += [safe(row["course"], 30)] if row.get("course") else []
    return f"### {safe(row['id'], 80)} ({' · '.join(facts)})"


def _words(runs: figures.Runs) -> str:
    """A text with the words that differ in bold."""
    if not runs:
        return "*(empty)*"
    safe_runs = ((markdown_safe(words), differs) for words, differs in runs)
    return " ".join(f"**{words}**" if differs else words for words, differs in safe_runs)
