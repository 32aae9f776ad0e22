"""How baselines are carried out: the base model asked in another way, or another model; scores.

What a baseline is, its contract says (:mod:`harness.stages.baseline`); what its answers say of
the best round, :mod:`harness.verdicts.baselines`.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.boundary.calls import aloud, plainly
from harness.boundary.lending import Lent
from harness.config.loading import Config
from harness.config.plugin_entries import PluginEntry
from harness.data.families import families
from harness.data.splits import rows_digest, with_valid
from harness.errors import ConfigError, DataError, HarnessError
from harness.kit.files import digest
from harness.kit.log import Log
from harness.records import (
    BASE_ARM,
    Checkpoint,
    Dataset,
    Example,
    Form,
    Prediction,
    to_json,
)
from harness.records.context import Context
from harness.run.artifacts import Artifact
from harness.run.at import At
from harness.run.job import ANSWERS
from harness.run.journal import OF_BASELINE
from harness.run.pins import DETECT, GENERATE
from harness.run.run import Run
from harness.stages.baseline import Held, answered, description_of, form_of, model_of, prompted
from harness.steps import Steps
from harness.steps.answer import Evaluation, evaluation_of, generate, held_to, tell_scores
from harness.steps.call import artifact_of_call
from harness.steps.data import valid_seed
from harness.steps.measure import score_all

PROMPTS = "prompts"
FILE = "baselines.jsonl"


@dataclass(frozen=True, slots=True)
class Prompts:
    """Rows as a baseline asks them, what it says of that, and the artifact's digest.

    Attributes:
        form: what answers are held to; None: nothing.
    """

    rows: tuple[Example, ...]
    description: str
    form: Form | None
    digest: str


@dataclass(frozen=True, slots=True)
class BaselineAnswers:
    """The base model under the prompts of a baseline, or the model that answers in its place.

    Attributes:
        description: what stands before the prompts.
        evaluation: of its answers, by the metrics that need no people.
        model: that other model; empty: the base model.
    """

    description: str
    evaluation: Evaluation
    model: str = ""


@dataclass(frozen=True, slots=True)
class BaselineInput:
    """What baselines are given, families in place of groups, and what they must not show.

    Attributes:
        rows: of dev or test, without references.
    """

    rows: tuple[Example, ...]
    train: tuple[Example, ...]
    held: Held

    @property
    def lent(self) -> tuple[Sequence[Example], ...]:
        """What a baseline must not change."""
        return self.rows, self.train

    @classmethod
    def of(cls, data: Dataset, split: str) -> BaselineInput:
        """From the rows of a run."""
        family = families(data.examples)
        rows = tuple(_in_family(row.as_asked(), family) for row in data.split(split))
        train = tuple(_in_family(row, family) for row in data.split("train"))
        return cls(rows, train, _held(data, family))

    def asked_by(self, entry: PluginEntry, context: Context) -> list[Example]:
        """The rows as a baseline asks them.

        Raises:
            ConfigError: the rows do not allow what its options ask for.
            PluginError: it shows what it must not.
        """
        return prompted(entry.instance, self.rows, self.train, self.held, context)


def arm_of(name: str) -> str:
    """What the stages of a baseline, and the database, have in place of an arm."""
    return f"{OF_BASELINE}{name}"


def entries(config: Config) -> Sequence[PluginEntry]:
    """The baselines of a config, in its order."""
    return config.entries["baselines"]


def models(config: Config) -> dict[str, str]:
    """The baselines that other models answer -> these models, in the order of the config."""
    named = {entry.name: _model(entry) for entry in entries(config)}
    return {name: model for name, model in named.items() if model}


def _model(entry: PluginEntry) -> str:
    with plainly(entry.named):
        return model_of(entry.instance)


def of_prompts(asked: Mapping[str, BaselineAnswers]) -> dict[str, Evaluation]:
    """The base model under each prompt, without the answers of other models."""
    return {name: each.evaluation for name, each in asked.items() if not each.model}


def unaskable(config: Config, rows: Sequence[Example]) -> Iterator[HarnessError]:
    """Why baselines cannot ask the rows of dev in their way: train lacks rows for it, above all.

    Args:
        rows: without those that the gate takes out.
    """
    if not entries(config):
        return
    seed = valid_seed(config.settings.seed)
    material = BaselineInput.of(Dataset(with_valid(rows, config.settings.valid, seed)), "dev")
    for entry in entries(config):
        try:
            with plainly(f"{entry.named}, {PROMPTS}", aloud, lent=Lent(*material.lent)):
                material.asked_by(entry, Context(output=Path("unused")))
                form = form_of(entry.instance, material.train)
            if form is not None:
                with plainly(config.generate.named):
                    held_to(config.generate, form)
        except HarnessError as error:
            yield error


def ask_all(
    steps: Steps, data: Dataset, base: Checkpoint, plain: Evaluation
) -> tuple[dict[str, Sequence[Example]], dict[str, BaselineAnswers]]:
    """Answers to dev under other prompts or by other models, before anything is trained.

    Args:
        plain: round 0.

    Returns:
        Baseline -> the rows of dev as it asks them; baseline -> the answers to these.
    """
    primary = steps.config.settings.primary
    asked_rows: dict[str, Sequence[Example]] = {}
    by_baseline: dict[str, BaselineAnswers] = {}

    def answered_by(entry: PluginEntry) -> tuple[Prompts | None, BaselineAnswers | None]:
        prepared = None
        try:
            prepared = prompts(steps, entry, data)
            if not _model(entry) and stored_answers(steps, entry, plain) is None:
                steps.same_machine(plain, 0)
            return prepared, answers(steps, entry, prepared, base, data.split("dev"), plain)
        except steps.lacking:
            return prepared, None

    named = entries(steps.config)
    tasks = [functools.partial(answered_by, entry) for entry in named]
    for entry, (prepared, asked) in zip(named, steps.run.workers.side_by_side(tasks), strict=True):
        if prepared is not None:
            asked_rows[entry.name] = prepared.rows
        if asked is None:
            continue
        by_baseline[entry.name] = asked
        own, base_value = (
            _in_words(scores[primary].value) for scores in (asked.evaluation.scores, plain.scores)
        )
        who = asked.model or "the base model"
        beside = "by the base model" if asked.model else "without it"
        outcome = f"{who} has {primary} {own} on dev, {base_value} {beside}"
        steps.run.watcher.say(f"{entry.name}: {outcome}: {asked.description}")
    return asked_rows, by_baseline


def _in_words(value: float | None) -> str:
    return "no value" if value is None else f"{value:.4g}"


def best_prompt(sides: Mapping[str, Evaluation], primary: str) -> str | None:
    """The baseline with the best score on dev, the first of several; None where none has a value.

    Args:
        sides: the base model under each, in the order of the config.
    """
    scores = {name: side.scores[primary] for name, side in sides.items()}
    with_value = {name: score for name, score in scores.items() if score.value is not None}

    def worth(name: str) -> float:
        value = with_value[name].value or 0.0
        return value if with_value[name].higher_is_better else -value

    return max(with_value, key=worth, default=None)


def prompts(steps: Steps, entry: PluginEntry, data: Dataset) -> Prompts:
    """The rows of dev with the turns that a baseline puts before them.

    Raises:
        ConfigError: the rows do not allow what its options ask for.
        PluginError: it fails, or shows what it must not.
    """
    pinned = BaselinePins(steps.run).stored(entry.name, PROMPTS)
    return _prompts(steps, entry, data, At(arm=arm_of(entry.name)), pinned)


def _prompts(
    steps: Steps, entry: PluginEntry, data: Dataset, at: At, pinned: str | None
) -> Prompts:
    material, file = BaselineInput.of(data, at.split), "prompts.jsonl"
    inputs = {"rows": rows_digest(material.rows), "train": rows_digest(material.train)}

    def call(context: Context) -> list[Example]:
        rows = material.asked_by(entry, context)
        context.note(
            told=description_of(entry.instance, material.train),
            form=form_of(entry.instance, material.train),
        )
        return rows

    artifact = artifact_of_call(
        steps, PROMPTS, entry, at, file, call, inputs, pinned=pinned, lent=material.lent
    )
    rows = artifact.records(Example, file)
    return Prompts(rows, artifact.facts["told"], artifact.facts.get("form"), artifact.digest)


def stored_answers(steps: Steps, entry: PluginEntry, plain: Evaluation) -> str | None:
    """Digest of the answers that this run has to a baseline's prompts, where they are stored.

    Answers of the base model that were not made as those of round 0 cannot be compared, and count
    for none.

    Args:
        plain: round 0.
    """
    artifact = BaselinePins(steps.run).artifact(entry.name, GENERATE)
    if artifact is not None and _model(entry):
        return artifact.digest
    made_with = steps.made_with.get(plain.keys[GENERATE])
    alike = artifact is not None and artifact.facts.get("made_with") == made_with
    return artifact.digest if artifact is not None and alike else None


def answers(
    steps: Steps,
    entry: PluginEntry,
    prompts: Prompts,
    base: Checkpoint,
    rows: Sequence[Example],
    plain: Evaluation,
) -> BaselineAnswers:
    """The base model's answers to these prompts, with their scores and kinds of errors.

    Those that this run was given once are kept, whatever a library's version is by now.

    Args:
        rows: of dev.
        plain: round 0.

    Raises:
        ConfigError: prompts are too long by what the baseline puts before them.
    """
    at, pins = At(arm=arm_of(entry.name)), BaselinePins(steps.run)
    answers_digest = stored_answers(steps, entry, plain)
    names = (*(f"score {metric.name}" for metric in steps.config.metrics), DETECT)
    stored = {name: pin for name in names if (pin := pins.stored(entry.name, name))}
    pinned = {**stored, GENERATE: answers_digest} if answers_digest else {}
    asked = _answers(steps, entry, prompts, base, rows, plain, at, pinned)
    pins.keep(entry.name, asked.evaluation.keys)
    return asked


def on_test(
    steps: Steps,
    data: Dataset,
    asked: Mapping[str, BaselineAnswers],
    base: Checkpoint,
    plain: Evaluation,
) -> dict[str, Evaluation | None]:
    """Test under the prompts that were best on dev, and by other models, once it is opened.

    Args:
        asked: what :func:`ask_all` gave.
        plain: the base model on test as it is asked.

    Returns:
        Name of each such baseline -> its answers; empty where none was asked. None in place of
        them, with a note, where these rows cannot be asked so, which is no reason to lose what an
        opening gave, or were opened without these answers: to ask later would be another look.

    Raises:
        EnvironmentFailure: another model left rows unanswered.
        PluginError: a baseline fails, or shows what it must not.
    """
    best = best_prompt(of_prompts(asked), steps.config.settings.primary)
    names = {best, *(name for name, answers in asked.items() if answers.model)}
    return {
        entry.name: _on_test(steps, entry, data, base, plain)
        for entry in entries(steps.config)
        if entry.name in names
    }


def _on_test(
    steps: Steps, entry: PluginEntry, data: Dataset, base: Checkpoint, plain: Evaluation
) -> Evaluation | None:
    tested, at = steps.run.journal.tested, At(arm=arm_of(entry.name), split="test")
    pinned, rows = tested.get(at.arm, {}), data.split(at.split)
    # Where test was opened without these answers, to ask for them now would be another look.
    why = "it had no answers when test was opened"
    if pinned or not tested:
        try:
            prompts = _prompts(steps, entry, data, at, pinned.get(PROMPTS))
            return _answers(steps, entry, prompts, base, rows, plain, at, pinned).evaluation
        except (ConfigError, DataError) as error:
            why = error.placed
    if steps.run.writes:  # whoever only looks has asked nothing, and says nothing
        text = "did not answer test, so that nothing is compared with it there"
        steps.note(f"{entry.name} {text}: {why}")
    return None


def _answers(
    steps: Steps,
    entry: PluginEntry,
    prompts: Prompts,
    base: Checkpoint,
    rows: Sequence[Example],
    plain: Evaluation,
    at: At,
    pinned: Mapping[str, str],
) -> BaselineAnswers:
    """Answers, scores and kinds of errors; those that are pinned are kept."""
    model, pin = _model(entry), pinned.get(GENERATE)
    try:
        if model:
            predictions, generated = _answers_elsewhere(steps, entry, prompts.rows, at, pin)
        else:
            predictions, generated = generate(
                steps, base, prompts.rows, at, form=prompts.form, pinned=pin
            )
    except DataError as error:
        way = f"let '{entry.name}' put less before them, or take it out of baselines"
        error.hint = f"{error.hint}; or {way}" if error.hint else way
        raise
    _refuse_too_long(entry, predictions, plain.predictions)
    # Raters are asked about the answers of rounds alone.
    metrics = [entry for entry in steps.config.metrics if not entry.instance.by_people]
    measured = score_all(steps, metrics, predictions, generated, rows, at, pinned)
    evaluation = evaluation_of(
        steps, metrics, predictions, generated, measured, rows, at, learned=(), pinned=pinned
    )
    tell_scores(steps, evaluation, at)
    keys = {PROMPTS: prompts.digest, **evaluation.keys}
    return BaselineAnswers(prompts.description, dataclasses.replace(evaluation, keys=keys), model)


def _answers_elsewhere(
    steps: Steps, entry: PluginEntry, rows: Sequence[Example], at: At, pinned: str | None
) -> tuple[tuple[Prediction, ...], str]:
    """The answers of a baseline's own model, and their digest."""
    asked = tuple(row.as_asked() for row in rows)
    artifact = artifact_of_call(
        steps, GENERATE, entry, at, ANSWERS,
        lambda context: answered(entry.instance, asked, context),
        {"prompts": rows_digest(asked)}, pinned=pinned, lent=(asked,),
    )  # fmt: skip
    steps.note_remarks(artifact.facts)
    return artifact.records(Prediction, ANSWERS), artifact.digest


