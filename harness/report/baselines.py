"""The best round against the run's baselines, as the summary tells it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from harness.boundary.calls import plainly
from harness.boundary.results import returned
from harness.kit.documents import as_document, finite
from harness.kit.text import one_line
from harness.loop import BASELINE, deciding_score
from harness.records import BASE_ARM, Prediction, Score, Verdict
from harness.records.summary import (
    Scores,
    ShownBaseline,
    ShownBestPrompt,
    ShownModel,
    ShownScore,
    ShownUsage,
)
from harness.run import ledger
from harness.run.at import At
from harness.stages import Baseline
from harness.stats.decision import alpha_of
from harness.steps import Steps
from harness.steps.answer import Evaluation
from harness.steps.baselines import arm_of, best_prompt as prompt_of, entries, of_prompts
from harness.steps.compare import alike
from harness.steps.history import History
from harness.verdicts import baselines, rule

Split = Literal["dev", "test"]


def compared(steps: Steps, history: History) -> tuple[ShownBaseline, ...]:
    """The prompts that were asked so far, on dev, in the order of the config."""
    best, alpha = _best(steps, history, "dev")
    return tuple(
        ShownBaseline(
            one_line(name),
            one_line(asked.description),
            _shown(asked.evaluation.scores),
            as_document(
                Verdict, _verdict(steps, history, name, (best, asked.evaluation), "dev", alpha)
            ),
        )
        for name, asked in history.asked.items()
        if not asked.model
    )


def other_models(steps: Steps, history: History) -> Iterator[ShownModel]:
    """The other models that answered so far, in the order of the config.

    Figures are of test once that was opened and the model answered it, and of dev until then.
    """
    for entry in entries(steps.config):
        asked = history.asked.get(entry.name)
        if asked is None or not asked.model:
            continue
        on_test = history.prompts_on_test.get(entry.name)
        if on_test is not None and history.test is not None:
            split: Split = "test"
            side = on_test
        else:
            split, side = "dev", asked.evaluation
        best, alpha = _best(steps, history, split)
        # Two entries may ask one model in two ways.
        named = entry.name not in (entry.plugin, asked.model)
        title = one_line(f"{entry.name} ({asked.model})" if named else asked.model)
        rows, of_model = history.data.split(split), At(arm=arm_of(entry.name), split=split)
        sides = alike(steps, best, side, rows, At(history.kept, split=split), of_model)
        score = deciding_score(steps, rows)
        verdict = rule.judge(score, *sides, alpha=alpha, against=title)
        thousand = _thousand(side.predictions, entry.instance)
        reached = baselines.reached(score, verdict, title, split, thousand, round_=history.kept)
        yield ShownModel(
            one_line(entry.name), one_line(asked.model), one_line(asked.description), split,
            _shown(side.scores), as_document(Verdict, verdict), thousand, one_line(reached),
        )  # fmt: skip


def _thousand(predictions: Sequence[Prediction], baseline: Baseline) -> ShownUsage | None:
    """What 1,000 answers take."""
    used = [
        (answer.prompt_tokens, answer.completion_tokens)
        for answer in predictions
        if answer.prompt_tokens is not None and answer.completion_tokens is not None
    ]
    if not used:
        return None
    prompt, answer = (round(1000 * sum(side) / len(used)) for side in zip(*used, strict=True))
    with plainly("money()"):
        cost = returned(Baseline.money, baseline.money(prompt, answer))
    return ShownUsage(prompt, answer, finite(cost))


def best_prompt(steps: Steps, history: History) -> ShownBestPrompt | None:
    """The best round against the prompts that were best on dev, and against the base model.

    All of it is of test once that was opened, and of dev until then.

    Returns:
        None where no round improved, nothing was asked, or test was not answered under a prompt.
    """
    if history.kept == BASELINE:
        return None
    primary, settings = steps.config.settings.primary, steps.config.settings
    on_dev = of_prompts(history.asked)
    split: Split = "test" if history.test else "dev"
    on_test = {name: side for name, side in history.prompts_on_test.items() if name in on_dev}
    asked = on_test if history.test else on_dev
    name = prompt_of(asked, primary)
    if name is None:
        return None
    score = deciding_score(steps, history.data.split(split))
    best, alpha = _best(steps, history, split)
    if history.test is not None:
        base = history.test.verdict
    else:
        evaluations = (best, history.evaluations[BASE_ARM, BASELINE])
        base = rule.judge(
            score, *(side.measurements[score.entry.name] for side in evaluations),
            alpha=alpha, min_gain=settings.min_gain, against=f"round {BASELINE}",
        )  # fmt: skip
    verdict = _verdict(steps, history, name, (best, asked[name]), split, alpha)
    sides = baselines.Sides(
        asked[name].scores[primary], best.scores[primary], len(on_dev), history.kept, split,
        len(history.data.split("train")), history.results[BASE_ARM, history.kept].train_rows,
    )  # fmt: skip
    return baselines.with_base(
        score, name, _shown(asked[name].scores), sides, verdict, base, settings.min_gain
    )


def _best(steps: Steps, history: History, split: Split) -> tuple[Evaluation, float]:
    """The best round's answers to a split, and the level at which they are compared there."""
    if split == "test" and history.test is not None:
        return history.test_evaluations[history.kept], ledger.alpha(history.test.looks)
    best = history.evaluations[BASE_ARM, history.kept]
    return best, alpha_of(steps.config.settings.rounds)


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
