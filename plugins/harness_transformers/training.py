"""The Trainer as the harness runs it: fast on short answers, watched at every step."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import PrinterCallback, Trainer, TrainerCallback

import harness
from harness.kit.files import write_bytes
from harness.kit.inside import inside
from harness_transformers.decisions import Decisions
from harness_transformers.encoding import Encoded
from harness_transformers.kernels.loss import token_losses
from harness_transformers.layouts import Batch, Layout
from harness_transformers.memory import Before
from harness_transformers.ranks.exchange import ALONE, IDLE, Ranks, SameOrder
from harness_transformers.resuming import Remembering, take_random_states, take_weights
from harness_transformers.validation import Comparison, Validation


def make(
    model: Any,
    layout: Layout,
    arguments: Any,
    rows: Sequence[Encoded],
    held: Sequence[Encoded],
    context: harness.Context,
    decisions: Decisions | None = None,
    ranks: Ranks = ALONE,
) -> Trainer:
    """A Trainer over ``rows`` that validates on ``held`` and reports to ``context``."""
    watch = Watch(context, ranks)
    trainer = Answers(
        context.say,
        layout,
        ranks,
        model=ranks.place(model),
        args=arguments,
        train_dataset=_dataset(rows),
        eval_dataset=_dataset(held) if held else None,
        data_collator=ranks.collator(layout),
        callbacks=[watch, SameOrder(ranks)],
    )
    trainer.remove_callback(PrinterCallback)
    trainer.names = [row.id for row in rows]
    trainer.add_callback(Validation(trainer, watch.write, decisions))
    if context.whole_valid:
        # After it: what is saved is settled at the end, and compared then.
        trainer.add_callback(Comparison(trainer, watch.write, context.limits))
    trainer.remembering = [watch, trainer.at_once, ranks, *([decisions] if decisions else [])]
    return trainer


def _dataset(rows: Sequence[Encoded]) -> Any:
    from datasets import Dataset

    return Dataset.from_dict(
        {
            "row": list(range(len(rows))),
            "input_ids": [row.input_ids for row in rows],
            "labels": [row.labels for row in rows],
            "length": [len(row.input_ids) for row in rows],
        }
    )


class Answers(Trainer):
    """Computes logits where the layout can choose them; the loss is the plain Trainer's.

    On short answers to long prompts most of a step would otherwise go into logits that the
    loss ignores.
    """

    loss_is_scaled_for_ga = True
    names: Sequence[str] = ()
    remembering: Sequence[Remembering] = ()

    def __init__(
        self, say: Callable[[str], None], layout: Layout, ranks: Ranks, **settings: Any
    ) -> None:
        super().__init__(**settings)
        self.layout, self.ranks = layout, ranks
        ranks.unwrapped(self.accelerator)
        self.at_once = ranks.at_once(self.args.train_batch_size, say, "rows")
        # The loss below is per learned token of the whole step, whatever the model's own is.
        self.model_accepts_loss_kwargs = True

    def get_train_dataloader(self) -> Any:
        return self.ranks.read_all(super().get_train_dataloader())

    def _get_num_items_in_batch(self, batch_samples: list[Batch], device: Any) -> Any:
        return self.ranks.total(super()._get_num_items_in_batch(batch_samples, device))

    def training_step(
        self, model: Any, inputs: Batch, num_items_in_batch: Any = None
    ) -> torch.Tensor:
        """Loss and gradients of one batch, in parts where memory has run out."""
        step = super().training_step
        numbers = inputs["row"].tolist()

        def work(part: Sequence[int]) -> torch.Tensor:
            batch = inputs
            if len(part) < len(numbers):
                batch = self.layout([self.train_dataset[number] for number in part])
            loss: torch.Tensor = step(model, batch, num_items_in_batch)
            return loss

        # Each part's loss is divided by the learned tokens of the whole step: they add up.
        with self.ranks.working(inputs):
            losses = self.at_once.run(numbers, work, Before(self.model).restore)
        if self.accelerator.sync_gradients:
            self.ranks.add_up(self.model)
        return torch.stack(losses).sum() if losses else torch.zeros((), device=self.args.device)

    def compute_loss(
        self,
        model: Any,
        inputs: Batch,
        return_outputs: bool = False,
        num_items_in_batch: Any = None,
    ) -> Any:
        # Where each process holds a part of the weights, one without rows in this step computes on
        # some all the same, since the others wait for its part; its loss counts nothing.
        idle = inputs.get(IDLE)
        if idle is not None:
            inputs = {**inputs, "labels": idle}
        outputs, losses, _ = self._token_losses(model, inputs)
        total = losses.sum() if idle is None else 0 * losses.sum()
        if num_items_in_batch is None:
            loss = total / len(losses)
        else:
            loss = total / torch.as_tensor(num_items_in_batch).flatten()[0].to(total.device)
            loss = loss * self.ranks.size  # of losses and gradients the mean is taken
        if not torch.isfinite(loss):
            raise self._broken(loss, inputs["row"])
        return (loss, outputs) if return_outputs else loss

    def row_losses(self, rows: Sequence[Any]) -> tuple[list[float], list[int]]:
        """What the model loses on each row, in eval mode, without dropout and gradients.

        Args:
            rows: rows of the data set that fit into one batch.

        Returns:
            The sum of the cross entropy (nats) over the row's learned tokens, and their number.

        Raises:
            PluginError: a loss is not finite.
        """
        training = self.model.training
        self.model.eval()
        try:
            pairs = self.ranks.spread(rows, self._own_losses)
        finally:
            self.model.train(training)
        return [loss for loss, _ in pairs], [tokens for _, tokens in pairs]

    def _own_losses(self, rows: Sequence[Any]) -> list[tuple[float, int]]:
        parts = self.at_once.run(rows, self._row_losses, lambda: None)
        return [pair for part in parts for pair in zip(*part, strict=True)]

    @torch.no_grad()
    def _row_losses(self, rows: Sequence[Any]) -> tuple[list[float], list[int]]:
        inputs = self._prepare_inputs(self.layout(rows))
        _, losses, places = self._token_losses(self.model, inputs)
        if not torch.isfinite(losses).all():
            raise self._broken(losses.sum(), inputs["row"])
        sums = torch.zeros(len(rows), dtype=torch.float64, device=losses.device)
        sums.index_add_(0, places, losses.double())
        return sums.tolist(), torch.bincount(places, minlength=len(rows)).tolist()

    def _token_losses(self, model: Any, inputs: Batch) -> tuple[Any, torch.Tensor, torch.Tensor]:
        """The model's answer; of each learned token its cross entropy, and its row in the batch."""
        learned = self.layout.learned(model, inputs)
        return learned.outputs, token_losses(learned.logits, learned.wanted), learned.places

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        take_weights(model or self.model, Path(resume_from_checkpoint))

    def _load_rng_state(self, checkpoint: str | None) -> None:
        if checkpoint is not None:
            take_random_states(Path(checkpoint))

    def _broken(self, loss: torch.Tensor, rows: torch.Tensor) -> harness.PluginError:
        if not self.model.training:
            where = "validation"
        else:
            where = "rows " + ", ".join(self.names[number] for number in rows.tolist())
        return harness.PluginError(
            f"the loss is {loss.item()} after step {self.state.global_step} of "
            f"{self.state.max_steps} ({where})",
            hint="lower train.learning_rate, or use precision: fp32",
        )


