"""The experiment as the user describes it: checked whole, before anything heavy is loaded.

All problems are found at once, each with its place in the file. What changes results is apart
from ``execution``, which only says how the work is done.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from harness.config import dotted
from harness.config.effects import check_choice, check_control, without_effect
from harness.config.finding import FILE_NAME, find, overlooked
from harness.config.plugin_checks import ask, look_at_rows
from harness.config.plugin_entries import (
    PluginEntry,
    covered_at,
    entries_of,
    entry_of,
    experiments_of,
)
from harness.config.settings import PLUGIN_KEYS, Settings, fields, plugin_files, whole_config
from harness.errors import near
from harness.kit import own, yaml_file
from harness.kit.files import files_digest
from harness.kit.problems import Problems
from harness.kit.yaml_file import Lines, Place
from harness.records import Level
from harness.records.rounds import Contrast
from harness.registry import Registry
from harness.stages import Runner
from harness.stages.kinds import REQUIRED, StageKind

HERE = ("local", "inline")
"""Values of ``execution.launcher`` that name no plugin."""
LAUNCHER: Place = ("execution", "launcher")


@dataclass(frozen=True, slots=True)
class Config:
    """A validated experiment.

    Attributes:
        entries: key of the config -> the plugins that it names; a key that holds no list has one.
        experiments: all that are installed, with what the config asks them for.
        origins: dotted key -> where its value is from, for what is not a default.
        given: the overrides of the command line, as it takes them.
        lines: path of keys -> line of the file.
        runner: has jobs done; None: processes of this machine do them.
        remarks: what its plugins said and stops nothing, where they were asked, as (level, line).
    """

    path: Path | None
    settings: Settings
    registry: Registry
    entries: Entries
    experiments: tuple[PluginEntry, ...] = ()
    origins: Mapping[str, str] = field(default_factory=dict)
    given: tuple[str, ...] = ()
    lines: Lines = field(default_factory=dict)
    remarks: tuple[tuple[Level, str], ...] = ()
    runner: PluginEntry | None = None

    @property
    def data(self) -> PluginEntry:
        return self.entries["data"][0]

    @property
    def model(self) -> PluginEntry:
        return self.entries["model"][0]

    @property
    def train(self) -> PluginEntry:
        """The trainer, or the first of several, for which the base model is loaded."""
        return self.entries["train"][0]

    @property
    def trainers(self) -> tuple[PluginEntry, ...]:
        """All trainers; each starts from what the one before it made."""
        return self.entries["train"]

    @property
    def generate(self) -> PluginEntry:
        return self.entries["generate"][0]

    @property
    def metrics(self) -> tuple[PluginEntry, ...]:
        return self.entries["metrics"]

    @property
    def detect(self) -> tuple[PluginEntry, ...]:
        return self.entries["detect"]

    @property
    def analyze(self) -> tuple[PluginEntry, ...]:
        return self.entries["analyze"]

    @property
    def augment(self) -> tuple[PluginEntry, ...]:
        return self.entries["augment"]

    @property
    def report(self) -> tuple[PluginEntry, ...]:
        return self.entries["report"]

    @property
    def sections(self) -> tuple[PluginEntry, ...]:
        return self.entries["sections"]

    @property
    def folder(self) -> Path:
        """What relative paths are relative to."""
        return self.path.resolve().parent if self.path else Path.cwd()

    @property
    def corrections(self) -> Path | None:
        """The file of accepted corrections, if there is one."""
        given = self.settings.corrections
        return None if given is None else self.folder / given

    def makers(self) -> list[PluginEntry]:
        """All plugins that make results; reporters and sections only show them."""
        named = [
            entry
            for key, kind in PLUGIN_KEYS.items()
            if self._counts(kind, self.entries[key])
            for entry in self.entries[key]
        ]
        return [*named, *(entry.review for entry in self.augment if entry.review)]

    def beside(self) -> list[PluginEntry]:
        """Those that are asked beside the task, and are no part of the run's key for all that."""
        keys = [key for key, kind in PLUGIN_KEYS.items() if kind.in_key == "if used"]
        return [entry for key in keys for entry in self.entries[key]]

    def _counts(self, kind: StageKind, entries: tuple[PluginEntry, ...]) -> bool:
        """Whether the entries of a kind change results."""
        used = bool(self.settings.replay) or self.guards_forgetting
        asked = {"always": True, "if named": bool(entries), "if used": used and bool(entries)}
        return asked.get(kind.in_key, False)

    @property
    def guards_forgetting(self) -> bool:
        """Whether a guard limits what may be lost of general text, or of a probe's instructions."""
        return any(guard.beside_task for guard in self.settings.guard)

    @property
    def control(self) -> Contrast | None:
        """What the control arm gets in place of the added rows; None: there is no such arm."""
        drawn = [entry for entry in self.augment if entry.control == "random"]
        if drawn:
            return "real" if any(entry.instance.writes for entry in drawn) else "random"
        return "none" if any(entry.control for entry in self.augment) else None

    def shown(self) -> dict[str, Any]:
        """Everything with every default, in the order of the reference."""
        return _shown(self.settings, self.registry, self.entries, self.experiments, self.folder)

    def published(self) -> dict[str, Any]:
        """The same for readers elsewhere: of commands, which may hold secrets, the first word."""
        values = self.shown()
        for place, entry in _placed(self.entries):
            for inner, nested in entry.whole():
                for name in nested.instance.commands:
                    values = covered_at(values, (*place, *inner, name))
        for experiment in self.experiments:
            values = experiment.covered(values)
        return values

    def ask_plugins(self) -> Config:
        """This config with what its plugins say of their entries in ``remarks``.

        Raises:
            ConfigError, EnvironmentFailure: with all problems found.
        """
        problems = Problems(self.path, self.lines)
        ask(_placed(self.entries), self.shown(), problems)
        problems.done()
        return dataclasses.replace(self, remarks=tuple(problems.remarks))

    def key(self) -> dict[str, Any]:
        """What changes results."""
        settings = self.settings
        values: dict[str, Any] = {
            "rounds": settings.rounds,
            "seed": settings.seed,
            "primary": settings.primary,
            "plan": settings.plan.model_dump(),
            "filters": settings.filters.model_dump(),
            "min_gain": settings.min_gain,
            "guard": [guard.key() for guard in settings.guard],
            "valid": settings.valid,
        }
        if self.corrections is not None:
            # Its content counts, not where it lies; without it, no run's key has changed.
            values["corrections"] = files_digest([self.corrections])
        if settings.replay:
            values["replay"] = settings.replay
        for name, kind in PLUGIN_KEYS.items():
            entries = self.entries[name]
            if self._counts(kind, entries):
                several = [entry.key_in_list() for entry in entries]
                alone = not kind.many and len(entries) == 1
                values[name] = entries[0].key() if alone else several
        return values


