"""The sections of a page, each under a heading of level 2, and the list that leads to them."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable
from dataclasses import dataclass

from harness.kit.blocks import Block, Heading
from harness.kit.html.blocks import draw, parts
from harness.kit.html.markup import Html, element, name
from harness.kit.text import one_line


@dataclass(frozen=True, slots=True)
class PageSection:
    """A section as it stands on a page.

    Attributes:
        key: its ``id``, made of its title: ``training-loss``; ``training-loss-2`` for a second.
        html: the element ``section``, with its heading.
    """

    key: str
    title: str
    html: Html


def sections(blocks: Iterable[Block]) -> list[PageSection]:
    """One section for each heading of level 2; the first line of all begins the first.

    What an ``id`` in a section is depends on that section alone, so that none changes where a
    page gets another section.
    """
    keys: set[str] = set()
    drawn = []
    for heading, inner in parts(blocks):
        key = _anchor(heading.text, keys)
        keys.add(key)
        drawn.append(PageSection(key, heading.text, _section(key, heading, inner)))
    return drawn


def contents(shown: Iterable[PageSection]) -> Html:
    """Links to sections, folded away in one line."""
    links = [
        element("li", element("a", name(section.title, 60), href=f"#{section.key}"))
        for section in shown
    ]
    summary = element("summary", f"Contents: {len(links)} parts")
    return element(
        "nav", element("details", summary, element("ul", links)), aria_label="Contents"
    )  # fmt: skip


def _anchor(title: str, taken: set[str]) -> str:
    """A place to link to that no other section has."""
    words = "-".join(re.findall(r"[a-z0-9]+", one_line(title, 60).lower())) or "section"
    names = (words if n == 1 else f"{words}-{n}" for n in itertools.count(1))
    return next(name for name in names if name not in taken)


def _section(key: str, heading: Heading, inner: Iterable[Block]) -> Html:
    remark = [" ", element("span", name(heading.remark, 300), class_="remark")]
    title = name(heading.text, 200)
    drawings = (f"chart-{key}-{n}" for n in itertools.count(1))
    return element(
        "section",
        element("h2", title, remark if heading.remark else None, id=f"{key}-h"),
        draw(inner, drawings),
        id=key, aria_labelledby=f"{key}-h",
    )  # fmt: skip
