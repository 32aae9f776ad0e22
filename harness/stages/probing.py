"""The stage that looks at what a training was not for: probe."""

from __future__ import annotations

from collections.abc import Iterable

from harness.records import Example
from harness.stages.base import Plugin


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

        Answers are short: a few words, a number.
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
