"""Keys and values of the answers in work: one slot each, written in place.

A step of decoding is one forward pass over the tokens of all slots in one row: first the last
token of each slot, then what comes before it of prompts that are new. The model sees one sequence
with positions that start anew; which tokens belong together, attention alone has to know
(:mod:`harness_transformers.kernels.decoding`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch

GROWTH = 64
"""Places that are added at least when a slot is full."""


@dataclass(slots=True)
class Layer:
    """Keys and values of one layer: slots x heads x places x dimensions."""

    keys: torch.Tensor
    values: torch.Tensor


@dataclass(frozen=True, slots=True)
class Piece:
    """The beginning of a new prompt in a step's row of tokens.

    Attributes:
        slot: where its keys and values go.
        first: its first token's place in the row.
        count: number of its tokens.
        place: position of the first of them; what lies before is in the slot already.
    """

    slot: int
    first: int
    count: int
    place: int


@dataclass(slots=True)
class Slots:
    """The memory of one run of decoding, and what the step now at work writes into it.

    Attributes:
        most: number of slots.
        places: tokens that each of them can hold; grows on demand.
        rows: slots 0 .. rows-1 take part in the step, each with its last token.
        lengths: tokens of each of them, the last one included (on the device).
        pieces: beginnings of new prompts in the step.
        bias: what is added to scores (rows x 1 x 1 x longest): 0 or -inf beyond the length.
    """

    most: int
    places: int = 0
    layers: dict[int, Layer] = field(default_factory=dict)
    rows: int = 0
    lengths: torch.Tensor = field(default_factory=lambda: torch.empty(0))
    pieces: tuple[Piece, ...] = ()
    bias: torch.Tensor = field(default_factory=lambda: torch.empty(0))

    def plan(self, lengths: list[int], pieces: tuple[Piece, ...], device: Any) -> None:
        """Make room for a step of the first ``len(lengths)`` slots."""
        longest = max(lengths)
        if longest > self.places:
            self._grow(max(longest, self.places + GROWTH))
        self.rows, self.pieces = len(lengths), pieces
        self.lengths = torch.tensor(lengths, device=device)
        beyond = torch.arange(longest, device=device) >= self.lengths[:, None]
        bias = torch.zeros(beyond.shape, device=device).masked_fill_(beyond, float("-inf"))
        self.bias = bias[:, None, None, :]

    def written(self, number: int, keys: torch.Tensor, values: torch.Tensor) -> Layer:
        """A layer's memory, with the keys and values of a step's tokens in it.

        Args:
            number: of the layer.
            keys, values: heads x tokens x dimensions.
        """
        layer = self.layers.get(number)
        if layer is None:
            layer = Layer(self._empty(keys), self._empty(values))
            self.layers[number] = layer
        slots, places = torch.arange(self.rows, device=keys.device), self.lengths - 1
        for memory, new in ((layer.keys, keys), (layer.values, values)):
            memory[slots, :, places] = new[:, : self.rows].transpose(0, 1)
            for piece in self.pieces:
                end = piece.place + piece.count
                memory[piece.slot, :, piece.place : end] = new[
                    :, piece.first : piece.first + piece.count
                ]
        return layer

    def state(self) -> dict[str, Any]:
        """What lies in the slots between two steps; see :meth:`of`."""
        layers = {number: (layer.keys, layer.values) for number, layer in self.layers.items()}
        return {"most": self.most, "places": self.places, "layers": layers}

    @classmethod
    def of(cls, state: Mapping[str, Any]) -> Slots:
        """Slots with the content that :meth:`state` gave."""
        layers = {number: Layer(*tensors) for number, tensors in state["layers"].items()}
        return cls(state["most"], state["places"], layers)

    @torch.inference_mode()
    def copy(self, source: int, target: int, length: int) -> None:
        """The first ``length`` places of one slot into another."""
        if source == target:
            return
        for layer in self.layers.values():
            for memory in (layer.keys, layer.values):
                memory[target, :, :length] = memory[source, :, :length]

    def _empty(self, like: torch.Tensor) -> torch.Tensor:
        """Zeros, because what is masked out is multiplied by 0, and must not be NaN."""
        return like.new_zeros(self.most, like.shape[0], self.places, like.shape[2])

    def _grow(self, places: int) -> None:
        before, self.places = self.places, places
        for layer in self.layers.values():
            for name in ("keys", "values"):
                old = getattr(layer, name)
                new = self._empty(old[0])
                new[:, :, :before] = old
                setattr(layer, name, new)
