"""Numbers with check digits: bank accounts and payment cards."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain

from harness_rows.cleaning.private.values import PrivateSpan

# ISO 13616: country -> characters of an IBAN, from the registry that SWIFT keeps, and for those
# countries of Africa and Iran that are not in it yet, as their banks write them.
_LENGTHS = {
    country: length
    for length, countries in {
        15: "NO", 16: "BE", 18: "DK FI FO GL NL SD FK", 19: "MK SI", 20: "AT BA EE KZ LT LU XK MN",
        21: "CH HR LI LV", 22: "BG BH CR DE GB GE IE ME RS VA", 23: "AE GI IL IQ OM TL SO",
        24: "AD CZ ES MD PK RO SA SE SK TN VG", 25: "AO CV GW LY MZ PT ST", 26: "DZ IR IS TR",
        27: "BI CF CG CM DJ FR GA GQ GR IT KM MC MG MR SM TD",
        28: "AL AZ BF BJ BY CI CY DO GT HN HU LB MA ML NE NI PL SN SV TG",
        29: "BR EG PS QA UA", 30: "JO KW MU YE", 31: "MT SC", 32: "LC", 33: "RU",
    }.items()
    for country in countries.split()
}  # fmt: skip
# A digit first, and what has to stand before it after that: so most of a text is passed by.
_BEGIN = re.compile(r"\d{2}(?<=[A-Za-z]{2}\d{2})(?<![A-Za-z0-9][A-Za-z]{2}\d{2})")
_ACCOUNT = re.compile(r"[A-Za-z0-9](?:[ \u00a0-]?[A-Za-z0-9]){14,32}")

_CARD = re.compile(r"\d(?<![\w.,+-]\d)(?:[ \u00a0-]?\d){12,18}(?![\w-]|[.,]\d)")
_DOTTED = re.compile(
    r"\d(?<![\w.,+-]\d)\d{3}\.(?:\d{4}\.\d{4}\.\d{4}|\d{6}\.\d{5})(?![\w-]|[.,]\d)"
)
_GROUPS = ((4, 4, 4, 4), (4, 6, 5), (4, 6, 4), (4, 4, 4, 4, 3))
"""How cards are written in groups; else they are written without."""
_NETWORKS = (
    ("American Express", re.compile(r"3[47]\d{13}")),
    ("Visa", re.compile(r"4(?:\d{12}|\d{15}|\d{18})")),
    (
        "Mastercard",
        re.compile(r"(?:5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}"),
    ),
    ("Discover", re.compile(r"(?:6011|64[4-9]\d|65\d\d)\d{12}(?:\d{3})?")),
    ("Diners Club", re.compile(r"3(?:0[0-5]|[689]\d)\d{11}")),
    ("JCB", re.compile(r"35(?:2[89]|[3-8]\d)\d{12}")),
    ("UnionPay", re.compile(r"62\d{14,17}")),
    ("Maestro", re.compile(r"(?:5018|5020|5038|5893|6304|6759|676[1-3])\d{8,15}")),
)
"""Ranges of issuers (ISO/IEC 7812) with the lengths that each network uses."""


def accounts(text: str) -> Iterator[PrivateSpan]:
    """IBANs of the right length for their country whose check digits are right (ISO 7064)."""
    for begin in _BEGIN.finditer(text):
        start = begin.start() - 2
        wanted = _LENGTHS.get(text[start : start + 2].upper())
        match = _ACCOUNT.match(text, start)
        if wanted is None or match is None:
            continue
        places = [at for at, character in enumerate(match[0]) if character.isalnum()]
        if len(places) < wanted:
            continue
        end = match.start() + places[wanted - 1] + 1
        number = re.sub(r"[^A-Za-z0-9]", "", text[match.start() : end]).upper()
        if not text[end : end + 1].isalnum() and _rest_is_one(number):
            yield PrivateSpan("iban", match.start(), end, number, number[:2])


def cards(text: str) -> Iterator[PrivateSpan]:
    """Card numbers of a known network whose check digit is right (Luhn, ISO/IEC 7812-1)."""
    for match in chain(_CARD.finditer(text), _DOTTED.finditer(text)):
        digits = re.sub(r"\D", "", match[0])
        groups = tuple(len(group) for group in re.split(r"\D", match[0]))
        if len(groups) > 1 and groups not in _GROUPS:
            continue
        network = next((name for name, form in _NETWORKS if form.fullmatch(digits)), "")
        if network and _luhn(digits):
            yield PrivateSpan("card", match.start(), match.end(), digits, network)


def _rest_is_one(number: str) -> bool:
    moved = number[4:] + number[:4]
    return int("".join(str(int(character, 36)) for character in moved)) % 97 == 1


def _luhn(digits: str) -> bool:
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(map(int, digits[-1::-2])) + sum(doubled)) % 10 == 0
