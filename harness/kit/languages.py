"""The package ``py3langid``, which tells some hundred languages apart by the bytes of a text."""

from __future__ import annotations

import functools
import importlib
from typing import Any

PACKAGE = "py3langid"


@functools.cache
def identifier(*languages: str) -> Any:
    """Has ``classify(text)`` and ``rank(text)``, by ISO 639-1 codes with probabilities.

    Args:
        languages: those among which it decides; without any, all that it knows.

    Raises:
        ImportError: the package is not installed.
    """
    module = importlib.import_module(f"{PACKAGE}.langid")
    asked = module.LanguageIdentifier.from_model_file(module.MODEL_FILE, norm_probs=True)
    if languages:
        asked.set_languages(list(languages))
    return asked
