"""Arrow and Parquet files of which one batch unpacks to more than the machine should hold."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness.kit.readers import File, columnar
from harness.kit.readers.columnar import Arrow, Parquet

ROWS = 40
PACKED = ("zstd", "lz4", None)


def table(size=100_000):
    shared = pa.DictionaryArray.from_arrays(
        pa.array([0] * ROWS, pa.int32()), pa.array(["z" * size])
    )
    return pa.table({"prompt": ["y" * size] * ROWS, "n": list(range(ROWS)), "shared": shared})


def written(path, rows, form, compression):
    if form == "parquet":
        pq.write_table(rows, path, compression=compression or "none", use_dictionary=False)
    else:
        new = pa.ipc.new_file if form == "file" else pa.ipc.new_stream
        options = pa.ipc.IpcWriteOptions(compression=compression)
        with pa.OSFile(str(path), "wb") as sink, new(sink, rows.schema, options=options) as writer:
            writer.write_table(rows)
    return path


def read(path, form):
    faults = []
    reader = (Parquet if form == "parquet" else Arrow)(File(path, path.name), faults.append)
    return reader, [record for _, record in reader.rows()], [fault.reason for fault in faults]


@pytest.mark.parametrize("compression", PACKED)
@pytest.mark.parametrize("form", ["file", "stream", "parquet"])
def test_what_a_batch_unpacks_to_is_known_before_it_is_read(form, compression, tmp_path):
    rows = table().drop_columns(["shared"])
    path = written(tmp_path / "rows", rows, form, compression)
    reader, records, faults = read(path, form)
    assert records == rows.to_pylist() and not faults
    assert rows.nbytes <= reader._largest() <= 1.1 * rows.nbytes


@pytest.mark.parametrize("form", ["file", "stream", "parquet"])
def test_a_batch_that_is_a_bomb_is_refused_unread(form, tmp_path, monkeypatch):
    path = written(tmp_path / "rows", table().drop_columns(["shared"]), form, "zstd")
    monkeypatch.setattr(columnar, "ALWAYS", 1 << 20)
    monkeypatch.setattr(columnar, "UNPACKED", 2)

    def never(*arguments):
        raise AssertionError("it is read")

    monkeypatch.setattr(Arrow, "_batches", never)
    monkeypatch.setattr(Parquet, "_batches", never)
    _, records, faults = read(path, form)
    assert not records and len(faults) == 1 and "it unpacks to more than 1 MiB" in faults[0]


@pytest.mark.parametrize("form", ["file", "stream", "parquet"])
def test_a_value_that_all_rows_share_counts_for_each(form, tmp_path, monkeypatch):
    path = written(tmp_path / "rows", table().select(["n", "shared"]), form, "zstd")
    monkeypatch.setattr(columnar, "ALWAYS", 1 << 20)
    _, records, faults = read(path, form)
    assert not records and len(faults) == 1 and "it unpacks to more than" in faults[0]


def test_a_cut_file_is_one_fault(tmp_path):
    whole = written(tmp_path / "whole", table(), "stream", "zstd").read_bytes()
    for size in (9, 100, len(whole) // 2, len(whole) - 20):
        path = tmp_path / "cut"
        path.write_bytes(whole[:size])
        assert len(read(path, "stream")[2]) == 1, size


@pytest.mark.parametrize("compression", [None, "zstd"])
def test_a_file_that_leads_beyond_its_end_is_a_fault(compression, tmp_path):
    rows = pa.table({"question": [f"question {n:03}" for n in range(ROWS)]})
    written(tmp_path / "rows", rows, "stream", compression)
    data = (tmp_path / "rows").read_bytes()
    if compression is None:  # where the second text ends
        whole, far = [b"".join(n.to_bytes(4, "little") for n in (12, end, 36))
                      for end in (24, 2**31 - 1)]  # fmt: skip
    else:  # where the packed texts begin: behind the packed offsets
        batch = list(pa.ipc.MessageReader.open_stream(data))[1].metadata.to_pybytes()
        assert batch in data
        whole, far = batch, batch[:-24] + (2**40).to_bytes(8, "little") + batch[-16:]
    assert data.count(whole) == 1
    (tmp_path / "rows").write_bytes(data.replace(whole, far))
    _, _, faults = read(tmp_path / "rows", "stream")
    assert len(faults) == 1 and "cannot be read as Arrow" in faults[0]
