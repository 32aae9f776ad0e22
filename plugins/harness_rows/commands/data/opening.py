"""The rows that a command looks at: of a file, a folder, the hub, or a config."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import harness
from harness import ConfigView, Example, Report
from harness_rows.commands.data.request import Request
from harness_rows.commands.row_options import place
from harness_rows.formats import Unrecognised
from harness_rows.options import RowsOptions
from harness_rows.reading import Reading, read
from harness_rows.splitting import dealt, scorable

FLAGS = {"columns": "column", "config": "subset", "incomplete": "drop-incomplete"}
"""Options of the source that are called otherwise on a command line."""


@dataclass(frozen=True, slots=True)
class OpenedRows:
    """Rows, and what is known of where they are from.

    Attributes:
        where: what people call it.
        rows: ``split`` is empty where nothing says one.
        reading: where they were read by the source ``rows``.
        problems: one line for each kind, of rows that are left out or contradict each other.
        said: sentences: which format was recognised, and by what.
        config: the config whose data they are; then test is sealed. None for a file of one's own.
        grouped: whether near-duplicates are kept on one side already (`group: auto`).
    """

    where: str
    rows: tuple[Example, ...]
    reading: Reading | None = None
    problems: tuple[str, ...] = ()
    said: tuple[str, ...] = ()
    config: ConfigView | None = None
    grouped: bool = False

    @property
    def sealed(self) -> bool:
        """Whether no text of test may be shown."""
        return self.config is not None

    def need_rows(self) -> None:
        """Raises DataError where there is none that can be used."""
        if not self.rows:
            raise harness.DataError("no row can be used", where=self.where, details=self.problems)


def opened(request: Request, begin: Callable[[str], Report]) -> OpenedRows:
    """The rows of the request.

    Args:
        begin: a piece of work begins; gives what its progress is told.

    Raises:
        HarnessError: nothing can be read at all; what is wrong with single rows is kept.
    """
    view = None if request.data else harness.open_config(request.config, request.sets or ())
    options = options_of(request, view)
    report = begin("reading")
    if options is not None:
        return _read(options, report, view)
    assert view is not None
    source = view.config()["data"]["source"]
    if request.reads:
        flags = ", ".join(f"--{FLAGS.get(name, name)}" for name in request.reads)
        raise harness.UsageError(
            f"{flags} is for a file, and the config's data are of the source '{source}'",
            hint="name the file: harness data … FILE",
        )
    return OpenedRows(f"source '{source}' of the config", tuple(view.every_row()), config=view)


def options_of(request: Request, view: ConfigView | None) -> RowsOptions | None:
    """How the source ``rows`` reads what is asked for; None for the data of another source.

    Args:
        view: the config, where no file is named.

    Raises:
        ConfigError: with all that is wrong with them.
        UsageError: there is no such file or folder, and it is no id of the hub.
    """
    if view is None:
        raw = {**place(request.data or ""), **request.reads}
    else:
        data, reads = view.config()["data"], request.reads
        if data["source"] != "rows":
            return None
        if "columns" in reads:
            reads["columns"] = {**data.get("columns", {}), **reads["columns"]}
        raw = {key: data[key] for key in data if key != "source"} | reads
    columns = raw.get("columns", {})
    meta, stratify = columns.get("meta", ()), raw.get("stratify")
    if stratify and stratify not in meta:
        raw["columns"] = {**columns, "meta": [*meta, stratify]}
    options: RowsOptions = harness.make_plugin("source", "rows", raw).options
    return options


def reading_of(options: RowsOptions, view: ConfigView | None) -> Reading:
    """What the source ``rows`` reads; without a config columns are named on the command line."""
    try:
        return read(options)
    except Unrecognised as error:
        if view is None and (best := next(iter(error.proposal.choices), None)):
            words = ["--column", f"prompt={best.prompt}", "--column", f"references={best.answer}"]
            error.hint = f"name them: {shlex.join(words)}"
        raise


def _read(options: RowsOptions, report: Report, view: ConfigView | None = None) -> OpenedRows:
    reading = reading_of(options, view)
    rows, problems = tuple(scorable(reading.rows)), reading.problems.lines
    if options.sizes or options.group:
        try:
            rows = tuple(dealt(reading, options, lambda done, of: report(done, of, "rows")))
        except harness.DataError as error:
            problems = (*problems, *(error.details or (error.placed,)))
    grouped = options.group == "auto"
    return OpenedRows(reading.where, rows, reading, problems, reading.said, view, grouped)


def readable(request: Request, begin: Callable[[str], Report]) -> tuple[OpenedRows, Reading]:
    """The rows of the request where all of them can be read, and their columns can be written.

    Raises:
        DataError: some cannot; a row that was left out would be lost.
        UsageError: the data are not read by the source ``rows``.
    """
    data = opened(request, begin)
    if data.reading is None:
        raise harness.UsageError(
            f"{data.where} gives rows of its own, which have no columns to be written",
            hint="name a file: harness data … FILE",
        )
    data.reading.refuse()
    return data, data.reading


def model_view(request: Request, data: OpenedRows) -> ConfigView:
    """The config whose trainer and model the rows are shown with: theirs, or that of this folder.

    Raises:
        ConfigError: it cannot be used.
    """
    return data.config or harness.open_config(request.config, request.sets or ())


def named(entry: Mapping[str, Any]) -> str:
    """What people call the model or trainer of a config.

    Of ``{source: hub, id: owner/name}`` the id, of ``{plugin: lora}`` the plugin.
    """
    for key in ("id", "name", "path"):
        if isinstance(entry.get(key), str):
            return str(entry[key])
    return str(entry.get("source", entry.get("plugin", "")))
