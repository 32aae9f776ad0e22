"""All hooks, in one place.

*Contribute* hooks are called once while the registry of a run is built, and return classes.
*Observe* hooks are told what happened; what they return is ignored, and one that raises is
logged with the plugin's name and costs a note, while the run goes on. Other hooks
*ask*: what they return is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pluggy

from harness.kit.blocks import Block
from harness.records import Checkpoint, Example, Prediction, RoundResult
from harness.records.summary import Summary
from harness.stages import KINDS, Plugin, StageKind

if TYPE_CHECKING:
    from harness.kit.html.page import Page

hookspec = pluggy.HookspecMarker("harness")
hookimpl = pluggy.HookimplMarker("harness")


class Hooks:
    """What a plugin module may define, decorated with ``@harness.hookimpl``.

    The contributing hooks, ``register_sources`` and so on, are those of the kinds of stages.
    """

    @hookspec
    def on_run_start(self, run: str, config: Mapping[str, Any]) -> None:
        """A run starts or goes on; ``config`` has every default filled in."""

    @hookspec
    def on_stage_end(
        self, run: str, stage: str, round: int, arm: str, seconds: float, cached: bool
    ) -> None:
        """A stage's output was published, or found in the store (``cached``)."""

    @hookspec
    def on_round_end(self, run: str, result: RoundResult) -> None:
        """A round was closed; nothing can change it any more."""

    @hookspec
    def on_run_end(self, run: str, summary: Summary) -> None:
        """The run is finished; ``summary`` is what summary.json holds."""

    @hookspec
    def commands_for_model(self, run: str, model: Checkpoint) -> Sequence[str]:
        """Commands that use the model of the run's best round, ready to be pasted.

        They stand in summary.json and in every report, beside the place where the model lies. For
        a package that has such a command; asked where the best round is a trained one.

        Args:
            model: what the training of that round left, with its ``kind`` and ``path``.
        """
        raise NotImplementedError

    @hookspec
    def withdraw(self, folder: Path, cancelled: Callable[[], bool]) -> None:
        """End the job that goes on in a folder without its run, and wait for its end.

        Asked where the folder has a ``submitted.json`` and the run goes on by another runner. For
        one package, ours.

        Args:
            folder: of the job, which still writes there.
            cancelled: whether the user has asked to stop meanwhile.
        """
        raise NotImplementedError

    @hookspec
    def before_run(self, planned: Any) -> Sequence[str]:
        """Lines that ``harness iterate`` shows first; a finished run asks for none.

        For a package that knows what the run will cost. What costs time is done by a command of
        its own: the run waits for this.

        Args:
            planned: a :class:`harness.PlannedRun`: what there is to do, and what of that is stored.
        """
        raise NotImplementedError

    @hookspec
    def notes_on_rows(self, texts: Sequence[str], rows: int) -> Sequence[str]:
        """What people should know of the rows of a config, asked by ``harness check`` alone.

        Sentences that hold nothing of the rows' texts.

        Args:
            texts: all that is said in a row, one text for each; of many rows, of 20,000 of them.
            rows: how many there are.
        """
        raise NotImplementedError

    @hookspec
    def masked(self, text: str) -> str:
        """A text of a row as ``harness check`` may show it: without personal data."""
        raise NotImplementedError

    @hookspec
    def all_runs(
        self, beside: Collection[str], sharing: Sequence[Collection[str]], last: int | None
    ) -> Mapping[str, Any]:
        """The runs of this folder side by side, a ``harness.runs/1`` document.

        For one package, ours.

        Args:
            beside: keys of a config by which no round of a run differs.
            sharing: names of runs that chose by the same rows of dev, of all that are there.
            last: at most that many runs, the latest; None: all.
        """
        raise NotImplementedError

    @hookspec
    def page_of_runs(self, document: Mapping[str, Any], link: Callable[[str], str] | None) -> Page:
        """A ``harness.runs/1`` document as a page.

        For one package, ours; :func:`harness.runs_page` asks it.

        Args:
            link: gives the address that a run's name leads to; None: its report's, where the
                document has one.
        """
        raise NotImplementedError

    @hookspec
    def explained_row(self, folder: Path, row: str, open_test: bool) -> Sequence[Block]:
        """All that is known of a row of a run, as ``harness why`` shows it.

        For one package, ours; :meth:`harness.RunView.explained` asks it.

        Args:
            folder: of the run's reports, in which its database lies.
            row: its id.
            open_test: the row may be one of test; a look at one is counted before it happens.

        Raises:
            UsageError: no row has that id; it is one of test, which is sealed.
        """
        raise NotImplementedError

    @hookspec
    def beside_run(self, run: str) -> AbstractContextManager[str]:
        """What people look at while a command carries a run out, from its beginning to its end.

        For one package, ours; ``harness iterate --view`` asks it. Entered, it gives a sentence that
        says where to look; what goes wrong beside the run costs that sentence alone.

        Args:
            run: its name; nothing of it may have been written yet.

        Raises:
            EnvironmentFailure: what it needs is not installed.
        """
        raise NotImplementedError

    @hookspec
    def joined_answers(
        self, systems: Sequence[Any], references: Any, fields: Collection[str]
    ) -> tuple[Sequence[Example], Sequence[Sequence[Prediction]]]:
        """Examples, and each system's answers in their order, out of files, lists or mappings.

        For one package, ours; ``harness.compare`` asks it.

        Args:
            systems, references: each the path of a file, texts, or texts by id.
            fields: of the references, which a metric reads as JSON text.
        """
        raise NotImplementedError


def _contributing(kind: StageKind) -> Callable[[Hooks], Sequence[type[Plugin]]]:
    def register(self: Hooks) -> Sequence[type[Plugin]]:
        raise NotImplementedError

    what = (kind.base.__doc__ or "").partition("\n")[0]
    register.__name__ = kind.hook
    register.__qualname__ = f"Hooks.{kind.hook}"  # pluggy tells a method by it and takes `self` off
    register.__doc__ = f"The module's :class:`harness.{kind.base.__name__}` classes. {what}"
    return register


for _kind in KINDS.values():
    setattr(Hooks, _kind.hook, hookspec(_contributing(_kind)))
