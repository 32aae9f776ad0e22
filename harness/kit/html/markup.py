"""Making HTML in which text is always text.

Only :class:`Html` is put into a page as it is, and only :func:`element` makes it. All else is
freed of control and direction characters, cut and escaped, so no section has to think of it.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from typing import TypeAlias

from harness.kit.text import one_line, plain


class Html(str):
    """Markup that was made here."""

    __slots__ = ()


Child: TypeAlias = "str | int | float | Iterable[Child] | None"
Attribute: TypeAlias = "str | int | float | bool | None"

LIMIT = 2_500
"""Most characters of one text from data; :func:`long` takes more."""
_VOID = {"meta", "link", "input", "br", "hr"}


def element(tag: str, *children: Child, **attributes: Attribute) -> Html:
    """``element("p", "a < b", class_="note")`` is ``<p class="note">a &lt; b</p>``.

    Args:
        attributes: a trailing underscore is dropped, others become hyphens; None and False
            leave the attribute out, True gives it no value.
    """
    opening = tag + "".join(_attribute(name, value) for name, value in attributes.items())
    if tag in _VOID:
        return Html(f"<{opening}>")
    return Html(f"<{opening}>{''.join(_flat(children))}</{tag}>")


def joined(*children: Child) -> Html:
    """Children one after another, without an element around them."""
    return Html("".join(_flat(children)))


def name(text: object, limit: int = 120) -> Html:
    """A short text from data, in one line, in its own direction of writing."""
    return element("bdi", one_line(str(text), limit))


def long(text: str, limit: int) -> Html:
    """A text that may be longer than others."""
    return Html(html.escape(plain(text, limit), quote=True))


def text_block(text: str, limit: int = 2_000, **attributes: Attribute) -> Html:
    """A longer text from data, its lines kept; code stands in a monospace face."""
    class_ = f"text{code_class(text)}"
    return element("div", plain(text, limit), dir="auto", **{"class_": class_, **attributes})


_CODE = re.compile(r"^(?: {0,3}(?:```|~~~)|(?: {4}|\t)\s*\S)", re.MULTILINE)
_MOST_READ = 20_000
"""Characters of a text that are looked at for code."""


def code_class(*texts: str) -> str:
    """A class for texts that hold code: a fence, or a line that is indented as code is."""
    return " code" if any(_CODE.search(text[:_MOST_READ]) for text in texts) else ""


def number(value: float) -> str:
    """A coordinate: short, and the same on every machine."""
    return f"{value:.2f}".rstrip("0").rstrip(".") or "0"


Column: TypeAlias = "tuple[str, str]"


def table(
    columns: Sequence[Column],
    rows: Iterable[Sequence[Child]],
    caption: str,
    sortable: bool = True,
    head: int = 0,
) -> Html:
    """A table that scrolls sideways where there is no room.

    Args:
        columns: heading, and ``n`` for numbers (to the right), ``s`` for a short word or two
            (never broken), or an empty text.
        caption: for those who do not see it, and for finding it.
        head: the column that names the row.
    """
    kinds = [kind or None for _, kind in columns]
    titles = [
        element("th", one_line(title, 60), scope="col", class_=kind or None)
        if title
        else element("td", class_=kind or None)
        for title, kind in columns
    ]
    body = [
        element("tr", (_cell(at == head, kinds[at], cell) for at, cell in enumerate(row)))
        for row in rows
    ]
    drawn = element(
        "table",
        element("caption", caption),
        element("thead", element("tr", titles)),
        element("tbody", body),
        class_="sortable" if sortable and len(body) > 2 else None,
    )
    return element("div", drawn, class_="scroll", tabindex=0, role="region", aria_label=caption)


def _cell(head: bool, kind: str | None, cell: Child) -> Html:
    if head:
        return element("th", cell, scope="row", class_=kind)
    return element("td", cell, class_=kind)


def _attribute(name_: str, value: Attribute) -> str:
    if value is None or value is False:
        return ""
    shown = name_.rstrip("_").replace("_", "-")
    if value is True:
        return f" {shown}"
    text = number(value) if isinstance(value, float) else plain(str(value), LIMIT)
    return f' {shown}="{html.escape(text, quote=True)}"'


def _flat(children: Iterable[Child]) -> Iterable[str]:
    for child in children:
        if child is None:
            continue
        if isinstance(child, Html):
            yield child
        elif isinstance(child, str):
            yield html.escape(plain(child, LIMIT), quote=True)
        elif isinstance(child, (int, float)):
            yield html.escape(str(child), quote=True)
        else:
            yield from _flat(child)
