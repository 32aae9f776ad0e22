"""What a run will ask of servers with models: requests, tokens and money by what asks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import harness
from harness.kit.numbers import amount, counted
from harness_plan.listing import DEV, TEST, TRAIN, Item
from harness_plan.records import Asked


def brief(planned: Sequence[Asked]) -> str:
    """All of it in a sentence; empty where nothing is asked."""
    if not planned:
        return ""
    sure = all(each.sure for _, each in planned)
    costs = [each.money for _, each in planned if each.money is not None]
    least = "" if len(costs) == len(planned) else " for those with a price"
    money = f", {'at most' if sure else 'about'} {amount(sum(costs))}{least}" if costs else ""
    number = counted(sum(each.count for _, each in planned), "request")
    return f"Servers get {'up to' if sure else 'about'} {number}{money}."


def requests(run: harness.PlannedRun, items: Sequence[Item]) -> Iterator[Asked]:
    """What is left to be asked, without what is kept of it, in the order of the config.

    Raises:
        PluginError: a plugin fails at saying it.
    """
    entries = run.variants.config.entries
    dev, test = run.rows("dev"), run.rows("test") if run.tests else ()
    for entry in entries["baselines"]:
        rows = run.others.get(entry.name, ())
        arm = f"baseline {entry.name}"
        if rows and (arm, 0, DEV) not in run.stored:
            yield from _asked(run, entry, arm, rows, 1)
        if rows and test and (arm, 0, TEST) not in run.stored:
            # With what stands before their own turns, prompts of test are as long as those of dev.
            times = 1 if rows == dev else len(test) / len(rows)
            yield from _asked(run, entry, f"{arm} on test", test if rows == dev else rows, times)
    # Only who has walked through a run knows which answers are scored.
    walked = any(stage not in (TRAIN, DEV, TEST) for _, _, stage in run.stored)
    for entry in entries["metrics"]:
        answers = 0
        for item in items:
            place = (item.arm, item.round or 0, f"score {entry.name}")
            scored = item.took is not None and (not walked or place in run.stored)
            if item.stage == TEST or (item.stage == DEV and not scored):
                answers += len(item.rows)
        answers += sum(map(len, run.others.values())) if answers else 0
        if answers and dev:
            yield from _asked(run, entry, f"metric {entry.name}", dev, answers / len(dev))
    further = {(item.arm, item.round) for item in items
               if item.stage == TRAIN and item.took is None and (item.round or 1) > 1}  # fmt: skip
    for entry in entries["augment"]:
        if further:
            train = run.rows("train")
            yield from _asked(run, entry, f"augment {entry.name}", train, len(further))


def _asked(
    run: harness.PlannedRun, entry: Any, what: str, rows: Sequence[harness.Example], times: float
) -> Iterator[Asked]:
    with run.variants.asking(entry):
        each = entry.instance.requests(rows, entry.rows or len(rows))
    if each is not None:
        prompt, answer = (
            None if tokens is None else round(times * tokens)
            for tokens in (each.prompt, each.answer)
        )
        cost = None if each.money is None else times * each.money
        count, sure = round(times * each.count), each.sure and times == 1
        yield what, harness.Requests(each.model, count, prompt, answer, cost, sure)
