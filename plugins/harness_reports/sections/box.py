"""The box that a report begins with: the verdict, whether a prompt would do, what was forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from harness import Analysis, Verdict
from harness.kit.blocks import Block, Heading, Paragraph
from harness.kit.documents import score_digits, score_title, unlabelled
from harness.kit.numbers import number
from harness.kit.text import one_line
from harness.records.summary import UNSCORED, Scores, ShownForgetting
from harness_reports import figures, findings

NAME = 60
"""Characters of a score's name, or of a prompt's."""
BESIDE = "Beside the task:"


def heading(document: Analysis, *beside: str) -> Heading:
    """The label, where it was found, what stands against it, what may have been lost beside the
    task, and what else is to stand there.

    A label that something stands against is not green: *improved on test, and worse at general
    instructions: 22 → 4 of 40*.
    """
    verdict, where = headline(document)
    against = objections(document)
    tone: Literal["open", ""] = "open" if against and verdict.label == "improved" else ""
    text = " · ".join(filter(None, (f"{where}{against}", _possible_loss(document), *beside)))
    return Heading(text, level=1, label=verdict.label, tone=tone)


def objections(document: Analysis) -> str:
    """``, but not shown to be better than a prompt, and worse at …``; empty where nothing is."""
    objection, forgot = "", document.forgot
    if headline(document)[0].label == "improved":
        objection = _prompt(document)
    if forgot and forgot.sentence:
        objection += f", and {forgot.sentence}"
    return objection


def _possible_loss(document: Analysis) -> str:
    """What the best round may have lost beside the task where it is not shown to have."""
    forgetting, forgot = findings.later_round(document).forgetting, document.forgot
    answers = forgetting.instructions if forgetting else None
    if not answers or not answers.possible_loss or (forgot and forgot.instructions):
        return ""
    most = f"{answers.possible_loss} of {answers.asked}"
    return f"general instructions: a loss of up to {most} not excluded"


def _prompt(document: Analysis) -> str:
    """What prompts have against an improvement."""
    prompt = document.best_prompt
    if document.beats_prompts or not (prompt or document.baselines):
        return ""
    if prompt is None or document.beats_prompts is None:
        return ", but not compared with a prompt"
    if prompt.verdict.label == "regressed":
        return ", but a prompt is better"
    return ", but not shown to be better than a prompt"


def lines(document: Analysis) -> Iterator[Block]:
    """How good it was and is, all of the same rows where prompts were asked; in words; the rest."""
    if numbers := before_and_now(document):
        yield Paragraph("", lead=numbers)
    yield Paragraph(verdict_words(document))
    if forgotten := forgotten_words(document):
        yield Paragraph(forgotten, lead=BESIDE)


def verdict_words(document: Analysis) -> str:
    """The sentence of the best round against base model and prompt, else that of the verdict."""
    verdict, _ = headline(document)
    if prompt := document.best_prompt:
        return prompt.sentence
    words = unlabelled(verdict.words, verdict.label)
    # Of round 0, which is compared with nothing, the sentence tells what dev can show.
    return f"On {'test' if document.test else 'dev'}: {words}" if verdict.against else words


def forgotten_words(document: Analysis) -> str:
    """What the best round's model (else the latest's) forgot; empty where it was not measured."""
    forgetting = findings.later_round(document).forgetting
    return words(forgetting) if forgetting else ""


def words(forgetting: ShownForgetting) -> str:
    """All sentences of a round whose model stands beside the base model."""
    kinds = [kind.sentence for kind in forgetting.kinds]
    return " ".join(filter(None, (forgetting.instructions.sentence, forgetting.sentence, *kinds)))


def before_and_now(document: Analysis) -> str:
    """``rougeL 0.160 → 0.303 on dev, 0.150 → 0.297 on test (base model → round 1)``.

    On dev the later round is the best one, or the latest where none improved. Where a prompt was
    asked: ``rougeL on test: base model 0.150, few-shot 0.210, round 1 0.297``.
    """
    primary = document.primary
    digits = score_digits(document, primary)
    title, later = score_title(document, primary, NAME), findings.later_round(document)
    sides = {"dev": (document.rounds[0].scores, later.scores)}
    if test := document.test:
        sides["test"] = (test.baseline, test.kept)
    if (prompt := document.best_prompt) and prompt.split in sides:
        base, best = sides[prompt.split]
        named = {
            "base model": base, one_line(prompt.name, 40): prompt.scores,
            f"round {later.round}": best,
        }  # fmt: skip
        scored = (f"{name} {_value(scores, primary, digits)}" for name, scores in named.items())
        return f"{title} on {prompt.split}: {', '.join(scored)}"
    shown = []
    for split, pair in sides.items():
        values = [scores.get(primary, UNSCORED).value for scores in pair]
        values = values[: 1 + bool(later.round)]
        if any(value is not None for value in values):
            shown.append(f"{' → '.join(number(value, digits) for value in values)} on {split}")
    if not shown:
        return ""
    who = f" (base model → round {later.round})" if later.round else " (base model)"
    return f"{title} {', '.join(shown)}{who}"


def _value(scores: Scores, primary: str, digits: int) -> str:
    return number(scores.get(primary, UNSCORED).value, digits)


def headline(document: Analysis) -> tuple[Verdict, str]:
    """The verdict that counts, and where it was found: the test set's, else the best round's,
    else the latest round's."""
    if document.test:
        return document.test.verdict, "test"
    entry = findings.later_round(document)
    return entry.verdict, f"dev, round {entry.round}{figures.chosen_mark(document, entry)}"
