"""What the first bytes of a file say: that it is no text in UTF-8."""

from __future__ import annotations

HEAD = 4096
"""Bytes that are looked at."""

_WIDE_BOMS = (b"\xff\xfe", b"\xfe\xff")
_PACKED = (
    (b"\x1f\x8b", "packed (gzip)"), (b"PK\x03\x04", "packed (zip)"), (b"BZh", "packed (bzip2)"),
    (b"\xfd7zXZ", "packed (xz)"), (b"\x28\xb5\x2f\xfd", "packed (zstd)"), (b"PAR1", "Parquet"),
)  # fmt: skip


def unreadable(raw: bytes) -> str:
    """Why a file that begins so is no text in UTF-8, or empty."""
    head = raw[:64]
    for magic, name in _PACKED:
        if head.startswith(magic):
            return f"the file is {name}, and no text: unpack it to JSON lines"
    # Latin text in UTF-16 has a NUL in every other byte, in UTF-32 in three of four.
    if head.startswith(_WIDE_BOMS) or head.count(0) > len(head) // 3:
        return "the file is UTF-16 or UTF-32: save it as UTF-8"
    if 0 in head:
        return f"byte {head.index(0) + 1} is NUL: the file is no text"
    return ""
