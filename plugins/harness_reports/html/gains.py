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
    cards = [_card(block, row) for row in block.better]
    if block.not_better:
        cards.append(_card(block, block.not_better))
    return joined(cards)


def _card(block: Gains, row: Document) -> Html:
    head = element("h3", name(row["id"], 80), " ", element("span", row["course"], class_="remark"))
    prompt = element(
        "details",
        element("summary", "Prompt"),
        text_block(row["prompt"], TEXT, class_="text prompt"),
    )
    return element("div", head, element("div", _sides(block, row), class_="sides"), prompt)


def _sides(block: Gains, row: Document) -> Iterator[Html]:
    for answer in block.answers(row):
        at = answer["round"]
        who = {None: "answer", 0: "base model"}.get(at, f"round {at}")
        yield _side(f"{who}: {number(answer['score'], 2)}", answer["text"])
    yield _side("reference", row["reference"])


def _side(title: str, text: str) -> Html:
    shown = text_block(text, TEXT) if text.strip() else element("em", "(empty)", class_="dim")
    return element("div", element("h4", title), shown)
