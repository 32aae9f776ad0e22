"""``harness view``: serve the page of the runs of this folder, or write that of one as files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer
from rich.console import Console
from rich.text import Text

import harness
from harness.kit.terminal import tables
from harness.kit.terminal.options import AllowHosts, Host, Https, Port, RunName

app = typer.Typer()


@app.command()
def view(
    run: RunName = None,
    to: Annotated[
        Optional[Path],  # noqa: UP045 - typer reads it at run time
        typer.Option("--to", metavar="DIR", help="write the page of the run as files instead"),
    ] = None,
    open_test: Annotated[
        bool,
        typer.Option(
            "--open-test", help="rows of test can be looked at, once opened; each look is counted"
        ),
    ] = False,
    host: Host = "127.0.0.1",
    port: Port = 8645,
    hosts: AllowHosts = None,
    https: Https = False,
) -> None:
    """Serve a page of the runs of this folder, also while they run.

    What a run does now, its rounds, its rows with their answers, and what was added. With --to the
    same is written as files that need no server.
    """
    names = harness.run_names()
    if run is not None and run not in names:
        there = f"there are: {', '.join(names[:5])}" if names else "harness iterate --view"
        raise harness.UsageError(f"no run is called '{run}'{harness.near(run, names)}", hint=there)
    if not names:
        raise harness.UsageError(
            "there is no run in this folder yet", hint="harness iterate --view"
        )
    if to is not None:
        from harness_view.written import write

        write(run or names[0], to)
        return
    _serve(run, open_test, host, port, tuple(hosts or ()), "https" if https else "http")


def _serve(
    run: str | None, open_test: bool, host: str, port: int, hosts: tuple[str, ...], scheme: str
) -> None:
    from harness.kit.serving.address import Address, listen
    from harness.kit.serving.server import serve
    from harness_view.app import view_server
    from harness_view.door import token

    address = Address(port, host, hosts, "https" if scheme == "https" else "http")
    secret = token()
    running = view_server(secret, address, first=run, open_test=open_test)
    bound = listen(address)
    console = Console()
    console.print(Text("The page of the runs of this folder; whoever has the link can read it."))
    console.print(Text(f"  {address.link(secret)}"), highlight=False, soft_wrap=True)
    tables.note(console, "Ctrl-C stops the page; no run is disturbed.", "dim")
    try:
        serve(running, bound)
    except KeyboardInterrupt:
        tables.note(Console(stderr=True), "The page is stopped. The same command serves it again.")
        raise
