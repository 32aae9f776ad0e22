"""A machine for ``harness doctor``: fake libraries, a hub and an index on the loopback."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from harness_doctor import config
from tests.support.project import Project, Result
from tests.support.waiting import LONG

TORCH = """\
from types import SimpleNamespace as N
__version__ = "9.9.9"
version = N(cuda=None, hip=None)
cpu = N(_is_amx_tile_supported=lambda: False, _is_avx512_bf16_supported=lambda: True)
cuda = N(is_available=lambda: False)
backends = N(mps=N(is_available=lambda: False), cpu=N(get_cpu_capability=lambda: "AVX9"))
get_num_threads = lambda: 1
ones = lambda count, device: [1.0] * count
"""
BITS = """\
from types import SimpleNamespace as N
__version__ = "8.8.8"
functional = N(quantize_4bit=lambda values, quant_type: values)
"""


class Server:
    """Answers every request with one code, or not at all (``code`` 0); keeps what was asked."""

    def __init__(self, code: int = 200, headers: dict[str, str] | None = None) -> None:
        self.code, self.headers = code, headers or {}
        self.asked: list[tuple[str, str]] = []
        self._over = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_HEAD(self) -> None:
                server.asked.append((self.command, self.path))
                if not server.code:
                    server._over.wait()
                    return
                self.send_response(server.code)
                for name, value in server.headers.items():
                    self.send_header(name, value)
                self.end_headers()

            do_GET = do_HEAD

            def log_message(self, *_: Any) -> None:
                return None

        return Handler

    def close(self) -> None:
        self._over.set()
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def servers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Makes servers, which end with the test; whoever asks them has time on a busy machine."""
    monkeypatch.setattr(config, "SECONDS", LONG)
    made: list[Server] = []

    def start(code: int = 200, headers: dict[str, str] | None = None) -> Server:
        made.append(Server(code, headers))
        return made[-1]

    yield start
    for one in made:
        one.close()


class Machine:
    """A folder with an experiment, and all that its commands see of the world."""

    def __init__(self, project: Project, hub: Server, index: Server) -> None:
        self.project, self.hub, self.index = project, hub, index
        self.site = project.folder / "site"
        self.home = project.folder / "home"
        for folder in (self.site, self.home):
            folder.mkdir()
        self.library("torch", TORCH)
        self.library("bitsandbytes", BITS)

    def library(self, name: str, text: str) -> None:
        """A module that stands before the installed one."""
        (self.site / f"{name}.py").write_text(text, encoding="utf-8")

    @property
    def environment(self) -> dict[str, str]:
        return {
            "PYTHONPATH": str(self.site), "HOME": str(self.home), "HF_HOME": str(self.home / "hf"),
            "HF_ENDPOINT": self.hub.address, "HF_HUB_OFFLINE": "0", "TRANSFORMERS_OFFLINE": "0",
            "PIP_INDEX_URL": f"{self.index.address}/simple", "PIP_CONFIG_FILE": os.devnull,
            "HARNESS_CACHE": str(self.home / "models"), "NO_PROXY": "*", "no_proxy": "*",
        }  # fmt: skip

    def doctor(self, *arguments: str, **environment: str) -> Result:
        return self.project.harness("doctor", *arguments, **{**self.environment, **environment})

    def said(self, *arguments: str, **environment: str) -> Any:
        """The JSON document."""
        done = self.doctor("--json", *arguments, **environment)
        assert done.out, done.err
        assert done.code == done.document["exit_code"]
        return done.document

    def plugin(self, text: str) -> None:
        """A one-file plugin with the metric ``asking``, beside the others of the config."""
        (self.project.folder / "asking.py").write_text(METRIC.replace("BODY", text), "utf-8")
        config = Path(self.project.folder, "harness.yaml").read_text("utf-8")
        config = config.replace("plugins: [", "plugins: [asking.py, ")
        config = config.replace("[{plugin: overlap}]", "[{plugin: overlap}, {plugin: asking}]")
        self.project.write(config)


METRIC = """\
import os
import time

import harness


class Asking(harness.Metric):
    name = "asking"

    def measure(self, prediction, example):
        return 1.0

    def check(self, settings):
        BODY


@harness.hookimpl
def register_metrics():
    return [Asking]
"""


@pytest.fixture
def machine(project: Project, servers: Any, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """Everything works."""
    # A command is a fork of this process; the library of the hub reads the environment at import.
    for name in [name for name in sys.modules if name.partition(".")[0] == "huggingface_hub"]:
        monkeypatch.delitem(sys.modules, name)
    return Machine(project, servers(), servers())
