"""Files without an end: pipes, devices, links to them, and those that grow when unpacked."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from harness.errors import ConfigError
from harness.kit import yaml_file
from harness.kit.files import open_regular, read_whole
from harness.kit.readers import Fault, File, kind_of, reader_of


@pytest.fixture(params=["pipe", "device", "socket", "link to a device", "link to a pipe"])
def endless(request, tmp_path):
    path = tmp_path / "rows.jsonl"
    if request.param == "pipe":
        os.mkfifo(path)
    elif request.param == "device":
        path = Path("/dev/zero")
    elif request.param == "socket":
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(str(path))
    elif request.param == "link to a pipe":
        os.mkfifo(tmp_path / "pipe")
        path.symlink_to(tmp_path / "pipe")
    else:
        path.symlink_to("/dev/zero")
    return path


def test_what_has_no_end_is_not_opened(endless):
    for read in (open_regular, lambda path: read_whole(path, 10), File(endless, "x").open):
        with pytest.raises(OSError, match=r"it is a (pipe|device|socket), not a file"):
            read(endless) if not hasattr(read, "__self__") else read()
    with pytest.raises(ConfigError, match="cannot be read: it is a"):
        yaml_file.read(endless)


def test_what_a_shell_hands_over_is_read_to_its_limit():
    for size, fits in ((10, True), (11, False)):
        end, begin = os.pipe()
        os.write(begin, b"x" * size)
        os.close(begin)
        try:
            if fits:
                assert read_whole(Path(f"/dev/fd/{end}"), 10) == b"x" * size
            else:
                with pytest.raises(OSError, match="larger than"):
                    read_whole(Path(f"/dev/fd/{end}"), 10)
        finally:
            os.close(end)


def test_a_config_is_refused_by_its_size(tmp_path):
    path = tmp_path / "harness.yaml"
    with path.open("wb") as stream:
        stream.truncate(100 * 2**20)
    with pytest.raises(ConfigError, match="larger than 2 MiB"):
        yaml_file.read(path)


@pytest.mark.nightly(but_each=3)
@pytest.mark.parametrize("kind", ["parquet", "arrow", "arrow dictionary"])
def test_a_value_that_is_kept_once_does_not_fill_the_memory(tmp_path, kind):
    import pyarrow as pa
    import pyarrow.parquet as pq

    path, text = tmp_path / f"rows.{kind.split()[0]}", "x" * 2000
    column = pa.DictionaryArray.from_arrays(
        pa.array([0] * 2_000_000, pa.int32()), pa.array([text, "short"])
    )
    table = pa.table({"prompt": column})
    if kind == "parquet":
        pq.write_table(table, path)
    elif kind == "arrow":
        part = pa.table({"prompt": pa.array([text] * 1000)})
        options = pa.ipc.IpcWriteOptions(compression="zstd")
        with pa.OSFile(str(path), "wb") as stream, \
             pa.ipc.new_file(stream, part.schema, options=options) as out:  # fmt: skip
            for _ in range(150):
                out.write_table(part)
    else:
        with pa.OSFile(str(path), "wb") as stream, \
             pa.ipc.new_file(stream, table.schema) as out:  # fmt: skip
            out.write_table(table)
    faults: list[Fault] = []
    pool, before = pa.default_memory_pool(), pa.total_allocated_bytes()
    reader = reader_of(file := File(path, path.name), kind_of(file, path.suffix), faults.append)
    count = most = 0
    for _ in reader.rows():
        count, most = count + 1, max(most, pool.bytes_allocated() - before)
    assert count < 400_000
    assert "it unpacks to more than" in faults[0].reason
    assert most < 64 * 2**20
