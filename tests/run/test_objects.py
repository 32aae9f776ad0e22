"""The store that machines share: what each kind of it has to do, and what is said of troubles."""

from __future__ import annotations

import json

import pytest

from harness.errors.machine import StorageError
from harness.kit import waiting
from harness.kit.telling import telling
from harness.run import objects
from harness.stages.store import Store, StoreError, probe
from harness_shared import bucket
from harness_shared.folder import Folder
from tests.support import dripping


@pytest.fixture(params=["folder", "memory"])
def store(request, tmp_path) -> Store:
    if request.param == "memory":
        return objects.opened(f"memory://{tmp_path.name}/prefix")
    (tmp_path / "a store").mkdir()
    return objects.opened(f"file://{tmp_path}/a%20store")


def test_an_object_is_put_whole_got_and_deleted(store, tmp_path):
    assert store.get("a/b") is None and not store.fetch("a/b", tmp_path / "got")
    store.put("a/b", b"one")
    store.put("a/b", b"two")
    assert store.get("a/b") == b"two"
    (tmp_path / "sent").write_bytes(b"three")
    store.send("a/c", tmp_path / "sent")
    assert store.fetch("a/c", tmp_path / "got") and (tmp_path / "got").read_bytes() == b"three"
    assert store.below("a") == ["b", "c"] and store.below("nothing") == []
    store.delete("a/b")
    store.delete("a/b")
    assert store.get("a/b") is None


def test_a_key_is_created_once(store):
    assert store.create("a/1", b"mine")
    assert not store.create("a/1", b"theirs")
    assert store.get("a/1") == b"mine"
    assert store.create("a/1", b"mine")  # an attempt whose answer was lost, again
    probe(store)


def test_the_last_number_is_found_without_a_listing(store, monkeypatch):
    monkeypatch.setattr(type(store), "below", None)
    for last in range(1, 12):
        assert objects.last_number(store, "log") == last - 1
        store.create(objects.number_key("log", last), b"x")
        assert objects.last_number(store, "log", known=last) == last
    assert [number for number, _ in objects.numbered(store, "log", 8)] == [9, 10, 11]


@pytest.mark.parametrize("name", ["a/../b", "..", ".", "ä ö+%2F", "x?versionId=1", "*[a]", "a\nb"])
def test_a_hostile_name_is_one_part_of_a_key(store, name):
    part = objects.as_part(name)
    assert not set(part) & set("/?*[]\n ") and part not in ("", ".", "..")
    assert objects.as_name(part) == name
    store.put(f"runs/{part}/1", name.encode())
    assert store.get(f"runs/{part}/1") == name.encode()


class Careless(Folder):
    def create(self, key: str, data: bytes) -> bool:
        self.put(key, data)
        return True


def test_a_store_that_accepts_one_key_twice_is_refused(tmp_path):
    with pytest.raises(StoreError, match="lets one key be created twice"):
        probe(Careless(Careless.Options(url=f"file://{tmp_path}")))


def test_a_folder_that_is_not_mounted_is_not_made(tmp_path):
    with pytest.raises(StoreError, match="there is no such folder"):
        objects.opened(f"file://{tmp_path}/nowhere").put("a", b"x")
    assert not (tmp_path / "nowhere").exists()


def test_what_a_library_says_is_not_repeated(monkeypatch):
    monkeypatch.setattr(bucket, "PAUSES", (0.0,))
    store = objects.opened("memory://x")

    def fails(*arguments: object, **named: object) -> None:
        raise RuntimeError("signed by AKIAMARKED")

    monkeypatch.setattr(type(store._files), "get_file", fails)
    with pytest.raises(StoreError) as caught:
        store.get("a")
    assert "RuntimeError" in caught.value.what and caught.value.__suppress_context__
    assert "MARKED" not in str(caught.value)


def test_a_working_folder_belongs_to_one_store_from_then_on(tmp_path):
    assert objects.of(tmp_path) is None and objects.attach(tmp_path, None) is None
    (tmp_path / "shared").mkdir()
    url = f"file://{tmp_path}/shared"
    made = objects.attach(tmp_path, url)
    with pytest.raises(StorageError):  # and not as if it had been sent
        made.send("files/x", tmp_path / "gone")
    assert made is not None and made.url == url
    assert objects.of(tmp_path) is made is objects.attach(tmp_path, None)
    (tmp_path / objects.FILE).write_text(json.dumps({"store": "s3://key:secret@b"}))
    with pytest.raises(StoreError, match="cannot be read") as caught:
        objects.of(tmp_path)
    assert "secret" not in str(caught.value)


def chunked():
    """A body of which no header says the size."""
    yield dripping.HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
    while True:
        yield b"400\r\n" + b"x" * 1024 + b"\r\n"


@pytest.fixture
def hasty(monkeypatch):
    monkeypatch.setattr(bucket, "PAUSES", (0.0, 0.0))
    monkeypatch.setattr(bucket, "PATIENCE", 0.5)
    monkeypatch.setattr(waiting, "UNSAID", 0.1)


@pytest.mark.nightly(but_each=4)
@pytest.mark.parametrize(
    "drops", [dripping.silence, dripping.header, dripping.interim, dripping.body]
)
def test_a_store_without_an_end_is_left_in_time_and_named(hasty, monkeypatch, tmp_path, drops):
    said = []
    monkeypatch.setattr(bucket, "SLOWEST", 1 << 20)
    with dripping.dripping(drops) as address, telling(said.append):
        store = objects.opened(f"{address}/x")
        for ask in (lambda: store.get("a"), lambda: store.fetch("a", tmp_path / "got")):
            said.clear()
            with pytest.raises(StoreError, match=r"within 0\.5 s \(at a\)"):
                ask()
            if drops is not dripping.body:  # which says something now and then
                assert len(said) == 1
                assert said[0].startswith(f"waiting for the store at {address}/x, which has said")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("drops", [dripping.body, chunked])
def test_what_is_read_into_memory_has_a_largest_size(hasty, monkeypatch, drops):
    monkeypatch.setattr(bucket, "LARGEST", 20_000)
    monkeypatch.setattr(bucket, "PATIENCE", 60)
    small = pytest.raises(StoreError, match="where a small file is wanted")
    with dripping.dripping(drops, pause=0) as address, small:
        objects.opened(f"{address}/x").get("a")


@pytest.mark.nightly
def test_what_comes_steadily_is_waited_for(hasty, monkeypatch, tmp_path):
    """Longer than the patience for one object, as a large file takes."""
    monkeypatch.setattr(bucket, "SLOWEST", 1000)

    def drops():
        yield dripping.HEAD + b"Content-Length: 102400\r\n\r\n"
        for _ in range(100):
            yield b"x" * 1024

    with dripping.dripping(drops) as address:
        store = objects.opened(f"{address}/x")
        assert store.fetch("a", tmp_path / "got")
    assert (tmp_path / "got").stat().st_size == 102_400
