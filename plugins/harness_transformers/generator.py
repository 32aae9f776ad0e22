"""Generation with transformers: sorted batches, greedy by default."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

from pydantic import Field

import harness


class TransformersGenerator(harness.Generator):
    """Answers with a transformers model, in batches of prompts of like length."""

    name = "transformers"
    revision = 2
    accepts = frozenset({"base", "adapter"})

    class Options(harness.Options):
        max_new_tokens: int = Field(default=256, ge=1, description="longest answer, in tokens")
        min_new_tokens: int = Field(default=0, ge=0, description="shortest answer, in tokens")
        batch_size: int = Field(default=32, ge=1, description="prompts at once")
        do_sample: bool = Field(default=False, description="draw instead of taking the likeliest")
        temperature: float = Field(default=1.0, gt=0, description="only with do_sample")
        top_p: float = Field(default=1.0, gt=0, le=1, description="only with do_sample")
        precision: Literal["auto", "bf16", "fp32"] = Field(
            default="auto", description="auto: bf16 where the device is fast at it"
        )
        merge: bool = Field(
            default=False, description="add the adapter to the weights, which rounds it"
        )

    options: Options

    def generate(
        self,
        checkpoint: harness.Checkpoint,
        examples: Sequence[harness.Example],
        context: harness.Context,
    ) -> Iterator[harness.Prediction]:
        """See :meth:`harness.Generator.generate`.

        Raises:
            DataError: the chat template is not the one that the checkpoint was trained with.
        """
        from harness_transformers.quiet import quietly

        with quietly():
            yield from self._generate(checkpoint, examples, context)

    def _generate(
        self, checkpoint: harness.Checkpoint, examples: Sequence[harness.Example], context: Any
    ) -> Iterator[harness.Prediction]:
        import torch

        from harness_transformers import adapters, encoding, greedy, loading

        tokenizer = loading.tokenizer_of(checkpoint)
        template = encoding.template_hash(tokenizer)
        if checkpoint.template not in (None, template):
            raise harness.DataError(
                f"this checkpoint was trained with chat template {checkpoint.template}, and "
                f"prompts would be rendered with {template}; its answers would mean nothing",
                hint="use the tokenizer that it was trained with, or train again",
            )
        context.note(template=template)
        dtype = loading.dtype_of(self.options.precision)
        model = adapters.ready(checkpoint, dtype, context, merge=self.options.merge)
        torch.manual_seed(context.seed)
        prompts = [encoding.prompt_ids(tokenizer, example) for example in examples]
        # The longest first: what needs the most memory fails at once, and time left only falls.
        order = sorted(range(len(prompts)), key=lambda place: (-len(prompts[place]), place))
        stops = encoding.stop_ids(tokenizer, model)
        pad = tokenizer.pad_token_id
        quick = None
        plain = not (self.options.do_sample or self.options.min_new_tokens)
        if prompts and plain and greedy.suits(model):
            quick = greedy.Greedy(model, prompts, stops, pad, context.check)
        size = self.options.batch_size
        context.progress(0, len(order), "answers")
        for start in range(0, len(order), size):
            places = order[start : start + size]
            batch = [prompts[place] for place in places]
            if quick is not None:
                answers = quick.answer(batch, self.options.max_new_tokens)
            else:
                answers = self._answer(model, pad, batch, stops)
            for place, tokens in zip(places, answers, strict=True):
                yield _prediction(examples[place], prompts[place], tokens, stops, tokenizer)
            context.progress(min(start + size, len(order)), len(order), "answers")

    def _answer(
        self, model: Any, pad: int, prompts: Sequence[list[int]], stops: list[int]
    ) -> list[list[int]]:
        """Generated tokens of one batch, each up to and with its stop token."""
        import torch

        width = max(map(len, prompts))
        ids = torch.full((len(prompts), width), pad)
        mask = torch.zeros((len(prompts), width), dtype=torch.long)
        for row, prompt in enumerate(prompts):
            ids[row, width - len(prompt) :] = torch.tensor(prompt)
            mask[row, width - len(prompt) :] = 1
        sampling = (
            {"temperature": self.options.temperature, "top_p": self.options.top_p}
            if self.options.do_sample
            else {"temperature": None, "top_p": None, "top_k": None}
        )
        with torch.inference_mode():
            out = model.generate(
                input_ids=ids.to(model.device),
                attention_mask=mask.to(model.device),
                max_new_tokens=self.options.max_new_tokens,
                min_new_tokens=self.options.min_new_tokens or None,
                do_sample=self.options.do_sample,
                eos_token_id=stops,
                pad_token_id=pad,
                **sampling,
            )
        return [_cut(row, stops) for row in out[:, width:].tolist()]


def _cut(tokens: list[int], stops: list[int]) -> list[int]:
    for place, token in enumerate(tokens):
        if token in stops:
            return tokens[: place + 1]
    return tokens


def _prediction(
    example: harness.Example, prompt: list[int], tokens: list[int], stops: list[int], tokenizer: Any
) -> harness.Prediction:
    ended = bool(tokens) and tokens[-1] in stops
    text = tokenizer.decode(tokens[:-1] if ended else tokens, skip_special_tokens=True)
    return harness.Prediction(
        example_id=example.id,
        text=text.strip(),
        finish_reason="stop" if ended else "length",
        prompt_tokens=len(prompt),
        completion_tokens=len(tokens),
    )
