"""What the columns are: the part that each plays in a row."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from harness.kit.readers import Record


@dataclass(frozen=True, slots=True)
class Roles:
    """Role -> column names; an empty name is a role that no column plays.

    Attributes:
        prompts: joined by a blank line, those that are empty left out.
        template: of the prompt, over columns, instead of ``prompts``.
        messages: a list of turns, instead of both.
        completion: the turns that follow these, the answer last.
        choices: answers to choose from, lettered behind the prompt.
        first: the number of the first of them, 0 or 1; None where answers are no numbers.
        rejected: answers to which the references are preferred.
        label: whether the answer is good; one that is not is a rejected answer.
        good: likewise; rows where it is not are left out.
        history: earlier turns as pairs (``[["question", "answer"], …]``).
    """

    prompts: tuple[str, ...] = ()
    template: str = ""
    messages: str = ""
    completion: str = ""
    choices: str = ""
    first: int | None = None
    references: tuple[str, ...] = ()
    rejected: str = ""
    label: str = ""
    system: str = ""
    history: str = ""
    tools: str = ""
    good: str = ""
    id: str = ""
    group: str = ""
    split: str = ""
    meta: tuple[str, ...] = ()

    def columns(self, template_names: tuple[str, ...] = ()) -> dict[str, tuple[str, ...]]:
        """Role -> its columns, for those that are played."""
        played = {"prompt": self.prompts or template_names}
        for role in (field.name for field in fields(self)):
            if role not in ("prompts", "template", "first"):
                names = getattr(self, role)
                played[role] = names if isinstance(names, tuple) else (names,)
        return {role: tuple(filter(None, names)) for role, names in played.items() if any(names)}

    def all_columns(self) -> list[str]:
        """The columns that play any of these roles, in their order."""
        return [name for names in self.columns().values() for name in names]


MISSING = object()
"""The value of a column that a record has not."""


def value_of(record: Record, column: str) -> Any:
    """What stands in a column; ``outer.inner`` reaches into nested values.

    Returns:
        :data:`MISSING` where there is no such column.
    """
    if column in record:
        return record[column]
    at: Any = record
    for step in column.split("."):
        if not isinstance(at, dict) or step not in at:
            return MISSING
        at = at[step]
    return at
