"""Each fault of a server for each part that asks one: the table of docs/servers.md.

In every cell `harness iterate` meets the fault and ends with one message; the same command goes on
when the server is well again, and its results are those of a run that met no fault.
"""

from __future__ import annotations

import functools
import json
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.kit.remote import batches as batching
from harness.kit.remote.spending import Cost, Spending
from harness_endpoint import serving
from tests.support.batch_server import BatchServer
from tests.support.chat_server import SECRET, Answer, Asked, Server, said
from tests.support.ports import own_port
from tests.support.project import CONFIG, SUPPORT, Project, Result
from tests.support.rubric import RUBRIC
from tests.support.waiting import LONG, threads_ended

USAGE = {"prompt_tokens": 40, "completion_tokens": 10}
ASKERS = ("generator", "baseline", "judge", "teacher")
AT_ONCE = ("no such model", "is refused", "wants a key")


def well(asked: Asked) -> Answer:
    """What the model says that is asked: each part has prompts of another form."""
    if "JSON array of objects" in asked.user:
        seed = asked.body["seed"]
        rows = [
            {"prompt": f"repeat new{seed}x{n}: {text}", "answer": text}
            for n in range(3)
            for text in [f"alpha {seed} beta {n}"]
        ]
        return said(json.dumps(rows), usage=USAGE)
    if "# The criterion" in asked.system:
        return said('{"evidence": "so", "score": 4}', usage=USAGE)
    return said(asked.user.split(": ", 1)[1], usage=USAGE)


def config(asker: str, server: Server, timeout: float = LONG, more: str = "") -> str:
    options = f"wait: 0, tries: 2, timeout: {timeout}"
    there = f"endpoint: '{server.url}', model: big, {options}"
    there += f", price: {{in: 10, out: 20}}, max_tokens: 1000{more}"
    text = CONFIG.replace("rounds: 3", "rounds: 1") + "report: []\nprobes: []\n"
    match asker:
        case "generator":
            port = server.url.split(":")[2].partition("/")[0]
            serve = f"{sys.executable} {SUPPORT / 'relay.py'} {{base}} {{port}} {port}"
            entry = json.dumps({"plugin": "endpoint", "serve": serve, "tuned": "{adapter}"})[:-1]
            return text.replace("generate: {plugin: fake}", f"generate: {entry}, {options}}}")
        case "baseline":
            return text + f"baselines: [{{plugin: endpoint, {there}}}]\n"
        case "judge":
            judge = f"{{plugin: judge, rubric: short.yaml, {there}}}"
            return text.replace("[{plugin: overlap}]", f"[{{plugin: overlap}}, {judge}]")
        case _:
            teacher = f"{{plugin: teacher, rows: 6, {there}, verify: [{{agree: 2}}]}}"
            text = text.replace("[{plugin: fake, rows: 10}]", f"[{teacher}]")
            return text.replace("rounds: 1", "rounds: 2")


def iterate(project: Project) -> Result:
    with threads_ended():  # what was under way when a run stopped has been asked and counted
        return project.inside("iterate", "--no-test", "--json")


def results(done: Result) -> Any:
    """What a run shows, without its name and what its requests cost."""
    return [
        {
            name: found[name]
            for name in ("scores", "train_rows", "added", "verdict")
            if name in found
        }
        for found in done.document["rounds"]
    ]


@functools.cache
def expected(asker: str, folder: Path) -> Any:
    """The results of a run that meets no fault."""
    (folder / "short.yaml").write_text(RUBRIC)
    server = Server(well)
    server.others = lambda *asked: Answer(body=b"{}")
    project = Project(folder)
    project.write(config(asker, server))
    done = iterate(project)
    server.close()
    assert done.code == 0, done.err
    return results(done)


@pytest.fixture(scope="module")
def without_faults(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Any]:
    folders = {asker: tmp_path_factory.mktemp(asker) for asker in ASKERS}
    return lambda asker: expected(asker, folders[asker])


