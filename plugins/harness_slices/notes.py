"""What the analyzer says beside its slices: how many were tried, and what could be found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness_slices.search import Bar, Table, Tally

NAMED = 5


def sentences(
    prompts: Tally, replies: Tally, table: Table, bar: Bar, unseen: Sequence[str]
) -> tuple[str, ...]:
    """Notes on the search; counts only, and names of slices of enough groups.

    Args:
        prompts, replies: the tallies of the two families.
        unseen: what was not looked at, and why.
    """
    return (*_notes(prompts, replies, table, bar), *unseen)


def _notes(prompts: Tally, replies: Tally, table: Table, bar: Bar) -> Iterator[str]:
    held = prompts.held + replies.held
    single, double = prompts.tried
    yield (
        f"slices tried: {single + double + sum(replies.tried)} ({single} of prompts, {double} "
        f"pairs of these, {replies.tried[0]} of replies); underperforming (q <= {bar.q:g} on "
        f"either half of dev): {held}"
    )
    yield from _chosen(prompts, replies)
    small = prompts.small + replies.small
    if small:
        names = prompts.named[:NAMED]
        more = ", …" if len(prompts.named) > NAMED else ""
        yield (
            f"too small to judge: {small} (fewer than {bar.rows} rows or {bar.groups} groups on "
            f"one side of a half)" + (f": {', '.join(names)}{more}" if names else "")
        )
    yield from _power(prompts, table)
    if prompts.held and prompts.spread <= 0:
        yield (
            "all slices of prompts together differ no more than chance would make them differ: "
            "nothing is planned for one of them"
        )
    left = table.given - len(table.scores)
    if left:
        yield f"{left} of {table.given} rows have no score and were left out"


def _chosen(prompts: Tally, replies: Tally) -> Iterator[str]:
    chosen, merged = prompts.chosen + replies.chosen, prompts.merged + replies.merged
    held = prompts.held + replies.held
    if chosen > held:
        yield (
            "below the rest on the first half of dev but not confirmed on the second: "
            f"{chosen - held} of {chosen}"
        )
    if merged:
        yield f"left out, because a stronger one explains them: {merged}"


def _power(prompts: Tally, table: Table) -> Iterator[str]:
    """What these data can show, so that "none" is not read as "all well"."""
    rows_a, groups_a, rows_b, groups_b = table.sizes
    halves = f"{rows_a} rows in {groups_a} groups choose, {rows_b} in {groups_b} confirm"
    if prompts.needed is None:
        yield f"{halves}: no slice of prompts is large enough to be judged"
        return
    gap, share = prompts.needed
    yield (
        f"{halves}: for a slice with {share:.0%} of the rows the minimum detectable gap is about "
        f"{gap:.2g} at 80 % power"
    )
