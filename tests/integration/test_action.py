"""``action.yml``: its steps, run by bash as GitHub's runner does, against a stand-in of the API."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from harness.kit import yaml_file

ROOT = Path(__file__).parents[2]
ACTION: Any = yaml_file.scalar((ROOT / "action.yml").read_text(encoding="utf-8"))
STEPS = {step["name"]: step for step in ACTION["runs"]["steps"]}
BOT = "github-actions[bot]"
COMMENTS = "/repos/shop/bot/issues/7/comments"
HOSTILE = "'; touch pwned; \"$(touch pwned)`touch pwned` ${{ github.token }}\n.jsonl"


@dataclass
class GitHub:
    """Comments of pull request 7 of the repository shop/bot.

    Attributes:
        writable: whether the token may write.
        asked: method and path of each request.
    """

    comments: list[dict[str, Any]] = field(default_factory=list)
    writable: bool = True
    asked: list[str] = field(default_factory=list)
    url: str = ""

    def add(self, body: str, author: str = BOT) -> int:
        self.comments.append(
            {"id": 900 + len(self.comments), "body": body, "user": {"login": author}}
        )
        return int(self.comments[-1]["id"])

    def answer(self, method: str, path: str, token: str | None, body: Any) -> tuple[int, Any]:
        place, _, query = path.partition("?")
        self.asked.append(f"{method} {place}")
        if token != "Bearer secret-1":
            return 401, {"message": "Bad credentials"}
        if method == "GET" and place == COMMENTS:
            first = 100 * (int(re.findall(r"&page=(\d+)", query)[0]) - 1)
            return 200, self.comments[first : first + 100]
        if not self.writable:
            return 403, {"message": "Resource not accessible by integration"}
        if len(body["body"]) > 65_536:
            return 422, {"message": "Validation Failed"}
        if method == "POST" and place == COMMENTS:
            return 201, {"id": self.add(body["body"])}
        edited = re.fullmatch(r"/repos/shop/bot/issues/comments/(\d+)", place)
        for comment in self.comments:
            if method == "PATCH" and edited and comment["id"] == int(edited[1]):
                comment["body"] = body["body"]
                return 200, comment
        return 404, {"message": "Not Found"}


@pytest.fixture
def github() -> Iterator[GitHub]:
    state = GitHub()

    class Door(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length) or "null")
            status, given = state.answer(
                self.command, self.path, self.headers.get("Authorization"), body
            )
            data = json.dumps(given).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_POST = do_PATCH = do_GET

        def log_message(self, *arguments: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_port}"
    yield state
    server.shutdown()
    server.server_close()
    thread.join()


@dataclass
class Runner:
    """What of GitHub's runner a composite action sees; the work happens in ``folder``."""

    folder: Path
    github: GitHub
    event: Any = field(default_factory=lambda: {"pull_request": {"number": 7}})
    outputs: dict[str, str] = field(default_factory=dict)
    said: str = ""

    def __post_init__(self) -> None:
        programs = self.folder / "temp" / "harness" / "bin"
        programs.mkdir(parents=True)
        self.program = programs / "harness"
        self.program.write_text(
            f"#!{sys.executable}\nfrom harness.cli import main\nmain()\n", encoding="utf-8"
        )
        self.program.chmod(0o755)

    @property
    def summary(self) -> str:
        return (self.folder / "summary.md").read_text(encoding="utf-8")

    def step(self, name: str, inputs: Mapping[str, str]) -> int:
        """Run one step; returns its exit code."""
        step = STEPS[name]
        assert set(step) <= {"name", "id", "shell", "env", "run"} and step["shell"] == "bash"
        for file in ("summary.md", "output"):
            (self.folder / file).touch()
        (self.folder / "event.json").write_text(json.dumps(self.event), encoding="utf-8")
        (self.folder / "script.sh").write_text(step["run"], encoding="utf-8")
        environment = {
            "PATH": os.environ["PATH"],
            "RUNNER_TEMP": str(self.folder / "temp"),
            "GITHUB_ACTION_PATH": str(ROOT),
            "GITHUB_API_URL": self.github.url,
            "GITHUB_REPOSITORY": "shop/bot",
            "GITHUB_WORKFLOW": "evaluate --><b>",
            "GITHUB_JOB": "score",
            "GITHUB_EVENT_PATH": str(self.folder / "event.json"),
            "GITHUB_OUTPUT": str(self.folder / "output"),
            "GITHUB_STEP_SUMMARY": str(self.folder / "summary.md"),
            **{name: self._value(text, inputs) for name, text in step.get("env", {}).items()},
        }
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(self.folder / "script.sh")],
            cwd=self.folder, env=environment, capture_output=True, text=True,
        )  # fmt: skip
        self.said += done.stdout + done.stderr
        for line in (self.folder / "output").read_text(encoding="utf-8").splitlines():
            key, _, value = line.partition("=")
            self.outputs[key] = value
        return done.returncode

    def steps(self, **inputs: str) -> int:
        """All of them after the installation, up to the first that fails; returns its exit code."""
        for name in list(STEPS)[1:]:
            if code := self.step(name, inputs):
                return code
        return 0

    def _value(self, text: str, inputs: Mapping[str, str]) -> str:
        found = re.fullmatch(r"\$\{\{ (inputs|steps\.score\.outputs)\.([a-z-]+) \}\}", text)
        assert found is not None, text
        if found[1] != "inputs":
            return self.outputs.get(found[2], "")
        if found[2] == "github-token":
            return "secret-1"
        assert found[2] in ACTION["inputs"]
        default = ACTION["inputs"][found[2]].get("default", "")
        return inputs.get(found[2].replace("-", "_"), default)


