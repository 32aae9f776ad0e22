"""A report as a comment on a pull request: Markdown of at most twenty lines, without a link."""

from __future__ import annotations

from collections.abc import Iterator

from harness import Analysis
from harness.kit import terms
from harness.kit.blocks import mark_of
from harness.kit.documents import score_digits, score_title
from harness.kit.markdown import safe
from harness.kit.numbers import estimate, moment, signed
from harness.records.summary import UNSCORED, ShownScore
from harness_reports import figures, findings, outcomes
from harness_reports.sections import advice, box, model, prompts, targeted
from harness_reports.targets import by_gain, missed, rows_words, targets

SCORES = 4
"""Scores beside the primary one at most."""
SLICES = 3


def comment(document: Analysis) -> str:
    """The verdict, scores before and now, what was weak and added, the settings."""
    head = box.heading(document)
    parts = [
        f"**{mark_of(head.label)} {safe(head.label, 20)}** on {safe(head.text, 400)}\n"
        + safe(box.verdict_words(document), 800),
        "\n".join(_scores(document)),
        "\n".join(f"- {line}" for line in _lines(document)),
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def _scores(document: Analysis) -> Iterator[str]:
    """A table: score, base model, best (or latest) round, change."""
    names = figures.score_names(document)[: 1 + SCORES]
    now = findings.later_round(document)
    if not names:
        return
    yield f"| score | base model | round {now.round} | change |"
    yield "|---|---:|---:|---:|"
    sides = {"dev": (document.rounds[0].scores, now.scores)}
    if test := document.test:
        sides["test"] = (test.baseline, test.kept)
    for place, name in enumerate(names):
        for split, (old, new) in sides.items():
            if split == "test" and place:
                continue  # the other scores on test are in the whole report
            yield _score(document, name, split, old.get(name, UNSCORED), new.get(name, UNSCORED))


def _score(document: Analysis, name: str, split: str, old: ShownScore, new: ShownScore) -> str:
    digits = score_digits(document, name)
    cells = [estimate(side.value, side.low, side.high, digits) for side in (old, new)]
    change = "–"
    if old.value is not None and new.value is not None:
        change = signed(new.value - old.value, digits)
    title = safe(score_title(document, name, 40), 80)
    return f"| {title}, {split} | {cells[0]} | {cells[1]} | {change} |"


def _lines(document: Analysis) -> Iterator[str]:
    if passing := outcomes.pass_rate(document):
        yield passing
    if forgotten := box.forgotten_words(document):
        yield f"**{box.BESIDE}** {safe(forgotten, 800)}"
    if document.baselines and not document.best_prompt:
        yield safe(prompts.conclusion(document), 600)
    grown, without = [target for target in by_gain(document) if target.slice], missed(document)
    if grown:
        digits = score_digits(document, document.primary)
        gains = (
            f"{safe(target.slice, 80)}: {rows_words(target.rows)} after round {target.after}, "
            f"{figures.course(target.before, target.now, digits)}"
            for target in grown[:SLICES]
        )
        more = f"; and {len(grown) - SLICES} more" if len(grown) > SLICES else ""
        yield f"**weak, and added there:** {'; '.join(gains)}{more}"
        if without:
            yield safe(targeted.no_rows_words(without), 400)
    elif without:
        yield safe(targeted.underperformed(without), 400)
    elif added := sum(target.rows for target in targets(document)):
        yield (
            f"no slice underperformed by more than chance; {rows_words(added)} added from "
            f"{terms.shown('key', 'everywhere')}"
        )
    for block in advice.advice(document):
        yield safe(block.text, 600)
    settings = (f"{key}: {value}" for key, value in model.settings(document) if key != model.BASE)
    if text := "; ".join(settings):
        yield f"**settings:** {safe(text, 400)}"
    # Each by itself: a cut may fall into a name, and not into a command.
    used = [safe(model.where(document), 400), *map(safe, model.commands(document))]
    if text := "; ".join(filter(None, used)):
        yield f"**model:** {text}"
    when = moment(document.dates.finished or document.dates.started)
    yield safe(" · ".join(filter(None, (document.run, when))), 200)
