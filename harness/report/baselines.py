"""The best round against the run's baselines, as the summary tells it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from harness.engine import ledger
from harness.engine.at import At
from harness.engine.history import History
from harness.engine.steps import Steps
from harness.engine.steps.asking import arm_of, best_prompt as prompt_of
from harness.engine.steps.comparing import alike
from harness.engine.steps.evaluating import Evaluation
from harness.kit.documents import as_document
from harness.kit.text import one_line
from harness.loop import BASELINE, deciding_score
from harness.records import BASE_ARM, Score, Verdict
from harness.records.summary import Scores, ShownBaseline, ShownBestPrompt, ShownScore
from harness.stats.decision import alpha_of
from harness.verdicts import baselines, rule

Split = Literal["dev", "test"]


def compared(steps: Steps, history: History) -> tuple[ShownBaseline, ...]:
    """Those that were asked so far, on dev, in the order of the config."""
    best = history.evaluations[BASE_ARM, history.kept]
    alpha = alpha_of(steps.config.settings.rounds)
    return tuple(
        ShownBaseline(
            one_line(name),
            one_line(asked.told),
            _shown(asked.evaluation.scores),
            as_document(
                Verdict, _verdict(steps, history, name, (best, asked.evaluation), "dev", alpha)
            ),
        )
        for name, asked in history.asked.items()
    )


def best_prompt(steps: Steps, history: History) -> ShownBestPrompt | None:
    """The best round against the prompts that were best on dev, and against the base model.

    All of it is of test once that was opened, and of dev until then.

    Returns:
        None where no round improved, nothing was asked, or test was not answered under a prompt.
    """
    if history.kept == BASELINE:
        return None
    primary, settings = steps.config.settings.primary, steps.config.settings
    on_dev = {name: asked.evaluation for name, asked in history.asked.items()}
    split: Split = "test" if history.test else "dev"
    asked = history.prompts_on_test if history.test else on_dev
    name = prompt_of(asked, primary)
    if name is None:
        return None
    score = deciding_score(steps, history.data.split(split))
    if history.test is not None:
        best, base = history.test_evaluations[history.kept], history.test.verdict
        alpha = ledger.alpha(history.test.looks)
    else:
        best, alpha = history.evaluations[BASE_ARM, history.kept], alpha_of(settings.rounds)
        evaluations = (best, history.evaluations[BASE_ARM, BASELINE])
        base = rule.judge(
            score, *(side.measurements[score.entry.name] for side in evaluations),
            alpha=alpha, min_gain=settings.min_gain, against=f"round {BASELINE}",
        )  # fmt: skip
    verdict = _verdict(steps, history, name, (best, asked[name]), split, alpha)
    sides = baselines.Sides(
        asked[name].scores[primary], best.scores[primary], len(on_dev), history.kept, split
    )
    return baselines.with_base(
        score, name, _shown(asked[name].scores), sides, verdict, base, settings.min_gain
    )


def _shown(scores: Mapping[str, Score]) -> Scores:
    return {one_line(name): as_document(ShownScore, score) for name, score in scores.items()}


def _verdict(
    steps: Steps,
    history: History,
    name: str,
    sides: tuple[Evaluation, Evaluation],
    split: Split,
    alpha: float,
) -> Verdict:
    """The best round against the base model under one prompt, by answers to the same rows."""
    rows = history.data.split(split)
    places = (At(history.kept, split=split), At(arm=arm_of(name), split=split))
    return baselines.judge(
        deciding_score(steps, rows), *alike(steps, *sides, rows, *places), name,
        round_=history.kept, alpha=alpha, min_gain=steps.config.settings.min_gain,
    )  # fmt: skip
