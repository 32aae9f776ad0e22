"""Answers held to a form: of the tokens that keep to it, the likeliest, by llguidance."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import harness
from harness.errors.installing import install_extra

if TYPE_CHECKING:
    from harness_transformers.stops import Stops

WHITESPACE = r" ?|\n {0,24}"
"""Between the parts of JSON: on one line or indented, and never so much that nothing else comes."""


def grammar_of(form: harness.Form) -> str:
    """The grammar of a form, as llguidance takes it.

    Raises:
        EnvironmentFailure: llguidance is not installed.
        ConfigError: it does not know such a schema.
    """
    if importlib.util.find_spec("llguidance") is None:
        raise harness.EnvironmentFailure(
            "answers are held to a form by the package llguidance, which is not installed",
            hint=install_extra("grammar"),
        )
    from llguidance import LLMatcher

    if isinstance(form, Mapping):
        grammar = LLMatcher.grammar_from_json_schema(
            dict(form), overrides={"whitespace_pattern": WHITESPACE}
        )
    else:
        texts = " | ".join(json.dumps(text, ensure_ascii=False) for text in form)
        grammar = LLMatcher.grammar_from_lark(f"start: {texts}")
    if mistake := LLMatcher.validate_grammar(grammar):
        raise harness.ConfigError(
            f"answers cannot be held to this schema: {' '.join(mistake.split())}"
        )
    return grammar


def foresee(options: Any) -> list[harness.Problem]:
    """What a generator's option ``schema`` lacks; see :meth:`harness.Plugin.check`."""
    try:
        form = options.form()
        if form is not None:
            grammar_of(form)
    except harness.EnvironmentFailure as error:
        return [harness.Problem(f"{error.what}: {error.hint}", ("schema",), "environment")]
    except harness.ConfigError as error:
        return [harness.Problem(error.what, ("schema",))]
    return []


@dataclass(slots=True)
class _Place:
    """Where an answer is in its form: what the grammar has read of it."""

    matcher: Any
    tokens: list[int] = field(default_factory=list)


def vocabulary(model: Any) -> int:
    """How many tokens a model's logits are for; its tokenizer may know fewer."""
    return int(model.config.get_text_config().vocab_size)


class Grammar:
    """Holds answers to a form, token by token; each answer in work has a number.

    Args:
        tokenizer: of transformers, a fast one.
        stops: what ends an answer.
        size: of the vocabulary that logits are for.

    Raises:
        EnvironmentFailure: llguidance is not installed.
        ConfigError: it does not know such a schema or tokenizer.
    """

    def __init__(self, form: harness.Form, tokenizer: Any, stops: Stops, size: int) -> None:
        grammar = grammar_of(form)
        from llguidance import LLMatcher
        from llguidance.hf import from_tokenizer

        ends = sorted(stops.tokens) or None
        try:
            of_tokens = from_tokenizer(tokenizer, n_vocab=size, eos_token=ends)
        except (TypeError, ValueError, RuntimeError) as error:
            message = f"llguidance does not know this model's tokenizer: {error}"
            raise harness.ConfigError(message) from error
        # Of which answers have copies: a grammar is read once, and not for each of them.
        self._beginning = LLMatcher(of_tokens, grammar)
        if self._beginning.is_error():
            message = f"answers cannot be held to this schema: {self._beginning.get_error()}"
            raise harness.ConfigError(message)
        self._size = size
        self._places: dict[int, _Place] = {}

    def token(
        self,
        number: int,
        tokens: Sequence[int],
        likeliest: int,
        among: Callable[[Any], int],
    ) -> int:
        """The next token of an answer: the likeliest of those that keep to the form.

        Args:
            tokens: of the answer so far.
            likeliest: of all.
            among: the likeliest of those that a vector of booleans (vocabulary) names.
        """
        # Most often the likeliest of all is one of them, and to ask that is all that it takes.
        matcher = self._at(number, tokens)
        if matcher is None or matcher.validate_tokens([likeliest]) == 1:
            return likeliest
        return among(self._allowed(matcher))

    def allowed(self, number: int, tokens: Sequence[int]) -> Any:
        """Which tokens keep to the form as the next one (vocabulary, bool); None after its end."""
        matcher = self._at(number, tokens)
        return None if matcher is None else self._allowed(matcher)

    def _allowed(self, matcher: Any) -> Any:
        import numpy as np
        from llguidance import numpy as masks

        words = masks.allocate_token_bitmask(1, self._size)
        masks.fill_next_token_bitmask(matcher, words)
        return np.unpackbits(words.view(np.uint8), bitorder="little")[: self._size].astype(bool)

    def _at(self, number: int, tokens: Sequence[int]) -> Any:
        """The matcher after these tokens of an answer; None where it has ended before them.

        Raises:
            EnvironmentFailure: llguidance gives up.
        """
        place = self._places.get(number)
        known = len(place.tokens) if place else 0
        if place is None or list(tokens[:known]) != place.tokens:  # another answer of that number
            place, known = _Place(self._beginning.deep_copy()), 0
            self._places[number] = place
        matcher = place.matcher
        for token in tokens[known:]:
            if matcher.is_stopped() or not matcher.validate_tokens([token]):
                return None
            matcher.consume_token(token)
            place.tokens.append(token)
        if matcher.is_error():
            raise harness.EnvironmentFailure(
                "an answer could not be held to its form", details=matcher.get_error()
            )
        return matcher
