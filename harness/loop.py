"""The loop: train, generate, score, judge, analyse, plan, augment, and again.

Everything is cached by content (``steps``) and closed rounds are pinned (``journal.py``), so
going on after a kill is the same walk through the same code.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator, Mapping, Sequence

from harness.data.splits import groups_of, grown, rows_digest
from harness.kit.files import digest
from harness.records import (
    BASE_ARM,
    CONTROL_ARM,
    NOT_ASKED,
    NOTHING_KEPT,
    Checkpoint,
    Dataset,
    Example,
    GuardResult,
    RoundResult,
    TestResult,
    Verdict,
)
from harness.run import ledger
from harness.run.at import At
from harness.run.journal import Place
from harness.run.pins import (
    ANALYZE,
    AUGMENT,
    DATA,
    EXAMPLES,
    GENERATE,
    MODEL,
    ROWS,
    TRAIN,
)
from harness.stats.decision import alpha_of, usable
from harness.steps import Steps, baselines, sides
from harness.steps.analyse import analyze
from harness.steps.answer import Evaluation, evaluate, generate
from harness.steps.augment import AugmentedRows, augment
from harness.steps.compare import compared
from harness.steps.detect import malformed
from harness.steps.dev import count_choosing, note_opened
from harness.steps.history import ArmState, History
from harness.steps.probes import GeneralTexts
from harness.steps.train import train, training_log
from harness.verdicts import format_gain, guards, rule
from harness.verdicts.course import course
from harness.verdicts.detectable_effect import minimum_detectable_effect
from harness.verdicts.forgetting import PairedAnswers, Rise, by_kind, with_measured
from harness.verdicts.rule import DecidingScore

BASELINE = 0


def rounds(steps: Steps, history: History, *, test: bool = True) -> Iterator[RoundResult]:
    """Walk through the rounds of all arms, yielding each as it is closed.

    A notebook may stop between two rounds; ``history`` always says what happened so far.

    Args:
        test: whether the sealed test set is opened at the end. It never is where no round was
            kept: there is nothing to compare then.
    """
    data = history.data = steps.data()
    base = steps.base()
    history.model = base.name
    names = [BASE_ARM, CONTROL_ARM] if steps.config.control else [BASE_ARM]
    for name in names:
        history.arms[name] = ArmState(name, {BASELINE: data.split("train")})
    note_opened(steps, data.split("dev"))
    if test and (doubt := usable(list(groups_of(data.split("test")).values()))):
        steps.note(f"test cannot carry a verdict: {doubt}. --no-test leaves it sealed")
    if steps.config.settings.rounds:
        main = history.arms[BASE_ARM]
        _answer_ahead(steps, history, main, main.train[BASELINE], base, BASELINE + 1)
    yield _baseline(steps, history, base)
    plain = history.evaluations[BASE_ARM, BASELINE]
    history.prompts, history.asked = baselines.ask_all(steps, data, base, plain)

    checkpoints = {BASELINE: base}
    next_rows = {name: data.split("train") for name in names}
    source = BASELINE  # the round from whose rows and findings the next rows grow
    for number in range(1, steps.config.settings.rounds + 1):
        for name in names:
            history.arms[name].train[number] = next_rows[name]
        if steps.config.control and number > 1:  # in the first round it is the main arm's training
            control = history.arms[CONTROL_ARM]
            _answer_ahead(steps, history, control, control.train[number], base, number)
        for arm in [history.arms[name] for name in names]:
            checkpoint, result, pinned = _train_and_judge(steps, history, arm, base, number)
            if arm.name == BASE_ARM:
                checkpoints[number] = checkpoint
                # The control follows the main arm's schedule, or sizes would differ.
                source = arm.kept if result.verdict.label == "regressed" else number
            added = _augment(steps, history, arm, source, number, pinned.get(AUGMENT))
            next_rows[arm.name] = grown(arm.train[source], added.rows)
            history.added.setdefault(arm.name, []).extend(added.rows)
            yield _close(steps, history, arm, result, added)
    if history.kept == BASELINE:
        history.sealed = NOTHING_KEPT
    elif not test:
        history.sealed = NOT_ASKED
    else:
        history.test = open_test(steps, history, data, base, checkpoints[history.kept])


def _baseline(steps: Steps, history: History, base: Checkpoint) -> RoundResult:
    """Round 0, closed: the base model on dev, where it is weak, and what this dev set can show.

    The last is said before anything is trained.
    """
    at, dev, settings = At(BASELINE), history.data.split("dev"), steps.config.settings
    pinned = steps.pins(at)
    evaluation = evaluate(steps, base, dev, at, pinned=pinned)
    history.evaluations[BASE_ARM, BASELINE] = evaluation
    history.findings[BASE_ARM, BASELINE] = analyze(
        steps, evaluation, at, pinned=pinned.get(ANALYZE)
    )
    made = {name: steps.run.made[BASE_ARM, BASELINE, name] for name in (DATA, ANALYZE)}
    pins = {**made, MODEL: base.digest, EXAMPLES: history.data.digest}
    score, groups = deciding_score(steps, dev), groups_of(dev)
    detectable, sentence = minimum_detectable_effect(
        score,
        evaluation.measurements[score.entry.name],
        alpha=alpha_of(settings.rounds),
        min_gain=settings.min_gain,
    )
    steps.run.watcher.say(sentence)
    for doubt in guards.check(
        settings.guard, steps.metric_entries(), settings.primary, dev, groups, steps.config.origins
    ):
        steps.note(doubt)
    result = RoundResult(
        arm=BASE_ARM,
        round=BASELINE,
        train_rows=0,
        scores=evaluation.scores,
        verdict=rule.baseline_verdict(
            settings.rounds,
            detectable=detectable,
            sentence=sentence,
            n=len(dev),
            groups=len(set(groups.values())),
        ),
        kept=True,
        errors=evaluation.errors,
        keys={**evaluation.keys, **pins},
    )
    return _pin(steps, history, result)


def _train_and_judge(
    steps: Steps, history: History, arm: ArmState, base: Checkpoint, number: int
) -> tuple[Checkpoint, RoundResult, Mapping[str, str]]:
    """A round up to its findings; one that is closed is replayed, with what it was closed with.

    Returns:
        Its checkpoint, its result, and its pins (none for an open round).
    """
    at, rows, data = At(number, arm.name), arm.train[number], history.data
    closed = steps.run.journal.closed(arm.name, number)
    pinned: Mapping[str, str] = closed.keys if closed else {}
    if closed is None:
        steps.same_machine(_kept_evaluation(history, arm), arm.kept)
    steps.check_pin(ROWS, rows_digest(rows), pinned, at)
    checkpoint = train(steps, base, rows, data.split("valid"), at, pinned=pinned.get(TRAIN))
    history.checkpoints[arm.name, number] = checkpoint
    history.logs[arm.name, number] = log = training_log(checkpoint)
    of_log = course(log) if closed is None else None
    if of_log is not None and of_log.kind:
        steps.run.watcher.say(f"{at.label(TRAIN)}: {of_log.sentence} {of_log.advice}".rstrip())
    if closed is None and number > 1:  # in the first round it was begun behind the training
        _measure_ahead(steps, base, checkpoint, at)
    other = sides.beside(steps, _kept_model(history, arm, base))
    evaluation = evaluate(
        steps, checkpoint, data.split("dev"), at,
        learned=rows, against=arm.kept, beside=other, pinned=pinned,
    )  # fmt: skip
    history.evaluations[arm.name, number] = evaluation
    history.general |= steps.general_texts.beside(base, checkpoint, at, pinned)
    result = closed or _decide(steps, history, arm, evaluation, base, other)
    base_evaluation = history.evaluations[BASE_ARM, BASELINE]
    history.findings[arm.name, number] = analyze(
        steps, evaluation, at, base=base_evaluation, train=rows, pinned=pinned.get(ANALYZE)
    )
    return checkpoint, result, pinned


def deciding_score(steps: Steps, rows: Sequence[Example]) -> DecidingScore:
    """The run's primary score on these rows."""
    entry, name = steps.primary_entry(), steps.config.settings.primary
    return DecidingScore(entry, name, groups_of(rows), steps.seed("verdict", 0))


