"""What the ranks of one training exchange: shares of rows, gradients, losses, decisions.

Every rank reads the same rows in the same order, and takes its share of each batch. Gradients are
added up once for each step, after the last of its forward passes: they are those of an adapter and
small. So a rank may compute its rows in as many parts as its memory allows, or none where a batch
has too few, which ``DistributedDataParallel`` with its exchange in every backward pass would not
bear.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import distributed
from transformers import TrainerCallback

from harness.kit.shares import deal
from harness_transformers.checkpoints import write_tensors
from harness_transformers.encoding import IGNORED
from harness_transformers.layouts import Batch, Layout
from harness_transformers.memory import AtOnce
from harness_transformers.state import random_states, set_random_states, trained

T = TypeVar("T")
FILE = "ranks.pt"
IDLE = "idle"
"""Of a batch that counts for nothing: what its labels would be."""


class Ranks:
    """The ranks of a training, seen from one of them.

    Args:
        sign: called before each exchange: whoever is not heard of any more hangs.

    Attributes:
        rank, size: which one this is, and how many there are.
        sharded: whether each holds but a part of the base model's weights (FSDP2). Then all of
            them have to compute the same layers at the same time: a rank without rows computes
            one that counts for nothing, and where memory runs out in one there is no second try.
        work: of the last step, by rank: seconds from the last exchange of gradients to this one,
            tokens, and tokens of padding.
    """

    def __init__(
        self,
        rank: int = 0,
        size: int = 1,
        sign: Callable[[], None] = lambda: None,
        sharded: bool = False,
    ) -> None:
        self.rank, self.size, self._sign, self.sharded = rank, size, sign, sharded
        self.work: list[tuple[float, int, int]] = []
        self._tokens = self._padding = 0
        self._since = time.monotonic()
        self._waited = self._worked = 0.0
        self._own: Any = None  # random states of this rank, if it is not the first
        self._kept: list[Any] = []
        # What ranks tell each other of lies in the main memory, gradients where the model is.
        self._host = distributed.new_group(backend="gloo") if size > 1 else None

    @property
    def first(self) -> bool:
        """Whether this is the rank that writes files and talks to people."""
        return self.rank == 0

    def gathered(self, value: T) -> list[T]:
        """The values of all ranks."""
        if self.size == 1:
            return [value]
        self._sign()
        values: list[Any] = [None] * self.size
        distributed.all_gather_object(values, value, group=self._host)
        return values

    def agreed(self, value: T) -> T:
        """The first rank's value."""
        if self.size == 1:
            return value
        self._sign()
        values = [value]
        distributed.broadcast_object_list(values, src=0, group=self._host)
        return values[0]

    def spread(self, rows: Sequence[Any], work: Callable[[Sequence[Any]], list[T]]) -> list[T]:
        """What ``work`` gives for each row, in the order of the rows; each rank does its share."""
        if self.size == 1:
            return work(rows)
        shares = deal([row["length"] for row in rows], self.size)
        own = [rows[place] for place in shares[self.rank]]
        if self.sharded and not own:
            work(rows[:1])
        done = self.gathered(work(own) if own else [])
        answers = {
            place: result
            for share, results in zip(shares, done, strict=True)
            for place, result in zip(share, results, strict=True)
        }
        return [answers[place] for place in range(len(rows))]

    def collator(self, layout: Layout) -> Callable[[Sequence[Any]], Batch]:
        """The layout of this rank's share of a batch."""
        return layout if self.size == 1 else lambda rows: self._share(layout, rows)

    def _share(self, layout: Layout, rows: Sequence[Any]) -> Batch:
        own = deal([row["length"] for row in rows], self.size)[self.rank]
        if not own and self.sharded:
            batch = layout([min(rows, key=lambda row: row["length"])])
            idle = torch.full_like(batch["labels"], IGNORED)
            return {**batch, "labels": idle, IDLE: batch["labels"]}
        if not own:
            nothing = torch.zeros((1, 0), dtype=torch.long)
            return {"input_ids": nothing, "labels": nothing, "row": nothing[0]}
        return layout([rows[place] for place in own])

    def read_all(self, loader: Any) -> Any:
        """Have a DataLoader that Accelerate prepared give each rank all batches, whole."""
        if self.size > 1:
            shard = loader.batch_sampler
            shard.num_processes, shard.process_index, shard.even_batches = 1, 0, False
        return loader

    def place(self, model: Any) -> Any:
        """The model, of which this rank holds what it shall; the adapter it holds whole.

        Layer by layer the frozen weights are cut into a part for each rank, and put together for
        as long as the layer computes.
        """
        if self.sharded:
            from torch.distributed.device_mesh import init_device_mesh
            from torch.distributed.fsdp import fully_shard

            adapter = {value for _, value in trained(model)}
            device = torch.accelerator.current_accelerator() or torch.device("cpu")
            mesh = init_device_mesh(device.type, (self.size,))
            for layers in _stacks(model):
                for layer in layers:
                    fully_shard(layer, mesh=mesh, ignored_params=adapter)
            fully_shard(model, mesh=mesh, ignored_params=adapter)
        return model

    @property
    def at_once(self) -> type[AtOnce]:
        """What decides how many rows are computed at once."""
        return Together if self.sharded else AtOnce

    def unwrapped(self, accelerator: Any) -> None:
        """Have Accelerate put the model on its device, and leave gradients to :meth:`add_up`."""
        if self.size > 1:
            prepare = accelerator.prepare_model
            accelerator.prepare_model = lambda model, **settings: prepare(
                model, **{**settings, "evaluation_mode": True}
            )

    def total(self, number: torch.Tensor) -> torch.Tensor:
        """The sum over all ranks."""
        return number if self.size == 1 else number.new_tensor(sum(self.gathered(number.item())))

    def add_up(self, model: Any) -> None:
        """Give every rank the mean of all gradients, at the end of a step."""
        if self.size == 1:
            return
        arrived = time.monotonic()
        own = (arrived - self._since, self._tokens, self._padding)
        self.work = self.gathered(own)
        self._waited += time.monotonic() - arrived
        self._worked += arrived - self._since
        parameters = [value for _, value in trained(model)]
        for kind in dict.fromkeys(value.dtype for value in parameters):
            alike = [value for value in parameters if value.dtype == kind]
            for value in alike:
                if value.grad is None:
                    value.grad = torch.zeros_like(value)
            gradients = [value.grad for value in alike if value.grad is not None]
            whole = torch.cat([gradient.flatten() for gradient in gradients])
            self._sign()
            distributed.all_reduce(whole)
            whole /= self.size
            parts = whole.split([gradient.numel() for gradient in gradients])
            for gradient, part in zip(gradients, parts, strict=True):
                gradient.copy_(part.view_as(gradient))
        self._tokens = self._padding = 0
        self._since = time.monotonic()

    @property
    def shares(self) -> dict[str, list[int]]:
        """For the log of the last step: by rank, tokens that were computed and those of padding.

        Neither depends on the machine: a training that is done again has the same log.
        """
        if not self.work:
            return {}
        return {"tokens": [w[1] for w in self.work], "padding": [w[2] for w in self.work]}

    def facts(self) -> dict[str, Any]:
        """For the facts of a training: by rank, seconds of work and of waiting for the others."""
        if self.size == 1:
            return {}
        times = self.gathered((round(self._worked, 2), round(self._waited, 2)))
        return {"ranks": [{"worked": worked, "waited": waited} for worked, waited in times]}

    @contextlib.contextmanager
    def working(self, batch: Batch) -> Iterator[None]:
        """While a batch is computed, what is drawn (dropout) is this rank's own.

        The generators outside of it decide the order of rows, and are those of the first rank.
        """
        if self.size == 1:
            yield
            return
        mask = batch.get("attention_mask")
        self._tokens += batch["input_ids"].numel()
        self._padding += 0 if mask is None else int(mask.numel() - mask.sum())
        if self.first:
            yield
            return
        common = random_states()
        if self._own is None:
            torch.manual_seed(torch.initial_seed() + self.rank)
        else:
            set_random_states(self._own)
        try:
            yield
        finally:
            self._own = random_states()
            set_random_states(common)

    def remember(self) -> None:
        """Get from all ranks what :meth:`keep` writes."""
        if self.size > 1:
            self._kept = self.gathered(self._own)

    def keep(self, folder: Path) -> None:
        """See :class:`harness_transformers.resuming.Remembering`."""
        if self.size > 1:
            write_tensors(folder / FILE, self._kept)

    def recall(self, folder: Path) -> None:
        """See :class:`harness_transformers.resuming.Remembering`."""
        if self.size > 1:
            self._own = torch.load(folder / FILE)[self.rank]


class Together(AtOnce):
    """Rows that are not computed in parts: other ranks would wait for what this one does twice."""

    def _halve(self, error: BaseException, rows: int) -> None:
        raise error


def _stacks(model: Any) -> list[Any]:
    """The lists of layers of a model, not those within others."""
    lists = {n: m for n, m in model.named_modules() if isinstance(m, torch.nn.ModuleList)}
    return [m for n, m in lists.items() if not any(n.startswith(f"{other}.") for other in lists)]


class SameOrder(TrainerCallback):
    """At the beginning of an epoch, before the order of its rows is drawn: the first rank's states.

    Where a rank's own draws are as many as those of others nothing changes.
    """

    def __init__(self, ranks: Ranks) -> None:
        self.ranks = ranks

    def on_epoch_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if self.ranks.size > 1:
            set_random_states(self.ranks.agreed(random_states()))


ALONE = Ranks()
"""Of a training of one process."""
