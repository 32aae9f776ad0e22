"""The rule that calls a plugin, on a small data set and through the checks that a run has."""

from __future__ import annotations

import dataclasses
import io
import itertools
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from harness.boundary import probes, prompts, results
from harness.boundary.calls import plainly
from harness.boundary.lending import Lent, copied
from harness.context import Context
from harness.data.augmentation import AugmenterPlan, collect
from harness.data.filters import INVALID, NO_ORIGIN, Gate
from harness.errors import (
    Cancelled,
    ConfigError,
    DataError,
    EnvironmentFailure,
    HarnessError,
    PluginError,
    Waiting,
)
from harness.records import Checkpoint, Dataset, Plan, Trial
from harness.rubrics import Judgement
from harness.stages import (
    KINDS,
    Annotated,
    AnnotatedRun,
    AnswerValues,
    CheckedSearcher,
    Evidence,
    Generator,
    Intent,
    Outcome,
    PlannedBranch,
    Plugin,
    Searcher,
    Section,
    Trainer,
)
from harness.testing import sample
from harness.testing.outcomes import Failed, Skipped
from harness.testing.sample import Sample
from harness.testing.subject import Subject

_SEED = 7
_MOST_ROWS = 1_000
_TRIALS = 6
_MEASURED = Trial(_TRIALS, {}, (1.0,), "done", course=(3.0, 2.0, 1.5))
_LACKING = (EnvironmentFailure, DataError, ConfigError, Waiting)
"""A plugin's own words for what it needs and does not find in the sample, or on this machine."""
_WITH_MODEL = ("trainer", "generator")
_MADE_UP = "its base model has no files; one that it can load is given by checkpoint=…"


def work(subject: Subject) -> str | None:
    """It does its work on a small data set, called as a run calls it."""
    call = _CALLS.get(subject.stage)
    if call is None:
        raise Skipped("the kit has no call for this kind of plugin")
    given = sample.small()
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder, "output")
        output.mkdir()
        # A probe, so that nothing is told to trackers and services.
        context = Context(output, _SEED, subject.stage, round=1, run="sample", probe=True)
        try:
            with plainly(subject.plugin.name, lent=Lent(given.rows, given.scored, given.items)):
                message = call(subject, given, context)
                results.facts(context.facts)
        except Cancelled:
            raise
        except _LACKING as error:
            raise Skipped(f"not called to the end: {error.what}") from None
        except HarnessError as error:
            if (
                subject.stage in _WITH_MODEL
                and subject.checkpoint is None
                and _elsewhere(error, subject.plugin)
            ):
                raise Skipped(f"{_MADE_UP}: {error.what}") from None
            mend = error.hint or f"harness.{KINDS[subject.stage].base.__name__} says what is given"
            raise Failed(error.what, mend[:1].upper() + mend[1:]) from None
    return message


def _elsewhere(error: HarnessError, plugin: type[Plugin]) -> bool:
    """Whether a library raised it, which was given a model without files, and not the plugin."""
    trace = error.__cause__ and error.__cause__.__traceback__
    if not trace:
        return False
    while trace.tb_next:
        trace = trace.tb_next
    module = str(trace.tb_frame.f_globals.get("__name__"))
    return module.partition(".")[0] != plugin.__module__.partition(".")[0]


def _source(subject: Subject, given: Sample, context: Context) -> str:
    rows = list(itertools.islice(results.examples(subject.instance.load(context)), _MOST_ROWS))
    if not rows:
        raise PluginError("load() gives no row", hint="a source without rows raises a DataError")
    return f"{len(rows)} rows"


def _model(subject: Subject, given: Sample, context: Context) -> str:
    if not subject.instance.at_hand():
        raise EnvironmentFailure("fetch() needs the network, or much time")
    checkpoint = results.checkpoint(subject.instance.fetch(context), "fetch()")
    if checkpoint.kind != "base":
        raise PluginError(f"fetch() gives the kind '{checkpoint.kind}'", hint="give a 'base'")
    return f"a base model called '{checkpoint.name}'"


def _base(subject: Subject, context: Context) -> Checkpoint:
    """The model that the author gave, or one that has no files."""
    folder = context.output.parent / "base"
    folder.mkdir()
    return subject.checkpoint or Checkpoint("base", str(folder), "sample", "sample")


