"""The best round against the run's baselines, as the summary tells it."""

from __future__ import annotations

from typing import Literal

from harness.engine import ledger
from harness.engine.at import At
from harness.engine.history import History
from harness.engine.steps import Steps
from harness.engine.steps.asking import arm_of
from harness.engine.steps.comparing import alike
from harness.engine.steps.evaluating import Evaluation
from harness.loop import BASELINE, deciding_score
from harness.records import BASE_ARM, BaselineResult, BestPrompt, Verdict
from harness.stats.decision import alpha_of
from harness.verdicts import baselines, rule

Split = Literal["dev", "test"]


def compared(steps: Steps, history: History) -> list[BaselineResult]:
    """Those that were asked so far, on dev, in the order of the config."""
    best = history.evaluations[BASE_ARM, history.kept]
    alpha = alpha_of(steps.config.settings.rounds)
    return [
        BaselineResult(
            name, asked.told, asked.evaluation.scores,
            _verdict(steps, history, name, (best, asked.evaluation), "dev", alpha),
        )
        for name, asked in history.baselines.items()
    ]  # fmt: skip


def best_prompt(steps: Steps, history: History) -> BestPrompt | None:
    """The best round against the prompts that were best on dev, and against the base model.

    All of it is of test once that was opened, and of dev until then.

    Returns:
        None where no round improved, nothing was asked, or test was not answered under a prompt.
    """
    if history.kept == BASELINE:
        return None
    primary, settings = steps.config.settings.primary, steps.config.settings
    on_dev = {name: asked.evaluation for name, asked in history.baselines.items()}
    split: Split = "test" if history.test else "dev"
    asked = history.prompts_on_test if history.test else on_dev
    name = baselines.best_prompt({name: side.scores[primary] for name, side in asked.items()})
    if name is None:
        return None
    score = deciding_score(steps, history.data.split(split))
    if history.test is not None:
        best, base = history.test_evaluations[history.kept], history.test.verdict
        alpha = ledger.alpha(history.test.looks)
    else:
        best, alpha = history.evaluations[BASE_ARM, history.kept], alpha_of(settings.rounds)
        sides = (best, history.evaluations[BASE_ARM, BASELINE])
        base = rule.judge(
            score, *(side.measurements[score.entry.name] for side in sides),
            alpha=alpha, min_gain=settings.min_gain, against=f"round {BASELINE}",
        )  # fmt: skip
    verdict = _verdict(steps, history, name, (best, asked[name]), split, alpha)
    shown = baselines.Sides(
        asked[name].scores[primary], best.scores[primary], len(on_dev), history.kept, split
    )
    return baselines.with_base(
        score, name, asked[name].scores, shown, verdict, base, settings.min_gain
    )


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
