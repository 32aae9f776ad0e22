"""Rows that augmentation has added: from whom, for what, and what was refused."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.kit import terms
from harness.kit.blocks import Block, Heading, Note, table
from harness.kit.html.markup import Child, Html, element, joined, name
from harness.kit.html.sections import sections
from harness.kit.text import one_line, plain
from harness_view.links import Asked, Links
from harness_view.rows import PER_PAGE
from harness_view.source import Ask, Row, Source

TEXT = 400


@dataclass(frozen=True, slots=True)
class AddedPage:
    """A page of the rows that were added.

    Attributes:
        groups: after each round, by whom and for which slice, with the rows of each.
        refused: after each round, why, and how many.
        total: rows of all pages.
    """

    groups: Sequence[Row]
    refused: Sequence[Row]
    rows: Sequence[Row]
    total: int
    page: int

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PER_PAGE))


def added_page(source: Source, page: int, most: int = PER_PAGE) -> AddedPage:
    """That page, the latest round first, or the last there is.

    Raises:
        HarnessError: there is no database yet, or it is another version's.
    """

    def overview(ask: Ask) -> tuple[Sequence[Row], Sequence[Row], int]:
        (counted,) = ask("SELECT count(*) AS rows FROM added WHERE arm = 'main'")
        return ask(_GROUPS), ask(_REFUSED), counted["rows"]

    groups, refused, total = source.once("added", overview)
    page = min(page, max(1, -(-total // most)))
    with source.database() as ask:
        rows = ask(_ROWS.format(most=most, before=most * (page - 1)))
    return AddedPage(groups, refused, rows, total, page)


_GROUPS = """
    SELECT round, coalesce(made_by, '') AS made_by, coalesce(slice, '') AS slice,
           count(*) AS rows, count(parent) AS made
    FROM added WHERE arm = 'main' GROUP BY ALL ORDER BY round DESC, rows DESC, made_by, slice"""
_REFUSED = """
    SELECT round, reason, sum(rows)::BIGINT AS rows FROM filters WHERE arm = 'main'
    GROUP BY ALL ORDER BY round DESC, rows DESC, reason"""
_ROWS = """
    WITH page AS (
        FROM added WHERE arm = 'main' ORDER BY round DESC, position LIMIT {most} OFFSET {before}
    )
    SELECT a.round, a.id, a.made_by, a.slice, a.parent, a.made, p.place AS parent_place,
           coalesce(a.prompt, '') AS prompt, coalesce(a.reference, '') AS reference
    FROM page a LEFT JOIN examples p ON p.id = coalesce(a.parent, a.id)
    ORDER BY a.round DESC, a.position"""


def draw_added(page: AddedPage, links: Links, *, served: bool) -> Html:
    """What came in, what was refused, and the rows one by one."""
    drawn = [part.html for part in sections(_blocks(page))]
    return joined(drawn, _rows(page, links) if page.rows else None,
                  _pages(page, links) if served else None)  # fmt: skip


def _blocks(page: AddedPage) -> Iterator[Block]:
    yield Heading("Added rows", f"{page.total:,}")
    if page.groups:
        added = [
            (row["round"], one_line(row["made_by"], 60), one_line(row["slice"], 200) or "all data",
             row["rows"], row["made"])
            for row in page.groups
        ]  # fmt: skip
        titles = ["after round", "augmenter", "slice", "rows", "made from others"]
        numbers = {"after round", "rows", "made from others"}
        yield table(titles, added, right=numbers, caption="Rows that were added")
    else:
        yield Note("No row was added to the training data yet.")
    if page.refused:
        yield Heading("Refused", "proposed rows that were not taken")
        refused = [
            (row["round"], terms.shown("refusal", row["reason"]), row["rows"])
            for row in page.refused
        ]
        titles = ["after round", "reason", "rows"]
        yield table(titles, refused, right={*titles} - {"reason"}, caption="Refused rows")


def _rows(page: AddedPage, links: Links) -> Html:
    titles = ("Row", "Prompt", "Reference", "From")
    heads = [element("th", title, scope="col") for title in titles]
    body = [element("tr", _cells(row, titles, links)) for row in page.rows]
    return element(
        "section",
        element("h2", "Row by row", id="each-h"),
        element(
            "table", element("caption", "Rows that were added, one by one"),
            element("thead", element("tr", heads)), element("tbody", body), class_="rows",
        ),
        aria_labelledby="each-h",
    )  # fmt: skip


def _cells(row: Row, titles: Sequence[str], links: Links) -> Iterator[Html]:
    after = element("span", f"after round {row['round']}", class_="dim")
    yield element("th", _named(row["id"], links, "row"), element("br"), after, scope="row")
    for title, text in zip(titles[1:], (row["prompt"], row["reference"]), strict=False):
        shown = element("div", plain(text, TEXT), dir="auto", class_="text")
        yield element("td", shown, data_title=title)
    yield element("td", _origin(row, links), data_title=titles[3])


def _origin(row: Row, links: Links) -> list[Child]:
    """Who gave it, for what, what it was made from, and what is known of how."""
    parts: list[Child] = [
        element("p", name(row["made_by"] or "unknown", 60), " for ",
                name(row["slice"] or "all slices", 200)),
    ]  # fmt: skip
    if row["parent"]:
        place = [" ", name(f"({row['parent_place']})", 120)] if row["parent_place"] else None
        parts.append(element("p", "made from ", _named(row["parent"], links, None), place))
    elif row["parent_place"]:
        parts.append(element("p", "from ", name(row["parent_place"], 120)))
    made = json.loads(row["made"] or "null") or {}
    parts += [
        element("p", name(f"{key}: {_in_words(value)}", 300), class_="dim")
        for key, value in list(made.items())[:8]
    ]
    return parts


def _in_words(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_in_words(of)}" for key, of in value.items())
    if isinstance(value, list):
        return ", ".join(map(_in_words, value))
    return str(value)


def _named(id: str, links: Links, class_: str | None) -> Html:
    address = links.row(id, Asked())
    shown = name(id, 60)
    return element("a", shown, href=address, class_=class_) if address else shown


def _pages(page: AddedPage, links: Links) -> Html | None:
    if page.pages < 2:
        return None
    here = links.part("added")
    parts: list[Child] = [
        element("a", title, href=f"{here}?page={to}", id=f"to-{title}")
        if 1 <= to <= page.pages else element("span", title, class_="dim")
        for title, to in (("previous", page.page - 1), ("next", page.page + 1))
    ]  # fmt: skip
    parts.insert(1, element("span", f"page {page.page:,} of {page.pages:,}"))
    return element("nav", parts, class_="pages", aria_label="Pages")
