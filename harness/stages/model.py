"""The stage that gives the base model: model."""

from __future__ import annotations

from harness.boundary.results import refused, returned
from harness.errors import EnvironmentFailure
from harness.records import (
    Checkpoint,
)
from harness.records.context import Context
from harness.stages.base import Plugin


class Model(Plugin):
    """Gives the base model."""

    stage = "model"

    def fetch(self, context: Context) -> Checkpoint:
        """A checkpoint of kind ``base`` whose ``path`` stays where it is (a cache, a folder).

        A model without files, as one behind a service, names ``context.output``: nothing is read
        from there.

        Raises:
            harness.errors.EnvironmentFailure: it is not available here.
        """
        raise NotImplementedError

    def at_hand(self) -> bool:
        """Whether :meth:`fetch` needs neither the network nor much time. Loads nothing heavy."""
        return True


def fetched(model: Model, context: Context) -> Checkpoint:
    """The base model that a plugin gives."""
    return returned(Model.fetch, model.fetch(context))


def exercise_model(model: Model, context: Context) -> Checkpoint:
    """All that a model is asked, where it is at hand."""
    if not returned(Model.at_hand, model.at_hand()):
        raise EnvironmentFailure("fetch() needs the network, or much time")
    checkpoint = fetched(model, context)
    if checkpoint.kind != "base":
        raise refused(f"fetch() gives the kind '{checkpoint.kind}', where 'base' is due")
    return checkpoint
