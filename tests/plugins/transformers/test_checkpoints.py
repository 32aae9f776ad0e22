"""Which checkpoint a training goes on from: the newest one that is whole and its own."""

from __future__ import annotations

import json

import pytest

from harness.kit.files import digest
from tests.support.later import Later

checkpoints = Later("harness_transformers.checkpoints")

BELONGS = {"rows": "a", "libraries": {"torch": "2.13"}, "seed": 1}


@pytest.fixture
def open_in(tmp_path):
    said = []

    def make(**changed):
        said.clear()
        made = checkpoints.Checkpoints(tmp_path, {**BELONGS, **changed}, said.append)
        made.said = said
        return made

    return make


def fill(folder):
    (folder / "weights").write_bytes(bytes(1000))
    (folder / "state.json").write_text('{"step": 1}')


def steps(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def two(open_in, tmp_path):
    """Of three that were written, by step and not by time, the last two."""
    made = open_in()
    for step in (9, 100, 20):
        made.save(step, fill)
    assert steps(tmp_path) == ["step-100", "step-20"]
    return made


def test_the_newest_one_is_found(two, open_in, tmp_path):
    assert open_in().newest() == tmp_path / "step-100"
    assert not two.said


def cut(folder):
    (folder / "weights").write_bytes(bytes(900))


def flip(folder):
    (folder / "weights").write_bytes(bytes(999) + b"\1")


def lose(folder):
    (folder / "weights").unlink()


def add(folder):
    (folder / "another").touch()


def unseal(folder):
    path = folder / "manifest.json"
    path.write_text(path.read_text().replace('"seed": 1', '"seed": 2'))


def empty(folder):
    (folder / "manifest.json").write_bytes(b"")


def no_manifest(folder):
    (folder / "manifest.json").unlink()


def no_mapping(folder):
    (folder / "manifest.json").write_text("[1]")


def rewritten(folder, **changed):
    path = folder / "manifest.json"
    document = {**json.loads(path.read_text()), **changed}
    document.pop("seal")
    path.write_text(json.dumps({**document, "seal": digest(document)}))


def of_another_version(folder):
    rewritten(folder, format=99)


def renamed(folder):
    rewritten(folder, step=101)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (cut, "weights is not what was written"),
        (flip, "weights is not what was written"),
        (lose, "weights is not what was written"),
        (add, "another is not what was written"),
        (unseal, "its manifest is not what was written"),
        (renamed, "its manifest is not what was written"),
        (empty, "its manifest cannot be read"),
        (no_manifest, "its manifest cannot be read"),
        (no_mapping, "its manifest cannot be read"),
        (of_another_version, "it has format 99, and this version reads 2"),
    ],
)
def test_one_that_does_not_verify_is_passed_over(two, open_in, tmp_path, damage, reason):
    damage(tmp_path / "step-100")
    again = open_in()
    assert again.newest() == tmp_path / "step-20"
    assert again.said == [f"the checkpoint of step 100 is passed over: {reason}"]
    assert steps(tmp_path) == ["step-20"]


def test_one_of_another_training_is_passed_over_with_what_differs(two, open_in, tmp_path):
    other = open_in(libraries={"torch": "2.14"}, seed=3)
    assert other.newest() is None
    reason = "is passed over: it was made with other libraries, seed"
    assert other.said == [f"the checkpoint of step {step} {reason}" for step in (100, 20)]
    assert steps(tmp_path) == []


def test_what_a_kill_left_half_written_is_removed(two, open_in, tmp_path):
    half = tmp_path / ".step-101.12345678.tmp"
    half.mkdir()
    fill(half)
    assert open_in().newest() == tmp_path / "step-100"
    assert not half.exists()


def test_one_that_cannot_be_written_leaves_nothing(two, tmp_path):
    def fails(folder):
        fill(folder)
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        two.save(200, fails)
    assert steps(tmp_path) == ["step-100", "step-20"]
