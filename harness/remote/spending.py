"""What requests cost: each is counted at its most before it is sent, and by its usage afterwards.

A kill between the two leaves the most, so that never less is counted than was sent.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, replace
from pathlib import Path

from harness.errors import BudgetSpent
from harness.kit.log import Log
from harness.remote.options import Price, money
from harness.remote.replies import Reply


@dataclass(frozen=True, slots=True)
class Sent:
    """A request that is about to be sent.

    Attributes:
        number: of the request, from 1 on.
        run: the run that it is sent for.
        stage: what it is for, as ``round 1: generate``.
        most: the money that it can cost; None: no price is known.
        batch: that it is sent in; None: it is sent alone.
    """

    number: int
    run: str
    stage: str
    model: str
    most: float | None = None
    batch: str | None = None


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


class Spending:
    """The requests of a run: a file of the folder, in which several processes may write.

    Args:
        path: of the log.
        run: whose requests are counted, and capped.
        most: the money that the run may cost; None: as much as it takes.
    """

    def __init__(self, path: Path, run: str, most: float | None = None) -> None:
        self.path, self.run, self.most = path, run, most
        self._lock = threading.Lock()
        self._sent: list[Sent] = []
        self._settled: dict[int, Settled] = {}
        self._spent = 0.0
        self._log: Log[Sent | Settled] = Log(
            path, Sent, Settled, schema=1,
            cost="what was spent cannot be told",
            hint="restore the file from a copy; without it what was spent counts as nothing",
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
            self._log.follow(self._take, lambda: [self._affordable(stage, model, most)])
            return len(self._sent)

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
            self._log.follow(self._take, lambda: [*affordable()])
        return self.numbers(batch)

    def numbers(self, batch: str) -> Sequence[int]:
        """The numbers of the requests of a batch that are counted, in order."""
        with self._lock:
            self._log.follow(self._take, list)
            return [sent.number for sent in self._sent if sent.batch == batch]

    def _affordable(self, stage: str, model: str, most: float | None, further: float = 0.0) -> Sent:
        spent = self._spent + further
        if self.most is not None and (most is None or spent + most > self.most):
            left = max(self.most - spent, 0.0)
            cost = "any money: its price is not known" if most is None else f"{most:.4g}"
            raise BudgetSpent(
                f"the budget of {self.most:g} (execution.budget.money) has {left:.4g} left, and "
                f"the next request of {stage} can cost {cost}"
            )
        return Sent(len(self._sent) + 1, self.run, stage, model, most)

    def settle(self, number: int, reply: Reply | None, price: Price | None) -> None:
        """Count what a request has cost, once; without a reply, nothing."""
        prompt, answer = (reply.prompt_tokens, reply.answer_tokens) if reply else (0, 0)
        if prompt is None or answer is None:
            return  # it counts at its most
        cost = None if price is None else money(price, prompt, answer)
        settled = Settled(number, prompt, answer, cost)

        def unless_settled() -> Sequence[Settled]:
            return [] if number in self._settled else [settled]

        with self._lock:
            self._log.follow(self._take, unless_settled)

    def costs(self) -> dict[tuple[str, str], Cost]:
        """(stage, model) -> what the run's requests have cost, in the order of the first request.

        Raises:
            DataError: the file is damaged.
        """
        # Read anew, whatever this one has followed so far: others have written meanwhile.
        whole = Spending(self.path, self.run)
        whole._log.read(whole._take)
        costs: dict[tuple[str, str], Cost] = {}
        for sent in whole._sent:
            if sent.run != self.run:
                continue
            cost = costs.setdefault((sent.stage, sent.model), Cost())
            cost.requests += 1
            settled = whole._settled.get(sent.number)
            if settled is None:
                cost.open += 1
            else:
                cost.prompt += settled.prompt
                cost.answer += settled.answer
            of = sent.most if settled is None else settled.money
            if of is not None:
                cost.money = (cost.money or 0.0) + of
        return costs

    def _take(self, record: Sent | Settled) -> None:
        if isinstance(record, Sent):
            if record.number != len(self._sent) + 1:
                raise ValueError(f"request {record.number} stands at place {len(self._sent) + 1}")
            self._sent.append(record)
            self._count(record, record.most or 0.0)
        else:
            if record.settles in self._settled or not 0 < record.settles <= len(self._sent):
                raise ValueError(f"it settles request {record.settles}, which is not open")
            self._settled[record.settles], sent = record, self._sent[record.settles - 1]
            self._count(sent, (record.money or 0.0) - (sent.most or 0.0))

    def _count(self, sent: Sent, change: float) -> None:
        if sent.run == self.run:
            self._spent += change


@dataclass(frozen=True, slots=True)
class Account:
    """Where another process counts what it sends; see :class:`Spending`."""

    path: str
    run: str
    most: float | None = None


def account_of(spending: Spending | None) -> Account | None:
    """What another process needs to count in the same file."""
    if spending is None:
        return None
    return Account(str(spending.path), spending.run, spending.most)


def spending_of(account: Account | None) -> Spending | None:
    """The same, in another process."""
    return None if account is None else Spending(Path(account.path), account.run, account.most)


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
