"""Several machines and people on one store: a machine is a folder, the store a real S3 server."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.errors import EnvironmentFailure
from harness.kit import own, processes
from harness.run import artifacts, ledger, objects, shared_run
from harness.run.artifacts import Artifacts
from harness.stages.store import StoreError
from harness_shared import bucket as buckets
from tests.support.object_store import KEY, SECRET, URL, ObjectStore, serving
from tests.support.project import CONFIG, Project
from tests.support.waiting import LONG, until

SHARED = CONFIG.replace("rounds: 3", "rounds: 1").replace(
    "execution: {launcher: inline}", f"execution: {{launcher: inline, store: '{URL}'}}"
)
STAGE, KEY_OF = "train", "a" * 64


@pytest.fixture(scope="session")
def server() -> Iterator[ObjectStore]:
    # Clients of this process stay with the first one, also where other files' tests come between.
    with serving() as store:
        yield store


@pytest.fixture
def bucket(server: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> ObjectStore:
    """The same server with an empty bucket."""
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(buckets, "PAUSES", (0.1, 0.1))
    server.empty()
    server.requests.clear()
    server.broken, server.pause = lambda method, path: None, 0.0
    return server


def machine(tmp_path: Path, name: str, config: str | None = SHARED) -> Project:
    folder = tmp_path / name
    folder.mkdir()
    project = Project(folder)
    if config is not None:
        project.write(config)
    return project


def store_of(folder: Path) -> Artifacts:
    objects.attach(folder / ".harness", URL)
    return Artifacts(folder / ".harness" / "artifacts")


def publish(store: Artifacts, text: str = "weights", stage: str = STAGE, facts=None, key=KEY_OF):
    work = store.root.parent / "made"
    work.mkdir(parents=True)
    (work / "adapter.bin").write_text(text)
    (work / "log.jsonl").write_text('{"loss":1}\n')
    return store.publish(stage, key, work, facts or {}, 1.0)


# -- one live walk: two people, two machines, one store ---------------------------------------


@pytest.mark.nightly
def test_a_run_goes_from_one_machine_to_another(tmp_path, bucket):
    one, two, three = (machine(tmp_path, name) for name in ("one", "two", "three"))
    first = one.inside("iterate", "--json")
    assert first.code == 0, first.err
    assert bucket.requests["LIST"] == 0
    name = first.document["run"]

    # The same command on another machine: nothing is made again.
    second = two.inside("iterate", "--json")
    assert second.code == 0, second.err
    assert second.bare == first.bare and "made again" not in second.err
    made = {"stages": len(first.document["cached"]), "again": len(second.document["cached"])}
    assert made["again"] > made["stages"]

    # An empty folder of somebody else, who looks, and goes on with more rounds.
    (three.folder / "harness.yaml").unlink()
    assert three.inside("pull", "--store", URL).out == f"{name}\n"
    wrong = three.inside("pull", f"{name}s", "--store", URL)
    assert wrong.code == 2 and f"no run '{name}s'" in wrong.err
    assert not list(three.folder.iterdir()), "looking leaves nothing behind"
    pulled = three.inside("--trust", "pull", name, "--store", URL)
    assert pulled.code == 0, pulled.err
    shown = three.inside("--trust", "report", name, "--json")
    assert shown.code == 0 and shown.document["run"] == name
    for words in (("errors", name), ("compare", "0", "1", "--run", name), ("why", "dev-1", name)):
        assert three.inside("--trust", *words).code == 0
    weights = three.folder / ".harness" / "artifacts" / "train"
    assert not list(weights.glob("*/adapter*")) or list(weights.glob("*/emptied"))
    more = three.inside("--trust", "iterate", "--rounds", "2", "--json")
    assert more.code == 0, more.err
    # Another run that opens the same rows of test: the second opening, whatever the machine.
    assert [r.document["test"]["looks"] for r in (first, second, more)] == [1, 1, 2]

    # Whoever looks at what is here needs no store.
    bucket.broken = lambda method, path: 403
    for words in (("report",), ("errors",)):
        assert one.inside(*words).code == 0
    bucket.broken = lambda method, path: None

    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    sent = b"".join(map(bucket.read, bucket.listed()))
    said = "".join(result.out + result.err for result in (first, second, pulled, shown, more))
    for mark in (KEY, SECRET):
        assert mark.encode() not in written + sent and mark not in said


@pytest.mark.nightly
def test_two_people_who_open_one_test_set_count_as_two(tmp_path, bucket):
    def looks(name: str, seed: int) -> int:
        ran = machine(tmp_path, name).inside("iterate", "--json", "--set", f"seed={seed}")
        assert ran.code == 0, ran.err
        return int(ran.document["test"]["looks"])

    # The second one's run has chosen by other rows of dev, and opens the same rows of test.
    assert [looks("one", 7), looks("two", 8)] == [1, 2]
    assert len(bucket.listed("logs/test-openings/")) == 4  # each opened and answered


def test_code_of_a_run_is_pulled_where_the_user_says_so_alone(tmp_path, bucket):
    one = machine(tmp_path, "one")
    source = one.folder / "mine.py"
    source.write_text("import harness\n")
    one.write(SHARED.replace("plugins: [", "plugins: [./mine.py, "))
    name = one.inside("iterate", "--json", "--no-test").document["run"]
    two = machine(tmp_path, "two", None)
    pulled = two.inside("pull", name, "--store", URL)
    assert pulled.code == 0 and pulled.err.count("--trust takes it") == 1
    assert not (two.folder / "mine.py").exists() and (two.folder / "harness.yaml").exists()
    (two.folder / "mine.py").write_text("# my own\n")
    pulled = two.inside("--trust", "pull", name)
    assert "mine.py is another one here" in pulled.err
    assert (two.folder / "harness.yaml").read_bytes() == (one.folder / "harness.yaml").read_bytes()
    assert (two.folder / "mine.py").read_text() == "# my own\n"


@pytest.mark.parametrize("code", [False, True])
def test_only_files_of_known_kinds_are_taken_and_none_is_ones_own(
    tmp_path: Path, code: bool
) -> None:
    (tmp_path / "store").mkdir()
    store = objects.opened(f"file://{tmp_path}/store")
    names = ["a.yaml", "rows.jsonl", "settings.json", "x.py", "ctypes.pyc", "lib.so", "Makefile"]
    for name in names:
        store.put(objects.file_key(hashlib.sha256(name.encode()).hexdigest()), name.encode())
    files = {name: hashlib.sha256(name.encode()).hexdigest() for name in names}
    machine = tmp_path / "root" / ".harness"
    machine.mkdir(parents=True)
    state = shared_run.State(1, project=files)
    said = list(shared_run._take_project(store, machine, state, code=code))
    taken = sorted(path.name for path in machine.parent.iterdir() if path != machine)
    assert taken == ["a.yaml", "rows.jsonl", "settings.json", *(["x.py"] if code else [])]
    assert sorted(sentence.split()[0] for sentence in said) == sorted({*names} - {*taken})
    assert all(own.is_pulled(machine.parent / name) for name in taken)
    (machine.parent / "a.yaml").write_text("mine: now")
    assert not own.is_pulled(machine.parent / "a.yaml")


def test_what_a_pull_that_is_interrupted_has_brought_is_not_ones_own(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    store = objects.opened(f"file://{tmp_path}/store")
    config = hashlib.sha256(b"a: 1").hexdigest()
    store.put(objects.file_key(config), b"a: 1")
    machine = tmp_path / "root" / ".harness"
    machine.mkdir(parents=True)
    state = shared_run.State(1, project={"harness.yaml": config, "z.jsonl": "0" * 64})
    with pytest.raises(StoreError):
        list(shared_run._take_project(store, machine, state, code=False))
    assert own.is_pulled(machine.parent / "harness.yaml")


# -- who drives -------------------------------------------------------------------------------


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_run, "BEAT", 0.1)
    monkeypatch.setattr(shared_run, "WATCH", 1.5)


def shared(folder: Path, host: str, monkeypatch: pytest.MonkeyPatch) -> shared_run.SharedRun:
    """The run ``r`` in a folder, by a process of that host."""
    store = objects.attach(folder / ".harness", URL)
    assert store is not None
    (folder / ".harness" / "runs" / "r").mkdir(parents=True, exist_ok=True)
    monkeypatch.setattr(shared_run.socket, "gethostname", lambda: host)
    return shared_run.SharedRun(store, folder / ".harness", "r")


def journal(folder: Path) -> Path:
    return folder / ".harness" / "runs" / "r" / "journal.jsonl"


def test_a_driver_that_lives_is_left_alone_whatever_its_clock_says(
    tmp_path, bucket, quick, monkeypatch
):
    monkeypatch.setattr(shared_run, "WATCH", LONG)
    one = shared(tmp_path / "one", "first-host", monkeypatch)
    one.begin(lambda said: None)
    monkeypatch.setattr(time, "time", lambda: 1e6)  # no clock is asked for the time of day
    two = shared(tmp_path / "two", "second-host", monkeypatch)
    said: list[str] = []
    with pytest.raises(EnvironmentFailure, match=f"PID {os.getpid()} on first-host"):
        two.begin(said.append)
    assert "waited to see whether it is alive" in said[0]
    one.end()
    two.begin(said.append)
    two.end()


def test_a_slow_store_does_not_make_a_driver_dead(tmp_path, bucket, quick, monkeypatch):
    """What it answers is old by then, and only the next answer shows the next beat."""
    monkeypatch.setattr(shared_run, "WATCH", 0.01)
    one = shared(tmp_path / "one", "first-host", monkeypatch)
    one.begin(lambda said: None)
    two = shared(tmp_path / "two", "second-host", monkeypatch)
    get = two.store.get

    def slow(key: str) -> bytes | None:
        answer = get(key)
        if "/beat/" in key:
            until(lambda: get(key) != answer, "the next beat")
        return answer

    monkeypatch.setattr(two.store, "get", slow)
    with pytest.raises(EnvironmentFailure, match="already in progress"):
        two.begin(lambda said: None)
    one.end()


@pytest.mark.nightly(but_each=2)
@pytest.mark.parametrize("change", [{}, {"pids": "pid:[1]"}, {"boot": "other"}, {"start": 1}])
def test_only_a_driver_that_is_seen_to_be_gone_is_replaced_at_once(
    tmp_path, bucket, quick, monkeypatch, change
):
    """A host's name is no machine: two containers may share it, and both have a PID 7."""
    one = shared(tmp_path / "one", "a-host", monkeypatch)
    ended = subprocess.Popen([sys.executable, "-c", "pass"])
    gone = {**processes.this_process(), "pid": ended.pid}
    ended.wait()
    mine = gone | change if "start" not in change else processes.this_process() | change
    monkeypatch.setattr(processes, "this_process", lambda: mine)
    one.begin(lambda said: None)
    one._ended.set()
    said: list[str] = []
    two = shared(tmp_path / "two", "a-host", monkeypatch)
    two.begin(said.append)
    two.end()
    elsewhere = "pids" in change or "boot" in change
    assert ["waited to see" in sentence for sentence in said] == [True, False] * elsewhere


