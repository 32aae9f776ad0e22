"""``harness report``: what the reporters make of a run's analysis.json."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Optional

import typer
from rich.console import Console
from rich.text import Text

from harness.errors import UsageError
from harness.kit.junit import Case, write_junit
from harness.kit.terminal.options import Brief, Json, JUnit, RunName
from harness.kit.terminal.requirements import MinGain, Require, Requirement
from harness.kit.terminal.targets import check_target
from harness.kit.text import one_line
from harness.records import Verdict, to_json

if TYPE_CHECKING:
    from harness.boundary.calls import PluginCall
    from harness.records.analysis import Analysis
    from harness.registry import Registry

app = typer.Typer()


@app.command()
def report(
    run: RunName = None,
    html: Annotated[
        Optional[Path],  # noqa: UP045 - typer reads it at run time
        typer.Option("--html", metavar="FILE", help="write it as one HTML page"),
    ] = None,
    markdown: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--md", metavar="FILE", help="write it as Markdown"),
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="show all of it in the terminal")] = False,
    brief: Brief = False,
    require: Require = None,
    min_gain: MinGain = None,
    junit: JUnit = None,
    every: Annotated[
        bool, typer.Option("--all", help="one page of all runs of this folder, with --html")
    ] = False,
    open_: Annotated[bool, typer.Option("--open", help="show the page in a browser")] = False,
    as_json: Json = False,
) -> None:
    """Show the report of a run, or write it as a page.

    With --all one page of all runs of this folder is written: what was changed in each, scores
    and verdicts.
    """
    requirement = Requirement(require, min_gain)
    requirement.check()
    if every:
        if run or markdown or full or brief or requirement or junit:
            raise UsageError("--all takes all runs: with it go --html, --json and --open alone")
        _report_all(html, as_json)
        if open_:
            _show_in_browser(html)
        return
    if full and brief:
        raise UsageError("--full shows all and --brief a few lines: one of them")
    if junit is not None:
        check_target("--junit", junit)
    from harness.kit.terminal.streams import say
    from harness.report.annotators import plugins_of
    from harness.report.folders import find_reports, refreshed
    from harness.report.reading import read_analysis
    from harness.report.sections import for_reporters
    from harness.run.places import MACHINE_FOLDER

    folder = find_reports(run)
    registry = plugins_of(Path(MACHINE_FOLDER, "runs", folder.name), say)
    analysis = read_analysis(refreshed(folder, registry))
    if junit is not None:
        write_junit(junit, "report", _cases(analysis, requirement))
    if as_json:
        sys.stdout.write(json.dumps(to_json(analysis), indent=1) + "\n")
    else:
        document = for_reporters(analysis, Path(), registry)
        _show(document, registry, html, markdown, "full" if full else "brief" if brief else "")
    if open_:
        _show_in_browser(html)
    raise typer.Exit(requirement.exit_code(analysis.primary, *_on_test(analysis)))


def _show(
    document: Analysis, registry: Registry, html: Path | None, markdown: Path | None, form: str
) -> None:
    """The files that are asked for, or the terminal's report in one of its forms."""
    for kind, target in (("html", html), ("markdown", markdown)):
        if target is not None:
            _write_file(registry, kind, "write", document, target)
    if html is None and markdown is None:
        plugin, call = _reporter(registry, form or "terminal")
        with call:
            plugin().show(document, Console())


def _cases(document: Analysis, requirement: Requirement) -> list[Case]:
    """The verdict of the best round on dev, or of the latest one, and that on test, which alone
    is what may be required."""
    entry = document.best if document.kept_round else document.rounds[-1]
    dev = f"{document.primary} on dev, round {entry.round}"
    return [
        Requirement(None, None).case(dev, _compared(entry.verdict)),
        requirement.case(f"{document.primary} on test", *_on_test(document)),
    ]


def _on_test(document: Analysis) -> tuple[Mapping[str, Any] | None, str]:
    """The verdict on test, or why there is none."""
    if document.test:
        return _compared(document.test.verdict), ""
    sealed = document.sealed
    return None, sealed.sentence if sealed else "The test set was not opened: the run goes on."


def _compared(verdict: Verdict) -> Mapping[str, Any]:
    """A verdict as requirements take it."""
    label, low = verdict.label, verdict.low
    return {"label": label, "low": low, "doubt": "", "sentence": verdict.words}


def _report_all(html: Path | None, as_json: bool) -> None:
    """The page of all runs, or its document."""
    from harness.registry import Registry
    from harness.report.folders import all_runs

    if html is not None:
        check_target("--html", html)
    elif not as_json:
        hint = "harness report --all --html runs.html; in the terminal: harness compare --all"
        raise UsageError("--all writes a page of all runs: say where", hint=hint)
    document = _with_pages(all_runs(), html.parent if html else Path())
    if as_json:
        sys.stdout.write(json.dumps(document, indent=1) + "\n")
    if html is not None:
        _write_file(Registry.build(), "html", "write_all", document, html)


def _with_pages(document: Mapping[str, Any], folder: Path) -> Mapping[str, Any]:
    """The document with each run's ``report``: the way from a folder to its page, if it has one."""
    from harness.run.places import REPORTS_FOLDER

    def way(run: str) -> str | None:
        page = Path(REPORTS_FOLDER, run, "report.html")
        if not page.is_file():
            return None
        return Path(os.path.relpath(page.resolve(), folder.resolve())).as_posix()

    runs = [{**run, "report": way(run["run"])} for run in document["runs"]]
    return {**document, "runs": runs}


def _reporter(registry: Registry, name: str) -> tuple[Any, PluginCall]:
    """The reporter of that name, and what its calls are made within."""
    from harness.boundary.calls import plainly

    provider = registry.get("reporter", name)
    return provider.plugin, plainly(f"reporter '{name}' from {provider.origin}")


def _write_file(
    registry: Registry,
    kind: str,
    method: Literal["write", "write_all"],
    document: Any,
    target: Path,
) -> None:
    """One file by a method of the reporter of that name, whole or not at all."""
    import tempfile

    from harness.boundary import results
    from harness.kit.terminal.targets import write_target

    option = "--html" if kind == "html" else "--md"
    check_target(option, target)
    plugin, call = _reporter(registry, kind)
    with tempfile.TemporaryDirectory() as folder:
        with call:
            write = getattr(plugin(), method)
            made = results.paths(write(document, Path(folder)), f"{method}()")
        if not made:
            raise UsageError(f"the reporter '{kind}' writes no such page")
        write_target(option, target, made[0].read_bytes())
    Console(stderr=True).print(
        Text(one_line(f"written: {target}")), highlight=False, soft_wrap=True
    )


def _show_in_browser(page: Path | None) -> None:
    import webbrowser

    if page is None:
        raise UsageError("--open shows a page", hint="--html FILE --open")
    webbrowser.open(page.resolve().as_uri())
