"""``harness export --push`` at a hub on this machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

import harness
from harness_transformers.export.push import need_licence, push
from tests.plugins.transformers.test_export import trained
from tests.support.waiting import LONG

__all__ = ["trained"]

CODE = """\
import sys
from pathlib import Path
import harness
from harness_transformers.export.push import need_room, push
try:
    if sys.argv[2:]:
        need_room("ana/tuned")
    else:
        print(push(Path(sys.argv[1]), "ana/tuned", private=True))
except (harness.HarnessError, harness.Cancelled) as error:
    print(type(error).__name__, error, getattr(error, "hint", ""))
"""


@pytest.fixture
def hub():
    """The requests that it got, and how it answers the creation of a repository."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            asked.append((self.path, self.headers.get("Authorization"), body))
            if self.path == "/api/repos/create":
                return self.send(code[0], {"url": f"{address}/ana/tuned"})
            if self.path.endswith("/preupload/main"):
                files = [{"path": file["path"], "uploadMode": "regular", "shouldIgnore": False}
                         for file in json.loads(body)["files"]]  # fmt: skip
                return self.send(200, {"files": files})
            return self.send(
                200, {"commitOid": "0" * 40, "commitUrl": f"{address}/ana/tuned/commit/{0:040}"}
            )

        def do_GET(self):
            there = "/api/repos/create" in [path for path, *_ in asked] or code[0] == 409
            asked.append((self.path, self.headers.get("Authorization"), b""))
            self.send(200 if there else 404, {"sha": "0" * 40, "id": "ana/tuned", "siblings": []})

        def send(self, status, document):
            data = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            if status == 404:
                self.send_header("X-Error-Code", "RepoNotFound")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *told):
            pass

    asked, code = [], [200]
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    address = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield address, asked, code
    server.shutdown()
    server.server_close()


def at(address):
    return {
        "HF_ENDPOINT": address, "HF_TOKEN": "hf_test", "HF_HUB_OFFLINE": "0",
        "NO_PROXY": "127.0.0.1", "HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_TELEMETRY": "1",
    }  # fmt: skip


def pushed(folder, address, *before, **environment):
    environment = {**os.environ, **at(address), **environment}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", CODE, str(folder), *before],
        capture_output=True, text=True, env=environment, timeout=LONG,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "README.md").write_text("---\nlicense: apache-2.0\n---\n# tuned\n")
    (tmp_path / "model-f16.gguf").write_bytes(b"GGUF")
    return tmp_path


def test_an_export_is_uploaded_as_a_new_private_repository(hub, folder):
    address, asked, _ = hub
    assert pushed(folder, address).splitlines()[-1] == f"{address}/ana/tuned"
    paths = [path for path, *_ in asked]
    created = json.loads(asked[paths.index("/api/repos/create")][2])
    assert (created["name"], created["organization"]) == ("tuned", "ana")
    assert "private" in (created.get("visibility"), "private" * bool(created.get("private")))
    commit = next(body for path, _, body in asked if "/commit/" in path)
    assert b"README.md" in commit and b"model-f16.gguf" in commit
    assert {token for _, token, _ in asked} == {"Bearer hf_test"}


@pytest.mark.nightly(but_each=3)
@pytest.mark.parametrize(
    ("code", "kind", "said"),
    [
        (409, "UsageError", "there is a repository of this name"),
        (403, "EnvironmentFailure", "hf auth login"),
        (500, "EnvironmentFailure", "the hub refuses it"),
    ],
)
def test_what_the_hub_refuses_is_one_message_and_how_to_go_on(code, kind, said, hub, folder):
    address, asked, answers = hub
    answers[0] = code
    told = pushed(folder, address)
    assert told.startswith(kind) and said in told
    assert f"hf upload ana/tuned {folder}" in told
    assert not any("/commit/" in path for path, *_ in asked)


def test_what_would_stop_an_upload_is_said_before_any_work(hub, folder, tmp_path):
    address, asked, answers = hub
    assert pushed(folder, address, "before") == ""
    answers[0] = 409
    assert "UsageError --push ana/tuned: there is a repository of this name" in pushed(
        folder, address, "before"
    )
    unknown = pushed(folder, address, "before", HF_TOKEN="", HF_HOME=str(tmp_path))
    assert unknown.startswith("EnvironmentFailure") and "hf auth login" in unknown
    assert "the hub cannot be asked" in pushed(folder, "http://127.0.0.1:9", "before")
    assert not any(path == "/api/repos/create" for path, *_ in asked)


@pytest.mark.nightly
def test_the_command_writes_and_uploads(hub, trained, tmp_path):
    address, asked, code = hub
    trained.signed()
    push = ("--merge", "--push", "ana/tuned", "--private")
    licensed = (*push, "--licence", "mit")
    done = trained.process("export", "-o", str(tmp_path / "b"), *licensed, **at(address))
    assert done.code == 0, done.err
    assert f"uploaded to {address}/ana/tuned" in done.err and "from_pretrained(" in done.out
    commit = b"".join(body for path, _, body in asked if "/commit/" in path)
    assert b"model.safetensors" in commit and b"README.md" in commit
    code[0] = 409
    again = trained.process("export", "-o", str(tmp_path / "c"), *licensed, **at(address))
    assert again.code == 2 and "there is a repository of this name" in again.err
    assert "Traceback" not in again.err and not (tmp_path / "c").exists()


def test_a_stopped_upload_says_how_to_go_on(tmp_path, monkeypatch):
    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("huggingface_hub.HfApi.create_repo", stopped)
    with pytest.raises(harness.Cancelled, match=r"is whole: hf upload ana/tuned .*a\ b'"):
        push(tmp_path / "a b", "ana/tuned", private=True)


@pytest.mark.nightly
def test_no_hub_is_one_message(folder):
    assert "the hub cannot be asked" in pushed(folder, "http://127.0.0.1:9")


def test_a_licence_that_nobody_says_has_to_be_named():
    need_licence("mit")
    with pytest.raises(harness.UsageError, match="under which licence"):
        need_licence("")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["-o", "out", "--push", "tuned", "--merge"], "owner/name"),
        (["-o", "out", "--push", "ana/tuned"], "--base ID"),
        (["-o", "out", "--private"], "--private is for --push"),
        (["-o", "out", "--check", "."], "--check writes nothing"),
        (["--check", ".", "--private"], "--check writes nothing"),
        (["-o", "out", "--gguf", "--dtype", "float16"], "--quantize KIND"),
        ([], "-o (--output) is missing"),
    ],
)
def test_options_that_do_not_go_together(options, said, project):
    done = project.inside("export", *options)
    assert done.code == 2
    assert said in done.err
