"""The table of runs, the baselines and arms of each below it."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from harness.kit.numbers import DASH, moment
from harness.kit.text import one_line, titled
from harness_reports.figures import Document
from harness_reports.html.blocks import label
from harness_reports.html.markup import Child, Html, element, joined, name
from harness_reports.html.run_arms import below
from harness_reports.html.run_cells import (
    CHANGED,
    COLUMNS,
    COST,
    DATE,
    DEV,
    MODEL,
    ROWS,
    TEST,
    VALUE,
    VERDICTS,
    Extent,
    cell,
    cost_cell,
    count_cell,
    kind,
    score_cell,
    settings_lines,
)

_SPLITS = {DEV: "dev", TEST: "test"}
"""Column of scores -> split, whose groups are sorted apart."""


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
    runs: Sequence[Document], numbers: Mapping[str, int], drawn: Mapping[str, Extent]
) -> Html:  # fmt: skip
    """The table; each run is a body of its own, which is sorted and filtered as one.

    Args:
        numbers: run -> its number on the page.
        drawn: from :func:`extents`.
    """
    heads = [
        element("th", title, scope="col", class_=kind(title), data_split=_SPLITS.get(title))
        for title in ("Run", *COLUMNS)
    ]
    bodies = [_body(run, numbers, drawn) for run in runs]
    caption = "Runs of this folder, in the order in which they were begun"
    table = element(
        "table", element("caption", caption), element("thead", element("tr", heads)), bodies,
        class_="runs", id="runs",
    )  # fmt: skip
    return element("div", table, class_="scroll", tabindex=0, role="region", aria_label=caption)


def _body(run: Document, numbers: Mapping[str, int], drawn: Mapping[str, Extent]) -> Html:
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
        element("tr", _name(run, number_), cells),
        below(run, extent),
        id=f"run-{number_}", class_="run", data_number=number_,
        data_dev=run["dev"]["group"], data_test=test and test["group"],
        data_model=run["model"], data_primary=run["primary"],
        data_verdicts=json.dumps(sorted(verdicts_of(run))),
    )  # fmt: skip


def _name(run: Document, number_: int) -> Html:
    shown: Child = name(run["run"], 80)
    if run.get("report"):
        shown = element("a", shown, href=f"./{quote(run['report'])}")
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
    below = joined(
        name(titled(run["primary"], run["caveat"]), VALUE), f", {run['dev']['group']}; {best}"
    )
    return [score_cell(run["dev"], extent), element("div", below, class_="dim")]


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
    if not prompt or prompt["split"] != split or not prompt["verdict"]:
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
