"""Which trainings a config asks for beside its rounds, checked before anything is trained."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.config.loading import Config
from harness.config.overriding import looped, overridden
from harness.config.plugin_checks import ask
from harness.context import derive_seed
from harness.errors import ConfigError
from harness.kit.files import digest
from harness.kit.problems import Problems
from harness.kit.text import one_line
from harness.kit.yaml_file import Place
from harness.records.arms import Arm, ArmKind

NAME = 60
"""Characters of an arm's name."""
REFERENCE = "the same again"
"""The arm that repeats the reference training with other seeds."""
SEARCH = "search"
"""The arm by which the best settings of a search meet the reference."""
LOOP = "the loop again"
"""The arm that repeats the whole loop with other seeds."""


def planned(config: Config) -> list[Arm]:
    """The arms in the order in which they are trained.

    Raises:
        ConfigError: with all that is wrong: an arm cannot be trained, changes nothing, or is
            another one once more.
    """
    settings = config.settings
    _check_raters(config)
    shares = (
        []
        if settings.curve is None
        else [
            Arm(f"{100 * share:g} % of train", "data", share=share, seeds=settings.curve.seeds)
            for share in settings.curve.shares
        ]
    )
    repeats = settings.seeds.count if settings.seeds and settings.seeds.of == "training" else 1
    arms = _judged(config, repeats, {SEARCH, REFERENCE, LOOP, *(arm.name for arm in shares)})
    if settings.seeds is not None:
        again = Arm(REFERENCE, "seed") if repeats > 1 else Arm(LOOP, "loop")
        arms.insert(0, dataclasses.replace(again, seeds=settings.seeds.count))
    return [*arms, *shares]


def checked(config: Config) -> list[Arm]:
    """The planned arms, once the plugins that they change have said that they can work.

    Raises:
        ConfigError, EnvironmentFailure: with all that is wrong.
    """
    arms, problems = planned(config), Problems(config.path, config.lines)
    for place, arm in zip(_places(config), (a for a in arms if a.changed), strict=True):
        other = config_of(config, arm, 0)
        own = (config.model, config.train, config.generate)
        for entry, before in zip((other.model, other.train, other.generate), own, strict=True):
            if entry.shown() != before.shown():
                ask([(place, entry)], other.shown(), problems)
    problems.done()
    return arms


def _places(config: Config) -> list[Place]:
    """Where the arms stand that get a verdict, in their order."""
    settings = config.settings
    of_arms: list[Place] = [("arms", number) for number in range(len(settings.arms))]
    return of_arms + [("models", number) for number in range(len(settings.models))]


def _judged(config: Config, repeats: int, reserved: set[str]) -> list[Arm]:
    """The arms that get a verdict."""
    arms: list[Arm] = []
    if not (given := list(named(config))):
        return arms
    problems, own = Problems(config.path, config.lines), settings_of(config, {}, "arms")
    for place, (name, kind, changed) in zip(_places(config), given, strict=True):
        try:
            settings = settings_of(config, changed, "")
        except ConfigError as error:
            problems.add(place, in_one_line(config, error))
            continue
        arm = Arm(name, kind, changed, seeds=repeats, settings=settings)
        if wrong := _flaw(arm, own, arms, reserved):
            problems.add(place, wrong)
        arms.append(arm)
    problems.done()
    return arms


def _flaw(arm: Arm, own: str, arms: Sequence[Arm], reserved: set[str]) -> str:
    """What is wrong with an arm beside the ones before it; empty if nothing is.

    Args:
        own: the run's own settings.
    """
    if not arm.name.strip():
        return "this arm has no name that can be read"
    if arm.name in {one.name for one in arms} | reserved:
        return f"two arms are called '{arm.name}', or a lever of its own is"
    if "seed" in arm.changed:
        return (
            f"the arm '{arm.name}' has another seed: that is another draw, and no setting; "
            "seeds: 5 repeats trainings with other seeds"
        )
    if arm.settings == own:
        return f"the arm '{arm.name}' changes nothing: its settings are the run's own"
    same = next((one for one in arms if one.settings == arm.settings), None)
    if same is not None:
        return (
            f"the arms '{same.name}' and '{arm.name}' have the same settings; each arm that is "
            "compared costs certainty, so take one of them out"
        )
    return ""


def named(config: Config) -> Iterator[tuple[str, ArmKind, Mapping[str, Any]]]:
    """Name, kind and changes of each arm that gets a verdict."""
    for named in config.settings.arms:
        yield one_line(named.name, NAME), "settings", dict(named.set)
    names: list[str] = []
    for model in config.settings.models:
        entry = {"source": model} if isinstance(model, str) else model
        name = _called(entry)
        names.append(name)
        if (same := names.count(name)) > 1:
            name = f"{name} ({same})"
        yield name, "model", {"model": entry}


def in_one_line(config: Config, error: ConfigError) -> str:
    """What is wrong with a config that this one was changed into, without the file's name."""
    file = f"{config.path}: " if config.path else ""
    told = [line.removeprefix(file) for line in error.details if not line.startswith("note: ")]
    return "; ".join(told) if told else "; ".join(filter(None, (error.what, error.hint)))


def settings_of(config: Config, changed: Mapping[str, Any], where: str) -> str:
    """Digest of all that decides what a training with these settings gives.

    Raises:
        ConfigError: it cannot be what the config says.
    """
    return digest(overridden(config, changed, where).key())


def _called(model: Mapping[str, Any]) -> str:
    """A base model's name: as its entry names it, or its folder."""
    for key in ("name", "id", "path"):
        if isinstance(found := model.get(key), str) and found:
            return one_line(Path(found).name if key == "path" else found, NAME)
    return one_line(str(model.get("source", "")), NAME)


def config_of(config: Config, arm: Arm, seed: int) -> Config:
    """The config by which an arm is trained with one of its seeds."""
    if arm.kind == "loop":
        return looped(config, seed_of(config, seed), f"arm '{arm.name}'")
    changed = dict(arm.changed)
    if seed:
        changed["seed"] = seed_of(config, seed)
    return overridden(config, changed, f"arm '{arm.name}'")


def seed_of(config: Config, seed: int) -> int:
    """The run's seed, and others that follow from it."""
    own = config.settings.seed
    return derive_seed(own, "repeat", seed) if seed else own


def _check_raters(config: Config) -> None:
    """Refuse arms where people decide: batches hold answers of rounds alone."""
    settings = config.settings
    levers = ("arms", "models", "curve", "seeds")
    keys = [key for key in levers if getattr(settings, key)]
    keys += ["search"] if config.search is not None else []
    asked = next((e for e in config.metrics if settings.primary in e.score_names), None)
    if keys and asked is not None and asked.instance.by_people:
        raise ConfigError(
            f"the primary score '{settings.primary}' comes from raters, who rate the answers of "
            "rounds only, so nothing that is trained beside them could be compared",
            where=keys[0],
            hint=f"take {keys[0]} out, or let another score decide",
        )
