"""An export that is written: what there is to say of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from harness_transformers import devices, loading
from harness_transformers.export.fidelity import Fidelity
from harness_transformers.export.origin import Origin
from harness_transformers.export.parity import Parity, Sameness
from harness_transformers.export.transfer import Transfer

_BITS = {
    "4bit": "load_in_4bit=True, bnb_4bit_quant_type='nf4', bnb_4bit_use_double_quant=True",
    "8bit": "load_in_8bit=True",
}

ADVISED = 0.1
"""Relative error of the update from which on another type is advised."""


@dataclass(frozen=True, slots=True)
class Merging:
    """What became of the update in merged weights.

    Attributes:
        dtype: of the weights, as torch calls it.
        lost: what rounding did to the update (relative error).
        transfer: the same, as log-probabilities see it.
    """

    dtype: str
    lost: float
    transfer: Transfer

    @property
    def rounding(self) -> str:
        """What rounding did to the update."""
        return (
            f"merged in float32 and saved in {self.dtype}, which changed the update by "
            f"{self.lost:.2%} (relative error)"
        )

    @property
    def advice(self) -> str:
        """Another type, where rounding changed the update by much; else empty."""
        if self.lost <= ADVISED:
            return ""
        other = ", --dtype float16 by less" if self.dtype == "bfloat16" else ""
        return f"--dtype float32 changes the update by next to nothing{other}"

    def require(self) -> None:
        """Raises DataError where the weights do not hold what training changed."""
        ways = "without --merge the adapter is exported as it is"
        self.transfer.require(self.rounding, "; ".join(filter(None, (self.advice, ways))))


@dataclass(frozen=True, slots=True)
class File:
    """A GGUF file.

    Attributes:
        name: of the file in its folder.
        kind: of its weights, as asked for.
        kinds: kind of tensor -> how many matrices are of it.
        fidelity: what was compared of it; None where llama.cpp is not installed.
        template: whether ``Modelfile`` says how Ollama renders chats.
    """

    name: str
    kind: str
    kinds: Mapping[str, int]
    fidelity: Fidelity | None
    template: bool

    @property
    def fallback(self) -> str:
        """Which matrices are of another kind than was asked for; empty where none is."""
        own = self.kind.upper().removesuffix("_M")
        other = {kind: count for kind, count in self.kinds.items() if kind != own}
        if not other:
            return ""
        said = ", ".join(f"{count} are {kind}" for kind, count in other.items())
        return (
            f"of {sum(self.kinds.values())} matrices {said} instead of {own}: llama.cpp keeps some "
            "finer, and rows that do not fill blocks of 256 (of 32 for Q8_0) become another kind"
        )


@dataclass(frozen=True, slots=True)
class Export:
    """What was exported.

    Attributes:
        base: the base model, as whoever loads the export finds it: hub id or path.
        local: whether that is a folder of this machine which nobody named.
        licence: of the base model; empty where nobody says.
        sameness: of an adapter: its answers beside those of the run's own.
        merging: of merged weights: what became of the update.
        file: of a GGUF file: what it is.
        system_placed: whether its chat template has the system turn of all rows.
    """

    origin: Origin
    parity: Parity | None
    base: str
    local: bool
    licence: str
    sameness: Sameness | None = None
    merging: Merging | None = None
    file: File | None = None
    system_placed: bool = False

    @property
    def system_note(self) -> str:
        """How the model has to be asked so that it hears the system turn of the rows."""
        if self.system_placed:
            return "its chat template puts the run's system turn before a chat that has none"
        if self.origin.system_turns:
            return "its chat template cannot hold the run's system turn: give it with each chat"
        if any(row.system_turns for row in self.origin.stored.card.examples):
            return "the rows of dev have system turns of their own: give one with each chat"
        return ""

    @property
    def merged(self) -> bool:
        return self.merging is not None

    @property
    def kind(self) -> str:
        if self.file is not None:
            return f"GGUF file ({self.file.kind})"
        return "merged weights" if self.merged else "adapter"

    @property
    def checks(self) -> Iterator[str]:
        """What was found of it, beside the parity, a sentence each."""
        if self.sameness is not None and self.sameness.sentence:
            yield self.sameness.sentence
        if self.merging is not None:
            yield from self.merging.transfer.sentences
            yield self.merging.rounding
        if self.file is not None:
            if self.file.fidelity is None:
                yield "nothing was compared: llama.cpp was not installed where this was written"
            else:
                yield from (self.file.fidelity.verdict, *self.file.fidelity.facts)
                yield from self.file.fidelity.faults
            if self.file.fallback:
                yield self.file.fallback

    @property
    def advice(self) -> str:
        """What the command would do better by another option; empty where there is nothing."""
        return self.merging.advice if self.merging else ""

    @property
    def note(self) -> str:
        """What does not hold elsewhere; empty where all does."""
        if self.merged or self.file is not None or not self.local:
            return ""
        return (
            "adapter_config.json names the base model by a path that holds on this machine only "
            "(harness export --base ID names it for others)"
        )

    def loading_lines(self, folder: str) -> tuple[str, str]:
        """The two lines of Python that load it: an import and a call.

        Args:
            folder: where it lies, as an expression of Python.
        """
        name = "AutoModelForCausalLM" if self.merged else "AutoPeftModelForCausalLM"
        imported = f"from {'transformers' if self.merged else 'peft'} import {name}"
        arguments = [folder]
        info = self.origin.tuned.info
        bits = info.get(loading.QUANTIZATION)
        if bits is not None:
            imported += "; from transformers import BitsAndBytesConfig"
            options = _BITS[str(bits)]
            if bits == "4bit":  # computed in the type that the answers were evaluated in
                precision = self.origin.stored.config["generate"].get("precision", "auto")
                dtype = str(devices.dtype_of(precision)).removeprefix("torch.")
                options += f", bnb_4bit_compute_dtype={dtype!r}"
            arguments.append(f"quantization_config=BitsAndBytesConfig({options})")
        if info.get("trust_remote_code"):
            arguments.append("trust_remote_code=True")
        return imported, f"model = {name}.from_pretrained({', '.join(arguments)})"