@pytest.fixture
def ready(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    monkeypatch.setattr(batching, "_TICK", 0.01)
    monkeypatch.setattr(serving, "free_port", own_port)  # of a relay, which may start slowly
    (project.folder / "short.yaml").write_text(RUBRIC)
    return project


@pytest.fixture
def serve() -> Iterator[Callable[..., Any]]:
    """``serve(says)``: a server, which ends with the test."""
    made: list[Server] = []

    def start(says: Callable[[Asked], Answer], port: int = 0) -> Server:
        server = Server(says, port=port)
        server.others = lambda *asked: Answer(body=b"{}")
        made.append(server)
        return server

    yield start
    for server in made:
        server.close()


class Faulty:
    """Gives a fault for some prompts, and counts what was answered well.

    A teacher's rows are written, and the requests that verify them fail.
    """

    def __init__(self, answer: Answer, tries: int = 99) -> None:
        self.answer, self.tries = answer, tries
        self.places: dict[str, int] = {}
        self.met: Counter[str] = Counter()
        self.paid: Counter[str] = Counter()

    def __call__(self, asked: Asked) -> Answer:
        name = json.dumps([asked.body["model"], asked.body["messages"], asked.body["seed"] // 1000])
        if "JSON array of objects" not in asked.user:
            place = self.places.setdefault(name, len(self.places))
            if place in (1, 4, 7) and self.met[name] < self.tries:
                self.met[name] += 1
                return self.answer
        self.paid[name] += 1
        return well(asked)


def spent(project: Project) -> Cost:
    """What all runs of the folder have sent, where requests are counted."""
    total = Cost(money=0.0)
    for path in (project.folder / ".harness/runs").glob("*/spent/*.jsonl"):
        for cost in Spending(path, "").costs().values():
            total.requests += cost.requests
            total.open += cost.open
    return total


def all_is_verified(project: Project) -> bool:
    rows = project.inside("query", "SELECT reference, made FROM added", "--json").document
    verified = [json.loads(row["made"]) if isinstance(row["made"], str) else row["made"]
                for row in rows]  # fmt: skip
    return bool(rows) and all(made["verified"] == {"agree 2": "2 of 2"} for made in verified)


HALF = json.dumps({"choices": [{"message": {"content": "x"}}]}).encode()
NONE, MOST = 0, 1
FAULTS = {
    # What the server does -> the answer, the words of the message, how many are counted at most.
    "429": (Answer(429), "429 (too many requests)", NONE),
    "429, Retry-After": (
        Answer(429, b"", {"Retry-After": "0.05"}), "429 (too many requests)", NONE,
    ),
    "500": (Answer(500), "500 (internal server error)", MOST),
    "503": (Answer(503, b"<html>busy</html>"), "503 (service unavailable)", MOST),
    "a reply that is cut": (Answer(body=HALF, cut=True), "a response that was cut", MOST),
    "half a reply": (Answer(body=HALF[:30]), "half a body, or no JSON", MOST),
    "HTML": (Answer(body=b"<html><script>alert(1)</script>"), "HTML instead of JSON", MOST),
    "garbage": (Answer(body=bytes(range(256)) * 9), "half a body, or no JSON", MOST),
    "another form": (Answer(body=b'{"choices": []}'), "JSON of another form", MOST),
    "nothing": (Answer(body=HALF, slow=3), "no answer within 1 s", MOST),
    "10 MB": (Answer(body=b"x" * 10_000_000), "an answer of over 4 MiB", MOST),
    "400": (Answer(400, b'{"error": "too long"}'), "400 (bad request), too long", NONE),
    "a wrong model": (Answer(404, b'{"error": "no big"}'), "no such model", NONE),
    "a refused key": (Answer(401, SECRET.encode()), "is refused", NONE),
    "a redirect": (Answer(302, b"", {"Location": "http://127.0.0.1:9"}), "no such model", NONE),
}  # fmt: skip
BY_DAY = {("baseline", "10 MB"), ("judge", "a refused key")}


def cells(*names: str, askers: tuple[str, ...] = ASKERS, by_day: Any = ()) -> Any:
    return [
        pytest.param(
            asker, name, id=f"{asker}-{name}",
            marks=() if (asker, name) in by_day else pytest.mark.nightly,
        )
        for asker in askers for name in names
    ]  # fmt: skip


def one_message(done: Result, words: str) -> None:
    assert done.code == 3, (done.code, done.err)
    assert not done.out and "Traceback" not in done.err
    assert done.err.count("environment: ") == 1 and words in done.err, done.err
    assert SECRET not in done.err and "\x1b" not in done.err and "alert" not in done.err


def nothing_was_paid_twice(asker: str, faulty: Faulty) -> None:
    # Answers of the run's own model come from one process of its server, and are not kept.
    assert asker == "generator" or set(faulty.paid.values()) == {1}


@pytest.mark.parametrize(("asker", "name"), cells(*FAULTS, by_day=BY_DAY))
def test_a_fault(ready, serve, without_faults, asker, name):
    answer, words, counted = FAULTS[name]
    server = serve(faulty := Faulty(answer))
    ready.write(config(asker, server, 1 if name == "nothing" else LONG))
    if (asker, name) == ("generator", "a refused key"):
        words = "wants a key"  # none is sent to a server that the run has started
    stopped = iterate(ready)
    one_message(stopped, words)
    if words not in AT_ONCE:
        way_on = "asks all again" if asker == "generator" else "asks only for the missing"
        assert f"{len(faulty.met)} x {words}" in stopped.err and way_on in stopped.err, stopped.err
    failed = sum(faulty.met.values())
    again = name not in ("10 MB", "400", "a wrong model", "a refused key", "a redirect")
    if words not in AT_ONCE and asker != "generator":  # the relay may lose a second try itself
        assert set(faulty.met.values()) == {2 if again else 1}
    if asker != "generator":
        cost = spent(ready)
        assert (cost.requests, cost.open) == (len(server.asked), failed * counted)
    faulty.tries = 0
    done = iterate(ready)
    assert done.code == 0, done.err
    assert results(done) == without_faults(asker)
    nothing_was_paid_twice(asker, faulty)
    assert asker != "teacher" or all_is_verified(ready)
    asked = len(server.asked)
    assert iterate(ready).bare == done.bare and len(server.asked) == asked
    files = [path for path in ready.folder.rglob("*") if path.is_file()]
    assert not [path for path in files if SECRET.encode() in path.read_bytes()]


PASSING = [name for name, (answer, words, _) in FAULTS.items()
           if words not in AT_ONCE and name not in ("10 MB", "400")]  # fmt: skip


@pytest.mark.parametrize(("asker", "name"), cells(*PASSING, by_day={("judge", "429, Retry-After")}))
def test_a_fault_that_passes_needs_nobody(ready, serve, without_faults, asker, name):
    answer, _, counted = FAULTS[name]
    server = serve(faulty := Faulty(answer, tries=1))
    ready.write(config(asker, server, 1 if name == "nothing" else LONG))
    done = iterate(ready)
    assert done.code == 0, done.err
    assert results(done) == without_faults(asker)
    assert faulty.met
    nothing_was_paid_twice(asker, faulty)
    if asker != "generator":
        assert spent(ready).open == sum(faulty.met.values()) * counted
    assert asker != "teacher" or all_is_verified(ready)


@pytest.mark.parametrize(("asker", "name"), cells("dies", by_day={("baseline", "dies")}))
def test_a_server_that_dies_in_the_middle(ready, serve, without_faults, asker, name):
    faulty = Faulty(Answer(), tries=0)
    dies: list[threading.Thread] = []

    def dying(asked: Asked) -> Answer:
        if len(server.asked) > 9:
            if not dies:
                dies.append(threading.Thread(target=server.close))
                dies[0].start()
            dies[0].join()  # what was under way is cut, and nobody listens any more
            return Answer(body=HALF, cut=True)
        return faulty(asked)

    server = serve(dying)
    ready.write(config(asker, server))
    stopped = iterate(ready)
    one_message(stopped, "no connection")
    assert "not asked any more" in stopped.err or asker in ("teacher", "generator")
    port = int(server.url.split(":")[2].partition("/")[0])
    serve(faulty, port)
    done = iterate(ready)
    assert done.code == 0, done.err
    assert results(done) == without_faults(asker)
    nothing_was_paid_twice(asker, faulty)
    assert asker != "teacher" or all_is_verified(ready)


ENDS = {
    "lines left out": (None, "left out of a batch (completed)"),
    "expired": ("expired", "expired"),  # of the request, or of a batch without it
    "refused": ("failed", "Enqueued token limit"),
}


@pytest.mark.parametrize(
    ("asker", "name"),
    cells(*ENDS, askers=ASKERS[1:], by_day={("teacher", "lines left out")}),
)
def test_a_batch(ready, request, without_faults, asker, name):
    end, words = ENDS[name]
    server = BatchServer(faulty := Faulty(Answer(), tries=0))
    request.addfinalizer(server.close)
    server.looks = 0
    seen: dict[str, int] = {}

    def left_out(asked: Asked) -> bool:
        if "JSON array of objects" in asked.user:
            return False
        return seen.setdefault(json.dumps(asked.body["messages"]), len(seen)) in (1, 4)

    if end is None:
        server.left_out = left_out
    else:
        server.ends = [end] * 99
    ready.write(config(asker, server, more=", batch: true"))
    one_message(iterate(ready), words)
    server.ends, server.left_out = [], lambda asked: False
    done = iterate(ready)
    assert done.code == 0, done.err
    assert results(done) == without_faults(asker)
    nothing_was_paid_twice(asker, faulty)
    assert asker != "teacher" or all_is_verified(ready)
    sizes = len(server.sizes)
    assert iterate(ready).bare == done.bare and len(server.sizes) == sizes
