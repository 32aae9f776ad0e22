"""How a stage calls plugins, and what is stored of it: the ways that the steps share.

What one plugin gives in this process is :func:`artifact_of_call`, what a job in the worker gives
:func:`artifact_of_job`; :func:`results_of` is where several plugins work beside each other. A kind
of plugin that needs no more than its row says (:class:`harness.stages.StageKind`) is
:func:`called`.
"""

from __future__ import annotations

import collections.abc
import typing
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from harness.boundary.lending import Lent
from harness.config.plugin_entries import PluginEntry
from harness.errors import NO_FAULT, HarnessError, InputChanged
from harness.kit.files import digest, read_json, write_json, write_jsonl
from harness.kit.inside import inside
from harness.records import Checkpoint, Example, from_json, to_json
from harness.records.context import Context
from harness.run.artifacts import Artifact
from harness.run.at import At
from harness.stages import KINDS
from harness.steps.shared import Shared

Result = TypeVar("Result")

Finish = Callable[[Path, Mapping[str, Any]], Mapping[str, Any]]
"""From the folder of a job and its answer to the facts that are stored beside those it noted."""
_SEVERAL = (list, tuple, collections.abc.Iterable, collections.abc.Iterator, Sequence)


def called(
    steps: Shared, entry: PluginEntry, at: At, pinned: str | None = None, **given: Any
) -> Any:
    """What the plugin of an entry gives, from the store where it is there.

    The stage is called as the kind is. Its key is made of the entry and of all that is given; the
    call, the file of the artifact and how it is read follow from the row of the kind.

    Args:
        pinned: digest of what it gave a round that is closed by now.
        given: the call's arguments but for ``context``, each of records or plain values. Lists of
            records are compared afterwards with what they were.

    Returns:
        a list where the kind gives several items.

    Raises:
        PluginError: the plugin fails, gives something else, or changed what it was given.
    """
    kind = KINDS[entry.stage]
    several = typing.get_origin(kind.returns) in _SEVERAL
    file = "result.jsonl" if several else "result.json"

    def call(context: Context) -> Any:
        wanted = {**given, "context": context} if "context" in kind.takes else given
        return kind.call(entry.instance, **wanted)

    artifact = artifact_of_call(
        steps, kind.stage, entry, at, file, call,
        {name: digest(to_json(value)) for name, value in given.items()},
        pinned=pinned, lent=[value for value in given.values() if isinstance(value, (list, tuple))],
    )  # fmt: skip
    steps.note_remarks(artifact.facts)
    if several:
        return list(artifact.records(typing.get_args(kind.returns)[0], file))
    return from_json(kind.returns, read_json(artifact.path / file))


def artifact_of_call(
    steps: Shared,
    name: str,
    entry: PluginEntry,
    at: At,
    file: str,
    call: Callable[[Context], Any],
    inputs: Mapping[str, Any],
    *,
    pinned: str | None = None,
    lent: Sequence[Sequence[Any]] = (),
) -> Artifact:
    """What one plugin gives in this process, in one file, with the facts of its context.

    Args:
        name: of the stage, without the split.
        file: of the artifact; with the ending ``.jsonl`` a line for each item.
        call: asks the plugin.
        inputs: JSON values that the result depends on beside the entry.
        pinned: digest of what it gave a round that is closed by now.
        lent: lists of records that the plugin is given.
    """
    stage = at.on_split(name)
    seed = steps.seed(stage, at.round)

    def make(folder: Path) -> Mapping[str, Any]:
        context, path = steps.run.context(folder, stage, at, seed), inside(folder / "output", file)
        result = call(context)
        if path.suffix == ".jsonl":
            write_jsonl(path, map(to_json, result))
        else:
            write_json(path, to_json(result))
        return context.facts

    return steps.run.stage(stage, entry, inputs, make, at, seed=seed, pinned=pinned, lent=lent)


def nothing_more(folder: Path, answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """Of a job of which all is there when it is done."""
    return {}


def artifact_of_job(
    steps: Shared,
    stage: str,
    entry: PluginEntry,
    at: At,
    inputs: Mapping[str, Any],
    *,
    checkpoint: Checkpoint,
    rows: Mapping[str, Sequence[Example]],
    seed: int,
    pinned: str | None = None,
    finish: Finish = nothing_more,
    **asked: Any,
) -> Artifact:
    """What a trainer or a generator leaves in a job of its own.

    Args:
        inputs: JSON values that the result depends on beside the entry and the machine.
        rows: name -> rows, as the job knows them.
        pinned: digest of what it gave a round that is closed by now.
        finish: called once the job is done, in its folder.
        asked: of the job's context.
    """
    run = steps.run

    def make(folder: Path) -> Mapping[str, Any]:
        done = run.job(
            folder, stage, entry, at, checkpoint=checkpoint, rows=rows, seed=seed, **asked
        )
        return {**done["facts"], **finish(folder, done["answer"])}

    whole = {**inputs, "environment": dict(run.environment(entry))}
    artifact = run.stage(stage, entry, whole, make, at, seed=seed, pinned=pinned)
    steps.note_remarks(artifact.facts)
    return artifact


def results_of(
    steps: Shared,
    stage: str,
    entries: Sequence[PluginEntry],
    at: At,
    call: Callable[[Any], Result],
    lent: Lent,
) -> tuple[list[Result], dict[str, str]]:
    """What each of several plugins gives, and the entry of each that failed -> why.

    A plugin that fails costs its own result alone.

    Args:
        call: asks an entry's plugin.
        lent: what they are given.

    Raises:
        HarnessError: it is not the fault of a plugin.
        InputChanged: one changed what it was given.
    """
    results, failed = [], {}
    for entry in entries:
        try:
            with steps.run.guard(stage, entry, at, lent=lent):
                results.append(call(entry.instance))
        except (*NO_FAULT, InputChanged):
            raise
        except HarnessError as error:
            failed[entry.name] = error.what
    return results, failed
