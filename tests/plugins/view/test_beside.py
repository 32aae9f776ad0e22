"""The page beside a run: there as long as the run's command, whatever ends that."""

from __future__ import annotations

import json
import socket
import urllib.request

import pytest

import harness
from harness_view import beside
from harness_view.app import PORT
from tests.support.project import Project, Result
from tests.support.waiting import until

Finished = tuple[Project, Result]


def answers(link: str) -> bool:
    try:
        with urllib.request.urlopen(link.replace("/in/", "/view/static/"), timeout=5):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def test_it_is_served_until_the_command_ends(
    finished: Finished, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(finished[0].folder)
    with beside.served_beside(finished[1].document["run"]) as sentence:
        link = sentence.rpartition(" ")[2]
        until(lambda: answers(link), "the page")
    until(lambda: not answers(link), "its end")


def test_where_the_usual_port_is_taken_it_takes_another(
    finished: Finished, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(finished[0].folder)
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind(("127.0.0.1", PORT))
            taken.listen()
        except OSError:
            pass  # somebody else has it
        with beside.served_beside(finished[1].document["run"]) as sentence:
            assert f":{PORT}/" not in sentence


def test_without_its_packages_a_run_does_not_begin(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write()

    def missing(*names: str) -> None:
        raise harness.EnvironmentFailure("the page needs uvicorn", hint="pip install …[web]")

    monkeypatch.setattr("harness_view.app.load_extra", missing)
    done = project.inside("iterate", "--view")
    assert done.code == 3 and "needs uvicorn" in done.err
    assert not [*project.folder.glob(".harness/artifacts/*/*")]


def test_json_stays_one_document(project: Project, as_outside: None) -> None:
    project.write()
    done = project.process("iterate", "--view", "--rounds", "1", "--json")
    assert done.code == 0 and json.loads(done.out)["rounds"]
    assert "the page of this run: http://127.0.0.1:" in done.err
