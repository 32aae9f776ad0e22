"""In which encoding the text of a file is, and its text in UTF-8.

UTF-16 and UTF-32 are known by a mark or by their NULs. That a file is in one of the many encodings
of a byte a letter can be guessed alone: the guess is told, with the command that converts the file,
and a person decides. Where two of them fit, both are told with what they make of the same words.
"""

from __future__ import annotations

import codecs
import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from harness.kit.readers import latin
from harness.kit.readers.base import SAVE_AS_UTF8, Fault, File
from harness.kit.readers.lines import lines_of
from harness.kit.text import one_line

GUESSED = (
    "cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "mac_roman", "cp850", "koi8_r", "shift_jis",
    "euc_jp", "gb18030", "big5", "euc_kr",
)  # fmt: skip
"""Encodings of old files; where one reads the same as an earlier one, that is named."""
EITHER = "which reads right?"
"""How a hint begins that offers two encodings."""
_ICONV = {"mac_roman": "macintosh", "iso8859_2": "iso-8859-2"}
SAMPLE = 2**16
"""Bytes by which an encoding is guessed: of lines that are no UTF-8."""
_AROUND = 12
"""Letters that are shown on both sides of a byte."""
_CHUNK = 2**18
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip


def wide(head: bytes) -> str:
    """The encoding of a text with more than a byte a character, by its first bytes; else empty.

    Without a mark, Latin text in UTF-16 has a NUL in every other byte, in UTF-32 in three of four,
    and is valid UTF-8 nevertheless. NULs that stand anywhere are part of the text.
    """
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name
    zeros = [head[at::4].count(0) for at in range(4)]
    if max(zeros) < 4 or max(zeros) * 8 <= len(head) or min(zeros) * 8 >= max(zeros):
        return ""
    most = [count * 2 > max(zeros) for count in zeros]
    size = 32 if sum(most) == 3 else 16
    return f"utf-{size}-{'be' if most[0] else 'le'}"


def in_utf8(file: File, encoding: str) -> File:
    """The file with its text in UTF-8, held in memory.

    Raises:
        OSError: it cannot be read.
        UnicodeError: it is not in this encoding.
    """
    with file.open() as stream:
        text = stream.read().decode(encoding)
    return replace(
        file, path=None, data=text.removeprefix("\ufeff").encode("utf-8"), encoding=encoding
    )


def fault(file: File, option: str = "") -> Fault | None:
    """That a file is no UTF-8: one fault, with what it is likely to be and what converts it.

    Args:
        option: of the command that reads it (``--encoding``), where it has one.

    Raises:
        OSError: it cannot be read.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        with file.open() as stream:
            while chunk := stream.read(_CHUNK):
                # Most files are ASCII, which is seen four times as fast as it is decoded.
                if not chunk.isascii() or decoder.getstate()[0]:
                    decoder.decode(chunk)
            decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return _found(file, option)
    return None


def _found(file: File, option: str) -> Fault | None:
    first: tuple[int, int, bytes] | None = None
    wrong, also_utf8, sample = 0, False, list[bytes]()
    for number, _, line in lines_of(file):
        if line.isascii():
            continue
        try:
            line.decode("utf-8")
        except UnicodeDecodeError as error:
            first = first or (number, error.start, line)
            wrong += 1
            if sum(map(len, sample)) < SAMPLE:
                sample.append(line[:SAMPLE])
        else:
            also_utf8 = True
    if first is None:  # a line longer than any reader takes
        return Fault("not UTF-8", file.label, hint=SAVE_AS_UTF8)
    number, at, line = first
    names = [] if also_utf8 else likely(b"\n".join(sample))
    about, hint = f" ({wrong:,} lines have such bytes)" if wrong > 1 else "", SAVE_AS_UTF8
    if also_utf8:
        about += "; other lines are UTF-8: the file was put together of several"
    elif len(names) == 1:
        about += f"; it is likely {names[0]}: {_shown(line, at, names[0])}"
        hint = f"convert it: {_iconv(file, names[0])}"
        if option:
            hint = f"{option} {names[0]} reads it so; or {hint}"
    elif names:
        apart, place = _apart(sample, *names)
        readings = " or ".join(f"{name}: {_shown(apart, place, name)}" for name in names)
        about += f"; it is likely {readings}"
        ways = [f"{option} {name}" if option else _iconv(file, name) for name in names]
        hint = f"{EITHER} {' or '.join(ways)}"
        if option:
            hint += f"; or convert it: {_iconv(file, names[0])}"
    return Fault(f"not UTF-8: byte 0x{line[at]:02x}", file.label, number, at + 1, hint, about)


def _apart(lines: Sequence[bytes], one: str, other: str) -> tuple[bytes, int]:
    """A line that two encodings read otherwise, and the place of the first byte of that."""
    for line in lines:
        for place, byte in enumerate(line):
            if byte > 127 and bytes([byte]).decode(one) != bytes([byte]).decode(other):
                return line, place
    raise AssertionError("two encodings that are offered read some byte otherwise")


def _shown(line: bytes, at: int, encoding: str) -> str:
    """What stands around a byte, quoted."""
    before, after = line[:at].decode(encoding, "replace"), line[at:].decode(encoding, "replace")
    return f"'{one_line(f'{before[-_AROUND:]}{after[:_AROUND]}'.strip(), 2 * _AROUND)}'"


def likely(sample: bytes) -> list[str]:
    """The encodings that bytes may be in, the likelier first: two at most, that read them
    otherwise; empty where none fits."""
    from charset_normalizer import from_bytes

    if fitting := latin.fitting(sample):
        return fitting[:2]
    best = from_bytes(sample, cp_isolation=list(GUESSED)).best()
    if best is None:
        return []
    text = sample.decode(best.encoding, "replace")
    same = (name for name in GUESSED if sample.decode(name, "replace") == text)
    return [next(same, best.encoding)]


def _iconv(file: File, encoding: str) -> str:
    name = file.path or Path(file.label)
    if name.is_relative_to(Path.cwd()):
        name = name.relative_to(Path.cwd())
    new = f"{name.stem}.utf8{name.suffix}"
    code = _ICONV.get(encoding, encoding)
    if file.path is None and not name.is_file():  # a pipe, standard input
        return f"iconv -f {code} -t utf-8"
    return f"iconv -f {code} -t utf-8 {shlex.quote(str(name))} > {shlex.quote(new)}"
