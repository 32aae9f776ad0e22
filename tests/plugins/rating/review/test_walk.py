"""From a teacher's rows to what is trained on, by the commands, the page and a browser; and what
kills and a full disk leave."""

from __future__ import annotations

import json
import random
import re
import resource
import signal
import subprocess
import threading
import time

import pytest

from tests.plugins.rating.review.reviewers import RATINGS, accept, batches, decide, mixed
from tests.plugins.rating.served import need
from tests.support.browser import launched
from tests.support.chat_server import SECRET, Server, said
from tests.support.ports import own_port
from tests.support.project import CONFIG
from tests.support.waiting import LONG

TWO_ROUNDS = CONFIG.replace("rounds: 3", "rounds: 2") + "probes: []\nreport: []\n"


def writes(asked):
    rows = [
        {"prompt": f"repeat <b>new{number}</b>: {text}", "answer": text}
        for number in range(4)
        for text in [f"alpha {hash(asked.user) % 10**6} beta {number}"]
    ]
    return said(json.dumps(rows), model="big-2026")


@pytest.fixture
def taught(project, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    server = Server(writes)
    entry = f"{{plugin: teacher, rows: 6, endpoint: '{server.url}', model: big, wait: 0, tries: 1, "
    config = TWO_ROUNDS.replace("{plugin: fake, rows: 10}", entry + "review: required}")
    project.write(config)
    yield project, server
    server.close()


@pytest.mark.nightly
def test_a_teachers_rows_go_through_the_page_into_the_next_round(taught):
    need("starlette", "jinja2", "uvicorn", "playwright")
    project, server = taught
    waits = project.harness("iterate")
    assert waits.code == 6, waits.err
    asked = len(server.asked)
    [command] = re.findall(r"harness (rate serve \S+)", waits.err)
    serving = project.start(*command.split(), "--port", str(own_port()))
    try:
        link = next(line.strip() for line in serving.stdout if "/in/" in line)
        with launched() as browser:
            page = browser.new_page()
            page.goto(link)
            page.wait_for_selector("#work:not([hidden]) .answer")
            assert page.locator("#texts b").count() == 0
            page.keyboard.press("e")
            page.keyboard.press("End")
            page.keyboard.type(" gamma")
            page.wait_for_selector(".edit ins")
            for key in ("Escape", "Enter", "x", "1", "Enter", *("a", "Enter") * 4):
                page.keyboard.press(key)
            page.wait_for_selector("#end:not([hidden])")
            page.wait_for_selector("#saved:has-text('Saved at')")
    finally:
        serving.send_signal(signal.SIGINT)
        serving.communicate(timeout=LONG)
        assert serving.returncode == 130
    last = project.harness("iterate", "--json")
    assert last.code == 0, last.err
    assert len(server.asked) > asked, "the rows after round 2, which nobody has to see"
    growth = last.document["rounds"][1]
    assert (growth["added"], growth["refused"]["review: wrong answer"]) == (5, 1)
    query = "SELECT id, made FROM added WHERE round = 1"
    rows = project.harness("query", query, "--json").document
    made = {row["id"]: json.loads(row["made"]) for row in rows}
    [edited] = [name for name in made if made[name]["review"] == "edited by me"]
    assert made[edited]["teacher"] == "big-2026"
    why = project.harness("why", edited).out
    assert "review: edited by me" in why
    assert f"answer before: {made[edited]['answer before']}" in why
    assert f"{made[edited]['answer before']} gamma" in why


@pytest.mark.nightly
def test_kills_while_a_round_is_reviewed_lose_and_double_nothing(project):
    """The batch is one, and what is trained on is what a run without kills trains on."""
    project.write(TWO_ROUNDS.replace("rows: 10}", "rows: 10, review: {raters: [ana, bo]}}"))
    draw = random.Random(7)

    def killed(times):
        for _ in range(times):
            started = project.start("iterate")
            time.sleep(draw.uniform(0.3, 4))
            started.kill()
            started.communicate()

    killed(10)
    assert project.inside("iterate").code == 6
    [batch] = batches(project.folder)
    assert not list((project.folder / RATINGS).glob(".*.tmp")), "what a kill left half made"
    decide(project.folder, batch, "ana", mixed)
    killed(3)
    decide(project.folder, batch, "bo", accept)
    killed(10)
    last = project.inside("iterate", "--json")
    assert last.code == 0, last.err
    assert batches(project.folder) == [batch]
    assert last.document["rounds"][1]["refused"]["review: wrong answer"] == 2
    assert last.document["rounds"][1]["added"] == 8


@pytest.mark.nightly
def test_two_runs_and_two_reviewers_at_once(project):
    """Runs that begin together wait for one batch; reviewers who type together are both heard."""
    project.write(
        TWO_ROUNDS.replace("rows: 10}", "rows: 10, review: {raters: [ana, bo], overlap: 1}}")
    )
    started = [project.start("iterate") for _ in range(2)]
    codes = {process.wait(120) for process in started}
    for process in started:
        process.communicate()
    assert codes <= {3, 6}, codes  # the second may find the folder locked
    assert 6 in codes
    [batch] = batches(project.folder)
    threads = [
        threading.Thread(target=decide, args=(project.folder, batch, rater, mixed))
        for rater in batch.raters
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    last = project.inside("iterate", "--json")
    assert last.code == 0, last.err
    [note] = [note for note in last.document["notes"] if "were reviewed" in note]
    assert "10 were seen by two reviewers, who agreed on" in note


@pytest.mark.nightly
def test_a_full_disk_is_said_and_leaves_no_batch(project):
    project.write(TWO_ROUNDS.replace("rows: 10}", "rows: 30, review: required}"))
    assert project.inside("iterate").code == 6
    [batch] = batches(project.folder)
    largest = (project.folder / RATINGS / batch.name / "items.json").stat().st_size
    subprocess.run(["rm", "-r", str(project.folder / RATINGS)], check=True)

    def limited():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest - 1, largest - 1))

    full = subprocess.run(
        project.command("iterate"), cwd=project.folder, preexec_fn=limited, text=True,
        capture_output=True,
    )  # fmt: skip
    assert full.returncode == 3, full.stderr
    assert "disk" in full.stderr or "large" in full.stderr
    assert batches(project.folder) == []
    assert not list((project.folder / RATINGS).glob("*"))
    assert project.inside("iterate").code == 6
    assert batches(project.folder) == [batch]
