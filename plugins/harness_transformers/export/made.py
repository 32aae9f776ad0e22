"""An export is made: its files are written and checked, and what there is to say of it is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import harness
from harness.kit.terminal.progress import Display
from harness_transformers import devices, loading
from harness_transformers.export import (
    fidelity,
    modelfile,
    parity,
    system_turn,
    transfer,
    weights,
)
from harness_transformers.export.origin import Origin
from harness_transformers.export.parity import Parity
from harness_transformers.export.request import Request
from harness_transformers.export.transfer import Transfer
from harness_transformers.llamacpp import asking, library, writing

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

    @property
    def checks(self) -> tuple[str, ...]:
        """What was found, a sentence each."""
        return (*self.transfer.sentences, self.rounding)

    def require(self) -> None:
        """Raises DataError where the weights do not hold what training changed."""
        ways = "without --merge the adapter is exported as it is"
        self.transfer.require(self.rounding, "; ".join(filter(None, (self.advice, ways))))


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """What was exported.

    Attributes:
        origin: what it was made of.
        library: that loads it, as hubs call it: ``peft``, ``transformers`` or ``gguf``.
        kind: what it is, in words.
        base: the base model, as whoever loads the export finds it: hub id or path.
        licence: of the base model; empty where nobody says.
        parity: its answers beside the run's; None where nothing was compared.
        checks: what else was found of it, a sentence each.
        system_placed: whether its chat template has the system turn of all rows.
        advice: what the command would do better by another option, or empty.
        note: what does not hold elsewhere, or empty.
        file: name of the GGUF file, or empty.
        rendered: whether the file's ``Modelfile`` says how Ollama renders chats.
    """

    origin: Origin
    library: str
    kind: str
    base: str
    licence: str
    parity: Parity | None
    checks: Sequence[str]
    system_placed: bool
    advice: str = ""
    note: str = ""
    file: str = ""
    rendered: bool = False

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

    def loading_lines(self, folder: str) -> tuple[str, str]:
        """The two lines of Python that load it: an import and a call.

        Args:
            folder: where it lies, as an expression of Python.
        """
        name = "AutoPeftModelForCausalLM" if self.library == "peft" else "AutoModelForCausalLM"
        imported = f"from {self.library} import {name}"
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


def adapter(
    request: Request, origin: Origin, licence: str, folder: Path, display: Display
) -> Export:
    """The adapter as it was trained, with the tokenizer.

    Raises:
        DataError: it does not answer as the run's own.
    """
    base = request.base or origin.base_folder
    display.stage("write the files")
    asked = system_turn.placed(origin.tuned, origin.system_turns)
    weights.write_tokenizer(asked, folder)
    weights.write_adapter(origin.tuned, base, folder)
    parity.check_prompts(origin, folder)
    display.stage_done("write", "write the files", 0.0, False)
    exported, report = parity.as_checkpoint(origin, folder, merged=False), display.stage("generate")
    answers = parity.dev_answers(exported, origin, None, report)
    sameness = parity.same(exported, origin, answers, report)
    sameness.require()
    note = (
        "adapter_config.json names the base model by a path that holds on this machine only "
        "(harness export --base ID names it for others)"
    )
    return Export(
        origin=origin, library="peft", kind="adapter", base=base, licence=licence,
        parity=parity.compare(origin, answers), checks=[*filter(None, [sameness.sentence])],
        system_placed=asked is not origin.tuned, note="" if request.base else note,
    )  # fmt: skip


def merged(
    request: Request, origin: Origin, licence: str, folder: Path, display: Display
) -> Export:
    """Whole weights, with the tokenizer.

    Raises:
        UsageError: the base model's weights are of a type that cannot be checked.
        DataError: they are not what merging gives.
    """
    display.stage("write the files")
    asked = system_turn.placed(origin.tuned, origin.system_turns)
    weights.write_tokenizer(asked, folder)
    dtype, lost = weights.write_merged(origin.tuned, folder, request.dtype)
    parity.check_prompts(origin, folder)
    display.stage_done("write", "write the files", 0.0, False)
    exported, report = parity.as_checkpoint(origin, folder, merged=True), display.stage("generate")
    if names := weights.strange(origin.tuned, loading.base_of(exported, "auto")):
        raise harness.DataError(
            f"{len(names)} of the exported weights are not the base model's with the adapter, "
            "added in float32 and rounded once",
            details=names[:5],
            hint="nothing was written; without --merge the adapter is exported as it is",
        )
    limits = transfer.LIMITS[dtype]
    merging = Merging(dtype, lost, transfer.measured(exported, origin, limits, report))
    merging.require()
    answers = parity.dev_answers(exported, origin, dtype, report)
    return Export(
        origin=origin, library="transformers", kind="merged weights",
        base=request.base or origin.base_folder, licence=licence,
        parity=parity.compare(origin, answers), checks=merging.checks,
        system_placed=asked is not origin.tuned, advice=merging.advice,
    )  # fmt: skip


def gguf(request: Request, origin: Origin, licence: str, folder: Path, display: Display) -> Export:
    """A GGUF file with its ``Modelfile``, compared with what was evaluated.

    Raises:
        UsageError: such a model is not written.
        DataError: the file is refused.
        EnvironmentFailure: llama.cpp fails.
    """
    kind = request.quantize or "f16"
    path = folder / f"model-{kind}.gguf"
    asked = system_turn.placed(origin.tuned, origin.system_turns)
    asking.written(asked, path, kind, display.stage("write the file"))
    rendered = modelfile.write(origin, folder, path.name)
    weights.write_legal(origin.tuned, folder)
    display.stage_done("write", "write the file", 0.0, False)
    compared, checks = (
        None,
        ["nothing was compared: llama.cpp was not installed where this was written"],
    )
    if library.installed():
        report = display.stage("generate")
        seen = fidelity.checked(origin, path, kind, request.tolerance, report)
        compared, checks = seen.parity, [seen.verdict, *seen.facts, *seen.faults]
        if seen.outcome == "refused" and not request.anyway:
            raise harness.DataError(
                f"the file is not what was evaluated: {seen.verdict}",
                details=[*seen.faults[1:], *seen.facts, seen.parity.sentence],
                hint="nothing was written; "
                + (f"{seen.finer}, and " if seen.finer else "")
                + "--anyway writes the file with these figures in its card",
            )
    checks += _fallback(kind, writing.kinds_of(path))
    return Export(
        origin=origin, library="gguf", kind=f"GGUF file ({kind})", base=origin.base_folder,
        licence=licence, parity=compared, checks=checks, file=path.name, rendered=rendered,
        system_placed=asked is not origin.tuned,
    )  # fmt: skip


def _fallback(kind: str, kinds: Mapping[str, int]) -> list[str]:
    """Which matrices of a file are of another kind than was asked for; empty where none is.

    Args:
        kinds: kind of tensor -> how many matrices are of it.
    """
    own = kind.upper().removesuffix("_M")
    other = ", ".join(f"{count} are {name}" for name, count in kinds.items() if name != own)
    if not other:
        return []
    return [
        f"of {sum(kinds.values())} matrices {other} instead of {own}: llama.cpp keeps some "
        "finer, and rows that do not fill blocks of 256 (of 32 for Q8_0) become another kind"
    ]
