"""Which device is used, and what it is good at. Devices other than the CPU are simulated here."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

import harness
from harness_transformers import arguments, devices, loading
from harness_transformers.generator import TransformersGenerator
from harness_transformers.lora import LoraTrainer
from tests.support.later import Later

torch = Later("torch")
memory = Later("harness_transformers.memory")


@pytest.fixture
def pretend(monkeypatch):
    """``pretend(kind, **answers)``: torch finds such a device, and says so of it."""

    def make(kind, **answers):
        device = torch.device(kind)
        monkeypatch.setattr(torch.accelerator, "is_available", lambda: True)
        monkeypatch.setattr(
            torch.accelerator, "current_accelerator", lambda check_available=False: device
        )
        owner = torch.backends.mps if kind == "mps" else getattr(torch, kind, None)
        for name, answer in answers.items():
            monkeypatch.setattr(owner, name, answer)

    return make


def bf16(native, emulated=True):
    return lambda including_emulation=True: native or (including_emulation and emulated)


def cuda(pretend, native=True, emulated=True):
    pretend(
        "cuda",
        get_device_capability=lambda: (9, 0),
        is_bf16_supported=bf16(native, emulated),
    )


def xpu(pretend, native=True):
    about = SimpleNamespace(name="Max 1100")
    pretend("xpu", get_device_properties=lambda: about, is_bf16_supported=bf16(native))


def mps(pretend, monkeypatch, system="15.1"):
    monkeypatch.setattr("platform.mac_ver", lambda: (system, ("", "", ""), "arm64"))
    wanted = tuple(map(int, system.split(".")))
    pretend("mps", is_macos_or_newer=lambda major, minor: wanted >= (major, minor))


@pytest.mark.parametrize(
    ("amx", "bf16", "more", "level"),
    [(False, False, "", "slow"), (False, True, " BF16", "fast"), (True, True, " AMX BF16", "fast")],
)
def test_the_cpu_is_named_as_ever(monkeypatch, amx, bf16, more, level):
    """The names are part of stages' keys: another one would make every training again."""
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: amx)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: bf16)
    name = f"cpu {torch.backends.cpu.get_cpu_capability()}{more}"
    assert devices.current() == devices.Device("cpu", name, level, True)
    assert devices.only_cpu()


@pytest.mark.parametrize(
    ("native", "emulated", "level", "dtype"),
    [(True, True, "fast", "bfloat16"), (False, True, "slow", "float32"),
     (False, False, "none", "float32")],
)  # fmt: skip
def test_cuda_takes_no_emulated_bf16(pretend, native, emulated, level, dtype):
    """A T4 and a V100 claim bf16, and emulate it."""
    cuda(pretend, native, emulated)
    assert devices.current() == devices.Device("cuda", "cuda 9.0", level, True)
    assert devices.environment("auto") == {"device": "cuda 9.0", "dtype": dtype}
    assert not devices.only_cpu()


@pytest.mark.parametrize(
    ("answer", "only"),
    [(lambda: False, True), (lambda: True, False), (lambda: 1 / 0, False)],
    ids=["none", "one", "it breaks"],
)
def test_a_device_is_looked_for_in_another_process(pretend, monkeypatch, answer, only):
    """Torch built for CUDA, with a GPU or without: this process looks at none."""
    pretend("cuda")
    looked = []
    monkeypatch.setattr(torch.accelerator, "is_available", lambda: looked.append(1) or answer())
    assert devices.only_cpu() is only
    assert looked == []


def test_amd_s_numbers_are_not_nvidia_s(pretend, monkeypatch):
    cuda(pretend)
    monkeypatch.setattr(torch.version, "hip", "6.3")
    assert devices.current().name == "rocm 9.0"


def test_xpu_and_mps_are_used(pretend, monkeypatch, context):
    xpu(pretend)
    assert devices.current() == devices.Device("xpu", "xpu Max 1100", "fast", True)
    mps(pretend, monkeypatch)
    assert devices.current() == devices.Device("mps", "mps macOS 15.1", "slow", False)
    assert devices.dtype_of("auto") is torch.float32 and not devices.only_cpu()
    made = {}
    monkeypatch.setattr(
        "transformers.TrainingArguments", lambda **given: SimpleNamespace(n_gpu=1, **made | given)
    )
    options = LoraTrainer.Options()
    assert arguments.make(options, context).use_cpu is False


@pytest.mark.parametrize("kind", ["cuda", "xpu", "mps"])
def test_a_step_that_is_done_again_draws_the_same_on_a_device(pretend, monkeypatch, kind):
    """A device has a generator of its own; a resumed training takes it up as well."""
    pretend(kind)
    set_again, module = [], getattr(torch, kind)
    monkeypatch.setattr(module, "get_rng_state", lambda: torch.tensor([7]))
    monkeypatch.setattr(module, "set_rng_state", set_again.append)
    memory.Before(torch.nn.Linear(2, 1)).restore()
    assert set_again == [torch.tensor([7])]


def test_an_unknown_accelerator_is_used_in_fp32(pretend):
    pretend("meta")  # any type that torch knows and this module does not
    assert devices.current() == devices.Device("meta", "meta", "slow", False)
    assert devices.dtype_of("auto") is torch.float32


def test_what_the_device_cannot_do_is_one_message(pretend, monkeypatch, base, row, another):
    rows = [row(number) for number in range(4)]
    mps(pretend, monkeypatch, "13.6")
    for precision, bits, where, words in (
        ("bf16", None, "precision", "this machine's mps device has no bf16"),
        ("fp32", "4bit", "train.quantization", "4bit weights cannot be used on this machine's mps"),
        ("fp32", "8bit", "train.quantization", "8bit weights cannot be used on this machine's mps"),
    ):
        given = LoraTrainer.Options(precision=precision, quantization=bits)
        context = another()
        monkeypatch.setattr(arguments, "make", lambda *_: SimpleNamespace(report_to=[]))
        with pytest.raises(harness.ConfigError, match=words) as caught:
            LoraTrainer(given).train(base, rows, (), context)
        assert caught.value.where == where and caught.value.hint
        info = {} if bits is None else {loading.QUANTIZATION: bits}
        asked = TransformersGenerator(TransformersGenerator.Options(precision=precision))
        checkpoint = harness.Checkpoint("base", base.path, "d", "tiny", info=info)
        with pytest.raises(harness.ConfigError, match=words):
            list(asked.generate(checkpoint, rows, another()))
