"""The commented ``harness.yaml`` of a draft: one template with slots."""

from __future__ import annotations

import string
import textwrap
from collections.abc import Callable, Mapping

from harness.kit.text import one_line
from harness_rows.initial.draft import Draft
from harness_rows.initial.lengths import Lengths
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
OF_DEV = "dev is the validation set of the data: it chooses the round to keep; test is opened last"
OF_LABEL = "meta has the label itself: weak slices are looked for, and pool rows picked, by it"
OF_PREFERENCE = "a list, [{plugin: lora}, {plugin: preference}], first learns the good answers"
NO_ROOM = "few-shot has no room: the rows are long for the model's context"
REPLAY = 0.2
"""Share of general rows among those that a training learns: that of the default run."""

TEMPLATE = """\
# Written by: {command}
# Check it: harness check. Run it: harness iterate. All keys: harness docs config
rounds: {rounds}
seed: 7

data:
  source: rows
  path: {path}
  encoding: {encoding}
  hub: {hub}
  config: {config}
  revision: {revision}
  format: {format}
  columns: {columns}  # {of_label}
  prompt: {prompt}
  system: {system}
  incomplete: {incomplete}  # rows without a prompt or an answer are left out
  group: {group}  # near-duplicates stay on one side of the splits
  stratify: {stratify}  # some labels are rare: every split gets its share of each
  sizes: {sizes}  # {counts}; whole groups
  draw: {draw}  # by the default draw, dev or test cannot carry a verdict
  # every row has its split: {given}
  # {of_dev}
  # {doubts}

model: {model}
# larger: {{source: hub, id: Qwen/Qwen2.5-0.5B-Instruct}}; harness docs models{if_small}
train:
  plugin: preference{if_pairs}  # {of_preference}
  loss: {loss}
  plugin: lora{if_lora}
  epochs: {epochs}  # {more_passes}: more passes
  learning_rate: {learning_rate}  # as in the shipped experiments with this model
  max_length: {max_length}  # {longest}
  on_truncated: count{if_cut}  # rows beyond the model's context lose their end
  batch_size: 2{if_long}  # rows are long: 8 at once, the default, need much memory
  accumulation: 4{if_long}  # so that a step still learns from 8
  # batch_size: 4                 # where memory is short, with accumulation: 2{if_brief}
  # quantization: 4bit            # where a CUDA GPU is too small for the model{if_lora}
generate:
  plugin: transformers
  max_new_tokens: {max_new_tokens}  # {longest_answer}
  on_too_long: count{if_cut}  # prompts without room for an answer count as wrong
metrics: {metrics}
primary: {primary}  # decides: {reason}
# {advice}
detect: {detect}
# Would a prompt do? One more answering of dev under each, and of test under the best:
baselines: {baselines}  # {no_room}
augment: [{{plugin: pool, rows: {pool}}}]{if_pool}  # after each round, for what is weak
augment: [{{plugin: paraphrase, rows: 10}}]{if_no_pool}  # no rows are left for a pool
# control: random beside rows: shows whether aiming helped, at twice the time{if_pool}
# A fifth of what each training learns are general rows, so that the model forgets less:{if_replay}
replay: {replay}
filters: {{source: refuse}}{if_refused}  # rows of train that nearly repeat dev or test are left out
"""
"""A line is left out where a slot before its comment is empty; so is a comment."""


def config_text(draft: Draft) -> str:
    """The file, with a line feed at its end."""
    slots = _slots(draft)
    lines: list[str] = []
    for line in TEMPLATE.splitlines():
        if line.lstrip().startswith("#"):
            lines += _filled(line, slots, str)
            continue
        setting, _, comment = line.partition("  # ")
        for whole in _filled(setting, slots, value):
            for words in _filled(comment, slots, str) if comment else []:
                words = one_line(words, 300)
                above = f"{line[: len(line) - len(line.lstrip())]}# {words}\n{whole}"
                beside = f"{whole:<{COLUMN - 2}}  # {words}"
                whole = beside if len(beside) <= WIDEST else above
            lines.append(whole)
    return "\n".join(lines) + "\n"


