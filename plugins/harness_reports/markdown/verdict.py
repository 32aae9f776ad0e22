"""Whether it helped: the verdict, what may contradict it, and the scores behind it."""

from __future__ import annotations

from harness.kit.numbers import interval, signed
from harness_reports import figures, findings
from harness_reports.figures import Document
from harness_reports.markdown.pieces import bullets, safe, scored, section, table

GUARDS = 3


def sections(document: Document) -> list[str]:
    return [_verdict(document), _rounds(document), _test(document)]


def _verdict(document: Document) -> str:
    verdict, where = figures.headline(document)
    mark = figures.MARKS.get(verdict["label"], "?")
    aim = document.get("objective")
    parts = [
        f"# {mark} {safe(verdict['label'], 20)} ({where})",
        f"**{safe(verdict['sentence'], 600)}**",
        safe(aim["sentence"], 600) if aim else "",
        _guards(document),
        safe(figures.facts(document), 300),
    ]
    return "\n\n".join(part for part in parts if part)


def _guards(document: Document) -> str:
    """Each with its state and sentence, a few of each state."""
    lines = []
    found = findings.guards(document)
    for state in findings.GUARD_MARKS:
        shown = [guard for guard in found if guard.state == state]
        lines += [
            f"{guard.mark} **guard {safe(figures.guard_title(document, guard.name))} {state}, "
            f"round {guard.round}**: {safe(guard.sentence, 600)}"
            for guard in shown[-GUARDS:]
        ]
        if len(shown) > GUARDS:
            lines.append(f"and {len(shown) - GUARDS} more {state}")
    return bullets(lines)


def _rounds(document: Document) -> str:
    primary = document["primary"]
    digits = figures.score_digits(document, primary)
    names = figures.score_names(document)
    verdicts = table(
        ["round", "verdict", "training rows", _name(document, primary), "change", "bounds"],
        (
            [
                figures.round_name(entry, document),
                f"{figures.MARKS.get(entry['verdict']['label'], '?')} {entry['verdict']['label']}",
                str(entry["train_rows"]),
                scored(entry["scores"].get(primary), digits)
                + safe(figures.chosen_mark(document, entry)),
                signed(entry["verdict"]["difference"], digits),
                interval(entry["verdict"]["low"], entry["verdict"]["high"], digits, plus=True),
            ]
            for entry in document["rounds"]
        ),
        right=(2, 3, 4),
    )
    shown = figures.shown_rounds(document, 6)
    others = table(
        ["score", *(figures.round_name(entry, document) for entry in shown)],
        (
            [
                _name(document, name),
                *(
                    scored(entry["scores"].get(name), figures.score_digits(document, name))
                    for entry in shown
                ),
            ]
            for name in names
            if name != primary
        ),
        right=range(1, len(shown) + 1),
    )
    sentences = "\n".join(
        f"- Round {entry['round']}: {safe(entry['verdict']['sentence'], 600)}"
        for entry in document["rounds"][1:]
    )
    level = figures.bounds_level(document)
    remark = "● kept. Brackets after a score: 95 % interval. Change: against the round kept until"
    remark += f" then, {level}." if level else " then."
    remark += f" {figures.BY_PEOPLE.capitalize()}." if document.get("by_people") else ""
    chosen = safe(figures.chosen_sentence(document), 400)
    rest = ("### Other scores", others, chosen) if len(names) > 1 else ()
    return section("Rounds", verdicts, remark, chosen, sentences, *rest)


def _name(document: Document, score: str) -> str:
    return safe(figures.score_title(document, score, 160), 220)


def _test(document: Document) -> str:
    test = document.get("test")
    if not test:
        sealed = document.get("sealed")
        return section("Test set", safe(sealed["sentence"], 600)) if sealed else ""
    shown = table(
        ["score", "baseline", f"round {document['kept_round']}"],
        (
            [
                _name(document, name),
                *(
                    scored(test[side].get(name), figures.score_digits(document, name))
                    for side in ("baseline", "kept")
                ),
            ]
            for name in figures.score_names(document)
        ),
        right=(1, 2),
    )
    looks = f"{test['looks']} time{'s' if test['looks'] != 1 else ''}"
    counting = safe(test.get("counting") or f"Opened {looks} so far, over all runs.", 600)
    return section("Test set", counting, shown)
