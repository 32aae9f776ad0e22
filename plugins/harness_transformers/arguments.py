"""transformers' TrainingArguments: which of them are the user's, and how they are made."""

from __future__ import annotations

import ast
import functools
import importlib.util
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import harness
from harness import near
from harness.errors.installing import install_extra
from harness.kit import trackers as tracker_names

OWNED = {
    "output_dir": "the stage's folder", "seed": "seed:", "data_seed": "seed:",
    "learning_rate": "learning_rate:", "num_train_epochs": "epochs:",
    "per_device_train_batch_size": "batch_size:", "per_device_eval_batch_size": "batch_size:",
    "auto_find_batch_size": "batch_size:",
    "gradient_accumulation_steps": "accumulation:", "bf16": "precision:", "fp16": "precision:",
    "lr_scheduler_type": "scheduler:", "warmup_ratio": "warmup:", "warmup_steps": "warmup:",
    "weight_decay": "weight_decay:", "remove_unused_columns": "the collator's needs",
    "logging_nan_inf_filter": "the check for a non-finite loss", "logging_steps": "the log",
    "logging_strategy": "the log",
    "save_strategy": "execution.checkpoint_minutes:",
    "resume_from_checkpoint": "execution.checkpoint_minutes:",
    "fsdp": "strategy:", "fsdp_config": "strategy:",
    "use_cpu": "the device", "disable_tqdm": "the progress display",
    "eval_strategy": "validation on a grid of steps",
}  # fmt: skip
"""TrainingArguments that the harness sets, and what to use instead."""

_LOSS = "the loss is the cross entropy of the learned tokens, computed here"
_VALIDATION = "validation is the loss on a grid of steps, computed here"
_SAVING = "checkpoints are written by execution.checkpoint_minutes"
_PUSHING = "nothing is pushed to the hub"
IGNORED = {
    "label_smoothing_factor": _LOSS, "label_names": _LOSS,
    "average_tokens_across_devices": _LOSS,
    **dict.fromkeys(
        ("ddp_find_unused_parameters", "ddp_bucket_cap_mb", "ddp_broadcast_buffers",
         "ddp_static_graph"),
        "the gradients of several processes are added up here, once for each step",
    ),
    **dict.fromkeys(
        ("eval_steps", "eval_delay", "eval_on_start", "eval_accumulation_steps",
         "eval_do_concat_batches", "eval_use_gather_object", "prediction_loss_only",
         "include_for_metrics", "batch_eval_metrics", "bf16_full_eval", "fp16_full_eval",
         "do_train", "do_eval", "do_predict"),
        _VALIDATION,
    ),
    **dict.fromkeys(
        ("save_steps", "save_total_limit", "save_only_model", "save_on_each_node",
         "enable_jit_checkpoint", "ignore_data_skip", "restore_callback_states_from_checkpoint"),
        _SAVING,
    ),
    **dict.fromkeys(
        ("load_best_model_at_end", "metric_for_best_model", "greater_is_better"),
        "rounds are chosen by their answers to dev",
    ),
    **dict.fromkeys(
        ("push_to_hub", "hub_model_id", "hub_token", "hub_strategy", "hub_private_repo",
         "hub_always_push", "hub_revision"),
        _PUSHING,
    ),
    "use_cache": "training uses no cache of keys and values",
}  # fmt: skip
"""TrainingArguments that would change nothing, and why."""

UNLIKE = {
    "neftune_noise_alpha": "its noise is scaled by how rows lie in a batch, which differs by device"
}
"""TrainingArguments that would not do here what they do in transformers, and why."""

TRACKERS = {
    "azure_ml": ("azureml",), "clearml": ("clearml",), "codecarbon": ("codecarbon",),
    "comet_ml": ("comet_ml",), "dagshub": ("dagshub", "mlflow"), "dvclive": ("dvclive",),
    "flyte": ("flytekit",), "kubeflow": ("kubeflow",), "mlflow": ("mlflow",),
    "neptune": ("neptune",), "swanlab": ("swanlab",), "tensorboard": ("tensorboard",),
    "trackio": ("trackio",), "wandb": ("wandb",),
}  # fmt: skip
"""Values of report_to, and the modules that each needs."""


def allowed(key: str) -> str:
    """The key, if it is the user's to set.

    Raises:
        ValueError: the harness sets it, it would change nothing or something else than it says,
            or transformers has none such.
    """
    if key in OWNED:
        raise ValueError(f"'{key}' belongs to the harness: use {OWNED[key]}")
    if key in IGNORED:
        raise ValueError(f"'{key}' would change nothing: {IGNORED[key]}")
    if key in UNLIKE:
        raise ValueError(f"'{key}' would not do what it does in transformers: {UNLIKE[key]}")
    keys = names()
    if keys and key not in keys:
        raise ValueError(
            f"transformers has no TrainingArguments key '{key}'{near(key, sorted(keys))}"
        )
    return key