def _kept_evaluation(history: History, arm: ArmState) -> Evaluation:
    """The answers of the arm's best round; all arms share the baseline."""
    return history.evaluations[arm.name if arm.kept else BASE_ARM, arm.kept]


def _kept_model(history: History, arm: ArmState, base: Checkpoint) -> Checkpoint:
    return history.checkpoints[arm.name, arm.kept] if arm.kept else base


def _decide(
    steps: Steps,
    history: History,
    arm: ArmState,
    evaluation: Evaluation,
    base: Checkpoint,
    other: Checkpoint | None,
) -> RoundResult:
    """The newest round's verdict against the kept one, and its guards.

    Args:
        other: the kept checkpoint, where it has answered in the pass of the newest one.
    """
    number, before = max(arm.train), _kept_evaluation(history, arm)
    dev, at, process = history.data.split("dev"), At(number, arm.name), sides.SAME
    count_choosing(steps, dev)
    if other:
        learned = arm.train[arm.kept] if arm.kept else ()
        before, process = sides.in_one(steps, before, evaluation, other, dev, at, arm.kept, learned)
    elif arm.name == BASE_ARM:  # the control arm has no verdict
        plain = history.evaluations[BASE_ARM, BASELINE]
        process = sides.asked_again(steps, base, plain, evaluation, dev, at)
    new, old = compared(steps, evaluation, before, dev, at, arm.kept)
    alpha = alpha_of(steps.config.settings.rounds)
    verdict = _compare(steps, new, old, dev, alpha, arm.kept, process)
    guarded = _guards(steps, history, arm, new, old, dev)
    refusal = guards.refuse(verdict, guarded)
    general = history.general.get((arm.name, number))
    return RoundResult(
        arm=arm.name,
        round=number,
        train_rows=len(arm.train[number]),
        scores=evaluation.scores,
        verdict=verdict.remarked(*refusal),
        kept=verdict.label == "improved" and not refusal,
        errors=evaluation.errors,
        keys={**evaluation.keys, **(general.keys if general else {}), **process.keys},
        guards=guarded,
    )