class Watch(TrainerCallback):
    """Writes the log, reports progress, stops on a gradient that is not finite.

    Args:
        further: what a Trainer logs besides, by its key there -> name in our log.
    """

    def __init__(
        self,
        context: harness.Context,
        ranks: Ranks = ALONE,
        further: Mapping[str, str] | None = None,
    ) -> None:
        self.context, self.ranks, self.further = context, ranks, further or {}
        self.path: Path = context.output / "log.jsonl"
        self.ending = True  # before the first step nothing is lost
        self.steps = 0

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.steps = state.max_steps
        self.context.progress(state.global_step, state.max_steps, "steps")

    def on_step_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        # Not at a step's end: its loss is not in the log then, and no checkpoint written. Nor
        # where the wish came after that: no checkpoint has been written for it.
        if self.ending:
            self.context.check()

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.context.report(state.global_step, state.max_steps, "steps")

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        if not logs or "loss" not in logs:
            return
        if not all(math.isfinite(logs.get(key) or 0.0) for key in ("loss", "grad_norm")):
            raise harness.PluginError(
                f"training is not finite at step {state.global_step} of {state.max_steps} "
                f"(loss {logs['loss']}, gradient {logs.get('grad_norm')})",
                hint="lower train.learning_rate, or use precision: fp32",
            )
        self.ending = self.context.cancelled()
        self.write(
            step=state.global_step,
            epoch=round(state.epoch or 0.0, 4),
            loss=logs["loss"],
            learning_rate=logs.get("learning_rate"),
            grad_norm=logs.get("grad_norm"),
            **self.ranks.shares,
            **{name: logs[key] for key, name in self.further.items() if key in logs},
        )

    def keep(self, folder: Path) -> None:
        shutil.copyfile(self.path, inside(folder, self.path.name))

    def recall(self, folder: Path) -> None:
        write_bytes(self.path, (folder / self.path.name).read_bytes())

    def write(self, **values: Any) -> None:
        """One line of the log; its losses are told with the step, too."""
        with self.path.open("a") as stream:
            stream.write(json.dumps(values) + "\n")
        losses = [f"{name} {values[name]:.4g}" for name in ("loss", "eval_loss") if name in values]
        if losses:
            self.context.report(values["step"], self.steps, ", ".join(["steps", *losses]))
