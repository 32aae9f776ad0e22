"""The store: whole artifacts or none."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys

import pytest

from harness.engine.artifacts import Artifacts
from harness.engine.journal import Journal
from harness.records import RoundResult
from harness.verdicts.rule import baseline_verdict
from tests.support.waiting import LONG

KEY, OTHER = "a" * 64, "b" * 64


def publish(root, key=KEY, text="hello", stage="train"):
    work = root / "work"
    (work / "deep").mkdir(parents=True)
    (work / "deep" / "x.txt").write_text(text)
    (work / "y.txt").write_text("why")
    return Artifacts(root / "store").publish(stage, key, work, {"tokens": 3}, 1.25)


def find(root, key=KEY, stage="train"):
    store = Artifacts(root / "store")
    return store.find(stage, key), store.damaged


def test_what_was_published_is_found_by_another_process(tmp_path):
    made = publish(tmp_path)
    found, damaged = find(tmp_path)
    assert found == made
    assert found.facts == {"tokens": 3} and found.seconds == 1.25
    assert damaged == [] and not (tmp_path / "work").exists()


def test_nothing_is_found_under_another_key_or_stage(tmp_path):
    publish(tmp_path)
    assert find(tmp_path, OTHER) == (None, [])
    assert find(tmp_path, stage="score") == (None, [])


def test_the_digest_is_of_the_content_alone(tmp_path):
    first = publish(tmp_path / "1")
    second = publish(tmp_path / "2", OTHER, stage="score")
    third = publish(tmp_path / "3", text="other")
    assert first.digest == second.digest != third.digest


def truncate(folder):
    (folder / "y.txt").write_text("")


def flip(folder):
    raw = bytearray((folder / "deep" / "x.txt").read_bytes())
    raw[0] ^= 1
    (folder / "deep" / "x.txt").write_bytes(raw)


def lose(folder):
    (folder / "y.txt").unlink()


def add(folder):
    (folder / "z.txt").write_text("uninvited")


def lose_manifest(folder):
    (folder / "manifest.json").unlink()


def cut_manifest(folder):
    raw = (folder / "manifest.json").read_bytes()
    (folder / "manifest.json").write_bytes(raw[: len(raw) // 2])


def spoil_manifest(folder):
    (folder / "manifest.json").write_text("[1]")


def change_facts(folder):
    document = json.loads((folder / "manifest.json").read_text())
    document["facts"]["tokens"] = 4
    (folder / "manifest.json").write_text(json.dumps(document))


def newer(folder):
    document = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps({**document, "schema": 99}))


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (truncate, "y.txt"), (flip, "x.txt"), (lose, "y.txt"), (add, "z.txt"),
        (lose_manifest, "manifest"), (cut_manifest, "manifest"), (spoil_manifest, "manifest"),
        (newer, "schema 99"), (change_facts, "manifest"),
    ],
)  # fmt: skip
def test_a_damaged_artifact_is_named_removed_and_never_used(tmp_path, damage, words):
    damage(publish(tmp_path).path)
    found, damaged = find(tmp_path)
    assert found is None
    assert len(damaged) == 1 and words in damaged[0] and "train" in damaged[0]
    assert find(tmp_path) == (None, [])
    assert publish(tmp_path).facts == {"tokens": 3}
    assert find(tmp_path)[0] is not None


def test_swapped_artifacts_are_found_out(tmp_path):
    first, second = publish(tmp_path), publish(tmp_path, OTHER, "other")
    shutil.move(first.path, tmp_path / "aside")
    shutil.move(second.path, first.path)
    shutil.move(tmp_path / "aside", second.path)
    for key in (KEY, OTHER):
        found, damaged = find(tmp_path, key)
        assert found is None and "swapped" in damaged[0]


def result(sentence="first", round_=0):
    return RoundResult("main", round_, 10, {}, baseline_verdict(sentence=sentence), True)


def test_a_closed_round_stays_as_it_was_closed(tmp_path):
    path = tmp_path / "journal.jsonl"
    assert Journal(path).close(result()) == result()
    again = Journal(path)
    assert again.close(result("second")) == result("first")
    assert again.closed("main", 0) == result("first")
    assert again.closed("random", 0) is None
    assert len(path.read_bytes().splitlines()) == 1


def test_a_round_whose_line_was_cut_is_open(tmp_path):
    path = tmp_path / "journal.jsonl"
    journal = Journal(path)
    journal.close(result())
    journal.close(result("cut", 1))
    path.write_bytes(path.read_bytes()[:-5])
    after = Journal(path)
    assert after.closed("main", 0) and after.closed("main", 1) is None
    after.close(result("again", 1))
    assert Journal(path).closed("main", 1) == result("again", 1)


def test_of_two_that_make_the_same_at_once_the_first_counts_for_both(tmp_path):
    first = publish(tmp_path)
    second = publish(tmp_path, text="made otherwise by another process")
    assert second == first and find(tmp_path)[0] == first
    assert not (tmp_path / "work").exists()


def work_of(root, text):
    (root / "work").mkdir()
    (root / "work" / "x.txt").write_text(text)
    return root / "work"


def test_what_a_plugin_failed_in_makes_way_and_is_still_found_by_content(tmp_path):
    store = Artifacts(tmp_path / "store")
    failed = store.publish("analyze", KEY, work_of(tmp_path, "none"), {"failed": {"x": "no"}}, 1)
    mended = store.publish("analyze", KEY, work_of(tmp_path, "some"), {"failed": {}}, 1)
    assert find(tmp_path, stage="analyze")[0] == mended
    aside = store.with_digest("analyze", failed.digest)
    assert aside is not None and aside.facts == failed.facts
    assert (aside.path / "x.txt").read_text() == "none"
    assert store.with_digest("analyze", mended.digest) == mended


def test_a_summary_makes_way_for_the_next_and_is_not_kept(tmp_path):
    store = Artifacts(tmp_path / "store")
    first = store.publish("summary", KEY, work_of(tmp_path, "one"), {}, 0)
    second = store.publish("summary", KEY, work_of(tmp_path, "two"), {}, 0, replace=True)
    assert find(tmp_path, stage="summary")[0] == second
    assert store.with_digest("summary", first.digest) is None


RACE = """
import sys
from pathlib import Path
from harness.engine.artifacts import Artifacts

root, name = Path(sys.argv[1]), sys.argv[2]
for number in range(40):
    store = Artifacts(root / "store")
    work = root / f"work-{name}"
    work.mkdir()
    (work / "x.txt").write_text(name)
    key = f"{number:02x}" * 32
    made = store.publish("train", key, work, {}, 1.0)
    again = Artifacts(root / "store")
    assert again.find("train", key).digest == made.digest, number
    assert again.damaged == [], again.damaged
"""


@pytest.mark.nightly
def test_processes_that_publish_at_once_never_take_each_others_away(tmp_path):
    command = [sys.executable, "-c", RACE, str(tmp_path)]
    with contextlib.ExitStack() as stack:
        running = [
            stack.enter_context(subprocess.Popen([*command, name], stderr=subprocess.PIPE))
            for name in ("a", "b", "c")
        ]
        errors = [one.communicate(timeout=LONG)[1].decode() for one in running]
    assert [one.returncode for one in running] == [0, 0, 0], errors
