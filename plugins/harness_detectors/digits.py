"""Numbers in digits, compared by value: ``1,000``, ``1.000``, ``1 000`` and ``1000`` are one.

A separator followed by three digits may mean thousands or a fraction: such a number has both
values, and two numbers are equal where one value of each agrees. Digits that belong to a longer
name (``GPT-4``, ``utf-8``, ``v2``, ``0x1f``) are no numbers; ``15th``, ``20GB`` and ``5 %`` are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from harness_detectors.formats import kind_of
from harness_detectors.reading import UNSPACED, Reading, shown, without_code, words

_MANY_DIGITS = 30
"""Longer runs are compared as they stand."""

# Not after a letter, a letter and a hyphen, a digit or a point within a number.
_NUMBER = re.compile(
    rf"(?<![^\W{UNSPACED}])(?<![^\W\d{UNSPACED}]-)(?<!\d[.,])"
    r"(?>\d{1,3}(?:[ \u00a0\u202f\u2009]\d{3})+(?!\d)|\d+(?:[.,'’\u066b\u066c]\d+)*)"
    r"(?![A-Za-z]{1,20}\d)"
)
_LIST_NUMBER = re.compile(r"^[ \t]*\d{1,3}[.)](?=[ \t]|$)", re.MULTILINE)
_SEPARATOR = re.compile(r"[.,'’\u066b\u066c]")
_BLANKS = re.compile(r"[ \u00a0\u202f\u2009]")

# Small numbers in words, and ordinals, of a few languages; no word that means something else in
# another of them (Spanish "once", Italian "due").
_IN_WORDS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen twenty",
    "zeroth first second third fourth fifth sixth seventh eighth ninth tenth",
    "null ein zwei drei vier fünf sechs sieben acht neun zehn elf zwölf",
    "zéro un deux trois quatre cinq six sept huit neuf dix onze douze",
    "cero uno dos tres cuatro cinco seis siete ocho nueve diez",
)
_TENS = "thirty forty fifty sixty seventy eighty ninety hundred"
_VALUES = {word: str(value) for line in _IN_WORDS for value, word in enumerate(line.split())}
_VALUES |= {word: str(10 * value) for value, word in enumerate(_TENS.split(), 3)}
_VALUES |= dict.fromkeys(("eine", "einen", "eins", "une", "una"), "1")

# Values of compounds: "twenty-four", "two hundred and five", "3 million", "1.5k".
_ENGLISH = {word: int(_VALUES[word]) for word in (*_IN_WORDS[0].split(), *_TENS.split())}
_TIMES = {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9}
_SCALE = re.compile(
    r"(?:k|K|M|bn)\b|[ \u00a0\u202f-]?(?:thousand|million|billion)s?\b", re.IGNORECASE
)
_SHORT = {"k": 1000, "m": 10**6, "bn": 10**9}

Number = tuple[str, frozenset[str]]
"""How it is written, and the values that it may have."""


def numbers(text: str) -> Iterator[Number]:
    """The numbers of a text in digits; numbers at the start of a line's list item are aside."""
    plain = _LIST_NUMBER.sub("", text)
    for match in _NUMBER.finditer(plain):
        written = match[0]
        scale = _SCALE.match(plain, match.end())
        for name, values in _values(_BLANKS.sub("", written), written):
            yield name, values | _scaled(values, scale) if scale else values


def _scaled(values: frozenset[str], scale: re.Match[str]) -> frozenset[str]:
    """The values times what follows the number; a value that is no plain number stays alone."""
    word = scale[0].strip(" \u00a0\u202f-").casefold().rstrip("s")
    times = _TIMES.get(word) or _SHORT[word]
    scaled = (str(Decimal(v) * times) for v in values if v.isascii() and len(v) <= _MANY_DIGITS)
    return frozenset(_plain(*value.split(".")) for value in scaled)


