"""The stage that looks at what a training was not for: probe."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from harness.boundary.results import refused, returned, short
from harness.errors import near
from harness.records import Example
from harness.stages.base import Conflict, Plugin
from harness.stages.generator import NO_LOSSES, measures_losses
from harness.stages.source import with_ids

MOST = 5_000
"""Texts, instructions or rows of one probe, beyond which it is taken for one that does not end."""


class Probe(Plugin):
    """Gives general texts and instructions, on which models are compared beside the task.

    What it shows is no result of the task: it decides no verdict, and keeps a round from becoming
    the best one only where a guard on ``forgetting`` asks for that.
    """

    stage = "probe"

    def texts(self) -> Iterable[str | tuple[str, str]]:
        """Texts of many subjects, each of a few sentences: the loss per token is measured on them.

        They are no prompts: a model reads them as they are, without a chat template.

        Returns:
            texts, or pairs of a text and the name of its group, such as its register or source.
            What happens to one text of a group happens to the others mostly, so that bounds are
            over whole groups. A text without a group stands for itself.
        """
        raise NotImplementedError

    def instructions(self) -> Iterable[Example]:
        """Instructions whose answers a simple rule can check. Optional.

        Answers are short: a few words, a number. Those with a ``group`` are counted and told under
        that name, such as *harmful requests refused*; those without are the general ones.
        """
        return ()

    def right(self, instruction: Example, answer: str) -> bool:
        """Whether an answer to one of the :meth:`instructions` is right."""
        raise NotImplementedError

    def rows(self) -> Iterable[Example]:
        """General rows with references, to be trained on beside those of the task. Optional.

        Used where the config says ``replay``. They have to have nothing in common with the texts
        and the instructions, which would measure what was learned by heart.
        """
        return ()


def texts_of(probe: Probe) -> list[tuple[str, str]]:
    """The texts of a probe, each with the name of its group; empty where it has none."""
    texts = returned(Probe.texts, probe.texts(), most=MOST)
    return [(text, "") if isinstance(text, str) else (text[0], text[1]) for text in texts]


def instructions_of(probe: Probe) -> list[Example]:
    """The instructions of a probe, each with an id of its own."""
    call = "instructions()"
    return list(with_ids(returned(Probe.instructions, probe.instructions(), most=MOST), call))


def is_right(probe: Probe, instruction: Example, answer: str) -> bool:
    """What a probe says of an answer."""
    return returned(Probe.right, probe.right(instruction, answer), of=instruction.id)


def rows_of(probe: Probe) -> list[Example]:
    """The general rows of a probe, each with an id of its own and with a reference."""
    rows = list(with_ids(returned(Probe.rows, probe.rows(), most=MOST), "rows()"))
    for row in rows:
        if not row.references:
            name = short(row.id)
            raise refused(f"rows(): '{name}' has no reference, so nothing can be learned")
    return rows


def exercise_probe(probe: Probe) -> list[tuple[str, str]]:
    """All that a probe is asked."""
    for instruction in instructions_of(probe):
        for answer in ("", "no idea"):
            is_right(probe, instruction, answer)
    rows_of(probe)
    return texts_of(probe)


def _kinds(entries: Sequence[Any]) -> list[str]:
    """The groups of instructions that probes count by themselves."""
    rows = (row for entry in entries for row in instructions_of(entry.instance))
    return sorted({row.group for row in rows if row.group})


def without_texts(settings: Any, entries: Mapping[str, Sequence[Any]]) -> Iterator[Conflict]:
    """Refuse what asks for general texts or rows where there are none, or no loss on them."""
    empty = settings.named("probes") == []
    if empty and settings.replay:
        yield ("replay",), "general rows come from probes, which is empty: name one there"
    for index, guard in enumerate(settings.guard):
        if not guard.beside_task:
            continue
        place = ("guard", index, "forgetting" if guard.answered is None else "answered")
        if guard.answered is not None and not empty:
            kinds = _kinds(entries.get("probes", ()))
            if guard.answered not in kinds:
                message = f"no probe counts instructions called '{guard.answered}' by themselves"
                yield place, f"{message}{near(guard.answered, kinds)}"
        if empty:
            yield place, "general texts come from probes, which is empty: name one there"
        for entry in entries.get("generate", ()):
            if not measures_losses(entry.instance):
                yield place, f"it cannot be judged: {NO_LOSSES.format(entry.plugin)}"
