"""Telephone numbers, by the numbering plans of ``phonenumbers`` (Google's libphonenumber).

A number with its country code is taken wherever its plan allows it. One without is taken for each
of the given regions: where it is grouped as people of that region group numbers, or where a word
before it says that it is a telephone number; never behind a word that says it is another number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from harness_rows.cleaning.private.values import Found

REGIONS = ("US", "GB", "DE", "FR", "ES", "IT", "NL", "SE", "BR")
"""Regions whose numbers are known without a country code, unless others are given."""
DIGITS = range(7, 65)
"""Digits that stand together where a number may be; more are a table."""
_RUN = re.compile(r"(?:\+|\(|\d)[\d ()./+\u00a0–-]{5,400}")
_BEHIND = 12
"""Characters behind a run that an extension may take."""
_BEFORE = 32
_CALLED = re.compile(
    r"\b(?:tel|phone|telephone|telefon\w*|t[ée]l[ée]phone|tel[ée]fono|mobile?|mobil\w*|cell\w*|handy"
    r"|fax|whatsapp|sms|call|dial|ring|text|hotline|number|nummer|n[úu]mero|rufen?|anruf\w*|ruf"
    r"|erreich\w*|appele\w*|llam\w*|bel|chiam\w*|centralino|ligue|reach)\b[^\d\n]{0,28}$",
    re.IGNORECASE,
)
"""Words before a telephone number."""
_OTHER = re.compile(
    r"(?:order|ticket|tracking|invoice|isbn|issn|imei|iccid|serial|part|case|item|article|booking"
    r"|account|customer|reference|ref|version|id|commit|code|sku|ean|gtin|upc|patent|sample|rows?"
    r"|bestell\w*|kunden\w*|rechnung\w*|auftrag\w*|vertrag\w*|artikel\w*|konto\w*|commande|facture"
    r"|pedido|factura|range|page|pages|pp)\b[^\d\n+]{0,14}$",
    re.IGNORECASE,
)
"""Words before other numbers."""
_ABBREVIATED = re.compile(r"\b(?!TEL|FAX|CELL|SMS)[A-Z]{2,6}[ :.#]*$")
"""Before other numbers: ISBN, NDC, PO."""
_NO_PHONE = re.compile(
    r"\d{1,2}[./-]\d{1,2}[./-](?:19|20)?\d\d(?:\s.*)?|(?:\d{1,3}\.){3}\d{1,3}|\d{5}-\d{4}|.*\s{2}.*",
    re.S,
)
"""Dates, addresses of machines, postal codes, columns of a table."""
_WITHIN = re.compile(r"\d[.,:]$")
"""Before what is the end of a longer number."""
_GROUPED = re.compile(
    r"\((?:0\d{1,4}|\d{2,3})\)[ ./-]?\d[\d ./-]+|\(0\)[\d ./-]+"
    r"|0\d{1,4}(?:[ -]| ?/ ?)\d[\d /–-]+|0\d(?:\.\d\d){4}|(?:1[-. ])?\d{3}([-.])\d{3}\1\d{4}"
)
"""National numbers as people write them: an area in parentheses, a leading 0 and groups, or the
three groups of North America."""
_EXTENSION = re.compile(r"[ ,;]*(?:;?ext\.?|extn?\.?|x|poste|#)[ =:]*\d{1,7}$", re.IGNORECASE)


def phones(text: str, regions: Sequence[str] = REGIONS) -> Iterator[Found]:
    """Telephone numbers, without an extension behind them.

    Args:
        regions: whose numbers are known without a country code (ISO 3166-1, two letters).
    """
    for run in _RUN.finditer(text):
        if sum(map(str.isdigit, run[0])) in DIGITS:
            yield from _numbers(text, run.start(), run.end(), regions)


def _numbers(text: str, start: int, end: int, regions: Sequence[str]) -> Iterator[Found]:
    from phonenumbers import Leniency, PhoneNumberFormat, PhoneNumberMatcher, format_number

    # One character before tells whether the run is a part of a word.
    begin = max(0, start - 1)
    piece = text[begin : end + _BEHIND]
    taken: list[tuple[int, int]] = []
    for region in (None, *regions):
        for match in PhoneNumberMatcher(piece, region, Leniency.VALID, max_tries=65535):
            place = (begin + match.start, begin + match.end)
            if any(place[0] < e and b < place[1] for b, e in taken):
                continue
            if not _likely(text, match.raw_string, place, region):
                continue
            taken.append(place)
            written = _EXTENSION.sub("", match.raw_string)
            number = format_number(match.number, PhoneNumberFormat.E164)
            yield Found("phone", place[0], place[0] + len(written), number)


def _likely(text: str, raw: str, place: tuple[int, int], region: str | None) -> bool:
    before = text[max(0, place[0] - _BEFORE) : place[0]]
    if text[place[1] : place[1] + 1] in ("-", "/", "_") or before.endswith(("-", "/", "_", "#")):
        return False
    if region is None:
        return True
    if _NO_PHONE.fullmatch(raw) or _WITHIN.search(before):
        return False
    called, other = _CALLED.search(before), _OTHER.search(before)
    if called and (not other or called.start() > other.start()):
        return True
    return not other and not _ABBREVIATED.search(before) and bool(_GROUPED.fullmatch(raw))
