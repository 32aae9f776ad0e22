"""Which trainings a config asks for beside its rounds, checked before anything is trained."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.config.loading import Config
from harness.config.overriding import looped, overridden
from harness.context import derive_seed
from harness.errors import ConfigError
from harness.kit.files import digest
from harness.kit.text import one_line
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
        ConfigError: one cannot be trained, changes nothing, or has the name of another.
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
    reserved = {SEARCH, REFERENCE, LOOP, *(arm.name for arm in shares)}
    repeats = settings.seeds.count if settings.seeds and settings.seeds.of == "training" else 1
    arms: list[Arm] = []
    own = settings_of(config, {}, "arms") if settings.arms or settings.models else ""
    for where, arm in _judged(config, repeats):
        if not arm.name.strip():
            raise ConfigError("this arm has no name that can be read", where=where)
        if arm.name in {one.name for one in arms} | reserved:
            raise ConfigError(
                f"two arms are called '{arm.name}', or a lever of its own is", where=where,
                hint="give it another name",
            )  # fmt: skip
        if arm.settings == own:
            raise ConfigError(
                f"the arm '{arm.name}' changes nothing: its settings are the run's own",
                where=where,
            )
        same = next((one for one in arms if one.settings == arm.settings), None)
        if same is not None:
            raise ConfigError(
                f"the arms '{same.name}' and '{arm.name}' have the same settings", where=where,
                hint="take one of them out: each arm that is compared costs certainty",
            )  # fmt: skip
        arms.append(arm)
    if settings.seeds is not None:
        again = Arm(REFERENCE, "seed") if repeats > 1 else Arm(LOOP, "loop")
        arms.insert(0, dataclasses.replace(again, seeds=settings.seeds.count))
    return [*arms, *shares]


def _judged(config: Config, repeats: int) -> Iterator[tuple[str, Arm]]:
    """Arms that get a verdict, each with its place in the config."""
    for index, named in enumerate(config.settings.arms):
        changed = dict(named.set)
        if "seed" in changed:
            raise ConfigError(
                f"the arm '{named.name}' has another seed: that is another draw, and no setting",
                where=f"arms.{index}", hint="seeds: 5 repeats trainings with other seeds",
            )  # fmt: skip
        where = f"arms.{index}"
        yield where, _arm(config, one_line(named.name, NAME), "settings", changed, repeats, where)
    names: list[str] = []
    for index, model in enumerate(config.settings.models):
        entry = {"source": model} if isinstance(model, str) else model
        name = _called(entry)
        names.append(name)
        if (same := names.count(name)) > 1:
            name = f"{name} ({same})"
        where = f"models.{index}"
        yield where, _arm(config, name, "model", {"model": entry}, repeats, where)


def _arm(
    config: Config, name: str, kind: ArmKind, changed: Mapping[str, Any], repeats: int, where: str
) -> Arm:
    settings = settings_of(config, changed, where)
    return Arm(name, kind, changed, seeds=repeats, settings=settings)


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
