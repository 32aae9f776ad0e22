"""The whole page: what stands in which order, and the rules that the browser is given."""

from __future__ import annotations

import base64
import hashlib
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from harness import Analysis
from harness.kit.blocks import of_sections
from harness.kit.html.blocks import draw, parts, style
from harness.kit.html.markup import Child, Html, element, joined, name
from harness.kit.text import one_line


def page(document: Analysis) -> str:
    """The report as one HTML document; the same document always gives the same text."""
    run, day = document.run, _day(document)
    sections = list(_sections(document))
    called = called_by(document)
    header = element(
        "header", element("h1", name(called, 200), _beside(day)),
        element("p", "run ", name(run), class_="run") if run and run != called else None,
        _contents(sections),
    )  # fmt: skip
    title = ", ".join(dict.fromkeys(filter(None, (called, day, run))))
    return whole(title, header, map(_section, sections), [], ["sorting.js", "page.js"])


def whole(
    title: str, header: Html, main: Iterable[Child], styles: Iterable[str], scripts: Iterable[str]
) -> str:
    """A page that holds all that it needs.

    Args:
        styles: files of ours, behind those of all pages.
        scripts: files of ours, in order.
    """
    rules, script = joined(_own(["page.css"]), style(), _own(styles)), _own(scripts)
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy(rules, script)),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="referrer", content="no-referrer"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", title),
        element("style", rules),
    )
    body = element("body", header, element("main", main), element("script", script))
    return f"<!DOCTYPE html>\n{element('html', head, body, lang='en')}\n"


def called_by(document: Analysis) -> str:
    """``SmolLM2-135M-Instruct on tickets``: the model, and the config's name or its data.

    A run is named by its config and a number; a config that is called ``harness.yaml`` says
    nothing, so there it is the file or the source of the data.
    """
    run = document.run
    config = _NUMBER.sub("", run)
    if config == DEFAULT:
        config = _data(document.settings.get("data") or {})
    return one_line(" on ".join(filter(None, (document.model.base, config)))) or run


DEFAULT = "harness"
_NUMBER = re.compile(r"-[0-9a-f]{8}$")
_FILES = ("path", "file", "train")
"""Options of sources that name what is read."""


def _data(data: Mapping[str, Any]) -> str:
    """The last part of the path of the rows, or their source."""
    paths = (data[key] for key in _FILES if isinstance(data.get(key), str) and data[key])
    path = next(paths, "")
    source = str(next(iter(data.values()), ""))
    return path.rstrip("/").rpartition("/")[2] or source


def _day(document: Analysis) -> str:
    """``2026-11-26``, when the run was done, or an empty text."""
    dates = document.dates
    return one_line((dates.finished or dates.started or "")[:10])


def _beside(remark: str) -> list[Child] | None:
    return [" ", element("span", remark, class_="remark")] if remark else None


def policy(style: str, script: str) -> str:
    """Nothing is fetched, and no other script and style than ours has any effect."""
    return (
        "default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; "
        f"style-src '{_hash(style)}'; script-src '{_hash(script)}'"
    )


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"


def _own(names: Iterable[str]) -> Html:
    """Styles and scripts are put in as they are: they are ours, and hold no closing tag."""
    return Html("".join(map(_text, names)))


def _text(name_: str) -> str:
    """A file of all pages, or of this package."""
    shared, own = files("harness.kit.html") / name_, files("harness_reports.html") / name_
    return (shared if shared.is_file() else own).read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class _Section:
    key: str
    title: str
    inner: Html
    remark: str = ""


def _sections(document: Analysis) -> Iterator[_Section]:
    """One section for each heading of level 2; the first line of all begins the first."""
    taken: set[str] = set()
    keys = itertools.count(1)
    for heading, inner in parts(of_sections(document)):
        drawn = draw(inner, keys)
        yield _Section(_anchor(heading.text, taken), heading.text, drawn, heading.remark)


def _anchor(title: str, taken: set[str]) -> str:
    """A place to link to that no other section has."""
    words = "-".join(re.findall(r"[a-z0-9]+", one_line(title, 60).lower())) or "section"
    names = (words if n == 1 else f"{words}-{n}" for n in itertools.count(1))
    key = next(name for name in names if name not in taken)
    taken.add(key)
    return key


def _contents(sections: Iterable[_Section]) -> Html:
    links = [
        element("li", element("a", name(section.title, 60), href=f"#{section.key}"))
        for section in sections
    ]
    folded = element(
        "details", element("summary", f"Contents: {len(links)} parts"), element("ul", links)
    )
    return element("nav", folded, aria_label="Contents")


def _section(section: _Section) -> Html:
    remark = [" ", element("span", name(section.remark, 300), class_="remark")]
    heading = element(
        "h2", name(section.title, 200), remark if section.remark else None, id=f"{section.key}-h"
    )
    return element(
        "section", heading, section.inner, id=section.key, aria_labelledby=f"{section.key}-h"
    )
