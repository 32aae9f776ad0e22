"""Writing whole or not at all, and appending past a cut line."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import math
import os
import resource

import pytest

from harness.cli.run_log import log_to
from harness.errors import DataError, EnvironmentFailure, OutOfMemory, machine
from harness.kit import files
from harness.kit.inside import Outside
from harness.kit.lock import exclusive, is_held, turn
from harness.run.artifacts import Artifacts


def test_equal_values_have_equal_digests():
    assert files.digest({"a": 1, "b": [2.5, None]}) == files.digest({"b": [2.5, None], "a": 1})
    assert files.digest({"a": 1}) != files.digest({"a": 1.5})


def test_any_text_has_a_digest_and_can_be_read_again(tmp_path):
    text = "lone \ud800 surrogate, \u2028 separator, \x00 and 日本"
    assert len(files.digest(text)) == 64
    files.write_jsonl(tmp_path / "rows.jsonl", [text, {"t": text}])
    assert list(files.read_jsonl(tmp_path / "rows.jsonl")) == [text, {"t": text}]


def test_a_large_file_is_read_again_only_where_it_has_changed(tmp_path, monkeypatch):
    weights = tmp_path / "weights.bin"
    weights.write_bytes(b"a" * files.LARGE)
    state, hits = weights.stat(), files._digest_of.cache_info
    first, before = files.files_digest([weights]), hits().hits
    assert files.files_digest([weights]) == first and hits().hits == before  # it may change yet
    monkeypatch.setattr(files, "SETTLED", -math.inf)
    files.files_digest([weights])
    assert files.files_digest([weights]) == first and hits().hits == before + 1
    # Of the same size, with the time of the last change set back.
    weights.write_bytes(b"b" * files.LARGE)
    os.utime(weights, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert files.files_digest([weights]) != first and hits().hits == before + 1


def test_what_is_no_number_is_never_written(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        files.write_json(tmp_path / "x.json", math.nan)
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "a.json"
    files.write_json(path, {"old": True})

    def values():
        yield 1
        raise RuntimeError("half way")

    with pytest.raises(RuntimeError):
        files.write_jsonl(path, values())
    assert files.read_json(path) == {"old": True}
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("cut", range(1, 9))
def test_a_cut_line_is_ignored_and_cannot_spoil_the_next(tmp_path, cut):
    path = tmp_path / "log.jsonl"
    files.append_line(path, {"n": 1})
    files.append_line(path, {"n": 2})
    whole = path.read_bytes()
    path.write_bytes(whole[:-cut])
    assert files.scan_lines(path) == [files.Line(1, {"n": 1})]
    files.append_line(path, {"n": 3})
    assert files.scan_lines(path) == [files.Line(1, {"n": 1}), files.Line(2, {"n": 3})]


def test_files_count_by_content_and_name_and_not_by_folder(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.txt").write_text("same")
    digests = [files.files_digest([tmp_path / f / "x.txt"]) for f in ("a", "b")]
    assert digests[0] == digests[1]
    (tmp_path / "b" / "x.txt").write_text("other")
    assert files.files_digest([tmp_path / "b" / "x.txt"]) != digests[0]
    with pytest.raises(DataError, match=r"y\.txt"):
        files.files_digest([tmp_path / "y.txt"])


def test_trouble_with_the_disk_is_told_from_other_errors():
    full = machine.machine_trouble(OSError(errno.ENOSPC, "No space", "/somewhere"))
    assert isinstance(full, EnvironmentFailure) and "full" in full.what
    assert full.where == "/somewhere"
    assert machine.machine_trouble(PermissionError(errno.EACCES, "Permission denied", "x"))
    assert machine.machine_trouble(OSError(errno.EPIPE, "pipe")) is None


LINES = [{"n": 1, "score": 0.247, "text": "café \ud800"}, {"n": 2, "by": {"a": 3}}, {"n": 3}]


def sealed(path, lines=LINES):
    for line in lines:
        files.append_line(path, {"schema": 2, **line})
    return path.read_bytes()


def flips(whole):
    """Every single flipped bit."""
    for place in range(len(whole)):
        for bit in range(8):
            yield whole[:place] + bytes([whole[place] ^ 1 << bit]) + whole[place + 1 :]


@pytest.mark.nightly
def test_no_flipped_bit_is_accepted(tmp_path):
    path = tmp_path / "log.jsonl"
    whole = sealed(path)
    for damaged in flips(whole):
        path.write_bytes(damaged)
        assert any(line.value is None and line.trouble for line in files.scan_lines(path))


def test_a_damaged_line_is_named_and_the_others_are_read(tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_bytes(sealed(path).replace(b'"by"', b'"of"'))
    found = files.scan_lines(path)
    assert [(line.number, line.value and line.value["n"]) for line in found] == [
        (1, 1), (2, None), (3, 3),
    ]  # fmt: skip
    assert found[1].trouble == "its checksum is wrong"


@pytest.mark.parametrize(
    "line",
    [
        b"[1]", b"null", b"7", b'"text"', b"{}", b'{"n":1}', b'{"schema":2,"n":1}', b"\xff\xfe",
        b"", b"[" * 100_000, b'{"schema":2,"a":' * 50_000, b'{"n":NaN,"seal":"x"}',
        b'{"seal":null}', b'{"seal":{"seal":1}}', b"9" * 5_000,
    ],
)  # fmt: skip
def test_a_line_that_is_no_sealed_line_is_damaged(tmp_path, line):
    path = tmp_path / "log.jsonl"
    path.write_bytes(line + b"\n")
    [damaged] = files.scan_lines(path)
    assert damaged.value is None and damaged.trouble


def test_lines_without_a_seal_are_refused_and_said_to_be_of_an_earlier_version(tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_bytes(b'{"run":"a","schema":1}\n')
    [damaged] = files.scan_lines(path)
    assert damaged.value is None
    assert "an earlier version wrote it, or it was edited" in damaged.trouble


def test_the_machines_troubles():
    for error, words in [
        (OSError(errno.EIO, "x", "f"), "input/output"),
        (OSError(errno.EROFS, "x", "f"), "read-only"),
        (OSError(errno.EFBIG, "x", "f"), "ulimit -f"),
        (OSError(errno.EMFILE, "x", "f"), "ulimit -n"),
        (OSError(errno.ENOMEM, "x", "f"), "memory"),
        (MemoryError(), "memory"),
        (ImportError("libarrow.so: failed to map segment from shared object"), "memory"),
        (RuntimeError("can't start new thread"), "memory"),
        (machine.StorageError(errno.ENOTDIR, "Not a directory", "f"), "Not a directory"),
    ]:
        found = machine.machine_trouble(error)
        assert isinstance(found, EnvironmentFailure) and words in found.what, error


def test_a_library_that_lacks_memory_is_named_by_its_place():
    words, place = "failed to map segment from shared object", "/x/pyarrow/lib.so"
    found = machine.machine_trouble(ImportError(words, name="lib", path=place))
    assert found is not None and found.where == place


def test_what_may_be_a_plugins_is_not_the_machines():
    for error in [
        ValueError("x"),
        FileNotFoundError(errno.ENOENT, "x", "f"),
        ImportError("no module"),
        RecursionError(),
        NotADirectoryError(errno.ENOTDIR, "x", "f"),
    ]:
        assert machine.machine_trouble(error) is None, error


def _publish(folder):
    (folder / "work").mkdir()
    Artifacts(folder / "store").publish("data", "k" * 64, folder / "work", {}, 0.0)


WRITES = {
    "bytes": lambda folder: files.write_bytes(folder / "x.json", b"1"),
    "line": lambda folder: files.append_line(folder / "log.jsonl", {"schema": 2}),
    "artifact": _publish,
}


@pytest.mark.parametrize("write", sorted(WRITES))
def test_a_failing_fsync_names_the_place(tmp_path, monkeypatch, write):
    def fail(descriptor):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(files, "fsync", fail)
    with pytest.raises(machine.StorageError) as caught:
        WRITES[write](tmp_path)
    assert caught.value.errno == errno.EIO and str(tmp_path) in str(caught.value.filename)


def test_a_folder_whose_name_is_no_utf8_is_said_before_anything_is_done(tmp_path):
    machine.check_name(tmp_path)
    with pytest.raises(EnvironmentFailure, match="no UTF-8") as caught:
        machine.check_name(tmp_path / "caf\udce9")
    str(caught.value).encode()


def test_a_folder_where_duckdb_can_write_nothing_is_said_before_anything_is_done(tmp_path):
    with pytest.raises(EnvironmentFailure, match="question mark"):
        machine.check_name(tmp_path / "really?" / "reports")
    for name in ("50%", "a#b", "a&b", "a b"):
        machine.check_name(tmp_path / name)


@pytest.mark.parametrize(("mebibytes", "refused"), [(300, True), (400, False), (None, False)])
def test_too_few_addresses_for_the_libraries_are_said_before_these_are_loaded(
    monkeypatch, mebibytes, refused
):
    limit = resource.RLIM_INFINITY if mebibytes is None else mebibytes << 20
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (limit, resource.RLIM_INFINITY))
    with pytest.raises(OutOfMemory, match="300 MiB") if refused else contextlib.nullcontext():
        machine.check_addresses()


WRITTEN_IN_PLACE = {
    "append_line": lambda path: files.append_line(path, {"n": 1}),
    "overwrite": lambda path: files.overwrite(path, b"new"),
    "turn": lambda path: hold(turn(path)),
    "exclusive": lambda path: hold(exclusive(path)),
    "log_to": lambda path: hold(log_to(path)),
}


def hold(lock):
    with lock:
        pass


@pytest.mark.parametrize("write", WRITTEN_IN_PLACE)
@pytest.mark.parametrize("content", [b"yours", b"", None])
def test_a_file_that_is_a_link_is_not_written_through(tmp_path, write, content):
    yours, path = tmp_path / "yours", tmp_path / "folder" / "file"
    path.parent.mkdir()
    if content is not None:
        yours.write_bytes(content)
    path.symlink_to(yours)
    with pytest.raises(Outside, match="this is a link"):
        WRITTEN_IN_PLACE[write](path)
    assert (yours.read_bytes() if yours.exists() else None) == content
    path.unlink()
    WRITTEN_IN_PLACE[write](path)
    assert path.is_file()


def test_who_holds_a_lock_is_seen_without_waiting_for_a_pipe_or_a_link(tmp_path):
    lock = tmp_path / "lock"
    assert not is_held(lock)
    with exclusive(lock):
        assert is_held(lock)
    assert not is_held(lock)
    os.mkfifo(tmp_path / "pipe")
    assert not is_held(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(lock)
    assert is_held(tmp_path / "link")


def test_who_looks_at_a_lock_keeps_nobody_from_it(tmp_path, monkeypatch):
    with exclusive(tmp_path / "lock"):
        pass
    with open(tmp_path / "lock") as looking:
        fcntl.flock(looking, fcntl.LOCK_SH)
        monkeypatch.setattr("time.sleep", lambda seconds: fcntl.flock(looking, fcntl.LOCK_UN))
        with exclusive(tmp_path / "lock"):
            assert is_held(tmp_path / "lock")


def test_a_folder_appears_whole_also_where_an_empty_one_lies(tmp_path):
    for name in ("new", "empty"):
        target = tmp_path / name
        with files.whole_folder(target) as folder:
            (folder / "inner").mkdir()
            (folder / "inner" / "a.txt").write_text("a")
            if name == "new":
                assert not target.exists()
                (tmp_path / "empty").mkdir()
        assert (target / "inner" / "a.txt").read_text() == "a"
    assert {path.name for path in tmp_path.iterdir()} == {"new", "empty"}


@pytest.mark.parametrize("end", [RuntimeError, KeyboardInterrupt])
def test_of_a_folder_that_fails_nothing_is_left(tmp_path, end):
    def fail():
        with files.whole_folder(tmp_path / "new") as folder:
            (folder / "a.txt").write_text("a")
            raise end

    with pytest.raises(end):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_came_meanwhile_is_left_alone(tmp_path):
    target = tmp_path / "new"

    def too_late():
        with files.whole_folder(target) as folder:
            (folder / "a.txt").write_text("mine")
            target.mkdir()
            (target / "b.txt").write_text("theirs")

    with pytest.raises(machine.StorageError):
        too_late()
    assert [path.name for path in tmp_path.rglob("*")] == ["new", "b.txt"]
