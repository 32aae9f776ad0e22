"""Greedy decoding that computes nothing twice and nothing for answers that have ended.

Prompts of one experiment mostly begin alike (the system turn, the instruction): what all of them
have in common goes through the model once, and what a prompt has in common with an earlier one is
copied from there. An answer that has ended makes room for the next prompt at once, so that each
pass over the weights serves as many answers as are allowed. The answers are those of
``model.generate``.
"""

from __future__ import annotations

import inspect
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

from harness_transformers.grammar import Grammar
from harness_transformers.kernels import decoding
from harness_transformers.kernels.installing import agrees, installed
from harness_transformers.rope import original, ropes
from harness_transformers.slots import Piece, Slots
from harness_transformers.stops import Stops

Tokens = Sequence[int]


def suits(model: Any, prompts: Sequence[Tokens], limit: int) -> bool:
    """True if the model can be decoded here: a token adds a key and a value to each layer.

    Not so with sliding windows, states in place of a cache, positions of the model's own, or
    attention of its own: the ends of two prompts are computed here and by the model alone.

    Args:
        prompts: at least one.
        limit: tokens of the longest answer.
    """
    parameters = inspect.signature(model.forward).parameters
    return (
        {"logits_to_keep", "position_ids"} <= set(parameters)
        and "local" not in getattr(model.config, "attention_layers", ())
        and not stretches(model.config, max(map(len, prompts)) + limit)
        and all(type(layer) is DynamicLayer for layer in DynamicCache(config=model.config).layers)
        and _agrees(model, [prompts[0][-8:], prompts[-1][-5:]])
    )


def _agrees(model: Any, prompts: Sequence[Tokens]) -> bool:
    """Whether both ways give the same logits, up to rounding."""
    work = [Answer(number, prompt) for number, prompt in enumerate(prompts)]
    new = dict.fromkeys(range(len(work)), 0)

    def alone(prompt: Tokens) -> torch.Tensor:
        logits: torch.Tensor = model(input_ids=torch.tensor([prompt], device=model.device)).logits
        return logits[0, -1]

    return agrees(
        model,
        decoding.NAME,
        lambda: _logits(model, Slots(len(work)), work, new),
        lambda: torch.stack([alone(prompt) for prompt in prompts]),
    )


def stretches(config: Any, length: int) -> bool:
    """True if rotary positions change once a sequence is as long as that.

    They then depend on the longest sequence of a batch, and cached keys on when they were made.
    """
    text = config.get_text_config()
    return any(
        rope.get("rope_type") in ("dynamic", "longrope") and length > original(text, rope)
        for rope in ropes(text)
    )


def shared(prompts: Sequence[Tokens]) -> int:
    """Length of the beginning that all prompts have in common, at least one token left over."""
    first, last = min(prompts, key=tuple), max(prompts, key=tuple)
    return _alike(first, last, min(map(len, prompts)) - 1)


def _alike(some: Tokens, other: Tokens, most: int) -> int:
    """How many of the first ``most`` tokens are the same from the beginning on."""
    return next((place for place in range(most) if some[place] != other[place]), max(most, 0))


@dataclass(slots=True)
class Answer:
    """An answer in work: the number of its prompt, the prompt, and the tokens so far."""

    number: int
    prompt: Tokens
    tokens: list[int] = field(default_factory=list)

    @property
    def length(self) -> int:
        """Tokens of prompt and answer."""
        return len(self.prompt) + len(self.tokens)

    @property
    def last(self) -> int:
        return self.tokens[-1] if self.tokens else self.prompt[-1]


MOST_NEW = 512
"""Once so many tokens of new prompts are in a step, further prompts wait for the next one.

A pass over the weights is worth while then, and what a pass needs of memory is bounded.
"""


