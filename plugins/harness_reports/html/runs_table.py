"""The table of runs, the baselines and arms of each below it."""

from __future__ import annotations

import itertools
import json
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias
from urllib.parse import quote

from harness.kit.numbers import DASH, counted, duration, gigabytes, interval, moment, number
from harness.kit.text import one_line, titled
from harness_reports.figures import Document
from harness_reports.html.axes import Scale, dot, line
from harness_reports.html.blocks import label
from harness_reports.html.markup import Child, Html, element, joined, long, name

Extent: TypeAlias = "tuple[float, float]"
"""From the lowest bound of a group's scores to the highest: all are drawn on one scale."""

SETTINGS = 6
ARMS = 20
VALUE = 60
_WIDTH, _HEIGHT = 120.0, 12.0
_COLUMNS = (
    ("Run", ""), ("Changed", ""), ("Model", ""), ("Train rows", "n"), ("Score on dev", ""),
    ("Verdicts on dev", ""), ("Test result", ""), ("Cost", ""), ("Date", ""),
)  # fmt: skip
_SPLITS = {4: "dev", 6: "test"}
"""Column of scores -> split, whose groups are sorted apart."""


def extents(document: Mapping[str, Any]) -> dict[str, Extent]:
    """Group -> where its scores lie, those of arms and baselines included."""
    bounds: dict[str, list[float]] = {group["id"]: [] for group in document["groups"]}
    for run in document["runs"]:
        below = [one["dev"] for one in (*run["arms"], *run["baselines"])]
        for score, group in (
            *((one, run["dev"]["group"]) for one in (run["dev"], *below)),
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
    runs: Sequence[Document], numbers: Mapping[str, int], drawn: Mapping[str, Extent],
    links: Mapping[int, Child],
) -> Html:  # fmt: skip
    """The table; each run is a body of its own, which is sorted and filtered as one.

    Args:
        numbers: run -> its number on the page.
        drawn: from :func:`extents`.
        links: number of a run -> the way to its answers, where they stand on the page.
    """
    heads = [
        element("th", title, scope="col", class_=kind or None, data_split=_SPLITS.get(at))
        for at, (title, kind) in enumerate(_COLUMNS)
    ]
    bodies = [_body(run, numbers, drawn, links) for run in runs]
    caption = "Runs of this folder, in the order in which they were begun"
    table = element(
        "table", element("caption", caption), element("thead", element("tr", heads)), bodies,
        class_="runs", id="runs",
    )  # fmt: skip
    return element("div", table, class_="scroll", tabindex=0, role="region", aria_label=caption)


def _body(
    run: Document, numbers: Mapping[str, int], drawn: Mapping[str, Extent],
    links: Mapping[int, Child],
) -> Html:  # fmt: skip
    number_ = numbers[run["run"]]
    extent, test = drawn[run["dev"]["group"]], run["test"]
    cells: list[tuple[Child, str | float | None]] = [
        (_changed(run, numbers), None),
        (name(run["model"], VALUE), None),
        (_rows(run["train_rows"]), run["train_rows"]),
        (_dev(run, extent), run["dev"]["value"]),
        (_chain(run), _gained(run["verdicts"])),
        (_test(run, drawn), test and test["value"]),
        (_cost(run), run["seconds"]),
        (_date(run), re.sub(r"\D", "", run["finished"] or run["started"] or "")[:14]),
    ]
    told = [_cell(at, *cell) for at, cell in enumerate(cells, start=1)]
    below = [*(_baseline(one, extent) for one in run["baselines"]), *_arms(run, extent)]
    return element(
        "tbody",
        element("tr", _name(run, number_, links.get(number_)), told),
        below,
        id=f"run-{number_}", class_="run", data_number=number_, data_name=shlex.quote(run["run"]),
        data_dev=run["dev"]["group"], data_test=test and test["group"],
        data_model=run["model"], data_primary=run["primary"],
        data_verdicts=json.dumps(sorted(verdicts_of(run))),
    )  # fmt: skip


def _cell(at: int, inner: Child, key: str | float | None = None) -> Html:
    title, kind = _COLUMNS[at]
    sorts = None if key is None and at in (1, 2) else "" if key is None else str(key)
    return element("td", inner, class_=kind or None, data_title=title, data_sort=sorts)


def _name(run: Document, number_: int, link: Child) -> Html:
    shown: Child = name(run["run"], 80)
    if run.get("report"):
        shown = element("a", shown, href=f"./{quote(run['report'])}")
    box = element("input", type="checkbox", hidden=True, aria_label=f"choose run {number_}")
    links = element("div", link, class_="links") if link else None
    return element(
        "th", box, element("b", f" {number_} "), shown, links, scope="row", data_sort=number_
    )


def _changed(run: Document, numbers: Mapping[str, int]) -> Child:
    if run["changed"] is None:
        return element("span", "its config is not known", class_="dim")
    if run["against"] is None:
        return DASH
    other = numbers[run["against"]]
    against = element("a", f"run {other}", href=f"#run-{other}")
    head = element("div", "against ", against, "" if run["changed"] else ": nothing", class_="dim")
    return [head, _settings(run["changed"])]


