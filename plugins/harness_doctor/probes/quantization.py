"""Whether bitsandbytes can be imported, and quantises."""

from __future__ import annotations

from typing import Any

from harness_doctor.probes.answering import answer, reason


def look() -> dict[str, Any]:
    """Its version, and why it quantises nothing, where it does not.

    Raises:
        Exception: whatever bitsandbytes raises that cannot be imported.
    """
    import bitsandbytes
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    found = {"version": str(bitsandbytes.__version__), "device": device}
    try:
        # Without its own library bitsandbytes can be imported, and fails in its first function.
        bitsandbytes.functional.quantize_4bit(torch.ones(64, device=device), quant_type="nf4")
    except Exception as error:
        return {**found, "error": reason(error)}
    return found


if __name__ == "__main__":
    answer(look)
