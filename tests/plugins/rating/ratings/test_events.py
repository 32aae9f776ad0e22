"""Events: nothing that was acknowledged is lost, nothing counts twice, any order folds alike."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from harness.errors import DataError, UsageError
from harness.kit.files import canonical
from harness_rating.batches.records import Event
from harness_rating.ratings.events import Events, now, problem
from harness_rating.ratings.folder import RatingsFolder
from harness_rating.ratings.folding import fold, item_state, ordered
from harness_rating.ratings.progress import disagreements, status
from tests.plugins.rating.material import batch, event, rubric
from tests.support.waiting import LONG

ROOT = Path(__file__).parents[4]
ITEMS = ("a1", "b2", "c3")


def numbered(count: int, rater: str = "ana") -> list[Event]:
    return [event(rater, "a1", "quality", value=n % 5 + 1) for n in range(count)]


def test_what_was_appended_is_read_again_in_order(tmp_path):
    store, events = Events(tmp_path, "ana"), numbered(5)
    for appended in events:
        store.append(appended)
    assert store.all() == events == Events(tmp_path, "ana").all()
    assert Events(tmp_path, "bo").all() == []
    lines = (tmp_path / "events" / "ana.jsonl").read_bytes().split(b"\n")
    assert len(lines) == 6 and lines[-1] == b""


def test_a_known_id_does_nothing_whoever_wrote_it(tmp_path):
    one, another = Events(tmp_path, "ana"), Events(tmp_path, "ana")
    events = numbered(3)
    one.append(events[0])
    another.append(events[0])
    one.append(events[0])
    assert another.extend(events) == 2 and one.extend(events) == 0
    assert Events(tmp_path, "ana").all() == events


@pytest.mark.parametrize("cut", range(1, 12))
def test_a_cut_tail_is_dropped_and_mended(tmp_path, cut):
    store, events = Events(tmp_path, "ana"), numbered(3)
    store.extend(events[:2])
    path = tmp_path / "events" / "ana.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole[: -cut * 7])
    kept = 1 if cut * 7 <= len(whole) // 2 else 0
    for reader in (Events(tmp_path, "ana"), store):
        assert reader.all() == events[:kept]
    store.append(events[2])
    assert store.all() == [*events[:kept], events[2]]
    assert store.extend(events) == 2 - kept  # sent again by the browser, and kept now
    assert {one.id for one in Events(tmp_path, "ana").all()} == {one.id for one in events}


def test_a_damaged_line_is_named_and_nothing_is_added_behind_it(tmp_path):
    Events(tmp_path, "ana").extend(numbered(3))
    path = tmp_path / "events" / "ana.jsonl"
    lines = path.read_bytes().split(b"\n")
    lines[1] = lines[1][:20]
    path.write_bytes(b"\n".join(lines))
    for use in (lambda: Events(tmp_path, "ana").all(), lambda: Events(tmp_path, "ana").append(
            event("ana", "a1", "quality", value=1))):  # fmt: skip
        with pytest.raises(DataError, match="damaged") as caught:
            use()
        assert caught.value.where == f"{path}:2"
    assert path.read_bytes() == b"\n".join(lines)


def test_a_file_that_was_replaced_by_a_damaged_one_is_refused_each_time(tmp_path):
    store = Events(tmp_path, "ana")
    store.extend(numbered(3))
    other = tmp_path / "other.jsonl"
    other.write_bytes(b"{\n" + store.path.read_bytes())
    other.replace(store.path)
    for _ in range(2):
        with pytest.raises(DataError, match="damaged") as caught:
            store.append(event("ana", "a1", "quality", value=1))
        assert caught.value.where == f"{store.path}:1"


@pytest.mark.parametrize("name", ["", "..", "../ana", "Ana", "a b", "-a", "a" * 41, "ana\n", "é"])
def test_a_rater_is_no_path(tmp_path, name):
    with pytest.raises(UsageError, match="cannot be a rater's name"):
        Events(tmp_path, name)


def test_an_event_of_another_rater_is_refused(tmp_path):
    with pytest.raises(ValueError, match="another rater"):
        Events(tmp_path, "ana").append(event("bo", "a1", "quality", value=1))


@pytest.mark.nightly
def test_two_processes_and_their_threads_lose_nothing(tmp_path):
    parts = [numbered(40) for _ in range(4)]
    program = textwrap.dedent(f"""
        import json, sys, threading
        from pathlib import Path
        from harness_rating.ratings.events import Events
        from harness_rating.batches.records import Event
        store = Events(Path({str(tmp_path)!r}), "ana")
        def work(part):
            for fields in part:
                store.append(Event(**fields))
        threads = [threading.Thread(target=work, args=[p]) for p in json.loads(sys.stdin.read())]
        [t.start() for t in threads]
        [t.join() for t in threads]
    """)
    children = [
        subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, cwd=ROOT)
        for _ in range(2)
    ]
    for child, own in zip(children, (parts[:3], parts[1:]), strict=True):  # 1 and 2 from both
        child.stdin.write(json.dumps([[dataclasses.asdict(e) for e in p] for p in own]).encode())
        child.stdin.close()
    assert [child.wait(LONG) for child in children] == [0, 0]
    events = Events(tmp_path, "ana").all()
    lines = (tmp_path / "events" / "ana.jsonl").read_bytes().count(b"\n")
    assert len(events) == lines == 160
    assert {one.id for one in events} == {one.id for part in parts for one in part}


@pytest.mark.nightly
def test_kills_lose_no_acknowledged_event(tmp_path):
    program = textwrap.dedent(f"""
        import os, sys
        from pathlib import Path
        from harness_rating.ratings.events import Events
        from harness_rating.batches.records import Event
        store, number = Events(Path({str(tmp_path)!r}), "ana"), 0
        while True:
            name = os.urandom(16).hex()
            store.append(Event(name, "ana", "a1", "better", "set", "x" * 5000, "2026"))
            os.write(1, f"{{name}}\\n".encode())
    """)
    acknowledged: set[str] = set()
    for turn in range(5):
        command = [sys.executable, "-c", program]
        # Without a buffer of ours, in which lines would be lost to communicate().
        child = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, bufsize=0)
        first = child.stdout.readline()
        time.sleep(0.01 * turn)
        os.kill(child.pid, signal.SIGKILL)
        rest, _ = child.communicate(timeout=LONG)
        acknowledged |= {line for line in (first + rest).decode().split("\n")[:-1] if line}
        found = {one.id for one in Events(tmp_path, "ana").all()}
        assert acknowledged <= found
        assert len(found) - len(acknowledged) <= turn + 1  # written, but not yet told
    assert len(acknowledged) >= 5


def test_a_full_disk_leaves_the_file_as_it_was(tmp_path):
    events = numbered(3)
    Events(tmp_path, "ana").extend(events)
    path = tmp_path / "events" / "ana.jsonl"
    before = path.read_bytes()
    program = textwrap.dedent(f"""
        import resource, signal
        from pathlib import Path
        from harness_rating.ratings.events import Events
        from harness_rating.batches.records import Event
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        store = Events(Path({str(tmp_path)!r}), "ana")
        resource.setrlimit(resource.RLIMIT_FSIZE, ({len(before)} + 300, {len(before)} + 900))
        try:
            store.append(Event("0" * 32, "ana", "a1", "better", "set", "x" * 600, "2026"))
        except Exception as error:
            print(type(error).__name__)
        resource.setrlimit(resource.RLIMIT_FSIZE, ({len(before)} + 900,) * 2)
        store.append(Event("0" * 32, "ana", "a1", "better", "set", "x" * 600, "2026"))
        print(len(store.all()))
    """)
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.split() == ["EnvironmentFailure", "4"], done.stderr
    assert path.read_bytes().startswith(before)


times = st.integers(0, 5).map(lambda n: f"2026-11-25T15:00:00.00{n}Z")
one_event = st.builds(
    Event,
    id=st.integers(0, 15).map(lambda n: f"{n:032x}"),
    rater=st.just("ana"),
    item=st.sampled_from(ITEMS),
    criterion=st.sampled_from(["quality", "polite"]),
    kind=st.sampled_from(["set", "clear", "skip", "flag", "comment", "done"]),
    value=st.sampled_from([1, 5, None, True, "x"]),
    at=times,
    seconds=st.sampled_from([None, 1.0, 9.5]),
)


@given(st.lists(one_event, max_size=20), st.randoms(use_true_random=False))
def test_any_interleaving_and_any_repetition_fold_to_the_same(events, random):
    again = [*events, *random.choices(events, k=5)] if events else []
    random.shuffle(again)
    assert fold(again) == fold(events)
    assert ordered(again) == ordered(events)
    assert item_state(rubric(), "a1", ordered(again)) == item_state(rubric(), "a1", ordered(events))


@given(st.lists(one_event, max_size=12, unique_by=lambda one: one.id), st.data())
def test_a_file_cut_anywhere_folds_like_the_events_before_the_cut(tmp_path_factory, events, data):
    folder = tmp_path_factory.mktemp("cut")
    store = Events(folder, "ana")
    store.extend(events)
    path = folder / "events" / "ana.jsonl"
    whole = path.read_bytes()
    end = data.draw(st.integers(0, len(whole)))
    path.write_bytes(whole[:end])
    kept = whole[:end].count(b"\n")
    assert fold(store.all()) == fold(events[:kept])
    store.extend(events)
    assert fold(Events(folder, "ana").all()) == fold(events)


@given(st.lists(one_event, max_size=20, unique_by=lambda one: one.id))
def test_the_last_set_wins_and_a_clear_removes(events):
    expected: dict[tuple[str, str], object] = {}
    for one in sorted(events, key=lambda e: (e.at, e.id)):
        if one.kind == "set":
            expected[one.item, one.criterion] = one.value
        elif one.kind == "clear":
            expected.pop((one.item, one.criterion), None)
    assert {place: rating.value for place, rating in fold(events).items()} == expected


def kept(tmp_path, *events):
    made = batch(tmp_path)
    for rated in events:
        Events(tmp_path / made.name, rated.rater).append(rated)
    return made


def answers(item, rater="ana", **values):
    every = {"quality": 4, "polite": True, "tone": "warm", **values}
    return [event(rater, item, name, value=value) for name, value in every.items()]


def test_an_item_is_done_when_all_that_must_be_answered_is(tmp_path):
    made = batch(tmp_path)
    store, shown = Events(tmp_path / made.name, "ana"), made.assignments["ana"]

    def status_after(*events):
        store.extend(events)
        found = RatingsFolder(tmp_path).state(made, "ana")
        still = (item.item for item in found.items if item.status == "open")
        return found.items[0].status, next(still)

    first, second = shown[:2]
    assert status_after() == ("open", first)
    assert status_after(*answers(first)[:2]) == ("open", first)
    assert status_after(answers(first)[2]) == ("done", second)
    assert status_after(event("ana", first, "polite", value=False)) == ("open", first)  # degrees
    assert status_after(event("ana", first, "degrees", value=0)) == ("done", second)
    assert status_after(event("ana", first, "tone", "clear")) == ("open", first)
    assert status_after(event("ana", first, kind="skip")) == ("skipped", second)
    assert status_after(event("ana", first, "tone", value="cold")) == ("done", second)
    assert status_after(event("ana", second, kind="skip"))[1] == shown[2]
    assert status_after(event("ana", second, kind="skip", value=False))[1] == second


def test_marks_and_time_are_kept(tmp_path):
    made = batch(tmp_path)
    item = made.assignments["ana"][0]
    kept(
        tmp_path,
        event("ana", item, kind="flag", seconds=3),
        event("ana", item, kind="comment", value="first", seconds=9),
        event("ana", item, kind="comment", value="second", seconds=7),
    )
    items = RatingsFolder(tmp_path).state(made, "ana").items[0]
    assert (items.flagged, items.comment, items.seconds) == (True, "second", 9)
    kept(tmp_path, event("ana", item, kind="flag", value=False),
         event("ana", item, kind="comment", value=""))  # fmt: skip
    items = RatingsFolder(tmp_path).state(made, "ana").items[0]
    assert (items.flagged, items.comment) == (False, "")


def test_a_rubric_that_requires_nothing_is_done_when_the_rater_says_so(tmp_path):
    only_text = tuple(criterion for criterion in rubric().criteria if criterion.id == "better")
    made = batch(tmp_path, rubric(only_text, id="text"))
    item = made.assignments["ana"][0]
    store = Events(tmp_path / made.name, "ana")
    store.append(event("ana", item, "better", value="so"))
    assert RatingsFolder(tmp_path).state(made, "ana").items[0].status == "open"
    store.append(event("ana", item, kind="done"))
    assert RatingsFolder(tmp_path).state(made, "ana").items[0].status == "done"


def both(made):
    """An item that Ana and Bo both get."""
    return next(i for i in made.assignments["ana"] if i in made.assignments["bo"])


def test_the_status_of_a_batch(tmp_path):
    made = batch(tmp_path)
    item = both(made)
    marks = [event("bo", item, kind="comment", value="odd"), event("bo", item, kind="flag")]
    kept(tmp_path, *answers(item), *answers(item, "bo", quality=1), *marks)
    found = status(made, RatingsFolder(tmp_path))
    ana, bo = found.raters
    assert (found.items, found.rated, found.several, found.planned_several) == (20, 1, 1, 6)
    assert (ana.done, ana.assigned, ana.seconds) == (1, len(made.assignments["ana"]), 4.5)
    assert (bo.flagged, bo.comments) == ((item,), {item: "odd"})


def test_disagreements_hide_names_and_know_what_was_settled(tmp_path):
    made = batch(tmp_path)
    item = both(made)
    kept(tmp_path, *answers(item, tone="cold", quality=4), *answers(item, "bo", quality=1))
    (wide,) = (
        one for one in disagreements(made, RatingsFolder(tmp_path)) if one.criterion == "quality"
    )
    assert (wide.item, wide.values, wide.apart, wide.is_settled) == (item, (1, 4), 0.75, False)
    assert {one.criterion for one in disagreements(made, RatingsFolder(tmp_path))} == {
        "quality",
        "tone",
    }
    assert "ana" not in repr(wide) and "bo" not in repr(wide)
    assert len(disagreements(made, RatingsFolder(tmp_path), apart=0.8)) == 1
    kept(tmp_path, event("settled-cy", item, "quality", value=2))
    (wide,) = (
        one for one in disagreements(made, RatingsFolder(tmp_path)) if one.criterion == "quality"
    )
    assert (wide.is_settled, wide.settled, wide.by) == (True, 2, "settled-cy")
    assert {one.rater for one in RatingsFolder(tmp_path).ratings(made)} == {"ana", "bo"}
    assert [one.value for one in RatingsFolder(tmp_path).settled(made)] == [2]


WRONG = {
    "id": ({"id": "short"}, "32 hex"),
    "id is no text": ({"id": 7}, "not all text"),
    "item is a list": ({"item": ["x"]}, "not all text"),
    "kind": ({"kind": "erase"}, "no kind 'erase'"),
    "kind is a dict": ({"kind": {}}, "not all text"),
    "time": ({"at": "yesterday"}, "its time"),
    "a day that is not": ({"at": "2026-02-30T00:00:00.000Z"}, "its time"),
    "seconds": ({"seconds": -1}, "no sensible time"),
    "seconds are true": ({"seconds": True}, "no sensible time"),
    "seconds are no number": ({"seconds": float("nan")}, "no sensible time"),
    "rater": ({"rater": "eve"}, "'eve' does not rate"),
    "item": ({"item": "0" * 12}, "no item"),
    "criterion": ({"criterion": "looks"}, "no criterion 'looks'"),
    "no criterion": ({"criterion": ""}, "no criterion ''"),
    "level": ({"value": 6}, "from 1 to 5"),
    "level is text": ({"value": "4"}, "from 1 to 5"),
    "level is true": ({"value": True}, "from 1 to 5"),
    "not to be left out": ({"criterion": "polite", "value": None}, "polite takes"),
    "choice": ({"criterion": "tone", "value": "hot"}, "warm, cold"),
    "choices": ({"criterion": "errors", "value": ["none"]}, "errors takes"),
    "long text": ({"criterion": "better", "value": "x" * 20_001}, "better takes"),
    "a mark of a criterion": ({"kind": "flag", "value": True}, "about an item"),
    "a mark that is a number": ({"kind": "flag", "criterion": "", "value": 1}, "true or false"),
    "a comment that is none": ({"kind": "comment", "criterion": "", "value": 5}, "is text"),
    "long comment": ({"kind": "comment", "criterion": "", "value": "x" * 20_001}, "at most"),
}  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return batch(tmp_path_factory.mktemp("batch"))


@pytest.mark.parametrize("case", WRONG)
def test_an_event_from_outside_is_checked(made, case):
    changed, words = WRONG[case]
    good = event("ana", made.assignments["ana"][0], "quality", value=4)
    assert problem(made, good) is None
    assert words in (problem(made, dataclasses.replace(good, **changed)) or "it is fine")


def test_an_item_of_another_rater_is_refused(made):
    theirs = next(i for i in made.assignments["bo"] if i not in made.assignments["ana"])
    assert "no item" in (problem(made, event("ana", theirs, "quality", value=4)) or "")
    assert problem(made, event("settled-cy", theirs, "quality", value=4)) is None


def test_the_time_of_events_sorts_as_text():
    first = now()
    time.sleep(0.002)
    assert first < now() and len(first) == 24


@pytest.mark.nightly
def test_no_changed_bit_is_read_as_another_event(tmp_path):
    store, events = Events(tmp_path, "ana"), numbered(3)
    store.extend(events)
    whole = store.path.read_bytes()
    late = event("ana", "a1", "quality", value=1)
    for at in range(len(whole)):
        for bit in (0x01, 0x20):
            changed = bytearray(whole)
            changed[at] ^= bit
            store.path.write_bytes(changed)
            number = min(whole[:at].count(b"\n") + 1, 3)
            with pytest.raises(DataError, match="damaged") as caught:
                Events(tmp_path, "ana").all()
            assert caught.value.where == f"{store.path}:{number}"
            with pytest.raises(DataError, match="damaged"):
                Events(tmp_path, "ana").append(late)
            assert store.path.read_bytes() == changed
    store.path.write_bytes(whole)
    assert Events(tmp_path, "ana").all() == events


def test_a_line_without_its_checksum_is_refused(tmp_path):
    store = Events(tmp_path, "ana")
    store.extend(numbered(1))
    line = json.loads(store.path.read_bytes())
    del line["seal"]
    store.path.write_bytes(canonical(line) + b"\n")
    with pytest.raises(DataError, match="no checksum"):
        store.all()
