"""The keys of the config, each with its type, default and meaning."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, create_model
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError

from harness.config.aims import Guard, Objective
from harness.errors import PluginError
from harness.kit.problems import WHOLE
from harness.registry import Registry
from harness.stages import KINDS, Experiment, Resources, StageKind

if TYPE_CHECKING:
    from harness.data.screening import Rules


class Strict(BaseModel):
    # Its parts are built with the whole, once.
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class Planning(Strict):
    """How findings become a plan."""

    strategy: Literal["targeted", "random", "none"] = Field(
        default="targeted",
        description="`targeted`: rows by gap and size of the underperforming slices; "
        "`random`: from all data; `none`: no rows",
    )
    explore: float = Field(
        default=0.2,
        ge=0,
        le=1,
        description="share of the rows (0 to 1) that `targeted` draws from all data",
    )


class Filtering(Strict):
    """What the gate in front of the training data refuses."""

    source: Literal["report", "refuse"] = Field(
        default="report",
        description="what is done with rows of the source that nearly repeat dev or "
        "test: `report` counts and shows them, `refuse` leaves them out of "
        "train and pool",
    )
    most_repeats: float = Field(
        default=0.1,
        ge=0,
        le=1,
        description="share (0 to 1) of train, or of pool, that may repeat dev or test "
        "exactly; with more, nothing is trained (exit 4)",
    )
    near: float = Field(
        default=0.6,
        gt=0,
        le=1,
        description="a prompt is a near repeat from this similarity to a dev or test "
        "prompt on (above 0, up to 1; what many rows share has no weight)",
    )
    near_with_answer: float = Field(
        default=0.4,
        gt=0,
        le=1,
        description="the same where one of the references, too, is one of the held-out "
        "row's, and fewer than `shared_by` rows have it",
    )
    contained: float = Field(
        default=0.9,
        gt=0,
        le=1,
        description="a prompt also is a near repeat if this share of what is a held-out "
        "prompt's own stands in it",
    )
    renamed: float = Field(
        default=0.9,
        gt=0,
        le=1,
        description="code is a near repeat from this similarity on, whatever the names in it",
    )
    shared_by: int = Field(
        default=3,
        ge=2,
        description="rows from which a run of text, a turn or an answer that they share "
        "is nobody's own (2 or more)",
    )
    shared_run: int = Field(
        default=40,
        ge=10,
        description="minimum length of such a run of text, in characters (10 or more)",
    )
    kept: float = Field(
        default=0.99,
        gt=0.5,
        lt=1,
        description="where rows are alike by nature, the similarities above are raised "
        "until this share of unrelated rows passes (above 0.5, below 1)",
    )
    recognised: float = Field(
        default=0.95,
        ge=0,
        le=1,
        description="where fewer of 200 copies with typing errors (a share, 0 to 1) "
        "would be recognised, report and `check` say that lineage alone "
        "protects",
    )

    def rules(self) -> Rules:
        """The same, as the gate takes them."""
        from harness.data.likeness import Limits
        from harness.data.screening import Rules

        limits = Limits(
            self.near, self.near_with_answer, self.contained, self.renamed,
            self.shared_by, self.shared_run,
        )  # fmt: skip
        return Rules(limits, self.source == "refuse", self.most_repeats, self.kept, self.recognised)


class Budget(Strict):
    """What a command may spend."""

    hours: float | None = Field(
        default=None, gt=0, allow_inf_nan=False,
        description="hours of wall time (above 0) that one command may work. When they "
"are spent, it stops between two stages (exit 130), and so it does "
"before a stage of which the last one took longer than what is "
"left. The same command goes on, with as many hours again "
"([planning.md](planning.md#a-budget))",
    )  # fmt: skip
    money: float | None = Field(
        default=None, ge=0, allow_inf_nan=False,
        description="money that the requests of a run to servers may cost, by the "
"`price` of each entry that asks one. Each request is counted at "
"its most before it is sent, and what would pass the cap is not "
"sent: the command stops (exit 130). Raise the cap, and the same "
"command goes on",
    )  # fmt: skip


def _as_mebibytes(memory: Any) -> Any:
    """``24GB`` as MiB; a number is MiB already."""
    if not isinstance(memory, str) or memory.isdecimal():
        return memory
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([MGT])(i?)B?", memory, re.ASCII | re.IGNORECASE)
    if match is None:
        raise PydanticCustomError("memory", "a number of MiB, or a text such as 24GB, is needed")
    unit = match[2].upper()
    binary = {"M": 1, "G": 1024, "T": 1024**2}[unit]
    decimal = {"M": 1e6, "G": 1e9, "T": 1e12}[unit] / 2**20
    return int(float(match[1]) * (binary if match[3] else decimal))


_CREDENTIALS = re.compile(r"[?&](?:key|secret|token|password|sas|sig)[^=&]*=", re.IGNORECASE)


def store_url(url: Any) -> Any:
    """A URL of a store that can be written into records.

    Raises:
        PydanticCustomError: a ValueError: it is none, or holds credentials; its text is not
            repeated.
    """
    if not isinstance(url, str):
        return url
    parts = urlsplit(url)
    if "@" in parts.netloc or _CREDENTIALS.search(url):
        raise PydanticCustomError(
            WHOLE,
            "it holds credentials, which would be written into records: leave them out, they are "
            "found in the environment as other programs find them",
        )
    if not re.fullmatch(r"[a-z][a-z0-9+.-]*", parts.scheme) or "::" in url:
        raise PydanticCustomError(WHOLE, "it is no URL as s3://bucket/prefix or file:///folder")
    return url


class JobResources(Strict):
    """What one job of a stage needs; a launcher hands it on."""

    gpus: int = Field(default=0, ge=0, description="devices")
    cpus: int = Field(default=0, ge=0, description="cores; 0: what the launcher gives")
    memory: Annotated[int, BeforeValidator(_as_mebibytes)] = Field(
        default=0, ge=0, description="MiB, or a text such as 24GB; 0: what the launcher gives"
    )
    hours: float = Field(
        default=0.0, ge=0, allow_inf_nan=False,
        description="after which the launcher may end it; 0: what the launcher gives",
    )  # fmt: skip

    def asked(self) -> Resources:
        """The same, as launchers take it."""
        return Resources(self.gpus, self.cpus, self.memory, self.hours)


class Execution(Strict):
    """How the work is done; never changes a result."""

    launcher: str | dict[str, Any] = Field(
        default="local",
        description="`local`: heavy stages run in processes of their own, which workers "
        "start; `inline`: in the run's process; else a plugin that has them run elsewhere, as "
        "`slurm` or `{plugin: slurm, partition: gpu}` ([jobs](jobs.md))",
    )
    resources: dict[Literal["train", "generate"], JobResources] = Field(
        default={},
        description="what a job of `train` or of `generate` needs, for such a plugin: "
        "`{train: {gpus: 1, cpus: 4, memory: 24GB, hours: 8}}`. `memory` is a text, or MiB; after "
        "`hours` it may be ended; what is not said is as the plugin gives it",
    )
    workers: int = Field(
        default=1, ge=1, le=1000,
        description="jobs at a time: branches of a run (control arm, baselines, arms, seeds, "
        "curve) are carried out [side by side](jobs.md)",
    )  # fmt: skip
    checkpoint_minutes: float = Field(
        default=10,
        ge=0,
        description="minutes between two checkpoints of a training, or of answers, from "
        "which the same command goes on after a kill, a crash or Ctrl-C "
        "([Training](training.md#interrupted-trainings)); `0`: none",
    )
    budget: Budget = Field(default=Budget(), description="what a command may spend")
    store: Annotated[str | None, BeforeValidator(store_url)] = Field(
        default=None,
        description="a store that [several machines and people](jobs.md#several-people-on-one-"
        "project) share: `s3://bucket/prefix`, another URL that fsspec knows, or `file:///folder`. "
        "Without credentials: they are found as other programs find them. The working folder "
        "belongs to it from then on",
    )
    cache: Annotated[int, BeforeValidator(_as_mebibytes)] = Field(
        default=0, ge=0,
        description="most that weights in the working folder may take which that store has, too: "
        "MiB, or a text such as 50GB; those that nobody has asked for longest go first, at the "
        "start of a run, and come again when they are needed. 0: no limit",
    )  # fmt: skip


def _names_of_files(files: Any) -> list[str]:
    texts = isinstance(files, list) and all(isinstance(name, str) for name in files)
    if not texts or any("\0" in name for name in files):
        raise ValueError("a list of names of files is needed")
    return list(files)


class Settings(Strict):
    """The keys of the core; those that name plugins follow the kinds of stages."""

    rounds: int = Field(
        3,
        strict=True,
        ge=1,
        le=100,
        description="rounds of training, 1 to 100; `--rounds` overrides it. Part of the "
        "result: the level of a verdict depends on the planned number",
    )
    seed: int = Field(7, ge=0, description="all randomness of the run comes from it")
    corrections: Path | None = Field(
        None,
        description="a file of better answers that people typed and a team accepted; "
        "those for dev become further references "
        "([corrections.md](corrections.md)). Part of the result: another "
        "content is another run",
    )
    primary: str = Field(description="name of the score that decides (`rougeL`, not `rouge`)")
    plan: Planning = Field(Planning(), description="how underperforming slices become a plan")
    filters: Filtering = Field(Filtering(), description="what is kept out of training")
    guard: list[Guard] = Field(
        [],
        description="what a round must not make significantly worse: names of scores "
        "(`bleu`), or rows of dev (`{where: {kind: class}}`, with `score:` "
        "where it is not the primary one). A round that breaks a guard is "
        "[not kept](verdicts.md#guards). `required: true`: nor is one for "
        "which the guard cannot be judged; `max_loss: 0.05`: a loss of that "
        "size, in the score's unit, has to be excluded. `{forgetting: "
        "0.1}`: the most nats per token by which the loss on [general "
        "text](forgetting.md#a-guard) may rise. `{answered: KIND, max_loss: 0.1}`: "
        "the [instructions of a probe](forgetting.md#refusals)",
    )
    objective: Objective | None = Field(
        None,
        description='`{metric: bleu, target: 40, statement: "…"}`: reports say whether '
        "the best round reaches it and what is missing; decides nothing",
    )
    min_gain: float = Field(
        0.0,
        ge=0,
        description="the gain that the lower bound must exceed for *improved*, in units "
        "of the primary score",
    )
    valid: float = Field(
        0.1,
        ge=0,
        lt=0.5,
        description="share of train (below 0.5) that is split off by group for "
        "validation loss, where the source gives no `valid`",
    )
    replay: float = Field(
        0.0, ge=0, lt=1, allow_inf_nan=False,
        description="share (0 to below 1) of the rows of a training that are general "
"rows of `probes`, beside those of the task "
"([Forgetting](forgetting.md#general-rows)). The shipped "
"`harness.yaml` sets 0.2, and so does `harness init`",
    )  # fmt: skip
    plugins: Annotated[list[Path], BeforeValidator(_names_of_files)] = Field(
        [], description="one-file plugins to load"
    )
    execution: Execution = Field(Execution(), description="how the work is done; changes no result")

    def named(self, key: str) -> Any:
        """What the config holds under a key that names plugins, as it was read."""
        return getattr(self, key)


PLUGIN_KEYS: Mapping[str, StageKind] = {kind.key: kind for kind in KINDS.values() if kind.key}
"""Key of the config -> the kind of stage whose plugins it names."""


def experiment_keys(registry: Registry) -> dict[str, FieldInfo]:
    """Key of the config -> what it is, of all keys that belong to experiments.

    Raises:
        PluginError: two of them, or one and the core, have a key of one name.
    """
    keys: dict[str, FieldInfo] = {}
    for provider in registry.of_stage(Experiment.stage).values():
        for key, field in provider.plugin.Options.model_fields.items():
            if key in keys or key in PLUGIN_KEYS or key in Settings.model_fields:
                raise PluginError(
                    f"the key '{key}' of the config is taken", where=provider.origin,
                    hint="give the experiment's option another name",
                )  # fmt: skip
            keys[key] = field
    return keys


def keys_beside(registry: Registry) -> frozenset[str]:
    """Keys of the config by which no round of a run differs.

    They say what is tried beside the rounds, how they are reported, and how the work is done.
    """
    unused = {key for key, kind in PLUGIN_KEYS.items() if kind.in_key == "never"}
    return frozenset({*unused, *experiment_keys(registry), "execution"})


@functools.lru_cache(maxsize=8)  # a model takes ten milliseconds, and a run asks a thousand times
def whole_config(registry: Registry) -> type[Settings]:
    """All keys of a config with these plugins: what a file holds is checked by it.

    Whatever names plugins, or belongs to one, is checked with that plugin and may be anything here.
    """
    kinds = {
        key: (Any, Field(kind.default, description=kind.description))
        for key, kind in PLUGIN_KEYS.items()
    }
    experiments = {key: (Any, field.default) for key, field in experiment_keys(registry).items()}
    return create_model("Settings", __base__=Settings, **kinds, **experiments)  # type: ignore[call-overload, no-any-return]


def fields(registry: Registry) -> dict[str, FieldInfo]:
    """Every key of the config, in the order of the reference and of a run's ``config.yaml``."""
    experiments, model_fields = experiment_keys(registry), whole_config(registry).model_fields
    ordered: list[str] = []
    for name in Settings.model_fields:
        if KINDS[Experiment.stage].before == name:
            ordered += experiments
        ordered += [key for key, kind in PLUGIN_KEYS.items() if kind.before == name]
        ordered.append(name)
    ordered += [key for key, kind in PLUGIN_KEYS.items() if key not in ordered]
    return {name: experiments.get(name) or model_fields[name] for name in ordered}


def plugin_files(values: Mapping[str, Any], folder: Path) -> list[Path]:
    """The one-file plugins that a config in ``folder`` names; none where it cannot be accepted.

    Args:
        values: as they were read.
    """
    try:
        return [folder / name for name in _names_of_files(values.get("plugins", []))]
    except ValueError:
        return []
