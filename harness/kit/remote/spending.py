"""What requests cost: each is counted at its most before it is sent, and by its usage afterwards.

A kill between the two leaves the most, so that never less is counted than was sent. The lines lie
in the run's folder and go with it to other machines; each working folder writes a file of its own
there, so that none takes the place of another's.

Requests that cost nothing whatever happens are summed up, and written down now and then.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, replace
from pathlib import Path

from harness.errors import BudgetSpent
from harness.kit.log import Log
from harness.kit.remote.options import Price, money
from harness.kit.remote.replies import Reply

EVERY = 1000
"""Lines after which a total is written, so that whoever comes later need not read them."""
OFTEN = 5.0
"""Seconds between two lines on requests that cost nothing."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A request that is about to be sent.

    Attributes:
        number: of the request, from 1 on.
        stage: what it is for, as ``round 1: generate``.
        most: the money that it can cost; None: no price is known.
        batch: that it is sent in; None: it is sent alone.
        run: that it is sent for, in the one file that earlier versions kept for all runs.
    """

    number: int
    stage: str
    model: str
    most: float | None = None
    batch: str | None = None
    run: str | None = None


@dataclass(frozen=True, slots=True)
class Settled:
    """What a request has cost.

    Attributes:
        settles: its number.
        prompt, answer: tokens as the server counts them.
        money: None: no price is known.
    """

    settles: int
    prompt: int
    answer: int
    money: float | None = None


@dataclass(frozen=True, slots=True)
class Several:
    """Requests of one stage to one model; attributes as in :class:`Cost`."""

    stage: str
    model: str
    requests: int
    open: int
    prompt: int
    answer: int
    money: float | None = None


@dataclass(frozen=True, slots=True)
class Numbers:
    """The numbers of a batch's requests: so many from the first one on."""

    batch: str
    first: int
    count: int


@dataclass(frozen=True, slots=True)
class Total:
    """What all lines before it come to.

    Attributes:
        lines: how many they are.
        sent: the last number.
        unsettled: what may yet be settled.
    """

    lines: int
    sent: int
    costs: tuple[Several, ...]
    unsettled: tuple[Sent, ...]
    batches: tuple[Numbers, ...]


@dataclass(slots=True)
class Cost:
    """Of the requests of one stage to one model.

    Attributes:
        open: of these, whose cost is not known and counts at its most: no usage, or cut short.
        prompt, answer: tokens of the others.
        money: None where no price is known.
    """

    requests: int = 0
    open: int = 0
    prompt: int = 0
    answer: int = 0
    money: float | None = None

    def add(self, other: Cost | Several) -> None:
        self.requests += other.requests
        self.open += other.open
        self.prompt += other.prompt
        self.answer += other.answer
        self.pay(other.money)

    def pay(self, money: float | None) -> None:
        if money is not None:
            self.money = (self.money or 0.0) + money


Costs = dict[tuple[str, str], Cost]
"""(stage, model) -> what its requests have cost."""
Line = Sent | Settled | Several | Total


