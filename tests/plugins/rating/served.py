"""Batches made by hand, and the page's server in a thread or a process of its own."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from harness.records.rubrics import Criterion, Item, Overall, Rubric, Scale, Show
from harness_rating.batches.records import Batch, Placing
from tests.support.browser import unfit
from tests.support.ports import own_port
from tests.support.waiting import LONG, until

NEEDED = ("starlette", "jinja2", "uvicorn")
MODEL, ROUND, RUN = "secret-model-7b", 4177, "nightly-0c0ffee0"
"""What no rater may learn."""
RATERS = ("ana", "bo")


def need(*modules: str) -> None:
    """Skip where a package is missing; in CI that is a failure."""
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    if not missing:
        return
    unfit(f"no {', '.join(missing)} here: pip install -e '.[web,dev]'")


ACCURACY = Criterion(
    "accuracy", "Accuracy", "Is everything that it says right?",
    Scale("ordinal", 1, 5, {"1": "mostly wrong", "3": "right but for details", "5": "all right"}),
    allow_na=True,
)  # fmt: skip
TONE = Criterion("tone", "Tone", "Is it friendly?", Scale("binary", anchors={"yes": "as we write"}))
ERRORS = Criterion(
    "errors", "Kinds of error", "What is wrong with it?",
    Scale("choices", choices=("wrong facts", "missing steps", "wrong tone")),
    ask_if={"any": [{"accuracy": {"below": 4}}, {"tone": "no"}]}, use_as="error_category",
)  # fmt: skip
BETTER = Criterion(
    "better", "A better answer", "How should it have been said?", Scale("text"),
    use_as="reference",
)  # fmt: skip
MINUTES = Criterion("minutes", "Minutes", "How long would it take to mend?", Scale("number", 0, 60))
PREFERENCE = Criterion(
    "preference", "Preference", "Which answer is better?",
    Scale("pairwise", anchors={"A": "A helps more", "tie": "no difference", "B": "B helps more"}),
)  # fmt: skip


def rubric(
    *criteria: Criterion, reference: Any = "after_first_score", system: Any = False
) -> Rubric:
    return Rubric(
        "support", 2, "Support answers", "en",
        "Read the question first.\nJudge only what is said, not how long it is.",
        Show(reference, system, ("topic",)), criteria or (ACCURACY, TONE, ERRORS, BETTER),
        Overall(), None, "0" * 64,
    )  # fmt: skip


def item_id(number: int) -> str:
    return hashlib.sha256(f"item {number}".encode()).hexdigest()[:12]


def item(number: int, *answers: str, **fields: Any) -> Item:
    given: dict[str, Any] = {
        "messages": ({"role": "user", "content": f"Question {number}: where is my parcel?"},),
        "answers": answers or (f"Answer {number}: it will arrive on Monday.",),
        "references": (f"Answer {number}: it arrives on Tuesday morning.",),
        "meta": {"topic": "delivery", "model": MODEL},
    }
    return Item(item_id(number), **{**given, **fields})


def batch(
    items: Sequence[Item] = (),
    given: Rubric | None = None,
    raters: Sequence[str] = RATERS,
    assignments: dict[str, tuple[str, ...]] | None = None,
) -> Batch:
    """Ana rates all items, Bo all but the first."""
    items = tuple(items) or tuple(item(number) for number in range(4))
    ids = tuple(one.id for one in items)
    plan = {rater: ids[index:] for index, rater in enumerate(raters)}
    placings = {
        one: Placing(one, f"{MODEL}/{n}", MODEL, (ROUND, ROUND), "dev", f"group {n}")
        for n, one in enumerate(ids)
    }
    return Batch(
        "support-1a2b3c4d", RUN, given or rubric(), "random", 7, tuple(raters),
        assignments or plan, items, placings, "2026-11-25", True,
    )  # fmt: skip


class Server:
    """The real server in a thread; ``stop`` and ``start`` again as often as wanted."""

    def __init__(self, folder: Path, *batches: Batch, said: Any = None, **options: Any) -> None:
        self.folder, self.batches, self.said, self.options = folder, batches, said, options
        self.port = own_port()

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> Server:
        from harness.kit.serving.address import Address, listen
        from harness_rating.page.app import rating_server
        from harness_rating.page.tokens import seats

        address = Address(self.port, **self.options)
        tokens = seats(self.folder, self.batches)
        self.links = {seat.rater: address.link(token) for token, seat in tokens.items()}
        self.server = rating_server(self.folder, self.batches, tokens, address, self.said)
        bound = listen(address)
        run = self.server.run
        self.thread = threading.Thread(target=run, args=([bound],), daemon=True)
        self.thread.start()
        while not self.server.started:
            time.sleep(0.01)
        return self

    def stop(self) -> None:
        self.server.should_exit = self.server.force_exit = True
        self.thread.join(LONG)


@contextmanager
def serving(folder: Path, *batches: Batch, said: Any = None, **options: Any) -> Iterator[Server]:
    server = Server(folder, *batches, said=said, **options).start()
    try:
        yield server
    finally:
        server.stop()


PROCESS = """
import runpy, sys, time
from pathlib import Path
served = runpy.run_path(sys.argv[1])
from harness.kit.serving import connections
from harness.kit.serving.address import Address, listen
from harness.kit.serving.server import serve
from harness_rating.page.app import rating_server
from harness_rating.page.tokens import seats
from harness_rating.ratings.folder import RatingsFolder
folder, address = Path(sys.argv[2]), Address(int(sys.argv[3]))
connections.PATIENCE = 600.0  # no test waits for its end
found = RatingsFolder(folder)
batches = [found.batch(name) for name in found.names()] or [served["batch"]()]
server = rating_server(folder, batches, seats(folder, batches), address)
serve(server, listen(address))
"""


def process(
    folder: Path, port: int, descriptors: int | str = "$(ulimit -n)", stderr: Any = None
) -> subprocess.Popen[bytes]:
    """The server as a process that can be killed; it is up when this returns."""
    limited = f'ulimit -n {descriptors} && exec "$@"'
    own = [sys.executable, "-c", PROCESS, __file__, str(folder), str(port)]
    started = subprocess.Popen(
        ["sh", "-c", limited, "sh", *own], stderr=stderr,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip

    def up() -> bool:
        assert started.poll() is None, "the server has ended"
        with socket.socket() as tried:
            return not tried.connect_ex(("127.0.0.1", port))

    until(up, "the start of the server")
    return started