@pytest.mark.nightly
def test_a_dead_driver_is_followed_and_cannot_decide_any_more(tmp_path, bucket, quick, monkeypatch):
    one = shared(tmp_path / "one", "first-host", monkeypatch)
    one.begin(lambda said: None)
    journal(tmp_path / "one").write_bytes(b"round 0\n")
    one.keep()
    one._ended.set()  # its heart stands still, as that of a machine that sleeps
    until(lambda: not any("(_beat)" in thread.name for thread in threading.enumerate()))
    two = shared(tmp_path / "two", "second-host", monkeypatch)
    two.begin(lambda said: None)
    assert journal(tmp_path / "two").read_bytes() == b"round 0\n"
    for awake in (one.check, one.keep):
        with pytest.raises(EnvironmentFailure, match="has gone on with this run meanwhile"):
            awake()
    two.end()


def test_rounds_that_were_closed_in_two_places_are_not_mixed(tmp_path, bucket, quick, monkeypatch):
    one = shared(tmp_path / "one", "first-host", monkeypatch)
    one.begin(lambda said: None)
    one.end()
    journal(tmp_path / "one").write_bytes(b"round 0 here\n")
    two = shared(tmp_path / "two", "second-host", monkeypatch)
    two.begin(lambda said: None)
    journal(tmp_path / "two").write_bytes(b"round 0 there\n")
    two.end()
    again = shared(tmp_path / "one", "first-host", monkeypatch)
    with pytest.raises(EnvironmentFailure, match="without knowing of each other"):
        again.begin(lambda said: None)
    assert journal(tmp_path / "one").read_bytes() == b"round 0 here\n"


