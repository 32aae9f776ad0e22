"""What all pages have around them: the run's name, the way to the other parts, and the files."""

from __future__ import annotations

import functools
from collections.abc import Mapping

from harness.kit.html.markup import Child, Html, element, joined, name
from harness.kit.html.page import Page, look, resource
from harness_view.links import PARTS, Links

STYLES = ("look.css", "view.css")
SCRIPTS = ("sorting.js", "idiomorph.js", "view.js", "page.js")
"""In this order: ``view.js`` remembers the page as it was sent."""


@functools.cache
def files() -> Mapping[str, Html]:
    """The styles and scripts of a run's page, by name."""
    names = ("view.css", "idiomorph.js", "view.js", "written.js")
    own = {file: resource("harness_view", f"static/{file}") for file in names}
    kit = {file: resource("harness.kit.html", file) for file in ("sorting.js", "page.js")}
    return {"look.css": look(), **own, **kit}


def framed(
    title: str, here: str, main: Child, links: Links, *, mark: str = "", events: str | None = None
) -> Page:
    """A part of a run's page.

    Args:
        title: the run's name.
        here: the part, or ``row``.
        mark: changes with what there is to see.
        events: the address that tells of changes; None: nothing can change.
    """
    parts = [
        element("a", shown, href=links.part(part), aria_current="page" if part == here else None)
        for part, shown in PARTS.items()
    ]
    runs = element("a", "All runs", href=links.runs) if links.runs else None
    header = element(
        "header", element("h1", name(title, 200)),
        element("nav", parts, runs, class_="parts", aria_label="Parts"),
    )  # fmt: skip
    called = next((shown for part, shown in PARTS.items() if part == here), "Row")
    return Page(f"{called}: {title}", header, watched(main, mark, events))


def watched(main: Child, mark: str, events: str | None) -> Html:
    """What is replaced where there is something new, and the line that says what is wrong."""
    return joined(
        element("p", "", id="lost", role="status", class_="banner open", hidden=True),
        element("div", main, id="shown", data_mark=mark or None, data_events=events),
    )


def failure(why: str, hint: str = "") -> Html:
    """What is shown in place of a part that cannot be."""
    return joined(
        element("p", why, class_="note"),
        element("p", hint, class_="note") if hint else None,
    )
