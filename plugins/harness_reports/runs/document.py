"""All runs of this folder side by side: what was changed, scores, verdicts, cost.

Nothing is computed: what each run's summary says is put together. The terminal and the page are
made from this document.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, count

import numpy as np

import harness
from harness import Summary
from harness.kit.documents import as_json
from harness.kit.files import digest
from harness.kit.terms import CHOSEN
from harness.kit.text import one_line
from harness.kit.yaml_file import flattened
from harness.records.summary import ShownScore
from harness.stats.decision import ALPHA
from harness_reports.runs.entry import LONGEST_TEXT, Change, Config, RunEntry, run_entry

SCHEMA = "harness.runs/1"
CAUTION = (
    f"Scores on dev are {CHOSEN}, and comparable where the rows are the same: they help to choose "
    "among runs, and are no result. The more runs, the more the highest owes to chance. A score "
    "on test is one; the opening counts how often these rows were looked at."
)


@dataclass(frozen=True, slots=True)
class Group:
    """Runs with the same primary score of the same rows of a split: only they are ranked.

    Attributes:
        rows: how many there are.
        exact: whether they are known by their content.
        runs: how many there are.
    """

    id: str
    split: str
    primary: str
    signature: str | None
    higher_is_better: bool
    rows: int
    exact: bool
    runs: int


@dataclass(frozen=True, slots=True)
class AllRuns:
    """The document ``harness.runs/1``; its fields are its keys."""

    schema: str
    caution: str
    notes: Sequence[str]
    groups: Sequence[Group]
    runs: Sequence[RunEntry]


def all_runs(
    beside: Collection[str], sharing: Sequence[Collection[str]], last: int | None
) -> AllRuns:
    """The runs of this folder in the order of their begin.

    Each is set against the earlier run whose config differs in the fewest keys, the latest of
    several: what was changed is mostly one setting then.

    Args:
        beside: keys of a config by which no round differs; arms have rows of their own.
        sharing: names of runs that chose by the same rows of dev.
        last: at most that many runs, the latest; None: all.
    """
    latest_last = reversed(list(harness.summaries(last)))
    summaries = sorted(latest_last, key=lambda summary: summary.dates.started or "")
    configs = [_config(summary.run, beside) for summary in summaries]
    nearest = _nearest(configs)
    groups = {split: _grouped(split, summaries) for split in ("dev", "test")}
    names = {
        split: {run: group.id for group, runs in members for run in runs}
        for split, members in groups.items()
    }
    runs = []
    for summary, config, earlier in zip(summaries, configs, nearest, strict=True):
        own = {split: named.get(summary.run, "") for split, named in names.items()}
        against = None if earlier is None else summaries[earlier].run
        before = config if earlier is None else configs[earlier]
        changed = _changed(before, config) if config else None
        runs.append(run_entry(summary, config, own, against, changed))
    notes = list(_notes(sharing))
    ranked = [group for members in groups.values() for group, _ in members]
    return AllRuns(SCHEMA, CAUTION, notes, ranked, runs)


def _config(run: str, beside: Collection[str]) -> Config:
    config = harness.open_run(run).config()
    deciding = {key: value for key, value in config.items() if key not in beside}
    # A list that is empty in one run has other keys in another one: it is left to these.
    return {key: value for key, value in flattened(deciding) if value not in ([], {})}


def _notes(sharing: Sequence[Collection[str]]) -> Iterator[str]:
    """How many runs chose by the same rows of dev, which the error of none of them allows for.

    The chance of any false verdict is at most the sum of theirs, by Boole's inequality.
    """
    for together in sharing:
        runs = len({*together})
        if runs > 1:
            yield (
                f"{runs} runs chose by the same rows of dev. Each keeps to an error of .05 by "
                "itself, and nothing corrects for their number: that any of them shows a false "
                f"improved has a chance of up to {min(1.0, ALPHA * runs):.2g}. Test, or other rows "
                "of dev, confirm the one that is taken."
            )


def _grouped(split: str, summaries: Sequence[Summary]) -> list[tuple[Group, list[str]]]:
    """The groups of a split, each with its runs.

    Where a summary names no digest, settings of the data and number of rows tell the rows from
    others.
    """
    together: dict[str, list[Summary]] = {}
    for summary in summaries:
        if split == "dev" or summary.test:
            rows = summary.data.digests.get(split) or as_json([
                summary.settings.get("data"), summary.data.rows.get(split),
                summary.data.dev_groups,
            ])  # fmt: skip
            key = digest([summary.primary, _best_score(summary).signature, rows])
            together.setdefault(key, []).append(summary)
    ids = (f"{split} {_letters(number)}" for number in count())
    return [
        (_group(id_, split, runs), [run.run for run in runs])
        for id_, runs in zip(ids, together.values(), strict=False)
    ]


def _group(id_: str, split: str, runs: Sequence[Summary]) -> Group:
    first, score = runs[0], _best_score(runs[0])
    scored = first.test.kept[first.primary] if split == "test" and first.test else score
    return Group(
        id=id_, split=split, primary=one_line(first.primary, LONGEST_TEXT),
        signature=score.signature, higher_is_better=score.higher_is_better, rows=scored.n,
        exact=split in first.data.digests, runs=len(runs),
    )  # fmt: skip


def _best_score(summary: Summary) -> ShownScore:
    """The best round's primary score on dev."""
    return summary.best.scores[summary.primary]


def _letters(number: int) -> str:
    """``A`` to ``Z``, then ``AA`` and so on."""
    head, last = divmod(number, 26)
    return (_letters(head - 1) if head else "") + chr(ord("A") + last)


def _nearest(configs: Sequence[Config]) -> list[int | None]:
    """Of each config the place of the earlier one that differs in the fewest keys.

    The latest of several; None where there is none, or one of both is empty.
    """
    columns = {key: at for at, key in enumerate(dict.fromkeys(chain.from_iterable(configs)))}
    numbers: dict[str, int] = {}
    values = np.zeros((len(configs), len(columns)), np.int32)  # 0: the config lacks the key
    for place, config in enumerate(configs):
        for key, value in config.items():
            text = json.dumps(value, sort_keys=True, default=str)
            values[place, columns[key]] = numbers.setdefault(text, len(numbers) + 1)
    nearest: list[int | None] = []
    known: list[int] = []  # places of configs that are not empty, the latest first
    for place, config in enumerate(configs):
        nearest.append(None)
        if config:
            if known:
                differing = (values[known] != values[place]).sum(axis=1)
                nearest[place] = known[int(differing.argmin())]
            known.insert(0, place)
    return nearest


def _changed(before: Config, after: Config) -> list[Change]:
    return [
        {"key": key, "from": as_json(before.get(key)), "to": as_json(after.get(key))}
        for key in dict.fromkeys([*before, *after])
        if before.get(key) != after.get(key)
    ]
