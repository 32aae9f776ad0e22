"""What the analyzer says beside its slices: how many were tried, and what could be found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.kit.numbers import percent
from harness_slices.search import Bar, Table, Tally

NAMED = 5


def sentences(
    prompts: Tally, replies: Tally, table: Table, bar: Bar, unseen: Sequence[str]
) -> tuple[str, ...]:
    """Notes on the search; counts only, and names of slices of enough groups.

    Args:
        prompts, replies: the tallies of the two families.
        bar: of both; ``alpha`` is the sum of theirs.
        unseen: what was not looked at, and why.
    """
    return (*_notes(prompts, replies, table, bar), *unseen)


def _notes(prompts: Tally, replies: Tally, table: Table, bar: Bar) -> Iterator[str]:
    single, double = prompts.tried
    yield (
        f"slices tried: {single + double + sum(replies.tried)} ({single} of prompts, {double} "
        f"pairs of these, {replies.tried[0]} of replies); underperforming (a find by chance in "
        f"{percent(bar.alpha)} of dev sets at most): {prompts.held + replies.held}"
    )
    merged = prompts.merged + replies.merged
    if merged:
        yield f"left out, because others explain them: {merged}"
    small = prompts.small + replies.small
    if small:
        names = prompts.named[:NAMED]
        more = ", …" if len(prompts.named) > NAMED else ""
        yield (
            f"too small to judge: {small} (fewer than {bar.rows} rows or {bar.groups} groups in "
            f"or outside of them)" + (f": {', '.join(names)}{more}" if names else "")
        )
    yield from _power(prompts, table)
    left = table.given - len(table.scores)
    if left:
        yield f"{left} of {table.given} rows have no score and were left out"


def _power(prompts: Tally, table: Table) -> Iterator[str]:
    """What these data can show, so that "none" is not read as "all well"."""
    rows = f"{len(table.scores)} dev rows in {table.groups} groups"
    known = prompts.prospects
    if known is None:
        yield f"{rows}: no slice of prompts is large enough to be judged"
        return
    of = f"{rows}: for a slice with {percent(known.share)} of the rows"
    if known.gap is None:
        yield f"{of} no gap is found at 80 % power"
    else:
        yield f"{of} the minimum detectable gap is about {known.gap:.2g} at 80 % power"
    if known.open:
        yield (
            f"not confirmed, with the most evidence: {known.open.words}, {known.open.gap:.2g} "
            f"below the rest; if that is its true gap, about {_round(known.open.rows):,} dev rows "
            "in all would find it at 80 % power"
        )


def _round(rows: int) -> int:
    """Two digits, up."""
    unit = int(10 ** max(0, len(str(rows)) - 2))
    return -(-rows // unit) * unit
