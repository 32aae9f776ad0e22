"""The page of all runs of a folder: groups of scores, and a table of runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from harness.kit.html.markup import Child, Html, element, joined, name
from harness.kit.html.page import Page, resource
from harness.kit.numbers import counted, number
from harness_reports.html.runs_table import (
    Document,
    Extent,
    Link,
    choice,
    draw_table,
    extents,
    verdicts_of,
)

OWN = "harness_reports.html"
"""Where the files of this page lie."""
GROUPED = (
    "Sorted by a score, the runs of each group stand together: scores of other rows, or another "
    "primary score, are not ranked with each other."
)


def page_of_runs(document: Mapping[str, Any], link: Link | None = None) -> Page:
    """A ``harness.runs/1`` document as a page.

    Args:
        link: gives the address that a run's name leads to; None: its report's, if it has one.
    """
    runs = list(document["runs"])
    title = counted(len(runs), "run")
    header = element("header", element("h1", title), _dates(runs))
    sorting = resource("harness.kit.html", "sorting.js")
    styles, script = resource(OWN, "runs.css"), resource(OWN, "runs.js")
    main = joined(_main(document, runs, link))
    return Page(title, header, main, (styles,), (sorting, script))


def _dates(runs: list[Document]) -> Html | None:
    days = sorted(run["started"][:10] for run in runs if run["started"])
    return (
        element("p", name(" to ".join(dict.fromkeys((days[0], days[-1])))), class_="dim")
        if days
        else None
    )


def _main(
    document: Mapping[str, Any], runs: list[Document], link: Link | None
) -> Iterator[Child]:  # fmt: skip
    if not runs:
        yield element("p", "No runs yet: ", element("code", "harness iterate"))
        return
    drawn = extents(document)
    numbers = {run["run"]: place for place, run in enumerate(runs, start=1)}
    for note in (*document["notes"], document["caution"]):
        yield element("p", note, class_="note")
    yield _groups(document, drawn)
    yield _filter(runs)
    yield element("p", id="order", role="status", class_="note")
    yield draw_table(runs, numbers, drawn, link)


def _groups(document: Mapping[str, Any], drawn: Mapping[str, Extent]) -> Html:
    """What each group of scores is, and the range that its intervals are drawn in."""
    items = [element("li", _group(group, drawn[group["id"]])) for group in document["groups"]]
    return element("ul", items, class_="groups", data_told=GROUPED)


def _group(group: Document, extent: Extent) -> Html:
    rows = f" on {group['rows']:,.0f} rows of {group['split']}" if group["rows"] else ""
    words = [
        element("b", group["id"]), ": ", name(group["primary"], 60), rows,
        "" if group["higher_is_better"] else ", lower is better",
    ]  # fmt: skip
    parts = [
        counted(group["runs"], "run"),
        f"intervals drawn from {number(extent[0])} to {number(extent[1])}",
        "" if group["exact"] else "rows known by the settings of the data alone",
    ]
    remark = "; ".join(part for part in parts if part)
    return joined(
        element("span", words, data_group=group["id"]), " ",
        element("span", f"({remark})", class_="dim"),
    )  # fmt: skip


def _filter(runs: list[Document]) -> Html | None:
    """Shown by the script alone: without it, it would do nothing."""
    if len(runs) < 2:
        return None
    verdicts = sorted({label for run in runs for label in verdicts_of(run)})
    return element(
        "form",
        element("label", "Words ", element("input", type="search", id="find", autocomplete="off")),
        choice("verdict", "Verdict ", verdicts),
        choice("model", "Model ", sorted({run["model"] for run in runs})),
        choice("primary", "Primary score ", sorted({run["primary"] for run in runs})),
        element("output", id="found"),
        id="filter", hidden=True,
    )  # fmt: skip
