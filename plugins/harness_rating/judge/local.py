"""A model in a folder of this machine, asked through transformers with the same prompts."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import harness
from harness.kit.files import files_digest
from harness.kit.remote.replies import Reply, Request
from harness_rating.judge.options import ModelOptions

LONGEST_REPLY = 512


def files(folder: Path) -> list[Path]:
    """The files of a model's folder, in a fixed order.

    Raises:
        EnvironmentFailure: it is no folder of a model.
    """
    if not (folder / "config.json").is_file():
        raise harness.EnvironmentFailure(
            "this is no folder of a model (no config.json)", where=str(folder),
            hint="name a folder that save_pretrained has written",
        )  # fmt: skip
    return sorted(path for path in folder.iterdir() if path.is_file())


def identity(folder: Path) -> str:
    """What tells the model from others: the content of its files, read again where one changed."""
    return files_digest(files(folder))


class Local:
    """Asks one model, one prompt at a time."""

    def __init__(self, options: ModelOptions) -> None:
        assert options.local is not None
        self._options = options
        self._folder = options.local
        files(self._folder)

    def close(self) -> None:
        vars(self).pop("_loaded", None)

    def body(self, request: Request, seed: int) -> bytes:
        """What :meth:`ask` takes."""
        return json.dumps([request.messages, seed]).encode()

    def ask(self, body: bytes) -> Reply:
        """The model's reply.

        Raises:
            EnvironmentFailure: the model cannot be loaded.
        """
        import torch

        messages, seed = json.loads(body)

        tokenizer, model = self._loaded
        with _quiet():
            ids = torch.tensor([_ids(tokenizer, messages)], device=model.device)
            torch.manual_seed(seed)
            warm = self._options.temperature
            sampling = {"do_sample": True, "temperature": warm} if warm else {"do_sample": False}
            with torch.inference_mode():
                output = model.generate(
                    ids, attention_mask=torch.ones_like(ids), pad_token_id=tokenizer.eos_token_id,
                    max_new_tokens=self._options.max_tokens or LONGEST_REPLY, **sampling,
                )  # fmt: skip
        return Reply(str(tokenizer.decode(output[0, ids.shape[1] :], skip_special_tokens=True)))

    @functools.cached_property
    def _loaded(self) -> tuple[Any, Any]:
        try:
            with _quiet():
                import transformers

                library: Any = transformers
                tokenizer = library.AutoTokenizer.from_pretrained(self._folder)
                model = library.AutoModelForCausalLM.from_pretrained(
                    self._folder, dtype="auto", use_safetensors=True, use_kernels=False
                ).eval()
        except (OSError, ValueError, ImportError) as error:
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise harness.EnvironmentFailure(
                f"the model cannot be loaded: {reason}", where=f"judge {self._folder}"
            ) from error
        import torch

        # The accelerator that torch finds (CUDA, XPU, MPS), where there is one.
        device = torch.accelerator.current_accelerator(check_available=True)
        return tokenizer, model.to(device or "cpu")


def _ids(tokenizer: Any, messages: list[dict[str, str]]) -> list[int]:
    """The prompt as the model's chat template has it."""
    if not tokenizer.chat_template:
        raise harness.EnvironmentFailure(
            "this model has no chat template, so it cannot be asked",
            hint="take one that was trained to follow instructions",
        )
    try:
        return _rendered(tokenizer, messages)
    except Exception:  # some templates know no system turn, and raise what they like
        whole = "\n\n".join(message["content"] for message in messages)
        return _rendered(tokenizer, [{"role": "user", "content": whole}])


def _rendered(tokenizer: Any, messages: list[dict[str, str]]) -> list[int]:
    text = tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
    return list(tokenizer(text, add_special_tokens=False)["input_ids"])


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """No bars and no advice from the libraries inside the block."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("TQDM_DISABLE", "1")
    import transformers

    logs: Any = transformers.utils.logging
    logs.disable_progress_bar()
    logs.set_verbosity_error()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
