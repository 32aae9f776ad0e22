"""The document that others rely on, made: ``summary.json``, ``harness iterate --json``.

:mod:`harness.records.summary` states it. The same run always gives the same document, but for
``seconds``, ``cached``, ``dates`` and, where the run was given in other words, ``next_command``.
"""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Mapping

from harness.data.screening import Screening
from harness.data.splits import groups_of, rows_digest
from harness.kit.documents import as_document, finite
from harness.kit.remote.spending import Spending
from harness.kit.text import one_line
from harness.loop import deciding_score
from harness.records import (
    BASE_ARM,
    CONTROL_ARM,
    NOT_ASKED,
    Forgetting,
    RoundResult,
    to_json,
)
from harness.records.rounds import SUMMARY_SCHEMA, Contrast
from harness.records.summary import (
    Data,
    MainRound,
    Screened,
    ShownBaseline,
    ShownBestPrompt,
    ShownControl,
    ShownCost,
    ShownTest,
    Summary,
)
from harness.report import baselines
from harness.report.examples import instructive
from harness.report.origin import dates_of, model_of, settings_of
from harness.report.rounds import (
    branch_arm,
    control_round,
    forgetting_by_round,
    forgot,
    main_round,
)
from harness.run import resume_command
from harness.run.run import Run
from harness.steps import Steps
from harness.steps.history import History
from harness.verdicts import rule
from harness.verdicts.objective import progress
from harness.verdicts.selection import chosen


def summarise(run: Run, steps: Steps, history: History, *, final: bool) -> Summary:
    """The summary document of a run that has closed a round.

    Args:
        final: whether the run is done.
    """
    config, primary = run.config.settings, run.config.settings.primary
    main, kept_round = history.of(BASE_ARM), history.kept
    best = history.evaluations[BASE_ARM, kept_round]
    forgetting = forgetting_by_round(steps, history)
    shown = kept_round or main[-1].round
    asked = baselines.compared(steps, history)
    best_prompt = baselines.best_prompt(steps, history)
    return with_choice(
        Summary(
            schema=SUMMARY_SCHEMA,
            run=one_line(run.name),
            primary=one_line(primary),
            model=model_of(run, history),
            dates=dates_of(run, final=final),
            settings=settings_of(run.config, run.root),
            data=_data(steps, history),
            rounds=tuple(_round(steps, history, result, forgetting) for result in main),
            kept_round=kept_round,
            best_prompt=best_prompt,
            beats_prompts=_beats_prompts(
                best_prompt, asked, improved=kept_round > 0 or len(main) == 1
            ),
            forgot=forgot(shown, forgetting.get(shown)),
            test=as_document(ShownTest, history.test),
            sealed=history.sealed,
            objective=progress(config.objective, main) if config.objective else None,
            examples=instructive(
                best.scored,
                best.labels,
                score=primary,
                higher_is_better=best.scores[primary].higher_is_better,
            ),
            notes=tuple(map(one_line, run.notes)),
            seconds={one_line(stage): round(took, 3) for stage, took in run.seconds.items()},
            cached=tuple(map(one_line, run.cached)),
            next_command=one_line(_next_command(run, history, final=final)),
            control=_control(steps, history),
            baselines=asked,
            models=tuple(baselines.other_models(steps, history)),
            arms=tuple(
                branch_arm(branch, kept_round or 1)
                for outcome in history.outcomes.values()
                for branch in outcome.branches
            ),
            experiments={
                name: to_json(as_document(type(outcome.document), outcome.document))
                for name, outcome in history.outcomes.items()
                if outcome.document is not None
            },
            requests=costs(run.spending),
            chosen=None,
        )
    )


def costs(spending: Spending) -> tuple[ShownCost, ...]:
    """What the requests of a run have cost, by stage and model."""
    return tuple(
        ShownCost(
            one_line(stage),
            one_line(model),
            cost.requests,
            cost.open,
            cost.prompt,
            cost.answer,
            None if cost.money is None else round(cost.money, 6),
        )
        for (stage, model), cost in spending.costs().items()
    )


