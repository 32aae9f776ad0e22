"""The baselines and arms of a run, each in a row below it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from harness.kit.numbers import counted, estimate, interval
from harness_reports.figures import Document
from harness_reports.html.blocks import label
from harness_reports.html.markup import Child, Html, element, joined, long, name
from harness_reports.html.run_cells import (
    CHANGED,
    COLUMNS,
    COST,
    DEV,
    ROWS,
    VALUE,
    VERDICTS,
    Extent,
    cell,
    cost_cell,
    count_cell,
    score_cell,
    settings_lines,
)

ARMS = 20


def below(run: Document, extent: Extent) -> Iterator[Html]:
    """The rows of a run's baselines and arms, and what the arms say together."""
    if run["forgetting"]:
        yield _beside(run["forgetting"])
    for baseline in run["baselines"]:
        yield _baseline(baseline, extent)
    yield from _arms(run, extent)


def _below(kind: str, arm: Document, cells: Mapping[str, Child]) -> Html:
    """A row of an arm or baseline: its name, and what it has of the columns."""
    repeated = not arm.get("changed") and arm["what"]  # what was changed stands in its column
    what = element("div", name(arm["what"], 200), class_="dim") if repeated else None
    head = element("span", f"{kind} ", class_="dim")
    named = element("th", head, name(arm["name"], 80), what, scope="row")
    shown = [
        cell(title, cells[title]) if title in cells else element("td", class_="none")
        for title in COLUMNS
    ]
    return element("tr", named, shown, class_="below")


def _beside(forgetting: Document) -> Html:
    """What the best round's model forgot, or not."""
    lines: list[Child] = []
    if forgetting["forgot"]:
        lines.append(
            element("div", element("b", name(forgetting["forgot"], 200), class_="label open"))
        )
    if forgetting["asked"]:
        before, after, asked = (forgetting[k] for k in ("right_before", "right_after", "asked"))
        counts = f"{before:.0f} → {after:.0f} of {asked:.0f}"
        lines.append(element("div", f"general instructions answered right: {counts}"))
    if forgetting["difference"] is not None:
        rise = estimate(
            forgetting["difference"], forgetting["low"], forgetting["high"], 3, plus=True
        )
        lines.append(element("div", f"loss on general text: {rise} nats per token"))
    head = element("th", element("span", "beside the task", class_="dim"), scope="row")
    return element("tr", head, element("td", lines, colspan=len(COLUMNS)), class_="below")


def _baseline(baseline: Document, extent: Extent) -> Html:
    cells: dict[str, Child] = {DEV: score_cell(baseline["dev"], extent)}
    if baseline["verdict"]:
        cells[VERDICTS] = [
            element("span", "best round: ", class_="dim"),
            _judged(baseline["verdict"]),
        ]
    return _below("baseline", baseline, cells)


def _arms(run: Document, extent: Extent) -> Iterator[Html]:
    """A row for each arm, and what they say together."""
    for arm in run["arms"][:ARMS]:
        yield _arm(arm, extent)
    beyond = len(run["arms"]) - ARMS
    more = (
        [f"and {counted(beyond, 'more arm')}: harness compare --all --json"] if beyond > 0 else []
    )
    for sentence in (*more, *run["levers"]):
        cell = element("td", long(sentence, 2_000), colspan=len(COLUMNS) + 1)
        yield element("tr", cell, class_="below")


def _arm(arm: Document, extent: Extent) -> Html:
    cells: dict[str, Child] = {ROWS: count_cell(arm["train_rows"]), COST: cost_cell(arm)}
    if changed := [*settings_lines(arm["changed"]), *_trained(arm)]:
        cells[CHANGED] = changed
    cells[DEV] = score_cell(arm["dev"], extent)
    if arm["failed"] is not None:
        reason = [element("b", "failed: ", class_="label bad"), name(arm["failed"], 400)]
        cells[DEV] = [cells[DEV] if arm["dev"] else None, element("div", reason)]
    if arm["verdict"]:
        against = [" against ", name(arm["against"], VALUE)] if arm["against"] else None
        worth = element("div", "worth it: ", name(arm["worth"], VALUE)) if arm["worth"] else None
        cells[VERDICTS] = [_judged(arm["verdict"]), element("span", against, class_="dim"), worth]
    return _below(f"{arm['kind']} arm" if arm["kind"] else "arm", arm, cells)


def _trained(arm: Document) -> Iterator[Html]:
    """What is no setting: a share of the rows, several seeds."""
    if arm["share"] is not None and arm["share"] != 1:
        yield element("div", f"{100 * arm['share']:.3g} % of the rows")
    if arm["trainings"] > 1:
        yield element("div", f"{arm['trainings']:,} seeds")


def _judged(verdict: Document) -> Html:
    """A label, and the difference that it rests on."""
    if verdict["difference"] is None:
        return label(verdict["label"])
    bounds = interval(verdict["low"], verdict["high"], plus=True)
    return joined(
        label(verdict["label"]),
        element("div", f"{verdict['difference']:+.3f} {bounds}", class_="score"),
    )
