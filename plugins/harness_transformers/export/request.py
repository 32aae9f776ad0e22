"""What ``harness export`` is asked for, checked before any work."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, Optional

import typer

from harness import UsageError
from harness.kit.terminal.options import RunName
from harness.kit.terminal.targets import check_target
from harness_transformers import hub
from harness_transformers.llamacpp.library import Kind

DType = Literal["float32", "float16", "bfloat16"]
Form = Literal["model", "inspect", "lm-eval"]


@dataclass(frozen=True, slots=True)
class Request:
    """The command line."""

    run: RunName = None
    given: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(
            "-o", "--output", metavar="DIR", help="new or empty folder to write; of a log its file"
        ),
    ] = None
    to: Annotated[
        Form,
        typer.Option(
            "--to",
            help="the model; the answers to dev with scores as a log of Inspect; the rows of dev "
            "as a task of lm-evaluation-harness",
        ),
    ] = "model"
    round: Annotated[
        Optional[int],  # noqa: UP045 - typer reads it at run time
        typer.Option("--round", min=0, metavar="K", help="which round (default: the best)"),
    ] = None
    merge: Annotated[
        bool, typer.Option("--merge", help="whole weights, the adapter added to the base model's")
    ] = False
    base: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            "--base", metavar="ID", help="the base model where it will be loaded: hub id or path"
        ),
    ] = None
    dtype: Annotated[
        Optional[DType],  # noqa: UP045
        typer.Option(
            "--dtype", help="type of merged weights (default: that of the base model's weights)"
        ),
    ] = None

    gguf: Annotated[
        bool, typer.Option("--gguf", help="one file for llama.cpp and Ollama, with a Modelfile")
    ] = False
    quantize: Annotated[
        Optional[Kind],  # noqa: UP045
        typer.Option("--quantize", help="kind of the GGUF file's weights (default: f16)"),
    ] = None
    tolerance: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option(
            "--tolerance", min=0, metavar="X",
            help="with --gguf or --check: loss in the primary score up to which it is accepted "
            "(default: a fiftieth of the score's range)",
        ),
    ] = None  # fmt: skip
    anyway: Annotated[
        bool, typer.Option("--anyway", help="write a GGUF file that is refused; its card says why")
    ] = False

    compared: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(
            "--check", exists=True, metavar="DIR",
            help="write nothing: compare a GGUF file, whole weights or an adapter that another "
            "program made",
        ),
    ] = None  # fmt: skip
    push: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--push", metavar="OWNER/NAME", help="upload it to the hub, as a new one"),
    ] = None
    private: Annotated[bool, typer.Option("--private", help="with --push: for you alone")] = False
    licence: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--licence", metavar="ID", help="of the base model, where nobody says it"),
    ] = None

    @property
    def output(self) -> Path:
        """Where it is written."""
        assert self.given is not None  # see check
        return self.given

    def check(self) -> None:
        """Raises UsageError where options do not go together."""
        if self.compared is not None:
            written = (
                self.given, self.base, self.push, self.private, self.licence, self.dtype,
                self.quantize,
            )  # fmt: skip
            if self.to != "model" or self.merge or self.gguf or self.anyway or any(written):
                raise UsageError(
                    "--check writes nothing: only RUN, --round and --tolerance are for it"
                )
            return
        if self.given is None:
            raise UsageError("-o (--output) is missing: the folder to write")
        if (self.push is not None or self.licence) and self.to != "model":
            raise UsageError(f"--push and --licence are for models, not for --to {self.to}")
        if self.private and self.push is None:
            raise UsageError("--private is for --push")
        if self.push is not None:
            if not (hub.is_id(self.push) and "/" in self.push):
                raise UsageError(f"--push {self.push}: the hub's names are owner/name")
            if not (self.merge or self.gguf or self.base):
                raise UsageError(
                    "--push of an adapter needs --base ID: it names the base model for others"
                )
        if self.gguf and (self.to != "model" or self.merge or self.base is not None):
            raise UsageError("--gguf is a form of its own: --to, --merge and --base are not for it")
        if not self.gguf and (self.quantize or self.anyway or self.tolerance is not None):
            raise UsageError("--quantize, --tolerance and --anyway are for --gguf")
        if self.to != "model" and (self.merge or self.base is not None):
            raise UsageError(f"--to {self.to} exports no model: --merge and --base are not for it")
        if self.to == "lm-eval" and self.round is not None:
            raise UsageError("--to lm-eval exports rows of dev, which are those of every round")
        if self.dtype is not None and self.gguf:
            raise UsageError("--dtype is for --merge: the kind of a GGUF file is --quantize KIND")
        if self.dtype is not None and not self.merge:
            raise UsageError(
                f"--dtype {self.dtype}: an adapter is exported in the type that it was trained in",
                hint="with --merge it is the type of the merged weights",
            )
        base = self.base
        if base is not None and not (hub.is_id(base) or Path(base).is_absolute()):
            raise UsageError(
                f"--base {base}: this is neither an id of the hub (owner/name) nor a whole path",
                hint="a path has to begin with /, since it is read in another working folder",
            )

    def target(self) -> Path:
        """The folder to write, links followed.

        Raises:
            UsageError: nothing can be written there, or something is there already.
        """
        try:
            target = self.output.resolve()
            self._refuse(_trouble(target))
        except (OSError, RuntimeError, ValueError) as error:  # too long a name, links in a circle
            self._refuse(str(getattr(error, "strerror", None) or error))
        return target

    def log(self) -> Path:
        """The file of a log; raises UsageError where none can be written."""
        if self.output.suffix not in (".eval", ".json"):
            raise UsageError(f"-o {self.output}: the name of a log has to end in .eval or .json")
        check_target("-o", self.output)
        return self.output

    def _refuse(self, trouble: str) -> None:
        if trouble:
            raise UsageError(f"-o {self.output}: {trouble}", hint="name a new folder")


def _trouble(target: Path) -> str:
    if target.is_dir():
        return "there is something in this folder already" if any(target.iterdir()) else ""
    if target.exists():
        return "this is a file"
    return "" if target.parent.is_dir() else f"there is no folder {target.parent}"
