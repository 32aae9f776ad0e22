"""Torch and the devices that it can use: looked at in a process of its own.

Its import takes seconds, may fail in any way, and may end the process that it is in. This module is
both sides: :func:`section` starts it as ``python -m harness_doctor.torch``, whose :func:`_look`
prints one JSON object.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from harness.errors.installing import missing
from harness.kit import cgroups, gate
from harness.kit.numbers import gigabytes
from harness.kit.text import one_line
from harness_doctor.findings import Section, Trouble

SECONDS = 120
"""Longest wait: the first import from a slow disk takes long."""
_GPU_FILES = (Path("/proc/driver/nvidia/version"), Path("/dev/nvidia0"), Path("/dev/kfd"))
"""There where a GPU of NVIDIA or AMD and its driver are."""
_AGAIN = "pip install --force-reinstall"


def section(bitsandbytes: bool) -> Section:
    """What torch says of itself and of this machine.

    Args:
        bitsandbytes: whether the config needs it, so that it is tried too.
    """
    if importlib.util.find_spec("torch") is None:
        facts = {"torch": missing(["torch"])}
        return Section("Torch", facts, facts, [])
    build = _ask(bitsandbytes)
    if "error" in build:
        what = f"torch cannot be loaded: {build['error']}"
        facts = {"torch": what}
        return Section("Torch", facts, build, [Trouble(what, f"{_AGAIN} torch")])
    kind = f"CUDA {build['cuda']}" if build["cuda"] else "the CPU"
    kind = f"ROCm {build['rocm']}" if build["rocm"] else kind
    fast = {True: ", fast bf16", False: ", bf16 slower than fp32", None: ""}[build["cpu_bf16"]]
    facts = {
        "torch": f"{build['version']}, a build for {kind}",
        "GPU": "; ".join(map(_device, build["devices"])) or "none: models are trained on the CPU",
        "CPU": f"{build['cpu']}{fast}, {build['threads']} threads",
    }
    if bitsandbytes:
        facts["bitsandbytes"] = build["bitsandbytes"] or "works"
    return Section("Torch", facts, build, list(_troubles(build)))


def _device(device: Mapping[str, Any]) -> str:
    memory = f", {gigabytes(device['memory'])}" if device["memory"] else ""
    return f"{device['name']} ({device['kind']}{memory}{', bf16' if device['bf16'] else ''})"


def _troubles(build: Mapping[str, Any]) -> Iterator[Trouble]:
    slow = "training on the CPU takes many times as long"
    cores = cgroups.cores(cgroups.limits())
    if not build["devices"] and any(path.exists() for path in _GPU_FILES):
        what = f"torch does not use this machine's GPU: {build['no_cuda']}; {slow}"
        yield Trouble(what, "install the build of torch that fits the GPU's driver", "warning")
    elif not build["devices"] and build["threads"] > 2 * cores:
        # As in a container that is allowed few cores of many.
        what = f"torch starts {build['threads']} threads, and {cores} cores may be used: it is slow"
        yield Trouble(what, f"export OMP_NUM_THREADS={cores}", "warning")
    if build["bitsandbytes"]:
        what = f"bitsandbytes, which the config needs, does not work: {build['bitsandbytes']}"
        yield Trouble(what, f"{_AGAIN} bitsandbytes")


def _ask(bitsandbytes: bool) -> dict[str, Any]:
    """What :func:`_look` finds; ``error`` alone where torch is of no use."""
    # Files and no pipes: a process that torch leaves behind would hold a pipe open.
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        try:
            code = gate.run_ours(
                __name__, *(["bitsandbytes"] if bitsandbytes else []), stdin=gate.DEVNULL,
                stdout=out, stderr=err, timeout=SECONDS,
            ).returncode  # fmt: skip
        except gate.TimeoutExpired:
            return {"error": f"no answer within {SECONDS} s"}
        out.seek(0)
        err.seek(0)
        with contextlib.suppress(ValueError):
            build: dict[str, Any] = json.loads(out.read())
            return build
        last = one_line(err.read().decode("utf-8", "replace").strip().rpartition("\n")[2], 300)
    ending = f"code {code}" if code >= 0 else f"signal {-code}"
    return {"error": f"its process ended with {ending}" + (f": {last}" if last else "")}


def _look(bitsandbytes: bool) -> dict[str, Any]:
    """Version, build and devices; why bitsandbytes does not quantise, where it was asked for."""
    import torch

    no_cuda, cuda = "it is a build that cannot", cast("Any", torch.cuda)
    if torch.version.cuda and not cuda.is_available():
        try:
            cuda.init()
        except Exception as error:
            no_cuda = str(error)
    names = ("_is_amx_tile_supported", "_is_avx512_bf16_supported")
    bf16 = [getattr(torch.cpu, name)() for name in names if hasattr(torch.cpu, name)]
    return {
        "version": str(torch.__version__),
        "cuda": torch.version.cuda,
        "rocm": getattr(torch.version, "hip", None),
        "threads": torch.get_num_threads(),
        "cpu": torch.backends.cpu.get_cpu_capability(),
        "cpu_bf16": any(bf16) if bf16 else None,
        "devices": list(_devices(torch)),
        "no_cuda": one_line(no_cuda, 300),
        "bitsandbytes": _quantising(torch) if bitsandbytes else "",
    }


def _devices(torch: Any) -> Iterator[dict[str, Any]]:
    if torch.backends.mps.is_available():
        yield {"kind": "mps", "name": "Apple GPU", "memory": None, "bf16": False}
    for kind in ("cuda", "xpu"):
        library = getattr(torch, kind, None)
        if library is None or not library.is_available():
            continue
        for number in range(library.device_count()):
            about = library.get_device_properties(number)
            # GPUs of NVIDIA before Ampere claim bf16 and compute it in several steps.
            bf16 = kind == "cuda" and about.major >= 8
            yield {"kind": kind, "name": about.name, "memory": about.total_memory, "bf16": bf16}


def _quantising(torch: Any) -> str:
    """Why bitsandbytes does not quantise; empty where it does."""
    try:
        # Without its own library it can be imported, and fails in its first function.
        import bitsandbytes

        ones = torch.ones(64, device="cuda" if torch.cuda.is_available() else "cpu")
        bitsandbytes.functional.quantize_4bit(ones, quant_type="nf4")
    except Exception as error:
        return one_line(f"{type(error).__name__}: {error}", 300)
    return ""


def _main() -> None:
    # Libraries print what they like: standard output is the answer's alone.
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    try:
        build = _look("bitsandbytes" in sys.argv[1:])
    except BaseException as error:  # a library may raise anything, or end the process
        build = {"error": one_line(f"{type(error).__name__}: {error}", 300)}
    answer.write(json.dumps(build, default=str))
    answer.flush()
    os._exit(0)  # nothing that a library left for the end is run


if __name__ == "__main__":
    _main()
