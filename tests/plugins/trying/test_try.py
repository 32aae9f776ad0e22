"""``harness try``: both models' answers to prompts of one's own."""

from __future__ import annotations

import contextlib
import io
import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import harness
from harness.cli import commands
from harness.kit import own
from tests.support.project import CONFIG, Project
from tests.support.waiting import LONG, until

PROMPT = "copy: alpha beta gamma delta epsilon zeta eta theta iota kappa"
HOSTILE = "copy: \x1b[31mred\x1b[0m [bold]b[/bold] \u202eover <b>x</b>"


def tried(project: Project, *arguments: str, **environment: str) -> Any:
    done = project.inside("try", *arguments, **environment)
    assert done.code == 0, done.err
    return done


@pytest.fixture
def stdin(monkeypatch: pytest.MonkeyPatch) -> Any:
    """``stdin(text)``: what a pipe gives."""

    def given(text: bytes) -> None:
        stream = SimpleNamespace(buffer=io.BytesIO(text), isatty=lambda: False)
        monkeypatch.setattr(sys, "stdin", stream)

    return given


def test_both_answer_as_they_answered_dev(finished: Any, tmp_path: Path, monkeypatch: Any) -> None:
    project, done = finished
    monkeypatch.chdir(project.folder)
    run = harness.open_run()
    rows, best = run.rows("dev"), done.document["kept_round"]
    # The fake model draws by the ids of rows, which are those of a file's lines.
    lines = ["" for _ in range(40)]
    lines[0] = json.dumps({"messages": [*rows[0].messages, {"role": "assistant", "content": "x"}]})
    lines[39] = json.dumps({"prompt": PROMPT})
    (tmp_path / "rows.jsonl").write_text("\n".join(lines))
    found = tried(project, "--file", str(tmp_path / "rows.jsonl"), "--json").document
    assert (found["schema"], found["run"], found["round"]) == ("harness.try/1", run.name, best)
    assert (found["base"], found["best"]) == ("fake", True)
    first, second = found["answers"]
    assert (first["id"], second["id"]) == ("1", "40")
    assert first["messages"] == [dict(turn) for turn in rows[0].messages]
    assert second["messages"] == [{"role": "user", "content": PROMPT}]
    models = run.models([best])
    prompts = [harness.Example(name, tuple(a["messages"]), split="dev") for name, a in
               zip(("1", "40"), found["answers"], strict=True)]  # fmt: skip
    for side, number in (("base", 0), ("tuned", best)):
        for answer, prediction in zip(found["answers"], models.answer(number, prompts),
                                      strict=True):  # fmt: skip
            assert answer[side] == {
                "text": prediction.text, "finish_reason": "stop", "prompt_tokens": 8,
                "completion_tokens": prediction.completion_tokens,
            }  # fmt: skip
    assert second["same"] == (second["base"]["text"] == second["tuned"]["text"])
    assert set(found["seconds"]) == {"base", "tuned"}


def test_dev_is_answered_again_as_it_was(finished: Any, monkeypatch: Any) -> None:
    project, done = finished
    monkeypatch.chdir(project.folder)
    run = harness.open_run()
    for number in (0, done.document["kept_round"]):
        models = run.models([number] if number else [])
        again = [answer.text for answer in models.answer(number, run.rows("dev"))]
        assert again == [answer.text for answer in run.answers(number)]


def test_answers_are_plain_unless_marks_are_asked_for(finished: Any) -> None:
    done = tried(finished[0], "--prompt", PROMPT)
    assert "base model" in done.out and "{+" not in done.out and "[-" not in done.out


@pytest.mark.parametrize("columns", [80, 140])
def test_words_that_differ_are_marked(finished: Any, columns: int) -> None:
    done = tried(finished[0], "--prompt", PROMPT, "--marks", COLUMNS=str(columns))
    head = next(line for line in done.out.splitlines() if "base model  " in line)
    assert ("round" in head) == (columns >= 110)
    assert re.search(r"base model  \d+\.\d s, 10 tokens", done.out)
    assert "{+" in done.out and "[-hm" in done.out
    assert max(map(len, done.out.splitlines())) <= columns