def _trainer(subject: Subject, given: Sample, context: Context) -> str:
    trainer, base = subject.instance, _base(subject, context)
    train, valid = given.split("train"), given.split("valid")
    results.schedule(trainer.schedule(len(train)))
    if type(trainer).rendered is not Trainer.rendered:
        list(results.rendered(trainer.rendered(base, train, context), train))
    made = results.checkpoint(trainer.train(base, train, valid, context), "train()")
    if made.kind != trainer.produces:
        what = f"train() gives the kind '{made.kind}', where `produces` says {trainer.produces!r}"
        raise PluginError(what, hint="correct one of them")
    lines = results.training_log(context.output / "log.jsonl")
    return f"{len(train)} rows, {len(lines)} lines of log.jsonl"


def _generator(subject: Subject, given: Sample, context: Context) -> str:
    generator, base = subject.instance, _base(subject, context)
    if base.kind not in generator.accepts:
        raise EnvironmentFailure(f"it takes no checkpoint of the kind '{base.kind}'")
    asked = tuple(row.as_asked() for row in given.split("dev"))
    results.schedule(generator.schedule(len(asked)))
    found = results.predictions(generator.generate(base, asked, context), asked)
    if type(generator).losses is not Generator.losses:
        texts = [row.prompt for row in asked]
        list(probes.losses(generator.losses(base, texts, context), len(texts)))
    return f"{len(found)} answers"


def _detector(subject: Subject, given: Sample, context: Context) -> str:
    detector = subject.instance
    results.categories(detector.categories())
    detector.prepare(given.split("train"))
    labels = [results.labels(detector.detect(row), row.example.id) for row in given.scored]
    return f"{sum(map(len, labels))} labels of {len(labels)} answers"


def _analyzer(subject: Subject, given: Sample, context: Context) -> str:
    right = {row.example.id: row.values[sample.SCORE] == 1.0 for row in given.scored}
    evidence = Evidence(
        given.scored, sample.SCORE, True, right=right, base=given.scored, base_right=dict(right),
        train=given.split("train"), seed=_SEED,
    )  # fmt: skip
    results.causes(subject.instance.causes())
    found = results.findings(subject.instance.analyze(evidence, context))
    return f"{len(found.slices)} slices, {len(found.diagnoses)} diagnoses"


_REFUSED = {
    INVALID: "A row ends in a user's turn, has a reference, and has an id that no other row had",
    NO_ORIGIN: "A new row names the row that it was made from as its `parent`",
}


def _augmenter(subject: Subject, given: Sample, context: Context) -> str:
    """Two rounds, for an id of the first one must not come again."""
    train, pool = list(given.split("train")), given.split("pool")
    gate = Gate(given.split("dev"), train, known=pool)
    plan = AugmenterPlan(subject.plugin.name, subject.instance, Plan("targeted", given.items))
    for number in (1, 2):
        left = [row for row in pool if row.id not in {known.id for known in train}]
        context = dataclasses.replace(context, round=number, seed=_SEED + number)
        rows, growth = collect([plan], Dataset((*train, *left)), gate, context)
        train += rows
        for reason, mend in _REFUSED.items():
            if count := growth.refused.get(reason, 0):
                raise PluginError(f"{count} of its rows are refused: {reason}", hint=mend)
    return f"{len(train) - len(given.split('train'))} rows in two rounds"


def _baseline(subject: Subject, given: Sample, context: Context) -> str:
    from harness.engine.steps.asking import Given

    asked = Given.of(Dataset(given.rows), "dev")
    made = subject.instance.prompts(asked.rows, asked.train, context)
    found = list(prompts.prompts(made, asked.rows, asked.held))
    prompts.told(subject.instance.told(asked.train))
    return f"{len(found)} prompts"


def _searcher(subject: Subject, given: Sample, context: Context) -> str:
    """A search that was killed asks again: the same record has to give the same trial."""
    if not issubclass(type(subject.instance).Options, Searcher.Options):
        mend = "Derive them from harness.Searcher.Options, which has trials, by, folds and seed"
        raise PluginError("its Options lack those of a search", hint=mend)
    searcher = CheckedSearcher(subject.instance)
    space = searcher.space()
    trials = [Trial(0, {}, (1.0, 1.0), "done")]
    while len(trials) < _TRIALS:
        values, again = (
            each.propose(tuple(trials), _SEED, False)
            for each in (searcher, CheckedSearcher(subject.make()))
        )
        if values != again:
            mend = "Compute it from the arguments and the options; keep nothing between calls"
            raise PluginError(f"trial {len(trials)}: one record gives two proposals", hint=mend)
        if values is None:
            break
        trials.append(Trial(len(trials), values, (1.0 + 1 / len(trials),) * 2, "done"))
    searcher.hopeless((9.0,), tuple(trials), False)
    searcher.limits((*trials, _MEASURED))
    return f"{len(trials) - 1} proposals of {len(space)} settings"


