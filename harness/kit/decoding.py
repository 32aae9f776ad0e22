"""Texts that were decoded wrongly before anybody here read them."""

from __future__ import annotations

import re

# Bytes of UTF-8 that were read as Latin-1 or Windows-1252, and the mark of bytes that were no text.
# Quotation marks and dashes may follow a word in capitals that ends in Ã.
_WRONG = re.compile(r"Ã[\u0080-\u00bfƒ‚„†‡ˆ‰Š‹ŒŽ•˜™š›œžŸ]|â€|â‚¬|\ufffd")

EXAMPLES = "Ã¤, â€, \ufffd"
"""What such texts hold, for messages."""


def decoded_wrongly(text: str) -> bool:
    """Whether the text holds what no writer types: ``Ã¤`` for ``ä``, or U+FFFD."""
    return _WRONG.search(text) is not None
