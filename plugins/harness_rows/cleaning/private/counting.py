"""How many rows hold what kind of private value; nothing of a value is kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from harness import Example
from harness.kit.alike.texts import whole_text
from harness.kit.draws import drawn
from harness_rows.cleaning.private.finding import Finders
from harness_rows.cleaning.private.redaction import Redaction
from harness_rows.cleaning.private.values import KINDS

WORDS = {
    "key": "keys and tokens", "email": "mail addresses", "iban": "IBANs", "card": "card numbers",
    "phone": "telephone numbers", "ip": "IP addresses",
}  # fmt: skip
MOST = 20_000
"""Rows that are looked at, drawn at random: of more, looking at all would take most of a check."""


def kinds_in(texts: Iterable[str]) -> Counter[str]:
    """Kind -> texts that hold a value of it; under the empty name those that hold any."""
    finders, rows = Finders(KINDS), Counter[str]()
    for text in texts:
        if kinds := {span.kind for span in finders.find(text)}:
            rows.update(("", *kinds))
    return rows


def in_rows(rows: Sequence[Example]) -> tuple[Counter[str], str]:
    """The same of a sample of rows, and the sentence on them."""
    sample = drawn(rows, MOST)
    counts = kinds_in(map(whole_text, sample))
    return counts, sentence(counts, len(sample), len(rows))


def sentence(rows: Counter[str], looked: int, of: int) -> str:
    """What was found in the ``looked`` rows ``of`` so many; empty where nothing was."""
    if not rows[""]:
        return ""
    verb = "holds" if rows[""] == 1 else "hold"
    listed = ", ".join(f"{WORDS[kind]} in {rows[kind]:,}" for kind in KINDS if rows[kind])
    sample = f" drawn at random from {of:,}" if looked < of else ""
    return f"{rows['']:,} of {looked:,} rows{sample} {verb} what may be personal data: {listed}"


def remedy(rows: Counter[str]) -> str:
    """The command that replaces what was found."""
    command = "harness data redact -o FILE replaces it"
    return f"{command} (IP addresses with --kind ip)" if rows["ip"] else command


def masked(text: str) -> str:
    """The text with a token in place of each private value."""
    return Redaction(Finders(KINDS)).text(text, "")
