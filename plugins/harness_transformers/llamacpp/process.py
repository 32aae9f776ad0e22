"""llama.cpp by its C interface (``llama-cpp-py-sync``), in a process of its own.

A file that it cannot take, or a token that a vocabulary lacks, aborts the whole process. Requests
are JSON lines on standard input: the name of a method and its arguments; a reply is a line, too.
``python -m harness_transformers.llamacpp.process`` is the process, without torch.
"""

from __future__ import annotations

import json
import os
import sys
from collections import deque
from collections.abc import Sequence
from typing import Any

import numpy as np

AT_ONCE = 128
"""Tokens that are read at once."""
_WARNING, _ERROR = 3, 4


class Llama:
    """The library, and a file that it has loaded.

    Attributes:
        said: its last warnings and errors.
    """

    def __init__(self) -> None:
        from llama_cpp_py_sync._cffi_bindings import get_ffi, get_lib

        self.ffi, self.lib = get_ffi(), get_lib()
        self.said: deque[str] = deque(maxlen=4)
        ffi = self.ffi

        @ffi.callback("void(enum ggml_log_level, const char *, void *)")  # type: ignore[untyped-decorator]
        def listen(level: int, text: Any, _: Any) -> None:
            line = ffi.string(text).decode("utf-8", "replace").strip()
            if line and level in (_WARNING, _ERROR):
                self.said.append(line[:300])

        self._listen = listen  # C calls it back: it must not be collected
        self.lib.llama_log_set(listen, ffi.NULL)
        self.lib.llama_backend_init()

    def quantize(self, source: str, target: str, file_type: str, threads: int) -> bool:
        """A file of another kind, by llama.cpp's own rule of which tensor becomes what."""
        parameters = self.lib.llama_model_quantize_default_params()
        parameters.ftype = getattr(self.lib, file_type)
        parameters.nthread = threads
        code = self.lib.llama_model_quantize(
            os.fsencode(source), os.fsencode(target), self.ffi.addressof(parameters)
        )
        return not code

    def rounded(self, source: str, target: str, kind: int, size: int) -> bool:
        """The numbers of a file of NumPy (matrix, float32) as ``size`` bytes of a kind, in another.

        False where the library does not offer it.
        """
        from cffi import FFI
        from llama_cpp_py_sync._cffi_bindings import _find_library

        numbers, ffi = np.load(source), FFI()
        ffi.cdef(
            "size_t ggml_quantize_chunk(int kind, const float *source, void *target, "
            "int64_t start, int64_t rows, int64_t columns, const float *weights);"
        )
        try:
            quantize = ffi.dlopen(_find_library()).ggml_quantize_chunk
        except (AttributeError, OSError):
            return False
        data = np.zeros(size, dtype=np.uint8)
        sides = (ffi.from_buffer("float[]", numbers), ffi.from_buffer("uint8_t[]", data))
        quantize(kind, *sides, 0, *numbers.shape, ffi.NULL)
        np.save(target, data)
        return True

    def load(self, path: str, context: int, threads: int) -> dict[str, Any] | None:
        """Load a file for so many tokens; what its vocabulary says, None where it does not load."""
        model = self.lib.llama_model_load_from_file(
            os.fsencode(path), self.lib.llama_model_default_params()
        )
        if not model:
            return None
        parameters = self.lib.llama_context_default_params()
        parameters.n_ctx = context
        parameters.n_batch = parameters.n_ubatch = AT_ONCE
        parameters.n_threads = parameters.n_threads_batch = threads
        self.context = self.lib.llama_init_from_model(model, parameters)
        if not self.context:
            return None
        self.vocabulary = self.lib.llama_model_get_vocab(model)
        self.size = self.lib.llama_vocab_n_tokens(self.vocabulary)
        self.batch = self.lib.llama_batch_init(AT_ONCE, 0, 1)
        return {
            "bos": self.lib.llama_vocab_bos(self.vocabulary),
            "adds_bos": bool(self.lib.llama_vocab_get_add_bos(self.vocabulary)),
            "size": self.size,
        }

    def tokens(self, text: str, special: bool) -> list[int]:
        """A text's tokens; ``special``: with those that the file wants around each text."""
        data = text.encode("utf-8", "surrogatepass")
        room = len(data) + 8
        buffer = self.ffi.new("llama_token[]", room)
        count = self.lib.llama_tokenize(
            self.vocabulary, data, len(data), buffer, room, special, True
        )
        return list(buffer[0 : max(0, count)])

    def log_probabilities(self, tokens: Sequence[int], first: int) -> list[float] | None:
        """Of each token from the place ``first`` (1 or more) on, in nats."""
        values: list[float] = []
        if not self._read(tokens[: first - 1]):
            return None
        for start in range(first - 1, len(tokens) - 1, AT_ONCE):
            part = tokens[start : min(start + AT_ONCE, len(tokens) - 1)]
            logits = self._decode(part, start, whole=True)
            if logits is None:
                return None
            wanted = np.asarray(tokens[start + 1 : start + 1 + len(part)])
            most = logits.max(axis=1)
            norms = most + np.log(np.exp(logits - most[:, None]).sum(axis=1))
            values += (logits[np.arange(len(part)), wanted] - norms).tolist()
        return values

    def begin(self, prompt: Sequence[int]) -> int | None:
        """The likeliest token after a prompt."""
        self.place = len(prompt) - 1
        return self.follow(prompt[-1]) if self._read(prompt[:-1]) else None

    def follow(self, token: int) -> int | None:
        """The likeliest token after one more."""
        self.logits = self._decode([token], self.place, whole=True)
        self.place += 1
        return None if self.logits is None else int(self.logits[0].argmax())

    def among(self, allowed: str) -> int | None:
        """The likeliest token of some after the same; ``allowed``: a bit for each, in hex."""
        bits = np.unpackbits(np.frombuffer(bytes.fromhex(allowed), dtype=np.uint8))
        logits = np.where(bits[: self.size], self.logits[0], -np.inf)
        return int(logits.argmax())

    def _read(self, tokens: Sequence[int]) -> bool:
        """Begin anew with tokens whose logits nobody asks for."""
        self.lib.llama_memory_clear(self.lib.llama_get_memory(self.context), True)
        return all(
            self._decode(tokens[place : place + AT_ONCE], place, whole=False) is not None
            for place in range(0, len(tokens), AT_ONCE)
        )

    def _decode(self, tokens: Sequence[int], start: int, *, whole: bool) -> Any:
        """Logits (tokens x vocabulary, float64), empty unless ``whole``; None where it fails."""
        batch = self.batch
        batch.n_tokens = len(tokens)
        for place, token in enumerate(tokens):
            batch.token[place] = token
            batch.pos[place] = start + place
            batch.n_seq_id[place] = 1
            batch.seq_id[place][0] = 0
            batch.logits[place] = whole
        if self.lib.llama_decode(self.context, batch):
            return None
        if not whole:
            return np.empty((0, self.size))
        count = len(tokens) * self.size
        buffer = self.ffi.buffer(self.lib.llama_get_logits(self.context), 4 * count)
        logits = np.frombuffer(buffer, dtype=np.float32).reshape(len(tokens), self.size)
        return logits.astype(np.float64)


def main() -> None:
    """Answer requests until there are none."""
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what C prints is no reply
    llama = Llama()
    for line in sys.stdin:
        name, arguments = json.loads(line)
        llama.said.clear()
        value = getattr(llama, name)(*arguments)
        replies.write(json.dumps([value, list(llama.said)]) + "\n")
        replies.flush()


if __name__ == "__main__":
    main()
