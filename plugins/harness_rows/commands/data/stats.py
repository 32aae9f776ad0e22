"""``harness data stats``: what is in the rows, split by split."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Annotated

import typer

from harness.terminal.options import takes
from harness_rows.commands.data.request import Request


@dataclass(frozen=True, kw_only=True)
class StatsRequest(Request):
    """What ``stats`` takes."""

    every: Annotated[
        bool, typer.Option("--all", help="every value of every field, not the first twelve")
    ] = False


@takes(StatsRequest)
def stats(request: StatsRequest) -> None:
    """Rows, groups, tokens, languages, balance, repeats."""
    from harness_rows.commands.data.opening import opened
    from harness_rows.commands.data.printing import write_json
    from harness_rows.commands.data.statistics import statistics
    from harness_rows.commands.progress import working

    with working("data stats") as begin:
        found = opened(request, begin)
        found.need_rows()
        document = statistics(found, request, begin)
    if request.as_json:
        write_json(asdict(document))
        return
    from rich.console import Console

    from harness_rows.commands.data.figures import show

    show(document, Console(), every=request.every)