Entries = Mapping[str, tuple[PluginEntry, ...]]
"""Key of the config -> its plugins; while a config is checked, without those that are wrong."""


def _shown(
    settings: Settings, registry: Registry, entries: Entries, experiments: Sequence[PluginEntry],
    base: Path,
) -> dict[str, Any]:  # fmt: skip
    """The settings with every default; entries that could not be read are left out."""
    values: dict[str, Any] = {}
    asked = [entry.instance.options.model_dump(mode="json") for entry in experiments]
    of_experiments = {key: value for options in asked for key, value in options.items()}
    for name in fields(registry):
        if name in of_experiments:
            values[name] = of_experiments[name]
            continue
        kind = PLUGIN_KEYS.get(name)
        if kind is None:
            values[name] = _plain(getattr(settings, name), base)
            continue
        shown = [entry.shown() for entry in entries.get(name, ())]
        if (kind.many and name in entries) or len(shown) > 1:
            values[name] = shown
        elif shown:
            values[name] = shown[0]
    return values


def _placed(entries: Entries) -> Iterator[tuple[Place, PluginEntry]]:
    """Each entry with its place in the file."""
    for name, named in entries.items():
        for entry in named:
            in_list = PLUGIN_KEYS[name].many or len(named) > 1
            place = (name, entry.index) if in_list else (name,)
            yield place, entry
            if entry.review:
                yield (*place, "review"), entry.review


