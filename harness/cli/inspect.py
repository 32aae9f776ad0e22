"""Commands that look and change nothing: check, report, runs, plugins, config show."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.boundary import results
from harness.boundary.calls import PluginCall, plainly
from harness.config import loading as configuration
from harness.config.effects import shortages
from harness.config.loading import Config
from harness.engine.run import REPORTS_FOLDER, Run
from harness.errors import DataError, HarnessError, UsageError, near
from harness.kit import yaml_file
from harness.kit.problems import Problems
from harness.kit.text import one_line, titled
from harness.records import Level
from harness.report.summary import read
from harness.terminal.streams import plugins_on_stderr

if TYPE_CHECKING:
    from harness.data.screening import Screening
    from harness.records import Example
    from harness.registry import Registry


def check(path: Path | None, rounds: int | None, sets: Sequence[str]) -> None:
    """Everything that can be known before a model is loaded.

    Raises:
        DataError: with all that is wrong with the data, after all else was said.
    """
    from harness.config.effects import sealed_note
    from harness.config.sourcing import rows_of
    from harness.context import Quiet
    from harness.data.correction_file import applied

    config = configuration.load(path, sets=sets, flags={"rounds": rounds}, asking=True)
    run = Run(config, Quiet())
    with plugins_on_stderr():
        rows = list(applied(config.corrections, rows_of(config.data)))
    counts = {s: sum(r.split == s for r in rows) for s in ("train", "pool", "dev", "test")}
    for split in ("train", "dev", "test"):
        if not counts[split]:
            raise DataError(
                f"the split '{split}' has no row", where=f"source '{config.data.plugin}'"
            )
    remarks = [*config.remarks, *_shortages(config, counts)]
    wrong: list[DataError] = []
    warnings = list(_doubts(config, rows, wrong))
    found = _screened(run, rows, wrong)
    console = Console()
    shown = ", ".join(f"{count} {split}" for split, count in counts.items())
    state = _state(sum(level == "unknown" for level, _ in remarks), len(wrong))
    console.print(Text(one_line(f"{config.path}: {state}. Run {run.name}; rows: {shown}.")))
    for level, line in remarks:
        console.print(Text(f"{level}: {one_line(line)}", "yellow" if level == "unknown" else ""))
    for warning in warnings:
        console.print(Text(f"warning: {one_line(warning, 600)}", "yellow"))
    _show_screening(found, config, console)
    if wrong:
        raise _together(wrong, config)
    note = sealed_note(config.settings.primary, config.metrics)
    if note:
        Console(stderr=True).print(Text(note), highlight=False)


def _state(unknown: int, wrong: int) -> str:
    if wrong:
        return f"{wrong} problem{'s' if wrong > 1 else ''} with its data"
    return f"no problem found, {unknown} unknown" if unknown else "fine"


def _doubts(config: Config, rows: Sequence[Example], wrong: list[DataError]) -> Iterator[str]:
    """What cannot carry a verdict; a guard over no row goes to ``wrong``."""
    from harness.data.splits import groups_of
    from harness.scoring import Entry as MetricEntry
    from harness.verdicts import guards
    from harness.verdicts.pairs import usable

    for split in ("dev", "test"):
        doubt = usable(list(groups_of([r for r in rows if r.split == split]).values()))
        if doubt:
            yield f"{split} cannot carry a verdict: {doubt}"
    dev = [row for row in rows if row.split == "dev"]
    try:
        yield from guards.check(
            config.settings.guard,
            [MetricEntry(entry.name, entry.instance) for entry in config.metrics],
            config.settings.primary, dev, groups_of(dev), config.origins,
        )  # fmt: skip
    except DataError as error:
        wrong.append(error)


def _screened(run: Run, rows: Sequence[Example], wrong: list[DataError]) -> Screening:
    """What the gate would take out of train and pool; too many repeats go to ``wrong``."""
    from harness.data.screening import refuse_repeats, screen
    from harness.engine.steps.gating import screening_seed

    rules = run.config.settings.filters.rules()
    _, found = screen(rows, rules, seed=screening_seed(run.config.settings.seed))
    try:
        refuse_repeats(found, rules.most_repeats, f"source '{run.config.data.plugin}'")
    except DataError as error:
        wrong.append(error)
    return found


def _show_screening(found: Screening, config: Config, console: Console) -> None:
    from harness.data.screening import sentences, shown

    for sentence in sentences(found, config.settings.filters.rules(), ahead=True):
        console.print(Text(one_line(f"data: {sentence}")), highlight=False, soft_wrap=True)
    for pair in found.pairs:
        head = Text(f"  similarity {pair.similarity:.2f}")
        console.print(head, *(Text(f"    {side}") for side in shown(pair)), sep="\n",
                      highlight=False, soft_wrap=True)  # fmt: skip


def _together(wrong: Sequence[DataError], config: Config) -> DataError:
    """One error that says all."""
    if len(wrong) == 1:
        return wrong[0]
    lines = [line for error in wrong for line in str(error).split("\n")]
    return DataError(_state(0, len(wrong)), where=str(config.path), details=lines)


def report(
    name: str | None, html: Path | None, markdown: Path | None, open_: bool, as_json: bool
) -> None:
    """A run's report, from its analysis.json: at the terminal, or as a file."""
    from harness.cli.rebuild import refreshed
    from harness.report.reading import FILE_NAME, read as read_analysis

    folder = refreshed(folder_of(name))
    document = read_analysis(folder / FILE_NAME)
    if as_json:
        sys.stdout.write(json.dumps(document, indent=1) + "\n")
        return
    from harness.registry import Registry
    from harness.report.sections import with_always

    registry = Registry.build()
    document = with_always(document, registry)
    for kind, target in (("html", html), ("markdown", markdown)):
        if target is not None:
            _write_report(registry, kind, document, target)
    if html is None and markdown is None:
        plugin, call = _reporter(registry, "terminal")
        with call:
            plugin().show(document, Console())
    if open_:
        _show_in_browser(html)


