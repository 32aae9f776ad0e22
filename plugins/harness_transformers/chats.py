"""All that stands between chats and a model's tokens, read from its folder once."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import harness
from harness.kit.draws import drawn
from harness_transformers import encoding, loading, shared
from harness_transformers.calling import PROBE_TOOLS, CallForm, learned_form
from harness_transformers.chat_options import END_IT, ENDLESS
from harness_transformers.encoding import Encoded, Ending
from harness_transformers.rope import reach
from harness_transformers.stops import Stops, stops_of

SANE = 10_000_000
"""Tokenizers without a limit of their own say 1e30."""
SHOWN = 20
"""Rows that an error names."""
LOOKED_AT = 50
"""Prompts with tools of which it is looked what the chat template drops."""
_THOUGHT = re.compile(r"\A\s*<think>.*?</think>[ \t]*\n*", re.DOTALL)
"""What Qwen, DeepSeek and others write before an answer, and nobody reads as a part of it."""


@dataclass(frozen=True)
class Chats:
    """How a model is asked and how its answers are read.

    Attributes:
        template: hash of how chats are rendered.
        calls: how calls of tools are written.
        context: most tokens of prompt and answer together, or None if nobody says.
    """

    tokenizer: Any
    template: str
    ending: Ending
    stops: Stops
    context: int | None
    calls: CallForm

    @classmethod
    def of(cls, checkpoint: harness.Checkpoint) -> Chats:
        """Of a base model, or of the one below an adapter.

        Raises:
            ConfigError: the model has no chat template that can be used.
        """
        loaded = shared.taken(checkpoint, shared.CHATS)
        if isinstance(loaded, cls):
            return loaded
        tokenizer = loading.tokenizer_of(checkpoint)
        template = encoding.template_hash(tokenizer)
        ending = encoding.ending(tokenizer)
        eos = loading.generation_config_of(checkpoint).eos_token_id
        stops = stops_of(tokenizer, ending, eos if isinstance(eos, list) else [eos])
        context = context_of(loading.config_of(checkpoint), tokenizer)
        return cls(tokenizer, template, ending, stops, context, _call_form(tokenizer, ending))

    @classmethod
    def as_trained(cls, checkpoint: harness.Checkpoint) -> Chats:
        """Likewise, where prompts are rendered as in the checkpoint's training.

        Raises:
            ConfigError: the model has no chat template that can be used.
            DataError: the chat template is another one.
        """
        chats = cls.of(checkpoint)
        if checkpoint.template not in (None, chats.template):
            raise harness.DataError(
                f"this checkpoint was trained with chat template {checkpoint.template}, and "
                f"prompts would be rendered with {chats.template}; its answers would mean nothing",
                hint="use the tokenizer that it was trained with, or train again",
            )
        return chats

    @property
    def ends(self) -> bool:
        """Whether the template ends an answer with something that stops generation."""
        return self.stops.ended(self.ending.tokens)

    def answer(
        self, row: harness.Example, tokens: Sequence[int], prompt: Sequence[int]
    ) -> tuple[str, harness.Message | None]:
        """What a model answered to a row, and the turn that it is where it calls tools.

        Calls are read in the form of the model's template alone: another one is a text.
        """
        if not row.tools:
            return self.text(tokens), None
        marked = self._plain(tokens, marks=True)
        called = self._by_transformers(row, tokens, prompt) or self.calls.read(marked)
        if called is not None:
            return called.text, called.turn
        begun = bool(self.calls.begin) and self.calls.begin in marked
        return marked if begun else self.text(tokens), None

    def _by_transformers(
        self, row: harness.Example, tokens: Sequence[int], prompt: Sequence[int]
    ) -> harness.Answer | None:
        """The answer where the tokenizer itself says how calls are read, and one is made."""
        if getattr(self.tokenizer, "response_template", None) is None:
            return None
        try:
            turn = self.tokenizer.parse_response(
                list(tokens), prefix=list(prompt), tools=[dict(tool) for tool in row.tools]
            )
            answer = harness.Answer.of(turn)
        except (ValueError, TypeError, LookupError, AttributeError):  # no answer of that form
            return None
        return answer if answer.calls else None

    def text(self, tokens: Sequence[int]) -> str:
        """What a model answered, without the end of the turn and what the template adds.

        Thoughts before the answer (``<think>…</think>``) are dropped. So are blank lines before it
        and white space after it; its first line keeps its indentation.
        """
        return self._plain(tokens, marks=False)

    def _plain(self, tokens: Sequence[int], *, marks: bool) -> str:
        ended = bool(tokens) and tokens[-1] in self.stops.tokens
        body = tokens[:-1] if ended else tokens
        text = encoding.answer_text(self.tokenizer, body, marks=marks)
        # Some templates end a turn with a text of several tokens, and no token of its own.
        if not ended and self.stops.text and self.stops.ended(tokens):
            text = text[: text.rindex(self.stops.text)]
        text = _THOUGHT.sub("", text.removeprefix(self.ending.lead), count=1).rstrip()
        if ended:
            text = text.removesuffix(self.ending.rest.strip()).rstrip()
        lines = text.split("\n")
        while lines[0].isspace() or (len(lines) > 1 and not lines[0]):
            del lines[0]
        return "\n".join(lines)

    def need_end(self) -> None:
        """Raises ConfigError where the template ends no answer."""
        if not self.ends:
            raise harness.ConfigError(
                ENDLESS, where="model", hint=f"{END_IT}: model: {{chat_template: FILE}}"
            )

    def longest(self, options: Any) -> tuple[int, str]:
        """Most tokens of a training row, and what says so.

        Args:
            options: those of the trainer.
        """
        if self.context is None or options.max_length <= self.context:
            return options.max_length, f"max_length {options.max_length}"
        return self.context, self._context_words

    def training_rows(self, rows: Sequence[harness.Example], options: Any) -> list[Encoded]:
        """Every row as tokens.

        Args:
            options: those of the trainer.

        Raises:
            ConfigError: the template ends no answer.
            DataError: rows that the template refuses, without a token to learn, with a cut
                answer, or that do not end an answer; each named.
        """
        self.need_end()
        limit, limited_by = self.longest(options)
        place = {row.id: row.place or row.id for row in rows}
        encoded = self._each(
            rows,
            lambda row: encoding.encode(
                self.tokenizer, row, limit, all_turns=options.train_on == "all"
            ),
            "training rows",
        )
        _refuse(
            [place[row.id] for row in encoded if not row.trained],
            "{} training rows have no token to learn within " + limited_by,
            "raise train.max_length, or drop these rows",
        )
        if options.on_truncated == "refuse":
            _refuse(
                [place[row.id] for row in encoded if row.truncated],
                limited_by + " cuts {} training answers",
                "raise train.max_length, or accept it with on_truncated: count",
            )
        endless = [row for row in encoded if not row.truncated]
        endless = [row for row in endless if not self.stops.ended(row.learned)]
        _refuse(
            [place[row.id] for row in endless],
            "{} training rows do not end with what stops generation, so the model would learn "
            "to go on",
            "mend the chat template, or drop these rows",
        )
        return encoded

    def prompts(
        self, examples: Sequence[harness.Example], room: int, *, count: bool
    ) -> tuple[list[list[int]], list[int]]:
        """Every prompt as tokens, and the places of those that are too long.

        Args:
            room: tokens that an answer may have.
            count: accept prompts that are too long, else they are refused.

        Raises:
            DataError: prompts that the template refuses or that are too long, each named.
        """
        prompts = self._each(
            examples, lambda row: encoding.prompt_ids(self.tokenizer, row), "prompts"
        )
        limit = self.context
        long = [n for n, ids in enumerate(prompts) if limit and len(ids) + room > limit]
        if not count:
            _refuse(
                [f"{examples[n].id}: {len(prompts[n]):,} tokens" for n in long],
                f"{{}} of {len(examples)} prompts leave no room for max_new_tokens {room} in "
                + self._context_words,
                "lower generate.max_new_tokens, shorten these prompts, or accept empty answers "
                "with on_too_long: count",
            )
        return prompts, long

    def note_prompts(
        self, context: Any, long: Sequence[int], examples: Sequence[harness.Example], room: int
    ) -> None:
        """Keep with the answers which prompts were too long for one of ``room`` tokens, and what
        the chat template drops of them."""
        context.note(too_long=len(long))
        looked_at = drawn([row for row in examples if row.tools], LOOKED_AT)
        dropped = [part for row in looked_at if (part := encoding.left_out(self.tokenizer, row))]
        if dropped:
            parts = dict.fromkeys(", ".join(sorted(dropped, key=len)).split(", "))
            context.remark(
                f"the chat template drops {' and '.join(parts)}: {len(dropped)} of "
                f"{len(looked_at)} prompts of {examples[0].split} that were looked at have them, "
                "and the model does not see them. Take a model, or model.chat_template, that knows "
                "tools"
            )
        if long:
            context.remark(
                f"{len(long):,} of {len(examples):,} prompts of {examples[0].split} leave no room "
                f"for max_new_tokens {room} in the model's context of {self.context:,} tokens; "
                "their answers are empty"
            )

    @property
    def _context_words(self) -> str:
        return f"the model's context of {self.context or 0:,} tokens"

    def _each(self, rows: Sequence[harness.Example], encode: Any, what: str) -> list[Any]:
        encoded, refused, hint = [], [], ""
        for row in rows:
            try:
                encoded.append(encode(row))
            except harness.DataError as error:
                refused.append(error.placed)
                hint = hint or error.hint
        _refuse(refused, f"{{}} of {len(rows)} {what} cannot be used", hint)
        return encoded


def _call_form(tokenizer: Any, ending: Ending) -> CallForm:
    """How the template writes calls; bare JSON where it writes none."""

    def rendered(answer: harness.Answer) -> str:
        text = encoding.rendered_answer(tokenizer, answer, PROBE_TOOLS).rstrip()
        return text.removesuffix(ending.tail.strip())

    try:
        return learned_form(rendered) or CallForm()
    except harness.DataError:
        return CallForm()


def _refuse(details: Sequence[str], what: str, hint: str) -> None:
    """Raise a DataError with the number of ``details`` in ``what``, if there are any."""
    if details:
        what = what.replace("{}", f"{len(details):,}", 1)
        raise harness.DataError(what, details=details[:SHOWN], hint=hint)


def context_of(config: Any, tokenizer: Any) -> int | None:
    """Most positions of the model: its config's, else the tokenizer's limit where it has one.

    Some configs say the positions before stretching, some those after it: the greater counts.
    """
    text = config.get_text_config()
    for name in ("max_position_embeddings", "n_positions", "max_seq_len", "seq_length", "n_ctx"):
        positions = getattr(text, name, None)
        if isinstance(positions, int) and positions > 0:
            return max(positions, reach(text))
    limit = int(tokenizer.model_max_length)
    return limit if limit < SANE else None