def _guards(
    steps: Steps,
    history: History,
    arm: ArmState,
    new: Evaluation,
    old: Evaluation,
    dev: Sequence[Example],
) -> tuple[GuardResult, ...]:
    """Whether the round made worse what it must leave alone; the control arm has no guards."""
    if arm.name == CONTROL_ARM:
        return ()
    settings = steps.config.settings
    place = (arm.name, max(arm.train))
    earlier = {f"round {arm.kept}": old.measurements}
    if arm.kept != BASELINE:
        earlier[f"round {BASELINE}"] = history.evaluations[BASE_ARM, BASELINE].measurements
    rise, answers = general_rise(steps, history, place), general_answers(history, place)
    return guards.judge(
        with_measured(settings.guard, rise, answers),
        steps.metric_entries(),
        settings.primary,
        dev,
        new.measurements,
        earlier,
        groups_of(dev),
        seed=steps.seed("verdict", 0),
    )


def general_rise(steps: Steps, history: History, place: Place) -> Rise | None:
    """The loss of a round's model on general text beside the base model's, if it was measured."""
    measured = history.general.get(place)
    if measured is None:
        return None
    seed = steps.seed("verdict", 0)
    return Rise(measured.before.losses, measured.after.losses, measured.after.groups, seed)


def general_answers(history: History, place: Place) -> dict[str, PairedAnswers]:
    """Kind of instruction -> both models' answers; nothing where none were asked."""
    general = history.general.get(place)
    if general is None:
        return {}
    return by_kind(general.before.kinds, general.before.right, general.after.right)


def _augment(
    steps: Steps, history: History, arm: ArmState, source: int, number: int, pinned: str | None
) -> AugmentedRows:
    """More rows for the arm's next round, grown from the rows and findings of ``source``.

    The control arm gets as many rows as the main arm got, drawn from everywhere; of entries whose
    control is none it gets none.
    """
    strategy = steps.config.settings.plan.strategy
    budgets = {entry.name: entry.rows for entry in steps.config.augment}
    if arm.name == CONTROL_ARM:
        if steps.config.control != "none":
            strategy = "random"
        growth = history.results[BASE_ARM, number].growth
        without = {entry.name for entry in steps.config.augment if entry.control == "none"}
        budgets = {name: rows for name, rows in (growth.by if growth else {}).items()
                   if name not in without}  # fmt: skip
    place = (arm.name if source else BASE_ARM, source)
    findings, evaluation = history.findings[place], history.evaluations[place]
    at, rows = At(number, arm.name), arm.train[source]
    return augment(
        steps, history.data, rows, findings, evaluation, budgets, strategy, at, pinned=pinned
    )


def _close(
    steps: Steps, history: History, arm: ArmState, result: RoundResult, added: AugmentedRows
) -> RoundResult:
    """Close a decided round; one that is closed already stays as it was closed."""
    made, place = steps.run.made, (arm.name, result.round)
    pins = {name: made[*place, name] for name in (TRAIN, ANALYZE, AUGMENT)}
    pins[ROWS] = rows_digest(arm.train[result.round])
    result = _pin(
        steps,
        history,
        dataclasses.replace(
            result, plan=added.plan, growth=added.growth, keys={**result.keys, **pins}
        ),
    )
    if result.kept:
        arm.kept = result.round
    return result


def _as_shown(result: RoundResult) -> RoundResult:
    """A round of the control arm without label, guards and keeping.

    With verdicts on both arms, twice as many rounds could be called *improved* by chance.
    """
    if result.arm != CONTROL_ARM:
        return result
    verdict = rule.unlabelled(result.verdict)
    return dataclasses.replace(result, verdict=verdict, kept=False, guards=())


def _pin(steps: Steps, history: History, result: RoundResult) -> RoundResult:
    result = steps.run.close(_as_shown(result))
    history.results[result.arm, result.round] = result
    steps.run.observe("on_round_end", result=result)
    return result


