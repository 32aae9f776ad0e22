"""Tiny random models of many architectures, with chat templates that differ in kind.

Each template is a short one of the kind that the named family really has. Nothing is downloaded:
tokenizer and weights are made in a folder in about a tenth of a second.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

WORDS = [
    *("def", "return", "the", "a", "list", "of", "names", "value"),
    *("first", "last", "open", "close", "count", "find", "red", "blue"),
]
VOCABULARY = 340
"""More than any tokenizer here has: some rows of the embedding belong to no token."""

CHATML = (
    "{%- if messages[0]['role'] != 'system' %}"
    "{{ '<|im_start|>system\\nYou are helpful.<|im_end|>\\n' }}{%- endif %}"
    "{%- for m in messages %}"
    "{{ '<|im_start|>' + m['role'] + '\\n' + m['content'] + '<|im_end|>\\n' }}{%- endfor %}"
    "{%- if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{%- endif %}"
)
THINKING = (
    "{%- if tools %}{{ '<|im_start|>system\\n<tools>' }}"
    "{%- for tool in tools %}{{ tool | tojson }}{%- endfor %}"
    "{{ '</tools><|im_end|>\\n' }}{%- endif %}"
    "{%- for m in messages %}"
    "{%- if m.role == 'tool' %}"
    "{{ '<|im_start|>user\\n<tool_response>\\n' + m.content + '\\n</tool_response><|im_end|>\\n' }}"
    "{%- elif m.role == 'assistant' %}{{ '<|im_start|>assistant\\n' }}"
    "{%- if loop.last %}{{ '<think>\\n\\n</think>\\n\\n' }}{%- endif %}{{ m.content or '' }}"
    "{%- for call in m.tool_calls or [] %}"
    "{{ '<tool_call>' + (call.function | tojson) + '</tool_call>' }}{%- endfor %}"
    "{{ '<|im_end|>\\n' }}"
    "{%- else %}{{ '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>\\n' }}{%- endif %}"
    "{%- endfor %}"
    "{%- if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}"
    "{%- if enable_thinking is defined and enable_thinking is false %}"
    "{{ '<think>\\n\\n</think>\\n\\n' }}{%- endif %}{%- endif %}"
)
DATED = (
    "{%- if not date_string is defined %}"
    "{%- set date_string = strftime_now('%d %b %Y') %}{%- endif %}"
    "{{ bos_token }}{{ '<|head|>system<|/head|>\\n\\nToday Date: ' + date_string + '\\n\\n' }}"
    "{%- if messages[0]['role'] == 'system' %}{{ messages[0]['content'] | trim }}"
    "{%- set messages = messages[1:] %}{%- endif %}{{ '<|eot_id|>' }}"
    "{%- for m in messages %}"
    "{{ '<|head|>' + m['role'] + '<|/head|>\\n\\n' + (m['content'] | trim) + '<|eot_id|>' }}"
    "{%- endfor %}"
    "{%- if add_generation_prompt %}{{ '<|head|>assistant<|/head|>\\n\\n' }}{%- endif %}"
)
NO_SYSTEM = (
    "{{ bos_token }}{%- if messages[0]['role'] == 'system' %}"
    "{{ raise_exception('System role not supported') }}{%- endif %}"
    "{%- for m in messages %}"
    "{%- set role = 'model' if m['role'] == 'assistant' else m['role'] %}"
    "{{ '<start_of_turn>' + role + '\\n' + (m['content'] | trim) + '<end_of_turn>\\n' }}"
    "{%- endfor %}"
    "{%- if add_generation_prompt %}{{ '<start_of_turn>model\\n' }}{%- endif %}"
)
INSTRUCTION = (
    "{{ bos_token }}{%- for m in messages %}"
    "{%- if m['role'] == 'user' %}{{ '[INST] ' + m['content'] + ' [/INST]' }}"
    "{%- elif m['role'] == 'tool' %}{{ '[TOOL_RESULTS] ' + m['content'] + ' [/TOOL_RESULTS]' }}"
    "{%- elif m['tool_calls'] %}"
    "{{ '[TOOL_CALLS] ' + (m['tool_calls'] | tojson) + eos_token }}"
    "{%- elif m['role'] == 'assistant' %}{{ ' ' + m['content'] + eos_token }}{%- endif %}"
    "{%- endfor %}"
)
ENDS_WITH_EOS = (
    "{%- for m in messages %}{{ '<|' + m['role'] + '|>\\n' + m['content'] + eos_token + '\\n' }}"
    "{%- endfor %}{%- if add_generation_prompt %}{{ '<|assistant|>\\n' }}{%- endif %}"
)
PLAIN_END = (
    "{%- for m in messages %}{{ '<|' + m['role'] + '|>\\n' + m['content'] + '<|end|>\\n' }}"
    "{%- endfor %}{%- if add_generation_prompt %}{{ '<|assistant|>\\n' }}{%- endif %}"
)


class Architecture(NamedTuple):
    """A tiny model.

    Attributes:
        kind: transformers' name of the architecture (``Qwen2`` of ``Qwen2ForCausalLM``).
        special: all special tokens.
        end: the text with which the template ends a turn.
        lead: what the template puts between a prompt and its answer in training.
        quick: whether the quick greedy path can serve it.
        settings: of its config, beyond the sizes that all have.
        added: tokens that are added but not special.
        pieces: a SentencePiece-like tokenizer instead of a byte-level one.
        targets: layers that LoRA can be put upon.
    """

    kind: str
    template: str
    special: tuple[str, ...]
    end: str
    eos: str
    pad: str | None = None
    bos: str | None = None
    lead: str = ""
    quick: bool = True
    settings: Mapping[str, Any] = {}
    added: tuple[str, ...] = ()
    pieces: bool = False
    targets: Any = "all-linear"

    def save(self, folder: Path) -> Path:
        """Tokenizer and weights into ``folder``."""
        save_tokenizer(self, folder)
        save_weights(self, folder)
        return folder


ARCHITECTURES: Mapping[str, Architecture] = {
    # An EOS that ends a document and not a turn, as in base models that bring ChatML.
    "qwen2": Architecture(
        "Qwen2", CHATML, ("<|endoftext|>", "<|im_start|>", "<|im_end|>"), "<|im_end|>",
        eos="<|endoftext|>", pad="<|endoftext|>",
    ),
    # A thinking switch and turns of tools; an added token that is not special.
    "qwen3": Architecture(
        "Qwen3", THINKING, ("<|endoftext|>", "<|im_start|>", "<|im_end|>"), "<|im_end|>",
        eos="<|im_end|>", pad="<|endoftext|>", lead="<think>\n\n</think>\n\n",
        added=("<think>", "</think>"),
    ),
    # Prints today's date; EOS ends a document.
    "llama": Architecture(
        "Llama", DATED, ("<|begin|>", "<|end_of_text|>", "<|head|>", "<|/head|>", "<|eot_id|>"),
        "<|eot_id|>", eos="<|end_of_text|>", bos="<|begin|>",
    ),
    # Raises on a system turn; sliding windows in every other layer, soft caps of the logits.
    "gemma2": Architecture(
        "Gemma2", NO_SYSTEM, ("<pad>", "<eos>", "<bos>", "<start_of_turn>", "<end_of_turn>"),
        "<end_of_turn>", eos="<eos>", pad="<pad>", bos="<bos>", quick=False,
        settings={"sliding_window": 8, "query_pre_attn_scalar": 8},
    ),
    # EOS equal to the end of turn, SentencePiece-like pieces, a space before each answer, tools,
    # a sliding window in each layer.
    "mistral": Architecture(
        "Mistral", INSTRUCTION, ("<unk>", "<s>", "</s>", "[INST]", "[/INST]"), "</s>",
        eos="</s>", bos="<s>", lead=" ", quick=False, settings={"sliding_window": 8}, pieces=True,
    ),
    "phi3": Architecture(
        "Phi3", PLAIN_END, ("<|endoftext|>", "<|end|>", "<|user|>", "<|assistant|>"), "<|end|>",
        eos="<|endoftext|>", pad="<|endoftext|>",
    ),
    # No pad token; learned positions; EOS equal to the end of turn.
    "gpt2": Architecture(
        "GPT2", ENDS_WITH_EOS, ("<|endoftext|>",), "<|endoftext|>", eos="<|endoftext|>",
    ),
    "gpt-neox": Architecture(
        "GPTNeoX", ENDS_WITH_EOS, ("<|endoftext|>",), "<|endoftext|>", eos="<|endoftext|>",
    ),
    # No cache of keys and values at all.
    "mamba": Architecture(
        "Mamba", CHATML, ("<|endoftext|>", "<|im_start|>", "<|im_end|>"), "<|im_end|>",
        eos="<|endoftext|>", pad="<|endoftext|>", quick=False,
        settings={"state_size": 4, "expand": 1, "time_step_rank": 4}, targets=["in_proj", "x_proj"],
    ),
}  # fmt: skip


def save_tokenizer(made: Architecture, folder: Path) -> None:
    """A tokenizer of about 300 tokens, trained on a few words."""
    from tokenizers import AddedToken
    from transformers import PreTrainedTokenizerFast

    backend = _pieces(made) if made.pieces else _bytes(made)
    backend.add_tokens([AddedToken(text, normalized=False) for text in made.added])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=backend, eos_token=made.eos, pad_token=made.pad, bos_token=made.bos,
        additional_special_tokens=list(made.special),
    )  # fmt: skip
    tokenizer.chat_template = made.template
    tokenizer.save_pretrained(folder)


def _bytes(made: Architecture) -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=300, special_tokens=list(made.special), show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )  # fmt: skip
    backend.train_from_iterator([" ".join(WORDS)] * 3, trainer)
    return backend


def _pieces(made: Architecture) -> Any:
    from tokenizers import Tokenizer, decoders, models, normalizers, trainers

    backend = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    backend.normalizer = normalizers.Replace(" ", "\u2581")
    backend.decoder = decoders.Sequence(
        [
            decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse(),
            decoders.Strip(content=" ", left=1),
        ]
    )  # fmt: skip
    trainer = trainers.BpeTrainer(
        vocab_size=280, special_tokens=list(made.special), show_progress=False,
        initial_alphabet=[chr(code) for code in range(33, 127)] + ["\u2581", "\n", "\t"],
    )  # fmt: skip
    backend.train_from_iterator(WORDS * 3, trainer)
    return backend


def save_weights(made: Architecture, folder: Path) -> None:
    """Random weights of two layers."""
    import torch
    import transformers

    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    torch.manual_seed(1)
    config = getattr(transformers, f"{made.kind}Config")(
        vocab_size=VOCABULARY, hidden_size=32, intermediate_size=64, num_hidden_layers=2,
        num_attention_heads=4, max_position_embeddings=512, initializer_range=0.3,
        eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.bos_token_id, tie_word_embeddings=False,
        **({} if made.kind in ("GPT2", "GPTNeoX", "Mamba") else {"num_key_value_heads": 2}),
        **({"head_dim": 8} if made.kind in ("Gemma2", "Mistral", "Qwen3") else {}),
        **made.settings,
    )  # fmt: skip
    model = transformers.AutoModelForCausalLM.from_config(config)
    model.save_pretrained(folder)


SILENCED = {"o_proj", "down_proj", "c_proj", "dense", "dense_4h_to_h", "out_proj", "wpe"}
"""What layers add to the stream of embeddings, and learned positions."""


def script(folder: Path, tokens: list[int]) -> None:
    """Make the model in ``folder`` say of each of these tokens the next one, and so on.

    Its layers add nothing any more, so that the output matrix sees the last token's embedding.
    """
    import torch
    from transformers import AutoModelForCausalLM

    if len(set(tokens)) < len(tokens):
        raise ValueError(f"a token stands twice in {tokens}")
    model = AutoModelForCausalLM.from_pretrained(folder)
    with torch.no_grad():
        for name, module in model.named_modules():
            if name.rsplit(".", 1)[-1] in SILENCED:
                for parameter in module.parameters():
                    parameter.zero_()
        inputs, outputs = (
            matrix.weight
            for matrix in (model.get_input_embeddings(), model.get_output_embeddings())
        )
        outputs.zero_()
        for one, next_one in itertools.pairwise(tokens):
            outputs[next_one] = inputs[one] / inputs[one].norm()
    model.save_pretrained(folder)
