"""One look at live rows: read, counted, compared; the document that the command prints."""

from __future__ import annotations

import dataclasses
import random
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import harness
from harness import Example, HarnessError, Prediction, ScoredExample, UsageError
from harness.kit.files import digest
from harness.kit.numbers import counted as many
from harness.kit.readers.live import LiveRow, read_live
from harness.kit.text import one_line
from harness_drift import dates, ledger
from harness_drift.choosing import choose
from harness_drift.columns import MOST_VALUES, of_prompts
from harness_drift.comparing import LEAST_GROUPS, Comparison, compare
from harness_drift.permuting import Mask
from harness_drift.request import LOOKS, PERMUTATIONS, Request
from harness_drift.weeks import LEAST_GROUPS as LEAST_GROUPS_OF_WEEK, LEAST_WEEKS, Weeks

SCHEMA = "harness.drift/1"
DRIFTED, NO_EVIDENCE, TOO_FEW = "drifted", "no evidence", "too few"
MOST_ROWS = 1_500
"""Rows of each side that are compared; of more, groups are drawn until there are so many."""
EXAMPLES = 5
MACHINE = Path(".harness")


def look(request: Request) -> tuple[dict[str, Any], list[LiveRow]]:
    """The document, and the live rows that are worth a label.

    Raises:
        DataError: a file cannot be used, or the ledger is damaged.
        UsageError: there is no reference, or the series of looks has another length.
    """
    view, trouble = _run(request)
    live_rows = read_live(request.live, request.group)
    reference_rows, name, answers_of = _reference(request, view, trouble)
    live_rows, reference_rows = _at_most(live_rows), _at_most(reference_rows)
    rows = [*reference_rows, *live_rows]
    live = np.arange(len(rows)) >= len(reference_rows)
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "verdict": TOO_FEW,
        "live": str(request.live),
        "reference": name,
        "answers_of": answers_of,
        "rows": {"reference": len(reference_rows), "live": len(live_rows)},
        "groups": {"reference": _groups(reference_rows), "live": _groups(live_rows)},
        "look": None,
        "weeks": None,
        "tests": [],
        "rated": [],
        "examples": [],
        "remarks": [],
        "next": [],
    }
    if min(document["groups"].values()) < LEAST_GROUPS:
        document["remarks"].append(
            f"a look needs {LEAST_GROUPS} groups on each side; this one was not counted"
        )
        return document, []
    taken = ledger.count(MACHINE, _digest(reference_rows), _digest(live_rows), request.looks)
    labels, failed = _labels(rows, view)
    field, of = dates.weeks([row.example.meta for row in rows], (~live).tolist())
    weeks = Weeks(np.array(of, np.float64), [row.group for row in rows], live)
    comparison = compare(rows, weeks, labels, taken.alpha, PERMUTATIONS)
    telling = _most_telling(rows, live, comparison)
    drifted = any(test.changed for test in comparison.tests)
    document |= {
        "verdict": DRIFTED if drifted else NO_EVIDENCE,
        "look": {
            "number": taken.number, "of": taken.of, "series": taken.series, "alpha": taken.alpha,
            "permutations": PERMUTATIONS,
        },
        "tests": [harness.to_json(test) for test in comparison.tests],
        "rated": [] if view is None or answers_of is None else _rated(rows, live, view),
        "examples": [_example(rows[at]) for at in telling[:EXAMPLES]] if drifted else [],
        "weeks": {"field": field, "counted": len(weeks.counted), "needed": LEAST_WEEKS},
        "remarks": [
            *_ungrouped(live_rows), *_remarks(comparison), _of_weeks(field, len(weeks.counted)),
            *failed,
        ],
        "next": _next(request, drifted, live_rows),
    }  # fmt: skip
    return document, [rows[at] for at in telling]


