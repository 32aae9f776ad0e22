"""What counts as the user's own: signatures, and files that a store has brought."""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import platformdirs
import pytest

from harness.errors import DataError
from harness.kit import gate, own

CONFIG = b"rounds: 1\n"


@pytest.fixture
def pulled(tmp_path: Path) -> Path:
    """A config of a project, as a store has brought it."""
    config = tmp_path / "project" / "a" / "harness.yaml"
    config.parent.mkdir(parents=True)
    config.write_bytes(CONFIG)
    digest = hashlib.sha256(CONFIG).hexdigest()
    own.note_pulled(tmp_path / "project" / ".harness", {"a/harness.yaml": digest})
    return config


@pytest.mark.parametrize("place", [".", "a", "..", "../beside"])
def test_a_pulled_config_is_known_in_whatever_folder_one_works(
    pulled: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    folder = pulled.parents[1] / place
    folder.mkdir(exist_ok=True)
    monkeypatch.chdir(folder)
    own.put_to_use(Path(os.path.relpath(pulled)))
    assert "pulled from a store" in gate.closed_for()


def test_it_is_the_users_where_it_was_edited_or_is_trusted(pulled: Path) -> None:
    own.adopt(pulled)
    assert own.is_pulled(pulled)
    with gate.fresh(trusting=True):
        own.adopt(pulled)
    assert not own.is_pulled(pulled)
    own.note_pulled(pulled.parents[1] / ".harness", {"a/harness.yaml": "0" * 64})
    assert not own.is_pulled(pulled)


@pytest.mark.parametrize("damage", [b"", b"[]", b'{"a": ', b"\xff"])
def test_where_it_is_not_known_nothing_is_the_users(pulled: Path, damage: bytes) -> None:
    noted = pulled.parents[1] / ".harness" / "pulled.json"
    noted.write_bytes(damage)
    with pytest.raises(DataError, match="damaged"):
        own.put_to_use(pulled)


@pytest.fixture
def key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "user"))
    return platformdirs.user_data_path("harness") / "own.key"


def signature(tmp_path: Path) -> str:
    (tmp_path / "config.yaml").write_bytes(CONFIG)
    own.note_run(tmp_path, tmp_path / "config.yaml")
    assert own.is_own_run(tmp_path, tmp_path / "config.yaml")
    return (tmp_path / own.SIGNATURE).read_text()


def test_a_key_is_made_once_and_read_by_its_owner_alone(key: Path, tmp_path: Path) -> None:
    assert signature(tmp_path) == signature(tmp_path)
    assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_of_many_who_make_the_key_at_once_all_have_the_same(
    key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    others: list[bytes] = []

    def while_another_makes_it(do: Callable[..., Any]) -> Callable[..., Any]:
        def done(*arguments: Any, **named: Any) -> Any:
            if not others:
                others.append(b"")
                others.append(own._key())
            return do(*arguments, **named)

        return done

    monkeypatch.setattr(secrets, "token_bytes", while_another_makes_it(secrets.token_bytes))
    monkeypatch.setattr(Path, "unlink", while_another_makes_it(Path.unlink))
    assert own._key() == key.read_bytes() == others[1]


@pytest.mark.parametrize("damage", [b"", b"short", bytes(64)])
def test_a_damaged_key_signs_nothing(key: Path, tmp_path: Path, damage: bytes) -> None:
    key.parent.mkdir(parents=True)
    key.write_bytes(damage)
    signature(tmp_path)
    assert len(key.read_bytes()) == 32


def test_a_disk_without_links_has_a_key_too(
    key: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EOPNOTSUPP, "no links")

    monkeypatch.setattr(os, "link", refuse)
    signature(tmp_path)
    assert [path.name for path in key.parent.iterdir()] == ["own.key"]
