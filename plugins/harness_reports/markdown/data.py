"""What was added to the training data, what was refused, and how training went."""

from __future__ import annotations

from harness.kit.numbers import interval, number, signed
from harness_reports import drawing, figures, findings
from harness_reports.figures import Document
from harness_reports.markdown.pieces import more, safe, section, table


def sections(document: Document) -> list[str]:
    return [_near(document), _added(document), _control(document), _training(document)]


def _near(document: Document) -> str:
    pairs = findings.near_pairs(document)
    if not pairs:
        return ""
    shown = table(
        ["similarity", "row", "text", "held out", "text"],
        (
            [one.similarity, safe(one.row, 80), safe(one.text, 400), safe(one.held_out, 80),
             safe(one.held_out_text, 400)]
            for one in pairs
        ),
        right=(0,),
    )  # fmt: skip
    return section("Training rows near dev or test", findings.NEAR, shown)


def _added(document: Document) -> str:
    grown = [e for e in document["rounds"] if e["plan"] or e["added"] or e["refused"]]
    if not grown:
        return ""
    shown = table(
        ["after round", "planned", "added", "refused"],
        (
            [
                str(entry["round"]),
                safe(", ".join(figures.planned(entry["plan"])), 1_000),
                f"{entry['added']} {_bracketed(entry['added_by'])}".rstrip(),
                f"{sum(entry['refused'].values())} {_bracketed(entry['refused'])}".rstrip(),
            ]
            for entry in grown[-findings.SHOWN :]
        ),
        right=(),
    )
    earlier = more(len(grown) - findings.SHOWN, "of earlier rounds")
    return section("Training data added", shown, earlier)


def _bracketed(counts: dict[str, int]) -> str:
    return f"({safe(figures.counted(counts), 400)})" if figures.counted(counts) else ""


def _control(document: Document) -> str:
    control = document.get("control")
    if not control:
        return ""
    bounds = interval(control["low"], control["high"], plus=True)
    difference = ""
    if control["difference"] is not None:
        difference = f"Targeted minus random: {signed(control['difference'])} {bounds}".rstrip()
    sentence = safe(control["sentence"], 600)
    return section("Targeted or random rows", difference, sentence)


def _training(document: Document) -> str:
    logged = [entry for entry in document["rounds"] if entry["log"]]
    if not logged:
        return ""
    rows = []
    for entry in logged[-findings.SHOWN :]:
        training, validation = figures.losses(entry)
        ends = [number(v[at], 2) if v else "" for v in (training, validation) for at in (0, -1)]
        curve = drawing.sparkline(training, 24)
        rows.append([str(entry["round"]), *ends[:2], curve, *ends[2:]])
    headings = ["round", "first loss", "last loss", "", "first validation", "last validation"]
    return section("Training loss", table(headings, rows, right=(1, 2, 4, 5)))
