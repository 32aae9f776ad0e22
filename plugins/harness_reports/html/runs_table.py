"""The table of runs, the baselines and arms of each below it."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias
from urllib.parse import quote

from harness.kit.html.axes import Scale, dot, line
from harness.kit.html.blocks import label
from harness.kit.html.markup import Child, Html, element, joined, long, name
from harness.kit.numbers import (
    DASH,
    counted,
    duration,
    estimate,
    gigabytes,
    interval,
    moment,
    number,
)
from harness.kit.text import one_line, titled

Document: TypeAlias = Mapping[str, Any]
"""A run, a group or an arm of a ``harness.runs/1`` document."""
Link: TypeAlias = "Callable[[str], str]"
Extent: TypeAlias = "tuple[float, float]"
"""From the lowest bound of a group's scores to the highest: all are drawn on one scale."""

SETTINGS = 6
ARMS = 20
VALUE = 60
_WIDTH, _HEIGHT = 120.0, 12.0
CHANGED, MODEL, ROWS, DEV, VERDICTS, TEST, COST, DATE = COLUMNS = (
    "Changed", "Model", "Train rows", "Score on dev", "Verdicts on dev", "Test result", "Cost",
    "Date",
)  # fmt: skip
"""Titles of the columns behind the first, which names the run."""
_SPLITS = {DEV: "dev", TEST: "test"}
"""Column of scores -> split, whose groups are sorted apart."""


def kind(title: str) -> str | None:
    """The class of a column's cells."""
    return "n" if title == ROWS else None


def cell(title: str, inner: Child, key: str | float | None = None) -> Html:
    """A cell of that column.

    Args:
        key: by which it is sorted where its text is none; empty for no value.
    """
    sorts = None if key is None else str(key)
    return element("td", inner, class_=kind(title), data_title=title, data_sort=sorts)


def settings_lines(changed: Sequence[Document]) -> list[Html]:
    lines = [
        element("div", element("code", name(setting["key"], VALUE)), " ",
                _value(setting["from"]), " → ", element("b", _value(setting["to"])))
        for setting in changed[:SETTINGS]
    ]  # fmt: skip
    if len(changed) > SETTINGS:
        lines.append(element("div", f"and {len(changed) - SETTINGS:,} more", class_="dim"))
    return lines


def _value(value: Any) -> Child:
    if value is None:
        return DASH
    return name(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False), VALUE)


def count_cell(count: float | None) -> str:
    return DASH if count is None else f"{count:,.0f}"


def score_cell(score: Document | None, extent: Extent) -> Child:
    """Value and interval, and where the interval lies."""
    if score is None or score["value"] is None:
        return element("span", "not scored", class_="dim")
    bounds = interval(score["low"], score["high"])
    return [
        element("div", element("b", number(score["value"])), f" {bounds}", class_="score"),
        _picture(score, extent),
    ]  # fmt: skip


def _picture(score: Document, extent: Extent) -> Html:
    scale, middle = Scale(*extent, 4, _WIDTH - 4), _HEIGHT / 2
    drawn: list[Child] = [line(0, middle, _WIDTH, middle, "grid")]
    if score["low"] is not None and score["high"] is not None:
        drawn.append(line(scale(score["low"]), middle, scale(score["high"]), middle, "whisker"))
    drawn.append(dot(scale(score["value"]), middle, "point clear"))
    return element(
        "svg", *drawn, class_="interval", viewBox=f"0 0 {_WIDTH:g} {_HEIGHT:g}", aria_hidden="true"
    )


def cost_cell(cost: Document) -> Child:
    parts = [
        duration(cost["seconds"]),
        f"{cost['tokens']:,.0f} tokens" if cost["tokens"] is not None else "",
        gigabytes(cost["memory"]) if cost["memory"] is not None else "",
    ]
    return [element("div", part, class_="whole") for part in parts if part] or DASH


def extents(document: Mapping[str, Any]) -> dict[str, Extent]:
    """Group -> where its scores lie, those of arms and baselines included."""
    bounds: dict[str, list[float]] = {group["id"]: [] for group in document["groups"]}
    for run in document["runs"]:
        others = [entry["dev"] for entry in (*run["arms"], *run["baselines"])]
        for score, group in (
            *((entry, run["dev"]["group"]) for entry in (run["dev"], *others)),
            (run["test"], (run["test"] or {}).get("group")),
        ):
            if score:
                ends = (score["low"], score["value"], score["high"])
                bounds[group] += [end for end in ends if end is not None]
    return {group: (min(ends), max(ends)) if ends else (0.0, 1.0) for group, ends in bounds.items()}


def verdicts_of(run: Document) -> set[str]:
    """All labels that a run was given, and its arms."""
    test = [run["test"]["verdict"]] if run["test"] else []
    return {
        *run["verdicts"][1:],
        *test,
        *(a["verdict"]["label"] for a in run["arms"] if a["verdict"]),
    }


def choice(key: str, title: str, values: Sequence[str]) -> Html | None:
    """A list to filter by; nothing where there is nothing to choose."""
    if len(values) < 2:
        return None
    options = [element("option", one_line(text, VALUE), value=text) for text in values]
    return element(
        "label", title, element("select", element("option", "all", value=""), options, id=key)
    )


