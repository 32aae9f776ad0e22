"""Turns put before those of a row, which may begin with a system turn of its own."""

from __future__ import annotations

from collections.abc import Sequence

import harness
from harness import SYSTEM_ROLES


def with_system(row: harness.Example, text: str) -> tuple[harness.Message, ...]:
    """The row's turns with the text in the system turn, after what the row's own ones say.

    Raises:
        DataError: the row's own system turn is not text.
    """
    own, spoken = parts(row)
    contents = [turn.get("content") for turn in own]
    if not all(isinstance(content, str) for content in contents):
        raise harness.DataError(
            f"the system turn of '{row.id}' is not text, so nothing can be added to it",
            hint="take the baseline out",
        )
    role = own[0]["role"] if own else SYSTEM_ROLES[0]
    content = "\n\n".join(map(str, [*contents, text]))
    return ({"role": role, "content": content}, *spoken)


def parts(
    row: harness.Example,
) -> tuple[Sequence[harness.Message], Sequence[harness.Message]]:
    """The system turns of a row, and all others."""
    own = [turn for turn in row.messages if turn.get("role") in SYSTEM_ROLES]
    return own, [turn for turn in row.messages if turn.get("role") not in SYSTEM_ROLES]
