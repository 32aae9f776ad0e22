"""The form that answers are held to: one of some texts, or JSON of a schema."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard

Form = Sequence[str] | Mapping[str, Any]
"""Texts, one of which an answer is; or a JSON Schema, of which an answer is a value."""


def is_form(value: object) -> TypeGuard[Form]:
    """Whether a value is a form: texts, none of them blank or twice; or a JSON Schema's object.

    What the keywords of a schema say is not looked at.
    """
    if isinstance(value, Mapping):
        return bool(value) and _is_json(value)
    if not isinstance(value, (list, tuple)) or not value:
        return False
    texts = {text for text in value if isinstance(text, str) and text.strip()}
    return len(texts) == len(value)


def _is_json(value: object) -> bool:
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return False
    return True


def keeps_to(form: Form, text: str) -> bool:
    """Whether an answer is one of the texts, or is whole JSON: of which schema is not looked at."""
    if not isinstance(form, Mapping):
        return text in form
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
