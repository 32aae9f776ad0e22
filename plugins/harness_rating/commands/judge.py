"""``harness rate judge``: a model rates a batch, and is compared with its raters."""

from __future__ import annotations

import contextlib
import shlex
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

import harness
from harness import Context, EnvironmentFailure, Judge, UsageError
from harness.kit import yaml_file
from harness.kit.inside import inside
from harness.kit.lock import exclusive
from harness.kit.terminal import tables
from harness.kit.terminal.blocks import draw_rows
from harness.kit.terminal.options import Json, takes
from harness.kit.terminal.progress import SHORT, Display
from harness.kit.terminal.streams import plugins_on_stderr
from harness.kit.text import one_line
from harness_rating.batches.records import Batch
from harness_rating.commands.options import BatchName, answers, write_json
from harness_rating.judge import judgements
from harness_rating.judge.judgements import Judgements
from harness_rating.ratings.folder import RatingsFolder

SCHEMA = "harness.judged/1"
OF_THE_JUDGE = "These are the model's preferences and no verdict: harness rate verdict gives that."


@dataclass(frozen=True, slots=True)
class JudgeRequest:
    """The command line."""

    batch: BatchName = None
    judge: Annotated[str, typer.Option("--judge", metavar="NAME", help="which judge")] = "judge"
    sets: Annotated[
        list[str],
        typer.Option("--set", metavar="KEY=VALUE", help="an option of the judge, as model=NAME"),
    ] = field(default_factory=list)
    plugins: Annotated[
        list[Path],
        typer.Option("--plugin", metavar="FILE", help="a one-file plugin with a judge"),
    ] = field(default_factory=list)
    as_json: Json = False


@takes(JudgeRequest)
def judge(request: JudgeRequest) -> None:
    """Let a model rate a batch, and say how far it agrees with raters."""
    ratings = RatingsFolder()
    batch = answers(request.batch, ratings)
    with plugins_on_stderr():
        model = _judge_of(request)
        folder = inside(ratings.path, batch.name)
        with _alone(inside(folder, judgements.FOLDER, f"{request.judge}.lock"), batch):
            stored = Judgements(folder, request.judge, model.signature())
            try:
                _rate(model, batch, stored)
            except KeyboardInterrupt:
                console = Console(stderr=True)
                console.print("stopped; what is judged is kept. To go on:", highlight=False)
                again = shlex.join(["harness", *sys.argv[1:]])
                console.print(Text(f"  {again}"), soft_wrap=True)
                raise harness.Cancelled from None
    document = _document(batch, request.judge, stored, ratings)
    if request.as_json:
        write_json(document)
        return
    console = Console()
    for sentence in document["sentences"]:
        console.print(Text(one_line(sentence, 600)), highlight=False)
    _show_outcome(document["outcome"], console)


def _show_outcome(outcome: Mapping[str, Any], console: Console) -> None:
    """What the judge prefers, never without its label."""
    from harness_rating.commands.verdict import comparisons_table, scores_table

    compared = outcome["comparisons"]
    scored = [score for score in outcome["scores"] if score["n"]]
    if compared:  # then the overall scores are enough
        scored = [score for score in scored if not score["criterion"]]
    if not compared and not scored:
        return
    does = "prefers" if compared else "gives"
    tables.head(console, f"What the judge {does} ({outcome['label'].partition(':')[0]})")
    if compared:
        draw_rows(comparisons_table(compared, console.width), console)
    if compared and scored:
        console.print()
    if scored:
        draw_rows(scores_table(scored), console)
    console.print()
    tables.note(console, OF_THE_JUDGE)


def _judge_of(request: JudgeRequest) -> Judge:
    """The judge with its options, checked as those of a config are."""
    options: dict[str, Any] = {}
    for text in request.sets:
        setting = yaml_file.key_value(text)
        if setting is None:
            # The text is not repeated: it may be a key.
            raise UsageError("--set takes KEY=VALUE, as model=NAME")
        options[setting[0]] = setting[1]
    judge = harness.make_plugin("judge", request.judge, options, request.plugins)
    assert isinstance(judge, Judge)
    return judge


@contextlib.contextmanager
def _alone(path: Path, batch: Batch) -> Iterator[None]:
    """One process at a time writes what a judge says of a batch."""
    with contextlib.ExitStack() as held:
        try:  # around the lock alone, and not around what is done under it
            held.enter_context(exclusive(path))
        except EnvironmentFailure as error:
            holder = error.what.rpartition(": ")[2]
            raise EnvironmentFailure(
                f"this batch is being judged already: {holder}", where=batch.name, hint=error.hint
            ) from None
        yield


def _rate(model: Judge, batch: Batch, stored: Judgements) -> None:
    items = batch.by_id
    once = [items[item] for item in batch.originals]  # hidden repeats are for raters alone
    unjudged = judgements.unjudged(batch.rubric, once, stored.standing)
    if not unjudged:
        return
    with (
        Display(Console(stderr=True), batch.name, SHORT) as display,
        tempfile.TemporaryDirectory() as output,
    ):
        report = display.stage("judge")
        context = Context(Path(output), seed=batch.seed, stage="judge", report=report)
        for judgement in model.rate(batch.rubric, unjudged, context):
            stored.append(judgement)


def _document(
    batch: Batch, name: str, stored: Judgements, ratings: RatingsFolder
) -> dict[str, Any]:
    from harness_rating.judge.calibration import calibration_of, judge_outcome, rows_of

    judged = stored.standing
    rows = rows_of(batch, judged, ratings)
    calibration = calibration_of(batch.rubric, rows, batch.seed)
    return {
        "schema": SCHEMA,
        "batch": batch.name,
        "judge": name,
        "by": stored.by,
        "items": len(batch.originals),
        "judged": len(rows),
        "calibration": calibration,
        "outcome": judge_outcome(batch, judged, calibration),
        "sentences": _sentences(batch, calibration),
    }


def _sentences(batch: Batch, calibration: Mapping[str, Any]) -> list[str]:
    sentences = [*calibration["sentences"]]
    if not batch.verdicts:
        sentences.append(
            f"This batch was drawn for finding errors ({one_line(batch.strategy, 40)}), so it is "
            "no sample of all answers, and the judge may do better or worse on those."
        )
    return sentences
