"""The plugins of one run: found, imported with care, checked, and looked up by name.

Built when a run starts, never at import. A plugin that cannot be used is remembered with the
reason, so that whoever asks for its name is told.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.metadata
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import pluggy

from harness.boundary.calls import plainly
from harness.boundary.lending import copied
from harness.errors import STOPPING, ConfigError, HarnessError, PluginError, near, reason
from harness.errors.machine import raise_trouble
from harness.hookspecs import Hooks
from harness.kit import gate
from harness.kit.text import given, one_line
from harness.stages import KINDS, Plugin, StageKind
from harness.stages.base import check_attributes

GROUP = "harness"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Provider:
    """A plugin class and where it comes from (``distribution version`` or a file).

    Attributes:
        distribution: its name; empty for one-file plugins.
    """

    plugin: type[Plugin]
    origin: str
    distribution: str = ""


class NameTaken(PluginError):
    """Two plugins claim one name: which of them is meant cannot be known."""


class Registry:
    """Plugin classes by stage and name.

    Attributes:
        failed: origin -> why it could not be loaded.
        hooks: pluggy's hook relay, for the observing hooks.
    """

    def __init__(self) -> None:
        self.failed: dict[str, str] = {}
        self.refused: dict[tuple[str, str], PluginError] = {}
        self._providers: dict[tuple[str, str], Provider] = {}
        self._manager = pluggy.PluginManager(GROUP)
        self._manager.add_hookspecs(Hooks)
        self._told: set[str] = set()

    @classmethod
    def build(cls, files: Sequence[Path] = ()) -> Registry:
        """All installed plugins (entry points in group ``harness``), then one-file plugins.

        Raises:
            PluginError: a file of ``files`` cannot be used, or two plugins claim one name.
        """
        registry = cls()
        for point in sorted(importlib.metadata.entry_points(group=GROUP), key=lambda p: p.name):
            distribution, version = _named(point.dist) if point.dist else ("", "")
            origin = f"{point.value} ({f'{distribution} {version}'.strip() or point.value})"
            try:
                registry.add(_loaded(point, origin), origin, distribution)
            except NameTaken:
                raise
            except PluginError as error:
                registry.failed[origin] = error.what
        for path in files:
            registry.add(import_file(path), str(path))
        return registry

    @classmethod
    def of_file(cls, path: Path) -> Registry:
        """The plugins of one file alone.

        Raises:
            PluginError: it cannot be used, or registers no plugin.
        """
        registry = cls()
        registry.add(import_file(path), str(path))
        if not registry._providers:
            hooks = ", ".join(kind.hook for kind in KINDS.values())
            raise PluginError(
                "this file registers no plugin",
                where=str(path),
                hint=f"add a function with @harness.hookimpl that returns classes: {hooks}",
            )
        return registry

    def add(self, module: ModuleType | Any, origin: str, distribution: str = "") -> None:
        """Register one plugin module (or object with hook implementations).

        Raises:
            PluginError: a hook is misspelt or returns something else.
            NameTaken: another plugin has the name.
        """
        _check_hooks(module, origin)
        self._manager.register(module, name=origin)
        try:
            self._manager.check_pending()
        except pluggy.PluginValidationError as error:
            self._manager.unregister(module)
            raise PluginError(str(error), where=origin) from None
        for kind in KINDS.values():
            hook = getattr(module, kind.hook, None)
            if hook is None:
                continue
            with _loading(origin, f"{kind.hook} failed: "):
                classes = list(hook())
            for plugin in classes:
                self._provide(kind, plugin, origin, distribution)

    def _provide(self, kind: StageKind, plugin: Any, origin: str, distribution: str) -> None:
        stage, base = kind.stage, kind.base
        if not (isinstance(plugin, type) and issubclass(plugin, base)):
            raise PluginError(
                f"{kind.hook} returned {given(plugin)}, which is no harness.{base.__name__}",
                where=origin,
            )
        if not isinstance(plugin.name, str) or not plugin.name:
            raise PluginError(f"{plugin.__name__} has no name", where=origin)
        try:
            with plainly(origin):
                check_attributes(plugin)
        except PluginError as error:
            self.refused[stage, plugin.name] = error
            raise
        taken = self._providers.get((stage, plugin.name))
        if taken is not None:
            raise NameTaken(
                f"the {stage} '{plugin.name}' is claimed by both {taken.origin} and {origin}",
                hint="uninstall one of them, or rename one",
            )
        self._providers[stage, plugin.name] = Provider(plugin, origin, distribution)

    def names(self, stage: str) -> list[str]:
        """What is installed for a stage."""
        return list(self.of_stage(stage))

    def of_stage(self, stage: str) -> dict[str, Provider]:
        """Name -> provider of all that is installed for a stage, by name."""
        return {name: p for (of, name), p in sorted(self._providers.items()) if of == stage}

    def providers(self) -> list[tuple[str, str, Provider]]:
        """Stage, name and provider of everything, sorted."""
        return [(stage, name, p) for (stage, name), p in sorted(self._providers.items())]

    def get(self, stage: str, name: str) -> Provider:
        """The plugin of that name.

        Raises:
            ConfigError: none has it; says what is installed and what failed to load.
            PluginError: the one that has it says something wrong of itself.
        """
        provider = self._providers.get((stage, name))
        if provider is not None:
            return provider
        if error := self.refused.get((stage, name)):
            raise error
        known = self.names(stage)
        details = [f"installed: {', '.join(known) or 'none'}"]
        details += [f"failed to load: {origin}: {why}" for origin, why in self.failed.items()]
        meant = near(name, known, self._synonyms(stage))
        raise ConfigError(f"no {stage} is called '{name}'{meant}", details=details)

    def _synonyms(self, stage: str) -> dict[str, str]:
        """What others call the plugins of a stage -> the plugin's name."""
        return {
            word.casefold(): name
            for name, provider in self.of_stage(stage).items()
            for word in provider.plugin.known_as
        }

    def observe(self, log: Any, hook: str, **arguments: Any) -> list[str]:
        """Tell all observers; one that fails is logged and the rest is told all the same.

        Returns:
            A sentence for each that failed, unless it was said before.
        """
        _, failures = self._called(log, hook, lambda result: None, arguments)
        new = [sentence for sentence in failures if sentence not in self._told]
        self._told.update(new)
        return new

    def asked(self, log: Any, hook: str, checked: Callable[[Any], T], **arguments: Any) -> list[T]:
        """What the implementations of a hook return, the latest registered first.

        One that fails, or whose result ``checked`` refuses, is logged and left out.
        """
        # Pluggy lists implementations as they were registered, and would call the latest first.
        return self._called(log, hook, checked, arguments)[0][::-1]

    def only(self, hook: str, **arguments: Any) -> Any:
        """What the one package that has this hook returns.

        Raises:
            PluginError: none has it, several have, or it fails.
        """
        implementations = getattr(self._manager.hook, hook).get_hookimpls()
        names = [implementation.plugin_name for implementation in implementations]
        if len(names) != 1:
            raise PluginError(
                f"one package has to have the hook {hook}(); these have it: "
                f"{', '.join(names) or 'none'}",
                details=[f"failed to load: {origin}: {why}" for origin, why in self.failed.items()],
            )
        [implementation] = implementations
        wanted = {name: arguments[name] for name in implementation.argnames}
        with plainly(f"{hook}() of {names[0]}"):
            return implementation.function(**wanted)

    def _called(
        self, log: Any, hook: str, checked: Callable[[Any], T], arguments: Mapping[str, Any]
    ) -> tuple[list[T], list[str]]:
        """What each implementation gave, and a sentence for each that failed."""
        results, failures = [], []
        for implementation in getattr(self._manager.hook, hook).get_hookimpls():
            # A copy for each: what one of them changes is nobody else's.
            wanted = {name: copied(arguments[name]) for name in implementation.argnames}
            try:
                results.append(checked(implementation.function(**wanted)))
            except STOPPING:
                raise
            except BaseException as error:
                log.exception("plugin %s failed in %s", implementation.plugin_name, hook)
                failures.append(_said(error, implementation.plugin_name, hook))
        return results, failures


