"""The page of a report: its title and header above its sections."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from harness import Analysis
from harness.kit.blocks import of_sections
from harness.kit.html.markup import Child, element, joined, name
from harness.kit.html.page import Page, resource, whole
from harness.kit.html.sections import contents, sections
from harness.kit.text import one_line


def page(document: Analysis) -> str:
    """The report as one HTML document; the same document always gives the same text."""
    run, day = document.run, _day(document)
    shown = sections(of_sections(document))
    called = called_by(document)
    header = element(
        "header", element("h1", name(called, 200), _beside(day)),
        element("p", "run ", name(run), class_="run") if run and run != called else None,
        contents(shown),
    )  # fmt: skip
    title = ", ".join(dict.fromkeys(filter(None, (called, day, run))))
    main = joined(section.html for section in shown)
    scripts = tuple(resource("harness.kit.html", file) for file in ("sorting.js", "page.js"))
    return whole(Page(title, header, main, scripts=scripts))


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
