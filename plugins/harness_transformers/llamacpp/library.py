"""llama.cpp, asked of a process of its own."""

from __future__ import annotations

import contextlib
import errno
import functools
import importlib.util
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

import harness
from harness.errors.installing import install_extra
from harness.kit import gate
from harness.kit.text import one_line

Kind = Literal["f32", "f16", "bf16", "q8_0", "q6_k", "q5_k_m", "q4_k_m"]
KINDS: tuple[Kind, ...] = get_args(Kind)
PLAIN = ("f32", "f16", "bf16", "q8_0")
"""Kinds that are written here; llama.cpp makes the others of a file of float32."""
WHOLE = ("f32", "f16")
"""Kinds whose answers have to be those of the weights themselves, but for near ties."""
FILE_TYPES: Mapping[str, str] = {
    "f32": "ALL_F32", "f16": "MOSTLY_F16", "bf16": "MOSTLY_BF16", "q8_0": "MOSTLY_Q8_0",
    "q6_k": "MOSTLY_Q6_K", "q5_k_m": "MOSTLY_Q5_K_M", "q4_k_m": "MOSTLY_Q4_K_M",
}  # fmt: skip
"""Kind -> the name of llama.cpp's ``llama_ftype``, without ``LLAMA_FTYPE_``."""

FULL = 1 << 16
"""Bytes that are free on a disk that a file did not fit on, at most."""
EXTRA = "gguf"
DISTRIBUTION = "llama-cpp-py-sync"
_MODULE = "llama_cpp_py_sync"


def installed() -> bool:
    """Whether llama.cpp is there."""
    return importlib.util.find_spec(_MODULE) is not None


def need(what: str) -> None:
    """Raises EnvironmentFailure where llama.cpp is not installed.

    Args:
        what: needs it.
    """
    if not installed():
        raise harness.EnvironmentFailure(
            f"{what} needs llama.cpp, and the package {DISTRIBUTION} is not installed",
            hint=install_extra(EXTRA),
        )


def version() -> str:
    """Of llama.cpp as the package brings it, such as ``b11739``; empty where it is not there."""
    if not installed():
        return ""
    from llama_cpp_py_sync._version import __llama_cpp_tag__

    return str(__llama_cpp_tag__)


def threads() -> int:
    """For llama.cpp: those that torch takes, which heeds OMP_NUM_THREADS."""
    import torch

    return int(torch.get_num_threads())


class _Process:
    """The process, until the block ends."""

    def __init__(self) -> None:
        self.log = tempfile.TemporaryFile()  # noqa: SIM115 - closed by end()
        # Under another name the worker's modules would not be found there.
        paths = os.pathsep.join(filter(None, sys.path))
        self.child = gate.start_ours(
            "harness_transformers.llamacpp.process",
            stdin=gate.PIPE, stdout=gate.PIPE, stderr=self.log, text=True,
            env={**os.environ, "PYTHONPATH": paths, "PYTHONWARNINGS": "ignore"},
        )  # fmt: skip

    def ask(self, name: str, *arguments: Any) -> tuple[Any, list[str]]:
        """A method's value, and what llama.cpp said.

        Raises:
            EnvironmentFailure: the process has ended.
        """
        assert self.child.stdin is not None and self.child.stdout is not None
        try:
            self.child.stdin.write(json.dumps([name, arguments]) + "\n")
            self.child.stdin.flush()
            line = self.child.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise self._ended()
        value, said = json.loads(line)
        return value, said

    def _ended(self) -> harness.EnvironmentFailure:
        code = self.child.wait()
        self.log.seek(0)
        lines = self.log.read().decode("utf-8", "replace").strip().splitlines()
        return harness.EnvironmentFailure(
            f"llama.cpp ended with {code}",
            details=[one_line(line, 300) for line in lines[-4:]],
            hint="it gives up so where it cannot read a file, or where the memory is not enough",
        )

    def end(self) -> None:
        """End it; it holds nothing that would be lost."""
        with contextlib.suppress(OSError), self.child:
            self.child.kill()
        self.log.close()


@contextlib.contextmanager
def _process() -> Iterator[_Process]:
    process = _Process()
    try:
        yield process
    finally:
        process.end()


