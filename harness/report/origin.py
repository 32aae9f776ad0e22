"""What a run's results come from: its model, its settings, and when it was done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from harness.boundary import results
from harness.config.loading import Config
from harness.config.plugin_entries import Named, PluginEntry, covered_at
from harness.kit.text import one_line
from harness.records import BASE_ARM
from harness.records.summary import Dates, Model
from harness.run import beginning
from harness.run.run import Run
from harness.stages import KINDS
from harness.steps.history import History
from harness.steps.train import FILELESS

TEXT = 200
"""Characters of a value that are told."""
ITEMS = 20
"""Items of a list, and keys of a mapping, that are told."""


def model_of(run: Run, history: History) -> Model:
    """The result of the run and where it lies.

    The folder is told relative to the run's working folder, so that a moved folder still tells the
    truth. Of a model without files (at a service) none is told.
    """
    trained = history.checkpoints.get((BASE_ARM, history.kept))
    base = one_line(history.model)
    if trained is None:
        return Model(base, adapter=None, round=history.kept, commands=())
    has_files = not (Path(trained.path) / FILELESS).exists()
    asked = run.config.registry.asked(
        run.log, "commands_for_model", results.commands, run=run.name, model=trained
    )
    return Model(
        base,
        adapter=_told(Path(trained.path), run.root) if has_files else None,
        round=history.kept,
        commands=tuple(one_line(command) for commands in asked for command in commands),
    )


def dates_of(run: Run, *, final: bool) -> Dates:
    """In UTC; None where it is not known, or not so far."""
    return Dates(beginning.started(run.folder), beginning.now() if final else None)


def settings_of(config: Config, root: Path) -> dict[str, Any]:
    """What a person would name of the config.

    Of each plugin its name, the options that are not at their default, and those that the plugin
    lists as :attr:`harness.Plugin.reported`, in the order of the plugin's own options.
    """
    shown = config.settings
    single = ("data", "model", "train", "generate")
    settings: dict[str, Any] = {
        "rounds": shown.rounds,
        "seed": shown.seed,
        "min_gain": shown.min_gain,
    }
    for key in single:
        entries = [_entry(entry, root) for entry in config.entries[key]]
        settings[key] = entries[0] if len(entries) == 1 else entries
    settings["augment"] = [_entry(entry, root) for entry in config.augment]
    for experiment in config.experiments:
        options = experiment.instance.options
        reported = {name: getattr(options, name) for name in experiment.instance.reported}
        settings |= {
            key: _plain(value, root) for key, value in reported.items() if value is not None
        }
    return settings


def _entry(entry: PluginEntry, root: Path) -> dict[str, Any]:
    options, reported = entry.instance.options, entry.instance.reported
    fields: dict[str, Any] = {KINDS[entry.stage].named_by: one_line(entry.plugin, TEXT)}
    if entry.rows:
        fields["rows"] = entry.rows
    if entry.control:
        fields["control"] = entry.control
    if entry.review:
        fields["review"] = _entry(entry.review, root)
    for name, field in type(options).model_fields.items():
        value = getattr(options, name)
        if name in entry.instance.commands:
            value = covered_at(value, ())
        usual = not field.is_required() and value == field.get_default(call_default_factory=True)
        if name in reported or not usual:
            fields[one_line(name, TEXT)] = _plain(value, root)
    return fields


def _plain(value: Any, root: Path) -> Any:
    """A value as JSON, its texts cut, its paths told as :func:`_told` does."""
    if isinstance(value, Path):
        return _told(value, root)
    if isinstance(value, str):
        return _told(Path(value), root) if _is_path(value) else one_line(value, TEXT)
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, Named):
        value = value.entry.covered(value.shown())
    if isinstance(value, BaseModel):
        value = value.model_dump(exclude_none=True)
    if isinstance(value, Mapping):
        items = list(value.items())[:ITEMS]
        return {one_line(str(key), TEXT): _plain(inner, root) for key, inner in items}
    if isinstance(value, Iterable):
        return [_plain(inner, root) for inner in list(value)[:ITEMS]]
    return one_line(str(value), TEXT)


def _told(path: Path, root: Path) -> str:
    """A path relative to the working folder; of one outside the last part, as ``…/rows.jsonl``.

    Reports and summaries are handed on, and the rest would name users and customers.
    """
    for own, folder in ((path.absolute(), root.absolute()), (path.resolve(), root.resolve())):
        if own.is_relative_to(folder):
            return one_line(own.relative_to(folder).as_posix())
    return one_line(f"…/{path.name}")


def _is_path(text: str) -> bool:
    """Whether a text names something on this machine; prompts may begin with a slash, too."""
    try:
        return text.startswith("/") and Path(text).exists()
    except (OSError, ValueError):  # too long for a name, or a null character
        return False