@pytest.mark.parametrize("columns", [80, 140])
def test_equal_answers_are_shown_once(finished: Any, columns: int) -> None:
    # Of this word the fake model's draw is so high that neither model says it.
    given = ("--prompt", "copy: ember", "--round", "1")
    [answer] = tried(finished[0], *given, "--json").document["answers"]
    assert answer["same"] and answer["base"]["text"] == answer["tuned"]["text"] == "hm"
    text = tried(finished[0], *given, COLUMNS=str(columns)).out
    assert re.search(r"base model  .*, round 1  .*: the same$", text, re.MULTILINE)
    assert len(re.findall(r"\bhm\b", text)) == 1


def test_hostile_text_does_nothing(finished: Any) -> None:
    out = tried(finished[0], "--prompt", HOSTILE).out
    assert "\x1b" not in out and "\u202e" not in out
    assert "[bold]b[/bold]" in out


def test_a_system_turn_goes_before_each_prompt(finished: Any, stdin: Any) -> None:
    stdin(b"copy: a b\r\n\n  copy: c\n")
    found = tried(finished[0], "-f", "-", "--json", "--system", "Be brief.").document
    turns = [[(t["role"], t["content"]) for t in a["messages"]] for a in found["answers"]]
    system = ("system", "Be brief.")
    assert turns == [[system, ("user", "copy: a b")], [system, ("user", "copy: c")]]
    assert [answer["id"] for answer in found["answers"]] == ["1", "3"]


def system_project(project: Project, rows: list[dict[str, Any]], system: str) -> None:
    """A run of one round, of rows of the source ``rows``, whose answers tell all turns."""
    project.write("".join(json.dumps(row) + "\n" for row in rows), "rows.jsonl")
    project.write(SLOW, "slow.py")
    text = CONFIG.replace("plugins: [", "plugins: [slow.py, ").replace(
        "data: {source: fake}",
        f"data: {{source: rows, path: rows.jsonl, system: '{system}', "
        "sizes: {pool: 10, dev: 24, test: 24}}",
    )
    project.write(text.replace("generate: {plugin: fake}", "generate: {plugin: slow}"))
    done = project.inside("iterate", "--rounds", "1", "--no-test", "--set", "augment=[]")
    assert done.code == 0, done.err


def heard(document: Any) -> list[list[tuple[str, str]]]:
    return [[(t["role"], t["content"]) for t in a["messages"]] for a in document["answers"]]