def test_equal_files_of_a_run_are_both_taken(tmp_path, bucket, quick, monkeypatch):
    one = shared(tmp_path / "one", "first-host", monkeypatch)
    one.begin(lambda said: None)
    folder = journal(tmp_path / "one").parent
    for name in ("a.json", "b.json"):
        (folder / name).write_text("{}")
    one.end()
    two = shared(tmp_path / "two", "second-host", monkeypatch)
    two.begin(lambda said: None)
    two.end()
    taken = journal(tmp_path / "two").parent
    assert [(taken / name).read_text() for name in ("a.json", "b.json")] == ["{}", "{}"]


def test_after_the_last_state_a_heartbeat_adds_none(tmp_path, bucket, quick, monkeypatch):
    one = shared(tmp_path / "one", "first-host", monkeypatch)
    one.begin(lambda said: None)
    one.end()
    one.keep(unless_ended=True)
    assert one.last().ended


@pytest.mark.nightly
def test_a_store_that_fails_leaves_no_heart_beating(tmp_path, bucket, quick):
    project = machine(tmp_path, "one")
    bucket.broken = lambda method, path: 503 if "contents/" in path else None
    assert project.inside("iterate").code == 3
    bucket.broken = lambda method, path: None
    time.sleep(0.3)
    before = {key: bucket.read(key) for key in bucket.listed("runs/") if "/beat/" in key}
    time.sleep(0.5)
    after = {key: bucket.read(key) for key in bucket.listed("runs/") if "/beat/" in key}
    assert before == after and before


