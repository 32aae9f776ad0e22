"""The generator ``endpoint``: the run's model behind a server that the run starts."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

from pydantic import Field, field_validator

import harness
from harness.remote import (
    Asker,
    Reply,
    Request,
    RequestOptions,
    ServerOptions,
    foresee_library,
)
from harness_endpoint import serving


class EndpointGenerator(harness.Generator):
    """Answers through a server: it is started with the model, asked, and ended.

    Greedy by default. Answers are not kept from one server process to the next, so that those of a
    stage come from one process.
    """

    name = "endpoint"
    reported = ("serve", "max_tokens")
    known_as = ("server", "openai", "vllm", "sglang", "llama.cpp")
    libraries = ()
    accepts = frozenset({"base", "adapter"})
    synonyms: ClassVar[Mapping[str, str]] = {"max_new_tokens": "max_tokens"}

    class Options(RequestOptions):
        serve: str = Field(
            description="command that serves the model: `vllm serve {base} "
            "[--enable-lora --lora-modules tuned={adapter}] --port {port}`; a part in brackets is "
            "for adapters alone"
        )
        model: str = Field("{base}", description="name of the base model at the server")
        tuned: str = Field("tuned", description="name of the tuned model at the server")
        start_timeout: float = Field(
            600, gt=0, le=86_400, description="seconds until the server answers"
        )
        concurrency: int = Field(32, ge=1, le=1024, description="requests at once")
        timeout: float = Field(600, gt=0, le=3600, description="seconds for one answer")

        @field_validator("serve", "model", "tuned")
        @classmethod
        def _known(cls, text: str) -> str:
            unknown = serving.places_of(text) - set(serving.KNOWN)
            if unknown:
                known = ", ".join(f"{{{name}}}" for name in serving.KNOWN)
                raise ValueError(f"{{{min(unknown)}}} is not known: {known}")
            return text

        @field_validator("serve")
        @classmethod
        def _with_port(cls, text: str) -> str:
            if "port" not in serving.places_of(text):
                raise ValueError("the command needs {port}: the run chooses a free one")
            serving.words(text, dict.fromkeys(serving.KNOWN, ""))  # quotes that have no end
            return text

    options: Options

    def environment(self) -> Mapping[str, str]:
        """See :meth:`harness.Plugin.environment`: answers of two versions are not compared."""
        return {"server": serving.version(self.options.serve)}

    def check(self, settings: Mapping[str, Any]) -> Iterable[harness.Problem]:
        """See :meth:`harness.Plugin.check`."""
        yield from foresee_library()
        program = serving.words(self.options.serve, {"base": "", "port": ""})[0]
        if shutil.which(program) is None:
            message = f"there is no program '{program}' on the path"
            yield harness.Problem(message, ("serve",), "environment")

    def generate(
        self,
        checkpoint: harness.Checkpoint,
        examples: Sequence[harness.Example],
        context: harness.Context,
    ) -> Iterator[harness.Prediction]:
        """See :meth:`harness.Generator.generate`.

        Raises:
            EnvironmentFailure: the server does not start, or leaves prompts unanswered.
        """
        adapter = checkpoint.kind == "adapter"
        base = checkpoint.base_path if adapter else checkpoint.path
        values = {"base": serving.folder_of(base) or "", "port": str(serving.free_port())}
        if adapter:
            values["adapter"] = serving.folder_of(checkpoint.path) or ""
        command = serving.words(self.options.serve, values)
        name = _filled(self.options.tuned if adapter else self.options.model, values)
        port, wait = int(values["port"]), self.options.start_timeout
        with serving.served(command, port, wait, context) as address:
            own = self.options.model_dump(include=set(RequestOptions.model_fields))
            options = ServerOptions(endpoint=address, model=name, key="", cache="", **own)
            yield from self._answers(options, examples, context)

    def _answers(
        self, options: ServerOptions, examples: Sequence[harness.Example], context: harness.Context
    ) -> Iterator[harness.Prediction]:
        asker = Asker(options, f"the server of {options.model}", stage="generate")
        requests = [Request(row.messages, tools=row.tools) for row in examples]
        for place, reply in asker.replies(requests, context.progress, "prompts have no answer"):
            yield prediction(examples[place], reply)

    def brief(self, tokens: int) -> EndpointGenerator:
        """See :meth:`harness.Generator.brief`."""
        options = self.options.model_copy(update={"max_tokens": tokens, "temperature": 0.0})
        return type(self)(options)


def _filled(text: str, values: Mapping[str, str]) -> str:
    [name] = serving.words(f'"{text}"', values) or [""]
    return name


def prediction(row: harness.Example, reply: Reply) -> harness.Prediction:
    """A server's reply as the answer to a row."""
    finish = "length" if reply.finish == "length" else "stop"
    return harness.Prediction(row.id, reply.text, finish, reply.prompt_tokens, reply.answer_tokens)
