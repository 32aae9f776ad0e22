"""Heavy stages as jobs: a folder with a JSON description, done in a process of its own.

The folder holds ``job.json`` and the input rows; the job leaves its files in ``output/`` and
its answer in ``result.json``. Only the run's own process publishes. Who has jobs done: a
:class:`harness.Runner`, and in the run's process itself ``execution: {launcher: inline}``.
"""

from __future__ import annotations

import functools
import os
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.boundary import results
from harness.boundary.lending import Lent
from harness.config.plugin_entries import PluginEntry
from harness.data.splits import group_of
from harness.errors import PluginError
from harness.kit.files import read_json, read_jsonl, write_json, write_jsonl
from harness.kit.inside import inside
from harness.kit.remote.spending import Account, counting, spending_of
from harness.kit.telling import telling
from harness.records import Checkpoint, Example, from_json, to_json
from harness.records.context import Context, Limits, Report, unheard
from harness.registry import Registry
from harness.run import scratch
from harness.stages.generator import answer_losses_of, answered, answered_both, losses_of
from harness.stages.model import fetched
from harness.stages.runner import RESULT
from harness.stages.trainer import trained

DESCRIPTION = "job.json"
ERROR = "error.json"
LOG = "log.txt"
ANSWERS, BESIDE = "predictions.jsonl", "beside.jsonl"
"""What a generator leaves: its answers, and those of the other model."""
TEXTS = "texts"
"""Input of a generator that is asked how well it predicts them."""
ANSWERED = "answered"
"""Input of a generator that is asked how well it predicts the first reference of each row."""


@dataclass(frozen=True, slots=True)
class Job:
    """What a child needs to know.

    Attributes:
        stage, plugin, options: which plugin, with which options (plain JSON values).
        plugins: one-file plugins to load.
        checkpoint: the model to start from; for a model's own job, what the run began with.
        beside: of a generator: another model that answers ``examples`` in the same pass.
        rows: names of the inputs, each a file of examples beside the description. A generator is
            asked for answers to ``examples``, for its losses on ``texts``, or for those on the
            references of ``answered``.
        seed, round, arm, run, checkpoint_minutes, probe, whole_valid, limits: as in
            :class:`harness.records.context.Context`.
        spending: where requests to servers are counted.
    """

    stage: str
    plugin: str
    options: dict[str, Any]
    plugins: tuple[str, ...]
    checkpoint: Checkpoint | None
    rows: tuple[str, ...]
    seed: int
    round: int
    arm: str
    run: str = ""
    checkpoint_minutes: float = 0.0
    probe: bool = False
    whole_valid: bool = False
    limits: Limits = ()
    beside: Checkpoint | None = None
    spending: Account | None = None


def write(job: Job, rows: Mapping[str, Sequence[Example]], folder: Path) -> None:
    """Lay a job and its inputs out in an empty folder."""
    (folder / "output").mkdir(parents=True, exist_ok=True)
    for name in job.rows:
        write_jsonl(inside(folder, f"{name}.jsonl"), map(to_json, rows[name]))
    write_json(folder / DESCRIPTION, to_json(job))


def write_question(entries: Sequence[PluginEntry], plugins: Sequence[str], folder: Path) -> None:
    """Lay the question for environments (:meth:`harness.Plugin.environment`) out, as a job too.

    Args:
        entries: those that are asked; the answer has what each says, by its part.
        plugins: one-file plugins to load.
        folder: an empty folder.
    """
    asked = [
        {
            "stage": entry.stage,
            "part": entry.part,
            "plugin": entry.plugin,
            "options": entry.instance.options.model_dump(mode="json"),
        }
        for entry in entries
    ]
    write_json(folder / DESCRIPTION, {"asked": asked, "plugins": list(plugins)})


def as_environment(facts: Any) -> dict[str, str]:
    """What :meth:`harness.Plugin.environment` gave.

    Raises:
        PluginError: it is no mapping of texts.
    """
    if not isinstance(facts, Mapping):
        raise PluginError(f"environment() gives a {type(facts).__name__}, not a mapping of texts")
    return {str(name): str(value) for name, value in facts.items()}


def _environments(folder: Path, description: dict[str, Any]) -> Any:
    answer = {}
    for plugin in description["asked"]:
        instance = _instance({**plugin, "plugins": description["plugins"]})
        answer[plugin["part"]] = as_environment(instance.environment())
    result = {"answer": answer}
    write_json(folder / RESULT, result)
    return result


