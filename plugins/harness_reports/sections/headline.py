"""What a reader came for: how good it was and is, what was done for it, and where it lies.

A short report is this and no more; the others begin with it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from harness.kit.blocks import Block, Column, Heading, Note, Paragraph, Table
from harness.kit.numbers import interval, moment, number, signed
from harness_reports import figures, findings, outcomes
from harness_reports.figures import Document
from harness_reports.sections import box
from harness_reports.sections.model import model, model_in_short

ROUNDS = 4
"""Rounds of the short table."""
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

    def answers(self, row: Document) -> list[Document]:
        """The base model's and the best round's to one of these, else the row's own.

        Each has ``round`` (None: not known), ``score`` and ``text``.
        """
        by_round = {answer["round"]: answer for answer in row["answers"]}
        rounds = dict.fromkeys((0, self.kept_round))
        own = {"round": None, "score": row["score"], "text": row["answer"]}
        return [by_round[at] for at in rounds if at in by_round] or [own]


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
        yield Paragraph(told)
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
