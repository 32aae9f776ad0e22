"""What to do next, in the order of what it may be worth: answers that it could put right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.kit.terms import shown
from harness.kit.text import one_line

Document = dict[str, Any]


def remedies(
    summary: Mapping[str, Any],
    tables: Mapping[str, Sequence[Mapping[str, Any]]],
    causes: Mapping[str, tuple[str, str, bool]],
) -> list[Document]:
    """Each remedy with its reason and the failing answers of dev that it concerns.

    Worth is an upper limit: no remedy cures everything that it is meant for.
    """
    actions = [
        {
            "remedy": one_line(row["remedy"]),
            "why": f"{one_line(shown('cause', row['cause']))}: {causes[row['cause']][0]}"
            if row["cause"] in causes
            else one_line(row["cause"]),
            "answers": row["answers"],
            "by_data": causes[row["cause"]][2] if row["cause"] in causes else False,
        }
        for row in tables.get("causes", ())
        if row["remedy"]
    ]
    best = summary["rounds"][summary["kept_round"]]
    actions += [
        {
            "remedy": f"{item['rows']} rows for {item['slice']}",
            "why": f"planned after round {best['round']}: {item['reason']}",
            "answers": item["n"],
            "by_data": True,
        }
        for item in best["plan"]
        if item["n"] is not None and item["rows"]
    ]
    return sorted(actions, key=lambda action: (-(action["answers"] or 0), action["remedy"]))
