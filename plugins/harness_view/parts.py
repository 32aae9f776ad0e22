"""The parts of a run's page, drawn: what a server sends and what is written as files."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping

import harness
from harness.kit.html.answers import anchor
from harness.kit.html.blocks import draw as draw_blocks
from harness.kit.html.markup import Html, element, joined, name
from harness.kit.html.sections import contents
from harness.kit.numbers import estimate
from harness_view import links as addresses
from harness_view.added import added_page, draw_added
from harness_view.frame import failure
from harness_view.links import Links
from harness_view.now import draw_now
from harness_view.rows import rows_page
from harness_view.rows_page import draw_rows
from harness_view.source import Source

NOTHING = "Nothing yet: this comes with the first closed round."
LOOK = "looked at by harness view"
"""What a look at rows of test is counted for."""


def drawn(source: Source, part: str, query: str, links: Links) -> tuple[int, Html]:
    """A part of a run's page, with the status of an answer; what cannot be shown says why.

    Args:
        part: one of the parts, or ``row``.
        query: what stands behind the ``?`` of its address.
    """
    source.refresh()
    try:
        if part in ("rounds", "rows", "added") and not source.has_report:
            return 200, failure(source.note or NOTHING)
        return 200, _PARTS[part](source, query, links)
    except harness.UsageError as error:
        return (400 if query else 200), failure(error.placed, error.hint)
    except harness.HarnessError as error:
        return 200, failure(error.placed, error.hint)


def _now(source: Source, query: str, links: Links) -> Html:
    live, verdict, finished = source.view.live(), None, False
    try:
        report, sections = source.report()
    except harness.HarnessError:  # before the first round is closed there is none
        pass
    else:
        # A finished run may be gone on with: what it ended with before is not the end.
        ended = report.dates.finished
        finished = ended is not None and (live is None or live.started <= ended)
        verdict = next(iter(sections), None) if finished else None
    return draw_now(live, verdict, finished, links)


def _rounds(source: Source, query: str, links: Links) -> Html:
    _, sections = source.report()
    return joined(_note(source), contents(sections), (section.html for section in sections))


def _rows(source: Source, query: str, links: Links) -> Html:
    asked = addresses.asked(query)
    if asked.split == "test":
        if not source.open_test:
            raise harness.UsageError(
                "rows of test are sealed", hint="harness view --open-test, which is counted"
            )
        source.view.count_look(LOOK)
    page = rows_page(source, asked)
    return joined(_note(source), draw_rows(page, links, served=True, test=_test(source, links)))


def _row(source: Source, query: str, links: Links) -> Html:
    row, asked = addresses.row_of(query), addresses.asked(query)
    return joined(back(row, asked, links), explained(source, row))


def back(row: str, asked: addresses.Asked, links: Links) -> Html:
    """The way from a row to its place in the table."""
    place = f"{links.rows(asked)}#{anchor(row)}"
    return element("p", element("a", "Back to the rows", href=place, id="back"))


def explained(source: Source, row: str) -> Html:
    """What `harness why` knows of a row.

    Raises:
        HarnessError: no row has that id; it is of test, and that is sealed.
    """
    blocks = source.view.explained(row, open_test=source.open_test)
    return draw_blocks(blocks, (f"chart-{n}" for n in itertools.count(1)))


def _added(source: Source, query: str, links: Links) -> Html:
    page = added_page(source, addresses.asked(query).page)
    return joined(_note(source), draw_added(page, links, served=True))


_PARTS: Mapping[str, Callable[[Source, str, Links], Html]] = {
    "now": _now, "rounds": _rounds, "rows": _rows, "row": _row, "added": _added,
}  # fmt: skip


def _note(source: Source) -> Html | None:
    note = source.note
    return element("p", note, class_="note", role="status") if note else None


def _test(source: Source, links: Links) -> Html | None:
    """What is said of the test set above the rows of dev: counts and scores alone."""
    report, _ = source.report()
    if report.test is None:
        return element("p", "The test set is sealed: its rows are not here.", class_="note")
    scores = (
        f"{whose} {estimate(score.value, score.low, score.high)}"
        for whose, score in (("base model", report.test.baseline[report.primary]),
                             ("best round", report.test.kept[report.primary]))
    )  # fmt: skip
    rows = report.test.kept[report.primary].n
    way = (
        element("a", "its rows", href=links.rows(addresses.Asked(split="test")))
        if source.open_test
        else element("span", "its rows: ", element("code", "harness view --open-test"),
                     ", which is counted")
    )  # fmt: skip
    words = f"Test, {rows:,} rows, {report.primary}: {', '.join(scores)};"
    return element("p", name(words, 400), " ", way, class_="note")