def _probe(subject: Subject, given: Sample, context: Context) -> str:
    probe = subject.instance
    texts = list(probes.texts(probe.texts()))
    for row in probes.instructions(probe.instructions()):
        for answer in ("", "no idea"):
            probes.right(probe.right(row, answer), row.id)
    list(probes.rows(probe.rows()))
    return f"{len(texts)} texts"


def _reporter(subject: Subject, given: Sample, context: Context) -> str:
    from rich.console import Console

    document = copied(sample.DOCUMENT)
    paths = results.paths(subject.instance.write(document, context.output), "write()")
    if lost := [path for path in paths if not path.is_file()]:
        raise PluginError(f"write() names '{lost[0].name}', which is not there")
    subject.instance.show(document, Console(file=io.StringIO(), width=80))
    return f"{len(paths)} files"


def _section(subject: Subject, given: Sample, context: Context) -> str:
    from harness.store.contents import RunContents
    from harness.store.writing import build

    section, document = subject.instance, copied(sample.DOCUMENT)
    database = context.output / "run.duckdb"
    build(database, RunContents("sample", sample.SCORE, 0))
    rows = results.table(section.rows(document, database))
    if type(section).blocks is Section.blocks:
        return f"{len(rows)} rows for a run that knows nothing"
    results.blocks(section.in_short(document))
    return f"{len(results.blocks(section.blocks(document)))} blocks for a run that knows nothing"


def _judge(subject: Subject, given: Sample, context: Context) -> str:
    rubric, items = sample.rubric(), sample.items(given)
    due = {(item.id, criterion.id) for item in items for criterion in rubric.criteria}
    for value in subject.instance.rate(rubric, items, context):
        judgement = results.record(Judgement, value, "rate()")
        place = (judgement.item, judgement.criterion)
        if place not in due:
            raise PluginError(f"rate() judges {place}, which it was not asked or has said before")
        due.remove(place)
    if due:
        raise PluginError(f"rate() leaves {len(due)} of {len(items)} items without a judgement")
    return f"{len(items)} judgements"


def _annotations(subject: Subject, given: Sample, context: Context) -> str:
    from harness.store.columns import layout

    plugin = subject.instance
    digest = plugin.digest("sample", context.output)
    if digest is not None and not isinstance(digest, str):
        raise PluginError(f"digest() gives {digest!r}", hint="give a text, or None")
    run = AnnotatedRun("sample", context.output, 0.95, AnswerValues)
    found = results.instance_of(Annotated, plugin.collect(run), "collect()")
    if unknown := sorted(set(found.tables) - set(plugin.tables)):
        raise PluginError(f"collect() gives a table '{unknown[0]}', which `tables` does not name")
    for name, (order, columns) in plugin.tables.items():
        if rows := list(found.tables.get(name, ())):
            layout(order, columns).of_rows(rows)
    return f"{len(plugin.tables)} tables"


def _experiment(subject: Subject, given: Sample, context: Context) -> str:
    from harness.testing.experiments import SampleBranches

    experiment, run = subject.instance, SampleBranches(given, context.output)
    intent = results.instance_of(Intent, experiment.intent(run.variants), "intent()")
    for branch in experiment.left(run):
        results.instance_of(PlannedBranch, branch, "left()")
    outcome = results.instance_of(Outcome, experiment.carry_out(run), "carry_out()")
    if missing := sorted(intent.parts - outcome.done):
        what = f"intent() asks for '{missing[0]}', which carry_out() has not done"
        raise PluginError(what, hint="name the same parts in both, or say what failed")
    if outcome.document is not None and not isinstance(outcome.document, experiment.document):
        raise PluginError("the document of carry_out() is no `document`", hint="correct one")
    return f"{len(outcome.branches)} branches"


_CALLS: Mapping[str, Callable[[Subject, Sample, Context], str]] = {
    "source": _source,
    "model": _model,
    "trainer": _trainer,
    "generator": _generator,
    "detector": _detector,
    "analyzer": _analyzer,
    "augmenter": _augmenter,
    "baseline": _baseline,
    "searcher": _searcher,
    "experiment": _experiment,
    "probe": _probe,
    "reporter": _reporter,
    "section": _section,
    "judge": _judge,
    "annotation": _annotations,
}
"""Stage -> its call; metrics have rules of their own."""
