"""The calls that a run begins with: its data and its base model."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from harness.config.effects import shortages
from harness.config.sourcing import counted
from harness.data import correction_file
from harness.data.corrections import Corrected, corrected
from harness.data.screening import sentences
from harness.data.splits import rows_digest, with_valid
from harness.errors import DataError
from harness.kit.files import digest, read_json, write_bytes, write_json
from harness.records import Checkpoint, Dataset, Example, from_json, to_json
from harness.records.context import Context, derive_seed
from harness.run.at import At
from harness.run.pins import DATA, EXAMPLES, MODEL
from harness.run.stage_keys import SEEDLESS
from harness.stages.source import rows_of
from harness.steps.call import artifact_of_call
from harness.steps.shared import Shared

CORRECTIONS = "corrections.jsonl"
"""The run's own copy of the accepted corrections: their file grows with the next batch."""


ONE_SIDED = "one-sided references"
"""Stands beside every score of a run whose references grew from one round's answers."""


def _leaning(corrections: Corrected, name: str) -> str:
    return (
        f"{corrections.one_sided} of {corrections.references} corrected references of {name} are "
        "not from batches that showed the answers of two rounds blindly: they lie nearer to the "
        "answers that were corrected, so scores and verdicts lean towards that round "
        "(harness rate create --round A --vs B)"
    )


def valid_seed(seed: int) -> int:
    """The seed by which ``valid`` is cut from train, from the run's."""
    return derive_seed(seed, "valid", 0)


def read_data(steps: Shared) -> Dataset:
    """See :meth:`harness.steps.shared.Shared.data`."""
    entry, at, file = steps.config.data, At(), "examples.jsonl"
    pinned = steps.pins(at)

    def call(context: Context) -> list[Example]:
        rows = []
        loaded = rows_of(entry.instance, context)
        for row in counted(loaded, entry, steps.run.watcher.say, steps.run.calls.heard):
            rows.append(row)
            context.check()
        return rows

    artifact = artifact_of_call(steps, DATA, entry, at, file, call, {}, pinned=pinned.get(DATA))
    data = _prepared(steps, _corrected(steps, artifact.records(Example, file)))
    steps.check_pin(EXAMPLES, data.digest, pinned, at)
    return data


def _corrected(steps: Shared, rows: Sequence[Example]) -> Sequence[Example]:
    """The rows, those of dev with the references that people typed and the team accepted.

    The file's content is part of the run's name, so the copy of a run is what it began with.
    """
    file = steps.config.corrections
    if file is None:
        return rows

    copy = steps.run.folder / CORRECTIONS
    data = correction_file.content(copy if copy.is_file() else file)
    corrections = corrected(rows, correction_file.parsed(data, str(file)), str(file))
    if steps.run.writes and steps.run.folder.is_dir() and not copy.is_file():
        write_bytes(copy, data)
    if corrections.references:
        plural = "reference" if corrections.references == 1 else "references"
        steps.note(f"dev has {corrections.references} corrected {plural} from {file.name}")
    if corrections.one_sided:
        steps.doubt = ONE_SIDED
        steps.note(_leaning(corrections, file.name))
    elif corrections.references:
        rounds = " and ".join(map(str, corrections.rounds))
        steps.note(
            f"the corrected references were typed at answers of rounds {rounds}: a comparison "
            "with any other round leans towards these"
        )
    return corrections.rows


def _prepared(steps: Shared, rows: Sequence[Example]) -> Dataset:
    held_out = [row for row in rows if row.split in ("dev", "test")]
    trainable, seed = steps.gating.screen(rows), valid_seed(steps.config.settings.seed)
    if screening := steps.gating.screening:
        for sentence, tuning in sentences(screening, steps.gating.rules):
            steps.note(sentence, aloud=not tuning)
    trained = with_valid(trainable, steps.config.settings.valid, seed)
    data = Dataset((*trained, *held_out))
    for split in ("train", "dev", "test"):
        if not data.split(split):
            raise DataError(
                f"the split '{split}' has no row", where=f"source '{steps.config.data.plugin}'"
            )
    settings, augment = steps.config.settings, steps.config.augment
    for place, message, _ in shortages(settings, augment, data.counts):
        steps.note(f"{'.'.join(map(str, place))}: {message}")
    return dataclasses.replace(data, digest=rows_digest(data.examples, lineage=True))


def fetch_base(steps: Shared) -> Checkpoint:
    """See :meth:`harness.steps.shared.Shared.base`."""
    entry, at = steps.config.model, At()
    folder, begun = steps.run.fresh_folder(MODEL), _begun(steps)
    with steps.run.guard(MODEL, entry, at):
        result = steps.run.job(folder, MODEL, entry, at, checkpoint=begun, rows={}, seed=SEEDLESS)
    # Asked at each start, with what the run began with: a name such as a branch can move.
    base = from_json(Checkpoint, result["answer"])
    if begun is None or base.digest != begun.digest:  # else it was given back, as trained
        base = as_trained(base, steps.config.train.instance)
    steps.check_pin(MODEL, base.digest, steps.pins(at), at)
    write_json(steps.run.base_file, to_json(base))
    steps.note_remarks(result["facts"])
    steps.run.watcher.stage_done(MODEL, at.label(MODEL), 0.0, False)
    return base


def _begun(steps: Shared) -> Checkpoint | None:
    """The model that this run began with, if it has begun."""
    try:
        return from_json(Checkpoint, read_json(steps.run.base_file))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def as_trained(base: Checkpoint, trainer: Any) -> Checkpoint:
    """The model with what the trainer says of loading it, part of what it is."""
    loading = dict(trainer.loading())
    if not loading:
        return base
    info = {**base.info, **loading}
    return dataclasses.replace(base, info=info, digest=digest([base.digest, loading]))
