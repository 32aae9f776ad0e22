"""The build of torch, the devices that it can use, and bitsandbytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.kit.numbers import gigabytes
from harness_doctor.findings import Section, Trouble
from harness_doctor.probing import Answer
from harness_doctor.sections.libraries import requirement

SLOW_CURE = "harness doctor --seconds 60"
_GPU_FILES = (Path("/proc/driver/nvidia/version"), Path("/dev/nvidia0"), Path("/dev/kfd"))
"""There where a GPU of NVIDIA or AMD and its driver are."""


def section(
    torch: Answer, bits: Answer, *, cores: int, needs_bits: bool, gpu: bool | None = None
) -> Section:
    """What torch said.

    Args:
        cores: that this process may use.
        needs_bits: whether the config asks for bitsandbytes.
        gpu: whether the machine has one; None looks for it.
    """
    found = torch.found
    values = {
        **found,
        "loads": not torch.failure,
        "bitsandbytes": {**bits.found, "loads": not bits.failure, "reason": bits.failure},
    }
    if torch.failure:
        values["reason"] = torch.failure
        facts = {
            "torch": f"{'not loaded yet' if torch.late else 'cannot be loaded'}: {torch.failure}"
        }
        troubles = [_broken(torch)]
    else:
        facts = _facts(found)
        there = any(map(Path.exists, _GPU_FILES)) if gpu is None else gpu
        troubles = [*_idle_gpu(found, there), *_threads(found, cores)]
    facts["bitsandbytes"] = _bits_fact(bits)
    # Without torch it cannot be imported: one trouble is enough.
    if bits.failure and not torch.failure:
        troubles.append(_bits_trouble(bits, needs_bits))
    return Section("torch", "Torch", facts, values, tuple(troubles))


def _facts(found: Mapping[str, Any]) -> dict[str, str]:
    build = "a build for the CPU"
    if found.get("cuda"):
        build = f"a build for CUDA {found['cuda']}"
    elif found.get("rocm"):
        build = f"a build for ROCm {found['rocm']}"
    told = {True: ", fast bf16", False: ", bf16 slower than fp32", None: ""}
    bf16 = told[found.get("cpu_bf16")]
    devices = found.get("devices") or []
    return {
        "torch": f"{found.get('version')}, {build}",
        "GPU": "; ".join(map(_device, devices)) or "none: models are trained on the CPU",
        "CPU": f"{found.get('cpu')}{bf16}, {found.get('threads')} threads",
    }


def _device(one: Mapping[str, Any]) -> str:
    parts = [f"{one['kind']} {one.get('capability', '')}".strip()]
    if one.get("memory"):
        free = f", {gigabytes(one['free'])} free" if one.get("free") is not None else ""
        parts.append(f"{gigabytes(one['memory'])}{free}")
    return f"{one['name']} ({', '.join(parts)})"


def _broken(torch: Answer) -> Trouble:
    if torch.late:
        return Trouble(
            f"torch was not loaded yet: {torch.failure}",
            "whether it works is not known; its first load from a slow disk takes long",
            SLOW_CURE,
            "warning",
        )
    return Trouble(
        f"torch cannot be loaded: {torch.failure}",
        "no model can be trained or asked without it",
        f"pip install --force-reinstall '{requirement('torch')}'",
    )


def _idle_gpu(found: Mapping[str, Any], gpu: bool) -> Iterator[Trouble]:
    """A GPU that torch does not use."""
    if found.get("devices") or not gpu:
        return
    if found.get("cuda_failure"):
        what = f"torch cannot use the GPU: {found['cuda_failure']}"
        cure = "update the GPU's driver, or install a build of torch for an older CUDA"
    else:
        what = "this machine has a GPU, and torch is a build that cannot use it"
        cure = f"pip install --force-reinstall '{requirement('torch')}'"
    yield Trouble(what, "training on the CPU takes many times as long", cure, "warning")


def _threads(found: Mapping[str, Any], cores: int) -> Iterator[Trouble]:
    """More threads than cores: as in a container that is allowed few of many."""
    threads = found.get("threads")
    if isinstance(threads, int) and threads > 2 * cores and not found.get("devices"):
        yield Trouble(
            f"torch starts {threads} threads, and {cores} cores may be used",
            "they get in each other's way, and training takes longer than with fewer",
            f"export OMP_NUM_THREADS={cores}",
            "warning",
        )


def _bits_fact(bits: Answer) -> str:
    version = bits.found.get("version", "")
    if bits.failure:
        state = "was not loaded yet" if bits.late else "does not work"
        return f"{version} {state}: {bits.failure}".strip()
    return f"{version} works on {bits.found.get('device')}"


def _bits_trouble(bits: Answer, needed: bool) -> Trouble:
    if bits.late:
        what, cure = f"bitsandbytes was not loaded yet: {bits.failure}", SLOW_CURE
    else:
        what = f"bitsandbytes does not work: {bits.failure}"
        cure = f"pip install --force-reinstall '{requirement('bitsandbytes')}'"
    why = "the config asks for it (quantization)" if needed else "4 and 8 bits cannot be used"
    return Trouble(what, why, cure, "problem" if needed and not bits.late else "warning")
