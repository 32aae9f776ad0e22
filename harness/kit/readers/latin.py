"""Which encoding of a byte a letter a Latin text is likely in, by the words that come out.

All such encodings read every byte as something, and two of them may agree in most letters. What
tells them apart is whether the letters that come out are those of the language that the text is in:
``João`` has a letter of Portuguese, ``Joăo`` one of Romanian.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping

from harness.kit.languages import identifier

ENCODINGS = ("cp1252", "cp1250", "cp1254", "iso8859_2", "mac_roman", "cp850", "cp852")
"""Of two that read a text alike, the first is named."""
WEST = {
    "ca": "àçèéíïòóúü·", "da": "æøåé", "de": "äöüß", "en": "éèêïñ", "es": "áéíñóúü", "fi": "äöå",
    "fr": "àâæçéèêëîïôœùûüÿ", "it": "àèéìíòóùú", "nl": "ëïéèöü", "no": "æøåéòô",
    "pt": "áâãàçéêíóôõúü", "sv": "åäöé",
}  # fmt: skip
"""Language -> its letters beyond ASCII. In capitals they are the same."""
EAST = {
    "cs": "áčďéěíňóřšťúůýž", "hr": "čćđšž", "hu": "áéíóöőúüű", "pl": "ąćęłńóśźż",
    "ro": "ăâîşţșț", "sk": "áäčďéíĺľňóôŕšťúýž", "sl": "čšž", "tr": "çğıöşüâî",
}  # fmt: skip
RARE = {"west": 0.3, "east": 0.15}
"""What a letter of no language of the text counts, as in a name; one of its language counts 1.

Fewer texts have names of the second kind of languages. A choice, not a measurement.
"""
LETTERS = {
    **dict.fromkeys("".join(EAST.values()), RARE["east"]),
    **dict.fromkeys("".join(WEST.values()), RARE["west"]),
}
SIGNS = frozenset("“”‘’„‚–—…•«»€£§°©®™¡¿´·ªº²³½¼\u00a0")
WRONG = -1.0
"""A sign within a word, a capital behind a small letter, or a letter of no language here."""
FITS = 0.05
"""Mean of its letters and signs from which an encoding may be meant."""
LINES = 300
_NO_WORDS = re.compile(r"""<[^>]*>|https?://\S+|\S+@\S+|"\w+"\s*:""")
"""Tags, addresses and the keys of JSON: in English, whatever the language of a text."""


def fitting(sample: bytes) -> list[str]:
    """The encodings that such a text may be in, the likeliest first, no two of which agree.

    Empty where it is in none: the text is in another script.
    """
    if not _latin(sample):
        return []
    shares = _languages(sample)
    scores: dict[str, float] = {}
    texts: dict[str, str] = {}
    for name in ENCODINGS:
        try:
            text = sample.decode(name)
        except UnicodeDecodeError:
            continue
        if text not in texts.values():
            texts[name], scores[name] = text, _score(text, shares)
    fit = [name for name, score in scores.items() if score >= FITS]
    return sorted(fit, key=lambda name: -scores[name])


def _latin(sample: bytes) -> bool:
    """Whether most bytes beyond ASCII stand alone between letters and signs of ASCII: in other
    scripts whole words are made of them."""
    runs = re.findall(rb"[\x80-\xff]+", sample)
    return sum(len(run) <= 2 for run in runs) * 2 > len(runs)


def _languages(sample: bytes) -> Mapping[str, float]:
    """Language -> its share of the lines, by their words of ASCII alone."""
    shares = defaultdict[str, float](float)
    text = _NO_WORDS.sub(" ", sample.decode("ascii", "replace"))
    for line in text.split("\n")[:LINES]:
        words = [word for word in line.split() if word.isascii()]
        if len(words) > 2:
            code, chance = identifier(*WEST, *EAST).classify(" ".join(words))
            shares[code] += float(chance)
    total = sum(shares.values())
    return {code: share / total for code, share in shares.items()}


def _score(text: str, shares: Mapping[str, float]) -> float:
    """The mean over all characters beyond ASCII, 1 at most."""
    known = defaultdict[str, float](float)
    for code, letters in (WEST | EAST).items():
        for letter in letters:
            known[letter] += shares.get(code, 0.0)
    values = []
    for place, character in enumerate(text):
        if character.isascii():
            continue
        before, after = text[place - 1 : place], text[place + 1 : place + 2]
        small = character.lower()
        if small in LETTERS:
            shouted = character != small and before.isalpha() and before == before.lower()
            rare = LETTERS[small]
            values.append(WRONG if shouted else rare + (1 - rare) * known[small])
        elif character in SIGNS:
            inside = before.isalpha() and after.isalpha() and character not in "’·\u00a0"
            values.append(WRONG if inside else RARE["west"])
        else:
            values.append(WRONG)
    return sum(values) / len(values) if values else 0.0
