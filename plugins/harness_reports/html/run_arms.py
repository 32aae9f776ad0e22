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
    for one in run["baselines"]:
        yield _baseline(one, extent)
    yield from _arms(run, extent)


def _below(kind: str, found: Document, cells: Mapping[str, Child]) -> Html:
    """A row of an arm or baseline: its name, and what it has of the columns."""
    told = not found.get("changed") and found["what"]  # what was changed stands in its column
    what = element("div", name(found["what"], 200), class_="dim") if told else None
    head = element("span", f"{kind} ", class_="dim")
    named = element("th", head, name(found["name"], 80), what, scope="row")
    shown = [
        cell(title, cells[title]) if title in cells else element("td", class_="none")
        for title in COLUMNS
    ]
    return element("tr", named, shown, class_="below")


def _beside(found: Document) -> Html:
    """What the best round's model forgot, or not."""
    told: list[Child] = []
    if found["forgot"]:
        told.append(element("div", element("b", name(found["forgot"], 200), class_="label open")))
    if found["asked"]:
        counts = f"{found['right_before']:.0f} → {found['right_after']:.0f} of {found['asked']:.0f}"
        told.append(element("div", f"general instructions answered right: {counts}"))
    if found["difference"] is not None:
        rise = estimate(found["difference"], found["low"], found["high"], 3, plus=True)
        told.append(element("div", f"loss on general text: {rise} nats per token"))
    head = element("th", element("span", "beside the task", class_="dim"), scope="row")
    return element("tr", head, element("td", told, colspan=len(COLUMNS)), class_="below")


def _baseline(found: Document, extent: Extent) -> Html:
    cells: dict[str, Child] = {DEV: score_cell(found["dev"], extent)}
    if found["verdict"]:
        cells[VERDICTS] = [element("span", "best round: ", class_="dim"), _judged(found["verdict"])]
    return _below("baseline", found, cells)


def _arms(run: Document, extent: Extent) -> Iterator[Html]:
    """A row for each arm, and what they say together."""
    for arm in run["arms"][:ARMS]:
        yield _arm(arm, extent)
    beyond = len(run["arms"]) - ARMS
    more = (
        [f"and {counted(beyond, 'more arm')}: harness compare --all --json"] if beyond > 0 else []
    )
    for sentence in (*more, *run["levers"]):
        told = element("td", long(sentence, 2_000), colspan=len(COLUMNS) + 1)
        yield element("tr", told, class_="below")


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