def _reporter(registry: Registry, name: str) -> tuple[Any, PluginCall]:
    """The reporter of that name, and what its calls are made within."""
    provider = registry.get("reporter", name)
    return provider.plugin, plainly(f"reporter '{name}' from {provider.origin}")


def _write_report(registry: Registry, kind: str, document: Any, target: Path) -> None:
    """One file by the reporter of that name, whole or not at all."""
    import tempfile

    from harness.terminal.targets import check_target, write_target

    option = "--html" if kind == "html" else "--md"
    check_target(option, target)
    plugin, call = _reporter(registry, kind)
    with tempfile.TemporaryDirectory() as folder:
        with call:
            made, *_ = results.paths(plugin().write(document, Path(folder)), "write()")
        write_target(option, target, made.read_bytes())
    Console(stderr=True).print(
        Text(one_line(f"written: {target}")), highlight=False, soft_wrap=True
    )


def _show_in_browser(page: Path | None) -> None:
    import webbrowser

    if page is None:
        raise UsageError("--open shows a page", hint="--html FILE --open")
    webbrowser.open(page.resolve().as_uri())


def runs(as_json: bool) -> None:
    """All runs of this folder, the latest first."""
    rows = [row for folder in _folders() if (row := _overview(folder))]
    if as_json:
        sys.stdout.write(json.dumps(rows, indent=1) + "\n")
        return
    table = Table("run", "rounds", "kept", "score", "test verdict", box=None, pad_edge=False)
    for row in rows:
        score = titled(row["score"], row["chosen"])
        cells = (row["run"], row["rounds"], row["kept"], score, row["verdict"])
        table.add_row(*(Text(one_line(str(cell))) for cell in cells))
    Console().print(table if rows else Text("no runs yet: harness iterate"))


def plugins(as_json: bool) -> None:
    """What is installed, and what could not be loaded."""
    from harness.registry import Registry

    registry = Registry.build()
    rows = [
        {"stage": stage, "name": name, "origin": p.origin, "doc": _first_line(p.plugin.__doc__)}
        for stage, name, p in registry.providers()
    ]
    if as_json:
        document = {"plugins": rows, "failed": registry.failed}
        sys.stdout.write(json.dumps(document, indent=1) + "\n")
        return
    table = Table("stage", "name", "what", "from", box=None, pad_edge=False)
    for row in rows:
        table.add_row(*(Text(one_line(row[key])) for key in ("stage", "name", "doc", "origin")))
    Console().print(table)
    for origin, reason in registry.failed.items():
        Console(stderr=True).print(Text(one_line(f"failed to load: {origin}: {reason}"), "red"))


