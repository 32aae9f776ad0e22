"""``harness rebuild``: a run's database and reports made again from what it has stored."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from harness.cli.inspect import folder_of
from harness.cli.iterate import Quiet
from harness.finish import reports
from harness.lock import exclusive
from harness.replay import opened, replay
from harness.summary import read


def rebuild(name: str | None) -> None:
    """Everything below ``reports/<run>/`` but its summary, which stays as it is.

    Raises:
        DataError: what they are made from is not stored any more.
    """
    folder = folder_of(name)
    document = read(folder / "summary.json")
    run = opened(folder.name, Quiet())
    with exclusive(run.folder / "lock"):
        steps, history = replay(run)
        written = reports(run, steps, history, document)
    told = f"{folder}: {', '.join(written)}"
    Console(stderr=True).print(Text(told), highlight=False, soft_wrap=True)