def _check_hooks(module: ModuleType | Any, origin: str) -> None:
    """Refuse what pluggy would pass over in silence: a function that is nearly a hook.

    Raises:
        PluginError: its name is misspelt, or it lacks the decorator.
    """
    hooks = [name for name in vars(Hooks) if not name.startswith("_")]
    for name, value in getattr(module, "__dict__", {}).items():
        marked = hasattr(value, f"{GROUP}_impl")
        if name in hooks and not marked:
            raise PluginError(f"{name} lacks the decorator @harness.hookimpl", where=origin)
        # What they have in common says nothing of what was meant.
        kind = name.removeprefix("register_")
        kinds = [hook.removeprefix("register_") for hook in hooks]
        if name not in hooks and (marked or (kind != name and near(kind, kinds))):
            what = f"no hook is called '{name}'{near(name, hooks)}"
            raise PluginError(what, where=origin, hint=f"known: {', '.join(hooks)}")


def _said(error: BaseException, observer: str, hook: str) -> str:
    """An observer's failure in a sentence: its own, where it is an error meant for people."""
    if not isinstance(error, HarnessError):
        return f"the observer {observer} failed in {hook}, and the run goes on: {reason(error)}"
    return one_line(f"{error.placed} ({error.hint})" if error.hint else error.placed)


def import_file(path: Path) -> ModuleType:
    """The module in a file, made anew.

    Raises:
        ConfigError: there is no such file, or it is no Python.
        PluginError: it cannot be imported.
        Untrusted: a config that is not the user's own names it.
    """
    if not path.is_file():
        raise ConfigError("this plugin file does not exist", where=str(path))
    if path.suffix != ".py":
        raise ConfigError("this is no Python file", where=str(path))
    with _loading(str(path), "cannot be imported: "):
        return gate.import_file(f"harness_file_{path.stem}", path, by="plugins")


@functools.lru_cache(maxsize=32)
def _named(distribution: importlib.metadata.Distribution) -> tuple[str, str]:
    """Name and version; each look at them reads the file anew, and a package has many points."""
    metadata = distribution.metadata
    return metadata["Name"], metadata["Version"]


def _loaded(point: importlib.metadata.EntryPoint, origin: str) -> Any:
    with _loading(origin):
        return point.load()


@contextlib.contextmanager
def _loading(origin: str, what: str = "") -> Iterator[None]:
    """While a plugin's module or hook runs; what it prints is no result of ours.

    Raises:
        PluginError: whatever it raises but the machine's trouble, with ``what`` before it.
    """
    with plainly(origin), contextlib.redirect_stdout(sys.stderr):
        try:
            yield
        except (*STOPPING, PluginError, gate.Untrusted):
            raise
        except SystemExit as error:
            raise PluginError(f"{what}it ends the process ({reason(error)})") from error
        except BaseException as error:
            raise_trouble(error)
            raise PluginError(f"{what}{reason(error)}") from error
