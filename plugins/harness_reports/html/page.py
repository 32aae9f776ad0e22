"""The whole page: what stands in which order, and the rules that the browser is given."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterable, Mapping
from importlib.resources import files
from typing import Any

from harness_reports.html import data, errors, examples, people, verdict
from harness_reports.html.complete import Document, complete
from harness_reports.html.markup import Html, element, name
from harness_reports.people import TITLE as PEOPLE

SECTIONS: Mapping[str, tuple[str, Callable[[Document], Html | None]]] = {
    "verdict": ("Verdict", verdict.section),
    "weak": ("Weak slices", errors.slices),
    "changes": ("Fixed and broken", errors.changes),
    "kinds": ("Kinds of errors", errors.categories),
    "causes": ("Causes", errors.causes),
    "people": (PEOPLE, people.section),
    "examples": ("Worst examples", examples.section),
    "data": ("Data added", data.grown),
    "remedies": ("What to do", data.remedies),
    "scores": ("Scores", data.scores),
    "training": ("Training", data.training),
    "more": ("More", data.of_plugins),
    "appendix": ("Appendix", data.appendix),
}
"""Anchor -> heading and what makes the section (None: leave it out), in their order."""


def page(document: Mapping[str, Any]) -> str:
    """The report as one HTML document; the same document always gives the same text."""
    full = complete(document)
    style, script = _own("style.css"), _own("script.js")
    title = f"{full['run'] or 'run'}: report"
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy(style, script)),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="referrer", content="no-referrer"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", title),
        element("style", style),
    )
    made = {key: make(full) for key, (_, make) in SECTIONS.items()}
    sections = {key: inner for key, inner in made.items() if inner is not None}
    body = element(
        "body",
        element("header", element("h1", name(full["run"] or "Report")), _contents(sections)),
        element("main", map(_section, sections, sections.values()), data.next_command(full)),
        element("script", script),
    )
    return f"<!DOCTYPE html>\n{element('html', head, body, lang='en')}\n"


def policy(style: str, script: str) -> str:
    """Nothing is fetched, and no other script and style than ours has any effect."""
    return (
        "default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; "
        f"style-src '{_hash(style)}'; script-src '{_hash(script)}'"
    )


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"


def _own(name_: str) -> Html:
    """Style and script are put in as they are: they are ours, and hold no closing tag."""
    return Html(files("harness_reports.html").joinpath(name_).read_text(encoding="utf-8"))


def _contents(keys: Iterable[str]) -> Html:
    links = [element("li", element("a", SECTIONS[key][0], href=f"#{key}")) for key in keys]
    return element("nav", element("ul", links), aria_label="Contents")


def _section(key: str, inner: Html) -> Html:
    heading = element("h2", SECTIONS[key][0], id=f"{key}-h")
    return element("section", heading, inner, id=key, aria_labelledby=f"{key}-h")