def _run(request: Request) -> tuple[harness.RunView | None, UsageError | None]:
    """The run, or why there is none where a file is compared with and no run is named."""
    try:
        return harness.open_run(request.run), None
    except UsageError as error:
        if request.reference is None or request.run is not None:
            raise
        return None, error


def _reference(
    request: Request, view: harness.RunView | None, trouble: UsageError | None
) -> tuple[list[LiveRow], str, str | None]:
    """The rows that are compared with, what they are called, and whose answers they have."""
    if request.reference is not None:
        return read_live(request.reference, request.group), str(request.reference), None
    if view is None:
        raise trouble or UsageError("no run")
    examples = view.rows("dev")
    family = harness.families(examples)
    best = view.best
    answers = {answer.example_id: answer.text for answer in view.answers(best)}
    rows = [
        LiveRow(dataclasses.replace(row, references=()), family[row.id], answers.get(row.id))
        for row in examples
    ]
    return rows, f"dev of {view.name}", f"round {best} of {view.name}"


def _at_most(rows: list[LiveRow]) -> list[LiveRow]:
    """At most :data:`MOST_ROWS`, in whole groups; the same ones whenever it is asked."""
    if len(rows) <= MOST_ROWS:
        return rows
    sizes = Counter(row.group for row in rows)
    groups = list(sizes)
    random.Random(0).shuffle(groups)
    chosen: set[str] = set()
    room = MOST_ROWS
    for group in groups:
        if sizes[group] <= room:
            chosen.add(group)
            room -= sizes[group]
    return [row for row in rows if row.group in chosen]


def _groups(rows: Sequence[LiveRow]) -> int:
    return len({row.group for row in rows})


def _digest(rows: Sequence[LiveRow]) -> str:
    """Of what was asked, answered and rated; where the file lies makes no other look."""
    return digest([
        [list(row.example.messages), row.group, dict(row.example.meta), row.answer, row.rating]
        for row in rows
    ])  # fmt: skip


def _labels(
    rows: Sequence[LiveRow], view: harness.RunView | None
) -> tuple[dict[str, set[int]], list[str]]:
    """What the run's detectors say of the answers of both sides, references unseen by both."""
    places: dict[str, set[int]] = {}
    remarks: list[str] = []
    if view is None or not any(row.answer is not None for row in rows):
        return places, remarks
    for entry in view.config().get("detect", ()):
        options = dict(entry) if isinstance(entry, Mapping) else {"plugin": entry}
        name = str(options.pop("plugin", ""))
        files = [Path(path) for path in view.config().get("plugins", ())]
        try:
            detector = harness.make_plugin("detector", name, options, files)
            assert isinstance(detector, harness.Detector)
            detector.prepare(())
            for at, row in enumerate(rows):
                if row.answer is None:
                    continue
                scored = ScoredExample(row.example, Prediction(row.example.id, row.answer), {})
                for label in detector.detect(scored):
                    places.setdefault(label.category, set()).add(at)
        except HarnessError as error:
            remarks.append(f"detector '{one_line(name, 60)}' was left out: {error.what}")
        except Exception as error:  # a plugin's own fault is no fault of the rows
            remarks.append(f"detector '{one_line(name, 60)}' failed: {type(error).__name__}")
    return places, remarks


def _most_telling(rows: Sequence[LiveRow], live: Mask, comparison: Comparison) -> list[int]:
    """Live rows that tell most: unlike the reference, or badly rated where only ratings fell."""
    changed = {test.aspect for test in comparison.tests if test.changed}
    worth = comparison.witness
    if changed == {"ratings"}:
        worth = np.array([-np.inf if row.rating is None else -row.rating for row in rows])
    asked = np.array([bool(row.example.prompt.strip()) for row in rows])  # blank: nothing to label
    return choose(rows, comparison.features, worth, np.flatnonzero(live & asked).tolist())


