"""The document of a run: what ``summary.json`` holds, stated once.

The file is written from these types and read by them, ``summary.schema.json`` and the tables of
``docs/summary.md`` are made from them. ``Annotated`` says how long a text may be and how small a
number. Every key is there, but those of :class:`Summary` that have a default, and the
remarks of a verdict that has none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from annotated_types import Ge, Gt, MaxLen, MinLen

from harness.records.course import Course
from harness.records.plain import IF_SET
from harness.records.rounds import AnsweredKind, Contrast, GuardState, Sealed, Verdict

LONGEST_TEXT = 2_000
"""Characters of a text of data or of a model."""

LONGEST_NAME = 80
"""Characters of a name."""

Name = Annotated[str, MaxLen(LONGEST_NAME)]
Count = Annotated[int, Ge(0)]
Seconds = Annotated[float, Ge(0)]
RowId = Annotated[str, MaxLen(200)]
DataText = Annotated[str, MaxLen(LONGEST_TEXT)]


@dataclass(frozen=True, slots=True)
class Model:
    """The result of the run and where it lies.

    Attributes:
        base: what the base model is called: hub id, path or name.
        adapter: the folder with what the best round's training left (of the trainer `lora` a PEFT
            adapter), relative to the run's working folder; `null` where the base model is the best,
            and for a model that left no files here (at a service).
        round: the best round.
        commands: what uses that model, ready to be pasted: by the packages that were installed when
            the run ended; empty where the base model is the best.
    """

    base: str
    adapter: str | None
    round: Count
    commands: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Dates:
    """When the run was done, in UTC (`2026-11-26T18:30:00Z`).

    Attributes:
        started: `null` where it is not known.
        finished: `null` where it is not known, or not so far.
    """

    started: str | None
    finished: str | None


@dataclass(frozen=True, slots=True)
class NearPair:
    """A row that resembles one of dev or test.

    Attributes:
        row, split, text: of the row.
        held_out, held_out_split: the id of the other one, and its split.
        held_out_text: `null` for a row of test.
        similarity: 0 to 1.
    """

    row: RowId
    split: str
    text: DataText
    held_out: RowId
    held_out_split: str
    held_out_text: DataText | None
    similarity: Annotated[float, Ge(0)] | None


@dataclass(frozen=True, slots=True)
class Screened:
    """What the gate said of the source's rows ([augmentation](augmentation.md)).

    Attributes:
        left_out: split -> reason -> rows.
        near: split -> near repeats of dev or test.
        pairs: the five nearest.
        threshold: similarity from which a proposal is near.
        recognised: share of misspelt copies that the gate would refuse.
    """

    left_out: Mapping[str, Mapping[str, Count]]
    near: Mapping[str, Count]
    pairs: tuple[NearPair, ...]
    threshold: float | None
    recognised: float | None


@dataclass(frozen=True, slots=True)
class Data:
    """The rows.

    Attributes:
        rows: split -> number of rows at the start of the run.
        dev_groups: groups in dev.
        digests: of the rows of `dev` and of `test`: the same in runs whose rows are the same.
        screening: what the gate said of them, `null` where it was not asked.
    """

    rows: Mapping[str, Count]
    dev_groups: Count | None
    digests: Mapping[str, str]
    screening: Screened | None


@dataclass(frozen=True, slots=True)
class ShownScore:
    """A score of a whole split.

    Attributes:
        value: the score.
        low, high: its 95 % interval.
        n: examples that were scored.
        unscored: examples that could not be scored.
        signature: name, version and options of the metric: compare only equal signatures.
        higher_is_better: direction.
        caveat: a word or two that reports show next to the score (`uncalibrated`, of a judge),
            mostly empty; as it was when the round was closed.
    """

    value: float | None
    low: float | None
    high: float | None
    n: Count
    unscored: Count
    signature: str
    higher_is_better: bool
    caveat: str


Scores = Mapping[str, ShownScore]
"""Score name -> score."""

UNSCORED = ShownScore(None, None, None, 0, 0, "", True, "")
"""In place of a score that a round does not have."""


@dataclass(frozen=True, slots=True)
class ShownGuard:
    """Whether a round left alone what it must not make worse.

    Attributes:
        name: of the guard.
        verdict: against the best round.
        state: of the guard.
        start: against round 0; `null` where that is the best round.
        largest_loss: against either, that is not excluded at 95 % confidence; `null` where no row
            differs in a score that is not pass/fail in single rows.
        sentence: the state in words.
        required, max_loss: of the config.
        refuses: whether the round is not kept because of it.
    """

    name: str
    verdict: Verdict
    state: GuardState
    start: Verdict | None
    largest_loss: Annotated[float, Ge(0)] | None
    sentence: str
    required: bool
    max_loss: Annotated[float, Gt(0)] | None
    refuses: bool


@dataclass(frozen=True, slots=True)
class ShownSlice:
    """A part of dev.

    Attributes:
        slice: in words, such as `intent = RateBook`.
        n, groups: its dev rows and their groups.
        score: mean of the primary score over its rows.
        gap: all other rows minus the slice, positive = the slice is lower; where several
            underperform, what this one takes off beside the others ([Slices](slices.md)).
        low, high: interval of the gap; from the analyzer `slices` it allows for the choice among
            many.
        q: rate of false finds at which it would be called underperforming.
        holds: whether the finder confirms that it underperforms; `null` leaves it to `q`.
        from_prompt: whether rows can be addressed by it; slices of replies cannot.
    """

    slice: str
    n: Count
    groups: Count
    score: float | None
    gap: float | None
    low: float | None
    high: float | None
    q: float | None
    holds: bool | None
    from_prompt: bool


@dataclass(frozen=True, slots=True)
class ShownPlanItem:
    """Rows that were asked for.

    Attributes:
        slice: for which part of dev; `everywhere` is exploration.
        n: dev rows of the slice.
        gap, low, high: of the slice.
        rows: that are asked for.
        remedy: what is done, such as `real rows`.
        reason: why.
    """

    slice: str
    n: Count | None
    gap: float | None
    low: float | None
    high: float | None
    rows: Count
    remedy: str
    reason: str


@dataclass(frozen=True, slots=True)
class LogPoint:
    """A point of a training's log.

    Attributes:
        step: of the training.
        loss: of training.
        eval_loss: on the validation rows.
        score: primary score of the checkpoint after this step, on rows of valid.
    """

    step: Count
    loss: float | None
    eval_loss: float | None
    score: float | None = field(default=None, metadata=IF_SET)


@dataclass(frozen=True, slots=True)
class ShownInstructions:
    """The answers to general instructions of a round's model beside the base model's.

    Attributes:
        asked: how many.
        right_before, right_after: answers that were right, of the base model and of the round's.
        lost: right before alone.
        gained: right after alone.
        p: exact and one-sided (McNemar), that answers got worse; `null` where nothing was asked.
        sentence: all of it in words.
        possible_loss: the greatest number of answers lost less those gained that is not excluded,
            at 95 % confidence, one-sided; `null` where nothing was asked.
    """

    asked: Count
    right_before: Count
    right_after: Count
    lost: Count
    gained: Count
    p: float | None
    sentence: str
    possible_loss: Count | None = None  # summaries of before it was told are read, too


@dataclass(frozen=True, slots=True)
class ShownForgetting:
    """A round's model on general text and instructions, beside the base model
    ([Forgetting](forgetting.md)); no result of the task.

    Attributes:
        loss_before, loss_after: nats per token of the base model and of the round's model, over the
            texts that both have a loss of.
        difference: after minus before, positive = predicted worse; `null` where the two cannot be
            compared.
        low, high: one-sided bounds of the difference over whole groups of texts; `null` where the
            texts carry no verdict.
        level: confidence of each bound, and of the test of the answers: 1 - .05/R for R planned
            rounds.
        texts, groups, tokens: how many are compared.
        left_out: texts without a finite loss on one side.
        instructions: the same of answers.
        sentence: the comparison of losses in words.
        kinds: of instructions that a probe counts by themselves, such as *harmful requests
            refused*; they are not among `instructions`.
    """

    loss_before: float | None
    loss_after: float | None
    difference: float | None
    low: float | None
    high: float | None
    level: float
    texts: Count
    groups: Count
    tokens: Count
    left_out: Count
    instructions: ShownInstructions
    sentence: str
    kinds: tuple[AnsweredKind, ...] = ()  # summaries of before there were kinds are read, too


@dataclass(frozen=True, slots=True)
class ShownRound:
    """One round.

    Attributes:
        round: its number; 0 is the baseline.
        train_rows: rows that it was trained on.
        kept: whether it became the best round when it was closed.
        scores: score name -> score, on dev.
        verdict: this round against the best round before it.
        errors: error category -> number of dev answers that show it.
        slices: all slices found after it, underperforming or not.
        strategy: how rows were planned: `targeted`, `random` or `none`.
        plan: rows asked for after it, for the next round.
        added: rows that were accepted into the training data after it.
        added_by: augmenter -> rows accepted from it.
        refused: reason -> rows refused.
        log: the training log by step; of long logs about 200 points and every validation.
        course: what the log shows of over- and underfitting, `null` without a log.
        guards: what the round must not make worse.
    """

    round: Count
    train_rows: Count
    kept: bool
    scores: Scores
    verdict: Verdict
    errors: Mapping[str, Count]
    slices: tuple[ShownSlice, ...]
    strategy: str
    plan: tuple[ShownPlanItem, ...]
    added: Count
    added_by: Mapping[str, Count]
    refused: Mapping[str, Count]
    log: tuple[LogPoint, ...]
    course: Course | None
    guards: tuple[ShownGuard, ...]


@dataclass(frozen=True, slots=True)
class MainRound(ShownRound):
    """A round of the arm `main`.

    Attributes:
        replayed: general rows that it was trained on beside those of the task (`replay`).
        forgetting: its model on general text, beside the base model; `null` in round 0 and where it
            was not measured.
    """

    replayed: Count
    forgetting: ShownForgetting | None


@dataclass(frozen=True, slots=True)
class ShownBestPrompt:
    """The best round, the base model, and that under the prompts that were best on dev, all on the
    same rows.

    Attributes:
        name: of the baseline with the best primary score on dev.
        split: the rows of all its figures: `test` once that was opened.
        scores: score name -> score of the base model under its prompts.
        verdict: the best round against it, at the opening's level (on dev at that of the rounds).
        base: the best round against the base model as it is asked, on the same rows at the same
            level; on test it is that of `test`.
        low: the smaller of the lower bounds of these two, `null` where one is not known. Both have
            to hold, so nothing is divided between them.
        sentence: all of it in words.
    """

    name: str
    split: Literal["dev", "test"]
    scores: Scores
    verdict: Verdict
    base: Verdict
    low: float | None
    sentence: str


@dataclass(frozen=True, slots=True)
class LostAnswers:
    """Instructions that are shown to be answered worse.

    Attributes:
        before, after: right answers.
        n: instructions.
        p: below 1 - `level`.
        level: of the test.
    """

    before: Count
    after: Count
    n: Count
    p: float | None
    level: float


@dataclass(frozen=True, slots=True)
class LostText:
    """General text that is shown to be predicted worse.

    Attributes:
        before, after: nats per token.
        n: texts.
        bound: lower bound of the rise, above 0.
        level: of the bound.
    """

    before: float | None
    after: float | None
    n: Count
    bound: float | None
    level: float


@dataclass(frozen=True, slots=True)
class Forgot:
    """What the model of the best round (the latest, where none improved) is **shown** to have lost.

    Attributes:
        round: whose model.
        instructions: `null` unless they are shown to be answered worse.
        loss: `null` unless general text is shown to be predicted worse.
        sentence: both in a few words, such as *worse at general instructions: 22 → 4 of 40*; empty
            where nothing is shown to be lost.
    """

    round: Count
    instructions: LostAnswers | None
    loss: LostText | None
    sentence: str


@dataclass(frozen=True, slots=True)
class ShownTest:
    """What the sealed test set said.

    Attributes:
        looks: test-set evaluations: how often these rows were opened, over all runs in this folder
            or its store, this time and runs that chose by them as rows of dev included
            ([what counts](loop.md#the-test-set)).
        counting: what that asks of the verdict, and what it cannot mend, in words.
        baseline: score name -> score of the base model.
        kept: score name -> score of the best round.
        verdict: best round against the base model.
        later: how often these rows were opened since, where the report was made again.
    """

    looks: Annotated[int, Ge(1)]
    counting: str
    baseline: Scores
    kept: Scores
    verdict: Verdict
    later: Count = 0


AimState = Literal[
    "reached", "reached, not surely", "not reached, not surely", "not reached", "unknown"
]


@dataclass(frozen=True, slots=True)
class ShownObjective:
    """What the best round has reached on dev of the config's objective.

    Attributes:
        metric, target, statement: as the config says.
        state: *surely* is by the 95 % interval; `unknown` without a score.
        value: the best round's score.
        missing: target minus value, positive while something is missing, whatever the score's
            direction.
        per_round: mean gain per round up to the best one; `null` before any *improved*.
        rounds_left: `missing` / `per_round`; `null` where that leads nowhere.
        sentence: all of it in words.
    """

    metric: str
    target: float
    statement: str
    state: AimState
    value: float | None
    missing: float | None
    per_round: float | None
    rounds_left: float | None
    sentence: str


@dataclass(frozen=True, slots=True)
class ShownExample:
    """An answer to a row of dev; rows of the test split are never among the examples.

    Attributes:
        id: of the row.
        place: where the row is to be found, such as `dev.jsonl:12`.
        prompt: the last user turn.
        reference: of several references the one that shares the most words with the answer.
        answer: what the best round answered.
        score: the answer's own value of the primary score.
        finish_reason: `stop`, `length` where the token limit cut the answer, or `context` where the
            prompt left no room for one.
        errors: the error categories that it shows.
    """

    id: RowId
    place: RowId
    prompt: DataText
    reference: DataText
    answer: DataText
    score: float | None
    finish_reason: str
    errors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ShownCost:
    """Requests of one stage to a model behind a server.

    Attributes:
        stage: what they were for.
        model: its name at the endpoint.
        requests: that were sent, further tries included.
        open: of these, whose usage is not known; they count at the most that they can cost.
        prompt_tokens, answer_tokens: as the server counts them, of the others.
        money: by the `price` of the entry; `null` without one.
    """

    stage: str
    model: str
    requests: Count
    open: Count
    prompt_tokens: Count
    answer_tokens: Count
    money: Annotated[float, Ge(0)] | None


@dataclass(frozen=True, slots=True)
class ShownControl:
    """The control arm, which gets other rows in place of those that are added, or none.

    Attributes:
        instead: what it gets: as many rows of the same augmenters drawn at random (`random`), as
            many real rows drawn at random in place of written ones (`real`), or none (`none`).
        rounds: of the arm `random`, the shared baseline first.
        difference: the main arm minus it on the primary score, positive = the added rows were
            better.
        low, high: its 95 % interval.
        sentence: all of it in words.
    """

    instead: Contrast
    rounds: tuple[ShownRound, ...]
    difference: float | None
    low: float | None
    high: float | None
    sentence: str


@dataclass(frozen=True, slots=True)
class ShownBaseline:
    """The base model under another prompt ([Would a prompt do?](what-next.md#would-a-prompt-do)).

    Attributes:
        name: of the entry.
        what: what stands before the prompts, in words.
        scores: score name -> score, on dev.
        verdict: the best round so far against it, on dev: *improved* says that the round is better
            than this prompt, *regressed* that the prompt is better, *no evidence* that neither is
            shown. Each bound allows for the choice among the planned rounds, and not for other
            prompts, since the round has to beat every one.
    """

    name: str
    what: str
    scores: Scores
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class ShownUsage:
    """What 1,000 answers take, by the mean of those whose usage the server told.

    Attributes:
        prompt_tokens, answer_tokens: in all.
        money: by the `price` of the entry; `null` without one.
    """

    prompt_tokens: Count
    answer_tokens: Count
    money: float | None


@dataclass(frozen=True, slots=True)
class ShownModel:
    """Another model on the same rows ([Another model](what-next.md#another-model)).

    Attributes:
        name: of the entry of `baselines`.
        model: that answered.
        what: how it was asked, in words.
        split: the rows of all its figures: `test` once that was opened and it answered that.
        scores: score name -> score.
        verdict: the best round so far against it: *improved* says that the round is better,
            *regressed* that this model is better, *no evidence* that neither is shown. `min_gain`
            does not count.
        thousand: what 1,000 of its answers take; `null` where the server told no usage.
        sentence: all of it in words.
    """

    name: str
    model: str
    what: str
    split: Literal["dev", "test"]
    scores: Scores
    verdict: Verdict
    thousand: ShownUsage | None
    sentence: str


@dataclass(frozen=True, slots=True)
class Training:
    """One training of an arm.

    Attributes:
        seed: from 0.
        values: score name -> value.
        seconds: by stage.
        failed: why it gave no answers.
    """

    seed: Count
    values: Mapping[str, float | None]
    seconds: Mapping[str, float | None]
    failed: str | None


@dataclass(frozen=True, slots=True)
class ShownArm:
    """A branch of the run, trained beside the rounds ([Arms](what-next.md#other-settings)).

    Attributes:
        name: as reports call it.
        kind: `settings`, `model`, `data` (a share of the rows), `seed` (the reference again) or
            `loop` (the whole loop again).
        what: what differs from the run, as text.
        changed: the same by dotted key of the config. A text is JSON where it would read as another
            value (`null`, `8`) or has line breaks or several blanks.
        share: of the reference's training rows.
        rows: that it was trained on.
        scores: score name -> score, on dev, of the first seed.
        against: the reference round.
        verdict: against it; `null` for shares, for the reference again, and where the training
            failed. Its bounds are at the level that Holm's method gave it.
        worth: whether a gain of `worth:` is shown (`yes`), excluded (`no`) or neither
            (`open`); `null` without `worth:` or a verdict.
        seconds: of all its trainings and answers.
        tokens: that the training read; `null` where the trainer does not say.
        memory: bytes at its peak; `null` where the trainer does not say.
        parameters: of the model; `null` where the trainer does not say.
        failed: why a training gave no answers.
        trainings: one for each seed.
    """

    name: Name
    kind: str
    what: str
    changed: Mapping[Name, str]
    share: float | None
    rows: Count
    scores: Scores
    against: str
    verdict: Verdict | None
    worth: Literal["yes", "no", "open"] | None
    seconds: Seconds
    tokens: Count | None
    memory: Count | None
    parameters: Count | None
    failed: str | None
    trainings: Annotated[tuple[Training, ...], MinLen(1)]


@dataclass(frozen=True, slots=True)
class Chosen:
    """What stands next to the best round's dev scores: it is the best of several by dev, so these
    are optimistic.

    Attributes:
        round: the best one.
        mark: *chosen on these rows*.
        short: the mark with test's primary score.
        sentence: both in words.
    """

    round: Annotated[int, Ge(1)]
    mark: str
    short: str
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The document of a run.

    Attributes:
        schema: the number rises when a key changes its meaning or goes.
        run: the run's name, also the name of its folder in `reports/`.
        primary: the score that decides.
        model: the result of the run and where it lies.
        dates: when it was done.
        settings: what a person would name of the config: `rounds`, `seed`, and of `data`, `model`,
            `train`, `generate` and each of `augment` the plugin, the options that are not at their
            default, and those that the plugin reports anyway (of `lora`: `r`, `alpha`,
            `learning_rate`, `epochs`, `batch_size`); of several trainers `train` is a list. A path
            is relative to the working folder; of
            one outside it the last part alone is told, as `…/rows.jsonl`. `config.yaml` beside it,
            and the database, have every option as it was written.
        data: the rows.
        rounds: of the arm `main`; element 0 is the base model.
        kept_round: the best round so far by the rule of verdicts; 0 = the base model.
        best_prompt: the comparison of the headline; `null` where nothing was asked, no round
            improved, or test was not answered under a prompt.
        beats_prompts: whether the best round is shown to be better than that prompt
            (`best_prompt.verdict` is *improved*); `false` where no round improved, too; `null`
            where no prompt was asked or it cannot be judged.
        forgot: what the best round's model is shown to have lost beside the task; `null` where that
            was not measured.
        test: what the sealed test set said, `null` until it was opened.
        sealed: why the test set of a run that has ended was not opened (`not asked` after
            `--no-test`); otherwise `null`.
        objective: whether the config's objective is reached, `null` where it has none.
        examples: a few of the worst dev answers of the best round, of different kinds.
        notes: what a reader should know, in sentences.
        seconds: stage -> seconds spent on it, over all rounds and arms; of one that was
            interrupted, those of all attempts up to what the next one went on from.
        cached: stages that were taken from the store and not run again.
        next_command: what to type next: the command that goes on with an open run; of a finished
            one `harness test`, if its test set is sealed by request, else one round more (with
            `--no-test`, since each opening of a test set makes the next one prove more).
        control: the arm with other rows in place of the added ones; the key is absent without one.
        baselines: the base model under other prompts, each with the best round against it, in the
            order of the config; the key is absent where the config names none, and until they are
            answered.
        models: other models that answered the same rows, each with the best round against it, in
            the order of `baselines` in the config; the key is absent where none did.
        arms: the branches that were tried beside the rounds; empty where none was.
        experiments: what these say together: experiment -> what its plugin says of it
            ([Arms](what-next.md#other-settings)); without those that were asked for nothing.
        requests: what was asked of models behind servers, and what that cost; the key is absent
            where nothing was.
        chosen: what stands next to the best round's dev scores, `null` where round 0 is the best.
    """

    schema: Literal["harness.summary/4"]
    run: str
    primary: str
    model: Model
    dates: Dates
    settings: Mapping[str, Any]
    data: Data
    rounds: Annotated[tuple[MainRound, ...], MinLen(1)]
    kept_round: Count
    best_prompt: ShownBestPrompt | None
    beats_prompts: bool | None
    forgot: Forgot | None
    test: ShownTest | None
    sealed: Sealed | None
    objective: ShownObjective | None
    examples: tuple[ShownExample, ...]
    notes: tuple[str, ...]
    seconds: Mapping[str, Seconds]
    cached: tuple[str, ...]
    next_command: str
    control: ShownControl | None = field(default=None, metadata=IF_SET)
    baselines: tuple[ShownBaseline, ...] = field(default=(), metadata=IF_SET)
    models: tuple[ShownModel, ...] = field(default=(), metadata=IF_SET)
    arms: tuple[ShownArm, ...]
    experiments: Mapping[str, Mapping[str, Any]]
    requests: tuple[ShownCost, ...] = field(default=(), metadata=IF_SET)
    chosen: Chosen | None

    @property
    def best(self) -> MainRound:
        """The best round: its model is the result of the run."""
        return self.rounds[self.kept_round]