def with_choice(summary: Summary) -> Summary:
    """The summary with the mark of its best round."""
    return dataclasses.replace(summary, chosen=chosen(summary))


def _data(steps: Steps, history: History) -> Data:
    return Data(
        rows=history.data.counts,
        dev_groups=len(set(groups_of(history.data.split("dev")).values())),
        digests={split: rows_digest(history.data.split(split)) for split in ("dev", "test")},
        screening=_screened(steps.gating.screening),
    )


def _screened(screening: Screening | None) -> Screened | None:
    if screening is None:
        return None
    recognised = finite(screening.usual.recognised)
    return as_document(Screened, screening, left_out=screening.refused, recognised=recognised)


def _round(
    steps: Steps, history: History, result: RoundResult, forgetting: Mapping[int, Forgetting]
) -> MainRound:
    place = (BASE_ARM, result.round)
    findings = history.findings.get(place)
    rows = history.arms[BASE_ARM].train.get(result.round, ()) if result.round else ()
    return main_round(
        result,
        findings.slices if findings else (),
        history.logs.get(place, ()),
        replayed=len(steps.general_rows.replayed(rows)),
        forgotten=forgetting.get(result.round),
    )


def _beats_prompts(
    best: ShownBestPrompt | None, asked: tuple[ShownBaseline, ...], *, improved: bool
) -> bool | None:
    """Whether training is shown to be better than prompts; None where that cannot be judged."""
    if best is not None:
        return None if best.verdict.low is None else best.verdict.label == "improved"
    return False if asked and not improved else None


def _next_command(run: Run, history: History, *, final: bool) -> str:
    """The same command until the run is done; then the one that opens test, or a round more.

    That one leaves test sealed: each opening makes the next one prove more.
    """
    words = resume_command.way_on(run.folder, run.config)
    if final and history.sealed == NOT_ASKED:
        return shlex.join(["harness", "test", run.name])
    if final:
        words = resume_command.with_rounds(words, run.config.settings.rounds + 1)
    return shlex.join(words)


def _control(steps: Steps, history: History) -> ShownControl | None:
    """The main arm minus the control arm after the last round that both have finished."""
    instead = steps.config.control
    if instead is None:
        return None
    results = history.of(CONTROL_ARM)
    last = max((result.round for result in results), default=0)
    if last < 1 or (BASE_ARM, last) not in history.evaluations:
        return None
    rounds = tuple(map(control_round, results))
    if doubt := _no_contrast(history, last, instead):
        return ShownControl(instead, rounds, None, None, None, doubt)
    score = deciding_score(steps, history.data.split("dev"))
    main, control = (
        history.evaluations[arm, last].measurements[score.entry.name]
        for arm in (BASE_ARM, CONTROL_ARM)
    )
    difference, low, high, sentence = rule.contrast_arms(score, main, control, instead)
    return ShownControl(
        instead, rounds, finite(difference), finite(low), finite(high), one_line(sentence)
    )


def _no_contrast(history: History, last: int, instead: Contrast) -> str:
    """Why a difference of the arms after this round would not be one of the added rows; or
    empty."""
    if last == 1:
        return "Both arms train on the same rows in round 1; they can differ from round 2 on."
    main, control = (history.arms[arm].train for arm in (BASE_ARM, CONTROL_ARM))
    if main.get(last) == control.get(last):
        why = (
            "no rows were added in either"
            if main.get(last) == main.get(1)
            else "no rows were added for a slice, so that both drew theirs from all data"
        )
        return f"Both arms trained on the same rows in round {last}: {why}."
    if instead != "none" and len(main[last]) != len(control[last]):
        return (
            f"Not comparable: in round {last} the main arm trained on {len(main[last])} rows and "
            f"the control arm on {len(control[last])}, so a difference may be that of their number."
        )
    return ""
