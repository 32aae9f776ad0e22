"""All runs of a folder, as a terminal shows them."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

from rich.console import Console

from harness.kit.blocks import Cell, table
from harness.kit.numbers import DASH, duration, estimate, moment
from harness.kit.terminal import tables
from harness.kit.terminal.blocks import draw_rows
from harness.kit.text import one_line, titled
from harness_inspection.commands.printing import VALUE, Document, setting

Lines = tuple[str, ...]
SHOWN = 4
"""Keys of a config that are shown of what was changed."""
ARMS = 5
"""Arms and baselines that are shown of a run."""


def show_overview(document: Document, console: Console) -> None:
    """A table of the runs in the order in which they were begun, the arms of each below it."""
    runs = document["runs"]
    if not runs:
        tables.note(console, "no runs yet: harness iterate")
        return
    numbers = {run["run"]: place for place, run in enumerate(runs, start=1)}
    apart = {split: _groups(document, split) for split in ("dev", "test")}
    rows: list[tuple[Cell, ...]] = []
    for run in runs:
        begun = moment(run["finished"] or run["started"])
        rows.append((
            (f"{numbers[run['run']]}  {run['run']}", begun),
            _changed(run, numbers),
            _dev(run, len(apart["dev"]) > 1),
            _test(run, len(apart["test"]) > 1),
            duration(run["seconds"]),
        ))  # fmt: skip
        rows += _below(run)
    titles = ("run", "changed", "dev", "test", "time")
    draw_rows(table(titles, rows, right=["time"], caption="all runs"), console)
    console.print()
    for groups in apart.values():
        if len(groups) > 1:
            tables.note(console, f"Not to be ranked with each other: {', '.join(groups)}.", "dim")
    for note in document["notes"]:
        tables.note(console, note, "dim")
    tables.note(console, document["caution"], "dim")
    if names := _comparable(runs):
        tables.next_command(console, shlex.join(["harness", "compare", *names]))


def _comparable(runs: Sequence[Document]) -> list[str]:
    """The latest two runs whose scores on dev can be ranked; empty where there are none."""
    latest: dict[str, str] = {}
    for run in reversed(runs):
        group = run["dev"]["group"] if run["dev"] else ""
        if group and group in latest:
            return [run["run"], latest[group]]
        latest.setdefault(group, run["run"])
    return []


def _groups(document: Document, split: str) -> list[str]:
    """What each group of scores of a split is."""
    return [_group(group) for group in document["groups"] if group["split"] == split]


def _group(group: Document) -> str:
    rows = f" on {group['rows']:,.0f} rows" if group["rows"] is not None else ""
    return f"{group['id']} ({one_line(group['primary'], 40)}{rows})"


def _below(run: Document) -> Iterator[tuple[Cell, ...]]:
    """The cells of a run's baselines and arms, some of many."""
    if run["forgetting"]:
        yield ("beside the task", _forgetting(run["forgetting"]), "", "", "")
    rows = [*map(_baseline, run["baselines"]), *map(_arm, run["arms"])]
    yield from rows[:ARMS]
    if len(rows) > ARMS:
        yield (f"and {len(rows) - ARMS:,} more: --json", "", "", "", "")


def _forgetting(forgetting: Document) -> Lines:
    """What the best round's model forgot, or not: loud where it is shown."""
    parts = []
    if forgetting["asked"]:
        before, after, asked = (forgetting[k] for k in ("right_before", "right_after", "asked"))
        counts = f"{before:.0f} → {after:.0f} of {asked:.0f}"
        parts.append(f"instructions {counts}")
    if forgetting["difference"] is not None:
        parts.append(f"general text {estimate(*_bounds(forgetting), digits=3, plus=True)} nats")
    return (*([forgetting["forgot"]] if forgetting["forgot"] else []), *parts)


def _bounds(difference: Document) -> tuple[float | None, float | None, float | None]:
    return difference["difference"], difference["low"], difference["high"]


