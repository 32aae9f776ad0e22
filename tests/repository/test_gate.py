"""Processes, addresses, secrets and files that are imported: all of it goes through the gate."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GATE = "harness/kit/gate.py"
FILES = sorted(
    path.relative_to(ROOT).as_posix()
    for folder in ("harness", "plugins")
    for path in (ROOT / folder).rglob("*.py")
)
MODULES = {
    "subprocess": "process", "multiprocessing": "process", "loky": "process", "pty": "process",
    "torch.distributed.elastic": "process",
    "urllib.request": "address", "httpcore2": "address", "http.client": "address",
    "httpx2": "address",
    "httpx": "address", "requests": "address", "aiohttp": "address", "ftplib": "address",
    "smtplib": "address", "xmlrpc": "address", "fsspec": "address", "s3fs": "address",
    "boto3": "address", "ray": "address", "wandb": "address", "mlflow": "address",
    "trackio": "address", "openai": "address", "evaluate": "address",
    "runpy": "import", "pickle": "import", "dill": "import", "joblib": "import",
    "shelve": "import", "marshal": "import",
}  # fmt: skip
"""Module -> the door that importing it stands before; what lies below it, too."""
NAMES = {
    "huggingface_hub.HfApi": "address", "huggingface_hub.snapshot_download": "address",
    "huggingface_hub.hf_hub_download": "address", "huggingface_hub.upload_folder": "address",
    "datasets.load_dataset": "address", "socket.create_connection": "address",
    "concurrent.futures.ProcessPoolExecutor": "process", "sys.executable": "process",
    "asyncio.create_subprocess_exec": "process", "asyncio.create_subprocess_shell": "process",
    "asyncio.open_connection": "address", "urllib.request.Request": "",
    "urllib.request.url2pathname": "", "urllib.request.getproxies": "",
    "urllib.request.proxy_bypass": "", "fsspec.callbacks.Callback": "",
}  # fmt: skip
"""Name of a module -> its door; empty: it is none."""
CALLED = {
    **{f"os.{name}": "process" for name in (
        "system", "popen", "fork", "forkpty", "startfile", "posix_spawn", "posix_spawnp",
        *(f"exec{end}" for end in ("l", "le", "lp", "lpe", "v", "ve", "vp", "vpe")),
        *(f"spawn{end}" for end in ("l", "le", "lp", "lpe", "v", "ve", "vp", "vpe")),
    )},
    "gate.Popen": "process", "socket.socket": "address",
    "importlib.util.spec_from_file_location": "import",
    "importlib.machinery.SourceFileLoader": "import", "SourceFileLoader": "import",
    "spec_from_file_location": "import", "exec": "import", "eval": "import", "compile": "import",
    "__import__": "import", "ctypes.CDLL": "import", "sys.path.insert": "import",
    "sys.path.append": "import",
}  # fmt: skip
KEYWORDS = ("trust_remote_code", "allow_pickle", "weights_only")
"""Of functions that load: values that are neither a constant nor given by the gate."""
LOADING = ("from_pretrained", "load")
READING = ("os.environ.get", "os.getenv", "os.environ.pop")
EXCEPTIONS = {
    ("harness/boundary/lending.py", "import"): "marshal, of values of this process",
    ("plugins/harness_launchers/node.py", "process"): "the command of a job, for a launcher",
    ("plugins/harness_doctor/machine.py", "process"): "which Python it is, shown",
    ("plugins/harness_inspection/query_process.py", "process"): "a fork of itself asks DuckDB",
    ("plugins/harness_sandbox/__init__.py", "process"): "whether the sandbox has the same Python",
    ("plugins/harness_sandbox/runner.py", "process"): "the program that runs in a sandbox",
    ("plugins/harness_sandbox/runner.py", "import"): "the same: it runs what it is given",
    ("plugins/harness_sandbox/sandboxes.py", "secret"): "names of a table: PATH, HOME, DOCKER_…",
    ("plugins/harness_sandbox/supervisor.py", "import"): "the library of the sandbox",
    ("harness/run/forked.py", "process"): "a fork of itself does each job",
    ("harness/kit/remote/transport.py", "address"): "of a client whose address has passed the gate",
    ("harness/scoring/workers.py", "process"): "processes of its own measure shares of a score",
    ("plugins/harness_transformers/devices.py", "process"): "a fork of itself looks at the device",
    ("plugins/harness_transformers/trackers.py", "secret"): "names of a table, put back after",
    ("plugins/harness_view/beside.py", "address"): "the socket at which it serves, handed on",
    ("plugins/harness_sandbox/sandboxes.py", "process"): "the Python that a sandbox shows",
}
"""(File, door) -> why it goes past the gate."""


def door_of(name: str) -> str:
    """Of a module, or of a name in one, as an import has it."""
    if name in NAMES:
        return NAMES[name]
    parts = name.split(".")
    return next(
        (door for end in range(len(parts), 0, -1) if (door := MODULES.get(".".join(parts[:end])))),
        "",
    )


def walked(node: ast.AST) -> Iterator[ast.AST]:
    """All nodes but what stands there for types alone."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        yield child
        yield from walked(child)


