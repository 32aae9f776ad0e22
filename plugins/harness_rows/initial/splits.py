"""How rows are dealt out to train, pool, dev and test, so that dev and test can carry a verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from harness import SPLITS, DataError, Example, UsageError
from harness.stats.decision import MIN_GROUPS, usable

Sizes = Mapping[str, int | float]
Deal = Callable[[Sizes, int], Sequence[Example]]
"""The rows as the source deals them by sizes and ``draw``, each with its split and group."""

LEAST = 9
"""Rows without which nothing can be dealt out."""
ENOUGH = 3 * MIN_GROUPS
"""Groups from which train, dev and test can have as many as a verdict needs."""
MANY = 200
"""Groups from which shares are near enough to what they say; below, rows are counted."""
HELD_OUT = 0.2
"""Share of the groups for dev, and for test."""
MOST_HELD_OUT = 400
"""Groups of dev that are enough: each round answers all of them."""
POOL = 0.15
POOL_OF_TRAIN = 0.2
LEAST_POOL = 9
"""Rows of a pool: a few for each of three rounds."""
DRAWS = 3
"""Draws that are tried: by one a large group may fall into dev or test, by another into train."""
WIDER = (1.0, 1.3, 1.7)
"""Parts by which dev and test grow where groups of several rows leave them short."""


@dataclass(frozen=True, slots=True)
class Splits:
    """The proposed splits.

    Attributes:
        sizes: as the config has them; empty where every row has its split.
        draw: the source's option; 0 is its default.
        rows: split -> rows.
        dev: the group of each dev row.
        groups: how many there are in all.
        doubts: why dev or test cannot carry a verdict; empty where they can.
    """

    sizes: Sizes
    draw: int
    rows: Mapping[str, int]
    dev: tuple[str, ...]
    groups: int
    doubts: tuple[str, ...]


def propose(rows: Sequence[Example], deal: Deal, train: float | None = None) -> Splits:
    """The first sizes and draw whose dev and test can carry a verdict; else the best there is.

    Args:
        rows: as read; ``split`` is empty where no file or column says one.
        train: share of the rows that train is to get, whatever dev and test can show then.

    Raises:
        UsageError: a share is asked for, and every row has its split.
        DataError: there are too few rows to be dealt out, or those that have a split are not of
            what is needed.
    """
    if len(rows) < LEAST:
        raise DataError(
            f"{len(rows)} row{'s' if len(rows) > 1 else ''}: too few to train, compare and test",
            hint=f"{ENOUGH} rows carry a verdict, a few hundred a useful one "
            "(harness docs how-many-rows)",
        )
    scorable = [row for row in rows if row.references] or rows  # those dev and test are made of
    proposed: list[Splits] = []
    refused: list[DataError] = []
    candidates = _candidates(scorable) if train is None else [of_share(scorable, train)]
    tried = ((sizes, draw) for sizes in candidates for draw in range(DRAWS if sizes else 1))
    for sizes, draw in tried:
        try:
            proposed.append(_dealt(sizes, draw, deal))
        except DataError as error:
            refused.append(error)
            continue
        if not proposed[-1].doubts:
            return proposed[-1]
    if not proposed:
        raise refused[-1]
    return min(proposed, key=lambda splits: len(splits.doubts))


def _dealt(sizes: Sizes, draw: int, deal: Deal) -> Splits:
    dealt = deal(sizes, draw)
    groups: dict[str, list[str]] = {split: [] for split in SPLITS}
    for row in dealt:
        groups[row.split].append(row.group)
    doubts = [f"{s}: {doubt}" for s in ("dev", "test") if (doubt := usable(groups[s]))]
    counts = {split: len(members) for split, members in groups.items() if members}
    total = len({row.group for row in dealt})
    return Splits(sizes, draw, counts, tuple(groups["dev"]), total, tuple(doubts))


def _candidates(rows: Sequence[Example]) -> Iterator[Sizes]:
    """Sizes to try, the smallest dev first."""
    counts: Counter[str] = Counter(row.split for row in rows)
    if not counts[""] and counts["dev"] and counts["test"]:
        if counts["train"] >= MANY and not counts["pool"]:
            yield {"pool": POOL_OF_TRAIN}
        yield {}
        return
    if counts["train"] and not counts[""]:
        lacking = [split for split in ("dev", "test") if not counts[split]]
        yield from _of_train(rows, lacking, counts["pool"] > 0)
        return
    groups = Counter(row.group for row in rows)
    for wider in WIDER:
        if len(groups) >= MANY:
            yield _shares(len(groups), wider)
        else:
            yield _counts(len(rows), groups, wider)


def of_share(rows: Sequence[Example], train: float) -> Sizes:
    """Sizes that give train a share; of the rest a fifth goes to the pool."""
    if all(row.split for row in rows):
        what = "--train-share deals rows out, and these have a split each"
        raise UsageError(what, hint="`sizes` of the config cuts further splits from train")
    rest = 1 - train
    pool = rest / 5 if rest / 5 * len(rows) >= LEAST_POOL else 0.0
    held = (rest - pool) / 2
    if len({row.group for row in rows}) >= MANY:
        shares = {"pool": round(pool, 3), "dev": round(held, 3), "test": round(held, 3)}
        shares = {split: share for split, share in shares.items() if share}
        return {"train": round(1 - sum(shares.values()), 3), **shares}
    counts = {"pool": pool, "dev": held, "test": held}
    return {split: round(share * len(rows)) for split, share in counts.items() if share}


def _of_train(rows: Sequence[Example], lacking: Sequence[str], pool: bool) -> Iterator[Sizes]:
    """Shares of train that become the splits that are lacking."""
    groups = len({row.group for row in rows if row.split == "train"})
    for wider in WIDER:
        share = round(min(wider * _held_out(groups) / groups, 0.4), 3)
        sizes = dict.fromkeys(lacking, share)
        yield sizes if pool or groups < MANY else {"pool": POOL, **sizes}


def _held_out(groups: int) -> int:
    """Groups for dev: enough for a verdict, and no more than are worth the time."""
    return min(max(MIN_GROUPS, round(HELD_OUT * groups)), MOST_HELD_OUT, groups // 3)


def _shares(groups: int, wider: float) -> Sizes:
    held = round(min(wider * _held_out(groups) / groups, 0.3), 3)
    return {
        "train": round(1 - POOL - 2 * held, 3), "pool": POOL, "dev": held, "test": held,
    }  # fmt: skip


def _counts(rows: int, groups: Mapping[str, int], wider: float) -> Sizes:
    """Numbers of rows, filled with whole groups; train gets all that is left."""
    each = rows / len(groups)
    held = min(round(wider * _held_out(len(groups)) * each), rows // 3)
    left = rows - 2 * held
    pool = {"pool": left // 3} if left >= ENOUGH else {}
    return {**pool, "dev": held, "test": held}