@functools.cache
def names() -> frozenset[str]:
    """The keys of transformers' TrainingArguments."""
    return frozenset(
        line.target.id
        for line in _body("training_args.py", "TrainingArguments")
        if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name)
    )


def _values(file: str, kind: str) -> list[str]:
    """The values of one of transformers' enumerations."""
    constants = (line.value for line in _body(file, kind) if isinstance(line, ast.Assign))
    return [node.value for node in constants if isinstance(node, ast.Constant)
            and isinstance(node.value, str)]  # fmt: skip


def _body(file: str, kind: str) -> list[ast.stmt]:
    """The statements of a class of transformers, from its source.

    Importing it takes seconds, too long for checking a config. Empty if there is no source.
    """
    spec = importlib.util.find_spec("transformers")
    if spec is None or not spec.origin:
        return []
    try:
        tree = ast.parse((Path(spec.origin).parent / file).read_bytes())
    except (OSError, SyntaxError):
        return []
    classes = [n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == kind]
    return [line for node in classes for line in node.body]


def misnamed(scheduler: str, args: Mapping[str, Any]) -> Iterator[harness.Problem]:
    """A schedule or an optimizer that transformers does not have."""
    for place, name, file, kind in (
        (("scheduler",), scheduler, "trainer_utils.py", "SchedulerType"),
        (("args", "optim"), args.get("optim"), "training_args.py", "OptimizerNames"),
    ):
        values = _values(file, kind)
        if name is not None and values and name not in values:
            message = f"transformers has no {place[-1]} '{name}'{near(str(name), values)}"
            yield harness.Problem(f"{message}; known: {', '.join(values)}", place)


def missing_trackers(args: Mapping[str, Any]) -> Iterator[harness.Problem]:
    """Trackers of ``report_to`` that transformers does not know or that are not installed."""
    for name in tracker_names.named(args.get("report_to")):
        if name == tracker_names.ALL:
            continue
        place = ("args", "report_to")
        if name not in TRACKERS:
            known = ", ".join(sorted(TRACKERS))
            message = f"transformers reports to no '{name}'{near(name, list(TRACKERS))}"
            yield harness.Problem(f"{message}; known: {known}", place)
            continue
        modules = [m for m in TRACKERS[name] if importlib.util.find_spec(m) is None]
        if modules:
            lack = " and ".join(modules)
            message = f"'{name}' needs the package {lack}, which is not installed here"
            if name in tracker_names.FULL:
                message += f": {install_extra(name)}"
            yield harness.Problem(message, place, "environment")


def schedule(options: Any, rows: int) -> harness.Schedule:
    """The steps of a training, as transformers' ``Trainer.set_initial_training_values`` has them.

    Args:
        options: the trainer's.
    """
    whole = rows // options.batch_size
    left = 0 if options.args.get("dataloader_drop_last") else int(rows % options.batch_size > 0)
    each = max(-(-(whole + left) // options.accumulation), 1)
    fixed = options.args.get("max_steps", -1)
    if fixed > 0:
        return harness.Schedule(fixed, fixed / each)
    return harness.Schedule(math.ceil(options.epochs * each), float(options.epochs))


def make(options: Any, context: harness.Context, kind: Any = None, **more: Any) -> Any:
    """The TrainingArguments of one training on one device.

    Args:
        kind: a class of such arguments with more keys; None: transformers' own.
        more: values of these, in place of the defaults for ``options.args``, too.

    Raises:
        ConfigError: transformers refuses them.
    """
    from transformers import TrainingArguments

    from harness_transformers import devices, trackers

    owned = {
        "output_dir": str(context.output),
        "seed": context.seed,
        "learning_rate": options.learning_rate,
        "num_train_epochs": options.epochs,
        "per_device_train_batch_size": options.batch_size,
        "per_device_eval_batch_size": options.batch_size,
        "gradient_accumulation_steps": options.accumulation,
        "lr_scheduler_type": options.scheduler,
        "warmup_steps": options.warmup,
        "weight_decay": options.weight_decay,
        "use_cpu": devices.current().type == "cpu",
        "remove_unused_columns": False,
        "logging_nan_inf_filter": False,
        "logging_steps": 1,
        "save_strategy": "no",
        "eval_strategy": "no",
        "disable_tqdm": True,
        "average_tokens_across_devices": False,
    }
    free: Mapping[str, Any] = {
        "report_to": "none",
        "run_name": f"{context.run} {trackers.label(context)}".strip(),
        "train_sampling_strategy": "group_by_length",
        "length_column_name": "length",
        "dataloader_pin_memory": False,
        **more,
        **options.args,
    }
    try:
        arguments = (kind or TrainingArguments)(**owned, **free)
    except (TypeError, ValueError, ImportError) as error:
        raise harness.ConfigError(
            f"transformers refuses these settings: {error}",
            where="train.args" if options.args else "train",
        ) from error
    devices.one_of_several(arguments, context)
    return arguments
