"""All runs of a folder, as a terminal shows them."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.text import Text

from harness.kit.numbers import duration, estimate, moment
from harness.kit.text import one_line, titled
from harness.terminal import tables
from harness_inspection.commands.printing import VALUE, Document, setting

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
    shown = tables.table("run", "changed", "dev", "test", "time", right=["time"])
    for run in runs:
        shown.add_row(
            Text.assemble(
                (f"{numbers[run['run']]}  ", "bold"), one_line(run["run"], tables.ID_LIMIT),
                (f"\n{moment(run['finished'] or run['started'])}", "dim"),
            ),
            _changed(run, numbers),
            _dev(run, len(apart["dev"]) > 1),
            _test(run, len(apart["test"]) > 1),
            duration(run["seconds"]),
        )  # fmt: skip
        for cells in _below(run):
            shown.add_row(*cells)
    console.print(shown)
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
    return [_group(one) for one in document["groups"] if one["split"] == split]


def _group(group: Document) -> str:
    rows = f" on {group['rows']:,.0f} rows" if group["rows"] is not None else ""
    return f"{group['id']} ({one_line(group['primary'], 40)}{rows})"


def _below(run: Document) -> Iterator[list[Text]]:
    """The cells of a run's baselines and arms, some of many."""
    if run["forgetting"]:
        yield [Text("   beside the task", "dim"), _forgetting(run["forgetting"]), *[Text()] * 3]
    rows = [*map(_baseline, run["baselines"]), *map(_arm, run["arms"])]
    yield from rows[:ARMS]
    if len(rows) > ARMS:
        yield [Text(f"   and {len(rows) - ARMS:,} more: --json", "dim"), *[Text()] * 4]


def _forgetting(found: Document) -> Text:
    """What the best round's model forgot, or not: loud where it is shown."""
    told = []
    if found["asked"]:
        counts = f"{found['right_before']:.0f} → {found['right_after']:.0f} of {found['asked']:.0f}"
        told.append(f"instructions {counts}")
    if found["difference"] is not None:
        told.append(f"general text {estimate(*_bounds(found), digits=3, plus=True)} nats")
    head = f"{found['forgot']}\n" if found["forgot"] else ""
    return Text.assemble((head, "bold yellow"), ("\n".join(told), "dim"))


def _bounds(found: Document) -> tuple[float | None, float | None, float | None]:
    return found["difference"], found["low"], found["high"]


def _prompt(run: Document, split: str) -> list[str]:
    """``improved against few-shot``, where that was asked on these rows."""
    found = run["best_prompt"]
    if not found or found["split"] != split or not found["verdict"]:
        return []
    return [f"{found['verdict']['label']} against {one_line(found['name'], VALUE)}"]


def _baseline(found: Document) -> list[Text]:
    verdict = found["verdict"]
    lines = [_score(found["dev"]), *([f"best round: {verdict['label']}"] if verdict else [])]
    return [_indented("baseline", found), Text(one_line(found["what"] or "", VALUE), "dim"),
            _first_loud(lines), Text(), Text()]  # fmt: skip


def _arm(arm: Document) -> list[Text]:
    failed, verdict = arm["failed"], arm["verdict"]
    lines = [] if failed is not None and not arm["dev"] else [_score(arm["dev"])]
    if arm["trainings"] > 1:
        lines.append(f"{arm['trainings']} seeds")
    if verdict:
        against = f" against {one_line(arm['against'], VALUE)}" if arm["against"] else ""
        lines.append(f"{verdict['label']}{against}")
    told = [_first_loud(lines)] if lines else []
    if failed is not None:
        told.append(Text(one_line(f"failed: {failed}", 4 * VALUE), "red"))
    seconds = duration(arm["seconds"]) if arm["seconds"] is not None else ""
    what = Text("\n").join(_settings(arm["changed"])) or Text(one_line(arm["what"] or "", VALUE))
    return [_indented("arm", arm), what, Text("\n").join(told), Text(), Text(seconds)]


def _indented(kind: str, found: Document) -> Text:
    return Text.assemble("   ", (f"{kind} ", "dim"), one_line(found["name"], tables.ID_LIMIT))


def _score(score: Document | None) -> str:
    return _two_lines(score) if score else "not scored"


def _changed(run: Document, numbers: dict[str, int]) -> Text:
    """The settings that differ, and from which run."""
    if run["changed"] is None:
        return Text("its config is not known", "dim")
    if run["against"] is None:
        return Text("-", "dim")
    head = f"against {numbers[run['against']]}" + ("" if run["changed"] else ": nothing")
    return Text("\n").join([Text(head, "dim"), *_settings(run["changed"])])


def _settings(changed: Sequence[Document]) -> list[Text]:
    """A line for each changed setting, some of many."""
    lines = [
        Text.assemble(one_line(each["key"], tables.ID_LIMIT), " ", setting(each["from"]), " → ",
                      setting(each["to"]))
        for each in changed[:SHOWN]
    ]  # fmt: skip
    if len(changed) > SHOWN:
        lines.append(Text(f"and {len(changed) - SHOWN:,} more: --json", "dim"))
    return lines


def _dev(run: Document, several: bool) -> Text:
    """The score of the best round, and the verdicts of all.

    Args:
        several: whether the folder has scores on dev that are not to be ranked with each other.
    """
    chain = ", ".join(
        f"{number} {label}" for number, label in enumerate(run["verdicts"][1:], start=1)
    )
    name = titled(one_line(run["primary"], 40), one_line(run["caveat"], 40))
    lines = [f"{name} {_two_lines(run['dev'])}"]
    group = f", {run['dev']['group']}" if several else ""
    lines += [f"round {run['best']} of {run['rounds']}{group}", *([chain] if chain else [])]
    lines += _prompt(run, "dev")
    return _first_loud(lines)


def _test(run: Document, several: bool) -> Text:
    """The score on test, its verdict and the opening; ``several`` as of :func:`_dev`."""
    test = run["test"]
    if test is None:
        return Text("sealed" if run["finished"] else "not finished", "dim")
    bound = f"opening {test['opening']}: bound {test['bound']}"
    group = f", {test['group']}" if several else ""
    lines = [_two_lines(test), f"{test['verdict']}{group}", *_prompt(run, "test"), bound]
    return _first_loud(lines)


def _two_lines(score: Document) -> str:
    """A value, and its interval below it."""
    return tables.span(score, 3).replace(" [", "\n[", 1)


def _first_loud(lines: Sequence[str]) -> Text:
    return Text.assemble(lines[0], *((f"\n{line}", "dim") for line in lines[1:]))
