"""What ``harness init`` prints: what it saw, what it wrote, what to type next."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console

from harness.kit.blocks import Column, Table, table
from harness.kit.numbers import percent
from harness.kit.terminal import tables
from harness.kit.terminal.blocks import draw_rows
from harness.kit.text import one_line
from harness.stats.decision import MIN_GROUPS
from harness_rows.cleaning.private.counting import masked
from harness_rows.formats import READ_AS
from harness_rows.initial.answers import Answers
from harness_rows.initial.config_text import OF_DEV
from harness_rows.initial.draft import Draft
from harness_rows.initial.overview import Overview
from harness_rows.initial.recipes import RECIPES
from harness_rows.initial.repeats import Repeats
from harness_rows.initial.request import CONFIG
from harness_rows.initial.splits import ENOUGH
from harness_rows.sampling import Spread, long_rows_said
from harness_rows.yaml_text import value

MOST = 4
"""Languages that are named."""
LABEL = 24
"""Characters of a label."""


def show(draft: Draft, output: Path, rows: Path | None, console: Console) -> None:
    """All of it, in one screen.

    Args:
        rows: the file that was written beside the config, if one was.
    """
    seen = draft.seen
    where = str(rows) if rows else seen.reading.where
    tables.note(console, f"{where}: {seen.rows:,} rows", "bold")
    _show_pairs(list(_seen(draft)), console)
    names = " and ".join(str(path) for path in (rows, output) if path)
    tables.head(console, f"{names} {'are' if rows else 'is'} written")
    _show_pairs(list(_written(draft)), console)
    console.print()
    config = [] if output == CONFIG else ["-c", str(output)]
    for command in ("check", "iterate"):
        tables.next_command(console, shlex.join(["harness", command, *config]))


def show_recipes(console: Console) -> None:
    """The recipes, a line each."""
    titles = ("recipe", "what the model learns; how its rows are written")
    draw_rows(table(titles, ((recipe.name, recipe.line) for recipe in RECIPES)), console)
    console.print()
    tables.next_command(console, f"harness init --recipe {RECIPES[0].name}")


def _show_pairs(lines: list[tuple[str, str]], console: Console) -> None:
    draw_rows(Table((Column("", "word"), Column("")), tuple(lines), "what is known"), console, 2)


def _seen(draft: Draft) -> Iterator[tuple[str, str]]:
    seen = draft.seen
    sentences = seen.reading.said
    if draft.followed:
        roles = ", ".join(f"{role} from {names[0]}" for role, names in seen.reading.columns.items())
        by = "by the names of the columns and what stands in them"
        if not draft.followed.named:
            by = "as the names of the columns say nothing"
        sentences = tuple(sentence for sentence in sentences if not sentence.startswith(READ_AS))
        sentences = (f"guessed, {by}: {roles}", *sentences)
    yield "format", "; ".join(sentences)
    if seen.reading.unused:
        used = {*seen.fields.facts, seen.fields.group}
        unread = [name for name in seen.reading.unused if name not in used]
        if unread:
            yield "not used", ", ".join(unread)
    if draft.followed and (titles := draft.followed.titles):
        prompt = seen.reading.columns["prompt"][0]
        more = shlex.join(["--prompt", f"{{{titles[0]}}}\\n\\n{{{prompt}}}"])
        if more.count("{") == more.count("}") == 2:  # else a name has braces of its own
            yield "note", f"{titles[0]} may be read before {prompt}: {more}"
    if seen.languages:
        shares = [f"{code} {percent(share)}" for code, share in seen.languages.items()]
        yield "languages", f"{', '.join(shares[:MOST])} (of {seen.judged} texts looked at)"
    yield from _lengths(seen)
    yield "answers are", _answers(seen.answers)
    if draft.label:
        what = "weak slices of dev are looked for by the right answer, and pool rows picked by it"
        yield "a feature", f"{draft.label}: {what} (the model does not see it)"
    yield "groups", _groups(draft)
    yield "duplicates", _repeats(seen.repeats)
    if seen.private:
        yield "personal data", seen.private


def _lengths(seen: Overview) -> Iterator[tuple[str, str]]:
    lengths = seen.lengths
    some = f" (of {lengths.rows:,} rows, and the longest)" if lengths.rows < seen.rows else ""
    yield "prompts", _spread(lengths.prompt, lengths.unit) + some
    answers = _spread(lengths.answer, lengths.unit) + some
    yield "answers", answers + (f"; {lengths.why}" if lengths.why else "")
    if lengths.shortened:
        yield "note", long_rows_said(lengths.shortened)


def _spread(of: Spread, unit: str) -> str:
    return f"{unit}: {of.median:,} in the median, {of.most:,} in 95 %, {of.longest:,} at most"


def _answers(answers: Answers) -> str:
    if answers.kind != "labels":
        names = {"short": "short texts", "long": "long texts", "calls": "calls of tools"}
        return names.get(answers.kind, answers.kind)
    often, rare = answers.labels[0], answers.labels[-1]
    return (
        f"{len(answers.labels)} labels; the most frequent, {_quoted(often[0])}, has {often[1]:,} "
        f"rows, the rarest, {_quoted(rare[0])}, {rare[1]:,}"
    )


def _quoted(label: str) -> str:
    return f"'{one_line(masked(label), LABEL)}'"


def _groups(draft: Draft) -> str:
    seen = draft.seen
    if seen.groups is not None:
        count, largest = seen.groups
        return f"{count:,}; the largest has {largest:,} rows"
    if seen.fields.group:
        return f"by the column {seen.fields.group}"
    sentence = "none named: each row counts as its own"
    if draft.data.get("group") == "auto":
        count = draft.splits.groups
        sentence = (
            f"none named; near-duplicates are grouped: {count:,} groups of {seen.rows:,} rows"
        )
    if likely := seen.fields.likely:
        option = shlex.join(["--column", f"group={likely}"])
        sentence += f"; if {likely} says where rows come from: {option}"
    if torn := seen.fields.torn:
        sentence += f"; {torn} has too few values to be dealt out whole, so each is in all splits"
    return sentence


def _repeats(repeats: Repeats) -> str:
    if not repeats.equal and not repeats.near:
        return "none"
    parts = []
    if repeats.equal:
        parts.append(_counted(repeats.equal, "row repeats", "rows repeat") + " an earlier prompt")
    if repeats.near:
        near = _counted(repeats.near, "prompt is nearly another", "prompts are nearly another")
        parts.append(f"{near}, of {repeats.looked:,} looked at")
    if repeats.conflicts:
        parts.append(
            _counted(repeats.conflicts, "prompt has", "prompts have") + " different answers"
        )
    if repeats.near and not repeats.separable:
        parts.append(
            "grouping near-duplicates would leave too few groups: some will be in train and in dev"
        )
    return "; ".join(parts)


def _counted(count: int, singular: str, plural: str) -> str:
    return f"{count:,} {singular if count == 1 else plural}"


def _written(draft: Draft) -> Iterator[tuple[str, str]]:
    chosen = draft.splits
    yield "rows", ", ".join(f"{count:,} {split}" for split, count in chosen.rows.items())
    if draft.others:
        yield "why this split", _why(draft)
    for other in draft.others:
        counts = ", ".join(f"{count:,} {split}" for split, count in other.rows.items())
        share = f"--train-share {value(other.share)}"
        yield "alternative", f"{share}: {counts}; dev can detect {other.shows}"
    if draft.dev_given:
        yield "note", OF_DEV
    yield "primary", f"{draft.scoring.primary}: {draft.scoring.reason}"
    if draft.scoring.advice:
        yield "note", draft.scoring.advice
    yield "dev can detect", draft.detects
    for doubt in chosen.doubts:
        if doubt.startswith("test"):
            yield "test can detect", f"nothing: {doubt.removeprefix('test: ')}"
    if chosen.doubts and not draft.seen.held_out:
        yield "note", f"{ENOUGH} groups give train, dev and test {MIN_GROUPS} each; more find more"
    if draft.seen.lengths.cut:
        yield "note", "the longest row does not fit the model: its end is cut off in training"
    languages = draft.seen.languages
    if languages and "en" not in languages and draft.model["source"] == "pypi":
        yield "note", "smollm2-135m-instruct was trained on English: take another --model"


def _why(draft: Draft) -> str:
    """Why train has less than half of the rows."""
    rows, groups = draft.splits.rows, len(set(draft.splits.dev))
    share = percent(rows["train"] / sum(rows.values()))
    whole = f", whole: the {rows['dev']:,} dev rows form {groups:,} groups"
    return (
        f"train has {share} of the rows: dev and test get a fifth of the groups each, {MIN_GROUPS} "
        f"at least, as a verdict needs so many{whole if groups < rows['dev'] else ''}"
    )
