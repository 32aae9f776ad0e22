"""Telephone numbers, by the numbering plans of ``phonenumbers`` (Google's libphonenumber).

A number with its country code is taken wherever its plan allows it. One without is taken for each
of the given regions: where it is grouped as people of that region group numbers, or where a word
before it says that it is a telephone number; never behind a word that says it is another number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from harness_rows.cleaning.private.values import PrivateSpan

REGIONS = ("US", "GB", "DE", "FR", "ES", "IT", "NL", "SE", "BR")
"""Regions whose numbers are known without a country code, unless others are given."""
LEAST_DIGITS, MOST_DIGITS = 7, 64
"""Digits of a stretch that is looked through at once."""
OVERLAP = 15
"""Digits that two such stretches share: the longest number there is (ITU-T E.164)."""
TRIES = 8
"""Readings of a stretch that may fail in each region: else digits without end cost too much."""
_RUN = re.compile(r"(?:\+|\(|\d)[\d ()./+-]{5,}")
_BETWEEN = re.compile(r" ?/ (?=[\d+(])| +(?=\()|[ /]+(?=\+)")
"""What stands between two numbers of a list."""
_LINK = re.compile(r"(?:\bwa\.me/|\bwhatsapp\.com/send/?\?phone=)\+?(?P<number>\d{7,15})(?!\d)")
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
_ABBREVIATED = re.compile(
    r"\b(?:ISBN|ISSN|ISMN|ISRC|NDC|PO|SO|WO|RMA|SKU|EAN|UPC|GTIN|ASIN|VIN|MPN|OEM|PN|SN|NSN|LOT|REF"
    r"|ID|UID|UUID|SSN|TIN|EIN|ITIN|NPI|DEA|MRN|NHS|CPT|ICD|CAS|DOI|PMID|ORCID|CVE|RFC|ISO|DIN|IEC"
    r"|EN|VAT|BIC|CVR|CNPJ|CPF|RUT|CUIT|CURP|PESEL|NIP|REGON|KRS|NIF|DNI|NIE|CIF|SIREN|SIRET|INN"
    r"|BSN|KVK|AHV|ABN|ACN|TFN|ZIP|PLZ|CEP|IMEI|ICCID|PIN|TAN|USD|EUR|GBP|CHF|NR|NO|AZ|GZ|HRB|HRA"
    r"|DDC|LCCN|OCLC|CID|INC|CASE|ORDER|TICKET)[ :.#]*$"
)
"""Before other numbers; of a country or a firm it is not said that its number is another one."""
_NO_PHONE = re.compile(
    r"\d{1,2}[./-]\d{1,2}[./-](?:19|20)?\d\d(?:\s.*)?|(?:\d{1,3}\.){3}\d{1,3}|\d{5}-\d{4}|.*\s{2}.*",
    re.S,
)
"""Dates, addresses of machines, postal codes, columns of a table."""
_WITHIN = re.compile(r"\d[.,:]$")
"""Before what is the end of a longer number."""
_GROUPED = re.compile(
    r"\((?:0\d{1,4}|\d{2,3})\)[ ./-]?\d[\d ./-]+|\(0\)[\d ./-]+"
    r"|0\d{1,4}(?:[ -]| ?/ ?)\d[\d /-]+|0\d(?:\.\d\d){4}|(?:1[-. ])?\d{3}([-.])\d{3}\1\d{4}"
)
"""National numbers as people write them: an area in parentheses, a leading 0 and groups, or the
three groups of North America."""
_EXTENSION = re.compile(r"[ ,;]*(?:;?ext\.?|extn?\.?|x|poste|#)[ =:]*\d{1,7}$", re.IGNORECASE)


def phones(text: str, regions: Sequence[str] = REGIONS) -> Iterator[PrivateSpan]:
    """Telephone numbers, without an extension behind them.

    Args:
        regions: whose numbers are known without a country code (ISO 3166-1, two letters).
    """
    for link in _LINK.finditer(text):
        yield from _linked(link)
    for run in _RUN.finditer(text):
        for start, end in _stretches(run[0]):
            yield from _numbers(text, run.start() + start, run.start() + end, regions)


def _linked(link: re.Match[str]) -> Iterator[PrivateSpan]:
    """The number of a link to a chat, which has its country code and no plus."""
    from phonenumbers import NumberParseException, is_valid_number, parse

    same = f"+{link['number']}"
    try:
        valid = is_valid_number(parse(same))
    except NumberParseException:
        return
    if valid:
        yield PrivateSpan("phone", *link.span("number"), same)


def _stretches(run: str) -> Iterator[tuple[int, int]]:
    """Where the numbers of a list may stand, in stretches of at most :data:`MOST_DIGITS` digits."""
    begin, digits, at = 0, 0, 0
    for between in _BETWEEN.finditer(run):
        digits += sum(map(str.isdigit, run[at : between.start()]))
        at = between.start()
        # Within a number there are such marks, too: "+49 (0) 30", "0171 / 2345678".
        if digits >= LEAST_DIGITS or run[between.end()] == "+":
            yield from _narrow(run, begin, between.start(), digits)
            begin, digits, at = between.end(), 0, between.end()
    yield from _narrow(run, begin, len(run), digits + sum(map(str.isdigit, run[at:])))


def _narrow(run: str, begin: int, end: int, digits: int) -> Iterator[tuple[int, int]]:
    """The stretch where it has so few digits, else overlapping parts of it, cut at blanks."""
    if digits < LEAST_DIGITS:
        return
    if digits <= MOST_DIGITS:
        yield begin, end
        return
    words = [
        (word.start(), word.end(), sum(map(str.isdigit, word[0])))
        for word in re.compile(r"[^ ]+").finditer(run, begin, end)
    ]
    first = 0
    while first < len(words):
        last, held = first, words[first][2]
        while last + 1 < len(words) and held + words[last + 1][2] <= MOST_DIGITS:
            last += 1
            held += words[last][2]
        if held <= MOST_DIGITS:
            yield words[first][0], words[last][1]
        if last + 1 == len(words):
            return
        again, shared = last + 1, 0
        while again - 1 > first and shared + words[again - 1][2] <= OVERLAP:
            again -= 1
            shared += words[again][2]
        first = again


def _numbers(text: str, start: int, end: int, regions: Sequence[str]) -> Iterator[PrivateSpan]:
    from phonenumbers import Leniency, PhoneNumberFormat, PhoneNumberMatcher, format_number

    # One character before tells whether the run is a part of a word.
    begin = max(0, start - 1)
    piece = text[begin : end + _BEHIND]
    own = text[start:end]
    abroad = [None] if "+" in own else []
    national = _GROUPED.search(own) or _CALLED.search(text[max(0, start - _BEFORE) : start])
    taken: list[tuple[int, int]] = []
    for region in (*abroad, *(regions if national else ())):
        for match in PhoneNumberMatcher(piece, region, Leniency.VALID, max_tries=TRIES):
            place = (begin + match.start, begin + match.end)
            if place[0] >= end:  # the next number, which may be cut here
                break
            if any(place[0] < e and b < place[1] for b, e in taken):
                continue
            written = _EXTENSION.sub("", match.raw_string)
            if not _likely(text, written, place, region):
                continue
            taken.append(place)
            number = format_number(match.number, PhoneNumberFormat.E164)
            yield PrivateSpan("phone", place[0], place[0] + len(written), number)


def _likely(text: str, raw: str, place: tuple[int, int], region: str | None) -> bool:
    if region is None:
        return True
    before = text[max(0, place[0] - _BEFORE) : place[0]]
    if text[place[1] : place[1] + 1] in ("-", "/", "_") or before.endswith(("-", "/", "_", "#")):
        return False
    if _NO_PHONE.fullmatch(raw) or _WITHIN.search(before):
        return False
    called, other = _CALLED.search(before), _OTHER.search(before)
    if called and (not other or called.start() > other.start()):
        return True
    return not other and not _ABBREVIATED.search(before) and bool(_GROUPED.fullmatch(raw))
