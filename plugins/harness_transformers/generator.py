"""Generation with transformers: sorted batches, greedy by default."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

import harness
from harness.kit.forms import FormOptions
from harness_transformers import grammar, ranks

SMALLER = (
    "lower generate.max_new_tokens, take a smaller model or train.quantization: 4bit, or close "
    "other programs; the same command goes on"
)
"""What to do where memory is short."""


class TransformersGenerator(harness.Generator):
    """Answers with a transformers model, in batches of prompts of like length."""

    name = "transformers"
    reported = ("max_new_tokens",)
    known_as = ("hf", "huggingface", "generate", "vllm")
    synonyms: ClassVar[Mapping[str, str]] = {
        "max_tokens": "max_new_tokens", "max_length": "max_new_tokens", "sample": "do_sample",
        "temp": "temperature", "dtype": "precision", "torch_dtype": "precision",
    }  # fmt: skip
    revision = 6
    libraries = ("torch", "transformers", "tokenizers", "peft")
    accepts = frozenset({"base", "adapter"})
    unkeyed: ClassVar[Mapping[str, str]] = {
        "processes": "`environment()` says how many there are",
        "rank_timeout": "says when a process that is silent is taken for dead",
        "jobs": "`environment()` says how many there are",
    }

    class Options(FormOptions):
        max_new_tokens: int = Field(default=256, ge=1, description="longest answer, in tokens")
        min_new_tokens: int = Field(default=0, ge=0, description="shortest answer, in tokens")
        batch_size: int = Field(default=32, ge=1, description="prompts at once")
        do_sample: bool = Field(
            default=False, description="draw tokens instead of taking the likeliest"
        )
        temperature: float = Field(default=1.0, gt=0, description="only with `do_sample`")
        top_p: float = Field(default=1.0, gt=0, le=1, description="only with `do_sample`")
        top_k: int = Field(
            default=0,
            ge=0,
            description="only with `do_sample`: draw from so many of the likeliest tokens; "
            "0: from all",
        )
        generation_config: Literal["options", "model"] = Field(
            default="options",
            description="`options`: these options alone decide how tokens are chosen; "
            "`model`: the model's own `generation_config.json` does, and "
            "`min_new_tokens` and the four sampling options must not be set",
        )
        on_too_long: Literal["refuse", "count"] = Field(
            default="refuse",
            description="where a prompt and `max_new_tokens` do not fit the model's "
            "context: `refuse` to generate, or `count` such prompts, whose "
            "answers are empty",
        )
        precision: Literal["auto", "bf16", "fp32"] = Field(
            default="auto",
            description="`bf16`, `fp32`, or `auto`: bf16 where the device is fast at it",
        )
        merge: bool = Field(
            default=False,
            description="add an adapter to the weights before answering, which below `fp32` "
            "rounds its update; reports say how much ([models.md](models.md))",
        )
        processes: ranks.Processes = Field(
            default="auto", description="that share the prompts; auto: one for each visible GPU"
        )
        rank_timeout: ranks.Timeout = ranks.TIMEOUT
        jobs: int = Field(
            default=1, ge=1, le=1000, description="jobs that share the prompts of a pass, each at "
            "work on one of `execution.workers`; part of what names the answers"
        )  # fmt: skip

        @model_validator(mode="after")
        def _have_effect(self) -> Self:
            """Refuse options without effect."""
            if self.schema is not None and self.min_new_tokens:
                raise ValueError("min_new_tokens: an answer of a schema ends where it is whole")
            names = ["temperature", "top_p", "top_k"]
            reason = "without do_sample: true"
            if self.generation_config == "model":
                names += ["do_sample", "min_new_tokens"]
                reason = "with generation_config: model"
            elif self.do_sample:
                return self
            fields = type(self).model_fields
            idle = [name for name in names if getattr(self, name) != fields[name].default]
            if idle:
                raise ValueError(f"{', '.join(idle)}: no effect {reason}")
            return self

    options: Options

    def environment(self) -> Mapping[str, str]:
        """See :meth:`harness.Plugin.environment`."""
        from harness_transformers import devices

        count = ranks.count(self.options.processes, "generate.processes")
        shared = {} if self.options.jobs == 1 else {"jobs": str(self.options.jobs)}
        of_ranks = ranks.environment(count)
        return {**devices.environment(self.options.precision), **of_ranks, **shared}

    def jobs(self) -> int:
        """See :meth:`harness.Generator.jobs`."""
        return self.options.jobs

    def _count(self, rows: int) -> int:
        """How many processes share so many rows."""
        return min(rows, ranks.count(self.options.processes, "generate.processes")) or 1

    def preload(self, checkpoint: harness.Checkpoint | None) -> None:
        """See :meth:`harness.Plugin.preload`."""
        from harness_transformers import preloading

        if self.options.processes not in ("auto", 1):
            return  # each loads for itself
        modules = ["harness_transformers.adapters", "harness_transformers.textlosses"]
        if checkpoint is not None and checkpoint.kind == "adapter":
            modules.append("peft")
        preloading.preload(checkpoint, self.options.precision, modules)

    def schedule(self, rows: int) -> harness.Schedule:
        """See :meth:`harness.Generator.schedule`."""
        return harness.Schedule(-(-rows // self.options.batch_size))

    def check(self, settings: Mapping[str, Any]) -> Iterator[harness.Problem]:
        """What does not go together with how the model is trained."""
        yield from grammar.foresee(self.options)
        train = next(iter(harness.trainers_in(settings)), {})
        bits, precision = train.get("quantization"), train.get("precision", "auto")
        if self.options.merge and bits:
            message = f"an adapter cannot be merged into weights of {bits} (train.quantization)"
            yield harness.Problem(message, ("merge",))
        if (
            "auto" not in (precision, self.options.precision)
            and precision != self.options.precision
        ):
            message = f"training computes in {precision}, answering in {self.options.precision}"
            yield harness.Problem(message, ("precision",), "note")
        if self.options.min_new_tokens > self.options.max_new_tokens:
            message = f"more than max_new_tokens {self.options.max_new_tokens}"
            yield harness.Problem(message, ("min_new_tokens",))

    def generate(
        self,
        checkpoint: harness.Checkpoint,
        examples: Sequence[harness.Example],
        context: harness.Context,
    ) -> Iterator[harness.Prediction]:
        """See :meth:`harness.Generator.generate`.

        Raises:
            DataError: the chat template is not the one that the checkpoint was trained with, or
                refuses prompts, or they are longer than the model's context allows.
            EnvironmentFailure: the memory is not enough for a single prompt.
        """
        from harness_transformers import allocation, memory
        from harness_transformers.quiet import quietly

        if (count := self._count(len(examples))) > 1:
            from harness_transformers.ranks import shares

            yield from shares.answers(self, checkpoint, examples, context, count)
            return
        short = memory.told("to answer with this model, prompt by prompt", SMALLER)
        with allocation.kept(), short, quietly():
            yield from self._generate(checkpoint, examples, context)

    def losses(
        self, checkpoint: harness.Checkpoint, texts: Sequence[str], context: harness.Context
    ) -> Iterator[tuple[float, int]]:
        """See :meth:`harness.Generator.losses`.

        Raises:
            EnvironmentFailure: the memory is not enough for a single text.
        """
        from harness_transformers import allocation, memory, textlosses
        from harness_transformers.quiet import quietly

        if (count := self._count(len(texts))) > 1:
            from harness_transformers.ranks import shares

            sizes = list(map(len, texts))
            sums = shares.shared(self, "losses", checkpoint, texts, sizes, context, count)
            yield from map(tuple, sums)
            return
        short = memory.told("to read texts with this model, one by one", SMALLER)
        with allocation.kept(), short, quietly():
            yield from textlosses.measured(self.options, checkpoint, texts, context)

    def answer_losses(
        self,
        checkpoint: harness.Checkpoint,
        rows: Sequence[harness.Example],
        context: harness.Context,
    ) -> Iterator[list[float]]:
        """See :meth:`harness.Generator.answer_losses`.

        Raises:
            DataError: the chat template refuses rows.
            EnvironmentFailure: the memory is not enough for a single row.
        """
        from harness_transformers import allocation, memory, textlosses
        from harness_transformers.quiet import quietly

        if (count := self._count(len(rows))) > 1:
            from harness_transformers.ranks import shares

            sizes = [len(f"{row.prompt}{row.references[0]}") for row in rows]
            yield from shares.shared(self, "answer_losses", checkpoint, rows, sizes, context, count)
            return
        short = memory.told("to read answers with this model, one by one", SMALLER)
        with allocation.kept(), short, quietly():
            yield from textlosses.of_answers(self.options, checkpoint, rows, context)

    def brief(self, tokens: int) -> Self:
        """See :meth:`harness.Generator.brief`."""
        names = ("batch_size", "precision", "merge", "processes", "rank_timeout")
        same = {name: getattr(self.options, name) for name in names}
        return type(self)(self.Options(max_new_tokens=tokens, on_too_long="count", **same))

    def form(self) -> harness.Form | None:
        """See :meth:`harness.Generator.form`."""
        return self.options.form()

    def held_to(self, form: harness.Form) -> Self:
        """See :meth:`harness.Generator.held_to`."""
        grammar.grammar_of(form)
        return type(self)(self.options.model_copy(update={"schema": form}))

    def _generate(
        self, checkpoint: harness.Checkpoint, examples: Sequence[harness.Example], context: Any
    ) -> Iterator[harness.Prediction]:
        import torch

        from harness_transformers import adapters, devices, memory, sampling
        from harness_transformers.chats import Chats
        from harness_transformers.checkpoints import belonging
        from harness_transformers.saved_answers import SavedAnswers

        options = self.options
        chats = Chats.as_trained(checkpoint)
        prompts, long = chats.prompts(
            examples, options.max_new_tokens, count=options.on_too_long == "count"
        )
        dtype = devices.dtype_of(options.precision)
        model = adapters.ready(checkpoint, dtype, context, merge=options.merge)
        torch.manual_seed(context.seed)
        pad, form, holding = chats.tokenizer.pad_token_id, self.form(), None
        if form is not None:
            size = grammar.vocabulary(model)
            holding = grammar.Grammar(form, chats.tokenizer, chats.stops, size)
        config = sampling.config_for(options, model.generation_config, chats.stops, pad)
        self._report(context, chats, model, config)
        chats.note_prompts(context, long, examples, options.max_new_tokens)
        # transformers fills what a config leaves open from the model's own, which must not be.
        model.generation_config = config
        for place in long:
            yield harness.Prediction(examples[place].id, "", "context", len(prompts[place]), 0)
        # The longest first: what needs the most memory fails at once, and time left only falls.
        skipped = frozenset(long)
        order = [place for place in range(len(prompts)) if place not in skipped]
        order.sort(key=lambda place: (-len(prompts[place]), place))
        at_once = memory.AtOnce(options.batch_size, context.say, "prompts")
        belongs = belonging(
            (), (), self.libraries, options=options.model_dump(mode="json"), seed=context.seed,
            checkpoint=checkpoint.digest, prompts=[prompts[place] for place in order],
        )  # fmt: skip
        saved = SavedAnswers(context, at_once, belongs, len(order))
        for place, tokens in saved.answers.items():
            yield _prediction(examples[place], prompts[place], tokens, chats)

        def work(places: Sequence[int], size: int) -> Iterator[tuple[int, list[int]]]:
            return self._answers(model, prompts, places, size, chats.stops, saved, holding)

        context.progress(len(saved.answers), len(order), "answers")
        unanswered = [place for place in order if place not in saved.answers]
        for place, tokens in at_once.stream(unanswered, work):
            saved.answers[place] = tokens
            yield _prediction(examples[place], prompts[place], tokens, chats)
            # Whether to stop is asked where what is done can be saved: after a step, or a batch.
            context.report(len(saved.answers), len(order), "answers")
        if at_once.halved:
            context.remark(
                f"memory ran out in answering: {at_once.rows} prompts at a time were answered, "
                f"not {options.batch_size}"
            )

    def _answers(
        self,
        model: Any,
        prompts: Sequence[list[int]],
        places: Sequence[int],
        size: int,
        stops: Any,
        saved: Any,
        holding: grammar.Grammar | None,
    ) -> Iterator[tuple[int, list[int]]]:
        """The place of each prompt and its answer's tokens, as they come, ``size`` at a time.

        Args:
            holding: of answers to a form; None: they are free.
        """
        from harness_transformers import greedy, sampling

        limit = self.options.max_new_tokens
        plain = bool(places) and not sampling.choices(model.generation_config)
        if plain and greedy.suits(model, [prompts[place] for place in places], limit):
            state = saved.take() or {"places": places, "decoding": None}
            decoder = greedy.Greedy(
                model, stops, size,
                lambda: saved.pause({"places": state["places"], "decoding": decoder.state()}),
                holding,
            )  # fmt: skip
            to_answer = [prompts[place] for place in state["places"]]
            for number, tokens in decoder.answers(to_answer, limit, state["decoding"]):
                yield state["places"][number], tokens
            return
        # Where positions depend on the longest of a batch, each prompt is a batch of its own.
        longest = max((len(prompts[place]) for place in places), default=0)
        if greedy.stretches(model.config, longest + limit):
            size = 1
        saved.take()  # for the random states alone: nothing else goes on within a batch
        for start in range(0, len(places), size):
            batch = places[start : start + size]
            batch_prompts = [prompts[place] for place in batch]
            answers = _answer(model, batch_prompts, stops, saved.context.cancelled, holding)
            yield from zip(batch, answers, strict=True)
            saved.pause()

    def _report(self, context: Any, chats: Any, model: Any, config: Any) -> None:
        """Keep what the answers rest on with them."""
        from harness_transformers import sampling

        options = self.options
        context.note(
            template=chats.template,
            generation_config=options.generation_config,
            generation_settings=json.dumps(sampling.choices(config)),
        )
        if sentence := sampling.remark(options, model.generation_config):
            context.remark(sentence)


def _answer(
    model: Any,
    prompts: Sequence[list[int]],
    stops: Any,
    sign: Callable[[], object],
    holding: grammar.Grammar | None,
) -> list[list[int]]:
    """Generated tokens of one batch by ``model.generate``, each up to and with its end.

    Args:
        sign: called at each token: a batch may take longer than a process may be silent.
        holding: of answers to a form; None: they are free.
    """
    import torch
    from transformers import LogitsProcessorList, StoppingCriteriaList

    pad = model.generation_config.pad_token_id
    width = max(map(len, prompts))
    # Padded on the left: what is generated follows each prompt at once.
    ids = torch.full((len(prompts), width), pad)
    mask = torch.zeros((len(prompts), width), dtype=torch.long)
    for row, prompt in enumerate(prompts):
        ids[row, width - len(prompt) :] = torch.tensor(prompt)
        mask[row, width - len(prompt) :] = 1

    def ended(ids: Any, scores: Any, **_: Any) -> Any:
        sign()
        if not stops.text:  # generate itself knows the tokens that end an answer
            return torch.zeros(len(ids), dtype=torch.bool, device=ids.device)
        return torch.tensor([stops.ended(row) for row in ids[:, width:].tolist()]).to(ids.device)

    def held(ids: Any, scores: Any) -> Any:
        for row, tokens in enumerate(ids[:, width:].tolist()):
            allowed = None if holding is None else holding.allowed(row, tokens)
            if allowed is not None:
                scores[row, ~torch.from_numpy(allowed).to(scores.device)] = -torch.inf
        return scores

    with torch.inference_mode():
        out = model.generate(
            input_ids=ids.to(model.device),
            attention_mask=mask.to(model.device),
            generation_config=model.generation_config,
            stopping_criteria=StoppingCriteriaList([ended]),
            logits_processor=LogitsProcessorList([] if holding is None else [held]),
        )
    return [stops.cut(row) for row in out[:, width:].tolist()]


def _prediction(
    example: harness.Example, prompt: list[int], tokens: list[int], chats: Any
) -> harness.Prediction:
    text, message = chats.answer(example, tokens, prompt)
    return harness.Prediction(
        example_id=example.id,
        text=text,
        finish_reason="stop" if chats.stops.ended(tokens) else "length",
        prompt_tokens=len(prompt),
        completion_tokens=len(tokens),
        message=message,
    )