def _plain(setting: Any, base: Path) -> Any:
    """A setting as the file would hold it, paths whole."""
    if isinstance(setting, BaseModel):
        return setting.model_dump(mode="json")
    if isinstance(setting, list):
        return [_plain(item, base) for item in setting]
    return str(base / setting) if isinstance(setting, Path) else setting


def load(
    path: Path | None,
    *,
    sets: Sequence[str] = (),
    flags: Mapping[str, Any] | None = None,
    asking: bool = False,
) -> Config:
    """Read and check a config; nothing heavy is imported.

    Args:
        sets: ``a.b=value`` overrides, in order.
        flags: overrides from the command line's own options; they win.
        asking: also ask each plugin (:meth:`harness.Plugin.check`) whether its entry can work on
            this machine. Whoever only looks at a run does not ask.

    Raises:
        ConfigError: with *all* problems found.
        EnvironmentFailure: the file is right, and this machine lacks what it asks for.
        PluginError: a one-file plugin cannot be used.
        Untrusted: it is not the user's own, and names plugin files.
    """
    path = find(path)
    own.put_to_use(path)
    values, lines = yaml_file.read(path)
    origins = {".".join(map(str, place)): f"{path}:{line}" for place, line in lines.items()}
    overrides: list[str] = []
    for text in sets:
        overrides += ["--set", text]
        place, value = dotted.parsed(text)
        dotted.assign(values, place, value, "--set")
        origins[".".join(map(str, place))] = f"--set {text}"
    for name, value in (flags or {}).items():
        if value is not None:
            values[name] = value
            origins[name] = f"--{name}"
            overrides += [f"--{name}", str(value)]
    config = check(values, path, lines, origins, asking=asking)
    if asking and path == Path(FILE_NAME):
        level: Level = "note"
        beside = [(level, f"{file} is not read: {FILE_NAME} is") for file in overlooked()]
        config = dataclasses.replace(config, remarks=(*beside, *config.remarks))
    return dataclasses.replace(config, given=tuple(overrides))


def check(
    values: Mapping[str, Any],
    path: Path | None,
    lines: Lines,
    origins: Mapping[str, str],
    *,
    asking: bool = False,
    registry: Registry | None = None,
) -> Config:
    """The :class:`Config` that plain values describe; see :func:`load`.

    Args:
        registry: of a config with the same ``plugins``, which need not be found again.
    """
    flags = {key: origin.split()[0] for key, origin in origins.items() if origin[:2] == "--"}
    problems = Problems(path, lines, flags=flags)
    base = path.resolve().parent if path else Path.cwd()
    for place in _not_finite(values, ()):
        problems.add(place, "a finite number is needed")
    registry = registry or Registry.build(plugin_files(values, base))
    settings = _settings(values, whole_config(registry), problems)
    entries: dict[str, tuple[PluginEntry, ...]] = {}
    for name, kind in PLUGIN_KEYS.items():
        raw = settings.named(name)
        if raw is None and kind.default is None:
            entries[name] = ()
        elif name in values or raw is not None:
            entries[name] = tuple(entries_of(registry, kind, raw, base, problems))
        elif kind.default is not REQUIRED:
            entries[name] = ()
        # Else it is missing, which was noted with the settings: what needs it is not checked.
    experiments = tuple(experiments_of(registry, values, base, problems))
    raw, runner = settings.execution.launcher, None
    installed = (*HERE, *registry.names(Runner.stage))
    if isinstance(raw, str) and raw not in installed and (meant := near(raw, HERE)):
        problems.add(LAUNCHER, f"no launcher is called '{raw}'{meant}")
    elif raw not in HERE:
        runner = entry_of(registry, Runner.stage, raw, LAUNCHER, base, problems)
    _check_whole(settings, entries, base, problems)
    if asking:
        shown = _shown(settings, registry, entries, experiments, base)
        runners = [(LAUNCHER, runner)] if runner is not None else []
        ask([*_placed(entries), *runners], shown, problems)
        for remark in without_effect(settings, entries.get("augment", ()), origins):
            problems.add(*remark)
        if problems.found:
            for source in entries.get("data", ()):
                look_at_rows(source, problems)
    problems.done()
    return Config(
        path, settings, registry, entries, experiments, origins, lines=lines,
        remarks=tuple(problems.remarks), runner=runner,
    )  # fmt: skip


