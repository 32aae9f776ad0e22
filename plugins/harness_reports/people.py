"""What people said of the answers, as all reports tell it: chosen, ordered and put into words.

Batches are numbered; where there is more than one, a row says by number which it is about.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from harness.kit.text import one_line
from harness_reports.figures import DASH, Document, interval, number, signed
from harness_reports.findings import table

TITLE = "What people say"
ALPHA = (
    "alpha: 1 = raters always agree, 0 = no better than chance; from 0.80 on good, below 0.67 too "
    "little to rely on"
)
SEVERITY = "points above (+) or below (-) the others on the same items"
CLASH = "several batches rated the same round: the largest is shown"
MANY = "the overall score decides; among many criteria some seem changed by chance"
NO_SAMPLE = "chosen for finding errors: no intervals, no verdict, not among the scores here"
NOT_DEV = "not of dev, so it is for new training rows: not among the scores here"
BY_BATCH = (
    'of the answers in each round\'s own batches; "Errors on dev" matches what people chose by an '
    "answer's text, in whatever batch it was rated"
)


def batches(document: Document) -> list[Document]:
    """All batches, each with its ``number``; none where nobody has rated."""
    found: list[Document] = [
        {**row, "number": n} for n, row in enumerate(table(document, "rated"), 1)
    ]
    said = any(table(document, name) for name in ("rating_scores", "win_rates", "agreement"))
    return found if said or any(row["rated"] for row in found) else []


def several(document: Document) -> bool:
    return len(table(document, "rated")) > 1


def number_of(document: Document, row: Document) -> str:
    """The number of the batch that a row is about."""
    names = [one["batch"] for one in table(document, "rated")]
    return str(names.index(row["batch"]) + 1) if row["batch"] in names else "?"


def extent(document: Document) -> str:
    """``90 of 120 items rated``."""
    found = table(document, "rated")
    done, total = (sum(row[key] for row in found) for key in ("rated", "items"))
    return f"{done} of {total} items rated"


def rubric(row: Document) -> str:
    """``Support answers, version 2``."""
    return f"{one_line(row['title'] or row['rubric'], 60)}, version {row['version']}"


def rounds(row: Document) -> str:
    return ", ".join(str(at) for at in row["rounds"]) or DASH


def sample(row: Document) -> str:
    """How its answers were chosen, with a mark where they tell nothing of a round."""
    if row["split"] != "dev":
        return f"{one_line(row['split'], 20)}: {one_line(row['strategy'], 30)} †"
    return one_line(row["strategy"], 30) + ("" if row["verdicts"] else " *")


def purposes(found: Sequence[Document]) -> list[tuple[str, str]]:
    """Mark and meaning of the batches that are no samples of dev."""
    apart = any(row["split"] != "dev" for row in found)
    biased = any(row["split"] == "dev" and not row["verdicts"] for row in found)
    return [*([("*", NO_SAMPLE)] if biased else []), *([("†", NOT_DEV)] if apart else [])]


@dataclass(frozen=True, slots=True)
class Scored:
    """One criterion.

    Attributes:
        by_round: round -> value with ``low``, ``high``, ``n``.
    """

    rubric: str
    title: str
    by_round: Mapping[int, Document] = field(default_factory=dict)


def scores(document: Document, most: int) -> tuple[list[int], list[Scored], bool]:
    """At most so many rounds, the criteria, and whether batches of one round compete.

    The round that is kept and the first stand first in the choice, then the latest.
    """
    found: dict[tuple[str, int, int, str], dict[int, Document]] = {}
    clash = False
    for row in table(document, "rating_scores"):
        key = (row["rubric"], row["version"], row["position"], row["title"])
        by_round = found.setdefault(key, {})
        known = by_round.get(row["round"])
        clash = clash or known is not None
        if known is None or row["n"] > known["n"]:
            by_round[row["round"]] = row
    return (
        _chosen(document, {at for by in found.values() for at in by}, most),
        [Scored(f"{key[0]}/{key[1]}", key[3], by) for key, by in sorted(found.items())],
        clash,
    )


def _chosen(document: Document, known: set[int], most: int) -> list[int]:
    first = [at for at in (min(known, default=0), document["kept_round"]) if at in known]
    wanted = list(dict.fromkeys([*first, *sorted(known, reverse=True)]))
    return sorted(wanted[:most])


def several_rubrics(found: Sequence[Scored]) -> bool:
    return len({one.rubric for one in found}) > 1


def value(row: Document | None) -> str:
    """``0.62 [0.55, 0.70]``."""
    if row is None:
        return ""
    return f"{number(row['value'], 2)} {interval(row['low'], row['high'], 2)}".rstrip()


def span(row: Document, name: str, digits: int = 2, plus: bool = False) -> str:
    """A figure of three columns: value and interval."""
    show = signed if plus else number
    bounds = interval(row[f"{name}_low"], row[f"{name}_high"], digits, plus)
    return f"{show(row[name], digits)} {bounds}".rstrip()


def compared(document: Document) -> list[Document]:
    """Two rounds rated in one batch: win rates and verdicts, in the order of batches."""
    return table(document, "win_rates")


def many(document: Document) -> bool:
    """Whether several criteria of a batch were compared."""
    places = [(row["batch"], row["round"], row["against"]) for row in compared(document)]
    return len(places) > len(set(places))


def agreement(document: Document) -> list[Document]:
    return table(document, "agreement")


def undefined(row: Document) -> str:
    """Why there is no alpha, or no interval of it, in words; else an empty text."""
    why = one_line(row["why"] or "", 120)
    if row["alpha"] is None:
        return f"none: {why}"
    return f"no interval: {why}" if why and row["alpha_low"] is None else ""


def reading(row: Document) -> str:
    """What alpha means, in words, without the figures that stand beside it."""
    if row["alpha"] is None:
        return undefined(row)
    told = one_line(row["sentence"] or "", 200).rpartition(": ")[2].rstrip(".")
    return "; ".join(part for part in (told, undefined(row)) if part)


def raters(document: Document) -> list[Document]:
    """Each rater of each batch by the first criterion for which severity is known."""
    found: dict[tuple[str, str], Document] = {}
    for row in table(document, "raters"):
        key = (row["batch"], row["rater"])
        known = found.get(key)
        if known is None or (known["severity"] is None and row["severity"] is not None):
            found[key] = row
    return [found[key] for key in sorted(found, key=lambda key: (_at(document, key[0]), key[1]))]


def _at(document: Document, batch: str) -> int:
    names = [one["batch"] for one in table(document, "rated")]
    return names.index(batch) if batch in names else len(names)


def seconds(row: Document) -> str:
    return DASH if row["seconds"] is None else f"{row['seconds']:.0f} s"


def steadiness(row: Document) -> str:
    """``83 % of 6 repeats``."""
    if row["same"] is None:
        return DASH
    return f"{100 * row['same']:.0f} % of {row['repeats']}"


@dataclass(frozen=True, slots=True)
class Named:
    """A kind of error that people named.

    Attributes:
        by_round: round -> answers of which somebody said so.
    """

    name: str
    by_round: Mapping[int, int]


def named(document: Document, most: int) -> tuple[list[int], list[Named], dict[int, int]]:
    """Rounds, kinds of errors (the most frequent first), and answers rated by round."""
    counts: dict[str, dict[int, int]] = {}
    rated: dict[int, int] = {}
    for row in table(document, "named_errors"):
        counts.setdefault(row["category"], {})[row["round"]] = row["answers"]
        rated[row["round"]] = row["rated"]
    kinds = [Named(name, by) for name, by in counts.items()]
    kinds.sort(key=lambda kind: (-sum(kind.by_round.values()), kind.name))
    return _chosen(document, set(rated), most), kinds, rated


def metrics(document: Document) -> list[str]:
    """One sentence for each automatic metric: by differences where there are any, and by the
    batch that says most.
    """
    best: dict[str, Document] = {}
    for row in table(document, "validity"):
        known = best.get(row["metric"])
        if row["sentence"] and (known is None or _weight(row) > _weight(known)):
            best[row["metric"]] = row
    return [one_line(row["sentence"], 400) for row in best.values()]


def _weight(row: Document) -> tuple[bool, bool, int]:
    return row["accuracy"] is not None, row["view"] == "differences", row["n"]
