"""The store: whole artifacts or none."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys

import pytest

from harness.kit.files import digest
from harness.kit.inside import Outside, is_below
from harness.records import RoundResult
from harness.run import objects
from harness.run.artifacts import Artifacts, empty_artifact
from harness.run.journal import Journal
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


def sealed(document):
    document = {name: value for name, value in document.items() if name != "seal"}
    return json.dumps({**document, "seal": digest(document)}).encode()


@pytest.fixture
def shared(tmp_path):
    """A folder that belongs to a store, as a stranger hands both on."""
    (tmp_path / "shared").mkdir()
    (tmp_path / "machine").mkdir()
    objects.attach(tmp_path / "machine", (tmp_path / "shared").as_uri())
    return Artifacts(tmp_path / "machine" / "store")


def published(shared, key=KEY, text="hello"):
    return publish(shared.root.parent, key, text)


HOSTILE = ("../../../outside", "/ABSOLUTE/outside", "deep/../../../../outside", "linked/outside")


@pytest.mark.parametrize("name", HOSTILE)
def test_weights_that_a_manifest_names_elsewhere_are_not_fetched(tmp_path, shared, name):
    name = name.replace("/ABSOLUTE", str(tmp_path))
    made = published(shared)
    empty_artifact(made.path)
    document = json.loads((made.path / "manifest.json").read_bytes())
    document["files"][name] = document["files"].pop("y.txt")
    (made.path / "manifest.json").write_bytes(sealed(document))
    (made.path / "linked").symlink_to(tmp_path)
    with pytest.raises(Outside):
        Artifacts(shared.root).complete(made.path)
    assert not list(tmp_path.rglob("outside"))
    if is_below(name):
        return
    # Nor is such a manifest believed: what the store has under the key takes its place.
    store = Artifacts(shared.root)
    found = store.find("train", KEY)
    assert "elsewhere" in store.damaged[0] and found.digest == made.digest


def test_a_model_of_the_users_own_is_never_completed(tmp_path, shared):
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "emptied").touch()
    assert shared.complete(tmp_path / "own")
    assert [path.name for path in (tmp_path / "own").iterdir()] == ["emptied"]


@pytest.mark.parametrize("place", ["store", "store/train"])
def test_nothing_is_stored_through_a_link(tmp_path, place):
    (tmp_path / "yours").mkdir()
    (tmp_path / place).parent.mkdir(exist_ok=True)
    (tmp_path / place).symlink_to(tmp_path / "yours")
    with pytest.raises(Outside, match="link"):
        publish(tmp_path)
    assert not list((tmp_path / "yours").iterdir())


@pytest.mark.parametrize("asked", ["key", "content"])
def test_the_shared_store_gives_what_was_asked_for_or_nothing(tmp_path, shared, asked):
    first, second = published(shared), published(shared, OTHER, "other")
    kind, names = ("artifacts", (KEY, OTHER)) if asked == "key" else (
        "contents", (first.digest, second.digest),
    )  # fmt: skip
    theirs = [tmp_path / "shared" / kind / "train" / name for name in names]
    theirs[0].write_bytes(theirs[1].read_bytes())
    shutil.rmtree(shared.root)
    store = Artifacts(shared.root)
    assert (store.find("train", KEY) if asked == "key" else
            store.with_digest("train", first.digest)) is None  # fmt: skip
    assert len(store.damaged) == 1 and "made again" in store.damaged[0]
    assert store.find("train", OTHER).digest == second.digest
    # What is made again takes the place of what cannot be believed.
    assert published(shared).digest == first.digest
    shutil.rmtree(shared.root)
    assert Artifacts(shared.root).find("train", KEY).digest == first.digest


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
from harness.run import objects
from harness.run.artifacts import Artifacts, empty_artifact

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