def _not_finite(value: Any, place: Place) -> Iterator[Place]:
    """Where numbers stand that no key of a result can hold."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _not_finite(inner, (*place, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _not_finite(inner, (*place, number))
    elif isinstance(value, float) and not math.isfinite(value):
        yield place


def _settings(values: Mapping[str, Any], whole: type[Settings], problems: Problems) -> Settings:
    """The core's keys. Wrong ones are noted and taken as absent, so that the rest is checked."""
    try:
        return whole.model_validate(dict(values))
    except ValidationError as error:
        problems.add_validation((), error, whole)
        wrong = {problem["loc"][0] for problem in error.errors()}
    # What is wrong or missing is taken as empty from here on: it was noted once.
    required = [name for name, field in whole.model_fields.items() if field.is_required()]
    needed = {name: None if name != "primary" else "" for name in required}
    return whole.model_validate(
        {**needed, **{key: value for key, value in values.items() if key not in wrong}}
    )


def _check_whole(settings: Settings, entries: Entries, base: Path, problems: Problems) -> None:
    """What entries and settings have to agree on; entries that could not be read are left out."""
    corrections = settings.corrections
    if corrections is not None and not (base / corrections).is_file():
        message = f"there is no file {base / corrections}; harness rate accept writes such files"
        problems.add(("corrections",), message)
    metrics, augment = entries.get("metrics", ()), entries.get("augment", ())
    scores = _scores(metrics, problems)
    # A metric that could not be read may be the one that gives the score in question.
    if metrics and len(metrics) == len(settings.named("metrics")):
        _check_scores(settings, scores, problems)
    _check_kinds(entries.get("train", ()), entries.get("generate", ()), problems)
    for entry in augment:
        if entry.rows < 1:
            problems.add(("augment", entry.index), "rows: is needed (rows to add per round)")
    check_control(metrics, augment, problems)
    check_choice(entries.get("train", ()), metrics, settings.primary, problems)
    for kind in PLUGIN_KEYS.values():
        for place, message in kind.conflicts(settings, entries):
            problems.add(place, message)


def _scores(metrics: Sequence[PluginEntry], problems: Problems) -> list[str]:
    """The names of all scores, each of which may be there once."""
    seen: list[str] = []
    for entry in metrics:
        for score in entry.score_names:
            if score in seen:
                message = f"the score '{score}' is there twice; give this entry a name: of its own"
                problems.add(("metrics", entry.index), message)
            seen.append(score)
    return seen


def _check_scores(settings: Settings, known: Sequence[str], problems: Problems) -> None:
    """Each score that the settings name is one of those that the metrics give."""
    primary, aim = settings.primary, settings.objective
    if primary and primary not in known:
        problems.add(
            ("primary",),
            f"no score is called '{primary}'{near(primary, known)}; "
            f"scores of this config: {', '.join(known)}",
        )
    for index, guard in enumerate(settings.guard):
        if guard.score is not None and guard.score not in known:
            problems.add(("guard", index), f"no score is called '{guard.score}'")
    if aim is not None and aim.metric not in known:
        problems.add(("objective", "metric"), f"no score is called '{aim.metric}'")


def _check_kinds(
    train: Sequence[PluginEntry], generate: Sequence[PluginEntry], problems: Problems
) -> None:
    """Each trainer can start from what the one before makes, and the generator load the last."""
    kinds = ["base"]
    for trainer in train:
        place = ("train", trainer.index) if len(train) > 1 else ("train",)
        if kinds[-1] not in trainer.instance.accepts:
            message = f"'{trainer.plugin}' cannot start from a checkpoint of kind '{kinds[-1]}'"
            problems.add(place, message)
        if trainer.index and trainer.instance.loading() not in ({}, train[0].instance.loading()):
            message = "it loads the base model otherwise than the first trainer does"
            problems.add(place, message)
        kinds.append(trainer.instance.produces)
    for generator in generate:
        for kind in dict.fromkeys(["base", kinds[-1]]):
            if kind not in generator.instance.accepts:
                message = f"'{generator.plugin}' cannot load a checkpoint of kind '{kind}'"
                problems.add(("generate",), message)
