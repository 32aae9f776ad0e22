"""Answers that got better, and the worst that did not, on the page."""

from __future__ import annotations

from collections.abc import Iterator

from harness.kit.numbers import number
from harness_reports.figures import Document
from harness_reports.html.markup import Html, element, joined, name, text_block
from harness_reports.sections import Gains

TEXT = 400
"""Characters of an answer; a longer one is whole among the worst answers, or by ``harness why``."""


def draw_gains(block: Gains) -> Html:
    cards = [_card(row, block.kept_round) for row in block.better]
    if block.not_better:
        cards.append(_card(block.not_better, block.kept_round))
    return joined(cards)


def _card(row: Document, kept: int) -> Html:
    head = element("h3", name(row["id"], 80), " ", element("span", row["course"], class_="remark"))
    prompt = element(
        "details",
        element("summary", "Prompt"),
        text_block(row["prompt"], TEXT, class_="text prompt"),
    )
    return element("div", head, element("div", _sides(row, kept), class_="sides"), prompt)


def _sides(row: Document, kept: int) -> Iterator[Html]:
    by_round = {one["round"]: one for one in row["answers"]}
    for at in dict.fromkeys((0, kept)):
        if one := by_round.get(at):
            who = f"round {at}" if at else "base model"
            yield _side(f"{who}: {number(one['score'], 2)}", one["text"])
    if not by_round:
        yield _side(f"answer: {number(row['score'], 2)}", row["answer"])
    yield _side("reference", row["reference"])


def _side(title: str, text: str) -> Html:
    shown = text_block(text, TEXT) if text.strip() else element("em", "(empty)", class_="dim")
    return element("div", element("h4", title), shown)
