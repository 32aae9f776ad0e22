"""Which trainings a config asks for beside its rounds, checked before anything is trained."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import harness
from harness.kit.files import digest
from harness.kit.text import one_line
from harness.kit.yaml_file import Place
from harness_levers.options import LeverOptions
from harness_levers.records import Arm, ArmKind
from harness_levers.search.config import SearchConfig

NAME = 60
"""Characters of an arm's name."""
REFERENCE = "the same again"
"""The arm that repeats the reference training with other seeds."""
SEARCH = "search"
"""The arm by which the best settings of a search meet the reference."""
LOOP = "the loop again"
"""The arm that repeats the whole loop with other seeds."""


def intent(options: LeverOptions, variants: harness.Variants) -> harness.Intent:
    """All that is asked for.

    Raises:
        ConfigError: with all that is wrong with the arms, or with the search.
    """
    arms = planned(options, variants)
    parts = [f"worth {options.worth}", *map(asked, arms)]
    trainings, space = sum(arm.seeds for arm in arms), {}
    if (search := SearchConfig.of(variants)) is not None:
        search.check()
        parts.append(search.part)
        trainings, space = trainings + search.most_trainings, search.space
    changes = [(place, changed) for place, _, _, changed in _named(options)]
    return harness.Intent(changes, space, trainings, frozenset(parts))


def identity(arm: Arm) -> str:
    """What makes an arm the same one: neither its name nor how often it is repeated."""
    return digest({"kind": arm.kind, "settings": arm.settings, "share": arm.share})


def asked(arm: Arm) -> str:
    """An arm with the number of its seeds: what has to be done before a run is finished."""
    return f"{identity(arm)} x {arm.seeds}"


def planned(options: LeverOptions, variants: harness.Variants) -> list[Arm]:
    """The arms in the order in which they are trained.

    Raises:
        ConfigError: with all that is wrong: an arm cannot be trained, changes nothing, or is
            another one once more.
    """
    _check_raters(options, variants)
    shares = (
        []
        if options.curve is None
        else [
            Arm(f"{100 * share:g} % of train", "data", share=share, seeds=options.curve.seeds)
            for share in options.curve.shares
        ]
    )
    arms = _judged(options, variants, {SEARCH, REFERENCE, LOOP, *(arm.name for arm in shares)})
    if options.seeds is not None:
        again = Arm(REFERENCE, "seed") if options.repeats > 1 else Arm(LOOP, "loop")
        arms.insert(0, dataclasses.replace(again, seeds=options.seeds.count))
    return [*arms, *shares]


def seed_of(variants: harness.Variants, seed: int) -> int:
    """The run's seed, and others that follow from it."""
    return variants.derived_seed("repeat", seed) if seed else variants.seed


def _judged(options: LeverOptions, variants: harness.Variants, reserved: set[str]) -> list[Arm]:
    """The arms that get a verdict."""
    arms: list[Arm] = []
    if not (named := list(_named(options))):
        return arms
    problems, own = variants.problems(), variants.digest({}, "arms")
    for place, name, kind, changed in named:
        try:
            settings = variants.digest(changed)
        except harness.ConfigError as error:
            problems.add(place, variants.in_one_line(error))
            continue
        arm = Arm(name, kind, changed, seeds=options.repeats, settings=settings)
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
    if arm.name in {other.name for other in arms} | reserved:
        return f"two arms are called '{arm.name}', or a lever of its own is"
    if "seed" in arm.changed:
        return (
            f"the arm '{arm.name}' has another seed: that is another draw, and no setting; "
            "seeds: 5 repeats trainings with other seeds"
        )
    if arm.settings == own:
        return f"the arm '{arm.name}' changes nothing: its settings are the run's own"
    same = next((other for other in arms if other.settings == arm.settings), None)
    if same is not None:
        return (
            f"the arms '{same.name}' and '{arm.name}' have the same settings; each arm that is "
            "compared costs certainty, so take one of them out"
        )
    return ""


def _named(options: LeverOptions) -> Iterator[tuple[Place, str, ArmKind, Mapping[str, Any]]]:
    """Place in the config, name, kind and changes of each arm that gets a verdict."""
    for number, arm in enumerate(options.arms):
        yield ("arms", number), one_line(arm.name, NAME), "settings", dict(arm.set)
    names: list[str] = []
    for number, model in enumerate(options.models):
        entry = model.shown()
        name = _called(entry)
        names.append(name)
        if (same := names.count(name)) > 1:
            name = f"{name} ({same})"
        yield ("models", number), name, "model", {"model": entry}


def _called(model: Mapping[str, Any]) -> str:
    """A base model's name: as its entry names it, or its folder."""
    for key in ("name", "id", "path"):
        if isinstance(name := model.get(key), str) and name:
            return one_line(Path(name).name if key == "path" else name, NAME)
    return one_line(str(model.get("source", "")), NAME)


def _check_raters(options: LeverOptions, variants: harness.Variants) -> None:
    """Refuse arms where people decide: batches hold answers of rounds alone."""
    keys = [key for key in ("arms", "models", "curve", "seeds") if getattr(options, key)]
    keys += ["search"] if variants.entry("search") is not None else []
    metric = variants.metric(variants.primary)
    if keys and metric is not None and metric.instance.by_people:
        raise harness.ConfigError(
            f"the primary score '{variants.primary}' comes from raters, who rate the answers of "
            "rounds only, so nothing that is trained beside them could be compared",
            where=keys[0],
            hint=f"take {keys[0]} out, or let another score decide",
        )
