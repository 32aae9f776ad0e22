"""The page as it is served: what each address says, and who is let in."""

from __future__ import annotations

import http.client
import json
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from harness.run.places import LEDGER
from harness_rating.page.door import PLACE
from harness_view.door import door
from tests.plugins.view.served import Served, served
from tests.support.project import CONFIG, Project, Result
from tests.support.waiting import until

Finished = tuple[Project, Result]


@pytest.fixture(scope="module")
def page(run_once: Finished, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    made, _ = run_once
    folder = tmp_path_factory.mktemp("viewed") / "copy"
    shutil.copytree(made.folder, folder)
    with served(Project(folder)) as page:
        yield page


@pytest.fixture
def run(run_once: Finished) -> str:
    return str(run_once[1].document["run"])


def test_the_link_leads_to_the_latest_run(page: Served, run: str) -> None:
    entered = page.ask(f"/in/{page.token}", Cookie="")
    assert (entered.status, entered.headers["Location"]) == (303, "/view/")
    assert f"view-{page.address.port}={page.token}" in entered.headers["Set-Cookie"]
    assert page.ask("/view/").headers["Location"] == f"/view/run/{run}/now"


def test_each_part_says_what_the_run_knows(page: Served, run: str) -> None:
    here = f"/view/run/{run}"
    assert "improved on test" in page.main(f"{here}/now")
    rounds = page.main(f"{here}/rounds")
    assert "Underperforming slices" in rounds and "minimum detectable effect" in rounds
    assert "Among the worst answers" not in rounds
    rows = page.main(f"{here}/rows")
    assert "48 rows" in rows and "dev-17" in rows and "Test, 48 rows, overlap: base model" in rows
    assert "test-1" not in rows and "Answers against the reference" in page.main(
        f"{here}/row?id=dev-17"
    )
    added = page.main(f"{here}/added")
    assert "pool-20" in added and "kind = hard" in added and "after round 3" in added
    assert "1 run" in page.ask("/view/runs").text and run in page.main("/view/runs")


def test_the_sections_are_those_of_the_report(page: Served, run: str, run_once: Finished) -> None:
    report = next(run_once[0].folder.glob("reports/*/report.html")).read_text(encoding="utf-8")
    section = report[report.index('<section id="rounds"') :].partition("</section>")[0]
    assert section in page.ask(f"/view/run/{run}/rounds").text


def test_a_state_of_the_table_has_an_address(page: Served, run: str) -> None:
    rows = page.main(f"/view/run/{run}/rows?show=fixed&first=0&second=3&sort=-score")
    assert "1 of 48 rows" in rows and "fixed" in rows
    assert "No row of 48 matches" in page.main(f"/view/run/{run}/rows?words=never%20said")
    text = page.ask(f"/view/run/{run}/rows?show=fixed").text
    assert '<option value="fixed" selected>' in text and "show=fixed" in text.partition("<main>")[2]


@pytest.mark.parametrize(
    ("target", "status", "says"),
    [
        ("rows?show=all", 400, "show is one of"),
        ("rows?second=9", 400, "no answers of round 9"),
        ("rows?split=test", 400, "sealed"),
        ("row?id=none", 400, "has no row"),
        ("row?id=test-1", 400, "sealed"),
        ("other", 404, "There is nothing here"),
        ("rows?x=<b>", 404, "There is nothing here"),
    ],
)
def test_what_there_is_not_is_said(
    page: Served, run: str, target: str, status: int, says: str
) -> None:
    reply = page.ask(f"/view/run/{run}/{target}")
    assert reply.status == status and says in reply.text


def test_only_runs_of_this_folder_are_shown(page: Served) -> None:
    for name in ("none", "..", "%2e%2e", "%2Fetc", "..%2F..%2Fetc"):
        assert page.ask(f"/view/run/{name}/now").status == 404


def test_only_who_has_the_link_reads_and_nobody_writes(page: Served, run: str) -> None:
    here = f"/view/run/{run}/now"
    assert page.ask(here, Cookie="").status == 403
    assert page.ask(here, Cookie=f"view-{page.address.port}={'A' * 43}").status == 403
    assert page.ask(here, Host="evil.example").status == 421
    assert page.ask(here, **{"Sec-Fetch-Site": "cross-site"}).status == 403
    for method in ("POST", "PUT", "DELETE"):
        assert page.ask(here, method).status == 405
    policy = page.ask(here).headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy
    text = page.ask(here).text
    assert "<style" not in text and text.count("<script") == text.count("<script src=")


def test_the_raters_page_and_this_one_refuse_each_other(page: Served, run: str) -> None:
    takes = door("A" * 43, page.address).takes
    for target in ("/b/tone-1/ana/", "/b/tone-1/ana/events", "/b/tone-1/ana/page.js"):
        assert takes(target) is None and page.ask(target).status == 404
        assert PLACE.fullmatch(target)
    for target in (f"/view/run/{run}/now", "/view/", "/view/static/view.js"):
        assert takes(target) == "GET" and PLACE.fullmatch(target) is None
    assert page.ask("/view/", Cookie=f"rater={page.token}").status == 403
    for part in ("now", "rounds", "rows", "added"):
        text = page.ask(f"/view/run/{run}/{part}").text
        assert 'href="/b/' not in text and "/in/" not in text


def test_rows_of_test_are_shown_to_who_asks_and_each_look_is_counted(finished: Finished) -> None:
    project, result = finished
    run, ledger = result.document["run"], project.folder / ".harness" / LEDGER
    with served(project, open_test=True) as page:
        before = ledger.read_text()
        assert "its rows" in page.main(f"/view/run/{run}/rows") and ledger.read_text() == before
        assert "test-1" in page.main(f"/view/run/{run}/rows?split=test")
        added = ledger.read_text().removeprefix(before).splitlines()
        assert len(added) == 1 and "looked at by harness view" in added[0]
        assert "Answers" in page.main(f"/view/run/{run}/row?id=test-1")


def test_a_run_without_a_closed_round_is_there_and_says_so(project: Project) -> None:
    project.write(CONFIG.replace("train: {plugin: fake}", "train: {plugin: fake, die_in_round: 1}"))
    assert project.harness("iterate").code != 0
    with served(project) as page:
        now = page.main(page.ask("/view/").headers["Location"])
        assert "its process was killed" in now and "Go on with: harness iterate" in now


def test_a_run_that_has_only_begun_stands_above_the_table(project: Project) -> None:
    (project.folder / ".harness" / "runs" / "begun").mkdir(parents=True)
    with served(project) as page:
        runs = page.main("/view/runs")
        assert "Before their first round is closed begun : not begun" in runs
        assert "No runs yet" not in runs
        assert "No command has left word" in page.main("/view/run/begun/now")
        for part in ("rounds", "rows", "added"):
            assert "comes with the first closed round" in page.main(f"/view/run/begun/{part}")


def test_a_finished_run_that_is_gone_on_with_does_not_show_its_earlier_verdict(
    finished: Finished,
) -> None:
    project, result = finished
    run = result.document["run"]
    live = project.folder / ".harness" / "runs" / run / "live.json"
    document = json.loads(live.read_text())
    later = {"state": "running", "started": "2100-01-01T00:00:00Z"}
    with served(project) as page:
        live.write_text(json.dumps({**document, "state": "running"}))  # killed at its very end
        assert "Now finished" in page.main(f"/view/run/{run}/now")
        live.write_text(json.dumps({**document, **later}))  # killed when it went on
        now = page.main(f"/view/run/{run}/now")
        assert "its process was killed" in now and "on test" not in now


def test_the_report_of_a_round_that_was_closed_meanwhile_is_made(
    project: Project, as_outside: None
) -> None:
    project.write()
    assert project.process("iterate", "--rounds", "1", "--no-test").code == 0
    [reports] = (project.folder / "reports").iterdir()
    for name in ("analysis.json", "run.duckdb"):
        (reports / name).unlink()
    with served(project) as page:
        here = f"/view/run/{reports.name}"
        first = page.main(f"{here}/rounds")
        assert "is being made" in first
        until(lambda: "Underperforming slices" in page.main(f"{here}/rounds"))
        assert "48 rows" in page.main(f"{here}/rows")


def test_events_tell_of_what_is_new(finished: Finished) -> None:
    project, result = finished
    run = result.document["run"]
    with served(project) as page:
        connection = http.client.HTTPConnection("127.0.0.1", page.address.port, timeout=60)
        cookie = {"Cookie": f"view-{page.address.port}={page.token}"}
        connection.request("GET", f"/view/run/{run}/events", headers=cookie)
        stream = connection.getresponse()
        assert stream.headers["Content-Type"].startswith("text/event-stream")
        first = _event(stream)
        assert f'data-mark="{first}"' in page.ask(f"/view/run/{run}/now").text
        live = project.folder / ".harness" / "runs" / run / "live.json"
        document = json.loads(live.read_text())
        live.write_text(json.dumps({**document, "updated": "2030-01-01T00:00:00Z"}))
        assert _event(stream) != first
        connection.close()


def _event(stream: Any) -> str:
    while True:
        line = stream.readline().decode().strip()
        if line.startswith("data: "):
            return str(line.removeprefix("data: "))
