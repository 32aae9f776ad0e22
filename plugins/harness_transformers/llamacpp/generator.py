"""Generation by llama.cpp: the answers that people get who run the model as a GGUF file."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from pydantic import Field

import harness
from harness.kit.forms import FormOptions
from harness_transformers import grammar
from harness_transformers.llamacpp import library

if TYPE_CHECKING:
    from harness_transformers.encoding import Encoded

SMALLER = "take a smaller model, or close other programs: the file is made of float32 weights"


class LlamaCppGenerator(harness.Generator):
    """Answers by llama.cpp, with the model as a GGUF file; one prompt at a time, the likeliest
    tokens."""

    name = "llamacpp"
    reported = ("max_new_tokens", "quantize")
    known_as = ("llama.cpp", "llama-cpp", "gguf", "ollama")
    synonyms: ClassVar[Mapping[str, str]] = {
        "max_tokens": "max_new_tokens", "quantization": "quantize", "dtype": "quantize",
    }  # fmt: skip
    libraries = ("torch", "transformers", "tokenizers", "peft", "gguf", library.DISTRIBUTION)

    class Options(FormOptions):
        max_new_tokens: int = Field(default=256, ge=1, description="longest answer, in tokens")
        quantize: library.Kind = Field(default="f16", description="kind of the file's weights")
        on_too_long: Literal["refuse", "count"] = Field(
            default="refuse",
            description="where a prompt and `max_new_tokens` do not fit the model's "
            "context: `refuse` to generate, or `count` such prompts, whose "
            "answers are empty",
        )

    options: Options

    def check(self, settings: Mapping[str, Any]) -> Iterator[harness.Problem]:
        """See :meth:`harness.Plugin.check`."""
        yield from grammar.foresee(self.options)
        if any(trainer.get("quantization") for trainer in harness.trainers_in(settings)):
            message = "a file for llama.cpp is made of whole weights, not of train.quantization"
            yield harness.Problem(message, ())

    def generate(
        self,
        checkpoint: harness.Checkpoint,
        examples: Sequence[harness.Example],
        context: harness.Context,
    ) -> Iterator[harness.Prediction]:
        """See :meth:`harness.Generator.generate`.

        Raises:
            UsageError: such a model is not written.
            DataError: the chat template is not the one that the checkpoint was trained with, or
                refuses prompts, or they are longer than the model's context allows.
            EnvironmentFailure: llama.cpp is not installed, or fails.
        """
        from harness_transformers.chats import Chats
        from harness_transformers.llamacpp import asking

        chats, room = Chats.as_trained(checkpoint), self.options.max_new_tokens
        prompts, long = chats.prompts(examples, room, count=self.options.on_too_long == "count")
        context.note(template=chats.template, llamacpp=library.version())
        chats.note_prompts(context, long, examples, room)
        for place in long:
            yield harness.Prediction(examples[place].id, "", "context", len(prompts[place]), 0)
        fitting = [place for place in range(len(prompts)) if place not in set(long)]
        asked = [prompts[place] for place in fitting]
        with self._file(checkpoint, context) as path:
            answers = asking.answers(path, chats, asked, room, self.form(), context.report)
            for place, answer in zip(fitting, answers, strict=True):
                yield asking.prediction(chats, examples[place], prompts[place], answer)

    def losses(
        self, checkpoint: harness.Checkpoint, texts: Sequence[str], context: harness.Context
    ) -> Iterator[tuple[float, int]]:
        """See :meth:`harness.Generator.losses`."""
        from harness_transformers import textlosses
        from harness_transformers.chats import Chats

        rows = textlosses.encoded(texts, Chats.of(checkpoint))
        for losses in self._losses(checkpoint, rows, context):
            yield sum(losses), len(losses)

    def answer_losses(
        self,
        checkpoint: harness.Checkpoint,
        rows: Sequence[harness.Example],
        context: harness.Context,
    ) -> Iterator[list[float]]:
        """See :meth:`harness.Generator.answer_losses`."""
        from harness_transformers import textlosses
        from harness_transformers.chats import Chats

        encoded = textlosses.encoded_answers(rows, Chats.of(checkpoint))
        fitting = [row for row in encoded if not row.truncated]
        losses = iter(self._losses(checkpoint, fitting, context))
        yield from ([] if row.truncated else next(losses) for row in encoded)

    def _losses(
        self, checkpoint: harness.Checkpoint, rows: Sequence[Encoded], context: harness.Context
    ) -> list[list[float]]:
        """Of each learned token, row by row; nothing of rows of one token or none."""
        from harness_transformers.llamacpp import asking

        long = [row for row in rows if len(row.input_ids) > 1]
        with self._file(checkpoint, context) as path:
            values = iter(asking.log_probabilities(path, long, context.report))
        return [
            [-value for value in next(values)] if len(row.input_ids) > 1 else [] for row in rows
        ]

    @contextlib.contextmanager
    def _file(self, checkpoint: harness.Checkpoint, context: harness.Context) -> Iterator[Path]:
        """The checkpoint as a file, for as long as the block lasts."""
        from harness_transformers import memory
        from harness_transformers.llamacpp import asking
        from harness_transformers.quiet import quietly

        library.need("the generator llamacpp")
        short = memory.told("to write this model as a file", SMALLER)
        with tempfile.TemporaryDirectory(prefix="harness-") as folder:
            path = Path(folder, "model.gguf")
            with short, quietly():
                asking.written(checkpoint, path, self.options.quantize, context.progress)
            yield path

    def form(self) -> harness.Form | None:
        """See :meth:`harness.Generator.form`."""
        return self.options.form()

    def held_to(self, form: harness.Form) -> Self:
        """See :meth:`harness.Generator.held_to`."""
        grammar.grammar_of(form)
        return type(self)(self.options.model_copy(update={"schema": form}))

    def brief(self, tokens: int) -> Self:
        """See :meth:`harness.Generator.brief`."""
        options = self.Options(
            max_new_tokens=tokens, quantize=self.options.quantize, on_too_long="count"
        )
        return type(self)(options)
