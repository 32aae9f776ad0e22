"""``harness rate create``: a blind batch of a run's answers."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer
from rich.console import Console
from rich.text import Text

import harness
from harness import Cancelled, Rubric
from harness.kit.terminal import tables
from harness.kit.terminal.options import Json, takes
from harness.kit.terminal.streams import plugins_on_stderr
from harness.kit.text import one_line
from harness_rating.batches.records import Batch
from harness_rating.batches.sampling import Candidate
from harness_rating.batches.spec import REPEATS, BatchSpec
from harness_rating.commands.options import write_json
from harness_rating.ratings.folder import RatingsFolder
from harness_rating.ratings.preferences import TEACHES
from harness_rating.ratings.progress import expectation

if TYPE_CHECKING:
    from harness import RunView


_MAY_TEACH = (
    "These answers may teach: harness rate accept --preferences takes what raters prefer, and "
    "training rows may be made of it."
)
_TEACHES_NOBODY = (
    "These answers teach nobody: rounds are judged by dev. Pairs to train on come from --from pool."
)


@dataclass(frozen=True, slots=True)
class CreateRequest:
    """The command line; what its options mean: :class:`BatchSpec`."""

    rubric: Annotated[str, typer.Option("--rubric", help="a file, or a ready one's name")]
    raters: Annotated[str, typer.Option("--raters", metavar="ANA,BO", help="who rates")]
    run: Annotated[
        Optional[str],  # noqa: UP045 - typer reads it at run time
        typer.Option("--run", metavar="RUN", help="whose answers (default: the latest run)"),
    ] = None
    round: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option("--round", min=0, help="which round (default: the latest)"),
    ] = None
    versus: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option("--vs", metavar="J", min=0, help="the round to compare it with, blindly"),
    ] = None
    split: Annotated[str, typer.Option("--from", help="dev, or pool: answered now")] = "dev"
    n: Annotated[int, typer.Option("-n", min=1, help="examples")] = 60
    strategy: Annotated[
        str,
        typer.Option("--strategy", help="random, stratified, worst, disagreement or changed"),
    ] = "random"
    by: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--by", metavar="FIELD", help="strata of --strategy stratified"),
    ] = None
    overlap: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option("--overlap", help="share of examples that several rate (default: 0.3)"),
    ] = None
    several: Annotated[
        int, typer.Option("--several", min=2, help="raters of an example that several rate")
    ] = 2
    repeats: Annotated[
        float, typer.Option("--repeats", help="share of items that come a second time, hidden")
    ] = REPEATS
    seed: Annotated[int, typer.Option("--seed", min=0, help="of the draw")] = 0
    as_json: Json = False

    def spec(self, rubric: Rubric, run: RunView) -> BatchSpec:
        """The batch that is meant; raises UsageError where it contradicts itself."""
        raters = tuple(name.strip() for name in self.raters.split(",") if name.strip())
        # The last round that has answers; of those that are closed, where a model is needed.
        latest = run.answered[-1] if self.split != "pool" else run.closed[-1]
        spec = BatchSpec(
            rubric, run.name, latest if self.round is None else self.round, raters, self.versus,
            self.split, self.n, self.strategy, self.by, self.overlap, self.several, self.repeats,
            self.seed,
        )  # fmt: skip
        spec.check()
        return spec


def make(request: CreateRequest) -> Batch:
    """Make a batch of a run's stored answers, or find the one that the same command made."""
    rubric, folder = _advised(request.rubric), RatingsFolder()
    before = folder.names()
    with plugins_on_stderr():
        run = harness.open_run(request.run)
        spec = request.spec(rubric, run)
        batch = folder.create(spec, _candidates(run, spec))
    document = {
        "batch": batch.name, "run": batch.run, "strategy": batch.strategy,
        "verdicts": batch.verdicts, "folder": str(folder.path / batch.name),
        "items": len(batch.originals),
        "assigned": {rater: len(items) for rater, items in batch.assignments.items()},
        "expectation": expectation(batch, run.level), "may_teach": spec.split == TEACHES,
    }  # fmt: skip
    if request.as_json:
        write_json(document)
    else:
        _show(batch, document, known=batch.name in before)
    return batch


def _advised(name: str) -> Rubric:
    """The rubric of a file, once its author is told what would make it hard to rate by."""
    from harness_rating.rubric.file import find, load
    from harness_rating.rubric.lint import lint

    path = find(name)
    rubric, console = load(path), Console(stderr=True)
    for remark in lint(path):
        line = one_line(f"advice: {remark.line_of(path)}")
        console.print(Text(line), highlight=False, soft_wrap=True)
    return rubric


@takes(CreateRequest)
def create(request: CreateRequest) -> None:
    """Make a blind batch of a run's answers, and say what so many ratings can show."""
    make(request)


def _candidates(run: RunView, spec: BatchSpec) -> list[Candidate]:
    from harness_rating.batches.candidates import candidates

    if spec.split != "pool":
        return candidates(run, spec.rounds, spec.split, spec.strategy)
    console = Console(stderr=True)
    try:
        with run.locked():
            return _of_the_pool(run, spec, console)
    except KeyboardInterrupt:
        note = "stopped; no batch was made, and what was answered before is kept"
        console.print(note, highlight=False)
        raise Cancelled from None


def _of_the_pool(run: RunView, spec: BatchSpec, console: Console) -> list[Candidate]:
    from harness.kit.terminal.progress import Display, weight_of_pool
    from harness_rating.batches.candidates import pool_candidates, pool_models, pool_rows

    models = pool_models(run, spec)
    rows = pool_rows(run, models, spec)
    if models.trained:
        note = f"note: {models.trained} rows of the pool were trained on and are left out."
        console.print(Text(note), highlight=False)
    with Display(console, run.name, weight_of_pool(len(spec.rounds))) as display:
        return pool_candidates(models, rows, display)


def _show(batch: Batch, document: Mapping[str, Any], *, known: bool) -> None:
    console = Console()
    what = "exists already" if known else "is made"
    tables.note(console, f"Batch {batch.name} {what}: {document['items']} items of {batch.run}.")
    for rater, count in document["assigned"].items():
        tables.item(console, f"{rater}: {count} items")
    for sentence in document["expectation"]:
        tables.note(console, sentence)
    if document["may_teach"]:
        tables.note(console, _MAY_TEACH)
    elif batch.rubric.pairwise:
        tables.note(console, _TEACHES_NOBODY)
    tables.next_command(console, shlex.join(["harness", "rate", "serve", batch.name]))
