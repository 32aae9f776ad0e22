"""A report as a comment on a pull request: at most twenty lines, without a link."""

from __future__ import annotations

from collections.abc import Iterator

from harness import Analysis
from harness.kit import comment as comments, terms
from harness.kit.blocks import Block, Bullets, Heading, Paragraph, Table, mark_of, table
from harness.kit.documents import score_digits, score_title
from harness.kit.numbers import DASH, estimate, moment, signed
from harness.kit.text import one_line
from harness.records.summary import UNSCORED, ShownScore
from harness_reports import figures, findings, outcomes
from harness_reports.sections import advice, box, model, prompts, targeted
from harness_reports.targets import by_gain, missed, rows_words, targets

SCORES = 4
"""Scores beside the primary one at most."""
SLICES = 3
ROUNDS = 6
"""Verdicts by round at most, the latest."""


def comment(document: Analysis) -> str:
    """The verdict, scores before and now, verdicts by round, what was weak and added, settings."""
    return comments.comment(_blocks(document))


def _blocks(document: Analysis) -> Iterator[Block]:
    head = box.heading(document)
    yield Heading(one_line(head.text, 400), level=3, label=head.label)
    yield Paragraph(one_line(box.verdict_words(document), 800))
    if scores := _scores(document):
        yield scores
    yield Bullets(tuple(_lines(document)))


def _scores(document: Analysis) -> Table | None:
    """Score, base model, best (or latest) round, change."""
    names = figures.score_names(document)[: 1 + SCORES]
    now = findings.later_round(document)
    if not names:
        return None
    sides = {"dev": (document.rounds[0].scores, now.scores)}
    if test := document.test:
        sides["test"] = (test.baseline, test.kept)
    rows = [
        _score(document, name, split, old.get(name, UNSCORED), new.get(name, UNSCORED))
        for place, name in enumerate(names)
        for split, (old, new) in sides.items()
        if split == "dev" or not place  # the other scores on test are in the whole report
    ]
    titles = ["score", "base model", f"round {now.round}", "change"]
    return table(titles, rows, right=titles[1:])


def _score(
    document: Analysis, name: str, split: str, old: ShownScore, new: ShownScore
) -> tuple[str, ...]:
    digits = score_digits(document, name)
    cells = [estimate(side.value, side.low, side.high, digits) for side in (old, new)]
    change = DASH
    if old.value is not None and new.value is not None:
        change = signed(new.value - old.value, digits)
    title = one_line(score_title(document, name, 40), 80)
    return f"{title}, {split}", *cells, change


def _lines(document: Analysis) -> Iterator[Paragraph]:
    if passing := outcomes.pass_rate(document):
        yield Paragraph(passing)
    if rounds := _rounds(document):
        yield Paragraph(rounds, lead="rounds:")
    if forgotten := box.forgotten_words(document):
        yield Paragraph(one_line(forgotten, 800), lead=box.BESIDE)
    if document.baselines and not document.best_prompt:
        yield Paragraph(one_line(prompts.conclusion(document), 600))
    yield from _targeted(document)
    for block in advice.advice(document):
        yield Paragraph(one_line(block.text, 600))
    settings = (f"{key}: {value}" for key, value in model.settings(document) if key != model.BASE)
    if text := "; ".join(settings):
        yield Paragraph(one_line(text, 400), lead="settings:")
    # Each by itself: a cut may fall into a name, and not into a command.
    used = [one_line(model.where(document), 400), *map(one_line, model.commands(document))]
    if text := "; ".join(filter(None, used)):
        yield Paragraph(text, lead="model:")
    when = moment(document.dates.finished or document.dates.started)
    yield Paragraph(one_line(" · ".join(filter(None, (document.run, when))), 200))


def _rounds(document: Analysis) -> str:
    """``round 1 ▲ improved (+0.147), round 2 ◆ no evidence (-0.003)``: each against its best."""
    digits = score_digits(document, document.primary)
    trained = document.rounds[1:]
    shown = [
        f"round {entry.round} {mark_of(entry.verdict.label)} {one_line(entry.verdict.label, 20)}"
        f" ({signed(entry.verdict.difference, digits)})"
        for entry in trained[-ROUNDS:]
    ]
    earlier = [f"{len(trained) - ROUNDS} earlier"] if len(trained) > ROUNDS else []
    return ", ".join([*earlier, *shown])


def _targeted(document: Analysis) -> Iterator[Paragraph]:
    """What was weak, and what was added there."""
    grown, without = [target for target in by_gain(document) if target.slice], missed(document)
    if grown:
        digits = score_digits(document, document.primary)
        gains = (
            f"{one_line(target.slice, 80)}: {rows_words(target.rows)} after round {target.after}, "
            f"{figures.course(target.before, target.now, digits)}"
            for target in grown[:SLICES]
        )
        more = f"; and {len(grown) - SLICES} more" if len(grown) > SLICES else ""
        yield Paragraph(f"{'; '.join(gains)}{more}", lead="weak, and added there:")
        if without:
            yield Paragraph(one_line(targeted.no_rows_words(without), 400))
    elif without:
        yield Paragraph(one_line(targeted.underperformed(without), 400))
    elif added := sum(target.rows for target in targets(document)):
        yield Paragraph(
            f"no slice underperformed by more than chance; {rows_words(added)} added from "
            f"{terms.shown('key', 'everywhere')}"
        )