def test_a_config_that_names_no_store_is_one_message(tmp_path, bucket):
    project = machine(tmp_path, "one", SHARED.replace(URL, "bucket/prefix"))
    wrong = project.inside("pull")
    assert wrong.code == 2 and "harness.yaml: execution.store: it is no URL" in wrong.err


@pytest.mark.nightly(but_each=3)
@pytest.mark.parametrize(
    "path", ["../../x", "r/../../x", "/etc/x", "other/journal.jsonl", "r/in-store.json", "r/a\\b"]
)
def test_a_hostile_state_is_refused_whole(tmp_path, bucket, quick, monkeypatch, path):
    one = shared(tmp_path / "one", "first-host", monkeypatch)
    one.begin(lambda said: None)
    one.end()
    key = max(key for key in bucket.listed("runs/r/") if "beat" not in key)
    document = bucket.json(key)
    del document["seal"]
    document["files"][path] = "0" * 64
    document["seal"] = artifacts.digest(document)
    bucket.write(key, json.dumps(document).encode())
    with pytest.raises(StoreError, match="was changed"):
        shared(tmp_path / "two", "second-host", monkeypatch).begin(lambda said: None)


# -- artifacts --------------------------------------------------------------------------------


def test_weights_come_when_they_are_asked_for(tmp_path, bucket):
    made = publish(store_of(tmp_path / "one"))
    two = store_of(tmp_path / "two")
    found = two.find(STAGE, KEY_OF)
    assert found is not None and found.digest == made.digest and found.emptied
    assert not (found.path / "adapter.bin").exists()
    assert two.complete(found.path)
    assert (found.path / "adapter.bin").read_text() == "weights"
    whole = two.find(STAGE, KEY_OF)
    assert whole is not None and not whole.emptied
    by_content = store_of(tmp_path / "three").with_digest(STAGE, made.digest)
    assert by_content is not None and by_content.digest == made.digest


def test_of_two_writers_the_first_ones_counts_for_both(tmp_path, bucket):
    one, two = store_of(tmp_path / "one"), store_of(tmp_path / "two")
    first = publish(one, "first", stage="generate")
    second = publish(two, "second", stage="generate")
    assert second.digest == first.digest
    assert (second.path / "adapter.bin").read_text() == "first"
    three = store_of(tmp_path / "three").find("generate", KEY_OF)
    assert three is not None and three.digest == first.digest


@pytest.mark.nightly
def test_what_a_plugin_failed_in_makes_way(tmp_path, bucket):
    publish(store_of(tmp_path / "one"), "half", stage="score", facts={"failed": 1})
    whole = publish(store_of(tmp_path / "two"), "whole", stage="score")
    assert (whole.path / "adapter.bin").read_text() == "whole"
    three = store_of(tmp_path / "three").find("score", KEY_OF)
    assert three is not None and three.digest == whole.digest


def flip(bucket: ObjectStore, data: bytes) -> str:
    for key in bucket.listed("files/"):
        if bucket.read(key) == data:
            bucket.write(key, bytes([data[0] ^ 1]) + data[1:])
            return key
    raise AssertionError