class Spending:
    """The requests of a run: a file, in which several processes may write.

    Args:
        path: of the log.
        run: whose requests are counted, and capped.
        most: the money that the run may cost; None: as much as it takes.
        beside: logs of the same run that other machines have written, and earlier versions.
    """

    def __init__(
        self, path: Path, run: str, most: float | None = None, beside: Iterable[Path] = ()
    ) -> None:
        self.path, self.run, self.most, self.beside = path, run, most, tuple(beside)
        self._lock = threading.Lock()
        self._number, self._since = 0, 0
        self._unsettled: dict[int, Sent] = {}
        self._batches: dict[str, Numbers] = {}
        self._held = 0.0  # by what is not settled
        self._costs: Costs = {}  # without that
        self._free: Costs = {}
        self._flushed = time.monotonic()
        self._log: Log[Line] = Log(
            path, Sent, Settled, Several, Total, schema=1,
            cost="what was spent cannot be told",
            hint="restore the file from a copy; without it what was spent counts as nothing",
            total=Total,
        )  # fmt: skip

    def sent(self, stage: str, model: str, most: float | None) -> int:
        """Count a request before it is sent.

        Returns:
            its number.

        Raises:
            BudgetSpent: it could cost more than is left.
            DataError: the file is damaged.
            StorageError: it cannot be written down.
        """
        with self._lock:
            self._follow(lambda: [self._affordable(stage, model, most)])
            return self._number

    def sent_in(
        self, batch: str, stage: str, model: str, mosts: Sequence[float | None]
    ) -> Sequence[int]:
        """Count the first requests of a batch, as many as can be paid, before it is sent.

        Returns:
            their numbers.

        Raises:
            BudgetSpent: the first of them could cost more than is left.
            DataError, StorageError: as :meth:`sent`.
        """

        def affordable() -> Iterator[Sent]:
            further = 0.0
            for place, most in enumerate(mosts):
                try:
                    sent = self._affordable(stage, model, most, further)
                except BudgetSpent:
                    if not place:
                        raise
                    return
                further += most or 0.0
                yield replace(sent, number=sent.number + place, batch=batch)

        with self._lock:
            self._follow(lambda: [*affordable()])
        return self.numbers(batch)

    def numbers(self, batch: str) -> Sequence[int]:
        """The numbers of the requests of a batch that are counted, in order."""
        with self._lock:
            self._follow(list)
            numbers = self._batches.get(batch)
        return range(numbers.first, numbers.first + numbers.count) if numbers else ()

    def allow(self) -> None:
        """A request that costs nothing is about to be sent.

        Raises:
            BudgetSpent: nothing may be sent any more, or at all.
        """
        with self._lock:
            is_spent = self.most is not None and (self.most < 0 or self._spent() > self.most)
        if is_spent:
            raise BudgetSpent(
                f"the budget of {self.most:g} (execution.budget.money) is spent: nothing is asked"
            )

    def free(
        self,
        stage: str,
        model: str,
        reply: Reply | None,
        price: Price | None,
        *,
        open_: bool = False,
    ) -> None:
        """Count a request that costs nothing, in a line that is written for several.

        Args:
            reply: None: there was none.
            open_: whether a model may have worked all the same.
        """
        prompt, answer = (reply.prompt_tokens, reply.answer_tokens) if reply else (0, 0)
        unknown = prompt is None or answer is None
        cost = Cost(
            1, int(open_ or unknown), prompt or 0, answer or 0, None if price is None else 0.0
        )
        with self._lock:
            self._free.setdefault((stage, model), Cost()).add(cost)
            if time.monotonic() - self._flushed > OFTEN:
                self._flush()

    def flush(self) -> None:
        """Write down what :meth:`free` has counted.

        Raises:
            DataError, StorageError: as :meth:`sent`.
        """
        with self._lock:
            self._flush()

    def _flush(self) -> None:
        self._flushed = time.monotonic()
        if self._free:
            lines = [*_several(self._free)]
            self._follow(lambda: lines)
            self._free = {}

    def settle(self, number: int, reply: Reply | None, price: Price | None) -> None:
        """Count what a request has cost, once; without a reply, nothing."""
        prompt, answer = (reply.prompt_tokens, reply.answer_tokens) if reply else (0, 0)
        if prompt is None or answer is None:
            return  # it counts at its most
        cost = None if price is None else money(price, prompt, answer)
        settled = Settled(number, prompt, answer, cost)
        with self._lock:
            self._follow(lambda: [settled] if number in self._unsettled else [])

    def costs(self) -> Costs:
        """What the run's requests have cost, in the order of the first request, on all machines.

        Raises:
            DataError: a file is damaged.
        """
        # Read anew, whatever this one has followed so far: others have written meanwhile.
        whole: Costs = {}
        for path in (*self.beside, self.path):
            for place, cost in _read(path, self.run).items():
                whole.setdefault(place, Cost()).add(cost)
        with self._lock:
            for place, cost in self._free.items():
                whole.setdefault(place, Cost()).add(cost)
        return whole

    def _follow(self, make: Callable[[], Sequence[Line]]) -> None:
        def with_total() -> Sequence[Line]:
            lines = make()
            # What may yet be settled has to stand in each total.
            if lines and self._since >= EVERY and len(self._unsettled) <= EVERY:
                return [self._total(), *lines]
            return lines

        self._log.follow(self._take, with_total)

    def _affordable(self, stage: str, model: str, most: float | None, further: float = 0.0) -> Sent:
        spent = self._spent() + further
        if self.most is not None and (most is None or spent + most > self.most):
            left = max(self.most - spent, 0.0)
            cost = "any money: its price is not known" if most is None else f"{most:.4g}"
            raise BudgetSpent(
                f"the budget of {self.most:g} (execution.budget.money) has {left:.4g} left, and "
                f"the next request of {stage} can cost {cost}"
            )
        return Sent(self._number + 1, stage, model, most)

    def _spent(self) -> float:
        return self._elsewhere + self._held + _sum(self._costs)

    @functools.cached_property
    def _elsewhere(self) -> float:
        """What other machines have spent: none of them is at work on the run meanwhile."""
        return sum(_sum(_read(path, self.run)) for path in self.beside)

    def _total(self) -> Total:
        return Total(
            self._log.followed, self._number, (*_several(self._costs),),
            (*self._unsettled.values(),), (*self._batches.values(),),
        )  # fmt: skip

    def _take(self, record: Line) -> None:
        self._since += 1
        if isinstance(record, Total):
            self._since = 0
            if not self._number and not self._costs:
                self._resume(record)
            elif record.sent != self._number:
                raise ValueError(f"it tells of {record.sent} requests, and they are {self._number}")
        elif isinstance(record, Several):
            self._costs.setdefault((record.stage, record.model), Cost()).add(record)
        elif isinstance(record, Sent):
            if record.number != self._number + 1:
                raise ValueError(f"request {record.number} stands at place {self._number + 1}")
            self._number = record.number
            self._unsettled[record.number] = record
            if record.batch is not None:
                before = self._batches.get(record.batch, Numbers(record.batch, record.number, 0))
                self._batches[record.batch] = replace(before, count=before.count + 1)
            self._cost_of(record).add(Cost(1, 1))
            self._held += self._most_of(record)
        else:
            sent = self._unsettled.pop(record.settles, None)
            if sent is None:
                raise ValueError(f"it settles request {record.settles}, which is not open")
            self._cost_of(sent).add(Cost(0, -1, record.prompt, record.answer, record.money))
            self._held -= self._most_of(sent)

    def _resume(self, total: Total) -> None:
        self._number = total.sent
        self._unsettled = {sent.number: sent for sent in total.unsettled}
        self._batches = {numbers.batch: numbers for numbers in total.batches}
        self._held = sum(map(self._most_of, total.unsettled))
        for several in total.costs:
            self._costs.setdefault((several.stage, several.model), Cost()).add(several)

    def _most_of(self, sent: Sent) -> float:
        return (sent.most or 0.0) if sent.run in (None, self.run) else 0.0

    def _cost_of(self, sent: Sent) -> Cost:
        """Where a request counts: nowhere, if it is another run's."""
        if sent.run not in (None, self.run):
            return Cost()
        return self._costs.setdefault((sent.stage, sent.model), Cost())