def _in_family(row: Example, family: Mapping[str, str]) -> Example:
    return dataclasses.replace(row, group=family[row.id], parent=None)


def _held(data: Dataset, family: Mapping[str, str]) -> Held:
    """What no prompt may show."""
    families_by_turn: dict[str, set[str]] = {}
    for row in data.split("train"):
        for turn in row.messages:
            if turn.get("role") == "user" and isinstance(turn.get("content"), str):
                families_by_turn.setdefault(str(turn["content"]), set()).add(family[row.id])
    held_out = {row.prompt for split in ("dev", "test") for row in data.split(split)}
    # A prompt that train has, too, is no secret of dev or test.
    return Held(held_out - families_by_turn.keys(), families_by_turn)


def _refuse_too_long(
    entry: PluginEntry, predictions: Sequence[Prediction], plain: Sequence[Prediction]
) -> None:
    """Refuse a comparison in which rows are unanswered for what the baseline itself has added."""

    def too_long(predictions: Sequence[Prediction]) -> list[str]:
        return [row.example_id for row in predictions if row.finish_reason == "context"]

    before = set(too_long(plain))
    new = [name for name in too_long(predictions) if name not in before]
    if new:
        raise ConfigError(
            f"{len(new)} of {len(predictions)} prompts are too long for the model's context by "
            f"what '{entry.name}' puts before them, first '{new[0]}'",
            where=f"baselines.{entry.index}",
            hint="shorten that (fewer examples, a shorter system turn), or take it out",
        )


