"""Sections of a page: where links lead, also when another section is added."""

from __future__ import annotations

import re

from harness.kit.blocks import Block, Chart, Heading, Note, Point, Series
from harness.kit.html.sections import contents, sections


def part(title: str) -> list[Block]:
    points = (Point(0, 0.1), Point(1, 0.4))
    return [Heading(title, "beside"), Chart("rounds", "by round", (Series("x", points),))]


FIRST: list[Block] = [Heading("good", level=1, label="improved"), Note("why")]


def test_another_section_changes_no_other() -> None:
    before = {section.key: section.html for section in sections([*FIRST, *part("Rounds")])}
    blocks = [*FIRST, *part("What was weak"), *part("Rounds"), *part("Rounds")]
    after = {section.key: section.html for section in sections(blocks)}
    assert list(after) == ["verdict", "what-was-weak", "rounds", "rounds-2"]
    assert before == {key: after[key] for key in before}


def test_no_two_places_have_one_name() -> None:
    blocks = [*part("Rounds"), *part("Rounds 2"), *part("Rounds"), *part("\u202e"), *part("<b>")]
    shown = sections(blocks)
    markup = "".join(section.html for section in shown)
    ids = re.findall(r' id="([^"]*)"', markup)
    assert len(ids) == len(set(ids)) == 5 * 4
    assert [section.key for section in shown] == ["rounds", "rounds-2", "rounds-3", "section", "b"]
    links = re.findall(r'href="#([^"]*)"', contents(shown))
    assert links == [section.key for section in shown]
