"""Files in and out: checked to the last byte, imported whole or not at all, safe in a sheet."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import re
import shutil
import uuid
import zlib
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, strategies as st

from harness.errors import DataError, UsageError
from harness.records import to_json
from harness_rating.commands import exchange as rate
from harness_rating.commands.status import status
from harness_rating.exchange.cells import COLUMNS
from harness_rating.exchange.exporting import export_batch, rows_for_store
from harness_rating.exchange.importing import import_file
from harness_rating.exchange.other_tools import labelling_config
from harness_rating.ratings.events import Events
from harness_rating.ratings.folder import RatingsFolder
from harness_rating.ratings.folding import fold
from harness_rating.ratings.progress import disagreements
from tests.plugins.rating import material
from tests.plugins.rating.material import batch, event, rubric
from tests.support.hostile_texts import TEXTS as HOSTILE

some_of_everything = material.some_of_everything
FORMULA = tuple("=+-@\t\r\n＝＋－＠")


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """A batch in which Ana has done some of everything, and where it lies."""
    root = tmp_path_factory.mktemp("original")
    made = batch(root)
    Events(root / made.name, "ana").extend(some_of_everything(made))
    settler = event("settled-cy", made.assignments["ana"][0], "quality", value=2)
    Events(root / made.name, "settled-cy").append(settler)
    return root, made


@pytest.fixture
def fresh(original, tmp_path):
    """The same batch before anybody has rated."""
    root, made = original
    shutil.copytree(root, tmp_path / "ratings")
    for path in (tmp_path / "ratings" / made.name / "events").iterdir():
        path.unlink()
    return tmp_path / "ratings", made


def packed(made, told, **changed) -> bytes:
    """The file as a packed page writes it."""
    body = "".join(json.dumps(to_json(one)) + "\n" for one in told).encode()
    head = {
        "schema": "harness.events/1", "batch": made.name, "rubric": "small/1", "rater": "ana",
        "events": len(told), "crc32": f"{zlib.crc32(body):08x}", **changed,
    }  # fmt: skip
    return json.dumps({k: v for k, v in head.items() if v is not None}).encode() + b"\n" + body


def write(tmp_path, data: bytes, name: str = "ana.jsonl") -> Path:
    path = tmp_path / name
    path.write_bytes(data)
    return path


def everything(root, made):
    """All that stands: ratings, and the marks of both raters, without times."""
    found = [*RatingsFolder(root).ratings(made), *RatingsFolder(root).settled(made)]
    bare = [dataclasses.replace(one, at="") for one in found]
    marks = [
        (rater, one.item, one.status, one.flagged, one.comment)
        for rater in made.raters
        for one in RatingsFolder(root).state(made, rater).items
    ]
    return sorted(map(repr, bare)), marks


def stored(root, made):
    return {p.name: p.read_bytes() for p in (root / made.name / "events").iterdir()}


def test_a_packed_file_is_imported_and_twice_does_no_harm(fresh, original, tmp_path):
    root, made = fresh
    events = some_of_everything(made)
    path = write(tmp_path, packed(made, events))
    result = import_file(path, RatingsFolder(root))
    assert (result.batch, result.new, result.known) == (made.name, {"ana": len(events)}, {"ana": 0})
    assert Events(root / made.name, "ana").all() == events
    before = stored(root, made)
    again = import_file(path, RatingsFolder(root), expected=made.name)
    assert (again.new, again.known) == ({"ana": 0}, {"ana": len(events)})
    assert stored(root, made) == before


def test_a_file_with_more_adds_only_that(fresh, tmp_path):
    root, made = fresh
    events = some_of_everything(made)
    import_file(write(tmp_path, packed(made, events[:10])), RatingsFolder(root))
    result = import_file(write(tmp_path, packed(made, events)), RatingsFolder(root))
    assert result.new == {"ana": len(events) - 10} and result.known == {"ana": 10}
    assert {e.id for e in Events(root / made.name, "ana").all()} == {e.id for e in events}


def test_what_is_exported_as_jsonl_can_be_imported_elsewhere(fresh, original, tmp_path):
    (source, made), (root, _) = original, fresh
    path = write(tmp_path, export_batch(made, "jsonl", RatingsFolder(source)))
    with pytest.raises(DataError, match="speaks for all raters") as caught:
        import_file(path, RatingsFolder(root))
    assert "--all-raters" in caught.value.hint and stored(root, made) == {}
    import_file(path, RatingsFolder(root), all_raters=True)
    assert everything(root, made) == everything(source, made)
    assert import_file(path, RatingsFolder(root), all_raters=True).new == {
        "ana": 0,
        "settled-cy": 0,
    }


def test_a_file_of_one_rater_speaks_for_nobody_else(fresh, tmp_path):
    root, made = fresh
    shared = next(i for i in made.assignments["ana"] if i in made.assignments["bo"])
    for rater in ("bo", "settled-boss"):
        told = [event("ana", shared, "quality", value=4), event(rater, shared, "quality", value=1)]
        for head in ({}, {"rater": "*"}, {"rater": rater}):
            with pytest.raises(DataError, match="nothing was imported"):
                import_file(write(tmp_path, packed(made, told, **head)), RatingsFolder(root))
    rows = rows_of(made, ("quality", "4"))
    rows[0]["rater"] = "settled-boss"
    path = write(tmp_path, as_sheet(rows, NEEDED), "x.csv")
    with pytest.raises(DataError, match="'settled-boss'") as caught:
        import_file(path, RatingsFolder(root))
    assert caught.value.where == f"{path}:2" and stored(root, made) == {}
    assert import_file(path, RatingsFolder(root), all_raters=True).new == {"settled-boss": 1}


def test_a_time_after_which_nothing_can_be_said_is_refused(fresh, tmp_path):
    root, made = fresh
    path = write(tmp_path, packed(made, wrong_event(made, at="9999-12-31T23:59:59.999Z")))
    with pytest.raises(DataError, match="leaves none for what is said after it"):
        import_file(path, RatingsFolder(root))


def test_a_cut_file_is_refused_wherever_it_is_cut(fresh, tmp_path):
    root, made = fresh
    whole = packed(made, some_of_everything(made)[:4])
    at_ends = {m.end() + off for m in re.finditer(b"\n", whole[:-1]) for off in (-1, 0, 1)}
    for end in sorted({*range(0, len(whole), 11), *at_ends, len(whole) - 1}):
        with pytest.raises(DataError) as caught:
            import_file(write(tmp_path, whole[:end]), RatingsFolder(root))
        assert re.search(r"jsonl:\d+: .*nothing was imported", str(caught.value)), end
    assert stored(root, made) == {}
    assert import_file(write(tmp_path, whole), RatingsFolder(root)).new == {"ana": 4}


@given(st.data())
def test_an_edited_byte_is_noticed_wherever_it_is(original, data):
    source, made = original
    whole = packed(made, Events(source / made.name, "ana").all()[:4])
    place = data.draw(st.integers(0, len(whole) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda new: new != whole[place]))
    edited = whole[:place] + bytes([byte]) + whole[place + 1 :]
    before = stored(source, made)
    try:
        result = import_file(write(source.parent, edited), RatingsFolder(source))
    except DataError:
        pass
    else:  # white space between two values of the first line says nothing
        assert chr(byte).isspace() and place < whole.index(b"\n") and result.new == {"ana": 0}
    assert stored(source, made) == before


def wrong_event(made, **changed):
    return [event("ana", made.assignments["ana"][0], "quality", **{"value": 4, **changed})]


HEADS = {
    "another batch": ({"batch": "small-00000000"}, "there is no batch 'small-00000000'"),
    "a path": ({"batch": "../x"}, "there is no batch '../x'"),
    "no text": ({"batch": ["x"]}, "there is no batch"),
    "another version": ({"rubric": "small/2"}, "by rubric small/2, and the batch has small/1"),
    "another rubric": ({"rubric": "else/1"}, "rated by rubric else/1"),
    "another rater": ({"rater": "anna"}, "'anna' does not rate in batch"),
    "another schema": ({"schema": "harness.events/9"}, "does not begin as ratings do"),
    "no schema": ({"schema": None}, "does not begin as ratings do"),
    "no sum": ({"crc32": None}, "does not begin as ratings do"),
    "a wrong count": ({"events": 3}, "the file is cut: it had 3 events, and 1 are left"),
    "another sum": ({"crc32": "00000000"}, "the file was changed after it was exported"),
}  # fmt: skip
EVENTS = {
    "unknown item": ({"item": "0" * 12}, "no item '000000000000' for ana"),
    "unknown criterion": ({"criterion": "looks"}, "no criterion 'looks'"),
    "unknown value": ({"value": 9}, "quality takes a whole number from 1 to 5"),
    "unknown kind": ({"kind": "erase"}, "no kind 'erase'"),
    "of another rater": ({"rater": "bo"}, "an event of 'bo' in a file of 'ana'"),
    "no time": ({"at": ""}, "its time"),
}  # fmt: skip


@pytest.mark.parametrize("case", HEADS)
def test_a_file_that_belongs_elsewhere_is_refused(fresh, tmp_path, case):
    root, made = fresh
    changed, words = HEADS[case]
    path = write(tmp_path, packed(made, wrong_event(made), **changed))
    with pytest.raises(DataError) as caught:
        import_file(path, RatingsFolder(root))
    assert words in str(caught.value) and f"{path}:" in str(caught.value)
    assert caught.value.hint and stored(root, made) == {}


@pytest.mark.parametrize("case", EVENTS)
def test_one_wrong_event_refuses_the_file_and_names_its_line(fresh, tmp_path, case):
    root, made = fresh
    changed, words = EVENTS[case]
    shared = next(i for i in made.assignments["ana"] if i in made.assignments["bo"])
    good = [event("ana", shared, "quality", value=4) for _ in range(3)]
    bad = dataclasses.replace(good[0], **changed)
    path = write(tmp_path, packed(made, [*good, bad]))
    with pytest.raises(DataError) as caught:
        import_file(path, RatingsFolder(root))
    assert caught.value.where == f"{path}:5" and words in caught.value.what
    assert stored(root, made) == {}


NO_FILES = {
    "empty": b"", "white space": b" \n", "html": b"<!doctype html>\n<p>x</p>\n",
    "an array": b"[1, 2]\n", "binary": bytes(range(256)) + b"\n", "utf-16": "{}\n".encode("utf-16"),
    "deep": b"[" * 100_000 + b"\n", "a doubled key": b'{"schema": 1, "schema": 2}\n',
}  # fmt: skip


@pytest.mark.parametrize("case", NO_FILES)
@pytest.mark.parametrize("name", ["x.jsonl", "x.csv"])
def test_what_is_no_file_of_ratings_is_refused(fresh, tmp_path, case, name):
    root, made = fresh
    path = write(tmp_path, NO_FILES[case], name)
    with pytest.raises(DataError) as caught:
        import_file(path, RatingsFolder(root))
    assert re.match(re.escape(str(path)) + r":\d+: ", str(caught.value))
    assert stored(root, made) == {}


def test_a_missing_file_and_a_folder_are_told(fresh, tmp_path):
    for path in (tmp_path / "none.jsonl", tmp_path):
        with pytest.raises(DataError, match="cannot read it"):
            import_file(path, RatingsFolder(fresh[0]))


def test_a_known_id_with_another_content_refuses_the_file(fresh, tmp_path):
    root, made = fresh
    events = wrong_event(made)
    import_file(write(tmp_path, packed(made, events)), RatingsFolder(root))
    changed = [dataclasses.replace(events[0], value=5)]
    with pytest.raises(DataError, match="known with another content"):
        import_file(write(tmp_path, packed(made, changed)), RatingsFolder(root))
    assert [rating.value for rating in RatingsFolder(root).ratings(made)] == [4]


def test_a_file_of_another_batch_than_is_named_is_refused(fresh, tmp_path):
    root, made = fresh
    with pytest.raises(DataError, match=f"ratings of batch {made.name}, not of other") as refusal:
        import_file(
            write(tmp_path, packed(made, wrong_event(made))), RatingsFolder(root), expected="other"
        )
    assert refusal.value.hint.endswith(f"--batch {made.name}")
    assert not RatingsFolder(root).ratings(made)


def sheet(made, root) -> list[dict[str, str]]:
    return list(
        csv.DictReader(
            io.StringIO(export_batch(made, "csv", RatingsFolder(root)).decode(), newline="")
        )
    )


def as_sheet(rows, columns=COLUMNS, delimiter=",") -> bytes:
    stream = io.StringIO(newline="")
    writer = csv.DictWriter(stream, columns, delimiter=delimiter, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue().encode()


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_sheet_goes_out_and_comes_in_as_it_was(original, fresh, tmp_path, delimiter, mark):
    (source, made), (root, _) = original, fresh
    path = write(tmp_path, mark + as_sheet(sheet(made, source), delimiter=delimiter), "all.csv")
    import_file(path, RatingsFolder(root), all_raters=True)
    assert everything(root, made) == everything(source, made)
    before = stored(root, made)
    assert import_file(path, RatingsFolder(root)).new == {}
    assert stored(root, made) == before


def test_a_sheet_that_was_edited_changes_what_was_edited(original, fresh, tmp_path):
    (source, made), (root, _) = original, fresh
    rows = sheet(made, source)
    import_file(write(tmp_path, as_sheet(rows), "all.csv"), RatingsFolder(root), all_raters=True)
    row = next(r for r in rows if (r["criterion"], r["value"]) == ("quality", "5"))
    row["value"] = "2"
    path = write(tmp_path, as_sheet(rows), "all.csv")
    assert import_file(path, RatingsFolder(root)).new == {"ana": 1}
    found = {
        (rating.item, rating.criterion): rating.value
        for rating in RatingsFolder(root).ratings(made)
    }
    assert found[row["item"], "quality"] == 2
    # A sheet that still says 5 is older than what stands now.
    row["value"] = "5"
    with pytest.raises(DataError, match=r"this row is of 2026-.*said something else at"):
        import_file(write(tmp_path, as_sheet(rows), "all.csv"), RatingsFolder(root))
    row["at"] = ""
    assert import_file(write(tmp_path, as_sheet(rows), "all.csv"), RatingsFolder(root)).new == {
        "ana": 1
    }


def test_what_was_taken_back_does_not_come_back_with_the_sheet(original, tmp_path):
    source, made = original
    root = tmp_path / "ratings"
    shutil.copytree(source, root)
    path = write(tmp_path, as_sheet(sheet(made, root)), "all.csv")
    gone = RatingsFolder(root).ratings(made)[0]
    Events(root / made.name, "ana").append(event("ana", gone.item, gone.criterion, "clear"))
    import_file(path, RatingsFolder(root))
    import_file(path, RatingsFolder(root))
    assert (gone.item, gone.criterion) not in {
        (r.item, r.criterion) for r in RatingsFolder(root).ratings(made)
    }


def test_a_sheet_corrects_what_was_said_by_a_clock_ahead(fresh, tmp_path):
    root, made = fresh
    item, at = made.assignments["ana"][0], "2087-11-25T15:00:00.999Z"
    Events(root / made.name, "ana").append(event("ana", item, "quality", value=1, at=at))
    rows = sheet(made, root)
    rows[0]["value"] = "5"
    path = write(tmp_path, as_sheet(rows), "x.csv")
    assert import_file(path, RatingsFolder(root)).new == {"ana": 1}
    assert [(r.value, r.at) for r in RatingsFolder(root).ratings(made)] == [
        (5, "2087-11-25T15:00:01.000Z")
    ]


def test_texts_of_a_sheet_come_back_as_they_were(fresh, original, tmp_path):
    (root, made), elsewhere = fresh, tmp_path / "elsewhere"
    shutil.copytree(root, elsewhere)
    texts = ["'=x", "=x", "''=x", "'''-1", "-5", "'tis", "''", "two\nlines", "a'=b", "'@", "＝1"]
    told = [
        event("ana", item, "better", value=text, seconds=1.5 + n)
        for n, (item, text) in enumerate(zip(made.assignments["ana"], texts, strict=False))
    ]
    assert len(told) == len(texts)
    Events(root / made.name, "ana").extend(told)
    path = write(tmp_path, export_batch(made, "csv", RatingsFolder(root)), "x.csv")
    assert not [cell for row in sheet(made, root) for cell in row.values()
                if cell.startswith(FORMULA)]  # fmt: skip
    import_file(path, RatingsFolder(elsewhere))
    assert [r.value for r in RatingsFolder(elsewhere).ratings(made)] == texts
    seconds = {one.item: one.seconds for one in RatingsFolder(elsewhere).state(made, "ana").items}
    assert [seconds[one.item] for one in told] == [one.seconds for one in told]
    for folder in (root, elsewhere):
        assert import_file(path, RatingsFolder(folder)).new == {}


def test_a_sheet_with_other_ends_of_lines_says_nothing_new(fresh, tmp_path):
    root, made = fresh
    first, second = made.assignments["ana"][:2]
    Events(root / made.name, "ana").extend(
        [
            event("ana", first, "better", value="two\nlines"),
            event("ana", second, "better", value="as\r\nwell"),
            event("ana", first, kind="comment", value="=a\nb"),
        ]
    )
    for end in ("\r\n", "\n", "\r"):
        rows = sheet(made, root)
        for row in rows:
            row["value"] = row["value"].replace("\r\n", "\n").replace("\n", end)
        path = write(tmp_path, as_sheet(rows), "x.csv")
        assert import_file(path, RatingsFolder(root)).new == {}, repr(end)


def test_seconds_that_are_none_are_refused(fresh, tmp_path):
    root, made = fresh
    for wrong in ("soon", "-1", "nan", "1e9"):
        rows = [row | {"seconds": wrong} for row in rows_of(made, ("quality", "4"))]
        path = write(tmp_path, as_sheet(rows, [*NEEDED, "seconds"]), "x.csv")
        with pytest.raises(DataError, match=f"'seconds' is a number, not '{wrong}'"):
            import_file(path, RatingsFolder(root))


NEEDED = ("batch", "rubric", "rater", "item", "criterion", "value")


def rows_of(made, *cells):
    item = made.assignments["ana"][0]
    common = {"batch": made.name, "rubric": "small/1", "rater": "ana", "item": item}
    return [{**common, "criterion": name, "value": value} for name, value in cells]


def test_a_sheet_by_hand_needs_six_columns(fresh, tmp_path):
    root, made = fresh
    cells = [("quality", "4"), ("polite", "FALSE"), ("degrees", "-1,5"), ("tone", "warm"),
             ("errors", "a; b"), ("better", "'=1+1")]  # fmt: skip
    cells[4] = ("errors", '["a; b"]')
    path = write(tmp_path, as_sheet(rows_of(made, *cells), NEEDED), "hand.csv")
    assert import_file(path, RatingsFolder(root)).new == {"ana": 6}
    found = {rating.criterion: rating.value for rating in RatingsFolder(root).ratings(made)}
    assert found == {
        "quality": 4, "polite": False, "degrees": -1.5, "tone": "warm", "errors": ("a; b",),
        "better": "=1+1",
    }  # fmt: skip
    assert import_file(path, RatingsFolder(root)).new == {}


def test_empty_cells_are_not_rated(fresh, tmp_path):
    root, made = fresh
    rows = rows_of(made, ("quality", ""), ("polite", " "), ("tone", "warm"))
    assert import_file(
        write(tmp_path, as_sheet(rows, NEEDED), "x.csv"), RatingsFolder(root)
    ).new == {"ana": 1}


SHEETS = {
    "unknown item": ({"item": "nowhere"}, "no item 'nowhere'"),
    "unknown criterion": ({"criterion": "tonne"}, "no criterion 'tonne', did you mean 'tone'"),
    "unknown value": ({"value": "tepid"}, "tone takes one of: warm, cold"),
    "another batch": ({"batch": "small-ffffffff"}, "another batch or rubric than the first"),
    "another version": ({"rubric": "small/2"}, "another batch or rubric than the first"),
    "another rater": ({"rater": "eve"}, "'eve' does not rate"),
    "no rater and no value": ({"rater": "eve", "value": ""}, "'eve' does not rate"),
    "said twice": ({"criterion": "quality", "value": "5"}, "this says again what line 2 says"),
}  # fmt: skip


@pytest.mark.parametrize("case", SHEETS)
def test_one_wrong_row_refuses_the_sheet_and_names_its_line(fresh, tmp_path, case):
    root, made = fresh
    changed, words = SHEETS[case]
    rows = rows_of(made, ("quality", "4"), ("better", "two\nlines"), ("tone", "warm"))
    rows[-1] |= changed
    path = write(tmp_path, as_sheet(rows, NEEDED), "x.csv")
    with pytest.raises(DataError) as caught:
        import_file(path, RatingsFolder(root))
    assert caught.value.where == f"{path}:5" and words in caught.value.what
    assert stored(root, made) == {}


def test_a_sheet_that_is_cut_is_refused(fresh, tmp_path):
    root, made = fresh
    rows = rows_of(made, ("quality", "4"), ("better", "some, text"))
    whole = as_sheet(rows, NEEDED)
    row, cell = whole.index(b"4\r\n") + 3, whole.index(b'"some')
    for end in [*range(row + 1, cell), *range(cell + 1, len(whole) - 3)]:
        with pytest.raises(DataError, match=r"x\.csv:3: .*(cut|refuse)"):
            import_file(write(tmp_path, whole[:end], "x.csv"), RatingsFolder(root))
    assert stored(root, made) == {}


def test_an_unknown_or_missing_column_is_told(fresh, tmp_path):
    root, made = fresh
    rows = rows_of(made, ("quality", "4"))
    with pytest.raises(DataError, match="the column 'item' is missing"):
        import_file(
            write(tmp_path, as_sheet(rows, NEEDED[:3] + NEEDED[4:]), "x.csv"), RatingsFolder(root)
        )
    with pytest.raises(DataError, match="no column 'grade'"):
        import_file(
            write(tmp_path, as_sheet(rows, [*NEEDED, "grade"]), "x.csv"), RatingsFolder(root)
        )


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """A batch with a hostile text as the comment and the better answer of each item."""
    root = tmp_path_factory.mktemp("hostile")
    texts = [text[:20_000] for text in HOSTILE]
    assert len(texts) >= 60
    made = batch(root, n=40, raters=("ana", "bo", "cy"), overlap=1.0, several=3, repeats=0)
    for rater, own in (("ana", texts[:40]), ("bo", texts[40:80]), ("cy", texts[80:])):
        pairs = list(zip(made.assignments[rater], own, strict=False))
        assert len(pairs) == len(own)
        comments = [event(rater, item, kind="comment", value=text) for item, text in pairs]
        better = [event(rater, i, "better", value=text) for i, text in pairs if text.strip()]
        Events(root / made.name, rater).extend([*comments, *better])
    return root, made, texts


def test_no_cell_of_a_sheet_is_a_formula_or_a_command(hostile):
    root, made, texts = hostile
    data = export_batch(made, "csv", RatingsFolder(root))
    rows = list(csv.reader(io.StringIO(data.decode(), newline="")))
    assert len(rows) == 1 + 2 * len(texts) - 1  # one is blank, so no answer
    assert {len(row) for row in rows} == {len(COLUMNS)}
    assert [cell for row in rows for cell in row if cell.startswith(FORMULA)] == []
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", data.decode())


@pytest.mark.parametrize("form", ["csv", "jsonl", "label-studio", "argilla"])
def test_hostile_comments_leave_as_text_in_every_form(hostile, form):
    root, made, texts = hostile
    data = export_batch(made, form, RatingsFolder(root))
    data.decode("utf-8")
    plain = [t for t in texts if t.isascii() and t.isprintable() and not t.startswith(FORMULA)]
    assert len(plain) > 30
    if form == "csv":
        found = {cell for row in csv.reader(io.StringIO(data.decode(), newline="")) for cell in row}
    elif form == "jsonl":
        found = {json.loads(line).get("value") for line in data.split(b"\n")[:-1]}
    elif form == "argilla":
        found = {one["value"] for r in json.loads(data) for one in r["responses"]["comment"]}
    else:
        found = {
            text
            for task in json.loads(data)
            for done in task["annotations"]
            for result in done["result"]
            for text in result["value"]["text"]
        }
    assert set(plain) <= found


def test_hostile_texts_come_back_from_their_export(hostile, tmp_path):
    root, made, _ = hostile
    other = tmp_path / "ratings"
    shutil.copytree(root, other)
    for name, form in (("all.jsonl", "jsonl"), ("all.csv", "csv")):
        path = write(tmp_path, export_batch(made, form, RatingsFolder(root)), name)
        assert set(import_file(path, RatingsFolder(other), all_raters=True).new.values()) <= {0}
    assert everything(other, made) == everything(root, made)


def test_label_studio_gets_tasks_that_fit_their_labelling_configuration(original):
    root, made = original
    tasks = json.loads(export_batch(made, "label-studio", RatingsFolder(root)))
    tree = ElementTree.fromstring(labelling_config(made))
    controls = {e.get("name"): e for e in tree.iter() if e.get("toName")}
    texts = {e.get("name"): e.get("value") for e in tree.iter("Text")}
    assert len(tasks) == len(made.items)
    rated = [task for task in tasks if task["annotations"]]
    assert rated and {tuple(task["data"]["raters"]) for task in rated} == {
        ("ana",),
        ("ana", "settled-cy"),
    }
    for task in tasks:
        assert all(value[1:] in task["data"] for value in texts.values())
        for done in task["annotations"]:
            assert done["was_cancelled"] in (True, False)
            for result in done["result"]:
                control = controls[result["from_name"]]
                assert result["to_name"] == control.get("toName") and result["to_name"] in texts
                assert control.tag.lower() == result["type"]
                if result["type"] == "choices":
                    known = {choice.get("value") for choice in control.iter("Choice")}
                    assert set(result["value"]["choices"]) <= known
    kinds = {r["type"] for t in tasks for d in t["annotations"] for r in d["result"]}
    assert kinds == {"rating", "choices", "number", "textarea"}


def test_argilla_gets_records_as_its_client_reads_them(original):
    root, made = original
    records = json.loads(export_batch(made, "argilla", RatingsFolder(root)))
    keys = {"id", "fields", "metadata", "suggestions", "responses", "vectors"}
    assert all(record.keys() == keys for record in records)
    for record in records:
        assert all(isinstance(text, str) for text in record["fields"].values())
        users = dict(zip(record["metadata"]["user_ids"], record["metadata"]["raters"], strict=True))
        for answers in record["responses"].values():
            for answer in answers:
                assert answer.keys() == {"value", "user_id"} and users[answer["user_id"]] in (
                    "ana",
                    "settled-cy",
                )
                assert uuid.UUID(answer["user_id"]).version == 5
    first = next(r for r in records if r["responses"])
    assert isinstance(first["responses"]["quality"][0]["value"], int)
    assert first["responses"]["polite"][0]["value"] in ("yes", "no")


def test_an_unknown_form_is_told(original):
    with pytest.raises(UsageError, match="no form 'cvs', did you mean 'csv'"):
        export_batch(original[1], "cvs", RatingsFolder(original[0]))


def test_rows_for_the_database(original):
    root, made = original
    rows = list(rows_for_store(made, RatingsFolder(root).ratings(made)))
    standing = fold(Events(root / made.name, "ana").all())
    polite = {item for (item, name), one in standing.items() if name == "polite" and one.value}
    unasked = {(item, name) for item, name in standing if name == "degrees" and item in polite}
    assert unasked
    assert {(r["item"], r["criterion"]) for r in rows} == standing.keys() - unasked
    for row in rows:
        place = made.placings[row["item"]]
        assert (row["batch"], row["rater"], row["arm"]) == (made.name, "ana", "main")
        assert (row["example_id"], row["round"], row["against"]) == (place.example_id, 3, None)
        value = standing[row["item"], row["criterion"]].value
        if row["criterion"] == "quality":
            number = None if value is None else (value - 1) / 4
            assert row["value_number"] == number
            assert row["value_text"] == ("cannot judge" if value is None else str(value))
        assert isinstance(row["value_text"], str)


def test_a_comparison_counts_for_both_answers(tmp_path):
    made = batch(tmp_path, rubric(material.PREFERENCE, id="pairs"), versus=0, repeats=0)
    shown = made.assignments["ana"][:3]
    for item, value in zip(shown, ("A", "B", "tie"), strict=True):
        Events(tmp_path / made.name, "ana").append(event("ana", item, "preference", value=value))
    rows = list(rows_for_store(made, RatingsFolder(tmp_path).ratings(made)))
    for item, words in zip(shown, (("better", "worse"), ("worse", "better"), ("tie", "tie")),
                           strict=True):  # fmt: skip
        found = {row["round"]: row for row in rows if row["item"] == item}
        first, second = made.placings[item].rounds
        assert (found[first]["value_text"], found[second]["value_text"]) == words
        assert found[first]["against"] == second
        assert found[first]["value_number"] + found[second]["value_number"] == 1


def test_the_commands(original, tmp_path, monkeypatch, capsys):
    source, made = original
    shutil.copytree(source, tmp_path / ".harness" / "ratings")
    monkeypatch.chdir(tmp_path)
    rate.export(None, "label-studio", target=Path("out.json"))
    assert json.loads(Path("out.json").read_text()) and Path("out.xml").exists()
    rate.export(made.name, "jsonl", target=Path("all.jsonl"))
    capsys.readouterr()
    rate.import_(Path("all.jsonl"), all_raters=True)
    assert f"{made.name}: 0 new events of ana" in capsys.readouterr().out
    status(None, True)
    (document,) = json.loads(capsys.readouterr().out)
    assert [rater["rater"] for rater in document["raters"]] == ["ana", "bo"]
    status(made.name, False)
    out = capsys.readouterr().out
    assert "@SUM(1,1) looks wrong" in out and "0 of 6 that several raters get" in " ".join(
        out.split()
    )
    assert disagreements(made, RatingsFolder()) == []
    with pytest.raises(UsageError, match="there is no folder nowhere"):
        rate.export(None, "csv", target=Path("nowhere/x.csv"))
    batch(tmp_path / ".harness" / "ratings", n=5)
    assert len(RatingsFolder().names()) == 2
    with pytest.raises(UsageError, match="there are several batches"):
        rate.export(None, "csv")


def test_a_labelling_configuration_is_written_over_nothing_else(original, tmp_path, monkeypatch):
    source, made = original
    shutil.copytree(source, tmp_path / ".harness" / "ratings")
    monkeypatch.chdir(tmp_path)
    for name in ("out.xml", "out.XML"):
        with pytest.raises(UsageError, match="configuration is written to out") as caught:
            rate.export(None, "label-studio", target=Path(name))
        assert caught.value.hint == "-o out.json" and not Path(name).exists()
    Path("mine.xml").write_text("<mine/>")
    with pytest.raises(UsageError, match=r"goes to mine\.xml, where something else is"):
        rate.export(None, "label-studio", target=Path("mine.json"))
    assert Path("mine.xml").read_text() == "<mine/>" and not Path("mine.json").exists()
    for _ in range(2):
        rate.export(None, "label-studio", target=Path("out.json"))
    assert Path("out.xml").read_bytes() == labelling_config(made).encode()