# -- which answers and scores baselines were given: found again after an upgrade, too -------------


def answers_pinned(run: Run) -> dict[str, str | None]:
    """What each baseline has in place of an arm -> digest of its answers to dev, if known."""
    pins = BaselinePins(run)
    names = [entry.name for entry in entries(run.config)]
    return {arm_of(name): pins.of(name).get(GENERATE) for name in names}


@dataclass(frozen=True, slots=True)
class BaselineLine:
    """A line of the file: what a baseline was given; the last one counts.

    Attributes:
        of: digest of round 0, as it was closed. Where that is decided again, it counts no more.
        keys: stage, or ``score`` and the metric entry's name -> digest of the artifact.
    """

    of: str
    baseline: str
    keys: Mapping[str, str]


class BaselinePins:
    """Digests of artifacts by baseline and stage, in the run's folder."""

    def __init__(self, run: Run) -> None:
        """Read the file.

        Raises:
            DataError: a line of it is damaged.
        """
        self.run = run
        closed = run.journal.closed(BASE_ARM, 0)
        self._round_0 = "" if closed is None else digest(to_json(closed))
        self._keys: dict[str, Mapping[str, str]] = {}
        self._log = Log(
            run.folder / FILE, BaselineLine, schema=1,
            cost="which answers a baseline was given cannot be known",
            hint="take the file from a backup, or remove it: answers that are stored are found, "
            "and others are asked for again",
        )  # fmt: skip
        self._log.read(self._take)

    def of(self, name: str) -> Mapping[str, str]:
        """What a baseline was given; nothing where it was not asked yet."""
        return self._keys.get(name, {})

    def artifact(self, name: str, key: str) -> Artifact | None:
        """What the store has of it; what is gone is made again.

        Args:
            key: ``prompts``, ``generate``, ``detect``, or ``score`` and the metric entry's name.
        """
        pin = self.of(name).get(key)
        return None if pin is None else self.run.artifacts.with_digest(key.split()[0], pin)

    def stored(self, name: str, key: str) -> str | None:
        """The digest of :meth:`artifact`."""
        artifact = self.artifact(name, key)
        return None if artifact is None else artifact.digest

    def keep(self, name: str, keys: Mapping[str, str]) -> None:
        """Pin what a baseline was given."""
        if self.run.writes and self.of(name) != keys:
            line = BaselineLine(self._round_0, name, keys)
            self._log.append(line)
            self._take(line)

    def _take(self, line: BaselineLine) -> None:
        if line.of == self._round_0:
            self._keys[line.baseline] = line.keys
