"""Answers to rows of the data in Markdown."""

from __future__ import annotations

from collections.abc import Iterator

from harness.kit.blocks import Answers, Sample
from harness.kit.numbers import number
from harness.kit.text import lines, markdown_block, markdown_safe, plain
from harness.kit.worddiff import Runs, sides

PROMPT = 600
COMPARED = 600
"""Characters of a text whose words are compared."""
TEXT = 300
"""Characters of an answer."""
LINES = 8
"""Lines of one that has several."""


def draw_answers(block: Answers) -> Iterator[str]:
    """The samples that a short report shows: compared word by word, or in a list."""
    shown = block.samples[: block.short]
    if block.reference != "marked":
        yield "\n".join(_listed(block, sample) for sample in shown)
        return
    if shown:
        yield "Words in bold are not in the other text."
    for sample in shown:
        yield from _compared(block, sample)


def _compared(block: Answers, sample: Sample) -> Iterator[str]:
    answer = sample.answers[-1]
    wanted, said = sides(plain(sample.reference, COMPARED), plain(answer.text, COMPARED))
    facts = [f"{markdown_safe(block.score, 200)} {number(answer.score, 2)}"]
    facts += [markdown_safe(tag, 60) for tag in sample.tags[:3]]
    facts += [markdown_safe(sample.remark, 30)] if sample.remark else []
    yield f"### {markdown_safe(sample.id, 80)} ({' · '.join(facts)})"
    yield markdown_block(sample.prompt, PROMPT)
    lines = [("expected", _marked(wanted)), ("answer", _marked(said))]
    lines += [
        (markdown_safe(note.lead, 20), markdown_safe(note.text, 360)) for note in sample.notes
    ]
    lines += [("row", markdown_safe(sample.place, 200))] if sample.place else []
    yield "\n".join(f"- {lead}: {text}" for lead, text in lines)


def _marked(runs: Runs) -> str:
    """A text with the words that differ in bold."""
    if not runs:
        return "*(empty)*"
    return " ".join("".join(_piece(text, differs) for text, differs in runs).split())


def _piece(text: str, differs: bool) -> str:
    words = text.strip()
    shown = markdown_safe(words, COMPARED)
    if not differs or not words:
        return f" {shown} " if text[:1].isspace() else f"{shown}{' ' * text[-1:].isspace()}"
    # Stars are no marks between a letter and a sign.
    before = " " * (text[0].isspace() or not words[0].isalnum())
    after = " " * (text[-1].isspace() or not words[-1].isalnum())
    return f"{before}**{shown}**{after}"


def _listed(block: Answers, sample: Sample) -> str:
    """Answers in one line each; those of several lines, such as code, as blocks that keep them."""
    texts = [(number(answer.score, 2), answer.text) for answer in sample.answers]
    texts += [("wanted", sample.reference)] if block.reference == "shown" else []
    parts = [f"- **{markdown_safe(sample.id, 80)}**"]
    for lead, text in texts:
        shown = lines(text, TEXT, LINES)
        if "\n" in shown:
            code = markdown_block(shown).replace("\n", "\n    ")
            parts.append(f"  - {lead}\n\n    {code}\n")
        else:
            quoted = f"“{markdown_safe(shown, TEXT)}”" if shown.strip() else "*(empty)*"
            parts.append(f"  - {lead} {quoted}")
    return "\n".join(parts)
