"""Porter's stemmer, equal to NLTK's: that of METEOR, and of ROUGE as ``rouge_score`` has it.

NLTK takes a second to import, and ten microseconds a word. Source: M. F. Porter (1980), "An
algorithm for suffix stripping", Program 14(3), 130-137, with NLTK's own changes, which are said
where they are made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

Rules = Mapping[str, Sequence[tuple[str, str]]]
"""Last two letters -> endings with their replacements; the first that fits is the only one."""

# NLTK has these by heart.
_IRREGULAR = {
    "skies": "sky", "sky": "sky", "dying": "die", "lying": "lie", "tying": "tie",
    "news": "news", "howe": "howe", "innings": "inning", "inning": "inning",
    "outings": "outing", "outing": "outing", "cannings": "canning", "canning": "canning",
    "proceed": "proceed", "exceed": "exceed", "succeed": "succeed",
}  # fmt: skip


def _rules(text: str) -> Rules:
    rules: dict[str, list[tuple[str, str]]] = {}
    for rule in text.split():
        ending, _, replacement = rule.partition(":")
        rules.setdefault(ending[-2:], []).append((ending, replacement))
    return rules


# "bli", "fulli" and "logi" are NLTK's.
_DOUBLE_SUFFIXES = _rules(
    "ational:ate tional:tion enci:ence anci:ance izer:ize bli:ble alli:al entli:ent eli:e "
    "ousli:ous ization:ize ation:ate ator:ate alism:al iveness:ive fulness:ful ousness:ous "
    "aliti:al iviti:ive biliti:ble fulli:ful logi:log"
)
_ADJECTIVES = _rules("icate:ic ative: alize:al iciti:ic ical:ic ful: ness:")
_SUFFIXES = _rules("al ance ence er ic able ible ant ement ment ent ion ou ism ate iti ous ive ize")
RULES = (_DOUBLE_SUFFIXES, _ADJECTIVES, _SUFFIXES)


class _Kinds(dict[int, str]):
    """``v`` for vowels and ``c`` for all else but y, whatever script it is of."""

    def __missing__(self, code: int) -> str:
        return "c"


_KINDS = _Kinds({**{ord(letter): "v" for letter in "aeiou"}, ord("y"): "y"})


def stem(word: str) -> str:
    """The stem of any string, in lower case; what has two characters or less stays."""
    short = len(word) <= 2
    word = word.lower()
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if short:
        return word
    if word[-1] == "s":
        word = _without_s(word)
    if word.endswith(("ed", "ing")):
        word = _without_ed_or_ing(word)
    if word[-1] == "y" and len(word) > 2 and _shape(word)[-2] == "c":
        word = word[:-1] + "i"  # NLTK: only after a consonant that is not the first letter
    if word[-2:] in _DOUBLE_SUFFIXES:
        word = _without_double_suffix(word)
    if word[-2:] in _ADJECTIVES:
        base, replacement = _split(word, _ADJECTIVES)
        word = word if replacement is None or not _measure(base) else base + replacement
    if word[-2:] in _SUFFIXES:
        word = _without_suffix(word)
    if word[-1] == "e":
        word = _without_e(word)
    if word.endswith("ll") and _measure(word[:-1]) > 1:
        word = word[:-1]
    return word


def _shape(text: str) -> str:
    """``v`` for each vowel, ``c`` for each consonant; a y is a vowel after a consonant."""
    shape = text.translate(_KINDS)
    if "y" in shape:
        known, *others = shape.split("y")
        for other in others:
            known += ("v" if known.endswith("c") else "c") + other
        return known
    return shape


def _measure(text: str) -> int:
    """Porter's m: how many times a consonant follows a vowel."""
    return _shape(text).count("vc")


def _ends_short(text: str) -> bool:
    """Porter's *o: consonant, vowel, consonant other than w, x, y; NLTK: or vowel, consonant."""
    shape = _shape(text)
    return shape == "vc" or (shape.endswith("cvc") and text[-1] not in "wxy")


def _split(word: str, rules: Rules) -> tuple[str, str | None]:
    """The word without its ending, and what takes the ending's place; None if no rule fits."""
    for ending, replacement in rules.get(word[-2:], ()):
        if word.endswith(ending):
            return word[: -len(ending)], replacement
    return word, None


def _without_s(word: str) -> str:
    """Step 1a."""
    if word.endswith("ies"):
        return word[:-1] if len(word) == 4 else word[:-2]  # NLTK: dies, die
    if word.endswith("sses"):
        return word[:-2]
    return word if word.endswith("ss") else word[:-1]


def _without_ed_or_ing(word: str) -> str:
    """Step 1b."""
    if word.endswith("ied"):
        return word[:-1] if len(word) == 4 else word[:-2]  # NLTK: died, die
    if word.endswith("eed"):
        return word[:-1] if _measure(word[:-3]) else word
    base = word[:-2] if word[-1] == "d" else word[:-3]
    shape = _shape(base)
    if "v" not in shape:
        return word
    if base.endswith(("at", "bl", "iz")):
        return base + "e"
    if base.endswith("*d"):  # NLTK takes its own sign for a doubled consonant by the letter
        return base[:-2] + "d"
    if shape[-1] == "c" and base[-2:-1] == base[-1]:
        return base if base[-1] in "lsz" else base[:-1]
    return base + "e" if shape.count("vc") == 1 and _ends_short(base) else base


def _without_double_suffix(word: str) -> str:
    """Step 2."""
    base, replacement = _split(word, _DOUBLE_SUFFIXES)
    # NLTK: the l of -logi counts for the stem, and what -alli becomes is looked at again.
    if replacement is None or not _measure(base + "l" if replacement == "log" else base):
        return word
    shorter = base + replacement
    return _without_double_suffix(shorter) if word.endswith("alli") else shorter


def _without_suffix(word: str) -> str:
    """Step 4."""
    base, replacement = _split(word, _SUFFIXES)
    if replacement is None or _measure(base) < 2:
        return word
    return word if word.endswith("ion") and base[-1] not in "st" else base


def _without_e(word: str) -> str:
    """Step 5a."""
    base = word[:-1]
    measure = _measure(base)
    return base if measure > 1 or (measure == 1 and not _ends_short(base)) else word
