"""Functions dealt out to splits and kinds of questions, a module to one side only."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from harness import Split
from harness.kit.draws import fraction
from harness_sources.code_rows import PACKAGE_SHARE, held_out_order
from harness_sources.questions import Asked, Kind
from harness_sources.repeats import Repeats

Quotas = Mapping[Split, Mapping[Kind, int]]
Row = tuple[Asked, Kind]


class _Side:
    """Rows of one side and how many of each kind it still wants."""

    def __init__(self, wanted: Mapping[Kind, int], supply: Mapping[Kind, int]) -> None:
        self.wanted, self.supply = wanted, supply
        self.total = sum(wanted.values())
        self.rows: list[Row] = []
        self.kinds: Counter[Kind] = Counter()
        self.packages: Counter[str] = Counter()
        self.repeats = Repeats()

    @property
    def missing(self) -> float:
        """Share of the wanted rows that is missing."""
        return 1 - len(self.rows) / self.total if self.total else 0.0

    def kind_for(self, item: Asked) -> Kind | None:
        """Of the kinds that the function can answer, the one of which most is missing; of equal
        ones that which fewer functions can answer."""
        lacking = [kind for kind in item.answers if self.kinds[kind] < self.wanted.get(kind, 0)]
        return min(
            lacking,
            key=lambda kind: (self.kinds[kind] / self.wanted[kind], self.supply[kind], kind),
            default=None,
        )

    def add(self, item: Asked, kind: Kind) -> None:
        self.rows.append((item, kind))
        self.kinds[kind] += 1
        self.packages[item.package] += 1
        self.repeats.add(item.code)


class Dealer:
    """One way to deal functions out.

    Args:
        usable: functions in the order in which they are taken.
        quotas: split -> kind -> rows wanted; a split with fewer could not be filled.
        per_group: maximum number of rows of one module in dev, and in test.
        draw: another number deals otherwise.
    """

    def __init__(self, usable: Sequence[Asked], quotas: Quotas, per_group: int, draw: int) -> None:
        self.usable, self.quotas, self.per_group, self.draw = usable, quotas, per_group, draw
        self.supply = Counter(kind for item in usable for kind in item.answers)
        self.held: dict[Split, _Side] = {
            "dev": self._side(quotas["dev"]),
            "test": self._side(quotas["test"]),
        }

    def splits(self) -> dict[Split, list[Row]]:
        taken = self._hold_out()
        fresh = [f for f in self.usable if f.module not in taken and not self._repeats(f)]
        held = {split: side.rows for split, side in self.held.items()}
        return {**self._cut(self._rest(fresh)), **held}

    def _side(self, wanted: Mapping[Kind, int]) -> _Side:
        return _Side(wanted, self.supply)

    def _rest(self, usable: Sequence[Asked]) -> list[Row]:
        """Rows for train and pool together."""
        kinds = self.quotas["train"]
        side = self._side({kind: kinds[kind] + self.quotas["pool"][kind] for kind in kinds})
        for share in (PACKAGE_SHARE, 1.0):
            most = max(1, int(share * side.total))
            chosen = {item.id for item, _ in side.rows}
            for item in usable:
                kind = side.kind_for(item)
                room = item.id not in chosen and side.packages[item.package] < most
                if room and kind is not None:
                    side.add(item, kind)
        return side.rows

    def _cut(self, rows: Sequence[Row]) -> dict[Split, list[Row]]:
        """Train and pool: of each kind the first rows are train's."""
        order = sorted(rows, key=lambda row: fraction(self.draw, f"train or pool/{row[0].id}"))
        train: list[Row] = []
        pool: list[Row] = []
        seen: Counter[Kind] = Counter()
        for item, kind in order:
            (train if seen[kind] < self.quotas["train"][kind] else pool).append((item, kind))
            seen[kind] += 1
        return {"train": train, "pool": pool}

    def _hold_out(self) -> set[str]:
        """Fill dev and test; the modules that went there."""
        modules: dict[str, list[Asked]] = defaultdict(list)
        for item in self.usable:
            modules[item.module].append(item)
        order = held_out_order(modules, self.per_group, self.draw)
        taken: set[str] = set()
        for share in (PACKAGE_SHARE, 1.0):
            for name in order:
                if name not in taken and self._hold(modules[name], share):
                    taken.add(name)
        return taken

    def _hold(self, rows: Sequence[Asked], share: float) -> bool:
        """Put rows of one module into dev or test, whichever lacks more; whether any went."""
        split: Split = "dev" if self.held["dev"].missing >= self.held["test"].missing else "test"
        side, other = self.held[split], self.held["test" if split == "dev" else "dev"]
        most = max(self.per_group, int(share * side.total))
        room = min(self.per_group, most - side.packages[rows[0].package])
        went = 0
        for item in rows:
            kind = side.kind_for(item)
            if went < room and kind is not None and item.code not in other.repeats:
                side.add(item, kind)
                went += 1
        return went > 0

    def _repeats(self, item: Asked) -> bool:
        return any(item.code in side.repeats for side in self.held.values())
