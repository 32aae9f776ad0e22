"""What all plugins share: options, a revision, what their results depend on."""

from __future__ import annotations

import functools
import typing
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from harness.boundary.results import checked
from harness.kit.options import Options
from harness.kit.yaml_file import Place
from harness.records import Checkpoint, Example, Problem, Requests

Conflict = tuple[Place, str]
"""Place in a config, and why it cannot be asked for beside the rest."""


class Plugin:
    """What all stages share.

    Attributes:
        name: what the config calls it (lower case, dashes); unique within its stage.
        revision: raise it by hand whenever the same options give other results.
        libraries: the distributions whose versions make its results, as ``("sacrebleu",)``: a
            result made under another version is not the same. None stands for the distribution
            that the plugin comes from; name it too where it counts beside others.
        known_as: what others call such a plugin; a config that does so is told the name.
        synonyms: what others call an option -> its name here, told likewise.
        reported: the options that readers of a result ask for, so that reports name them even
            where the config leaves them at their default (``epochs``).
        runs_code: options by which it runs code that comes with what they name, as
            ``("trust_remote_code",)``. Whoever looks at a stored run that sets one has it refused,
            unless the project's own config has a plugin whose options are all the same.
        commands: options that are commands. What is published shows their first word alone: others
            may hold secrets.
        unkeyed: options that are no part of a stage's key -> why: they change no result, or only by
            what :meth:`environment` says of them (how many processes share the work).
    """

    stage: ClassVar[str] = ""
    name: ClassVar[str] = ""
    revision: ClassVar[int] = 1
    libraries: ClassVar[Sequence[str] | None] = None
    known_as: ClassVar[Sequence[str]] = ()
    synonyms: ClassVar[Mapping[str, str]] = {}
    reported: ClassVar[Sequence[str]] = ()
    runs_code: ClassVar[Sequence[str]] = ()
    commands: ClassVar[Sequence[str]] = ()
    unkeyed: ClassVar[Mapping[str, str]] = {}

    class Options(Options):
        pass

    options: Any

    def __init__(self, options: Any = None) -> None:
        self.options = self.Options() if options is None else options

    def inputs(self) -> Sequence[Path]:
        """Files that the results depend on; their content becomes part of the stage's key.

        What options of the type :class:`pathlib.Path` name counts by content all the same; a
        place to write to is a ``str``.
        """
        return ()

    def environment(self) -> Mapping[str, str]:
        """What of this machine makes the results of a trainer or generator.

        As ``{"device": "cuda 9.0", "dtype": "bfloat16"}``. It may import what the work imports:
        it is asked in a process of its own, and only before something is made.
        """
        return {}

    def preload(self, checkpoint: Checkpoint | None) -> None:
        """Load what the jobs of a run share: libraries, weights. Optional, and only for speed.

        Called in the run's worker when the run begins and before each job of this plugin, which
        then works in a fork of the worker and finds in memory what is loaded by then. So it loads
        what is not there yet,
        and leaves everything that results depend on (random generators, settings of libraries)
        as it was. It must not use a device that does not survive a fork (CUDA), nor leave a
        thread or a connection open. What it raises is logged, and the job does without.

        Args:
            checkpoint: what the job begins with; None where that is not known yet.
        """

    def growing(self) -> Sequence[Path]:
        """The same for files that people add to while the run goes on, such as ratings.

        They are part of a stage's key, and not of the run's: the run stays the same one.
        """
        return ()

    def check(self, settings: Mapping[str, Any]) -> Iterable[Problem]:
        """What can be known before anything heavy is loaded: asked by ``harness check``.

        ``harness iterate`` asks too, before it begins. Take a second at most, import nothing
        heavy, change nothing. What cannot be known here is ``unknown``, never left out. Whatever
        it raises is told, and stops nothing.

        Args:
            settings: the whole config with every default, as ``harness config show`` prints it
                (paths are whole). An entry that cannot be read is not in it.
        """
        return ()

    def requests(self, rows: Sequence[Example], count: int) -> Requests | None:
        """What it asks of a server at a time: said before anything is sent. Optional.

        Args:
            rows: that are answered, or whose answers are scored; of an augmenter, train.
            count: how many these are; of an augmenter, how many it is to add.
        """
        return None


def check_attributes(plugin: Plugin | type[Plugin]) -> None:
    """What a plugin says of itself, held against the annotations of its contract.

    Of a class, what is a property is left to its instances.

    Raises:
        PluginError: an attribute is of another type; names the plugin, and what is due.
    """
    kind = plugin if isinstance(plugin, type) else type(plugin)
    contract = next(base for base in kind.__mro__ if base.__module__.startswith(_ROOM))
    for name, due in _attributes(contract).items():
        value = getattr(plugin, name, _UNSET)
        if value is _UNSET or isinstance(value, (property, functools.cached_property)):
            continue
        if value is not getattr(contract, name, _UNSET):  # of eighty plugins, most say little
            checked(due, value, f"`{name}` of the {kind.stage} '{kind.name}'")


_ROOM = "harness.stages"
_UNSET = object()


@functools.cache
def _attributes(contract: type[Plugin]) -> dict[str, Any]:
    """Name of each attribute of the class, or that has a default there -> its type."""
    types = {}
    for name, hint in typing.get_type_hints(contract, include_extras=True).items():
        if typing.get_origin(hint) is ClassVar:
            types[name] = typing.get_args(hint)[0]
        elif hasattr(contract, name):
            types[name] = hint
    return types


def signature_of(plugin: Plugin) -> str:
    """Name, revision and options in one line: ``bleu|rev:1|smooth:exp``."""
    options = plugin.options.model_dump(mode="json")
    settings = "|".join(f"{key}:{value}" for key, value in sorted(options.items()))
    return f"{plugin.name}|rev:{plugin.revision}" + (f"|{settings}" if settings else "")
