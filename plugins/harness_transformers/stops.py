"""Where an answer ends: at the end of the turn that the chat template writes, or at an EOS."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from harness_transformers.encoding import Ending


@dataclass(frozen=True, slots=True)
class Stops:
    """What ends an answer.

    Attributes:
        tokens: each of them does.
        text: for a template that ends turns with ordinary tokens, the text that does; or empty.
        window: number of tokens that may hold the text.
        tokenizer: decodes them; None where there is no text.
    """

    tokens: frozenset[int]
    text: str = ""
    window: int = 0
    tokenizer: Any = None

    def ended(self, tokens: Sequence[int]) -> bool:
        """Whether the last of these tokens ends the answer."""
        if not tokens:
            return False
        if tokens[-1] in self.tokens:
            return True
        return bool(self.text) and self._decoded(tokens[-self.window :]).endswith(self.text)

    def cut(self, tokens: Sequence[int]) -> list[int]:
        """The tokens up to and with what ends the answer; all of them where nothing does."""
        for place in range(len(tokens)):
            if self.ended(tokens[: place + 1] if self.text else tokens[place : place + 1]):
                return list(tokens[: place + 1])
        return list(tokens)

    def _decoded(self, tokens: Sequence[int]) -> str:
        return str(self.tokenizer.decode(tokens, clean_up_tokenization_spaces=False))


def stops_of(tokenizer: Any, ending: Ending, eos: Iterable[int | None]) -> Stops:
    """The template's end of turn and all EOS tokens.

    Special or added tokens that the template puts after an answer stop by themselves; where the
    turn ends with ordinary tokens, which also occur in answers, only the whole text does.

    Args:
        eos: the ids of the model's own EOS tokens.
    """
    tokens = {token for token in (*eos, tokenizer.eos_token_id) if token is not None}
    marks = {
        token for token in ending.tokens
        if token in tokens
        or (token in tokenizer.added_tokens_decoder and tokenizer.decode(token).strip())
    }  # fmt: skip
    stops, text = frozenset(tokens | marks), ending.tail.strip()
    if not ending.tokens or ending.tokens[-1] in marks or not text:
        return Stops(stops)
    window = len(tokenizer(ending.tail, add_special_tokens=False)["input_ids"]) + 1
    return Stops(stops, text, window, tokenizer)
