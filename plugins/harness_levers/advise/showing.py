"""The advice as blocks, for reports and for the command alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.kit.blocks import Block, Bullets, Code, Heading, Note, Paragraph
from harness.kit.numbers import duration, signed
from harness.kit.text import one_line
from harness_levers.advise.options import Option

TEXT = 600
COMMAND = 2_000
TITLE = "What to do next"


def with_commands(options: Sequence[Option]) -> Iterator[Block]:
    """The levers in their order, then the commands: of the first one, and of what is not known."""
    yield from _levers(options, "")
    promising = [option for option in options if option.state in ("shown", "likely")]
    if promising and promising[0].command:
        yield Code(one_line(promising[0].command, COMMAND), lead="First:")
    unknown = [one_line(option.command, COMMAND) for option in options if option.state == "open"]
    if any(unknown):
        yield Code("\n".join(filter(None, unknown)), lead="What is not known yet, these find out:")


def blocks(options: Sequence[Option]) -> Iterator[Block]:
    """The levers in their order, for a report: the command has the commands."""
    yield from _levers(options, "harness advise has the commands that find out")


def _levers(options: Sequence[Option], where_commands_are: str) -> Iterator[Block]:
    if not options:
        return
    yield Heading(TITLE, "levers by expected gain for their cost")
    promising = [option for option in options if option.state in ("shown", "likely")]
    if promising:
        yield Bullets(tuple(map(_told, promising)), numbered=True)
    else:
        yield Paragraph("Nothing that was measured shows a gain, or makes one likely.")
    unknown = [option for option in options if option.state == "open"]
    if unknown:
        yield Heading("Not known yet", where_commands_are, level=3)
        yield Bullets(tuple(map(_told, unknown)))
    excluded = [option for option in options if option.state == "excluded"]
    if excluded:
        yield Heading("Not worth it", level=3)
        yield Bullets(tuple(map(_told, excluded)))
    yield Note(
        "Gains are estimates on dev, and no results on test. A row that is written "
        "counts one minute of a person, one that is read half a minute. Only what was measured is "
        "called not worth it, and only if a gain as large as the config's worth is excluded."
    )


def _told(option: Option) -> Paragraph:
    """``settings: take over the arm …  +0.120 (0.080 to 0.160), 14 s``."""
    evidence = "; ".join(one_line(line, TEXT).rstrip(".") for line in option.evidence)
    return Paragraph(
        f"{one_line(option.action, TEXT)}{_figures(option)}.", lead=f"{option.lever}:",
        detail=f"{evidence}." if evidence else "",
    )  # fmt: skip


def _figures(option: Option) -> str:
    parts = []
    if option.gain is not None and (option.gain or option.state == "open"):
        parts.append(_gain(option, option.gain))
    if option.written:
        parts.append(f"{option.written:,} rows to write")
    if option.read:
        parts.append(f"about {option.read:,} rows to read")
    if option.seconds >= 1:
        parts.append(duration(option.seconds))
    return f": {', '.join(parts)}" if parts else ""


def _gain(option: Option, gain: float) -> str:
    """An estimate with its bounds; of what signs alone speak for, no more than so much."""
    if option.low is not None and option.high is not None:
        return f"{signed(gain, 3)} ({signed(option.low, 3)} to {signed(option.high, 3)})"
    return f"up to about {signed(gain, 3)}" if option.state == "likely" else signed(gain, 3)
