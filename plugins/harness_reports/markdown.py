"""The report as Markdown: tables, no raw HTML, and nothing from data that could act."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import Any

from harness.text import markdown_block, markdown_safe, one_line
from harness_reports import figures
from harness_reports.figures import Document, interval, number, signed

PROMPT_LIMIT = 600


def page(document: Document, examples: int = 3) -> str:
    """The whole report."""
    parts = (
        _verdict(document),
        _rounds(document),
        _test(document),
        _control(document),
        _errors(document),
        _slices(document),
        _data(document),
        _training(document),
        _examples(document, examples),
        _notes(document),
    )
    return "\n\n".join(part for part in parts if part) + "\n"


def safe(value: Any, limit: int = 200) -> str:
    return markdown_safe(str(value), limit)


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]], right: Iterable[int]) -> str:
    """A table of cells that are safe already; ``right`` are the columns of numbers."""
    numeric = set(right)
    rule = ["---:" if place in numeric else "---" for place in range(len(headings))]
    lines = [headings, rule, *rows]
    return "\n".join("| " + " | ".join(cell or " " for cell in line) + " |" for line in lines)


def _verdict(document: Document) -> str:
    verdict, where = figures.headline(document)
    rows, groups = document["data"]["rows"].get("dev"), document["data"]["dev_groups"]
    size = f"{rows} dev rows" + (f" in {groups} groups" if groups else "") if rows else ""
    facts = [document["run"], document["model"], size, f"{document['primary']} decides"]
    line = " · ".join(safe(fact) for fact in facts if fact)
    mark = figures.MARKS.get(verdict["label"], "?")
    aim = document["objective"]
    objective = f"{safe(aim['sentence'], 600)}\n\n" if aim else ""
    return (
        f"# {mark} {safe(verdict['label'], 20)} ({where})\n\n"
        f"**{safe(verdict['sentence'], 600)}**\n\n{objective}{line}"
    )


def _scored(score: Document | None, digits: int) -> str:
    """``0.303 [0.281, 0.325]``."""
    if not score:
        return figures.DASH
    bounds = interval(score["low"], score["high"], digits)
    missing = f" ({score['unscored']} not scored)" if score["unscored"] else ""
    return f"{number(score['value'], digits)} {bounds}".rstrip() + missing


def _rounds(document: Document) -> str:
    primary = document["primary"]
    digits = figures.score_digits(document, primary)
    names = figures.score_names(document)
    verdicts = _table(
        ["round", "verdict", "training rows", safe(primary), "change", "bounds"],
        (
            [
                figures.round_name(entry, document),
                f"{figures.MARKS.get(entry['verdict']['label'], '?')} {entry['verdict']['label']}",
                str(entry["train_rows"]),
                _scored(entry["scores"].get(primary), digits),
                signed(entry["verdict"]["difference"], digits),
                interval(entry["verdict"]["low"], entry["verdict"]["high"], digits, plus=True),
            ]
            for entry in document["rounds"]
        ),
        right=(2, 3, 4),
    )
    shown = figures.shown_rounds(document, 6)
    others = _table(
        ["score", *(figures.round_name(entry, document) for entry in shown)],
        (
            [
                safe(name),
                *(
                    _scored(entry["scores"].get(name), figures.score_digits(document, name))
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
    parts = ["## Rounds", verdicts, remark, sentences]
    parts += ["### Other scores", others] if len(names) > 1 else []
    return "\n\n".join(part for part in parts if part)


def _test(document: Document) -> str:
    test = document.get("test")
    if not test:
        return ""
    table = _table(
        ["score", "baseline", f"round {document['kept_round']}"],
        (
            [
                safe(name),
                *(
                    _scored(test[side].get(name), figures.score_digits(document, name))
                    for side in ("baseline", "kept")
                ),
            ]
            for name in figures.score_names(document)
        ),
        right=(1, 2),
    )
    looks = f"{test['looks']} time{'s' if test['looks'] != 1 else ''}"
    return f"## Test set\n\nOpened {looks} so far, over all runs.\n\n{table}"


def _control(document: Document) -> str:
    control = document.get("control")
    if not control:
        return ""
    bounds = interval(control["low"], control["high"], plus=True)
    difference = f"Targeted minus random: {signed(control['difference'])} {bounds}".rstrip()
    sentence = safe(control["sentence"], 600)
    return f"## Targeted or random rows\n\n{difference}\n\n{sentence}"


def _errors(document: Document) -> str:
    kinds = figures.error_table(document)
    if not kinds:
        return ""
    shown = figures.shown_rounds(document, 6)
    table = _table(
        ["kind", *(figures.round_name(entry, document) for entry in shown)],
        ([safe(kind, 60), *(str(e["errors"].get(kind, 0)) for e in shown)] for kind in kinds),
        right=range(1, len(shown) + 1),
    )
    return f"## Errors on dev\n\n{table}"


def _slices(document: Document) -> str:
    number_, slices = figures.weak_slices(document, 8)
    if not slices:
        return ""
    digits = figures.score_digits(document, document["primary"])
    table = _table(
        ["slice", "rows", "gap", "95 % interval"],
        (
            [
                safe(found["slice"] + ("" if found.get("from_prompt", True) else " (reply)"), 120),
                number(found["n"], 0),
                number(found["gap"], digits),
                interval(found["low"], found["high"], digits),
            ]
            for found in slices
        ),
        right=(1, 2),
    )
    about = f"Round {number_}; the gap is how far {safe(document['primary'])} lies below all"
    return f"## Weak places\n\n{about} other rows.\n\n{table}"


def _data(document: Document) -> str:
    grown = [e for e in document["rounds"] if e["plan"] or e["added"] or e["refused"]]
    if not grown:
        return ""
    table = _table(
        ["after round", "planned", "added", "refused"],
        (
            [
                str(entry["round"]),
                safe(", ".join(figures.planned(entry["plan"])), 1_000),
                f"{entry['added']} {_bracketed(entry['added_by'])}".rstrip(),
                f"{sum(entry['refused'].values())} {_bracketed(entry['refused'])}".rstrip(),
            ]
            for entry in grown
        ),
        right=(),
    )
    return f"## Training data added\n\n{table}"


def _bracketed(counts: dict[str, int]) -> str:
    return f"({safe(figures.counted(counts), 400)})" if figures.counted(counts) else ""


def _training(document: Document) -> str:
    logged = [entry for entry in document["rounds"] if entry["log"]]
    if not logged:
        return ""
    rows = []
    for entry in logged:
        training, validation = figures.losses(entry)
        ends = [number(v[at], 2) if v else "" for v in (training, validation) for at in (0, -1)]
        curve = figures.sparkline(training, 24)
        rows.append([str(entry["round"]), *ends[:2], curve, *ends[2:]])
    headings = ["round", "first loss", "last loss", "", "first validation", "last validation"]
    return "## Training loss\n\n" + _table(headings, rows, right=(1, 2, 4, 5))


def _examples(document: Document, most: int) -> str:
    rows = document["examples"][:most]
    if not rows:
        return ""
    parts = ["## Among the worst answers", "Words in bold are not in the other text."]
    for row in rows:
        expected, given = figures.differences(row["reference"], row["answer"])
        kinds = "".join(f" · {safe(kind, 60)}" for kind in row["errors"][:3])
        parts.append(
            f"### {safe(row['id'], 80)} ({safe(document['primary'], 40)} "
            f"{number(row['score'], 2)}{kinds})"
        )
        parts.append(markdown_block(row["prompt"], PROMPT_LIMIT))
        parts.append(f"- expected: {_words(expected)}\n- answer: {_words(given)}")
    return "\n\n".join(parts)


def _words(words: figures.Words) -> str:
    """Words with the runs that differ in bold."""
    if not words:
        return "*(empty)*"
    runs = itertools.groupby(words, key=lambda word: word[1])
    safe_runs = ((differs, markdown_safe(" ".join(w for w, _ in run))) for differs, run in runs)
    return " ".join(f"**{run}**" if differs else run for differs, run in safe_runs)


def _notes(document: Document) -> str:
    parts = []
    if document["notes"]:
        notes = "\n".join(f"- {safe(note, 600)}" for note in document["notes"])
        parts.append(f"## Notes\n\n{notes}")
    if document["next_command"]:
        parts.append(f"Next:\n\n{markdown_block(one_line(document['next_command'], 2_000))}")
    return "\n\n".join(parts)