def quantize(source: Path, target: Path, file_type: str) -> None:
    """A file of another kind, by llama.cpp's own rule of which tensor becomes what.

    Args:
        file_type: the name of a ``llama_ftype``.

    Raises:
        OSError: the disk is full.
        EnvironmentFailure: llama.cpp refuses.
    """
    with _process() as process:
        done, said = process.ask("quantize", str(source), str(target), file_type, threads())
    if done:
        return
    if shutil.disk_usage(target.parent).free < FULL:  # llama.cpp does not say it
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(target))
    raise harness.EnvironmentFailure("llama.cpp could not quantise the file", details=said)


@contextlib.contextmanager
def rounding() -> Iterator[Callable[[Any, Any], Any]]:
    """A function that gives a matrix (float32) as a kind of tensor holds it, by llama.cpp's rules.

    It takes the matrix and a ``gguf.GGMLQuantizationType``, and raises EnvironmentFailure where
    llama.cpp does not round to that kind by itself.
    """
    import gguf
    import numpy as np

    with contextlib.ExitStack() as stack:
        process = functools.cache(lambda: stack.enter_context(_process()))
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="harness-"))
        source, target = f"{folder}/source.npy", f"{folder}/target.npy"

        def rounded(numbers: Any, kind: Any) -> Any:
            try:
                data = gguf.quants.quantize(numbers, kind)
            except NotImplementedError:  # the package reads blocks of 256, and writes none
                shape = gguf.quants.quant_shape_to_byte_shape(numbers.shape, kind)
                np.save(source, np.ascontiguousarray(numbers, dtype=np.float32))
                size = int(np.prod(shape))
                done, said = process().ask("rounded", source, target, int(kind), size)
                if not done:
                    raise harness.EnvironmentFailure(
                        f"this build of llama.cpp does not round to {kind.name} by itself",
                        details=said,
                    ) from None
                data = np.load(target).reshape(shape)
            return gguf.quants.dequantize(data, kind).reshape(numbers.shape)

        yield rounded


class Model:
    """A GGUF file, loaded.

    Attributes:
        bos: the token of the beginning; -1 where there is none.
        adds_bos: whether it is put before each prompt.
        size: of the vocabulary.
    """

    def __init__(self, process: _Process, path: Path, context: int) -> None:
        self._ask = process.ask
        known, said = self._ask("load", str(path), context, threads())
        if known is None:
            raise harness.DataError(
                "llama.cpp does not load this file", where=str(path), details=said
            )
        self.bos, self.adds_bos = int(known["bos"]), bool(known["adds_bos"])
        self.size = int(known["size"])

    def tokens(self, text: str, *, special: bool) -> list[int]:
        """A text's tokens; texts of special tokens become these.

        Args:
            special: put the token of the beginning before, where the file says so.
        """
        ids: list[int] = self._ask("tokens", text, special)[0]
        return ids

    def log_probabilities(self, tokens: Sequence[int], first: int) -> list[float]:
        """Of each token from the place ``first`` on, in nats; ``first`` is at least 1.

        Raises:
            EnvironmentFailure: llama.cpp fails.
        """
        values: list[float] = self._value("log_probabilities", list(tokens), first)
        return values

    def greedy(
        self,
        prompt: Sequence[int],
        most: int,
        ended: Callable[[Sequence[int]], bool],
        chosen: Callable[[list[int], int, Callable[[Any], int]], int] | None = None,
    ) -> list[int]:
        """The likeliest token again and again, up to and with what ends the answer.

        Args:
            chosen: the next token by those so far, the likeliest, and a function that gives the
                likeliest of those that a vector of booleans names.

        Raises:
            EnvironmentFailure: llama.cpp fails.
        """
        tokens: list[int] = []
        likeliest = self._value("begin", list(prompt))
        while True:
            if chosen is not None:
                likeliest = chosen(tokens, likeliest, self._among)
            tokens.append(likeliest)
            if len(tokens) >= most or ended(tokens):
                return tokens
            likeliest = self._value("follow", likeliest)

    def _among(self, allowed: Any) -> int:
        import numpy as np

        return int(self._value("among", np.packbits(allowed).tobytes().hex()))

    def _value(self, name: str, *arguments: Any) -> Any:
        value, said = self._ask(name, *arguments)
        if value is None:
            raise harness.EnvironmentFailure("llama.cpp failed", details=said)
        return value


@contextlib.contextmanager
def loaded(path: Path, context: int) -> Iterator[Model]:
    """A file for as long as the block lasts.

    Args:
        context: tokens of prompt and answer together.

    Raises:
        DataError: llama.cpp does not load it.
        EnvironmentFailure: it fails.
    """
    with _process() as process:
        yield Model(process, path, context)