def draw_table(
    runs: Sequence[Document],
    numbers: Mapping[str, int],
    drawn: Mapping[str, Extent],
    link: Link | None,
) -> Html:
    """The table; each run is a body of its own, which is sorted and filtered as one.

    Args:
        numbers: run -> its number on the page.
        drawn: from :func:`extents`.
        link: gives the address that a run's name leads to; None: its report's, if it has one.
    """
    heads = [
        element("th", title, scope="col", class_=kind(title), data_split=_SPLITS.get(title))
        for title in ("Run", *COLUMNS)
    ]
    bodies = [_body(run, numbers, drawn, link) for run in runs]
    caption = "Runs of this folder, in the order in which they were begun"
    table = element(
        "table", element("caption", caption), element("thead", element("tr", heads)), bodies,
        class_="runs", id="runs",
    )  # fmt: skip
    return element("div", table, class_="scroll", tabindex=0, role="region", aria_label=caption)


def _body(
    run: Document, numbers: Mapping[str, int], drawn: Mapping[str, Extent], link: Link | None
) -> Html:  # fmt: skip
    number_ = numbers[run["run"]]
    extent, test = drawn[run["dev"]["group"]], run["test"]
    date = re.sub(r"\D", "", run["finished"] or run["started"] or "")[:14]
    cells = [
        cell(CHANGED, _changed(run, numbers)),
        cell(MODEL, name(run["model"], VALUE)),
        cell(ROWS, count_cell(run["train_rows"]), _key(run["train_rows"])),
        cell(DEV, _dev(run, extent), _key(run["dev"]["value"])),
        cell(VERDICTS, [_chain(run), _prompt(run, "dev")], _gained(run["verdicts"])),
        cell(TEST, _test(run, drawn), _key(test and test["value"])),
        cell(COST, cost_cell(run), run["seconds"]),
        cell(DATE, _date(run), date),
    ]
    return element(
        "tbody",
        element("tr", _name(run, number_, link), cells),
        below(run, extent),
        id=f"run-{number_}", class_="run", data_number=number_,
        data_dev=run["dev"]["group"], data_test=test and test["group"],
        data_model=run["model"], data_primary=run["primary"],
        data_verdicts=json.dumps(sorted(verdicts_of(run))),
    )  # fmt: skip


def _name(run: Document, number_: int, link: Link | None) -> Html:
    report = f"./{quote(run['report'])}" if run.get("report") else None
    address = link(run["run"]) if link else report
    shown: Child = name(run["run"], 80)
    if address is not None:
        shown = element("a", shown, href=address)
    return element("th", element("b", f" {number_} "), shown, scope="row", data_sort=number_)


def _changed(run: Document, numbers: Mapping[str, int]) -> Child:
    if run["changed"] is None:
        return element("span", "its config is not known", class_="dim")
    if run["against"] is None:
        return DASH
    other = numbers[run["against"]]
    against = element("a", f"run {other}", href=f"#run-{other}")
    head = element("div", "against ", against, "" if run["changed"] else ": nothing", class_="dim")
    return [head, settings_lines(run["changed"])]


def _dev(run: Document, extent: Extent) -> Child:
    best = f"round {run['best']}" if run["best"] else "base model"
    origin = joined(
        name(titled(run["primary"], run["caveat"]), VALUE), f", {run['dev']['group']}; {best}"
    )
    return [score_cell(run["dev"], extent), element("div", origin, class_="dim")]


def _key(value: float | None) -> float | str:
    """By which a cell is sorted; empty, which comes last, for no value."""
    return "" if value is None else value


def _gained(verdicts: Sequence[str]) -> int:
    return verdicts.count("improved") - verdicts.count("regressed")


def _chain(run: Document) -> Child:
    """The labels of the rounds; those of one label in a row stand together."""
    if len(run["verdicts"]) < 2:
        return element("span", "base model only", class_="dim")
    links = []
    rounds = enumerate(run["verdicts"][1:], start=1)
    for said, group in itertools.groupby(rounds, key=lambda labelled: labelled[1]):
        places = [place for place, _ in group]
        several = f"{places[0]}–{places[-1]}" if len(places) > 1 else f"{places[0]}"
        links.append(element("li", f"{several} ", label(said)))
    return element("ol", links, class_="chain")


def _prompt(run: Document, split: str) -> Child:
    """The best round against the prompts that were best on dev, where these rows were asked so."""
    prompt = run["best_prompt"]
    if not prompt or prompt["split"] != split:
        return None
    against = element("span", " against ", name(prompt["name"], VALUE), class_="dim")
    return element("div", label(prompt["verdict"]["label"]), against)


def _test(run: Document, drawn: Mapping[str, Extent]) -> Child:
    test = run["test"]
    if test is None:
        state = "sealed" if run["finished"] else "not finished"
        planned = f"{run['rounds']} of {run['planned']:.0f} rounds closed" if run["planned"] else ""
        closed = element("div", planned) if planned and not run["finished"] else None
        return element("span", state, closed, class_="dim")
    return [
        score_cell(test, drawn[test["group"]]),
        element("div", label(test["verdict"])),
        _prompt(run, "test"),
        element("div", f"opening {test['opening']}: bound {test['bound']}", class_="dim whole"),
    ]


def _date(run: Document) -> Child:
    """Day and time, each in a line of its own."""
    at = moment(run["finished"] or run["started"])
    begun = element("div", "begun", class_="dim") if at and not run["finished"] else None
    day, _, time = at.partition(" ")
    lines = [element("div", name(part, 40), class_="whole") for part in (day, time) if part]
    return [begun, lines] if lines else DASH


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
    best = element("span", "best round: ", class_="dim")
    cells: dict[str, Child] = {
        DEV: score_cell(baseline["dev"], extent),
        VERDICTS: [best, _judged(baseline["verdict"])],
    }
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