def _compounds(text: str) -> Iterator[str]:
    """Values of English number words of more than one word."""
    total = 0  # of the thousands and millions so far
    part = 0  # below a thousand, of what comes behind them
    run = 0  # words of the number so far
    for word in [*words(text), ""]:  # the empty word ends a number at the end of the text
        if word == "and" and run and part % 100 == 0:
            continue
        value = _ENGLISH.get(word)
        if word == "hundred" and run:
            part, run = max(part, 1) * 100, run + 1
        elif word in _TIMES and run:
            total, part, run = total + max(part, 1) * _TIMES[word], 0, run + 1
        elif value is not None and value != 100 and _follows(part, value, run):
            part, run = part + value, run + 1
        else:
            if run > 1:
                yield str(total + part)
            total, part, run = 0, value or 0, int(value is not None)


def _follows(part: int, value: int, run: int) -> bool:
    """Whether a number word goes on with the number: "twenty four", "two hundred thirty"."""
    tens = part % 10 == 0 and part % 100 >= 20 and 0 < value < 10
    return bool(run) and (tens or (part % 100 == 0 and value < 100))


def _values(digits: str, written: str) -> Iterator[Number]:
    parts = _SEPARATOR.split(digits)
    marks = _SEPARATOR.findall(digits)
    whole, last = "".join(parts), parts[-1]
    if not marks:
        yield written, frozenset({_plain(whole)})
    elif len(marks) == 1:
        values = {_plain(whole)} if _thousands(parts) else set()
        # Nobody writes 1.000 for one, so three zeros are always thousands.
        values |= {_plain(parts[0], last)} if last != "000" or not values else set()
        yield written, frozenset(values)
    elif len(set(marks)) == 1 and _thousands(parts):
        yield written, frozenset({_plain(whole)})
    elif len(set(marks[:-1])) == 1 and marks[-1] != marks[0] and _thousands(parts[:-1]):
        yield written, frozenset({_plain("".join(parts[:-1]), last)})
    else:  # a date, a version, an address: each part for itself
        for part in parts:
            yield part, frozenset({_plain(part)})


def _thousands(parts: list[str]) -> bool:
    return len(parts[0]) <= 3 and parts[0] != "0" and all(len(part) == 3 for part in parts[1:])


def _plain(whole: str, fraction: str = "") -> str:
    """One spelling of a value: ASCII digits, no zeros at the ends."""
    if len(whole) <= _MANY_DIGITS:
        whole = str(int(whole or "0"))
    fraction = fraction.rstrip("0") if fraction.isascii() else fraction
    return f"{whole}.{fraction}" if fraction else whole


def known_values(text: str) -> set[str]:
    """All values that the text gives, in digits (list numbers too) or in words."""
    values = {value for _, match in numbers(text) for value in match}
    values |= {_plain(match[0].strip(" \t.)")) for match in _LIST_NUMBER.finditer(text)}
    for word in set(words(text)):
        if word in _VALUES:
            values.add(_VALUES[word])
    values.update(_compounds(text))
    return values


def missing_number(reading: Reading) -> str:
    """Numbers of every reference that the answer does not give."""
    references = [without_code(text) for text in reading.references]
    if not references or any(kind_of(text) == "code" for text in reading.references):
        return ""
    of_others = [known_values(text) for text in references[1:]]
    of_answer = known_values(reading.text)
    missing = [
        written
        for written, values in numbers(references[0])
        if not values & of_answer and all(values & of_other for of_other in of_others)
    ]
    return f"without {shown(list(dict.fromkeys(missing)))}" if missing else ""


def invented_number(reading: Reading) -> str:
    """Numbers of the answer that stand neither in a reference nor in the conversation."""
    if not reading.references or kind_of(reading.text) == "code":
        return ""
    allowed = known_values(reading.conversation)
    for text in reading.references:
        allowed |= known_values(text)
    new = [written for written, values in numbers(reading.prose) if not values & allowed]
    return shown(list(dict.fromkeys(new)))