def config_show(path: Path | None, rounds: int | None, sets: Sequence[str], origin: bool) -> None:
    """The whole configuration; with ``origin``, a line each with where its value is from."""
    config = configuration.load(path, sets=sets, flags={"rounds": rounds})
    if not origin:
        sys.stdout.write(yaml_file.dump(config.shown()))
        return
    table = Table("key", "value", "from", box=None, pad_edge=False)
    for dotted, value in _flat(config.shown()):
        cells = (dotted, str(value), _origin(config.origins, dotted))
        table.add_row(*(Text(one_line(cell)) for cell in cells))
    Console().print(table)


def _origin(origins: Any, dotted: str) -> str:
    """Where a value is from; an override of a whole entry counts for its keys."""
    parts = dotted.split(".")
    prefixes = [".".join(parts[:n]) for n in range(len(parts), 0, -1)]
    if origins.get(dotted):
        return str(origins[dotted])
    above = next((origins[p] for p in prefixes if p in origins), "")
    return str(above) if above.startswith("--") else "default"


def _flat(value: Any, prefix: str = "") -> list[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        pairs = list(value.items())
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        pairs = list(enumerate(value))
    else:
        return [(prefix, value)]
    return [found for key, item in pairs for found in _flat(item, f"{prefix}.{key}".lstrip("."))]


def _folders() -> list[Path]:
    found = Path(REPORTS_FOLDER).glob("*/summary.json")
    return [p.parent for p in sorted(found, key=lambda p: p.stat().st_mtime, reverse=True)]


def folder_of(name: str | None) -> Path:
    """The reports of the run of that name, or of the latest one.

    Raises:
        UsageError: there is none.
    """
    folders = _folders()
    names = [folder.name for folder in folders]
    if name is None:
        if not folders:
            raise UsageError("there is no run in this folder yet", hint="harness iterate")
        whole = (folder for folder in folders if len(folders) == 1 or _overview(folder))
        return next(whole, folders[0])
    if name not in names:
        known = f"; there are: {', '.join(names[:5])}" if names else ""
        raise UsageError(f"no run is called '{name}'{near(name, names)}{known}")
    return folders[names.index(name)]


def _overview(folder: Path) -> dict[str, Any] | None:
    """A run in a line; None, with a warning, where its summary is damaged."""
    path = folder / "summary.json"
    try:
        return _line(read(path))
    except (HarnessError, OSError, LookupError, TypeError, ValueError, RecursionError) as problem:
        why = problem.what if isinstance(problem, HarnessError) else "this is no whole summary"
        told = Text(one_line(f"warning: {path} is passed over: {why}"), "yellow")
        Console(stderr=True).print(told, highlight=False, soft_wrap=True)
        return None


def _line(document: dict[str, Any]) -> dict[str, Any]:
    kept = document["rounds"][document["kept_round"]]
    found = kept["scores"][document["primary"]]
    name, value = titled(document["primary"], found.get("caveat")), found["value"]
    score = f"{name} {value:.4g}" if value is not None else "unscored"
    mark = one_line((document["chosen"] or {}).get("short", ""), 120)
    return {
        "run": document["run"],
        "rounds": len(document["rounds"]) - 1,
        "kept": document["kept_round"],
        "score": score,
        "chosen": mark,
        "verdict": _outcome(document),
    }


def _outcome(document: dict[str, Any]) -> str:
    """What test says, and at which opening: read side by side, such verdicts are a selection."""
    if document["test"]:
        label, looks = document["test"]["verdict"]["label"], document["test"]["looks"]
        return label if looks == 1 else f"{label} (test opening {looks})"
    sealed = document.get("sealed")
    if not sealed:
        return "not finished"
    return "none kept" if sealed["reason"] == "nothing kept" else "test not opened"


def _shortages(config: Config, counts: Mapping[str, int]) -> list[tuple[Level, str]]:
    """Notes on augmenters that will run short of rows.

    Raises:
        ConfigError: one has no row to draw from.
    """
    problems = Problems(config.path, config.lines)
    for remark in shortages(config.settings, config.augment, counts):
        problems.add(*remark)
    problems.done()
    return problems.remarks


def _first_line(text: Any) -> str:
    """Of a docstring, which a plugin may have put something else in the place of."""
    return text.strip().split("\n")[0] if isinstance(text, str) else ""
