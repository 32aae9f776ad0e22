"""The device that models are trained and asked on, and what it is good at: one rule for all.

It is the accelerator that torch finds (CUDA, XPU, MPS), else the CPU. The documentation says what
of this was measured; the rest is what torch and the libraries say of themselves.
"""

from __future__ import annotations

import os
import platform
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import harness


@dataclass(frozen=True, slots=True)
class Device:
    """What has to be known of a device.

    Attributes:
        type: as torch calls it (``cuda``).
        name: its class, as far as torch tells those apart that give other numbers by the same
            libraries; part of stages' keys.
        bf16: ``fast`` if it multiplies it itself, ``slow`` if it emulates it or nobody has measured
            it, ``none`` if torch cannot use it there.
        bits: whether bitsandbytes' 4 and 8 bits work there.
    """

    type: str
    name: str
    bf16: Literal["fast", "slow", "none"]
    bits: bool


def current() -> Device:
    """The device of this process."""
    import torch

    if not torch.accelerator.is_available():
        return _cpu(torch)
    kind = torch.accelerator.current_accelerator().type  # type: ignore[union-attr]
    return _KINDS[kind](torch) if kind in _KINDS else Device(kind, kind, "slow", False)


def module() -> Any | None:
    """Torch's module of the accelerator (``torch.cuda``), or None where there is only the CPU."""
    import torch

    if not torch.accelerator.is_available():
        return None
    return torch.get_device_module(torch.accelerator.current_accelerator())


def only_cpu() -> bool:
    """Whether there is no device but the CPU; this process can be forked afterwards.

    Not so a process that has looked at a GPU, and even counting looks at one where the driver's
    library for that (NVML) is not there. So a fork of it looks.
    """
    import torch

    if torch.accelerator.current_accelerator() is None:  # torch is built for none
        return True
    with warnings.catch_warnings():
        # Python 3.12 warns of threads. This fork does no more than ask torch.
        warnings.simplefilter("ignore", DeprecationWarning)
        process = os.fork()
    if not process:
        accelerated = True
        try:
            accelerated = torch.accelerator.is_available()
        finally:
            os._exit(accelerated)
    return os.waitpid(process, 0)[1] == 0


def environment(precision: str) -> dict[str, str]:
    """The device's class and the resolved dtype: what besides the libraries makes the numbers."""
    dtype = str(dtype_of(precision)).removeprefix("torch.")
    return {"device": current().name, "dtype": dtype}


def dtype_of(precision: str) -> Any:
    """``auto`` is bf16 where the device multiplies it fast, else fp32."""
    import torch

    if precision == "auto":
        precision = "bf16" if current().bf16 == "fast" else "fp32"
    return {"bf16": torch.bfloat16, "fp32": torch.float32}[precision]


def refuse(dtype: Any, quantization: str | None) -> None:
    """What the device cannot do.

    Args:
        quantization: ``4bit``, ``8bit`` or None.

    Raises:
        ConfigError: weights of that dtype, or in so few bits, cannot be used on it.
    """
    import torch

    device = current()
    if quantization is not None and not device.bits:
        raise harness.ConfigError(
            f"{quantization} weights cannot be used on this machine's {device.type} device",
            where="train.quantization",
            hint="leave quantization out, or train on a CPU, or a CUDA or XPU device",
        )
    if dtype is torch.bfloat16 and device.bf16 == "none":
        raise harness.ConfigError(
            f"this machine's {device.type} device has no bf16",
            where="precision",
            hint="precision: auto, or fp32, for train and for generate",
        )


def one_of_several(arguments: Any, context: harness.Context) -> None:
    """Have TrainingArguments use one of several visible GPUs, and say so.

    transformers would wrap the model in ``torch.nn.DataParallel``, which cuts up arguments that
    are no rows (``logits_to_keep``) and multiplies the batch. Of several processes each has one GPU
    already.
    """
    count = arguments.n_gpu
    if count > 1:
        arguments._n_gpu = 1
        context.remark(
            f"{count} GPUs are visible and training used one of them, {arguments.device}; "
            "processes: auto uses all, CUDA_VISIBLE_DEVICES chooses which"
        )


def _cpu(torch: Any) -> Device:
    # What multiplies bf16 itself; elsewhere it is emulated and slower than fp32.
    names = {"AMX": "_is_amx_tile_supported", "BF16": "_is_avx512_bf16_supported"}
    quick = [short for short, name in names.items() if getattr(torch.cpu, name, bool)()]
    name = " ".join(["cpu", torch.backends.cpu.get_cpu_capability(), *quick])
    return Device("cpu", name, _speed(bool(quick)), True)


def _cuda(torch: Any) -> Device:
    # T4 and V100 claim bf16 and compute it in several steps, slower than fp32.
    fast = torch.cuda.is_bf16_supported(including_emulation=False)
    works = fast or torch.cuda.is_bf16_supported()
    major, minor = torch.cuda.get_device_capability()
    # AMD's numbers are counted otherwise, and meet NVIDIA's.
    maker = "rocm" if torch.version.hip else "cuda"
    return Device("cuda", f"{maker} {major}.{minor}", _speed(fast, works), True)


def _xpu(torch: Any) -> Device:
    fast = torch.xpu.is_bf16_supported(including_emulation=False)
    works = fast or torch.xpu.is_bf16_supported()
    name = torch.xpu.get_device_properties().name
    return Device("xpu", f"xpu {name}", _speed(fast, works), True)


def _mps(torch: Any) -> Device:
    # The system brings the kernels, so it is part of the class. transformers loads quantised
    # weights to the CPU there, whatever bitsandbytes can.
    works = torch.backends.mps.is_macos_or_newer(14, 0)
    return Device("mps", f"mps macOS {platform.mac_ver()[0]}", _speed(False, works), False)


def _speed(fast: bool, works: bool = True) -> Literal["fast", "slow", "none"]:
    if fast:
        return "fast"
    return "slow" if works else "none"


_KINDS: dict[str, Callable[[Any], Device]] = {"cuda": _cuda, "mps": _mps, "xpu": _xpu}
