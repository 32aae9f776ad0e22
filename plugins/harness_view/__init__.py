"""The page of a folder of runs: ``harness view``, and ``harness iterate --view`` beside a run.

It rests on :func:`harness.open_run`, the records of documents, and the databases of runs. It shows,
and changes nothing.
"""

from __future__ import annotations

from contextlib import AbstractContextManager

import harness


@harness.hookimpl
def beside_run(run: str) -> AbstractContextManager[str]:
    from harness_view.beside import served_beside

    return served_beside(run)
