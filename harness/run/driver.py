"""The process that carries a run out, as the run sees it."""

from __future__ import annotations


class Driver:
    """Is told of each decision of the run. This one shares the run with nobody."""

    def check(self) -> None:
        """Before a round is closed: nobody else has gone on with the run.

        Raises:
            EnvironmentFailure: another process has.
        """

    def keep(self) -> None:
        """Have others find what is decided now.

        Raises:
            EnvironmentFailure: another process has gone on with the run.
            StoreError: the store that they share does not answer.
        """
