"""The stage that asks the base model in another way: baseline."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from harness.context import Context
from harness.records import Example
from harness.stages.base import Plugin


class Baseline(Plugin):
    """Changes prompts of the untuned base model: is training needed at all?

    Its answers to dev are what the best round has to beat. It is no round: it is not kept, and
    changes no verdict of one.
    """

    stage = "baseline"

    def prompts(
        self, rows: Sequence[Example], train: Sequence[Example], context: Context
    ) -> Iterable[Example]:
        """The rows with other turns before their own, one for each, in order.

        A row's own turns stay the last ones, its system turn excepted; of what is returned only
        ``messages`` count. Every row of ``rows`` and ``train`` has a ``group``: two rows with the
        same one belong together or come from one row, so that neither may be shown in the other's
        prompt.

        Args:
            rows: of dev, without references and meta.
            train: the rows of train, with both.

        Raises:
            harness.errors.ConfigError: these rows do not allow what the options ask for.
        """
        raise NotImplementedError

    def told(self, train: Sequence[Example]) -> str:
        """What it puts before the prompts, in a line for reports."""
        return (type(self).__doc__ or "").partition("\n")[0]
