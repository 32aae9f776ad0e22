"""What the config says of chats, on the ``model:`` entry: training and generation both use it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, field_validator

import harness

OWNED = frozenset(
    {
        *("messages", "conversation", "tools", "documents", "chat_template", "tokenize"),
        *("add_generation_prompt", "continue_final_message", "padding", "truncation"),
        *("max_length", "return_tensors", "return_dict", "return_assistant_tokens_mask"),
        *("tokenizer_kwargs", "sanitize_control_tokens"),
    }
)
"""Arguments of ``apply_chat_template`` that the harness gives."""


ANSWER = "Seven"
"""What a probe of a template answers."""
ENDLESS = (
    "the chat template ends an answer with nothing that could stop generation, so the model would "
    "not learn to stop"
)
END_IT = "end the assistant's turn with a token, such as {{ eos_token }}"
NO_EFFECT = "the chat template has no '{}', so it would have no effect"


NO_TEMPLATE = (
    "this model has no chat template: use an instruction-tuned model, or give one "
    "(chat_template: FILE)"
)


def template_in(folder: Path) -> Any:
    """The chat template that a model's folder brings, one or several; None if there is none."""
    single, several = folder / "chat_template.jinja", folder / "additional_chat_templates"
    try:
        if single.is_file() or several.is_dir():
            return "\n".join(
                path.read_text(encoding="utf-8")
                for path in (*folder.glob(single.name), *sorted(several.glob("*.jinja")))
            )
        return json.loads((folder / "tokenizer_config.json").read_bytes()).get("chat_template")
    except (OSError, ValueError, AttributeError):
        return None


def unknown(template: Any, arguments: Iterable[str]) -> list[str]:
    """The arguments that no chat template of the model mentions."""
    text = str(template)
    return [name for name in arguments if not re.search(rf"\b{re.escape(name)}\b", text)]


def _mistake(template: str) -> str:
    """Why a template cannot be trained on, or nothing.

    It is rendered as transformers does, but for what is not known before the model is there: the
    special tokens have stand-ins. What it refuses of a plain chat is left to training.
    """
    from jinja2 import TemplateError, TemplateSyntaxError
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    # A tag of transformers' own, which marks what the assistant says.
    plain = re.sub(r"\{%-?\s*(end)?generation\s*-?%\}", "", template)
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
    )
    environment.filters["tojson"] = json.dumps
    chat = [{"role": "user", "content": "one"}, {"role": "assistant", "content": ANSWER}]
    names = ("bos_token", "eos_token", "unk_token", "pad_token")
    try:
        text = environment.from_string(plain).render(
            messages=chat, add_generation_prompt=False, strftime_now=str,
            **{name: f"<{name}>" for name in names},
        )  # fmt: skip
    except TemplateSyntaxError as error:
        return f"line {error.lineno} of the chat template: {error.message}"
    except (TemplateError, TypeError, ValueError, LookupError, AttributeError):
        return ""
    _, answer, end = text.rpartition(ANSWER)
    return "" if not answer or end.strip() else f"{ENDLESS}; {END_IT}"


def _text_or_path(given: Any) -> Any:
    """Text with a brace is a template, other text the path of one."""
    return Path(given) if isinstance(given, str) and "{" not in given else given


class ChatOptions(harness.Options):
    """Options that every model's source has."""

    chat_template: Annotated[str | Path | None, BeforeValidator(_text_or_path)] = Field(
        default=None,
        description="a Jinja template (text with a brace), or a file with one; without "
        "it the model's own",
    )
    chat_template_kwargs: dict[str, Any] = Field(
        default={},
        description="arguments of the template, such as `{enable_thinking: false}`, for "
        "training and answers alike",
    )

    @field_validator("chat_template_kwargs")
    @classmethod
    def _free(cls, arguments: dict[str, Any]) -> dict[str, Any]:
        for name in arguments:
            if name in OWNED:
                raise ValueError(f"'{name}' is given by the harness")
        json.dumps(arguments)
        return arguments


class ChatModel(harness.Model):
    """A model whose checkpoint carries how its chats are rendered."""

    options: ChatOptions

    def folder(self) -> Path | None:
        """Where the model's files lie, if that is known before it is fetched."""
        return None

    def at_hand(self) -> bool:
        """See :meth:`harness.Model.at_hand`."""
        return self.folder() is not None

    def inputs(self) -> Sequence[Path]:
        given = self.options.chat_template
        return [given] if isinstance(given, Path) else []

    def check(self, settings: Mapping[str, Any]) -> Iterable[harness.Problem]:
        """See :meth:`harness.Plugin.check`: there is a template, and it can be used."""
        template: Any
        try:
            template = self._template()
        except harness.ConfigError as error:
            yield harness.Problem(error.what, ("chat_template",))
            return
        if template is None and (folder := self.folder()) is not None:
            template = template_in(folder)
            if not template:
                yield harness.Problem(NO_TEMPLATE)
        if isinstance(template, str) and (mistake := _mistake(template)):
            yield harness.Problem(mistake, ("chat_template",))
        for name in unknown(template, self.options.chat_template_kwargs if template else ()):
            yield harness.Problem(NO_EFFECT.format(name), ("chat_template_kwargs", name))

    def checkpoint(self, folder: Path, digest: str, name: str, **info: Any) -> harness.Checkpoint:
        """The base checkpoint in ``folder``, with what the options say of chats.

        Args:
            digest: of the folder's files; a template of one's own gives another one.
        """
        template, arguments = self._template(), self.options.chat_template_kwargs
        if template is not None:
            info["chat_template"] = template
        if arguments:
            info["chat_template_kwargs"] = arguments
        if template is not None or arguments:
            parts = json.dumps([digest, template, arguments], sort_keys=True)
            digest = hashlib.sha256(parts.encode()).hexdigest()
        return harness.Checkpoint("base", str(folder), digest, name, info=info)

    def _template(self) -> str | None:
        given = self.options.chat_template
        if not isinstance(given, Path):
            return given
        try:
            return given.read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            raise harness.ConfigError(
                f"the chat template cannot be read: {error}",
                where=f"model.chat_template: {given}",
                hint="a template's text has braces; anything else is taken for a file",
            ) from error
