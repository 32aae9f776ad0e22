"""The generator ``endpoint``: the run's model behind a server that the run starts."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field, field_validator, model_validator

import harness
from harness.kit import forms
from harness.kit.forms import FormOptions
from harness.kit.remote.asking import Asker
from harness.kit.remote.options import RequestOptions, ServerOptions, foresee_library
from harness.kit.remote.replies import Reply, Request
from harness_endpoint import serving


class EndpointGenerator(harness.Generator):
    """Answers through a server: it is started with the model, asked, and ended.

    Greedy by default. Answers are not kept from one server process to the next, so that those of a
    stage come from one process, and those of both sides of a verdict where it can hold both.
    """

    name = "endpoint"
    reported = ("serve", "max_tokens")
    commands = ("serve",)
    known_as = ("server", "openai", "vllm", "sglang", "llama.cpp")
    libraries = ()
    accepts = frozenset({"base", "adapter"})
    synonyms: ClassVar[Mapping[str, str]] = {"max_new_tokens": "max_tokens"}

    class Options(FormOptions, RequestOptions):
        serve: str = Field(
            description="command that serves the model: `vllm serve {base} "
            "[--enable-lora --lora-modules {adapters}] --port {port}`; a part in brackets is "
            "for adapters alone"
        )
        model: str = Field("{base}", description="name of the base model at the server")
        tuned: str = Field("tuned", description="name of the tuned model at the server")
        start_timeout: float = Field(
            600, gt=0, le=86_400, description="seconds until the server answers"
        )
        again: int = Field(
            60, ge=0,
            description="rows that the base model is asked again for each verdict, where a process "
            "of the server holds one model",
        )  # fmt: skip
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
            values = {"base": "", "port": ""}
            try:
                serving.words(text, values)
                serving.words(text, {**values, "adapter": ""}, {"tuned": ""})
            except KeyError:
                raise ValueError(
                    "what is for adapters alone stands in brackets, and {adapters} is a word of "
                    "its own: [--lora-modules {adapters}]"
                ) from None
            return text

        @model_validator(mode="after")
        def _told_of_adapters(self) -> EndpointGenerator.Options:
            places = serving.places_of(self.serve)
            if {"adapter", "adapters"} <= places:
                raise ValueError("{adapters} are all of them: {adapter} beside it is one too many")
            if not ({"adapter", "adapters"} & places or "adapter" in serving.places_of(self.tuned)):
                raise ValueError(
                    "the server is never told of the adapter: serve needs {adapters} or {adapter}, "
                    "or tuned: '{adapter}' where it loads what a request names"
                )
            if "adapter" not in places and self.model == self.tuned:
                raise ValueError(
                    "model and tuned are asked in one process of the server, so they need two names"
                )
            return self

    options: Options

    def environment(self) -> Mapping[str, str]:
        """See :meth:`harness.Plugin.environment`: answers of two versions are not compared."""
        return {"server": serving.version(self.options.serve)}

    def check(self, settings: Mapping[str, Any]) -> Iterable[harness.Problem]:
        """See :meth:`harness.Plugin.check`."""
        yield from foresee_library()
        try:
            self.form()
        except harness.ConfigError as error:
            yield harness.Problem(error.what, ("schema",))
        program, *rest = serving.words(self.options.serve, {"base": "", "port": ""})
        if Path(program).name == "transformers" and rest[:1] == ["serve"]:
            message = "`transformers serve` knows no adapters, so no round could be asked"
            yield harness.Problem(message, ("serve",), "config")
        if shutil.which(program) is None:
            message = f"there is no program '{program}' on the path"
            yield harness.Problem(message, ("serve",), "environment")

    def holds_both(self) -> bool:
        """See :meth:`harness.Generator.holds_both`: where the command is for one adapter, not."""
        return "adapter" not in serving.places_of(self.options.serve)

    def asked_again(self) -> int:
        """See :meth:`harness.Generator.asked_again`."""
        return 0 if self.holds_both() else self.options.again

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
        for _, answer in self._answers((checkpoint,), examples, context):
            yield answer

    def generate_both(
        self,
        checkpoints: tuple[harness.Checkpoint, harness.Checkpoint],
        examples: Sequence[harness.Example],
        context: harness.Context,
    ) -> Iterator[tuple[int, harness.Prediction]]:
        """See :meth:`harness.Generator.generate_both`.

        Raises:
            EnvironmentFailure: the server does not start, or leaves prompts unanswered.
        """
        yield from self._answers(checkpoints, examples, context)

    def _answers(
        self,
        checkpoints: Sequence[harness.Checkpoint],
        examples: Sequence[harness.Example],
        context: harness.Context,
    ) -> Iterator[tuple[int, harness.Prediction]]:
        """The answers of one server, with the place of the checkpoint that gave each."""
        port, values, adapters, names = serving.free_port(), {}, dict[str, str](), list[str]()
        for checkpoint in checkpoints:
            tuned = checkpoint.kind == "adapter"
            base = checkpoint.base_path if tuned else checkpoint.path
            values = {"base": serving.folder_of(base) or "", "port": str(port)}
            if tuned:
                values["adapter"] = serving.folder_of(checkpoint.path) or ""
            name = _filled(self.options.tuned if tuned else self.options.model, values)
            if tuned:
                if adapters.setdefault(name, values["adapter"]) != values["adapter"]:
                    name = f"{name}-kept"
                adapters[name] = values["adapter"]
            names.append(name)
        command = serving.words(self.options.serve, values, adapters)
        seconds = self.options.start_timeout
        with serving.served(command, port, seconds, context, names) as address:
            own = self.options.model_dump(include=set(RequestOptions.model_fields))
            # Nobody is paid for it, so a cap on money does not stop it.
            options = ServerOptions(
                endpoint=address, model=names[0], key="", cache="", price={"in": 0, "out": 0}, **own
            )
            yield from self._asked(options, names, examples, context)

    def _asked(
        self,
        options: ServerOptions,
        names: Sequence[str],
        examples: Sequence[harness.Example],
        context: harness.Context,
    ) -> Iterator[tuple[int, harness.Prediction]]:
        """The answers of a server's models, row by row; neither side is always the first."""
        asked = [
            (row, side)
            for place, row in enumerate(examples)
            for side in (range(len(names)) if place % 2 == 0 else reversed(range(len(names))))
        ]
        form = self.form()
        schema = None if form is None else forms.as_schema(form)
        requests = [
            Request(row.messages, tools=row.tools, model=names[side], schema=schema)
            for row, side in asked
        ]
        asker = Asker(options, f"the server of {names[0]}", stage="generate")
        served: dict[str, list[str]] = {name: [] for name in names}
        for place, reply in asker.replies(requests, context.progress, "prompts have no answer"):
            row, side = asked[place]
            if form is not None:
                reply = replace(reply, text=forms.as_answer(form, reply.text))
            if reply.served not in served[names[side]]:
                served[names[side]].append(reply.served)
            yield side, prediction(row, reply)
        context.note(served=served)

    def form(self) -> harness.Form | None:
        """See :meth:`harness.Generator.form`."""
        return self.options.form()

    def held_to(self, form: harness.Form) -> EndpointGenerator:
        """See :meth:`harness.Generator.held_to`."""
        return type(self)(self.options.model_copy(update={"schema": form}))

    def brief(self, tokens: int) -> EndpointGenerator:
        """See :meth:`harness.Generator.brief`."""
        options = self.options.model_copy(
            update={"max_tokens": tokens, "temperature": 0.0, "schema": None}
        )
        return type(self)(options)


def _filled(text: str, values: Mapping[str, str]) -> str:
    [name] = serving.words(f'"{text}"', values) or [""]
    return name


def prediction(row: harness.Example, reply: Reply) -> harness.Prediction:
    """A server's reply as the answer to a row."""
    answer = harness.Answer.read(reply.text) if row.tools else harness.Answer(reply.text)
    return harness.Prediction(
        row.id,
        reply.text,
        "length" if reply.finish == "length" else "stop",
        reply.prompt_tokens,
        reply.answer_tokens,
        message=answer.turn if answer.calls else None,
    )