class Greedy:
    """Decodes prompts, a number of them at a time.

    Args:
        stops: what ends an answer.
        most: answers in work at the same time.
        check: called after each step, between which :meth:`state` can be taken; may raise.
        grammar: holds answers to a form; None: they are free.
    """

    def __init__(
        self,
        model: Any,
        stops: Stops,
        most: int,
        check: Callable[[], None],
        grammar: Grammar | None = None,
    ) -> None:
        self.model, self.stops, self.most, self.check = model, stops, most, check
        self.grammar = grammar

    def answers(
        self, prompts: Sequence[Tokens], limit: int, state: Mapping[str, Any] | None = None
    ) -> Iterator[tuple[int, list[int]]]:
        """A prompt's number and up to ``limit`` tokens, the stop token included.

        Prompts are begun in the order given; answers come as they end.

        Args:
            state: where decoding of the same prompts stopped; the rest comes as it would have come.
        """
        with installed(self.model, decoding.NAME):
            if state is None:
                self._begin(prompts)
            else:
                self._take(prompts, state)
            yield from self._answers(limit)

    def state(self) -> dict[str, Any]:
        """Where decoding is after a step, as values that ``torch.save`` takes.

        The keys and values are part of it: computed again, in other company, they would be the same
        up to rounding alone.
        """
        return {
            "slots": self.slots.state(),
            "work": [(answer.number, answer.tokens) for answer in self.work],
            "held": self.held,
            "ended": self.ended,
            "waiting": [number for number, _ in self.waiting],
        }

    def _begin(self, prompts: Sequence[Tokens]) -> None:
        self.slots = Slots(min(self.most, len(prompts)))
        self.held: list[Tokens] = [()] * self.slots.most
        if known := shared(prompts):
            self.held[0] = list(prompts[0][:known])
            _logits(self.model, self.slots, [Answer(0, self.held[0])], {0: 0})
        self.waiting = deque(enumerate(prompts))
        self.work: list[Answer] = []
        self.ended: list[int] = []

    def _take(self, prompts: Sequence[Tokens], state: Mapping[str, Any]) -> None:
        self.slots = Slots.of(state["slots"])
        self.held, self.ended = list(state["held"]), list(state["ended"])
        self.waiting = deque((number, prompts[number]) for number in state["waiting"])
        self.work = [Answer(number, prompts[number], list(t)) for number, t in state["work"]]

    def _answers(self, limit: int) -> Iterator[tuple[int, list[int]]]:
        slots, work, held = self.slots, self.work, self.held
        while True:
            new = _fill(slots, work, self.ended, self.waiting, held)
            if not work:
                return
            logits = _logits(self.model, slots, work, new)
            tokens = logits.argmax(-1).tolist()
            if self.grammar is not None:
                tokens = [
                    self.grammar.token(answer.number, answer.tokens, token, _among(row))
                    for answer, token, row in zip(work, tokens, logits, strict=True)
                ]
            for slot in new:
                held[slot] = work[slot].prompt
            self.ended = []
            for slot, (answer, token) in enumerate(zip(work, tokens, strict=True)):
                answer.tokens.append(token)
                if len(answer.tokens) == limit or self.stops.ended(answer.tokens):
                    self.ended.append(slot)
                    yield answer.number, answer.tokens
            self.check()


def _among(logits: torch.Tensor) -> Callable[[Any], int]:
    """The likeliest token of those that a vector of booleans names."""

    def likeliest(allowed: Any) -> int:
        mask = torch.from_numpy(allowed).to(logits.device)
        return int(logits.masked_fill(~mask, -torch.inf).argmax())

    return likeliest


def _fill(
    slots: Slots,
    work: list[Answer],
    ended: Sequence[int],
    waiting: deque[tuple[int, Tokens]],
    held: list[Tokens],
) -> dict[int, int]:
    """Give free slots to waiting prompts; answers in work have the first slots afterwards.

    Args:
        ended: slots whose answers have ended, in ascending order.
        held: of each slot, tokens whose keys and values are in it, from the first place on.

    Returns:
        Slots of new prompts -> how many tokens of the prompt are in them already.
    """
    new: dict[int, int] = {}
    count = 0
    free = deque([*ended, *range(len(work), slots.most)])
    while waiting and free and count < MOST_NEW:
        slot, (number, prompt) = free.popleft(), waiting.popleft()
        work[slot : slot + 1] = [Answer(number, prompt)]
        source, new[slot] = _best(held, prompt)
        slots.copy(source, slot, new[slot])
        held[slot] = prompt[: new[slot]]
        count += len(prompt) - 1 - new[slot]
    for slot in reversed([slot for slot in ended if slot not in new]):
        moved = work.pop()
        if slot < len(work):
            slots.copy(len(work), slot, moved.length)
            work[slot], held[slot] = moved, moved.prompt
    return new


def _best(held: Sequence[Tokens], prompt: Tokens) -> tuple[int, int]:
    """The slot that has most of a prompt's beginning, and how much, short of its last token."""
    alike = [_alike(prompt, tokens, min(len(prompt) - 1, len(tokens))) for tokens in held]
    most = max(alike)
    return alike.index(most), most


@torch.inference_mode()
def _logits(
    model: Any, slots: Slots, work: Sequence[Answer], new: Mapping[int, int]
) -> torch.Tensor:
    """Logits for the next token of each answer in work (answers x vocabulary).

    One row of tokens goes through the model: the last one of each answer, which sees what its slot
    holds, and after these what new prompts have before their last one.

    Args:
        new: slots of new prompts -> tokens of the prompt that are in them already.
    """
    ids = [answer.last for answer in work]
    positions = [answer.length - 1 for answer in work]
    pieces = []
    for slot, known in new.items():
        tokens = work[slot].prompt[known:-1]
        pieces.append(Piece(slot, len(ids), len(tokens), known))
        ids += tokens
        positions += range(known, known + len(tokens))
    slots.plan([answer.length for answer in work], tuple(pieces), model.device)
    logits: torch.Tensor = model(
        input_ids=torch.tensor([ids], device=model.device),
        position_ids=torch.tensor([positions], device=model.device),
        use_cache=False,
        # Places, not a number: that would be a view with gaps, for which torch copies the whole
        # output matrix (measured: two thirds of a prompt's time, 1.8 GB).
        logits_to_keep=torch.arange(len(work), device=model.device),
        slots=slots,
    ).logits
    return logits[0]
