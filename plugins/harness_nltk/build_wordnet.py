"""Makes ``data/wordnet30.xz``: the facts of WordNet 3.0 that METEOR needs, in a small file.

    python -m harness_nltk.build_wordnet /usr/share/wordnet

The folder holds WordNet 3.0's ``data.*``, ``index.*`` and ``*.exc`` (Debian: the package
``wordnet-base``). The file is a text, compressed: for noun, verb, adjective and adverb in turn
a block of synsets (one a line, its words) and a block of exceptions (``form base …``), with an
empty line between blocks. What can change no METEOR score is left out: synsets in which no
plain lower-case word stands, and lone words that another synset holds too.
"""

from __future__ import annotations

import atexit
import hashlib
import lzma
import re
import shutil
import sys
import tempfile
import warnings
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from harness_nltk.wordnet import DATA, PARTS, is_plain

_LEXNAMES = {
    "adj": "all pert",
    "adv": "all",
    "noun": "Tops act animal artifact attribute body cognition communication event feeling food "
    "group location motive object person phenomenon plant possession process quantity relation "
    "shape state substance time",
    "verb": "body change cognition communication competition consumption contact creation emotion "
    "motion perception possession social stative weather",
}
_MARKER = re.compile(r"\([^()]*\)$")


def read_lines(path: Path) -> Iterator[list[str]]:
    """The fields of each line that is not part of the licence (which is indented)."""
    for line in path.read_text(encoding="utf-8").split("\n"):
        if line and not line.startswith(" "):
            yield line.split()


def read_synsets(folder: Path, part: str) -> dict[int, list[str]]:
    """Offset -> the synset's words as they are written (without syntactic markers)."""
    synsets = {}
    for fields in read_lines(folder / f"data.{part}"):
        count = int(fields[3], 16)
        words = fields[4 : 4 + 2 * count : 2]
        synsets[int(fields[0])] = [_MARKER.sub("", word) for word in words]
    return synsets


def read_index(folder: Path, part: str) -> dict[str, set[int]]:
    """Lemma (lower case) -> offsets of its synsets."""
    index = {}
    for fields in read_lines(folder / f"index.{part}"):
        count = int(fields[2])
        index[fields[0]] = {int(offset) for offset in fields[-count:]}
    return index


def check_index(synsets: dict[int, list[str]], index: dict[str, set[int]], part: str) -> None:
    """The data file alone must tell what the index says, else our file would lose it."""
    derived: dict[str, set[int]] = defaultdict(set)
    for offset, words in synsets.items():
        for word in words:
            derived[word.lower()].add(offset)
    if derived != index:
        raise SystemExit(f"data.{part} and index.{part} do not agree")


def useful(synsets: Iterable[list[str]]) -> list[str]:
    """The lines of the synsets that can change a score, words and lines sorted."""
    lines = {tuple(sorted(set(words))) for words in synsets if any(map(is_plain, words))}
    in_company = {word for words in lines if len(words) > 1 for word in words}
    rest = (words for words in lines if len(words) > 1 or words[0] not in in_company)
    return sorted(" ".join(words) for words in rest)


def read_exceptions(folder: Path, part: str) -> list[str]:
    """Lines ``form base …``; of a form that is listed twice the last line counts."""
    exceptions = {fields[0]: fields for fields in read_lines(folder / f"{part}.exc")}
    return sorted(" ".join(fields) for fields in exceptions.values())


def extract(folder: Path) -> str:
    """The text of the data file."""
    blocks = []
    for part in PARTS:
        synsets = read_synsets(folder, part)
        check_index(synsets, read_index(folder, part), part)
        blocks += [useful(synsets.values()), read_exceptions(folder, part)]
    return "\n\n".join("\n".join(block) for block in blocks)


def lexnames() -> str:
    """WordNet's table of its files, which Debian leaves out: number, name, part of speech."""
    names = [f"{part}.{name}" for part, group in _LEXNAMES.items() for name in group.split()]
    names.append("adj.ppl")
    numbers = {part: number for number, part in enumerate(PARTS, start=1)}
    return "".join(
        f"{place:02d}\t{name}\t{numbers[name.partition('.')[0]]}\n"
        for place, name in enumerate(names)
    )


def nltk_reader(folder: Path) -> Any:
    """NLTK's own reader of a whole WordNet 3.0, to compare with; it wants a private copy."""
    import nltk
    from nltk.corpus.reader.wordnet import WordNetCorpusReader

    root = tempfile.mkdtemp(prefix="nltk-data-")
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    corpus = Path(root, "corpora", "wordnet")
    corpus.mkdir(parents=True)
    for name in set(WordNetCorpusReader._FILES) - {"lexnames"}:
        shutil.copyfile(folder / name, corpus / name)
    (corpus / "lexnames").write_text(lexnames(), encoding="ascii")
    for path in (corpus.parent, corpus):
        path.chmod(0o700)
    for path in corpus.iterdir():
        path.chmod(0o600)
    nltk.data.path.append(root)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns that it knows no other language
        return WordNetCorpusReader(nltk.data.find("corpora/wordnet"), None)


def main(arguments: list[str]) -> None:
    if len(arguments) != 1:
        raise SystemExit("usage: python -m harness_nltk.build_wordnet FOLDER")
    packed = lzma.compress(extract(Path(arguments[0])).encode(), preset=9 | lzma.PRESET_EXTREME)
    DATA.write_bytes(packed)
    print(f"{DATA}: {len(packed)} bytes")
    print(f'DIGEST = "{hashlib.sha256(packed).hexdigest()}"  # of harness_nltk/wordnet.py')


if __name__ == "__main__":
    main(sys.argv[1:])
