"""Keeps the libraries' bars and warnings off the terminal; what they log goes to the log."""

from __future__ import annotations

import contextlib
import logging
import os
import warnings
from collections.abc import Iterator

CHATTY = ("accelerate", "bitsandbytes", "datasets", "peft", "torch")


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """No progress bars, no warnings, no advice from the libraries inside the block."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    # Some bars listen to nothing else, and only where tqdm is first imported after this.
    os.environ.setdefault("TQDM_DISABLE", "1")
    import transformers
    from datasets.utils import logging as datasets_logging

    transformers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()
    datasets_logging.disable_progress_bar()
    for name in CHATTY:
        logging.getLogger(name).setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
