"""``harness rate accept``: better answers that raters typed, taken into a file."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Optional

import typer
from rich.console import Console

import harness
from harness import Correction, UsageError, near
from harness.kit import yaml_file
from harness.kit.blocks import Column, Table
from harness.kit.numbers import counted
from harness.kit.terminal import tables
from harness.kit.terminal.blocks import draw_rows
from harness.kit.terminal.options import Json
from harness.kit.terminal.targets import check_target, write_target
from harness_rating.batches.records import Batch
from harness_rating.commands.options import BatchName, answers, write_json
from harness_rating.exchange.other_tools import prompt
from harness_rating.ratings.folder import RatingsFolder
from harness_rating.ratings.preferences import preferences
from harness_rating.ratings.typed_answers import author_of, corrections

_NEW_RUN = (
    "With these texts it is a new run, since its data is another one: the next command opens the "
    "test set again, and that is counted."
)


@dataclass(frozen=True, slots=True)
class Acceptance:
    """What came of it.

    Attributes:
        corrections: what was typed or preferred, the oldest first.
        new: how many of them the file did not have.
        whole: everything that the file holds now.
        preferred: whether it was asked for what is preferred to what.
    """

    batch: Batch
    corrections: Sequence[Correction]
    new: int
    whole: Sequence[Correction]
    preferred: bool

    @property
    def nothing(self) -> str:
        """Why nothing was found, where that is so."""
        name = self.batch.name
        if not self.preferred:
            return f"Nobody has typed a better answer in {name} yet."
        if self.batch.rubric.pairwise:
            return f"In {name} no pair has an answer yet that all prefer who prefer any."
        return (
            f"In {name} nobody has typed a better answer yet, and no rating reaches a level: "
            "--over and --under say from and up to which an answer is a good or a bad one."
        )


def accept(
    target: Annotated[Path, typer.Option("-o", metavar="FILE", help="made, or added to")],
    name: BatchName = None,
    items: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option("--item", metavar="ID", help="only what was typed about this one"),
    ] = None,
    preferred: Annotated[
        bool, typer.Option("--preferences", help="what was preferred to what, of the pool")
    ] = False,
    over: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option("--over", min=0, max=1, help="ratings from which an answer is a good one"),
    ] = None,
    under: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option("--under", min=0, max=1, help="ratings up to which an answer is a bad one"),
    ] = None,
    as_json: Json = False,
) -> None:
    """Take better answers that raters typed into a file, to correct the data with.

    With --preferences also which answers to the pool were preferred to which, to train on.
    """
    folder = RatingsFolder()
    batch = answers(name, folder)
    if preferred:
        if items:
            raise UsageError("--item names what was typed: give it without --preferences")
        if over is not None and under is not None and under >= over:
            raise UsageError(f"--under {under:g} has to be below --over {over:g}")
    elif over is not None or under is not None:
        raise UsageError("--over and --under are levels of --preferences")
    elif not any(criterion.use_as == "reference" for criterion in batch.rubric.criteria):
        raise UsageError(
            f"rubric {batch.rubric.id} asks for no better answer, so batch {batch.name} has none",
            hint="give it a criterion of scale text with use_as: reference",
        )
    check_target("-o", target)
    if preferred:
        accepted = preferences(batch, folder, over=over, under=under)
    else:
        accepted = _typed(batch, folder, items or [])
    old = harness.read_corrections(target) if target.exists() else []
    whole = harness.merged_corrections(old, accepted)
    if len(whole) > len(old):
        write_target("-o", target, harness.encoded_corrections(whole))
    done = Acceptance(batch, accepted, len(whole) - len(old), whole, preferred)
    if as_json:
        write_json(_document(done, target))
    else:
        _show(done, target)


def _typed(batch: Batch, folder: RatingsFolder, items: Sequence[str]) -> list[Correction]:
    """What raters typed about these items, or about any."""
    for item in items:
        if item not in batch.placings:
            guess = near(item, list(batch.placings))
            raise UsageError(f"--item: batch {batch.name} has no item '{item}'{guess}")
    for item in items:
        if not corrections(batch, folder, items=frozenset({item})):
            raise UsageError(
                f"--item: nobody typed a better answer for item '{item}'",
                hint="harness rate accept without --item shows for which somebody did",
            )
    return corrections(batch, folder, items=frozenset(items) if items else None)


def _document(done: Acceptance, target: Path) -> dict[str, Any]:
    items = done.batch.by_id
    accepted = []
    for correction in done.corrections:
        item = items[correction.origin["item"]]
        entry = {
            "example_id": correction.example_id, "split": correction.split,
            "reference": correction.reference, "before": list(item.references),
            "prompt": prompt(item), "origin": dict(correction.origin),
            "rounds": list(correction.rounds),
        }  # fmt: skip
        if correction.rejected:
            entry["rejected"] = list(correction.rejected)
        accepted.append(entry)
    return {
        "batch": done.batch.name, "file": str(target), "new": done.new,
        "known": len(done.corrections) - done.new, "one_sided": _one_sided(done.whole),
        "accepted": accepted, "next_command": _next(done, target),
    }  # fmt: skip


def _one_sided(corrections: Sequence[Correction]) -> int:
    """How many texts for dev come from batches that did not show two rounds blindly."""
    return sum(correction.one_sided for correction in corrections if correction.split == "dev")


def _show(done: Acceptance, target: Path) -> None:
    console = Console()
    if not done.corrections:
        tables.note(console, done.nothing)
        tables.next_command(console, _next(done, target))
        return
    draw_rows(_table(done), console)
    console.print()
    known = len(done.corrections) - done.new
    before = f"; {known} were there already" if known else ""
    tables.note(console, f"{done.new} accepted into {target}{before}.")
    counts = Counter(correction.split for correction in done.whole)
    if counts["dev"]:
        tables.note(
            console,
            f"{counted(counts['dev'], 'text')} of the file for dev: a run with `corrections: "
            f"{_seen(done, target)}` scores all rounds again, with them as further references. "
            "Its answers and checkpoints are taken from the store.",
        )
        for sentence in _leanings(done):
            tables.note(console, sentence, "yellow")
    if counts["pool"]:
        tables.note(console, _of_the_pool(done, target, counts["pool"]))
    if any(counts.values()):
        tables.note(console, _NEW_RUN)
    tables.next_command(console, _next(done, target))


def _leanings(done: Acceptance) -> Iterator[str]:
    """Towards which round the texts for dev tilt the scale."""
    dev = [correction for correction in done.whole if correction.split == "dev"]
    alone = _one_sided(dev)
    if alone:
        texts = counted(len(dev), "text")
        yield (
            f"warning: {alone} of {texts} for dev come from batches that did not "
            "show the answers of two rounds blindly. They lie nearer to the answers that were "
            "corrected, so such a run's verdicts lean towards that round, and "
            "*one-sided references* is printed next to its scores. Rate both rounds together: "
            "harness rate create --round A --vs B."
        )
    corrected: Counter[int] = Counter()
    for correction in done.corrections:
        if correction.split == "dev" and not correction.one_sided:
            corrected.update(done.batch.placings[correction.origin["item"]].rounds)
    if len(set(corrected.values())) > 1 or len(corrected) == 1:
        counts = ", ".join(f"{corrected[n]} at round {n}'s" for n in sorted(corrected))
        yield f"Texts were typed {counts} answers: unequal shares tilt the scale a little, too."


def _of_the_pool(done: Acceptance, target: Path, count: int) -> str:
    """What an augmenter does with the texts, and what the config needs first."""
    head = f"{counted(count, 'text')} of the file for the pool: an augmenter may propose them for "
    if _proposes(done.batch, target):
        return f"{head}training, and the run's config has one that does."
    entry = f"{{plugin: better-answers, file: {_seen(done, target)}, rows: {count}}}"
    return (
        f"{head}training. The run's config has none that does: until `{entry}` is first under "
        "`augment:`, the command changes nothing with them."
    )


def _proposes(batch: Batch, target: Path) -> bool:
    """Whether an augmenter of the run reads the file."""
    entries = harness.open_run(batch.run).config().get("augment") or ()
    files = [entry.get("file") for entry in entries if isinstance(entry, dict)]
    return any(isinstance(file, str) and Path(file).resolve() == target.resolve() for file in files)


def _table(done: Acceptance) -> Table:
    columns = (
        Column("item", "id"), Column("who"),
        Column("prompt, reference, and below it the better answer", "line"),
    )  # fmt: skip
    items = done.batch.by_id
    rows = []
    for correction in done.corrections:
        item = items[correction.origin["item"]]
        reference = item.references[0] if item.references else ""
        texts = [prompt(item), reference, correction.reference]
        texts += [f"rejected: {text}" for text in correction.rejected]
        cells = tuple(text or "(empty)" for text in texts)
        rows.append((item.id, f"{correction.split}, {author_of(correction)}", cells))
    return Table(columns, tuple(rows), "better answers")


def _next(done: Acceptance, target: Path) -> str:
    """The command that uses the file: the run's own, with the file where it lacks that."""
    if not done.corrections:
        return shlex.join(["harness", "rate", "status", done.batch.name])
    run = harness.open_run(done.batch.run)
    words = run.command()
    if not any(correction.split == "dev" for correction in done.whole):
        return shlex.join(words)
    names_file = any(word.startswith("corrections=") for word in words)
    if not names_file and _in_config(run.config_file, target):
        return shlex.join(words)
    return shlex.join(run.command(corrections=_as_seen_from(run.config_file, target)))


def _in_config(config: Path, target: Path) -> bool:
    named = yaml_file.read(config)[0].get("corrections") if config.is_file() else None
    return isinstance(named, str) and (config.parent / named).resolve() == target.resolve()


def _seen(done: Acceptance, target: Path) -> Path:
    return _as_seen_from(harness.open_run(done.batch.run).config_file, target)


def _as_seen_from(config: Path, target: Path) -> Path:
    """A path is relative to the config, where there is one."""
    whole, folder = target.resolve(), config.resolve().parent
    inside = config.is_file() and whole.is_relative_to(folder)
    return whole.relative_to(folder) if inside else whole
