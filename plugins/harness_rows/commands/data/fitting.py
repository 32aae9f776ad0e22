"""Whether rows fit the model that is to be trained: what training and generation would refuse."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from harness.kit.text import one_line
from harness_rows.commands.data.checking import texts_of
from harness_rows.commands.data.findings import Finding, Level, counted, on_rows
from harness_rows.commands.data.lengths import Length, Lengths
from harness_rows.sampling import long_rows_said

HELD_OUT = ("dev", "test")


def findings(lengths: Lengths) -> Iterator[Finding]:
    """What the trainer and the generator of the config would say of the rows."""
    if lengths.why:
        what = f"lengths in tokens were not looked at: {one_line(lengths.why, 300)}"
        yield Finding("note", "no-tokens", what)
        return
    level: Level = "problem" if lengths.own else "note"
    yield from _long_rows(lengths)
    yield from _refused(lengths, level)
    yield from _left_out(lengths)
    if lengths.own:
        yield from _no_room(lengths, level)
        yield from _long_answers(lengths)
    yield from _ends(lengths)


def _long_rows(lengths: Lengths) -> Iterator[Finding]:
    if count := len(lengths.long):
        hint = "make several rows of each, or drop them"
        what = long_rows_said(count)
        yield on_rows("warning", "long-row", what, lengths.long, hint)


def _refused(lengths: Lengths, level: Level) -> Iterator[Finding]:
    """Rows that cannot be trained on; of held-out ones, those that cannot even be rendered."""
    refused = [
        length for length in lengths.rows if length.row.split not in HELD_OUT or not length.prompt
    ]
    for problem, rows in _by(refused, lambda length: length.problem):
        what = (
            f"training on {one_line(lengths.model, 80)} refuses {counted(len(rows))}"
            f"{_of(lengths)}: {one_line(problem, 200)}"
        )
        hint = "raise train.max_length, shorten these rows, or drop them" if rows[0].cut else ""
        yield on_rows(level, "refused", what, [length.row for length in rows], hint)


def _left_out(lengths: Lengths) -> Iterator[Finding]:
    """Parts of rows of which the chat template knows nothing, so that no model sees them."""
    for parts, rows in _by(lengths.rows, lambda length: length.left_out):
        what = (
            f"the chat template of {one_line(lengths.model, 80)} drops {parts} of "
            f"{counted(len(rows))}{_of(lengths)}"
        )
        hint = "take a model or `model.chat_template` that knows them"
        yield on_rows("note", "left-out", what, [length.row for length in rows], hint)


def _no_room(lengths: Lengths, level: Level) -> Iterator[Finding]:
    if lengths.context is None or lengths.room is None or lengths.too_long == "count":
        return
    most = lengths.context - lengths.room
    held_out = (length for length in lengths.rows if length.row.split in HELD_OUT)
    if long := [length.row for length in held_out if length.prompt > most]:
        what = (
            f"{counted(len(long), 'leaves', 'leave')} no room for max_new_tokens {lengths.room} "
            f"in the model's context of {lengths.context:,} tokens{_of(lengths)}"
        )
        hint = "lower generate.max_new_tokens, or shorten these prompts"
        yield on_rows(level, "no-room", what, long, hint)


def _long_answers(lengths: Lengths) -> Iterator[Finding]:
    if lengths.room is None:
        return
    held_out = (length for length in lengths.rows if length.row.split in HELD_OUT)
    if long := [length for length in held_out if length.answer > lengths.room]:
        longest = max(length.answer for length in long)
        what = (
            f"the reference of {counted(len(long))} of dev and test is longer than answers may "
            f"become (generate.max_new_tokens {lengths.room}; the longest has {longest:,} tokens)"
            f"{_of(lengths)}"
        )
        hint = "raise generate.max_new_tokens"
        yield on_rows("note", "long-answer", what, [length.row for length in long], hint)


def _ends(lengths: Lengths) -> Iterator[Finding]:
    """A text that holds the end of a turn ends it for the model, too."""
    rows = [length.row for length in lengths.rows]
    ends = Counter(length.end.strip() for length in lengths.rows if length.end.strip())
    end = ends.most_common(1)[0][0] if ends else ""
    if len(end) < 3 or end.isalnum():
        return
    if held := [row for row in rows if any(end in text for text in texts_of(row))]:
        what = (
            f"{counted(len(held), 'holds', 'hold')} the model's end of turn ({one_line(end, 40)})"
            f"{_of(lengths)}"
        )
        hint = "the model takes it for the end of what is said: take it out of the text"
        yield on_rows("note", "end-in-text", what, held, hint)


def _by(
    lengths: Iterable[Length], key: Callable[[Length], str]
) -> Iterable[tuple[str, list[Length]]]:
    """The lengths by what each says; without those that say nothing."""
    kinds: dict[str, list[Length]] = {}
    for length in lengths:
        kinds.setdefault(key(length), []).append(length)
    return [(kind, of_kind) for kind, of_kind in kinds.items() if kind]


def _of(lengths: Lengths) -> str:
    if len(lengths.rows) == lengths.of:
        return ""
    return f" (of {len(lengths.rows):,} that were measured, the longest of each split among them)"