def _read(path: Path, run: str) -> Costs:
    """What a log says of a run."""
    log = Spending(path, run)
    log._log.read(log._take)
    for sent in log._unsettled.values():
        log._cost_of(sent).pay(sent.most)
    return log._costs


def _several(costs: Costs) -> Iterator[Several]:
    for (stage, model), cost in costs.items():
        yield Several(stage, model, **dataclasses.asdict(cost))


def _sum(costs: Costs) -> float:
    return sum(cost.money or 0.0 for cost in costs.values())


@dataclass(frozen=True, slots=True)
class Account:
    """Where another process counts what it sends; see :class:`Spending`."""

    path: str
    run: str
    most: float | None = None
    beside: tuple[str, ...] = ()


def account_of(spending: Spending | None) -> Account | None:
    """What another process needs to count in the same file."""
    if spending is None:
        return None
    beside = tuple(map(str, spending.beside))
    return Account(str(spending.path), spending.run, spending.most, beside)


def spending_of(account: Account | None) -> Spending | None:
    """The same, in another process."""
    if account is None:
        return None
    return Spending(Path(account.path), account.run, account.most, map(Path, account.beside))


_CURRENT: ContextVar[Spending | None] = ContextVar("spending", default=None)


@contextlib.contextmanager
def counting(spending: Spending | None) -> Iterator[None]:
    """Within the block every request is counted there."""
    token = _CURRENT.set(spending)
    try:
        yield
    finally:
        _CURRENT.reset(token)


def current() -> Spending | None:
    """Where requests are counted; None: nowhere, as outside of a run."""
    return _CURRENT.get()