def _rated(rows: Sequence[LiveRow], live: Mask, view: harness.RunView) -> list[dict[str, Any]]:
    """Live ratings by kind of prompt, the lowest first, beside the score of dev's own rows.

    Dev has no ratings of users, so nothing is tested.
    """
    ratings = np.array([np.nan if row.rating is None else row.rating for row in rows])
    if np.isnan(ratings).all():
        return []
    scores = np.full(len(rows), np.nan)
    of_dev = {row.id: at for at, row in enumerate(view.rows("dev"))}
    values = view.primary_values(view.best)
    for at in np.flatnonzero(~live).tolist():
        value = values[of_dev[rows[at].example.id]]
        scores[at] = np.nan if value is None else value
    kinds = []
    for kind in of_prompts(rows, live)[0]:
        of_kind = kind.values == 1.0
        own, dev = ratings[of_kind & live], scores[of_kind & ~live]
        own, dev = own[~np.isnan(own)], dev[~np.isnan(dev)]
        if len(own) >= LEAST_GROUPS and len(dev):
            means = {"rating": float(own.mean()), "score": float(dev.mean())}
            kinds.append({"name": kind.name, **means, "rated": len(own), "scored": len(dev)})
    return sorted(kinds, key=lambda kind: (kind["rating"], kind["name"]))


def _example(row: LiveRow) -> dict[str, Any]:
    example: Example = row.example
    return {"id": example.id, "prompt": example.prompt, "place": example.place}


def _ungrouped(rows: Sequence[LiveRow]) -> list[str]:
    """The field that may say whose rows these are, where each row counts as one witness."""
    if _groups(rows) < len(rows):
        return []
    values_of: dict[str, list[Any]] = {}
    for row in rows:
        for name, value in row.example.meta.items():
            values_of.setdefault(name, []).append(value)
    for name, values in sorted(values_of.items()):
        if dates.of_calendar(name, values):
            continue
        different = len(set(map(str, values)))
        # More values than a kind of prompt has, and several rows to a value.
        if MOST_VALUES < different < 0.8 * len(values):
            field = one_line(name, 40)
            return [
                f"`{field}` has {different:,} values in {len(values):,} rows: where it says "
                f"whose they are, --group {field} keeps them together"
            ]
    return []


def _remarks(comparison: Comparison) -> list[str]:
    reasons = {
        "they say when a row was asked": comparison.left_out.dates,
        "one side lacks it or both share no value of it": comparison.left_out.apart,
    }
    return [
        f"not compared, since {why}: {', '.join(one_line(name, 40) for name in names[:6])}"
        for why, names in reasons.items()
        if names
    ]


def _of_weeks(field: str, counted: int) -> str:
    """Whether the error of the look knows how weeks differ."""
    named = one_line(field, 40)
    if counted >= LEAST_WEEKS:
        return (
            f"the spread between {counted} weeks of the reference (`{named}`) is part of the error"
        )
    has = (
        f"the reference has {many(counted, 'week')} of {LEAST_GROUPS_OF_WEEK} groups or more "
        f"(`{named}`)"
        if field
        else "no field of the reference gives its weeks"
    )
    return (
        f"{has}: from {LEAST_WEEKS} on their spread is part of the error, and until then shares "
        "that wander from week to week count as drift"
    )


def _next(request: Request, drifted: bool, live: Sequence[LiveRow]) -> list[str]:
    """What to do: a suggestion with commands, never a training."""
    if not drifted:
        return []
    commands = []
    rows = "to-label.jsonl" if request.rows is None else str(request.rows)
    if request.rows is None:
        words = ["harness", "drift", str(request.live)]
        if request.run:
            words.append(request.run)
        if request.reference:
            words += ["--reference", str(request.reference)]
        if request.looks != LOOKS:
            words += ["--looks", str(request.looks)]
        if request.group:
            words += ["--group", request.group]
        commands.append([*words, "-o", rows])
    if all((row.answer or "").strip() for row in live):
        commands.append(["harness", "rate", "review", rows, "--raters", "me"])
    return [shlex.join(command) for command in commands]