def preload(description: dict[str, Any]) -> None:
    """Have the plugins of a job load ahead what jobs share."""
    for plugin in description.get("asked", [description]):
        plain = plugin.get("checkpoint")
        checkpoint = None if plain is None else from_json(Checkpoint, plain)
        _instance({**plugin, "plugins": description["plugins"]}).preload(checkpoint)


def do_job(
    folder: Path,
    report: Report,
    cancelled: Callable[[], bool],
    say: Callable[[str], None] = unheard,
) -> Any:
    """Do the job in ``folder`` in this thread, with plugins made here; returns its ``result.json``.

    For a :class:`harness.Runner`, whose :meth:`~harness.Runner.do` says what the arguments are.

    Raises:
        Exception: whatever the job's plugin raises.
    """
    description = read_json(folder / DESCRIPTION)
    if "asked" in description:
        return _environments(folder, description)
    plain = description["spending"]
    account = None if plain is None else from_json(Account, plain)
    with counting(spending_of(account)), telling(say):
        return run_inline(folder, _instance(description), report, cancelled, say)


def run_inline(
    folder: Path,
    instance: Any,
    report: Report,
    cancelled: Callable[[], bool],
    say: Callable[[str], None] = unheard,
) -> Any:
    """Do the job in this process, with the plugin already made."""
    job = from_json(Job, read_json(folder / DESCRIPTION))
    rows = {
        name: tuple(from_json(Example, row) for row in read_jsonl(folder / f"{name}.jsonl"))
        for name in job.rows
    }
    begun_with = job.checkpoint if job.stage == "model" else None
    context = Context(
        folder / "output", job.seed, job.stage, job.round, job.arm,
        report=report, cancelled=cancelled, known=begun_with, run=job.run,
        scratch=scratch.of(folder), checkpoint_minutes=job.checkpoint_minutes, say=say,
        probe=job.probe, whole_valid=job.whole_valid, limits=job.limits,
    )  # fmt: skip
    process = os.getpid()
    lent = Lent(*rows.values())
    answer: Any
    checkpoint = typing.cast(Checkpoint, job.checkpoint)  # a model's own job alone may have none
    if job.stage == "model":
        answer = to_json(fetched(instance, context))
    elif job.stage == "trainer":
        answer = to_json(trained(instance, checkpoint, rows["train"], rows["valid"], context))
    elif TEXTS in rows:
        texts = tuple(row.prompt for row in rows[TEXTS])
        losses = losses_of(instance, checkpoint, texts, context)
        lines = [(*loss, group_of(row)) for loss, row in zip(losses, rows[TEXTS], strict=True)]
        answer = _written(folder, "losses.jsonl", lines, process)
    elif ANSWERED in rows:
        of_rows = answer_losses_of(instance, checkpoint, rows[ANSWERED], context)
        rounded = [[round(loss, 4) for loss in of_row] for of_row in of_rows]
        answer = _written(folder, "losses.jsonl", rounded, process)
    else:
        if job.beside is None:
            sides = [answered(instance, checkpoint, rows["examples"], context)]
        else:
            both = (checkpoint, job.beside)
            sides = answered_both(instance, both, rows["examples"], context)
        # One side, or two: the counts are equal, as both answered the same rows.
        for name, predictions in zip((ANSWERS, BESIDE), sides, strict=False):
            answer = _written(folder, name, list(map(to_json, predictions)), process)
    only_in(process)
    lent.check()
    result = {"answer": answer, "facts": results.facts(context.facts)}
    write_json(folder / RESULT, result)
    return result


def _written(folder: Path, name: str, lines: Sequence[Any], process: int) -> int:
    """Keep a line for each thing that was asked; returns how many."""
    only_in(process)
    write_jsonl(inside(folder, "output", name), lines)
    return len(lines)


def only_in(process: int) -> None:
    """End here if this is a copy that the plugin made by fork() and that came back from it."""
    if os.getpid() != process:
        os._exit(0)


def _instance(description: Mapping[str, Any]) -> Any:
    registry = _registry(tuple(description["plugins"]))
    plugin = registry.get(description["stage"], description["plugin"]).plugin
    return plugin(plugin.Options.model_validate(description["options"]))


@functools.cache
def _registry(plugins: tuple[str, ...]) -> Registry:
    return Registry.build([Path(path) for path in plugins])
