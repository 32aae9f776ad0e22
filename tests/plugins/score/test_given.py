"""``harness.compare``: answers of one's own tests, as texts or files, and what they say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import harness

REFERENCES = [f"the parcel number {number} arrives on monday" for number in range(40)]
GOOD = [text.replace("monday", "friday") for text in REFERENCES]
BAD = ["no idea" for _ in REFERENCES]


def test_it_says_whether_answers_are_better_and_by_how_much() -> None:
    gain = harness.compare(GOOD, BAD, REFERENCES, metric="rouge", score="rougeL")
    assert (gain.improved, gain.regressed, gain.name, gain.n) == (True, False, "rougeL", 40)
    assert gain.low is not None and gain.high is not None and gain.difference is not None
    assert gain.low <= gain.difference <= gain.high
    assert harness.compare(BAD, GOOD, REFERENCES, metric="rouge").regressed
    assert harness.compare(BAD, GOOD, REFERENCES, metric="rouge").name == "rouge1"


def test_a_failed_assertion_prints_the_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "test_prompt.py"
    file.write_text(f"""
import harness

REFERENCES = {REFERENCES!r}
OLD = [text.replace("monday", "friday") for text in REFERENCES]
NEW = [*REFERENCES[:3], *OLD[3:37], "no idea", "no idea", "no"]

def test_the_new_prompt_is_better():
    assert harness.compare(NEW, OLD, REFERENCES, metric="rouge").improved
""")
    options = ("-p", "no:cacheprovider", "-p", "no:xdist", "-c", "/dev/null", "--rootdir")
    assert pytest.main([*options, str(tmp_path), str(file)]) == 1
    shown = capsys.readouterr().out
    assert "where False = <no evidence: rouge1 -0.0" in shown
    assert "(+ is better), 95 % interval -0." in shown and "; 40 rows>.improved" in shown


def test_files_texts_by_id_and_lists_are_the_same(tmp_path: Path) -> None:
    by_id = {f"r{n}": text for n, text in enumerate(GOOD)}
    references: dict[str, list[str]] = {f"r{n}": [text] for n, text in enumerate(REFERENCES)}
    files = {
        "new.jsonl": [{"id": name, "text": text} for name, text in by_id.items()],
        "refs.jsonl": [{"id": name, "references": texts} for name, texts in references.items()],
    }
    for name, rows in files.items():
        (tmp_path / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    old = {f"r{n}": text for n, text in enumerate(BAD)}
    shuffled = dict(reversed(old.items()))
    expected = harness.compare(GOOD, BAD, REFERENCES, metric="rouge")
    assert harness.compare(by_id, shuffled, references, metric="rouge") == expected
    paths = (str(tmp_path / "new.jsonl"), old, tmp_path / "refs.jsonl")
    assert harness.compare(*paths, metric="rouge") == expected
    [entry] = harness.make_metrics({"rouge": {"types": ["rougeL"]}})
    assert harness.compare(GOOD, BAD, REFERENCES, metric=entry).name == "rougeL"


@pytest.mark.parametrize(
    ("new", "references", "metric", "score", "told"),
    [
        (GOOD[1:], REFERENCES, "rouge", "", "system 1 has 39 rows, references has 40 rows"),
        (GOOD, REFERENCES, "rogue", "", "did you mean 'rouge'"),
        (GOOD, REFERENCES, "rouge", "rougel", "did you mean 'rougeL'"),
        ([*GOOD[1:], 7], REFERENCES, "rouge", "", "system 1[39]: this is the number 7, not a text"),
        (GOOD, [[1], *REFERENCES[1:]], "rouge", "", "references[0]: this is the number 1"),
        (7, REFERENCES, "rouge", "", "a path, a list of texts or texts by id is needed"),
        ([], REFERENCES, "rouge", "", "no rows at all"),
        ("no.jsonl", REFERENCES, "rouge", "", "there is no such file"),
    ],
)
def test_what_does_not_fit_is_said(
    new: Any, references: Any, metric: str, score: str, told: str
) -> None:
    with pytest.raises(harness.HarnessError) as refused:
        harness.compare(new, BAD, references, metric=metric, score=score)
    error = refused.value
    assert told in " ".join([f"{error.where}: {error.what}", *error.details]), error
