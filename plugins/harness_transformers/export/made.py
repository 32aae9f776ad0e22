"""An export that is written: what there is to say of it."""

from __future__ import annotations

from dataclasses import dataclass

from harness_transformers import devices, loading
from harness_transformers.export.origin import Origin
from harness_transformers.export.parity import Parity

_BITS = {
    "4bit": "load_in_4bit=True, bnb_4bit_quant_type='nf4', bnb_4bit_use_double_quant=True",
    "8bit": "load_in_8bit=True",
}


@dataclass(frozen=True, slots=True)
class Export:
    """What was exported.

    Attributes:
        base: the base model, as whoever loads the export finds it: hub id or path.
        local: whether that is a folder of this machine which nobody named.
        licence: of the base model; empty where nobody says.
        lost: what rounding merged weights did to the update (relative error); None of an adapter.
    """

    origin: Origin
    parity: Parity
    base: str
    local: bool
    licence: str
    lost: float | None = None

    @property
    def merged(self) -> bool:
        return self.lost is not None

    @property
    def kind(self) -> str:
        return "merged weights" if self.merged else "adapter"

    @property
    def rounding(self) -> str:
        """What merging did to the update; empty of an adapter."""
        if self.lost is None:
            return ""
        return (
            "merged in float32 and saved in the base model's type, which changed the update by "
            f"{self.lost:.2%} (relative error)"
        )

    @property
    def note(self) -> str:
        """What does not hold elsewhere; empty where all does."""
        if self.merged or not self.local:
            return ""
        return (
            "adapter_config.json names the base model by a path that holds on this machine only: "
            f"{self.base} (harness export --base ID names it for others)"
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