@pytest.mark.nightly
def test_the_system_turn_of_all_rows_goes_before_each_prompt(
    project: Project, stdin: Any, monkeypatch: Any
) -> None:
    rows = [{"prompt": f"copy: word{n} other{n}", "completion": f"word{n}"} for n in range(90)]
    system_project(project, rows, "Answer with one word.")
    base = ("--round", "1", "--json")
    system, user = ("system", "Answer with one word."), ("user", "copy: a")
    assert heard(tried(project, "-p", "copy: a", *base).document) == [[system, user]]
    other = [[("system", "Be brief."), user]]
    found = tried(project, "-p", "copy: a", "--system", "Be brief.", *base).document
    assert heard(found) == other
    assert heard(tried(project, "-p", "copy: a", "--system", "", *base).document) == [[user]]
    own = {"messages": [{"role": "system", "content": "Be brief."}, {"role": "user",
           "content": "copy: a"}]}  # fmt: skip
    lines = "".join(json.dumps(row) + "\n" for row in (own, {"prompt": "copy: a"}))
    stdin(lines.encode())
    assert heard(tried(project, "-f", "-", *base).document) == [*other, [system, user]]
    note = "system turn, as in dev (--system TEXT gives another): Answer with one word.\n"
    assert note in tried(project, "-p", "copy: a", "--round", "1").out
    assert "system turn" not in tried(project, "-p", "copy: a", "--round", "1", "--system", "").out
    typed = iter(["copy: a"])

    def line(ask: str) -> str:
        try:
            return next(typed)
        except StopIteration:
            raise EOFError from None

    monkeypatch.setattr(sys, "stdin", SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr("builtins.input", line)
    talk = tried(project, "--round", "1").out
    assert note in talk and "heard 2: ['Answer with one word.', 'copy: a']" in talk


def test_different_system_turns_of_rows_are_told_and_none_is_chosen(project: Project) -> None:
    rows = [
        {"prompt": f"copy: word{n} other{n}", "completion": f"word{n}", "system": f"Be {n % 3}."}
        for n in range(90)
    ]
    system_project(project, rows, "")
    arguments = ("-p", "copy: a", "--round", "1")
    assert heard(tried(project, *arguments, "--json").document) == [[("user", "copy: a")]]
    told = "the rows of dev begin with 3 different system turns, so none is put before your"
    assert told in tried(project, *arguments).out


FAULTS = {
    "two ways to a prompt": (("-p", "x", "-f", "y"), 2, "one of them"),
    "a blank prompt": (("-p", " \n"), 2, "--prompt is blank"),
    "no prompt": ((), 2, "standard input is no terminal"),
    "no prompt for a document": (("--json",), 2, "--json prints a document"),
    "no such file": (("-f", "nowhere.txt"), 2, "nowhere.txt: this cannot be read: No such file"),
    "a folder": (("-f", "reports"), 2, "Is a directory"),
    "an empty file": (("-f", "empty.txt"), 4, "there is no prompt in it"),
    "no UTF-8": (("-f", "latin.txt"), 4, "latin.txt:1:4: not UTF-8: byte 0xe9"),
    "a wrong line": (("-f", "wrong.jsonl"), 4, "wrong.jsonl:2:12: not JSON"),
    "a row without a prompt": (("-f", "wrong.jsonl"), 4, "wrong.jsonl:3: neither `messages` nor"),
    "a row that asks nothing": (("-f", "wrong.jsonl"), 4, "wrong.jsonl:4: the last turn before"),
    "no such run": (("nothing", "-p", "x"), 2, "no run is called 'nothing'"),
    "no such round": (("-p", "copy: x", "--round", "9"), 2, "has no closed round 9"),
    "the base model twice": (("-p", "copy: x", "--round", "0"), 2, "is the base model itself"),
}


@pytest.mark.nightly(but_each=4)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_one_message(fault: str, finished: Any, stdin: Any) -> None:
    project = finished[0]
    (project.folder / "empty.txt").write_bytes(b"\n \n")
    (project.folder / "latin.txt").write_bytes(b"caf\xe9")
    (project.folder / "wrong.jsonl").write_text(
        '{"prompt": "copy: x"}\n{"prompt": \n{"question": "x"}\n'
        '{"messages": [{"role": "assistant", "content": "x"}]}\n'
    )
    stdin(b"")
    arguments, code, told = FAULTS[fault]
    done = project.inside("try", *arguments)
    assert (done.code, done.out) == (code, "")
    assert told in done.err and "Traceback" not in done.err


@pytest.mark.nightly
def test_where_no_round_improved_a_trained_one_can_be_named(project: Project) -> None:
    project.inside("iterate", "--rounds", "1", "--no-test", "--set", "train.gain=0")
    done = project.inside("try", "-p", "copy: x")
    assert done.code == 2 and "is the base model itself" in done.err
    assert "--round 1 tries the latest round" in done.err
    assert tried(project, "-p", "copy: x", "--round", "1", "--json").document["best"] is False


@pytest.mark.nightly
def test_a_run_without_a_trained_round_has_nothing_to_try(project: Project) -> None:
    assert "no run of this folder has answered" in project.inside("try", "-p", "x").err
    project.write(CONFIG.replace("train: {plugin: fake}", "train: {plugin: fake, die_in_round: 1}")
                  .replace("{launcher: inline}", "{launcher: local}"))  # fmt: skip
    assert project.inside("iterate").code == 3
    done = project.inside("try", "-p", "copy: x")
    assert done.code == 2 and "no trained round of run" in done.err


@pytest.mark.nightly
def test_a_run_that_goes_on_is_tried_with_its_best_so_far(short: Any) -> None:
    project, done = short
    shown = project.folder / ".harness" / "runs" / done.document["run"] / "config.yaml"
    shown.write_text(shown.read_text().replace("rounds: 1", "rounds: 2"))
    own.note_run(shown.parent, shown)
    again = tried(project, "-p", "copy: x")
    assert "round 1 is its best so far" in again.err


def test_files_that_are_gone_are_told(short: Any) -> None:
    project, _ = short
    shutil.rmtree(project.folder / ".harness" / "artifacts" / "train")
    done = project.inside("try", "-p", "copy: x")
    assert done.code == 4 and "the model of round 1" in done.err
    assert "trains it again" in done.err


def test_reports_name_the_command(finished: Any) -> None:
    document = finished[1].document
    assert f"harness try {document['run']}" in document["model"]["commands"]
    assert "try" in commands.installed()


class Terminal:
    """``harness try`` at a terminal."""

    def __init__(self, project: Project, *arguments: str) -> None:
        self.master, slave = pty.openpty()
        coloured = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
        self.child = subprocess.Popen(
            project.command("try", *arguments), cwd=project.folder, stdin=slave, stdout=slave,
            stderr=slave, start_new_session=True, close_fds=True,
            env={**coloured, "COLUMNS": "100", "TERM": "xterm", "PYTHONUNBUFFERED": "1"},
        )  # fmt: skip
        os.close(slave)
        self.seen = ""

    def wait_for(self, text: str, seconds: float = LONG) -> str:
        """What it has shown since the last time, up to the text."""
        end = time.monotonic() + seconds
        while text not in self.seen:
            assert time.monotonic() < end, self.seen
            ready, _, _ = select.select([self.master], [], [], 0.2)
            try:
                data = os.read(self.master, 1 << 16) if ready else b""
            except OSError:
                data = b""
            self.seen += re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", data.decode("utf-8", "replace"))
        found, _, self.seen = self.seen.partition(text)
        return found

    def type(self, text: str) -> None:
        os.write(self.master, text.encode())

    def interrupt(self) -> None:
        self.child.send_signal(signal.SIGINT)

    def interrupt_at_prompt(self) -> bool:
        """Whether there is another prompt then: a signal between the last one and readline's
        select() waits for a second signal, or a key."""
        self.interrupt()
        with contextlib.suppress(AssertionError):
            self.wait_for("you> ", 2)
            return True
        return False


SLOW = """
import time
import harness

class Slow(harness.Generator):
    name = "slow"

    def generate(self, checkpoint, examples, context):
        for example in examples:
            turns = [turn["content"] for turn in example.messages]
            context.progress(0, 1)
            for _ in range(600 if "wait" in turns[-1] else 0):
                time.sleep(0.1)
                context.check()
            yield harness.Prediction(example.id, f"{checkpoint.kind} heard {len(turns)}: {turns}")

@harness.hookimpl
def register_generators():
    return [Slow]
"""


@pytest.mark.usefixtures("as_outside")
def test_a_conversation_at_a_terminal(project: Project) -> None:
    project.write(SLOW, "slow.py")
    text = CONFIG.replace("plugins: [", "plugins: [slow.py, ")
    text = text.replace("generate: {plugin: fake}", "generate: {plugin: slow}")
    project.write(text)
    done = project.inside("iterate", "--rounds", "1", "--no-test")
    assert done.code == 0, done.err
    terminal = Terminal(project, "--round", "1")
    try:
        terminal.wait_for("you> ")
        terminal.type("first\n")
        said = terminal.wait_for("you> ")
        assert "base heard 1" in said.replace("\r\n", " ") and "adapter heard 1" in said
        terminal.type("please wait\n")
        terminal.wait_for("generate")
        terminal.interrupt()
        assert "this turn is forgotten" in terminal.wait_for("you> ")
        until(terminal.interrupt_at_prompt, "another prompt")  # a signal there ends nothing
        terminal.type("second\n")
        said = terminal.wait_for("adapter heard 3") + "adapter heard 3"
        said = " ".join((said + terminal.wait_for("you> ")).split())
        # Each side heard its own answer, and not the turn that was stopped.
        assert "heard 3" in said and "wait" not in said.partition("base model")[2]
        assert "base heard 1" in said and "adapter heard 1" in said
        terminal.type("/new\n")
        terminal.wait_for("you> ")
        terminal.type("third\n")
        assert "heard 1" in terminal.wait_for("you> ")
        terminal.type("\x04")
        assert terminal.child.wait(LONG) == 0
    finally:
        terminal.child.kill()
        os.close(terminal.master)