def _prompt(run: Document, split: str) -> list[str]:
    """``improved against few-shot``, where that was asked on these rows."""
    prompt = run["best_prompt"]
    if not prompt or prompt["split"] != split or not prompt["verdict"]:
        return []
    return [f"{prompt['verdict']['label']} against {one_line(prompt['name'], VALUE)}"]


def _baseline(baseline: Document) -> tuple[Cell, ...]:
    verdict = baseline["verdict"]
    judged = [f"best round: {verdict['label']}"] if verdict else []
    what = one_line(baseline["what"] or "", VALUE)
    return (_named("baseline", baseline), what, (*_score(baseline["dev"]), *judged), "", "")


def _arm(arm: Document) -> tuple[Cell, ...]:
    failed, verdict = arm["failed"], arm["verdict"]
    lines = [] if failed is not None and not arm["dev"] else [*_score(arm["dev"])]
    if arm["trainings"] > 1:
        lines.append(f"{arm['trainings']} seeds")
    if verdict:
        against = f" against {one_line(arm['against'], VALUE)}" if arm["against"] else ""
        lines.append(f"{verdict['label']}{against}")
    if failed is not None:
        lines.append(one_line(f"failed: {failed}", 4 * VALUE))
    seconds = duration(arm["seconds"]) if arm["seconds"] is not None else ""
    what = _settings(arm["changed"]) or (one_line(arm["what"] or "", VALUE),)
    return (_named("arm", arm), what, tuple(lines), "", seconds)


def _named(kind: str, arm: Document) -> str:
    """Behind a mark, since it belongs to the run above it."""
    return f"· {kind} {arm['name']}"


def _score(score: Document | None) -> Lines:
    return _two_lines(score) if score else ("not scored",)


def _changed(run: Document, numbers: dict[str, int]) -> Lines:
    """The settings that differ, and from which run."""
    if run["changed"] is None:
        return ("its config is not known",)
    if run["against"] is None:
        return (DASH,)
    head = f"against {numbers[run['against']]}" + ("" if run["changed"] else ": nothing")
    return (head, *_settings(run["changed"]))


def _settings(changed: Sequence[Document]) -> Lines:
    """A line for each changed setting, some of many."""
    lines = [
        f"{one_line(each['key'], tables.ID_LIMIT)} {setting(each['from'])} → {setting(each['to'])}"
        for each in changed[:SHOWN]
    ]
    if len(changed) > SHOWN:
        lines.append(f"and {len(changed) - SHOWN:,} more: --json")
    return tuple(lines)


def _dev(run: Document, several: bool) -> Lines:
    """The score of the best round, and the verdicts of all.

    Args:
        several: whether the folder has scores on dev that are not to be ranked with each other.
    """
    chain = ", ".join(
        f"{number} {label}" for number, label in enumerate(run["verdicts"][1:], start=1)
    )
    name = titled(one_line(run["primary"], 40), one_line(run["caveat"], 40))
    score, *interval = _two_lines(run["dev"])
    group = f", {run['dev']['group']}" if several else ""
    return (
        f"{name} {score}", *interval, f"round {run['best']} of {run['rounds']}{group}",
        *([chain] if chain else []), *_prompt(run, "dev"),
    )  # fmt: skip


def _test(run: Document, several: bool) -> Lines:
    """The score on test, its verdict and the opening; ``several`` as of :func:`_dev`."""
    test = run["test"]
    if test is None:
        return ("sealed" if run["finished"] else "not finished",)
    group = f", {test['group']}" if several else ""
    bound = f"opening {test['opening']}: bound {test['bound']}"
    return (*_two_lines(test), f"{test['verdict']}{group}", *_prompt(run, "test"), bound)


def _two_lines(score: Document) -> Lines:
    """A value, and its interval below it."""
    value, bracket, interval = tables.span(score, 3).partition(" [")
    return (value, *([f"[{interval}"] if bracket else []))
