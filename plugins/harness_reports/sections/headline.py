"""What a reader came for: how good it was and is, what was done for it, and where it lies.

A short report is this and no more; the others begin with it.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from harness.kit import terms
from harness.kit.blocks import Block, Column, Heading, Note, Paragraph, Table
from harness.kit.numbers import interval, moment, number, signed
from harness.kit.text import one_line
from harness_reports import figures, findings, outcomes
from harness_reports.figures import Document
from harness_reports.sections import box
from harness_reports.sections.model import model, model_in_short
from harness_reports.targets import Missed, Target, missed, targets

ROUNDS = 4
"""Rounds of the short table."""
TARGETS = 3
"""Lines of the short table of what was added."""
SLICE = 60
SETTINGS = 150
"""Characters of the settings there."""
BASE, TRAINING = "base model", "training"


@dataclass(frozen=True, slots=True)
class Gains:
    """Answers of the best round beside those of the base model.

    Each report draws them in its own way, as it does the worst answers.

    Attributes:
        better: answers that got better, the largest gain first.
        not_better: the worst that did not; None where there is none.
        kept_round: the round whose answers they are.
        score: the title of the score that decides.
    """

    better: tuple[Document, ...]
    not_better: Document | None
    kept_round: int
    score: str


def short_verdict(document: Document) -> Iterator[Block]:
    """The label, when and of what; how good it was and is; prompts; what was forgotten."""
    dates, passing = document["dates"], outcomes.pass_rate(document)
    run = (document["run"], moment(dates["finished"] or dates["started"]))
    long = bool(box.objections(document))
    yield box.heading(document, *(() if long else run))
    yield from box.lines(document)
    passed = f"{passing}; pass threshold {document['right_at']:g}" if passing else ""
    if told := " · ".join(filter(None, (passed, *(run if long else ())))):
        yield Note(told)
    if found := document["objective"]:
        yield Paragraph(found["sentence"], label=found["state"])
    for guard in [one for one in findings.guards(document) if one.state == "broken"][-1:]:
        title = figures.guard_title(document, guard.name)
        yield Paragraph(guard.sentence, label="broken", lead=f"guard {title}, round {guard.round}:")


def scores(document: Document) -> Iterator[Block]:
    """The primary score of the base model, the best and the latest rounds, and on test."""
    primary = document["primary"]
    digits = figures.score_digits(document, primary)
    columns = (
        Column("round", "word"), Column("verdict", "label"), Column("train rows", "number"),
        Column(figures.score_title(document, primary, 20), "number", strong=True),
        Column("95 % interval", "number", spare=1), Column("change", "number"),
    )  # fmt: skip
    shown = figures.shown_rounds(document, ROUNDS)
    rows = [
        (
            figures.round_name(entry, document), entry["verdict"]["label"], entry["train_rows"],
            *_value(entry["scores"].get(primary), digits),
            signed(entry["verdict"]["difference"], digits),
        )
        for entry in shown
    ]  # fmt: skip
    best = findings.kept_round(document)
    if test := document["test"]:
        verdict = test["verdict"]
        rows.append((
            f"{best['round']} on test", verdict["label"], best["train_rows"],
            *_value(test["kept"].get(primary), digits), signed(verdict["difference"], digits),
        ))  # fmt: skip
    remark = f"● best round{figures.chosen_mark(document, best, ': ')}"
    left = len(document["rounds"]) - len(shown)
    yield Heading("Scores by round", remark + (f" · {left} more rounds" if left else ""))
    yield Table(columns, tuple(rows), "Primary score by round, and on test", ordered=True)


def _value(score: Mapping[str, Any] | None, digits: int) -> tuple[str, str]:
    found = score or {}
    value = number(found.get("value"), digits)
    return value, interval(found.get("low"), found.get("high"), digits)


def targeted(document: Document) -> Iterator[Block]:
    """What was weak, what was added there, and whether that helped."""
    found, without = targets(document), missed(document)
    if not found and not without:
        return
    if not any(one.slice for one in found):
        yield Heading("What was weak, and what was added")
        yield Paragraph(_untargeted(document, found, without))
        return
    primary = figures.score_title(document, document["primary"], 20)
    yield Heading(
        "What was weak, and what was added", f"{primary} there, before and in the next round"
    )
    digits = figures.score_digits(document, document["primary"])
    columns = (
        Column("slice"), Column("dev rows", "number", spare=1),
        Column("rows added", "word", "right"), Column("before", "number"),
        Column("now", "number", strong=True), Column("rounds", "word"), Column("verdict", "label"),
    )  # fmt: skip
    sums = {one.after: sum(o.rows for o in found if o.after == one.after) for one in found}
    rows = tuple(_target(one, sums[one.after], digits) for one in found if one.slice)
    caption, rest = "Rows added by slice, and its score", "smaller or earlier"
    yield Table(columns, rows, caption, TARGETS, rest, ordered=True)
    if without:
        yield Note(no_rows_words(without))


def _untargeted(document: Document, found: list[Target], without: list[Missed]) -> str:
    """Where all rows were drawn from all data: why, and how many."""
    told = ", ".join(
        f"{one.rows} after round {one.after} (round {one.after + 1}: {one.label})"
        for one in reversed(found)
    )
    drawn = f"rows were drawn from {terms.shown('key', 'everywhere')}: {told}."
    if without:
        rows = f"R{drawn[1:]}" if found else "No rows were added at all."
        return f"{underperformed(without)}. {rows}"
    if any(entry["strategy"] == "random" for entry in document["rounds"]):
        return f"By plan.strategy random, {drawn}"
    return f"No slice underperformed by more than chance, so that {drawn}"


def underperformed(without: list[Missed]) -> str:
    """``1 slice underperformed by more than chance, but no rows were added for it: …``."""
    many = len(without) > 1
    slices, them = (f"{len(without)} slices", "them") if many else ("1 slice", "it")
    told = f"{slices} underperformed by more than chance, but no rows were added for {them}"
    return f"{told}: {missed_words(without)}"


def no_rows_words(without: list[Missed]) -> str:
    """``No rows were added for …. No more rows were added for … (after round 2: …).``"""
    never = [one for one in without if not one.had_rows]
    later = [
        dataclasses.replace(one, why=f"after round {one.after}: {one.why}")
        for one in without if one.had_rows
    ]  # fmt: skip
    told = (("No rows", never), ("No more rows", later))
    return " ".join(f"{rows} were added for {missed_words(of)}." for rows, of in told if of)


def missed_words(without: list[Missed]) -> str:
    """The slices, each with the reason why no rows were added for it."""
    told = "; ".join(f"{one_line(one.slice, SLICE)} ({one.why})" for one in without[:TARGETS])
    return told + (f"; and {len(without) - TARGETS} more" if len(without) > TARGETS else "")


def _target(one: Target, added: int, digits: int) -> tuple[str | int | None, ...]:
    return (
        one_line(one.slice, SLICE), one.n, f"{one.rows} of {added}",
        number(one.before, digits), number(one.now, digits),
        f"{one.source} → {one.after + 1}", one.label,
    )  # fmt: skip


def gains(document: Document) -> Iterator[Block | Gains]:
    """Answers that got better, and the worst of those that did not."""
    better, worst = document["better"], document["not_better"]
    if not better and not worst:
        return
    kept = document["kept_round"]
    title = "Answers that got better" if better else "The worst answer"
    if worst and better:
        title += ", and the worst that did not"
    elif worst and kept:
        title += " that did not get better"
    yield Heading(title, f"base model → round {kept}" if kept else "base model")
    score = figures.score_title(document, document["primary"], 40)
    yield Gains(tuple(better), worst, document["kept_round"], score)


def origin(document: Document) -> Iterator[Block]:
    """The settings, where the model lies, and what uses it."""
    lines, used = dict(settings(document)), tuple(model(document))
    if not lines and not used:
        return
    yield Heading("Settings and model")
    columns = (Column("what", "word"), Column("setting"))
    if lines:
        yield Table(columns, tuple(lines.items()), "Settings and model", ordered=True)
    yield from used


def origin_in_short(document: Document) -> Iterator[Block]:
    """The same with the settings in a paragraph, without options that are mappings."""
    lines = dict(settings({**document, "settings": _flat(document["settings"])}))
    lines.pop(BASE, None)
    if document["model"]["adapter"]:
        lines[BASE] = document["model"]["base"]
    order = sorted(lines, key=lambda name: (name != TRAINING, name != BASE))
    told = "; ".join(f"{name}: {lines[name]}" for name in order)
    used = tuple(model_in_short(document))
    if told or used:
        yield Heading("Settings and model")
    if told:
        yield Paragraph(one_line(told, SETTINGS))
    yield from used


def _flat(given: Mapping[str, Any]) -> dict[str, Any]:
    """Settings whose plugins have no option that is a mapping."""
    return {
        key: {name: told for name, told in value.items() if not isinstance(told, Mapping)}
        if isinstance(value, Mapping)
        else value
        for key, value in given.items()
    }


def settings(document: Document) -> Iterator[tuple[str, str]]:
    """Name and value of each line: data, base model, training, answers, added rows."""
    given, name = document["settings"], document["model"]["base"]
    rows = document["data"]["rows"]
    sizes = ", ".join(f"{count} {split}" for split, count in rows.items())
    data = "; ".join(filter(None, (entry_words(given.get("data")), sizes)))
    base = entry_words(given.get("model"))
    told = {
        "data": data,
        BASE: f"{name}: {base}" if base else name,
        TRAINING: entry_words(given.get("train")),
        "answers": entry_words(given.get("generate")),
        "rows added": "; ".join(map(entry_words, given.get("augment") or ())),
        "seed": str(given.get("seed", "")),
    }
    yield from ((name, value) for name, value in told.items() if value)


def entry_words(entry: Mapping[str, Any] | None) -> str:
    """``lora (r 16, alpha 32, learning_rate 0.001)``."""
    if not entry:
        return ""
    head, *options = entry.items()
    told = ", ".join(f"{name} {_words(value)}" for name, value in options)
    return f"{head[1]} ({told})" if told else str(head[1])


def _words(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "none"}[value]
    if isinstance(value, (int, float)):
        return f"{value:g}"
    if isinstance(value, Mapping):
        return " ".join(itertools.chain(*((str(k), _words(v)) for k, v in value.items())))
    return " ".join(map(_words, value)) if isinstance(value, (list, tuple)) else str(value)
