"""Mail addresses, and addresses of machines."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from harness_rows.cleaning.private.values import PrivateSpan

# Letters of scripts that put blanks between words: in others an address would take the words
# before it along.
_LETTER = "A-Za-z0-9\u00c0-\u024f\u0370-\u03ff\u0400-\u04ff"
# Of the domain they do: nothing but a host stands between @ and its last part.
_HOST = rf"{_LETTER}\u0590-\u07bf\u0900-\u0dff\u0e00-\u0e7f\u3041-\u30ff\u4e00-\u9fff\uac00-\ud7a3"
_MAIL = re.compile(
    rf"(?<![{_LETTER}_.%+-])"
    rf"(?P<local>[{_LETTER}_](?:[{_LETTER}_.%+'-]{{0,62}}[{_LETTER}_+-])?"
    r"|\"[^\"\s@<>]{1,62}\"|'[^'\"\s@<>]{1,62}')@"
    rf"(?:[{_HOST}][{_HOST}-]{{0,62}}\.{{1,2}}){{1,8}}"
    r"(?:xn--[A-Za-z0-9-]{2,40}|[A-Za-z]{2,24}|[\u0400-\u04ff]{2,24})"
    rf"(?![{_LETTER}_])"
)
_REMOTES = ("git", "hg", "svn")
"""Users of version control: ``git@host:path`` is nobody's address."""

_IPV4 = re.compile(r"\d(?<![\w.+-]\d)\d{0,2}\.(?:\d{1,3}\.){2}\d{1,3}(?![\w-]|\.\w)")
_IPV6 = re.compile(
    r"(?<![\w:.])(?:[0-9A-Fa-f]{0,4}:){2,7}(?:(?:\d{1,3}\.){3}\d{1,3}|[0-9A-Fa-f]{0,4})"
    r"(?:%[A-Za-z0-9]{1,15})?(?![\w:]|\.\d)"
)
_NUMBERED = re.compile(
    r"(?:\b(?i:version|release|section|chapter|clause|paragraph|article|figure|table|oid|build"
    r"|revision|rev|update|patch|package|assembly|library|driver|firmware|plugin|module|v"
    r"|chrom(?:e|ium)|edge|firefox|safari|opera|webkit|mozilla|windows|office|word|excel|outlook"
    r"|teams|acrobat|flash|java|jdk|jre|python|ruby|perl|php|node|nginx|apache|tomcat|openss[hl]"
    r"|kernel|linux|ubuntu|debian|android|ios|macos|bios|cuda|oracle|mysql|postgres\w*|sql|\.net)"
    r"|\b[A-Z]\w*(?=/))[ /:]*$"
)
"""Words before four numbers that are a version or a section; so is ``Name/1.2.3.4``."""
_MACHINE = re.compile(
    r"(?:ip|host|server|gateway|address|ping|block|from|for|at|via|to|is)[ :=]*$", re.I
)
_BEFORE = 24


def mails(text: str) -> Iterator[PrivateSpan]:
    """Mail addresses, mistyped ones with a doubled dot among them."""
    if "@" not in text:
        return
    for match in _MAIL.finditer(text):
        remote = match["local"] in _REMOTES and text[match.end() : match.end() + 1] in (":", "/")
        if not remote:
            yield PrivateSpan("email", match.start(), match.end(), match[0].casefold())


def machines(text: str) -> Iterator[PrivateSpan]:
    """IPv4 and IPv6 addresses."""
    kinds = ((_IPV6, _likely_v6, ":", 2), (_IPV4, _likely_v4, ".", 3))
    for pattern, likely, mark, least in kinds:
        if text.count(mark) < least:
            continue
        for match in pattern.finditer(text):
            try:
                address = ipaddress.ip_address(match[0])
            except ValueError:
                continue
            if likely(text, match):
                yield PrivateSpan("ip", match.start(), match.end(), str(address))


def _likely_v4(text: str, match: re.Match[str]) -> bool:
    before = text[max(0, match.start() - _BEFORE) : match.start()]
    return bool(_MACHINE.search(before)) or not _NUMBERED.search(before)


def _likely_v6(text: str, match: re.Match[str]) -> bool:
    """``a::b`` is a name of some languages: an address has more than that."""
    groups = [group for group in match[0].split(":") if group]
    return len(groups) >= 3 or any(len(group) > 2 for group in groups)