def _settings(changed: Sequence[Document]) -> list[Html]:
    lines = [
        element("div", element("code", name(one["key"], VALUE)), " ", _value(one["from"]), " → ",
                element("b", _value(one["to"])))
        for one in changed[:SETTINGS]
    ]  # fmt: skip
    if len(changed) > SETTINGS:
        lines.append(element("div", f"and {len(changed) - SETTINGS:,} more", class_="dim"))
    return lines


def _value(value: Any) -> Child:
    if value is None:
        return DASH
    return name(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False), VALUE)


def _rows(count: float | None) -> str:
    return DASH if count is None else f"{count:,.0f}"


def _score(score: Document | None, extent: Extent) -> Child:
    """Value and interval, and where the interval lies."""
    if score is None or score["value"] is None:
        return element("span", "not scored", class_="dim")
    found = interval(score["low"], score["high"])
    return [
        element("div", element("b", number(score["value"])), f" {found}", class_="score"),
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


def _dev(run: Document, extent: Extent) -> Child:
    best = f"round {run['best']}" if run["best"] else "base model"
    told = joined(
        name(titled(run["primary"], run["caveat"]), VALUE), f", {run['dev']['group']}; {best}"
    )
    return [_score(run["dev"], extent), element("div", told, class_="dim")]


def _gained(verdicts: Sequence[str]) -> int:
    return verdicts.count("improved") - verdicts.count("regressed")


def _chain(run: Document) -> Child:
    """The labels of the rounds; those of one label in a row stand together."""
    if len(run["verdicts"]) < 2:
        return element("span", "base model only", class_="dim")
    found = []
    rounds = enumerate(run["verdicts"][1:], start=1)
    for said, group in itertools.groupby(rounds, key=lambda one: one[1]):
        places = [place for place, _ in group]
        several = f"{places[0]}–{places[-1]}" if len(places) > 1 else f"{places[0]}"
        found.append(element("li", f"{several} ", label(said)))
    return element("ol", found, class_="chain")


def _test(run: Document, drawn: Mapping[str, Extent]) -> Child:
    test = run["test"]
    if test is None:
        told = "sealed" if run["finished"] else "not finished"
        planned = f"{run['rounds']} of {run['planned']:.0f} rounds closed" if run["planned"] else ""
        closed = element("div", planned) if planned and not run["finished"] else None
        return element("span", told, closed, class_="dim")
    return [
        _score(test, drawn[test["group"]]),
        element("div", label(test["verdict"])),
        element("div", f"opening {test['opening']}: bound {test['bound']}", class_="dim whole"),
    ]


def _cost(found: Document) -> Child:
    parts = [
        duration(found["seconds"]) if found["seconds"] is not None else "",
        f"{found['tokens']:,.0f} tokens" if found["tokens"] is not None else "",
        gigabytes(found["memory"]) if found["memory"] is not None else "",
    ]
    return [element("div", part, class_="whole") for part in parts if part] or DASH


def _date(run: Document) -> Child:
    """Day and time, each in a line of its own."""
    at = moment(run["finished"] or run["started"])
    begun = element("div", "begun", class_="dim") if at and not run["finished"] else None
    day, _, time = at.partition(" ")
    lines = [element("div", name(part, 40), class_="whole") for part in (day, time) if part]
    return [begun, lines] if lines else DASH


def _below(kind: str, found: Document, cells: Mapping[int, Child]) -> Html:
    """A row of an arm or baseline: its name, and what it has of the columns."""
    told = not found.get("changed") and found["what"]  # what was changed stands in its column
    what = element("div", name(found["what"], 200), class_="dim") if told else None
    head = element("span", f"{kind} ", class_="dim")
    named = element("th", head, name(found["name"], 80), what, scope="row")
    shown = [
        _cell(at, cells[at]) if at in cells else element("td", class_="none")
        for at in range(1, len(_COLUMNS))
    ]
    return element("tr", named, shown, class_="below")


def _baseline(found: Document, extent: Extent) -> Html:
    cells: dict[int, Child] = {4: _score(found["dev"], extent)}
    if found["verdict"]:
        cells[5] = [element("span", "best round: ", class_="dim"), _judged(found["verdict"])]
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
        told = element("td", long(sentence, 2_000), colspan=len(_COLUMNS))
        yield element("tr", told, class_="below")


def _arm(arm: Document, extent: Extent) -> Html:
    cells: dict[int, Child] = {3: _rows(arm["train_rows"]), 7: _cost(arm)}
    if changed := [*_settings(arm["changed"]), *_trained(arm)]:
        cells[1] = changed
    failed = arm["failed"] is not None
    reason = [element("b", "failed: ", class_="label bad"), name(arm["failed"], 400)]
    cells[4] = [
        _score(arm["dev"], extent) if arm["dev"] or not failed else None,
        element("div", reason) if failed else None,
    ]
    if arm["verdict"]:
        against = [" against ", name(arm["against"], VALUE)] if arm["against"] else None
        worth = element("div", "worth it: ", name(arm["worth"], VALUE)) if arm["worth"] else None
        cells[5] = [_judged(arm["verdict"]), element("span", against, class_="dim"), worth]
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