@pytest.fixture
def runner(tmp_path: Path, github: GitHub) -> Runner:
    """A pull request whose answers are better than before, and the programs that it needs."""
    for program in ("curl", "jq"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    texts = {"new": "paid on monday {}", "old": "paid {}", "refs": "paid on monday {}"}
    for name, text in texts.items():
        rows = ({"id": f"r{n}", "text": text.format(n), "kind": "ab"[n % 2]} for n in range(40))
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (tmp_path / f"{name}.jsonl").write_text(lines, encoding="utf-8")
    return Runner(tmp_path, github)


PAIR = {
    "predictions": "new.jsonl", "baseline": "old.jsonl", "references": "refs.jsonl",
    "metrics": "rouge", "primary": "rougeL", "by": "kind", "require": "improved",
}  # fmt: skip


def test_a_pull_request_has_one_comment_which_is_renewed_before_the_job_fails(
    runner: Runner, github: GitHub
) -> None:
    remark = github.add("A remark of somebody.", "someone")
    assert runner.steps(**PAIR, min_gain="0.9") == 1
    marker, _, text = github.comments[1]["body"].partition("\n")
    assert re.fullmatch(r"<!-- harness score [0-9-]+ -->", marker)
    assert text.startswith("### ▲ improved (rougeL, new.jsonl against old.jsonl)\n")
    assert "**Not as required:** the interval begins at" in text and runner.summary == text
    assert runner.outputs == {"exit-code": "1"}
    assert "not as required: rougeL" in runner.said and "secret-1" not in runner.said
    foreign = github.add(f"{marker}\nis not yours", "someone")
    comment = runner.folder / "temp" / "harness" / "comment.md"
    comment.write_text(f"{marker}\n### another verdict\n", encoding="utf-8")
    assert (runner.step("Comment", PAIR), runner.step("Require", PAIR)) == (0, 1)
    assert [entry["id"] for entry in github.comments] == [remark, 901, foreign]
    assert github.comments[1]["body"] == f"{marker}\n### another verdict\n"
    assert github.comments[2]["body"] == f"{marker}\nis not yours"


@pytest.mark.nightly
def test_where_all_is_as_required_the_job_succeeds(runner: Runner, github: GitHub) -> None:
    assert runner.steps(**PAIR) == 0, runner.said
    assert github.comments[0]["body"].partition("\n")[2] == runner.summary
    turned = {**PAIR, "predictions": "old.jsonl", "baseline": "new.jsonl"}
    assert runner.steps(**turned) == 1
    first, second = github.comments  # another name, another comment
    assert "\n### ▲ improved" in first["body"] and "\n### ▼ regressed" in second["body"]


@pytest.mark.nightly(but_each=4)
@pytest.mark.parametrize("value", [HOSTILE, "--version"], ids=["script", "option"])
@pytest.mark.parametrize("name", ["predictions", "min_gain"])
def test_inputs_are_never_code(runner: Runner, github: GitHub, name: str, value: str) -> None:
    code = runner.steps(**{**PAIR, name: value})
    assert code in (2, 4) and not (runner.folder / "pwned").exists(), runner.said
    [comment] = github.comments
    assert f"\n### No score\n\nIt ended with exit code {code}; the log" in comment["body"]
    paused, resumed = (line for line in runner.said.splitlines() if line.startswith("::"))
    assert f"{paused.removeprefix('::stop-commands')}::" == resumed


def commented(runner: Runner, **inputs: str) -> int:
    """The step alone, after a score."""
    text = "<!-- harness score 1 -->\n### ◆ no evidence\n"
    (runner.folder / "temp" / "harness" / "comment.md").write_text(text, encoding="utf-8")
    return runner.step("Comment", inputs)


def test_a_fork_that_may_not_write_is_no_failure(runner: Runner, github: GitHub) -> None:
    github.writable = False
    assert commented(runner) == 0 and not github.comments
    assert github.asked == [f"GET {COMMENTS}", f"POST {COMMENTS}"]
    assert "No comment was written: the token may not" in runner.summary
    assert "::warning::No comment was written" in runner.said


def test_an_api_that_does_not_answer_is_no_failure(runner: Runner, github: GitHub) -> None:
    github.url = "http://127.0.0.1:9"
    assert commented(runner) == 0
    assert "the API did not answer" in runner.summary


def test_its_own_comment_is_found_among_hundreds(runner: Runner, github: GitHub) -> None:
    for number in range(230):
        github.add(f"remark {number}", BOT if number % 2 else "someone")
    own = github.add("<!-- harness score 1 -->\nold")
    assert commented(runner) == 0, runner.said
    assert len(github.comments) == 231
    assert github.comments[-1]["id"] == own and "no evidence" in github.comments[-1]["body"]
    assert github.asked[-1] == f"PATCH /repos/shop/bot/issues/comments/{own}"
    github.comments[-1]["user"]["login"] = "shop-bot"
    assert commented(runner, comment_author="shop-bot") == 0 and len(github.comments) == 231


@pytest.mark.parametrize("what", ["not wanted", "no pull request"])
def test_nothing_is_asked_where_no_comment_is_wanted(
    runner: Runner, github: GitHub, what: str
) -> None:
    runner.event = {"pull_request": {"number": 7}} if what == "not wanted" else {"ref": "main"}
    assert commented(runner, comment="false" if what == "not wanted" else "true") == 0
    assert github.asked == [] and runner.summary == ""


def test_no_step_holds_an_expression() -> None:
    """Values come by the environment alone, so that none is taken for a part of the script."""
    assert not any("${{" in step["run"] for step in STEPS.values())


@pytest.mark.nightly
def test_the_installation_has_harness(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the action's own checkout, in an environment of its own."""
    shutil.rmtree(runner.folder / "temp")
    script = STEPS["Install"]["run"].replace("--quiet", "--quiet --no-deps")
    monkeypatch.setitem(STEPS["Install"], "run", script)
    assert runner.step("Install", {}) == 0, runner.said
    python = runner.folder / "temp" / "harness" / "bin" / "python"
    found = "import importlib.util as u; print(u.find_spec('harness').origin)"
    done = subprocess.run([python, "-c", found], cwd=runner.folder, capture_output=True, text=True)
    assert str(runner.folder) in done.stdout
    assert runner.program.exists()