def doors(tree: ast.Module) -> Iterator[tuple[str, int, str]]:
    """Door, line and what is done there, for whatever one of the four things is done by."""
    for node in walked(tree):
        match node:
            case ast.Import(names=names):
                for alias in names:
                    yield door_of(alias.name), node.lineno, f"import {alias.name}"
            case ast.ImportFrom(module=str(module), names=names):
                for alias in names:
                    name = f"{module}.{alias.name}"
                    yield door_of(name), node.lineno, f"from {module} import {alias.name}"
            case ast.Attribute() if (name := ast.unparse(node)) in NAMES:
                yield NAMES[name], node.lineno, name
            case ast.Call(func=called, args=arguments, keywords=keywords):
                name = ast.unparse(called)
                # With None it is what Python itself has loaded.
                if name in CALLED and ast.unparse(node) != "ctypes.CDLL(None)":
                    yield CALLED[name], node.lineno, f"{name}()"
                for keyword in keywords if name.endswith(LOADING) else ():
                    if keyword.arg in KEYWORDS and not known(keyword.value):
                        yield "import", node.lineno, f"{keyword.arg}="
                if name in READING and variable(arguments[0]):
                    yield "secret", node.lineno, ast.unparse(node)
            case ast.Subscript(value=value, slice=name) if ast.unparse(value) == "os.environ":
                if variable(name):
                    yield "secret", node.lineno, ast.unparse(node)


def known(value: ast.expr) -> bool:
    """Whether a value stands in the code, or has passed the gate."""
    passed = ("runs_code", "loading.runs_code")
    return isinstance(value, ast.Constant) or (
        isinstance(value, ast.Call) and ast.unparse(value.func) in passed
    )


def variable(name: ast.expr) -> bool:
    """Whether a name is none that stands in the code: neither a text nor a constant."""
    return not isinstance(name, ast.Constant) and not (
        isinstance(name, ast.Name) and name.id.lstrip("_").isupper()
    )


@functools.cache
def past_the_gate(file: str) -> list[tuple[str, int, str]]:
    text = (ROOT / file).read_text(encoding="utf-8")
    return [] if file == GATE else [found for found in doors(ast.parse(text)) if found[0]]


@pytest.mark.parametrize("door", ["process", "address", "secret", "import"])
def test_nothing_goes_past_the_gate(door: str) -> None:
    assert len(FILES) > 700
    wrong = [
        f"{file}:{line}: {what}"
        for file in FILES
        for of, line, what in past_the_gate(file)
        if of == door and (file, door) not in EXCEPTIONS
    ]
    assert not wrong, "use harness.kit.gate, or say why not in EXCEPTIONS:\n" + "\n".join(wrong)


def test_each_exception_is_one() -> None:
    assert {
        (file, door) for file in FILES for door, _, _ in past_the_gate(file)
    } >= EXCEPTIONS.keys()


SEEN = {
    "import subprocess": "process",
    "from subprocess import run": "process",
    "import os\nos.execv('sh', [])": "process",
    "import sys\n[sys.executable, '-m', 'pip']": "process",
    "from harness.kit import gate\ngate.Popen(['sh'])": "process",
    "from concurrent.futures import ProcessPoolExecutor": "process",
    "import urllib.request": "address",
    "from urllib.request import urlopen": "address",
    "def f():\n    import httpx2": "address",
    "import socket\nsocket.create_connection(('a', 1))": "address",
    "from huggingface_hub import HfApi": "address",
    "import huggingface_hub\nhuggingface_hub.HfApi()": "address",
    "import os\nos.environ[name]": "secret",
    "import os\nos.environ.get(options.key)": "secret",
    "import os\nos.getenv(name)": "secret",
    "import importlib.util\nimportlib.util.spec_from_file_location('a', p)": "import",
    "import pickle": "import",
    "exec(text)": "import",
    "load(folder, trust_remote_code=options.trust)": "import",
}


@pytest.mark.parametrize("code", SEEN)
def test_it_is_seen(code: str) -> None:
    assert SEEN[code] in {door for door, _, _ in doors(ast.parse(code))}


@pytest.mark.parametrize(
    "code",
    [
        "if TYPE_CHECKING:\n    import subprocess",
        "import os\nos.environ['HOME']", "import os\nos.environ.get(DEVICES)",
        "from urllib.request import Request", "from huggingface_hub import constants",
        "import socket\nsocket.create_server(('', 0))", "load(folder, trust_remote_code=False)",
    ],
)  # fmt: skip
def test_what_is_no_door_is_not(code: str) -> None:
    assert not [door for door, _, _ in doors(ast.parse(code)) if door]
