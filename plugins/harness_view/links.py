"""Addresses of the page: each state of it has one, and what an address says is read here alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Literal, Protocol, get_args
from urllib.parse import parse_qsl, quote, urlencode

from harness import UsageError

HOME = "/view/"
Part = Literal["now", "rounds", "rows", "added"]
PARTS: Mapping[Part, str] = {
    "now": "Now", "rounds": "Rounds", "rows": "Rows", "added": "Added rows",
}  # fmt: skip
"""The parts of a run's page, with their titles."""
Shown = Literal["", "fails", "fixed", "regressed"]
Sort = Literal["-change", "change", "score", "-score"]
ViewSplit = Literal["dev", "test"]
LONGEST = 400
"""Characters of a value in an address."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which rows are asked for: the filters and the place in the table. Nothing is chosen by "".

    Attributes:
        split: ``test`` where its rows may be looked at.
        first, second: the rounds that are compared; None: the base model, and the best round.
        show: rows whose answer of the second round fails; those that the first round fails and the
            second passes (``fixed``), and the reverse.
        slice, category, cause: of the second round's answers.
        words: a text that the prompt, a reference or an answer holds, in any case.
        sort: by what the second round's score is above the first's, or by its score; with ``-``
            the greatest first.
        page: from 1 on.
    """

    split: ViewSplit = "dev"
    first: int | None = None
    second: int | None = None
    show: Shown = ""
    slice: str = ""
    category: str = ""
    cause: str = ""
    words: str = ""
    sort: Sort = "change"
    page: int = 1

    @property
    def query(self) -> str:
        """What of it is not chosen by itself, as it stands behind the ``?`` of an address."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        chosen = {name: value for name, value in values.items() if value != getattr(PLAIN, name)}
        return urlencode(chosen, quote_via=quote)

    def but(self, **changes: object) -> Asked:
        """The same with other choices, on the first page unless that is one of them."""
        return replace(self, **{"page": 1, **changes})  # type: ignore[arg-type]


PLAIN = Asked()


def asked(query: str) -> Asked:
    """What an address asks for behind its ``?``; what it does not know is passed over.

    Raises:
        UsageError: a value is none that the name may have.
    """
    given = dict(parse_qsl(query, max_num_fields=40))
    for name, choices in (("show", get_args(Shown)), ("sort", get_args(Sort)),
                          ("split", get_args(ViewSplit))):  # fmt: skip
        if given.get(name, choices[0]) not in choices:
            raise UsageError(f"{name} is one of {', '.join(filter(None, choices))}")
    numbers = {name: _number(name, given[name]) for name in ("first", "second", "page")
               if given.get(name)}  # fmt: skip
    texts = {name: given[name] for name in ("split", "show", "slice", "category", "cause", "words",
                                            "sort") if given.get(name)}  # fmt: skip
    if any(len(text) > LONGEST for text in texts.values()):
        raise UsageError(f"a value of this address is longer than {LONGEST} characters")
    return Asked(**texts, **numbers)  # type: ignore[arg-type]


def row_of(query: str) -> str:
    """The id of the row that an address asks for; empty where there is none."""
    return dict(parse_qsl(query, max_num_fields=40)).get("id", "")


def _number(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 7):
        raise UsageError(f"{name} is a number")
    return int(text)


class Links(Protocol):
    """Where the parts of a run's page are; None where there is no such place."""

    @property
    def runs(self) -> str | None:
        """All runs of the folder."""

    def part(self, part: Part) -> str: ...

    def rows(self, asked: Asked) -> str | None: ...

    def row(self, id: str, asked: Asked) -> str | None:
        """One row; ``asked`` leads back to the table."""


@dataclass(frozen=True, slots=True)
class ServedLinks:
    """The addresses of a served page."""

    run: str

    @property
    def runs(self) -> str:
        return f"{HOME}runs"

    def part(self, part: Part) -> str:
        return f"{HOME}run/{quote(self.run, safe='')}/{part}"

    @property
    def events(self) -> str:
        return f"{HOME}run/{quote(self.run, safe='')}/events"

    def rows(self, asked: Asked) -> str:
        return self.part("rows") + (f"?{asked.query}" if asked.query else "")

    def row(self, id: str, asked: Asked) -> str:
        query = f"id={quote(id, safe='', errors='replace')}"
        return f"{HOME}run/{quote(self.run, safe='')}/row?{query}" + (
            f"&{asked.query}" if asked.query else ""
        )
