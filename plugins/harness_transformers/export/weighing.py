"""The weights of a GGUF file beside those that training made.

What training changed in a weight, D, is looked for in the file: the share of it that is there is
``<F - B, D> / <D, D>``, with F the file's weight and B the base model's. Rounding errors are as
good as unrelated to D, so that the share is 1 up to their size over that of D. Where the base
model's weights lie on a coarse grid, rounding may take a small D away, or round it up: the share
has to be the one that B + D has, rounded to the tensor's kind.

Two shares are looked at: that of each tensor of a fine kind, and the pooled one of all tensors,
``sum <F - B, D> / sum <D, D>``, whatever their kinds. Over a whole file its standard error is tiny.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import harness
from harness_transformers import loading
from harness_transformers.llamacpp import asking, families, library, writing

SHARE = 0.05
"""How far a share may be from 1, and beside it six times its standard error."""
FINE = ("F32", "F16", "BF16", "Q8_0")
"""Kinds of which each tensor is held to it. How coarser kinds round differs between programs: of
these all tensors together are."""
IMPORTANCE = "quantize.imatrix.file"
"""Key of a file whose rounding weighed numbers by what they do, and cannot be repeated here."""
ERRORS: Mapping[str, float] = {
    "F32": 1e-5, "F16": 2e-3, "BF16": 0.01, "Q8_0": 0.02, "Q6_K": 0.05, "Q5_K": 0.09, "Q5_1": 0.09,
    "Q5_0": 0.11, "Q4_K": 0.17, "Q4_1": 0.18, "Q4_0": 0.2,
}  # fmt: skip
"""Kind of tensor -> most relative error (Frobenius norm) of its rounding."""
SHOWN = 5


@dataclass(frozen=True, slots=True)
class Tensor:
    """A weight in the file.

    Attributes:
        kind: as ``gguf`` calls it.
        error: relative error beside what training made.
        share: how much of what training changed is there; None where it changed nothing.
        se: standard error of the share.
        alone: the share that rounding to the kind alone leaves; 1 where it was not asked.
        changed: squared norm of what training changed.
    """

    name: str
    kind: str
    error: float
    share: float | None = None
    se: float = 0.0
    alone: float = 1.0
    changed: float = 0.0

    @property
    def trouble(self) -> str:
        """What is wrong with it, or empty."""
        share = self.share if self.kind in FINE else None
        if share is not None and not _near(share, self.alone, self.se):
            return f"{self.name} ({self.kind}): {_there(share, self.se, self.alone)}"
        most = ERRORS.get(self.kind, 0.3)
        if not self.error <= most:
            allowed = f"at most {most:.1%} is rounding"
            return f"{self.name} ({self.kind}): off by {self.error:.1%}, {allowed}"
        return ""


@dataclass(frozen=True, slots=True)
class Pooled:
    """How much of all that training changed is in a file's tensors together.

    Attributes:
        share: ``sum <F - B, D> / sum <D, D>`` over the tensors.
        se: its standard error, by errors of rounding that know nothing of each other:
            ``sqrt(sum (se_t <D_t, D_t>)^2) / sum <D, D>``.
        alone: the share that rounding to the tensors' kinds alone leaves; NaN where nobody knows.
        repeated: whether that rounding is the file's own.
    """

    share: float
    se: float
    alone: float
    repeated: bool = True

    @property
    def near(self) -> bool:
        """Whether all of it is there."""
        return _near(self.share, 1.0, self.se)

    @property
    def holds(self) -> bool:
        """Whether as much is there as rounding leaves.

        A rounding that cannot be repeated here may leave all of it, and where an ordinary one does
        not, nobody knows what it leaves.
        """
        if self.repeated:
            return _near(self.share, self.alone, self.se)
        return self.near or not _near(self.alone, 1.0, self.se)


@dataclass(frozen=True, slots=True)
class Weights:
    """All weights of a file.

    Attributes:
        tensors: with their figures.
        odd: names that one side has alone, and shapes that differ.
        repeated: see :class:`Pooled`.
    """

    tensors: tuple[Tensor, ...]
    odd: tuple[str, ...]
    repeated: bool = True

    @property
    def pooled(self) -> Pooled | None:
        """Of all tensors together; None where training changed none."""
        return pooled(self.tensors, repeated=self.repeated)

    @property
    def troubles(self) -> list[str]:
        """What is wrong, the first few."""
        whole = self.pooled
        together = [] if whole is None or whole.holds else [
            f"all weights together: {_there(whole.share, whole.se, whole.alone)}"
        ]  # fmt: skip
        single = filter(None, (tensor.trouble for tensor in self.tensors))
        every = [*self.odd, *together, *single]
        return every[:SHOWN] + ([f"and {len(every) - SHOWN} more"] if len(every) > SHOWN else [])

    @property
    def rounded(self) -> bool:
        """Whether they are those after training, rounded, as far as that can be told."""
        return not self.troubles

    @property
    def sentence(self) -> str:
        """How much of the training is there, of all weights together."""
        shares = [tensor.share for tensor in self.tensors if tensor.share is not None]
        most = max((tensor.error for tensor in self.tensors), default=0.0)
        error = f"the weights of the file are off by {most:.2%} at most (relative error)"
        whole = self.pooled
        if whole is None:
            return error
        return (
            f"{error}; of what training changed in {len(shares)} of them, {min(shares):.3f} to "
            f"{max(shares):.3f} is there, {whole.share:.3f} of all together (1 is all of it; "
            f"standard error {whole.se:.2g})"
        )


def pooled(tensors: Sequence[Tensor], *, repeated: bool = True) -> Pooled | None:
    """The shares of tensors as one; None where training changed none of them."""
    changed = [(tensor, tensor.share) for tensor in tensors if tensor.share is not None]
    if not changed:
        return None
    whole = math.fsum(tensor.changed for tensor, _ in changed)
    share = math.fsum(share * tensor.changed for tensor, share in changed) / whole
    alone = math.fsum(tensor.alone * tensor.changed for tensor, _ in changed) / whole
    se = math.sqrt(math.fsum((tensor.se * tensor.changed) ** 2 for tensor, _ in changed)) / whole
    return Pooled(share, se, alone, repeated)


def weighed(tuned: harness.Checkpoint, path: Path, model: Any = None) -> Weights:
    """The weights of a file beside those of a checkpoint.

    Args:
        model: the checkpoint's, merged in float32; None: it is made.

    Raises:
        DataError: it is no GGUF file.
        UsageError: the model's family is not known.
    """
    model = asking.merged(tuned) if model is None else model
    base = loading.base_of(loading.without_adapter(tuned), "auto").state_dict()
    config = model.config.get_text_config()
    family = families.family_of(config)
    due = dict(families.tensors(config, family, model.state_dict()))
    before = dict(families.tensors(config, family, base, every=True))
    file = writing.read(path)
    there = {tensor.name: tensor for tensor in file.tensors}
    # llama.cpp takes the embeddings where a file has no output matrix.
    odd = [f"{name}: not in the file" for name in due if name not in there]
    odd += [f"{name}: only in the file" for name in there if name not in due and name in before]
    tensors = [*_compared(due, before, there, odd)]
    whole, repeated = pooled(tensors), IMPORTANCE not in file.fields
    with library.rounding() as rounding:
        for place, tensor in enumerate(tensors):
            if tensor.share is None or whole is None or not _asked(tensor, whole):
                continue
            wanted, name = due[tensor.name](), tensor.name
            try:
                off = rounding(wanted, there[name].tensor_type) - wanted
                alone = 1 + float(np.vdot(off, wanted - before[name]())) / tensor.changed
            except harness.EnvironmentFailure:
                repeated, alone = False, math.nan
            tensors[place] = dataclasses.replace(tensor, alone=alone)
    return Weights(tuple(tensors), tuple(odd), repeated)


def _asked(tensor: Tensor, whole: Pooled) -> bool:
    """Whether it has to be known what rounding alone does to a tensor: of a fine kind it does
    nothing, as long as nothing is amiss."""
    apart = tensor.share is not None and not _near(tensor.share, 1.0, tensor.se)
    return tensor.kind not in FINE or apart or not whole.near


def _compared(
    due: Mapping[str, Any], before: Mapping[str, Any], there: Mapping[str, Any], odd: list[str]
) -> Iterator[Tensor]:
    import gguf

    for name in filter(there.__contains__, due):
        tensor, wanted = there[name], due[name]()
        kind = tensor.tensor_type.name
        try:
            written = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
        except NotImplementedError:
            odd.append(f"{name}: of a kind ({kind}) that cannot be read here")
            continue
        if written.size != wanted.size:
            odd.append(f"{name}: of {written.size} numbers, not {wanted.size}")
            continue
        written = written.reshape(wanted.shape)
        off = written - wanted
        size = float(np.linalg.norm(wanted))
        error = float(np.linalg.norm(off)) / size if size else float(np.linalg.norm(off))
        changed = wanted - before[name]() if name in before else np.zeros_like(wanted)
        whole = float(np.vdot(changed, changed))
        if whole <= 1e-12 * size**2 or not whole:
            yield Tensor(name, kind, error)
            continue
        share = 1 + float(np.vdot(off, changed)) / whole
        se = float(np.sqrt(np.mean(np.square(off, dtype=np.float64)) / whole))
        yield Tensor(name, kind, error, share, se, changed=whole)


def _near(share: float, due: float, se: float) -> bool:
    return abs(share - due) <= SHARE + 6 * se


def _there(share: float, se: float, alone: float) -> str:
    return (
        f"{share:.3f} of what training changed is there (standard error {se:.3f}), and "
        f"{alone:.3f} is by rounding alone"
    )