def open_test(
    steps: Steps, history: History, data: Dataset, base: Checkpoint, tuned: Checkpoint
) -> TestResult:
    """Open the sealed test set: the base model, the same under the prompts that were best on dev,
    and the best round; counted once, before it happens.

    The more often its rows were opened before, the more the verdict has to show
    (:func:`harness.run.ledger.alpha`). Other answers than those that this run scored before are
    another opening.
    """
    test = data.split("test")
    opening = steps.run.ledger.open(test, steps.run.name)
    pinned = steps.run.journal.tested
    of_base, of_kept = (At(number, split="test") for number in (BASELINE, history.kept))
    learned, pins = history.arms[BASE_ARM].train[history.kept], pinned.get(history.kept)
    base_pins, other = pinned.get(BASELINE), sides.beside(steps, base)
    if other:
        best = evaluate(steps, tuned, test, of_kept, learned=learned, beside=other, pinned=pins)
        baseline = evaluate(steps, base, test, of_base, of=best, pinned=base_pins)
        process = sides.ONE
    else:
        baseline = evaluate(steps, base, test, of_base, pinned=base_pins)
        best = evaluate(steps, tuned, test, of_kept, learned=learned, pinned=pins)
        process = sides.asked_again(steps, base, baseline, best, test, of_kept, pins or {})
    prompted = baselines.on_test(steps, data, history.asked, base, baseline)
    answered = [side.keys[GENERATE] for side in (baseline, best, *prompted.values()) if side]
    opening = steps.run.ledger.answered(opening, digest(answered))
    trained = steps.run.made[BASE_ARM, history.kept, TRAIN]
    pins_of_prompts: dict[int | str, Mapping[str, str]] = {
        # Empty where a baseline did not answer test: it is not asked later.
        baselines.arm_of(name): side.keys if side else {}
        for name, side in prompted.items()
    }
    steps.run.tested(
        {
            BASELINE: {**baseline.keys, MODEL: base.digest},
            history.kept: {**best.keys, TRAIN: trained, **process.keys},
            **pins_of_prompts,
        }
    )
    history.prompts_on_test = {name: side for name, side in prompted.items() if side}
    history.test_evaluations = {BASELINE: baseline, history.kept: best}
    alpha = ledger.alpha(opening.looks)
    verdict = _compare(steps, best, baseline, test, alpha, BASELINE, process)
    later = steps.run.ledger.later(opening)
    counting = ledger.in_words(opening.looks, opening.runs, later)
    return TestResult(opening.looks, baseline.scores, best.scores, verdict, counting, later)


def _compare(
    steps: Steps,
    new: Evaluation,
    old: Evaluation,
    rows: Sequence[Example],
    alpha: float,
    against: int,
    process: sides.Processes,
) -> Verdict:
    settings = steps.config.settings
    score, name = deciding_score(steps, rows), f"round {against}"
    measured = (side.measurements[score.entry.name] for side in (new, old))
    verdict = rule.judge(
        score, *measured,
        alpha=alpha, min_gain=settings.min_gain, against=name, doubt=process.doubt,
    )  # fmt: skip
    verdict = verdict.remarked(*process.remarks)
    if verdict.label != "improved":
        return verdict
    form = format_gain.mended(
        new.scored,
        old.scored,
        (new.labels, old.labels),
        malformed=malformed(steps),
        score=score.name,
        against=name,
        higher_is_better=score.entry.metric.higher_is_better,
    )
    return verdict.remarked(*form)


def _answer_ahead(
    steps: Steps,
    history: History,
    arm: ArmState,
    rows: Sequence[Example],
    base: Checkpoint,
    number: int,
) -> None:
    """Train an arm and answer dev while another arm, or the base model, is walked through.

    Nothing of that is needed for it. The walk finds the artifacts when it comes to this arm.
    """
    run = steps.run
    if run.workers.count == 1 or not run.writes or run.journal.closed(arm.name, number):
        return
    at, data, shadow = At(number, arm.name), history.data, steps.ahead()
    other = sides.beside(steps, _kept_model(history, arm, base))

    def task() -> None:
        checkpoint = train(shadow, base, rows, data.split("valid"), at)
        _measure_ahead(steps, base, checkpoint, at)
        generate(shadow, checkpoint, data.split("dev"), at, beside=other)

    run.workers.ahead(task)


def _measure_ahead(steps: Steps, base: Checkpoint, checkpoint: Checkpoint, at: At) -> None:
    """Measure a round's model on general text while it answers dev."""
    run = steps.run
    if run.workers.count > 1 and run.writes:
        general = GeneralTexts(steps.ahead(), wanted=steps.general_texts.wanted)
        run.workers.ahead(functools.partial(general.beside, base, checkpoint, at, {}))
