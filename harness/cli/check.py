"""``harness check``: a config and its data, without any model."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.text import Text

from harness.config.effects import sealed_note, shortages
from harness.errors import DataError, HarnessError
from harness.kit.alike.texts import calls_of, whole_text
from harness.kit.decoding import EXAMPLES, decoded_wrongly
from harness.kit.draws import drawn, spaced
from harness.kit.numbers import counted
from harness.kit.terminal import tables
from harness.kit.terminal.options import ConfigFile, Rounds, Sets
from harness.kit.terminal.streams import plugins_on_stderr
from harness.kit.text import one_line
from harness.records.context import Context, Quiet

if TYPE_CHECKING:
    from harness.config.loading import Config
    from harness.data.screening import Screening
    from harness.records import Example, Level
    from harness.run.run import Run

app = typer.Typer()

NAMED = 4
"""Rows that are named of many."""
LOOKED_AT = 20_000
"""Rows, drawn at random, in whose texts packages look for what people should know."""
MEASURED = 200
"""Rows, the longest, that are rendered as training sees them."""
RENDERED = 50
"""Rows with tools or thoughts that are rendered."""


@app.command()
def check(config: ConfigFile = None, rounds: Rounds = None, sets: Sets = None) -> None:
    """Validate a config with its plugins and data; loads no model."""
    from harness.config import experiments, loading

    whole = loading.load(config, sets=sets or [], flags={"rounds": rounds}, asking=True)
    experiments.checked(whole)
    _check(whole)


def _check(config: Config) -> None:
    """Say all of the config and its data.

    Raises:
        DataError: with all that is wrong with the data, after all else was said.
    """
    from harness.config.sourcing import rows_of
    from harness.data.correction_file import applied
    from harness.run.run import Run
    from harness.steps.baselines import unaskable

    run = Run(config, Quiet())
    context = Context(output=Path("unused"))
    with plugins_on_stderr():
        rows = list(applied(config.corrections, rows_of(config.data, context=context)))
    counts = {s: sum(r.split == s for r in rows) for s in ("train", "pool", "dev", "test")}
    for split in ("train", "dev", "test"):
        if not counts[split]:
            raise DataError(
                f"the split '{split}' has no row", where=f"source '{config.data.plugin}'"
            )
    remarks = [*config.remarks, *_shortages(config, counts)]
    wrong: list[HarnessError] = []
    warnings = list(_doubts(config, rows, wrong))
    leaving, screening = _screened(run, rows, wrong)
    staying = [row for place, row in enumerate(rows) if place not in leaving]
    with plugins_on_stderr():
        wrong += unaskable(config, staying)
        wrong += _untrainable(run, staying)
    console = Console()
    shown = ", ".join(f"{count} {split}" for split, count in counts.items())
    state = _state(sum(level == "unknown" for level, _ in remarks), len(wrong))
    tables.note(console, f"{config.path}: {state}. Run {run.name}; rows: {shown}.")
    for level, line in remarks:
        tables.note(console, f"{level}: {line}", "yellow" if level == "unknown" else "")
    for sentence in context.facts.get("remarks", ()):
        tables.note(console, f"data: {one_line(sentence, 600)}")
    for warning in warnings:
        tables.note(console, f"warning: {one_line(warning, 600)}", "yellow")
    for note in _notes_on(rows, run):
        tables.note(console, f"data: {one_line(note, 600)}", "yellow")
    if undecoded := _decoded_wrongly(rows):
        tables.note(console, undecoded, "yellow")
    _show_screening(screening, run, console)
    if wrong:
        raise _together(wrong, config)
    note = sealed_note(config.settings.primary, config.metrics)
    if note:
        Console(stderr=True).print(Text(note), highlight=False)


def _state(unknown: int, wrong: int) -> str:
    if wrong:
        return f"{wrong} problem{'s' if wrong > 1 else ''} with its data"
    return f"no problem found, {unknown} unknown" if unknown else "fine"


def _doubts(config: Config, rows: Sequence[Example], wrong: list[HarnessError]) -> Iterator[str]:
    """What carries no verdict or trains on nothing; what would stop a run goes to ``wrong``."""
    from harness.config.making import metric_entry
    from harness.data.splits import groups_of
    from harness.stats.decision import usable
    from harness.steps.train import learned
    from harness.verdicts import guards

    for split in ("dev", "test"):
        doubt = usable(list(groups_of([r for r in rows if r.split == split]).values()))
        if doubt:
            yield f"{split} cannot carry a verdict: {doubt}"
    train = [row for row in rows if row.split == "train"]
    idle = [entry.plugin for entry in config.trainers if not learned(entry, train)]
    if len(idle) == len(config.trainers):
        what = f"of {len(train)} rows none has anything to learn for {', '.join(idle)}"
        hint = "harness docs training says which rows a trainer learns from"
        wrong.append(DataError(what, where="train", hint=hint))
    else:
        yield from (f"'{name}' is passed over while no row of train is for it" for name in idle)
    dev = [row for row in rows if row.split == "dev"]
    try:
        yield from guards.check(
            config.settings.guard,
            list(map(metric_entry, config.metrics)),
            config.settings.primary, dev, groups_of(dev), config.origins,
        )  # fmt: skip
    except DataError as error:
        wrong.append(error)


def _decoded_wrongly(rows: Sequence[Example]) -> str:
    """That rows hold broken characters, with where the first ones are; or an empty text."""
    broken = [
        row
        for row in rows
        if any(decoded_wrongly(str(turn.get("content"))) for turn in row.messages)
        or any(map(decoded_wrongly, row.references))
    ]
    if not broken:
        return ""
    holds = "1 row holds" if len(broken) == 1 else f"{len(broken):,} rows hold"
    places = ", ".join(one_line(row.place or row.id, 120) for row in broken[:NAMED])
    more = ", …" if len(broken) > NAMED else ""
    return f"data: {holds} text that was decoded wrongly ({EXAMPLES}): {places}{more}"


def _screened(
    run: Run, rows: Sequence[Example], wrong: list[HarnessError]
) -> tuple[set[int], Screening]:
    """The places of the rows that the gate would take out of train and pool, and what it found.

    Too many repeats go to ``wrong``.
    """
    from harness.data.screening import MOST_PREVIEWED, refuse_repeats, screen
    from harness.steps.gate import screening_seed

    rules = run.config.settings.filters.rules()
    seed = screening_seed(run.config.settings.seed)
    leaving, screening = screen(rows, rules, seed=seed, most=MOST_PREVIEWED)
    try:
        refuse_repeats(screening, rules.most_repeats, f"source '{run.config.data.plugin}'")
    except DataError as error:
        wrong.append(error)
    return set(leaving), screening


def _untrainable(run: Run, rows: Sequence[Example]) -> Iterator[HarnessError]:
    """What would end the training of these rows, or of the general ones beside them.

    Of many rows the longest are looked at. Nothing is said where the model is not on this machine,
    or its trainer cannot show rows.
    """
    from harness.errors import ConfigError, EnvironmentFailure, PluginError, UsageError
    from harness.opened.configured import ConfigView
    from harness.steps import Steps

    view = ConfigView(run.config)
    try:
        if not view.at_hand():
            return
        own = [row for row in rows if row.split in ("train", "pool")]
        general = Steps(run).general_rows.due(len(own))
        refused = view.refused(_longest(own), _longest(general))
    except ConfigError as error:
        yield error
        return
    except (UsageError, EnvironmentFailure, PluginError):
        return  # a run says it where it happens
    by_problem: dict[str, list[str]] = {}
    for row, problem in refused:
        by_problem.setdefault(problem, []).append(row.place or row.id)
    for problem, places in by_problem.items():
        replayed = sum(row.origin is not None for row, why in refused if why == problem)
        what = counted(len(places), "row") + (f", {replayed} of `replay`" if replayed else "")
        yield DataError(
            f"training would refuse {what}: {problem}",
            where="train", details=places[:NAMED],
            hint="raise train.max_length, or drop these rows; harness docs training",
        )  # fmt: skip


def _longest(rows: Sequence[Example]) -> list[Example]:
    return sorted(rows, key=lambda row: -len(whole_text(row)))[:MEASURED]


def _notes_on(rows: Sequence[Example], run: Run) -> Iterator[str]:
    """What packages note of the rows, and what the model's chat template drops of them."""
    from harness.boundary.results import sentences

    texts = [whole_text(row) for row in drawn(rows, LOOKED_AT)]
    checked = functools.partial(sentences, call="notes_on_rows()")
    for notes in run.config.registry.asked(
        run.log, "notes_on_rows", checked, texts=texts, rows=len(rows)
    ):
        yield from notes
    yield from _dropped(rows, run.config)


