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

    The last token that ends a turn stops by itself if it is special or added; ordinary tokens
    that also occur in answers do so only as the whole text.

    Args:
        eos: the ids of the model's own EOS tokens.
    """
    tokens = {token for token in (*eos, tokenizer.eos_token_id) if token is not None}
    if not ending.tokens:
        return Stops(frozenset(tokens))
    last, text = ending.tokens[-1], ending.tail.strip()
    if last in tokens or (
        last in tokenizer.added_tokens_decoder and tokenizer.decode(last).strip()
    ):
        return Stops(frozenset({*tokens, last}))
    if not text:
        return Stops(frozenset(tokens))
    window = len(tokenizer(ending.tail, add_special_tokens=False)["input_ids"]) + 1
    return Stops(frozenset(tokens), text, window, tokenizer)
