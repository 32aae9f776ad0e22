"""Whether training was needed: the best round against the base model under other prompts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from harness import Analysis
from harness.kit.blocks import Block, Bullets, Column, Heading, Note, Paragraph, Table
from harness.kit.documents import score_digits, score_title, unlabelled
from harness.kit.numbers import at_least, interval, number, signed
from harness.kit.text import one_line
from harness.records.summary import ShownBaseline
from harness_reports import figures
from harness_reports.sections.common import ReportSection

NAMED = 3
"""Prompts that a short report names, and the rows of its table."""
NAME = 40
"""Characters of a name."""


class PromptsSection(ReportSection):
    """The conclusion, each prompt with its score and the best round's gain, and what it was."""

    name = "prompts"
    title = "Prompts instead of training"
    order = 400

    def blocks(self, document: Analysis) -> Iterator[Block]:
        prompts = document.baselines
        if not prompts:
            return
        yield Heading(self.title, figures.bounds_level(document))
        yield from _conclusion(document)
        yield _table(document, short=None)
        yield Bullets(
            tuple(
                Paragraph(unlabelled(prompt.verdict.words, prompt.verdict.label))
                for prompt in prompts
            )
        )
        yield Bullets(tuple(Paragraph(prompt.what, lead=f"{_name(prompt)}:") for prompt in prompts))
        yield Note(
            "The untuned base model answers dev under each prompt; examples are rows of train, "
            "none of the group of the row that is asked. Bounds allow for the choice of the best "
            "round on dev."
        )

    def in_short(self, document: Analysis) -> Iterator[Block]:
        """The conclusion, and a line for each prompt."""
        if not document.baselines:
            return
        yield Heading(self.title, "on dev")
        yield from _conclusion(document)
        yield _table(document, short=NAMED)


def _conclusion(document: Analysis) -> Iterator[Block]:
    """Left out where the box compares the same round and prompts on dev."""
    best = document.best_prompt
    if best is None or best.split != "dev":
        yield Paragraph(conclusion(document))


def conclusion(document: Analysis) -> str:
    """``Round 2 is better than each prompt: than prompted by 0.120 (at least 0.080), …``.

    Every prompt has to be beaten; one that is better says that training was not needed.
    """
    prompts = document.baselines
    best = document.kept_round
    who = f"Round {best}" if best else "The base model as it is asked (no round improved on it)"
    by = {
        label: [prompt for prompt in prompts if prompt.verdict.label == label]
        for label in ("improved", "regressed")
    }
    if by["regressed"]:
        names = _listed(document, by["regressed"], "regressed")
        return f"A prompt is better than training so far: {names}."
    open_ = [prompt for prompt in prompts if prompt.verdict.label != "improved"]
    if open_:
        names = _listed(document, open_, "no evidence")
        also = f" It is better than {_names(by['improved'])}." if by["improved"] else ""
        return f"{who} is not shown to be better than {names}.{also}"
    names = _listed(document, prompts, "improved")
    each = "each prompt" if len(prompts) > 1 else "the prompt"
    return f"{who} is better than {each}: {names}."


def _listed(document: Analysis, prompts: Sequence[ShownBaseline], label: str) -> str:
    names = ", ".join(_told(document, prompt, label) for prompt in prompts[:NAMED])
    return names + (f" and {len(prompts) - NAMED} more" if len(prompts) > NAMED else "")


def _told(document: Analysis, prompt: ShownBaseline, label: str) -> str:
    """One comparison in words; the difference is that of the best round."""
    verdict, name = prompt.verdict, _name(prompt)
    digits = score_digits(document, document.primary)
    shown = partial(number, digits=digits)
    gain, low, high = verdict.difference, verdict.low, verdict.high
    if gain is None:
        return f"{name} (not comparable)"
    if label == "improved":
        least = "" if low is None else f" ({at_least(low, shown)})"
        return f"than {name} by {number(gain, digits)}{least}"
    if label == "regressed":
        least = "" if high is None else f" ({at_least(-high, shown)})"
        best = document.kept_round
        who = f"round {best}" if best else "the base model without it"
        return f"{name} beats {who} by {number(-gain, digits)}{least}"
    min_gain = document.settings.get("min_gain")
    required = f"; a gain above {shown(min_gain)} is required" if min_gain else ""
    shown_bounds = interval(low, high, digits, plus=True)
    bounds = f"bounds {shown_bounds}" if shown_bounds else "too few rows for bounds"
    return f"{name} ({signed(gain, digits)}, {bounds}{required})"


def _names(prompts: Sequence[ShownBaseline]) -> str:
    return " and ".join(map(_name, prompts))


def _name(prompt: ShownBaseline) -> str:
    return one_line(prompt.name, NAME)


def _table(document: Analysis, short: int | None) -> Table:
    primary, best = document.primary, document.kept_round
    digits = score_digits(document, primary)
    columns = (
        Column("prompt"), Column(score_title(document, primary, 20), "number", strong=True),
        Column("95 % interval", "number", spare=1), Column(f"round {best}", "label"),
        Column("gain", "number"), Column("bounds", "number", spare=2),
    )  # fmt: skip
    rows = []
    for prompt in document.baselines:
        rows.append((
            _name(prompt), *figures.score_cells(prompt.scores.get(primary), digits),
            prompt.verdict.label, *figures.change_cells(prompt.verdict, digits),
        ))  # fmt: skip
    return Table(columns, tuple(rows), "The best round against each prompt", short, ordered=True)
