"""How tokens are chosen: by the options alone, or by what the model's makers say."""

from __future__ import annotations

import copy
from typing import Any

from harness_transformers.stops import Stops

NEUTRAL = {
    *("bos_token_id", "eos_token_id", "pad_token_id", "transformers_version", "use_cache"),
    *("max_length", "max_new_tokens", "_from_model_config", "output_attentions"),
    *("output_hidden_states", "output_scores", "output_logits", "return_dict_in_generate"),
    *("cache_implementation", "cache_config", "compile_config", "disable_compile"),
}
"""Settings of a generation config that choose no token."""
SAMPLING = {"temperature", "top_p", "top_k", "min_p", "typical_p", "epsilon_cutoff", "eta_cutoff"}
"""Those that do nothing without ``do_sample``."""


def config_for(options: Any, models: Any, stops: Stops, pad: int) -> Any:
    """The whole generation config.

    Args:
        options: the generator's; they decide alone unless ``generation_config`` is ``model``.
        models: the model's own generation config; not changed.
    """
    from transformers import GenerationConfig

    shared = {
        "max_new_tokens": options.max_new_tokens,
        "max_length": None,
        "eos_token_id": sorted(stops.tokens) or None,
        "pad_token_id": pad,
    }
    if options.generation_config == "model":
        config = copy.deepcopy(models)
        config.update(
            **shared, num_return_sequences=1, return_dict_in_generate=False, output_scores=False,
            output_logits=False, output_attentions=False, output_hidden_states=False,
        )  # fmt: skip
        return config
    drawn = {"temperature": options.temperature, "top_p": options.top_p, "top_k": options.top_k}
    return GenerationConfig(
        **shared,
        do_sample=options.do_sample,
        num_beams=1,
        min_new_tokens=options.min_new_tokens or None,
        **(drawn if options.do_sample else {}),
    )


def choices(config: Any) -> dict[str, Any]:
    """What of a generation config chooses tokens: name -> value, where it is not neutral."""
    options = {
        name: value for name, value in config.to_diff_dict().items()
        if name not in NEUTRAL and value is not None and value is not False
    }  # fmt: skip
    neutral = {"num_beams": 1, "num_return_sequences": 1, "repetition_penalty": 1.0}
    options = {name: value for name, value in options.items() if neutral.get(name) != value}
    if not options.get("do_sample"):
        options = {name: value for name, value in options.items() if name not in SAMPLING}
    return dict(sorted(options.items()))


def remark(options: Any, models: Any) -> str:
    """What a reader has to know of whose settings chose the tokens; empty if nothing."""
    own = ", ".join(f"{name} {value}" for name, value in choices(models).items())
    if options.generation_config == "model":
        return (
            f"answers are generated with the model's own settings: {own or 'the likeliest token'}"
        )
    if not own:
        return ""
    return (
        f"the model's own generation settings are not used ({own}); "
        "generate: {generation_config: model} uses them"
    )