def _filled(text: str, slots: Mapping[str, object], show: Callable[[object], str]) -> list[str]:
    """The text with its slots filled; none where one of these is empty."""
    names = [name for _, name, _, _ in string.Formatter().parse(text) if name]
    if not all(slots.get(name) for name in names):
        return []
    return [text.format_map({n: "" if slots[n] is True else show(slots[n]) for n in names})]


def _slots(draft: Draft) -> dict[str, object]:
    """Slot -> what stands there; True for a condition of a line, which leaves no words."""
    chosen, scores, lengths = draft.splits, draft.scoring, draft.seen.lengths
    rows, pool = chosen.rows["train"], chosen.rows.get("pool", 0)
    epochs = min(max(EPOCHS, PASSED // rows), MOST_EPOCHS)
    lora, small = not draft.preference, draft.model["source"] == "pypi"
    replays = draft.preference != "dpo"  # general rows are no pairs
    length = lengths.max_length if replays else lengths.own_length
    counts = ", ".join(f"{n:,} {split}" for split, n in chosen.rows.items())
    doubts = [
        line
        for doubt in chosen.doubts
        for line in textwrap.wrap(f"no verdict yet: {one_line(doubt, 300)}", WIDEST - 4)
    ]
    return {
        **draft.data,
        "command": one_line(draft.command, WIDEST),
        "rounds": ROUNDS,
        "of_label": OF_LABEL if draft.label else "",
        "sizes": chosen.sizes,
        "counts": counts,
        "draw": chosen.draw if chosen.sizes else 0,
        "given": "" if chosen.sizes else counts,
        "of_dev": OF_DEV if draft.dev_given else "",
        "doubts": "\n  # ".join(doubts),
        "model": draft.model,
        "if_small": small,
        "if_lora": lora,
        "if_pairs": not lora,
        "of_preference": OF_PREFERENCE,
        "loss": draft.preference,
        "epochs": epochs if lora else 0,
        "more_passes": f"{rows:,} rows" if epochs > EPOCHS else "",
        "learning_rate": 0.001 if lora and small else 0,
        "max_length": length,
        "longest": _longest(lengths, replays),
        "if_cut": lengths.cut,
        "if_long": lora and length >= LONG,
        "if_brief": lora and length < LONG,
        "max_new_tokens": lengths.max_new_tokens,
        "longest_answer": _longest_answer(lengths),
        "metrics": scores.metrics,
        "primary": scores.primary,
        "reason": scores.reason,
        "detect": list(scores.detect),
        "advice": "\n# ".join(textwrap.wrap(scores.advice, WIDEST - 2)),
        "baselines": ["prompted", *(["few-shot"] if draft.few_shot else [])],
        "no_room": "" if draft.few_shot else NO_ROOM,
        "if_pool": pool > 0,
        "pool": max(1, pool // ROUNDS),
        "if_no_pool": not pool,
        "if_replay": replays,
        "replay": REPLAY if replays else 0,
        "if_refused": draft.seen.held_out and draft.seen.repeats.near > 0,
    }


def _longest(lengths: Lengths, replays: bool) -> str:
    estimate = "an estimate: " if lengths.unit == "words" else ""
    longest = f"{estimate}the longest row has {lengths.whole.longest:,} {lengths.unit}"
    if replays and lengths.max_length > lengths.own_length:
        longest += f", the longest general one (replay) {lengths.general:,}"
    return longest


def _longest_answer(lengths: Lengths) -> str:
    answer, unit = lengths.answer, lengths.unit
    words = f"the longest answer has {answer.longest:,} {unit}"
    if lengths.far:
        most = f"99 % of the answers have at most {answer.rare:,} {unit}"
        words = f"{most}, the longest {answer.longest:,}"
    return words if unit == "tokens" else f"an estimate: {words}"