def _dropped(rows: Sequence[Example], config: Config) -> Iterator[str]:
    """What the chat template drops of rows with tools or thoughts; for this its tokenizer is
    loaded, where the model is on this machine."""
    from harness.opened.configured import ConfigView

    richer = [
        row
        for row in rows
        if row.split != "test"
        and (row.tools or row.thought or any(t.get("role") == "tool" or calls_of(t)
                                             for t in row.messages))
    ]  # fmt: skip
    if not richer:
        return
    sample = spaced(richer, RENDERED)
    try:
        view = ConfigView(config)
        renderings = view.rendered(sample) if view.at_hand() else []
    except HarnessError as error:
        yield f"what the chat template makes of tools is not known: {error.what}"
        return
    left_out = Counter(rendering.left_out for rendering in renderings if rendering.left_out)
    for parts, count in left_out.items():
        yield (
            f"the model's chat template drops {parts} ({count} of {len(sample)} rows with tools or "
            "thoughts that were looked at): take a model or `model.chat_template` that knows them"
        )


def _show_screening(screening: Screening, run: Run, console: Console) -> None:
    from harness.boundary.results import checked
    from harness.data.screening import sentences, shown

    config = run.config

    def masked(text: str) -> str:
        def as_text(value: object) -> str:
            return str(checked(str, value, "masked()"))

        return next(iter(config.registry.asked(run.log, "masked", as_text, text=text)), text)

    for sentence, _ in sentences(screening, config.settings.filters.rules(), ahead=True):
        tables.note(console, f"data: {sentence}")
    for pair in screening.pairs:
        head = Text(f"  similarity {pair.similarity:.2f}")
        console.print(head, *(Text(f"    {masked(side)}") for side in shown(pair)), sep="\n",
                      highlight=False, soft_wrap=True)  # fmt: skip


def _together(wrong: Sequence[HarnessError], config: Config) -> HarnessError:
    """One error that says all."""
    if len(wrong) == 1:
        return wrong[0]
    lines = [line for error in wrong for line in str(error).split("\n")]
    return DataError(_state(0, len(wrong)), where=str(config.path), details=lines)


def _shortages(config: Config, counts: Mapping[str, int]) -> list[tuple[Level, str]]:
    """Notes on augmenters that will run short of rows.

    Raises:
        ConfigError: one has no row to draw from.
    """
    from harness.kit.problems import Problems

    problems = Problems(config.path, config.lines)
    for remark in shortages(config.settings, config.augment, counts):
        problems.add(*remark)
    problems.done()
    return problems.remarks
