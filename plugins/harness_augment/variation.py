"""The rules: small changes that people make when they ask the same thing."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Literal, get_args

Kind = Literal["opening", "politeness", "case", "punctuation", "typos"]
KINDS: tuple[Kind, ...] = get_args(Kind)

OPENINGS = (
    "Hi, ", "Hello, ", "Hey, ", "Good morning. ", "Quick question: ", "A question: ",
    "Hello there. ", "Hi again. ", "One more thing: ", "Sorry to bother you. ",
)  # fmt: skip
THANKS = (
    " Thanks!", " Thank you.", " Thanks in advance.", " Many thanks.", " Please help.",
    " Please let me know.", " I would be grateful for an answer.",
)  # fmt: skip
_WORD = re.compile(r"[^\W\d_]+")
# Words under five letters turn into other words too easily; names and paths stay as they are.
_PLAIN = re.compile(r"(?<![\w'’.@/-])[a-z]{5,}(?![\w'’@/-]|\.\w)")
_TOKEN = re.compile(r"\S+")


def vary(text: str, answers: Sequence[str], kinds: Collection[Kind], draw: random.Random) -> str:
    """One variant by one or two kinds of changes.

    Args:
        answers: words that stand in them are not misspelt: they may have to be repeated.
        kinds: the changes to choose from.

    Returns:
        The variant; the text itself where no rule applies.
    """
    protected = {word.casefold() for answer in answers for word in _WORD.findall(answer)}
    wanted = [kind for kind in KINDS if kind in kinds]
    chosen = draw.sample(wanted, min(len(wanted), draw.choice((1, 1, 2))))
    # In the order of KINDS reversed: what is put around the text stays well written.
    for kind in sorted(chosen, key=KINDS.index, reverse=True):
        text = _RULES[kind](text, protected, draw)
    return text


def _opening(text: str, protected: Collection[str], draw: random.Random) -> str:
    opening = draw.choice(OPENINGS)
    return opening + (_small_start(text) if opening.endswith((", ", ": ")) else text)


def _politeness(text: str, protected: Collection[str], draw: random.Random) -> str:
    body = text.rstrip()
    return body + ("" if body.endswith((".", "?", "!", "…")) else ".") + draw.choice(THANKS)


def _case(text: str, protected: Collection[str], draw: random.Random) -> str:
    """Small letters, at the start or everywhere; codes, names in capitals and mixed forms stay."""
    if draw.random() < 0.5:
        return _small_start(text)
    return _TOKEN.sub(lambda token: _small(token[0]), text)


def _punctuation(text: str, protected: Collection[str], draw: random.Random) -> str:
    body = text.rstrip()
    bare = body.rstrip(".?!")
    options = [bare, body.replace(", ", " "), body.replace("'", "").replace("’", "")]
    if body.endswith("?"):
        options += [bare + "??", bare + " ?"]
    elif body.endswith("."):
        options += [bare + "...", bare + "!"]
    changed = [option for option in options if option != body]
    return draw.choice(changed) if changed else text


def _typos(text: str, protected: Collection[str], draw: random.Random) -> str:
    places = [match for match in _PLAIN.finditer(text) if match[0] not in protected]
    chosen = draw.sample(places, min(len(places), draw.choice((1, 1, 2))))
    for match in sorted(chosen, key=lambda f: f.start(), reverse=True):
        text = text[: match.start()] + _misspell(match[0], draw) + text[match.end() :]
    return text


def _misspell(word: str, draw: random.Random) -> str:
    """Two letters swapped, one left out or one doubled; first and last letter stay."""
    place = draw.randrange(1, len(word) - 2)
    letter, following = word[place], word[place + 1]
    way = draw.choice(("swap", "drop", "double"))
    if way == "swap" and letter != following:
        return word[:place] + following + letter + word[place + 2 :]
    if way == "double":
        return word[:place] + letter + word[place:]
    return word[:place] + word[place + 1 :]


def _small_start(text: str) -> str:
    first = _TOKEN.search(text)
    return text[: first.start()] + _small(first[0]) + text[first.end() :] if first else text


def _small(token: str) -> str:
    """``The`` -> ``the``, but ``I``, ``VAT``, ``RateBook``, ``A4`` and ``I'm`` as they are."""
    letters = "".join(_WORD.findall(token))
    plain = letters[:1].isupper() and letters[1:].islower() and not re.search(r"\d|[/@_]", token)
    return token.lower() if plain and not re.match(r"\W*I\b", token) else token


_RULES: Mapping[Kind, Callable[[str, Collection[str], random.Random], str]] = {
    "opening": _opening,
    "politeness": _politeness,
    "case": _case,
    "punctuation": _punctuation,
    "typos": _typos,
}
