"""The commented ``harness.yaml`` of a proposal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from harness.kit.text import one_line
from harness_rows.initial.scoring import Proposal
from harness_rows.initial.splits import Splits
from harness_rows.yaml_text import value

ROUNDS = 3
EPOCHS, MOST_EPOCHS = 2, 8
PASSED = 400
"""Rows that pass through training at least, up to :data:`MOST_EPOCHS` times each."""
COLUMN = 34
"""Where comments begin, if what is said before leaves room."""
WIDEST = 100
LONG = 2048
"""Tokens of a row from which fewer are trained at once."""
OF_AUTO = "near-duplicates stay on one side of the splits"
OF_DEV = "dev is the validation set of the data: it chooses the round to keep; test is opened last"
OF_INCOMPLETE = "rows without a prompt or an answer are left out"
OF_LABEL = "meta has the label itself: weak slices are looked for, and pool rows picked, by it"
OF_STRATIFY = "some labels are rare: every split gets its share of each"
COMMENTS = {"group": OF_AUTO, "incomplete": OF_INCOMPLETE, "stratify": OF_STRATIFY}
REPLAY = 0.2
"""Share of general rows among those that a training learns: that of the default run."""


@dataclass(frozen=True, slots=True)
class Draft:
    """All that stands in the file.

    Attributes:
        command: which wrote it.
        data: option of the source -> value, without ``sizes``.
        model: option -> value, ``source`` first.
        cut: whether the longest row does not fit the model.
        few_shot: whether examples of train have room before the longest row.
        label: column of the answer where that is a label, and so a feature.
        dev_given: whether the data say which rows are dev (or validation).
        preference: what pairs, or answers that are good or bad, are learned by; else empty.
        replays: whether general rows can be learned beside these.
        refuse: whether rows of train that nearly repeat held-out ones are to be left out.
    """

    command: str
    data: Mapping[str, object]
    model: Mapping[str, str]
    splits: Splits
    scoring: Proposal
    max_length: int
    max_new_tokens: int
    longest: str
    answers: str
    cut: bool
    few_shot: bool
    refuse: bool
    label: str = ""
    dev_given: bool = False
    preference: str = ""
    replays: bool = True


def config_text(draft: Draft) -> str:
    """The file, with a line feed at its end."""
    lines = [
        *_head(draft), "", *_data(draft), "", *_model(draft), *_train(draft), *_generate(draft),
        *_scores(draft), *_baselines(draft), *_augment(draft), *_replay(draft), *_filters(draft),
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _head(draft: Draft) -> Iterator[str]:
    yield f"# Written by: {one_line(draft.command, WIDEST)}"
    yield "# Check it: harness check. Run it: harness iterate. All keys: harness docs config"
    yield _line("rounds", ROUNDS)
    yield _line("seed", 7)


def _data(draft: Draft) -> Iterator[str]:
    yield "data:"
    yield _line("source", "rows", indent=2)
    for key, setting in draft.data.items():
        comment = OF_LABEL if key == "columns" and draft.label else COMMENTS.get(key, "")
        yield _line(key, setting, comment, indent=2)
    counts = ", ".join(f"{n:,} {split}" for split, n in draft.splits.rows.items())
    if draft.splits.sizes:
        yield _line("sizes", draft.splits.sizes, f"{counts}; whole groups", indent=2)
        if draft.splits.draw:
            reason = "by the default draw, dev or test cannot carry a verdict"
            yield _line("draw", draft.splits.draw, reason, indent=2)
    else:
        yield f"  # every row has its split: {counts}"
    if draft.dev_given:
        yield f"  # {OF_DEV}"
    for doubt in draft.splits.doubts:
        for line in textwrap.wrap(f"no verdict yet: {one_line(doubt, 300)}", WIDEST - 4):
            yield f"  # {line}"


def _filters(draft: Draft) -> Iterator[str]:
    if draft.refuse:
        what = "rows of train that nearly repeat dev or test are left out"
        yield _line("filters", {"source": "refuse"}, what)


def _model(draft: Draft) -> Iterator[str]:
    yield f"model: {value(draft.model)}"
    if draft.model["source"] == "pypi":
        yield "# larger: {source: hub, id: Qwen/Qwen2.5-0.5B-Instruct}; harness docs models"


def _train(draft: Draft) -> Iterator[str]:
    yield "train:"
    if draft.preference:
        what = "a list, [{plugin: lora}, {plugin: preference}], first learns the good answers"
        yield _line("plugin", "preference", what, indent=2)
        yield _line("loss", draft.preference, indent=2)
        yield _line("max_length", draft.max_length, draft.longest, indent=2)
        if draft.cut:
            what = "rows beyond the model's context lose their end"
            yield _line("on_truncated", "count", what, 2)
        return
    yield _line("plugin", "lora", indent=2)
    rows = draft.splits.rows["train"]
    epochs = min(max(EPOCHS, PASSED // rows), MOST_EPOCHS)
    yield _line("epochs", epochs, f"{rows:,} rows: more passes" if epochs > EPOCHS else "", 2)
    if draft.model["source"] == "pypi":
        yield _line("learning_rate", 0.001, "as in the shipped experiments with this model", 2)
    yield _line("max_length", draft.max_length, draft.longest, indent=2)
    if draft.cut:
        yield _line("on_truncated", "count", "rows beyond the model's context lose their end", 2)
    if draft.max_length >= LONG:
        yield _line("batch_size", 2, "rows are long: 8 at once, the default, need much memory", 2)
        yield _line("accumulation", 4, "so that a step still learns from 8", 2)
    else:
        yield "  # batch_size: 4                 # where memory is short, with accumulation: 2"
    yield "  # quantization: 4bit            # where a CUDA GPU is too small for the model"


def _generate(draft: Draft) -> Iterator[str]:
    yield "generate:"
    yield _line("plugin", "transformers", indent=2)
    yield _line("max_new_tokens", draft.max_new_tokens, draft.answers, indent=2)
    if draft.cut:
        yield _line("on_too_long", "count", "prompts without room for an answer count as wrong", 2)


def _scores(draft: Draft) -> Iterator[str]:
    yield f"metrics: [{', '.join(draft.scoring.metrics)}]"
    yield _line("primary", draft.scoring.primary, f"decides: {draft.scoring.reason}")
    for line in textwrap.wrap(draft.scoring.advice, WIDEST - 2):
        yield f"# {line}"


def _baselines(draft: Draft) -> Iterator[str]:
    yield "# Would a prompt do? One more answering of dev under each, and of test under the best:"
    if draft.few_shot:
        yield _line("baselines", ["prompted", "few-shot"])
        return
    why = "few-shot has no room: the rows are long for the model's context"
    yield _line("baselines", ["prompted"], why)


def _augment(draft: Draft) -> Iterator[str]:
    pool = draft.splits.rows.get("pool", 0)
    if not pool:
        yield _line(
            "augment", [{"plugin": "paraphrase", "rows": 10}], "no rows are left for a pool"
        )
        return
    rows = max(1, pool // ROUNDS)
    yield _line("augment", [{"plugin": "pool", "rows": rows}], "after each round, for what is weak")
    yield "# control: random beside rows: shows whether aiming helped, at twice the time"


def _replay(draft: Draft) -> Iterator[str]:
    if not draft.replays:
        return
    yield "# A fifth of what each training learns are general rows, so that the model forgets less:"
    yield _line("replay", REPLAY)


def _line(key: str, what: object, comment: str = "", indent: int = 0) -> str:
    """``key: value  # comment``; a comment that does not fit stands above."""
    start = " " * indent
    line = f"{start}{key}: {value(what)}"
    if not comment:
        return line
    comment = one_line(comment, 300)
    whole = f"{line:<{COLUMN - 2}}  # {comment}"
    return whole if len(whole) <= WIDEST else f"{start}# {comment}\n{line}"
