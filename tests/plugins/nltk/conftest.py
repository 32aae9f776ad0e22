"""The full WordNet 3.0 for NLTK."""

from __future__ import annotations

import os
import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

# WordNet's own name for the variable that says where its database is.
WORDNET = Path(os.environ.get("WNSEARCHDIR", "/usr/share/wordnet"))
LEXNAMES = {
    3: "adj.all adj.pert",
    4: "adv.all",
    1: "noun.Tops noun.act noun.animal noun.artifact noun.attribute noun.body noun.cognition "
    "noun.communication noun.event noun.feeling noun.food noun.group noun.location noun.motive "
    "noun.object noun.person noun.phenomenon noun.plant noun.possession noun.process "
    "noun.quantity noun.relation noun.shape noun.state noun.substance noun.time",
    2: "verb.body verb.change verb.cognition verb.communication verb.competition "
    "verb.consumption verb.contact verb.creation verb.emotion verb.motion verb.perception "
    "verb.possession verb.social verb.stative verb.weather",
}


def _lexnames() -> str:
    names = [(name, part) for part, group in LEXNAMES.items() for name in group.split()]
    names.append(("adj.ppl", 3))
    return "".join(f"{i:02d}\t{name}\t{part}\n" for i, (name, part) in enumerate(names))


@pytest.fixture(scope="session")
def wordnet_folder() -> Path:
    """A folder with the whole of WordNet 3.0."""
    if not all((WORDNET / name).is_file() for name in ("data.noun", "index.sense")):
        pytest.skip(
            "the full WordNet 3.0 is not here: apt-get install wordnet-base wordnet-sense-index, "
            "or set WNSEARCHDIR to its folder"
        )
    return WORDNET


@pytest.fixture(scope="session")
def full_wordnet(wordnet_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """NLTK's own reader of the whole WordNet 3.0, from a temporary data folder."""
    import nltk
    from nltk.corpus.reader.wordnet import WordNetCorpusReader

    root = tmp_path_factory.mktemp("nltk_data")
    corpus = root / "corpora" / "wordnet"
    corpus.mkdir(parents=True)
    for name in WordNetCorpusReader._FILES:
        if name != "lexnames":
            shutil.copyfile(wordnet_folder / name, corpus / name)
    (corpus / "lexnames").write_text(_lexnames(), encoding="ascii")
    for path in (root, root / "corpora", corpus):
        path.chmod(0o700)
    nltk.data.path.append(str(root))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns that it knows no other language
        reader = WordNetCorpusReader(nltk.data.find("corpora/wordnet"), None)
    assert reader.get_version() == "3.0"
    yield reader
    for opened in (*reader._data_file_map.values(), reader._key_count_file):
        if opened is not None:
            opened.close()
    nltk.data.path.remove(str(root))