def test_a_flipped_bit_is_never_used_and_mended_by_the_next_who_makes_it(tmp_path, bucket):
    made = publish(store_of(tmp_path / "one"), stage="generate")
    flip(bucket, b"weights")
    two = store_of(tmp_path / "two")
    assert two.find("generate", KEY_OF) is None
    assert "adapter.bin" in two.damaged[0] and "is not what was sent" in two.damaged[0]
    again = publish(two, stage="generate")
    assert again.digest == made.digest
    three = store_of(tmp_path / "three").find("generate", KEY_OF)
    assert three is not None and (three.path / "adapter.bin").read_text() == "weights"


def test_the_cache_has_a_limit_and_gives_up_only_what_the_store_has(tmp_path, bucket):
    store = store_of(tmp_path / "one")
    old = publish(store, "x" * 1000, key="b" * 64)
    new = publish(store, "y" * 1000, key="c" * 64)
    os.utime(old.path / artifacts.SENT, (1, 1))
    own = publish(store, "z" * 1000, key="d" * 64)
    (own.path / artifacts.SENT).unlink()
    store.trim(2500)
    there = {made.key[0]: (made.path / "adapter.bin").is_file() for made in (old, new, own)}
    assert there == {"b": False, "c": True, "d": True}
    assert store.complete(old.path) and (old.path / "adapter.bin").stat().st_size == 1000


# -- troubles ---------------------------------------------------------------------------------


@pytest.mark.nightly
def test_a_bucket_that_is_gone_costs_nothing_that_was_done(tmp_path, bucket):
    project = machine(tmp_path, "one")
    trained = [0]

    def broken(method: str, path: str) -> int | None:
        trained[0] += method == "PUT" and "contents/train" in path
        return 503 if trained[0] else None

    bucket.broken = broken
    ran = project.inside("iterate", "--json")
    assert ran.code == 3 and "SlowDown" in ran.err and "the same command goes on" in ran.err
    assert SECRET not in ran.err and "Traceback" not in ran.err
    bucket.broken = lambda method, path: None
    ran = project.inside("iterate", "--json")
    assert ran.code == 0, ran.err
    assert "round 1: train" in ran.document["cached"]


def test_what_cannot_be_used_is_one_message(tmp_path, bucket):
    project = machine(tmp_path, "one")
    wrong = project.inside("iterate", "--set", "execution.store=s3://no-such-bucket/x")
    assert wrong.code == 3 and "there is no such bucket" in wrong.err
    bucket.broken = lambda method, path: 403
    refused = project.inside("iterate")
    assert refused.code == 3 and "access is refused (AccessDenied)" in refused.err
    bucket.broken = lambda method, path: None
    held = project.inside("iterate", "--set", f"execution.store=s3://{KEY}:{SECRET}@b/x")
    assert held.code == 2 and "it holds credentials" in held.err
    assert SECRET not in wrong.err + refused.err + held.err


# -- nightly ----------------------------------------------------------------------------------


@pytest.mark.nightly
def test_killed_between_an_object_and_its_manifest(tmp_path, bucket):
    """At each request of a publication a process is killed; whoever comes next is well."""
    kinds = ("files/", "contents/", "artifacts/")
    for number, kind in enumerate(kinds * 2):
        folder, key = tmp_path / f"{number}", f"{number}" * 64
        store_of(folder)
        child = os.fork()
        if not child:
            # A fork may use no connection of its parent; the store is opened anew.
            real = buckets.Bucket._written
            before = number < len(kinds)

            def dying(self, do, name, size, kind=kind, before=before, real=real):
                if name.startswith(kind) and before:
                    os.kill(os.getpid(), signal.SIGKILL)
                real(self, do, name, size)
                if name.startswith(kind):
                    os.kill(os.getpid(), signal.SIGKILL)

            buckets.Bucket._written = dying
            try:
                publish(store_of(folder), f"text {number}", key=key)
            finally:
                os._exit(70)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
        other = store_of(tmp_path / f"{number}-other")
        found = other.find(STAGE, key)
        whole = kind == "artifacts/" and not before_kill(number, kinds)
        assert (found is not None) == whole
        again = store_of(folder).find(STAGE, key)  # it was whole on its own disk before
        assert again is not None
        sent = store_of(tmp_path / f"{number}-third").find(STAGE, key)
        assert sent is not None and sent.digest == again.digest


def before_kill(number: int, kinds: tuple[str, ...]) -> bool:
    return number < len(kinds)


