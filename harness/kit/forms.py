"""Forms that answers are held to: what is one, which answers keep to it, and the option for it."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, TypeGuard

from pydantic import BeforeValidator, Field

from harness.errors import ConfigError
from harness.kit.files import read_json
from harness.kit.options import Options
from harness.records import Form

WANTED = "texts that differ, [TEXT, TEXT], or a JSON Schema, {type: object, ...}"


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


def _form_or_path(given: object) -> object:
    if isinstance(given, str):
        return Path(given)
    # Said here: what is neither would have one message for each type of the option.
    if given is not None and not isinstance(given, Path) and not is_form(given):
        raise ValueError(f"expected a JSON file, {WANTED}")
    return given


with warnings.catch_warnings():
    # The schema() that pydantic's models have is that of version 1, which nobody calls.
    warnings.filterwarnings("ignore", 'Field name "schema"', UserWarning)

    class FormOptions(Options):
        """Options of a generator that can hold its answers to a form."""

        schema: Annotated[
            Path | list[str] | dict[str, Any] | None, BeforeValidator(_form_or_path)
        ] = Field(  # type: ignore[assignment]
            default=None,
            description="what answers are held to: texts (`[approved, refused]`), a JSON Schema, "
            "or a JSON file with either ([forms.md](forms.md))",
        )

        def form(self) -> Form | None:
            """What answers are held to; None: they are free.

            Raises:
                ConfigError: the file cannot be read, or holds something else.
            """
            given: Path | Form | None = self.schema
            if not isinstance(given, Path):
                return given
            try:
                form = read_json(given)
            except (OSError, ValueError, RecursionError) as error:
                message, hint = f"the schema cannot be read: {error}", "give a JSON file"
                raise ConfigError(message, where=str(given), hint=hint) from error
            if not is_form(form):
                message, hint = "the file holds no schema", f"expected, as JSON: {WANTED}"
                raise ConfigError(message, where=str(given), hint=hint)
            return form


def as_schema(form: Form) -> Mapping[str, Any]:
    """The JSON Schema by which a server holds an answer to a form; texts become JSON strings."""
    return form if isinstance(form, Mapping) else {"type": "string", "enum": list(form)}


def as_answer(form: Form, reply: str) -> str:
    """A server's reply to such a schema as the answer; one that does not keep to it as it is."""
    if isinstance(form, Mapping):
        return reply
    try:
        text = json.loads(reply)
    except (ValueError, RecursionError):
        return reply
    return text if isinstance(text, str) else reply
