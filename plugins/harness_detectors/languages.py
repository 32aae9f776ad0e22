"""In which language a text is: its script always, more with the package ``py3langid``.

``py3langid`` (BSD, a naive Bayes model over byte n-grams that its wheel carries) tells some
hundred languages apart, but not on a few words: short texts are not judged.
"""

from __future__ import annotations

import functools
import re
from collections import Counter

from harness.kit.languages import identifier
from harness_detectors.formats import kind_of
from harness_detectors.reading import Reading, without_code

READ = 4000
"""Characters that decide."""
LEAST_LETTERS = 4
"""of a text whose script is judged."""
LEAST_WORDS = 4
"""Different words."""
LEAST_KNOWN = 20
"""Letters of a text whose language is judged."""
SURE = 0.9
_SPAN = 60

_NONE = ("zxx", "und")
"""Codes of what is no language."""
_LETTERS = re.compile(r"[^\W\d_]+")
# The first code point of each block that matters, and the script; gaps count as the one before.
_BLOCKS = (
    ("Latin", "A", "\u024f"), ("Latin", "\u1e00", "\u1eff"), ("Greek", "\u0370", "\u03ff"),
    ("Cyrillic", "\u0400", "\u052f"), ("Armenian", "\u0530", "\u058f"),
    ("Hebrew", "\u0590", "\u05ff"), ("Arabic", "\u0600", "\u077f"),
    ("Devanagari", "\u0900", "\u097f"), ("Bengali", "\u0980", "\u09ff"),
    ("Tamil", "\u0b80", "\u0bff"), ("Telugu", "\u0c00", "\u0c7f"), ("Thai", "\u0e00", "\u0e7f"),
    ("Georgian", "\u10a0", "\u10ff"), ("Ethiopic", "\u1200", "\u137f"),
    ("Hangul", "\uac00", "\ud7af"), ("kana", "\u3040", "\u30ff"), ("Han", "\u3400", "\u9fff"),
)  # fmt: skip


def wrong_language(reading: Reading, known: bool) -> str:
    """What the answer is in, and what the references are in.

    Args:
        known: ask ``py3langid`` where the scripts agree.
    """
    if not reading.references or kind_of(reading.text) in ("code", "JSON"):
        return ""
    answer, references = _letters(reading.text), _letters("\n".join(reading.references))
    mine, theirs = script(answer), script(references)
    if mine and theirs and mine != theirs:
        return f"{mine} script, references {theirs}: {answer[:_SPAN]}"
    if not known or not mine or not theirs:
        return ""
    return _other_language(answer, references)


def script(text: str) -> str:
    """The script of more than half of the letters; '' for none, or too few letters.

    Japanese is told from Chinese by its kana, a tenth of the letters or more.
    """
    letters: Counter[str] = Counter()
    for letter, times in Counter(text[:READ]).items():
        if letter.isalpha():
            letters[_script_of(letter)] += times
    total = letters.total()
    if letters["kana"] * 10 >= total and letters["kana"]:
        letters["Japanese"] = letters.pop("kana") + letters.pop("Han", 0)
    if total < LEAST_LETTERS:
        return ""
    name, times = letters.most_common(1)[0]
    return name if 2 * times > total and name != "other" else ""


@functools.lru_cache(4096)
def _script_of(letter: str) -> str:
    return next((name for name, first, last in _BLOCKS if first <= letter <= last), "other")


def _letters(text: str) -> str:
    """Prose without code, in one line."""
    return " ".join(without_code(text)[: 2 * READ].split())[:READ]


def _other_language(answer: str, references: str) -> str:
    mine, theirs = _languages(answer), _languages(references)
    if not mine or not theirs:
        return ""
    wanted, sure = max(theirs.items(), key=lambda item: item[1])
    # A short Spanish text may be Galician or Portuguese as well; that it is not English is sure.
    if sure < SURE or mine[wanted] > 1 - SURE:
        return ""
    likeliest = max(mine, key=lambda code: mine[code])
    if likeliest in _NONE or wanted in _NONE:
        return ""
    return f"{likeliest}, references {wanted}: {answer[:_SPAN]}"


def _languages(text: str) -> dict[str, float]:
    """ISO code -> probability; empty for a text too short to say."""
    words = _LETTERS.findall(text)
    unspaced = script(text) in ("Han", "Japanese", "Thai")
    if sum(map(len, words)) < LEAST_KNOWN or (len(set(words)) < LEAST_WORDS and not unspaced):
        return {}
    return {str(code): float(chance) for code, chance in identifier().rank(" ".join(words))}
