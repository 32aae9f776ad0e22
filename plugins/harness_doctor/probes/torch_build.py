"""Which torch is installed, and which devices it can use."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from harness_doctor.probes.answering import answer, reason


def look() -> dict[str, Any]:
    """Version, build and devices.

    Raises:
        Exception: whatever torch raises that cannot be imported, or is no torch.
    """
    import torch

    return {
        "version": str(torch.__version__),
        "cuda": torch.version.cuda,
        "rocm": getattr(torch.version, "hip", None),
        "threads": torch.get_num_threads(),
        "cpu": torch.backends.cpu.get_cpu_capability(),
        "cpu_bf16": _cpu_bf16(torch),
        "devices": [*_cuda(torch), *_mps(torch), *_xpu(torch)],
        "cuda_failure": _cuda_failure(torch),
    }


def _cpu_bf16(torch: Any) -> bool | None:
    """Whether the CPU multiplies bf16 itself; None where torch does not tell."""
    names = ("_is_amx_tile_supported", "_is_avx512_bf16_supported")
    told = [getattr(torch.cpu, name) for name in names if hasattr(torch.cpu, name)]
    return any(one() for one in told) if told else None


def _cuda(torch: Any) -> Iterator[dict[str, Any]]:
    if not torch.cuda.is_available():
        return
    for number in range(torch.cuda.device_count()):
        about = torch.cuda.get_device_properties(number)
        free = None
        with contextlib.suppress(RuntimeError):  # other programs hold all of its memory
            free = torch.cuda.mem_get_info(number)[0]
        yield {
            "kind": "cuda", "name": about.name, "memory": about.total_memory, "free": free,
            "capability": f"{about.major}.{about.minor}",
            # GPUs before Ampere claim bf16 and compute it in several steps.
            "bf16": about.major >= 8,
        }  # fmt: skip


def _mps(torch: Any) -> Iterator[dict[str, Any]]:
    if torch.backends.mps.is_available():
        memory = None
        with contextlib.suppress(AttributeError, RuntimeError):
            memory = torch.mps.recommended_max_memory()
        yield {"kind": "mps", "name": "Apple GPU", "memory": memory, "free": None}


def _xpu(torch: Any) -> Iterator[dict[str, Any]]:
    if not hasattr(torch, "xpu") or not torch.xpu.is_available():
        return
    for number in range(torch.xpu.device_count()):
        about = torch.xpu.get_device_properties(number)
        yield {"kind": "xpu", "name": about.name, "memory": about.total_memory, "free": None}


def _cuda_failure(torch: Any) -> str:
    """Why a build for GPUs finds none, in torch's own words; empty where it finds one."""
    if torch.version.cuda is None or torch.cuda.is_available():
        return ""
    try:
        torch.cuda.init()
    except Exception as error:
        return reason(error)
    return "torch names no reason"


if __name__ == "__main__":
    answer(look)