@pytest.mark.nightly
def test_a_run_that_is_killed_again_and_again_ends_as_if_it_were_not(tmp_path, bucket):
    whole = machine(tmp_path, "whole").inside("iterate", "--json", "--set", "seed=99")
    assert whole.code == 0
    bucket.empty()
    folders = [machine(tmp_path, f"machine-{number}") for number in range(3)]
    kills = 0
    for attempt in range(40):
        seconds = 0.4 + 0.15 * attempt
        project = folders[attempt % 3]
        child = os.fork()
        if not child:
            shared_run.WATCH, shared_run.BEAT = 1.0, 0.2
            threading.Timer(seconds, lambda: os.kill(os.getpid(), signal.SIGKILL)).start()
            project._as_child(os.open(os.devnull, os.O_WRONLY), os.open(os.devnull, os.O_WRONLY),
                              ("iterate", "--set", "seed=99"), {})  # fmt: skip
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if code == 0:
            break
        kills += code == -signal.SIGKILL
        assert code == -signal.SIGKILL, code
    assert kills >= 5
    end = machine(tmp_path, "end").inside("iterate", "--json", "--set", "seed=99")
    assert end.code == 0, end.err
    assert end.bare == whole.bare


@pytest.mark.nightly
def test_503_and_slow_answers_cost_time_alone(tmp_path, bucket):
    answers = [0]

    def some(method: str, path: str) -> int | None:
        answers[0] += 1
        return 503 if answers[0] % 4 == 0 else None

    bucket.broken, bucket.pause = some, 0.02
    ran = machine(tmp_path, "one").inside("iterate", "--json")
    assert ran.code == 0, ran.err
    bucket.broken, bucket.pause = lambda method, path: None, 0.0
    other = machine(tmp_path, "two").inside("iterate", "--json")
    assert other.code == 0 and other.bare == ran.bare
    assert bucket.requests["LIST"] == 0


@pytest.mark.nightly
def test_100_000_artifacts_are_never_listed(tmp_path, bucket):
    store = store_of(tmp_path / "one")
    made = publish(store)
    manifest = next(key for key in bucket.listed("artifacts/"))
    prefix, data = manifest.rpartition("/")[0], bucket.read(manifest)
    # Put into the server's memory as they are: 100,000 requests would take an hour.
    from moto.core.utils import utcnow  # noqa: F401 - the backend is of this process
    from moto.s3.models import s3_backends

    backend = next(iter(s3_backends["123456789012"].values()))
    for number in range(100_000):
        backend.put_object("team-bucket", f"{prefix}/{number:064x}", data)
    bucket.requests.clear()
    two = store_of(tmp_path / "two")
    bucket.requests.clear()
    begun = time.monotonic()
    found = two.find(STAGE, KEY_OF)
    assert found is not None and found.digest == made.digest
    assert two.with_digest(STAGE, made.digest) is not None
    assert two.find(STAGE, "e" * 64) is None
    assert bucket.requests == {"GET": 3} and time.monotonic() - begun < 5


@pytest.mark.nightly
def test_a_full_disk_here_leaves_the_store_whole(tmp_path, bucket, monkeypatch):
    made = publish(store_of(tmp_path / "one"), stage="generate")
    two = store_of(tmp_path / "two")

    def full(self, key, path):
        raise OSError(28, "No space left on device", str(path))

    with monkeypatch.context() as patch:
        patch.setattr(buckets.Bucket, "fetch", full)
        with pytest.raises(OSError, match="No space left"):
            two.find("generate", KEY_OF)
    found = two.find("generate", KEY_OF)
    assert found is not None and found.digest == made.digest
    shutil.rmtree(tmp_path / "two")
    assert ledger.ALPHA == 0.05


def test_a_store_is_asked_again_by_one_layer_alone(tmp_path, bucket, monkeypatch):
    monkeypatch.setattr(buckets, "PAUSES", (0.0, 0.0))
    bucket.broken = lambda method, path: 503
    store = objects.opened(URL)
    with pytest.raises(StoreError, match="SlowDown"):
        store.get("a")
    assert bucket.requests["GET"] == 3


def test_a_silent_store_is_left_in_time(bucket, monkeypatch):
    monkeypatch.setattr(buckets, "PATIENCE", 0.3)
    bucket.pause = 3.0
    with pytest.raises(StoreError, match="within"):
        objects.opened(URL).get("a")
    bucket.pause = 0.0
