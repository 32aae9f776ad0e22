"""Hostile text made harmless: what data or a model says, on its way to a person.

Nothing that comes from data, a model or a plugin is shown or stored unless it went through one
of these functions. They never raise, and take time linear in the length of the text.
"""

from __future__ import annotations

import json
import re
from typing import Any

ELLIPSIS = "…"

# Whole commands of a terminal (CSI, others), so that no "31m" stays behind. Of OSC and the like,
# which carry text, the command alone: a reader has to see the text. The forms of one byte (U+009B,
# U+009D) are no commands without their first character, and stand within text of a wrong encoding.
_ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[ -/]*[0-~]")
_BREAKS = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")
# C0 and C1 controls; direction marks, embeddings, overrides and isolates; invisible spaces and
# operators (not the joiners U+200C and U+200D, which Persian and emoji need); tag characters.
_INVISIBLE = re.compile(
    r"[\x00-\x08\x0e-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e"
    r"\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_SURROGATES = re.compile(r"[\ud800-\udfff]")
_SPACES = re.compile(r"\s+")
_STORABLE = re.compile(r"[\x00\ud800-\udfff]")

# An underscore between letters or digits never starts or ends emphasis.
_MARKUP = re.compile(r"([\\`*\[\]<|~&$]|(?<![^\W_])_|_(?![^\W_]))")
_BLOCK_START = re.compile(r"^(?=[#+=:>-])|^(\d+)(?=[.)])")
# A backslash does not stop GitHub from linking these: it looks at the rendered text.
_LINKED = re.compile(
    r"(?<=[@#])(?=\w)|(?<=:)(?=//)|(?<=\bwww)(?=\.)|(?<=\bGH)(?=-\d)", re.IGNORECASE
)
_UNLINK = "\u200b"
_TICKS = re.compile(r"`+")


def plain(text: str, limit: int | None = None) -> str:
    """Text without terminal commands, control and direction characters; lines are kept.

    Nothing that a person would read is taken away.

    Args:
        limit: most characters returned; a cut text ends in an ellipsis.
    """
    cut = False
    # What is taken away below may be most of a text: so much is looked at, in bounded time.
    if limit is not None and len(text) > 4 * limit + 1024:
        text, cut = text[: 4 * limit + 1024], True
    text = _ESCAPES.sub("", text)
    text = _BREAKS.sub("\n", text)
    text = _INVISIBLE.sub("", text)
    text = _SURROGATES.sub("\ufffd", text)
    if limit is not None and (cut or len(text) > limit):
        return text[: max(limit - 1, 0)].rstrip() + ELLIPSIS
    return text


def one_line(text: str, limit: int | None = None) -> str:
    """:func:`plain` text in one line, runs of white space as one blank."""
    if limit is None:
        return _SPACES.sub(" ", plain(text)).strip()
    line = _SPACES.sub(" ", plain(text, 4 * limit + 16)).strip()
    return line if len(line) <= limit else line[: max(limit - 1, 0)].rstrip() + ELLIPSIS


def lines(text: str, limit: int, most: int) -> str:
    """:func:`plain` text with its lines and their indentation, without empty ones around it.

    Args:
        limit: most characters; a cut text ends in an ellipsis.
        most: most lines; a last one says how many more there are.
    """
    shown = plain(text, limit).rstrip().lstrip("\n").split("\n")
    left = len(shown) - most
    more = [f"{ELLIPSIS} {left} more line{'s' * (left > 1)}"] if left > 0 else []
    return "\n".join([*shown[:most], *more])


def titled(name: str, caveat: str | None) -> str:
    """``judge (uncalibrated)``: a score's name with what stands beside it."""
    return f"{name} ({caveat})" if caveat else name


def storable(text: str) -> str:
    """The same text but for what a database or UTF-8 cannot hold: NUL and lone surrogates."""
    if text.isascii() and "\0" not in text:
        return text
    return _STORABLE.sub("\ufffd", text)


def storable_json(value: Any) -> Any:
    """A JSON value whose every text, keys too, is :func:`storable`."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, list):
        return [storable_json(item) for item in value]
    if isinstance(value, dict):
        return {storable(key): storable_json(item) for key, item in value.items()}
    return value


def markdown_safe(text: str, limit: int | None = None) -> str:
    """One line of Markdown that shows the text and does nothing.

    No emphasis, code, table cell, HTML, link, image, mention or issue number comes out of it.
    Safe within a paragraph, a list item, a heading or a cell of a table.
    """
    line = _MARKUP.sub(r"\\\1", one_line(text, limit))
    line = _BLOCK_START.sub(lambda match: f"{match[1]}\\" if match[1] else "\\", line)
    return _LINKED.sub(_UNLINK, line)


def markdown_block(text: str, limit: int | None = None) -> str:
    """A fenced block that no text can break out of."""
    body = plain(text, limit)
    longest = max((len(ticks) for ticks in _TICKS.findall(body)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{body}\n{fence}"


def given(value: object) -> str:
    """A value in a few words. Never its ``repr``, unless it is a plain one: that may raise."""
    if value is None or isinstance(value, bool):
        return str(value)
    if isinstance(value, str):
        return f"the text {json.dumps(one_line(value, 40), ensure_ascii=False)}"
    if type(value) in (int, float):
        return f"the number {str(value)[:40]}"
    if isinstance(value, type):
        return f"the class {value.__name__}"
    name = type(value).__name__
    return f"an {name}" if name[:1].lower() in "aeiou" else f"a {name}"
