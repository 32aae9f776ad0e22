"""``harness data stats``: what is in the rows, split by split."""

from __future__ import annotations

from harness.kit.terminal.options import takes
from harness_rows.commands.data.request import Request


@takes(Request)
def stats(request: Request) -> None:
    """Rows, groups, tokens, languages, balance, repeats."""
    from harness_rows.commands.data.figures import show
    from harness_rows.commands.data.opening import opened
    from harness_rows.commands.data.printing import answer
    from harness_rows.commands.data.statistics import statistics
    from harness_rows.commands.progress import working

    with working("data stats") as begin:
        data = opened(request, begin)
        data.need_rows()
        document = statistics(data, request, begin)
    answer(request, data, document, lambda console: show(document, console))
