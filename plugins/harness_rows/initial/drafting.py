"""From what is seen in rows to a config for them."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import harness
from harness import DataError, Example
from harness.kit.numbers import counted, percent
from harness.stats.assumed import Values, assumed_effect
from harness.stats.decision import POWER, usable
from harness_rows.formats import Unrecognised
from harness_rows.initial import guessing, overview, scoring, splits
from harness_rows.initial.config_text import ROUNDS
from harness_rows.initial.draft import Draft, Other
from harness_rows.initial.fields import BESIDE_TESTS
from harness_rows.initial.lengths import Lengths
from harness_rows.initial.overview import Begin, Overview
from harness_rows.initial.request import Request, model_of
from harness_rows.initial.splits import Splits
from harness_rows.options import RowsOptions
from harness_rows.proposals import Proposal
from harness_rows.reading import Reading, read
from harness_rows.splitting import dealt

PLAIN = 0.5
"""Share of rows of text alone from which they can be shown as examples before prompts."""
SHORT_CONTEXT = 2048
"""Tokens that a model is taken to have room for where its context is not known."""

SHARES = (0.5, 0.65)
"""Shares for train that are compared with the proposed one, where that is small."""
FEW_ROWS = 2_000
"""Rows up to which they are."""
HUNDREDS = ("chrf", "bleu", "ter")
"""Scores that go to 100."""


def drafted(
    request: Request, source: Mapping[str, Any], begin: Begin, home: Path | None = None
) -> Draft:
    """Read the rows, look at them, and propose a config.

    Args:
        source: options of the source ``rows``, the place of the rows included.
        home: where the rows will lie, if that is not where they are read.

    Raises:
        ConfigError: options are wrong.
        DataError: the rows cannot be used, or are too few.
        EnvironmentFailure: the hub cannot be reached.
    """
    model = model_of(request.model)
    options = {key: value for key, value in model.items() if key != "source"}
    base_model: Any = harness.make_plugin("model", model["source"], options)
    begin("reading")
    source, reading, followed = _recognised_rows(request, source)
    seen = overview.look(reading, base_model, begin)
    data = _data(seen, source)
    if not _same_columns(data, source):
        del reading  # two of many rows would need twice the memory
        begin("reading")
        reading = _read(data)
    report = begin("dealing out")
    chosen = _dealt_out(reading, data, report, request.train_share)
    if not chosen.sizes:
        data.pop("stratify", None)  # every row has its split, so nothing is dealt out
    if home is not None:
        data["path"] = str(home)
    scores = scoring.propose(seen.answers, seen.language, seen.tests)
    others: list[Other] = []
    rows = sum(chosen.rows.values())
    is_short = bool(chosen.sizes) and chosen.rows["train"] < rows / 2 and rows <= FEW_ROWS
    for share in SHARES if is_short and request.train_share is None else ():
        other = _dealt_out(reading, data, report, share)
        if other.rows["train"] > chosen.rows["train"]:
            gain = _gain(other.dev, scores.primary, scores.values)
            others.append(Other(share, other.rows, gain))
    return Draft(
        seen=seen,
        command=request.command,
        data=_relative(data, request.output),
        model=_relative(model, request.output),
        splits=chosen,
        scoring=scores,
        few_shot=_examples_fit(seen.lengths) and seen.plain > PLAIN * seen.rows,
        label=_label(seen),
        dev_given=any(row.split == "dev" for row in reading.rows),
        preference=_preference(reading),
        detects=_dev_shows(chosen.dev, scores),
        followed=followed,
        others=tuple(others),
    )


# -- the rows --------------------------------------------------------------------------------------


def _recognised_rows(
    request: Request, source: Mapping[str, Any]
) -> tuple[Mapping[str, Any], Reading, Proposal | None]:
    """The rows, the options by which they could be read, and the proposal if one was followed.

    Raises:
        DataError: what is wrong, with what to type for it.
    """
    columns: dict[str, Any]
    try:
        source, reading, followed = _as_proposed(source)
        guessing.doubted(reading, request)
        if "prompt" not in source and (template := guessing.with_options(reading)):
            columns = {
                "references": list(reading.columns["references"]), **source.get("columns", {}),
            }  # fmt: skip
            columns.pop("prompt", None)  # the template takes its place
            source = {**source, "columns": columns, "prompt": template}
            reading = _read(source)
        if choices := guessing.with_choices(reading):
            columns = {**source.get("columns", {}), "choices": choices}
            columns["references"] = list(reading.columns["references"])
            if "prompt" not in source:
                columns["prompt"] = reading.columns["prompt"][0]
            source = {**source, "columns": columns}
            reading = _read(source)
        reading.refuse()
    except DataError as error:
        refusal = guessing.in_commands(error, request)
        for name, value in guessing.option_in(error, request).items():
            # What else is wrong with the rows that this option reads, so that all is said at once.
            try:
                again = dataclasses.replace(request, **{name: value})
                _recognised_rows(again, {**source, **again.reads})
            except DataError as further:
                option = f"--{name.replace('_', '-')}"
                refusal = guessing.together(refusal, further, option)
        raise refusal from error
    return source, reading, followed


def _as_proposed(
    source: Mapping[str, Any],
) -> tuple[Mapping[str, Any], Reading, Proposal | None]:
    """The rows; where no format is recognised, by the columns that are sure to be meant."""
    try:
        return source, _read(source), None
    except Unrecognised as error:
        proposal, columns = error.proposal, source.get("columns", {})
        named = {*columns, *source}
        if not proposal.sure or named & {"messages", "references", "format"}:
            raise
    best = proposal.choices[0]
    columns = {**columns, "references": [best.answer]}
    if "prompt" not in named:
        columns["prompt"] = best.prompt
    source = {**source, "columns": columns}
    return source, _read(source), proposal


def _read(raw: Mapping[str, Any]) -> Reading:
    # Nothing is dealt out yet, and `stratify` is refused without `sizes`.
    return read(_options({key: value for key, value in raw.items() if key != "stratify"}))


def _options(raw: Mapping[str, Any]) -> RowsOptions:
    options: RowsOptions = harness.make_plugin("source", "rows", raw).options
    return options


def _dealt_out(
    reading: Reading, data: Mapping[str, Any], report: harness.Report, train: float | None
) -> Splits:
    """The splits.

    Args:
        train: the share that train is to get; None: one by which dev and test carry a verdict.
    """

    def deal(sizes: splits.Sizes, draw: int) -> Sequence[Example]:
        options = {key: value for key, value in data.items() if key != "stratify" or sizes}
        return dealt(reading, _options({**options, "sizes": dict(sizes), "draw": draw}))

    chosen = splits.propose(reading.rows, deal, train)
    report(1, 1, "")
    return chosen


# -- what the config says of them ------------------------------------------------------------------


def _preference(reading: Reading) -> str:
    """The loss by which preferences are learned; empty where there are none."""
    if "label" in reading.columns:
        return "kto"
    if "rejected" not in reading.columns:
        return ""
    # A row of rejected answers alone is no pair; kto learns from answers one by one.
    return "dpo" if all(row.references for row in reading.rows) else "kto"


def _dev_shows(groups: Sequence[str], scores: scoring.Proposal) -> str:
    """The minimum detectable effect and what it rests on, or why there is none."""
    gain = _gain(groups, scores.primary, scores.values)
    if usable(groups):
        return gain
    basis = f"{percent(POWER)} power, {counted(ROUNDS, 'round')} planned"
    return (
        f"{gain} in {scores.primary} ({basis}): the less if training changes few rows, the more "
        "if old and new scores are unrelated"
    )


def _gain(groups: Sequence[str], primary: str, values: Values) -> str:
    """The minimum detectable effect, or why there is none.

    Computed by :func:`harness.stats.assumed.assumed_effect`.

    Args:
        groups: that of each dev row.
        values: of the score.
    """
    if doubt := usable(groups):
        return f"nothing: {doubt}"
    least, most = assumed_effect(groups, ROUNDS, values)
    if values != "pass or fail":
        scale, places = (100, 1) if primary in HUNDREDS else (1, 2)
        ends, unit = [f"{end * scale:.{places}f}" for end in (least, most)], ""
    else:
        ends, unit = [f"{100 * end:.0f}" for end in (least, most)], " points"
    return f"a gain of {' to '.join(dict.fromkeys(ends))}{unit}"


def _examples_fit(lengths: Lengths) -> bool:
    """Whether as many of the longest rows as `few-shot` shows have room before another one."""
    few_shot: Any = harness.make_plugin("baseline", "few-shot", {})
    room = lengths.context or SHORT_CONTEXT
    return bool((1 + few_shot.options.k) * lengths.own_length <= room)


def _same_columns(data: Mapping[str, Any], source: Mapping[str, Any]) -> bool:
    """Whether the rows of the first reading have all that the second one would."""
    had: Mapping[str, Any] = source.get("columns", {})
    has: Mapping[str, Any] = data.get("columns", {})
    return not data.get("stratify") and has.get("group") == had.get("group")


def _data(seen: Overview, source: Mapping[str, Any]) -> dict[str, Any]:
    """Options of the source with all that was recognised."""
    data = dict(source)
    columns = _columns(seen, source)
    data["format"] = "columns" if "prompt" in columns else seen.reading.format
    if columns:
        data["columns"] = columns
    if seen.answers.skewed and _label(seen) in columns.get("meta", ()):
        data["stratify"] = _label(seen)
    alone = seen.groups is None and "group" not in columns and not seen.held_out
    if alone and seen.repeats.near and seen.repeats.separable:
        data["group"] = "auto"
    return data


def _columns(seen: Overview, source: Mapping[str, Any]) -> dict[str, Any]:
    """Role -> column, for what the format alone does not say."""
    played = {role: list(names) for role, names in seen.reading.columns.items()}
    columns: dict[str, Any] = {}
    prompts = played.get("prompt", [])
    if "messages" in played:
        columns["messages"] = played["messages"][0]
    elif len(prompts) == 1 and "prompt" not in source and seen.reading.format != "alpaca":
        columns["prompt"] = prompts[0]
    if "references" in played:
        columns["references"] = played["references"]
    single = (
        "completion", "rejected", "label", "choices", "good", "system", "id", "group", "split",
    )  # fmt: skip
    columns |= {role: played[role][0] for role in single if role in played}
    if seen.fields.group and "group" not in columns:
        columns["group"] = seen.fields.group
    meta = [*played.get("meta", []), *seen.fields.facts]
    if seen.tests in seen.reading.unused:
        beside = [name for name in BESIDE_TESTS if name in seen.reading.unused]
        meta += [name for name in (seen.tests, *beside) if name not in meta]
    if (label := _label(seen)) and label not in meta:
        meta.insert(0, label)
    return {**columns, "meta": meta} if meta else columns


def _label(seen: Overview) -> str:
    """The column of labels; empty where answers are none, and where it holds lists."""
    names = seen.reading.columns.get("references", ())
    plain = seen.answers.kind == "labels" and len(names) == 1 and not seen.listed
    plain = plain and "choices" not in seen.reading.columns  # a letter says nothing of the row
    return names[0] if plain else ""


def _relative(options: Mapping[str, Any], output: Path) -> dict[str, Any]:
    """Paths as the config has to name them: from the folder in which it lies."""
    if "path" not in options:
        return dict(options)
    path = Path(os.path.relpath(Path(options["path"]).resolve(), output.resolve().parent))
    return {**options, "path": path.as_posix()}
