"""What a page is: written as one file that holds all it needs, or with links to its files."""

from __future__ import annotations

import base64
import functools
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files

from harness.kit.html.blocks import style
from harness.kit.html.markup import Child, Html, element, joined


@dataclass(frozen=True, slots=True)
class Page:
    """A page without the rules that all pages share.

    Attributes:
        title: of the browser's tab.
        header: the element ``header``.
        main: what stands in the element ``main``.
        styles: its own rules; they follow those of all pages.
        scripts: in order. Without them it reads the same.
    """

    title: str
    header: Html
    main: Html
    styles: tuple[Html, ...] = ()
    scripts: tuple[Html, ...] = ()


def whole(page: Page) -> str:
    """The page as one file, which fetches nothing and runs no script but its own."""
    rules, script = joined(look(), page.styles), joined(page.scripts)
    policy = _policy(_hash(rules), _hash(script))
    return _document(page, policy, element("style", rules), element("script", script))


def linked(
    page: Page, styles: Iterable[str], scripts: Iterable[str], *, served: bool = True
) -> str:
    """The page with links to its files.

    Args:
        served: whoever serves it sends its policy; otherwise it stands in the page.
        styles: addresses at which :func:`look` and then the page's own rules are.
        scripts: addresses of its scripts, in order; they run when the page is read.
    """
    sheets = [element("link", rel="stylesheet", href=address) for address in styles]
    loaded = [element("script", src=address, defer=True) for address in scripts]
    return _document(page, None if served else _policy(_SELF, _SELF), [sheets, loaded], None)


@functools.cache
def look() -> Html:
    """The rules of all pages: colours, dark and light, the header, forms, and all blocks."""
    return joined(resource("harness.kit.html", "page.css"), style())


@functools.cache
def resource(package: str, name: str) -> Html:
    """A style or a script of ours, put into a page as it is: it holds no closing tag.

    ``sorting.js`` and ``page.js`` of ``harness.kit.html`` sort the tables of a page, filter its
    examples, and open the example that a link names.
    """
    return Html(files(package).joinpath(name).read_text(encoding="utf-8"))


def _document(page: Page, policy: Child, behind: Child, end: Child) -> str:
    """The text of a page.

    Args:
        behind: what follows its title.
        end: what follows all that is seen.
    """
    head = element(
        "head",
        element("meta", charset="utf-8"),
        policy,
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="referrer", content="no-referrer"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", page.title),
        behind,
    )
    body = element("body", page.header, element("main", page.main), end)
    return f"<!DOCTYPE html>\n{element('html', head, body, lang='en')}\n"


_SELF = "self"
"""The folder that the page lies in."""


def _policy(style: str, script: str) -> Html:
    """Nothing is fetched, and no style and script but from these sources has any effect."""
    content = (
        "default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; "
        f"style-src '{style}'; script-src '{script}'"
    )
    return element("meta", http_equiv="Content-Security-Policy", content=content)


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"
