"""A stage that is one plugin's call: what a kind needs of the engine, if it needs no more.

All of it follows from the row of the kind (:class:`harness.stages.StageKind`): the call, what its
result depends on, the file of the artifact and how it is read.
"""

from __future__ import annotations

import collections.abc
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.config.plugin_entries import PluginEntry
from harness.kit.files import digest, read_json, read_jsonl, write_json, write_jsonl
from harness.records import from_json, to_json
from harness.run.at import At
from harness.stages import KINDS

if TYPE_CHECKING:
    from harness.steps import Steps

_SEVERAL = (list, tuple, collections.abc.Iterable, collections.abc.Iterator, Sequence)


def called(
    steps: Steps, entry: PluginEntry, at: At, pinned: str | None = None, **given: Any
) -> Any:
    """What the plugin of an entry gives, from the store where it is there.

    The stage is called as the kind is. Its key is made of the entry and of all that is given.

    Args:
        pinned: digest of what it gave a round that is closed by now.
        given: the call's arguments but for ``context``, each of records or plain values. Lists of
            records are compared afterwards with what they were.

    Raises:
        PluginError: the plugin fails, gives something else, or changed what it was given.
    """
    kind, run = KINDS[entry.stage], steps.run
    stage = at.on_split(kind.stage)
    seed = steps.seed(stage, at.round)
    inputs = {name: digest(to_json(value)) for name, value in given.items()}

    def make(folder: Path) -> Mapping[str, Any]:
        context = run.context(folder, stage, at, seed)
        wanted = {**given, "context": context} if "context" in kind.takes else given
        write_result(folder / "output", kind.call(entry.instance, **wanted))
        return context.facts

    lent = [value for value in given.values() if isinstance(value, (list, tuple))]
    artifact = run.stage(stage, entry, inputs, make, at, seed=seed, pinned=pinned, lent=lent)
    steps.note_remarks(artifact.facts)
    return read_result(artifact.path, kind.returns)


def write_result(folder: Path, result: Any) -> None:
    """Keep what a call gave: several items as lines, anything else as one document."""
    if isinstance(result, (list, tuple, collections.abc.Iterator)):
        write_jsonl(folder / "result.jsonl", map(to_json, result))
    else:
        write_json(folder / "result.json", to_json(result))


def read_result(folder: Path, kind: Any) -> Any:
    """What :func:`write_result` kept; several items are a list.

    Args:
        kind: the type that the call returns.
    """
    if typing.get_origin(kind) in _SEVERAL:
        item = typing.get_args(kind)[0]
        return [from_json(item, line) for line in read_jsonl(folder / "result.jsonl")]
    return from_json(kind, read_json(folder / "result.json"))
