"""``harness report``: what the reporters make of a run's analysis.json."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer
from rich.console import Console
from rich.text import Text

from harness.errors import UsageError
from harness.kit.text import one_line
from harness.terminal.options import Json, RunName

if TYPE_CHECKING:
    from harness.boundary.calls import PluginCall
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
    brief: Annotated[
        bool, typer.Option("--brief", help="print a comment for a pull request, as Markdown")
    ] = False,
    open_: Annotated[bool, typer.Option("--open", help="show the page in a browser")] = False,
    as_json: Json = False,
) -> None:
    """Show the report of a run, or write it as a page."""
    if full and brief:
        raise UsageError("--full shows all and --brief a few lines: one of them")
    from harness.engine.run import MACHINE_FOLDER
    from harness.report.annotators import plugins_of
    from harness.report.folders import find_reports, refreshed
    from harness.report.model_files import with_model_files
    from harness.report.reading import FILE_NAME, read
    from harness.report.sections import with_always

    folder = find_reports(run)
    registry = plugins_of(Path(MACHINE_FOLDER, "runs", folder.name))
    document = read(refreshed(folder, registry) / FILE_NAME)
    if as_json:
        sys.stdout.write(json.dumps(document, indent=1) + "\n")
        return
    document = with_always(with_model_files(document, Path()), registry)
    for kind, target in (("html", html), ("markdown", markdown)):
        if target is not None:
            _write_report(registry, kind, document, target)
    if html is None and markdown is None:
        name = "full" if full else "brief" if brief else "terminal"
        plugin, call = _reporter(registry, name)
        with call:
            plugin().show(document, Console())
    if open_:
        _show_in_browser(html)


def _reporter(registry: Registry, name: str) -> tuple[Any, PluginCall]:
    """The reporter of that name, and what its calls are made within."""
    from harness.boundary.calls import plainly

    provider = registry.get("reporter", name)
    return provider.plugin, plainly(f"reporter '{name}' from {provider.origin}")


def _write_report(registry: Registry, kind: str, document: Any, target: Path) -> None:
    """One file by the reporter of that name, whole or not at all."""
    import tempfile

    from harness.boundary import results
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
