"""A tokenizer as a GGUF file holds it.

llama.cpp knows how texts are split by name alone (``tokenizer.ggml.pre``). The name is found from
the rules that the tokenizer has; one with other rules is refused.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import harness

_LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_QWEN2 = _LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")
TRIED = ("smollm",)
"""Splits that a real tokenizer was tried with; other files are compared where they are made."""
_SPLITS = {_LLAMA3: "llama-bpe", _QWEN2: "qwen2"}
_REPLACED = {"type": "Replace", "pattern": {"String": " "}, "content": "\u2581"}
_PREPENDED = {"type": "Prepend", "prepend": "\u2581"}


def write_vocabulary(writer: Any, tokenizer: Any, size: int, *, bos: bool) -> str:
    """The tokens with their kinds, how texts are split into them, and the chat template.

    Args:
        writer: a ``gguf.GGUFWriter``.
        tokenizer: a fast one of transformers.
        size: rows of the embeddings; rows beyond the tokens are filled up.
        bos: whether prompts begin with the token of the beginning.

    Returns:
        The name of how texts are split.

    Raises:
        UsageError: it is a kind of tokenizer that is not written.
    """
    if not getattr(tokenizer, "is_fast", False):
        raise _refused("it has no tokenizer.json")
    rules = json.loads(tokenizer.backend_tokenizer.to_str())
    tokens = tokenizer.convert_ids_to_tokens(range(size))
    known = tokenizer.get_vocab()
    if len(known) and max(known.values()) >= size:
        raise _refused(f"it has tokens beyond the {size} rows of the embeddings")
    if rules["model"]["type"] != "BPE":
        raise _refused(f"its model is {rules['model']['type']}, not BPE")
    if rules["model"].get("byte_fallback"):  # pieces, with bytes for what they do not cover
        split = _write_pieces(writer, rules, tokens)
    else:
        split = _write_bytes(writer, rules)
    kinds = _kinds(rules, tokens, pieces=split == "default")
    texts = [token if token is not None else f"[PAD{n}]" for n, token in enumerate(tokens)]
    writer.add_token_list([text.encode("utf-8") for text in texts])
    writer.add_token_types(kinds)
    for name in ("bos", "eos", "unk", "pad"):
        if (number := getattr(tokenizer, f"{name}_token_id")) is not None:
            getattr(writer, f"add_{name}_token_id")(number)
    writer.add_add_bos_token(bos)
    writer.add_add_eos_token(False)
    writer.add_chat_template(str(tokenizer.chat_template))
    return split


def _write_bytes(writer: Any, rules: Mapping[str, Any]) -> str:
    """A byte-level tokenizer, as GPT-2's is."""
    split = _split_of(rules.get("pre_tokenizer") or {})
    normalizer = rules.get("normalizer")
    if normalizer is not None and normalizer.get("type") != "NFC":
        raise _refused(f"texts are normalised ({normalizer.get('type')})")
    merges = [
        merge if isinstance(merge, str) else " ".join(merge) for merge in rules["model"]["merges"]
    ]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(split)
    writer.add_token_merges(merges)
    return split


def _split_of(rule: Mapping[str, Any]) -> str:
    """llama.cpp's name of a rule by which texts are split before tokens are merged."""
    steps = list(rule["pretokenizers"]) if rule.get("type") == "Sequence" else [rule]
    last = steps.pop()
    if last.get("type") == "ByteLevel" and not last.get("add_prefix_space"):
        match [step.get("type") for step in steps], last.get("use_regex", True):
            case [], True:
                return "gpt-2"
            case ["Digits"], True if steps[0].get("individual_digits"):
                return "smollm"
            case ["Split"], False:
                pattern = steps[0].get("pattern", {}).get("Regex", "")
                if steps[0].get("behavior") == "Isolated" and pattern in _SPLITS:
                    return _SPLITS[pattern]
    raise _refused("llama.cpp has no name that is known here for how it splits texts")


def _write_pieces(writer: Any, rules: Mapping[str, Any], tokens: list[str | None]) -> str:
    """A tokenizer of pieces with a fallback to bytes, as SentencePiece's BPE is."""
    before = _spaces_before(rules)
    if not {f"<0x{byte:02X}>" for byte in range(256)} <= set(tokens):
        raise _refused("it has no tokens for all bytes")
    ranks: dict[str, int] = {}
    for rank, merge in enumerate(rules["model"]["merges"]):
        first, second = merge.split(" ") if isinstance(merge, str) else merge
        ranks.setdefault(first + second, rank)
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    # The best score is merged first.
    writer.add_token_scores([-float(ranks.get(token or "", len(ranks))) for token in tokens])
    writer.add_add_space_prefix(before)
    return "default"


def _spaces_before(rules: Mapping[str, Any]) -> bool:
    """Whether a space is put before each text.

    Raises:
        UsageError: spaces become something else than ``▁``, or texts are split otherwise.
    """
    normalizer, split = rules.get("normalizer") or {}, rules.get("pre_tokenizer")
    steps = normalizer.get("normalizers", [normalizer] if normalizer else [])
    if steps == [_PREPENDED, _REPLACED] and split is None:
        return True
    if steps == [_REPLACED] and _splits_nothing(split):
        return False
    if not steps and split and split.get("type") == "Metaspace" and not split.get("split", True):
        return bool(split.get("prepend_scheme") in ("first", "always"))
    raise _refused("llama.cpp has no rule that is known here for its white space")


def _splits_nothing(rule: Mapping[str, Any] | None) -> bool:
    """Gemma's tokenizer splits at spaces, of which the normalizer has left none."""
    return rule is None or (rule.get("type") == "Split" and rule.get("pattern") == {"String": " "})


def _kinds(rules: Mapping[str, Any], tokens: list[str | None], *, pieces: bool) -> list[int]:
    import gguf

    added = {entry["id"]: entry for entry in rules["added_tokens"]}
    unknown = rules["model"].get("unk_token")
    kinds = []
    for number, token in enumerate(tokens):
        kind = gguf.TokenType.NORMAL
        if token is None:
            kind = gguf.TokenType.UNUSED
        elif pieces and token == unknown:
            kind = gguf.TokenType.UNKNOWN
        elif number in added:
            special = added[number]["special"]
            kind = gguf.TokenType.CONTROL if special else gguf.TokenType.USER_DEFINED
        elif pieces and len(token) == 6 and token.startswith("<0x") and token.endswith(">"):
            kind = gguf.TokenType.BYTE
        kinds.append(int(kind))
    return kinds


def _refused(why: str) -> harness.UsageError:
    return harness.UsageError(
        f"--gguf: the tokenizer of this model is not written: {why}",
        hint="--merge writes whole weights, from which other programs make GGUF files; --check "
        "compares those with the run",
    )
