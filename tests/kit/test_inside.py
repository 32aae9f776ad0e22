"""Names of other people as paths: below the folder, or refused."""

from __future__ import annotations

import pytest

from harness.kit.inside import Outside, inside, is_below


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "/etc", "a/b", "../a", "a/..", "a\0b", "x" * 256, "é" * 128, "\ud800", None, 3],
)  # fmt: skip
def test_what_is_no_single_name_is_refused(tmp_path, name):
    with pytest.raises(Outside, match="no name of a file"):
        inside(tmp_path, "known", name)


@pytest.mark.parametrize("path", ["/etc/passwd", "a//b", "a/../../b", "./a", "a/", "..", "", None])
def test_what_is_no_path_below_is_none(path):
    assert not is_below(path)


def test_names_give_the_path_below(tmp_path):
    assert inside(tmp_path, "a b", "..c", "d.json") == tmp_path / "a b" / "..c" / "d.json"
    assert is_below("a b/..c/d.json")
    assert inside(tmp_path) == tmp_path


@pytest.mark.parametrize("level", [0, 1, 2])
def test_a_link_is_refused_at_each_level_but_the_folder_itself(tmp_path, level):
    outside = tmp_path / "outside"
    (outside / "b" / "c").mkdir(parents=True)
    names = ("a", "b", "c")
    place = tmp_path / "folder"
    for name in names[:level]:
        place /= name
    place.mkdir(parents=True)
    (place / names[level]).symlink_to(outside)
    with pytest.raises(Outside, match="link"):
        inside(tmp_path / "folder", *names)
    (tmp_path / "linked").symlink_to(outside)
    assert inside(tmp_path / "linked", "b", "c").is_dir()


def test_a_broken_link_is_refused_too(tmp_path):
    (tmp_path / "a").symlink_to(tmp_path / "nowhere")
    with pytest.raises(Outside, match="link"):
        inside(tmp_path, "a")
