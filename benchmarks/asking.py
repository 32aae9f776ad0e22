"""How many answers a second come through the harness from a server that answers at once.

    python benchmarks/asking.py [--requests 5000] [--old 100000] [--runs 5]

A server on this machine, in a process of its own, answers each request with the same few bytes.
Side by side, in turns: a plain loop (``http.client``, one connection for each thread, nothing
kept or counted) and the harness, for a server of the run's own (nothing kept), for one that
costs nothing (replies kept), and for one with a price (kept, each request on the disk before
it is sent). Shown are medians of answers a second, and each as a share of the plain loop's in the
same turn. Then: the seconds until the first request of a new process is counted, in a run whose log
has so many lines. To be run alone on the machine.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import json
import multiprocessing
import queue
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness.kit import files
from harness.kit.remote.asking import Asker
from harness.kit.remote.options import ServerOptions
from harness.kit.remote.replies import Reply, Request
from harness.kit.remote.spending import Spending, counting

AT_ONCE = 32
BODY = json.dumps(
    {
        "model": "m",
        "choices": [{"message": {"role": "assistant", "content": "ok"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 5, "completion_tokens": 1},
    }
).encode()
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY)
FREE, PAID = {"in": 0, "out": 0}, {"in": 1, "out": 1}


class Answering(asyncio.Protocol):
    """Answers each whole request at once."""

    def connection_made(self, transport: Any) -> None:
        self._transport, self._data = transport, b""

    def data_received(self, data: bytes) -> None:
        self._data += data
        while (end := self._data.find(b"\r\n\r\n")) >= 0:
            head = self._data[:end].lower()
            _, _, length = head.partition(b"content-length:")
            size = int(length.split(b"\r\n")[0] or 0) if length else 0
            if len(self._data) < end + 4 + size:
                return
            self._data = self._data[end + 4 + size :]
            self._transport.write(ANSWER)


def serve(port: Any) -> None:
    async def run() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(Answering, "127.0.0.1", 0, backlog=1024)
        port.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(run())


def plain(port: int, requests: int) -> float:
    """Seconds of a loop that only asks."""
    todo: queue.SimpleQueue[int] = queue.SimpleQueue()
    for number in range(requests):
        todo.put(number)

    def work() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        while True:
            try:
                number = todo.get_nowait()
            except queue.Empty:
                connection.close()
                return
            asked = {"model": "m", "messages": [{"role": "user", "content": f"prompt {number}"}]}
            connection.request("POST", "/v1/chat/completions", json.dumps(asked))
            json.loads(connection.getresponse().read())

    threads = [threading.Thread(target=work) for _ in range(AT_ONCE)]
    begin = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - begin


def harness(port: int, requests: int, price: Any, cache: str) -> float:
    """Seconds of the same by an asker of the harness, which counts in a run."""
    with tempfile.TemporaryDirectory() as folder:
        options = ServerOptions(
            endpoint=f"http://127.0.0.1:{port}/v1", model="m", price=price, concurrency=AT_ONCE,
            cache=str(Path(folder) / cache) if cache else "",
        )  # fmt: skip
        asker = Asker(options, "m", stage="generate")
        asked = [Request([{"role": "user", "content": f"prompt {n}"}]) for n in range(requests)]
        begin = time.perf_counter()
        with counting(Spending(Path(folder) / "spent.jsonl", "run")):
            answers = sum(1 for _ in asker.replies(asked, lambda *_: None, "prompts"))
        assert answers == requests
        return time.perf_counter() - begin


def start(lines: int) -> float:
    """Seconds until a request is counted behind so many lines."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "spent.jsonl"
        waiting, files.os.fsync = files.os.fsync, lambda descriptor: None
        try:
            log = Spending(path, "run")
            for _ in range(lines // 2):
                number = log.sent("s", "m", 1.0)
                log.settle(number, Reply("", prompt_tokens=1, answer_tokens=1), None)
        finally:
            files.os.fsync = waiting
        begin = time.perf_counter()
        Spending(path, "run").sent("s", "m", 1.0)
        return time.perf_counter() - begin


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=5000)
    parser.add_argument("--old", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    here, there = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(there,), daemon=True)
    server.start()
    port, requests = here.recv(), options.requests
    ways: dict[str, tuple[Callable[[], float], int]] = {
        "plain loop": (lambda: plain(port, requests), requests),
        "own server": (lambda: harness(port, requests, FREE, ""), requests),
        "free, kept": (lambda: harness(port, requests, FREE, "replies"), requests),
        "with a price, kept": (
            lambda: harness(port, max(requests // 20, 1), PAID, "replies"),
            max(requests // 20, 1),
        ),
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(options.runs):
        for name, (way, _) in ways.items():
            seconds[name].append(way())
    rates = {name: [ways[name][1] / s for s in each] for name, each in seconds.items()}
    print("| way | answers a second | of the plain loop |")
    print("|---|---|---|")
    for name, each in rates.items():
        shares = [own / loop for own, loop in zip(each, rates["plain loop"], strict=True)]
        print(f"| {name} | {statistics.median(each):,.0f} | {statistics.median(shares):.2f} |")
    print(f"\nfirst request behind {options.old:,} lines: {start(options.old):.3f} s")
    server.kill()


if __name__ == "__main__":
    main()
