"""What a run has spent goes with it, and counts whoever scores it anew."""

from __future__ import annotations

import json
import shutil

import pytest

from harness.errors import BudgetSpent
from harness.kit import own
from harness.kit.inside import Outside
from harness.kit.remote.spending import Spending
from harness.run import objects, spent
from harness.run.shared_run import SharedRun
from tests.support.chat_server import SECRET, Server, said
from tests.support.project import CONFIG
from tests.support.rubric import RUBRIC
from tests.support.waiting import threads_ended


@pytest.fixture
def machines(tmp_path):
    """``.harness`` of two machines, and the store of both."""
    (tmp_path / "store").mkdir()
    store = objects.opened(f"file://{tmp_path}/store")
    folders = [tmp_path / name / ".harness" for name in ("one", "two")]
    for folder in folders:
        (folder / "runs" / "r").mkdir(parents=True)
    return store, folders


def spend(store, machine, *mosts, most=1.0):
    """Carry the run out on a machine, where requests of so much are sent."""
    shared = SharedRun(store, machine, "r")
    shared.begin(print)
    try:
        spending = spent.spending_of(machine, "r", most)
        for each in mosts:
            spending.sent("s", "m", each)
        return spending
    finally:
        shared.end()


def test_the_budget_of_a_run_is_one_on_all_machines(machines):
    store, (one, two) = machines
    spend(store, one, 0.6)
    with pytest.raises(BudgetSpent):
        spend(store, two, 0.3, 0.3)
    with pytest.raises(BudgetSpent):
        spend(store, one, 0.2)
    (cost,) = spend(store, one, 0.05).costs().values()
    assert (cost.requests, cost.money) == (3, pytest.approx(0.95))
    (cost,) = spend(store, two).costs().values()
    assert (cost.requests, cost.money) == (3, pytest.approx(0.95))


def test_what_was_not_shared_yet_is_not_lost_here(machines):
    """A machine that was killed goes on later: its own file stays, and the other's comes."""
    store, (one, two) = machines
    spend(store, one, 0.1)
    spent.spending_of(one, "r", None).sent("s", "m", 0.2)  # and was killed
    spend(store, two, 0.3)
    (cost,) = spend(store, one).costs().values()
    assert (cost.requests, cost.money) == (3, pytest.approx(0.6))


def test_what_an_earlier_version_has_counted_counts_for_its_run_alone(machines):
    _, (machine, _) = machines
    log = Spending(machine / spent.OF_ALL_RUNS, "")
    for number, run in ((1, "r"), (2, "other"), (3, "r")):
        log._log.append(spent_line(number, run))
    (cost,) = spent.spending_of(machine, "r", None).costs().values()
    assert (cost.requests, cost.money) == (2, 1.0)
    with pytest.raises(BudgetSpent):
        spent.spending_of(machine, "r", 1.2).sent("s", "m", 0.5)
    assert spent.spending_of(machine, "third", 1.2).costs() == {}


def spent_line(number, run):
    from harness.kit.remote.spending import Sent

    return Sent(number, "s", "m", 0.5, run=run)


@pytest.mark.parametrize("damage", ["", "x", "../../../evil", "\udcff"])
def test_a_folder_has_one_name_whatever_lies_there(machines, damage):
    _, (machine, _) = machines
    (machine / spent.NAME).write_bytes(damage.encode("utf-8", "surrogateescape"))
    paths = {spent.spending_of(machine, "r", None).path for _ in range(3)}
    assert len(paths) == 1 and paths.pop().parent == machine / "runs/r/spent"


def test_nothing_is_counted_through_a_link(machines, tmp_path):
    _, (machine, _) = machines
    (machine / "runs/r/spent").symlink_to(tmp_path)
    with pytest.raises(Outside):
        spent.spending_of(machine, "r", None)


def test_who_scores_a_stored_run_anew_pays_with_the_runs_money(project, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    usage = {"prompt_tokens": 40, "completion_tokens": 10}
    server = Server(lambda asked: said('{"evidence": "so", "score": 4}', usage=usage))
    (project.folder / "short.yaml").write_text(RUBRIC)
    judge = f"plugin: judge, rubric: short.yaml, endpoint: '{server.url}', model: big, wait: 0"
    config = CONFIG.replace("rounds: 3", "rounds: 1").replace(
        "[{plugin: overlap}]",
        f"[{{plugin: overlap}}, {{{judge}, price: {{in: 10, out: 20}}}}]",
    )
    project.write(f"{config}report: []\nprobes: []\n")
    ran = project.inside("iterate", "--no-test", "--json")
    assert ran.code == 0, ran.err
    name = ran.document["run"]

    def forget():
        for path in (project.folder / ".harness/artifacts").glob("score*"):
            shutil.rmtree(path)
        shutil.rmtree(project.folder / ".harness/judge")

    def counted():
        path = project.folder / ".harness/runs" / name
        costs = [Spending(p, "").costs() for p in (path / "spent").glob("*.jsonl")]
        return sum(cost.requests for each in costs for cost in each.values())

    first = len(server.asked)
    assert first == counted() > 0
    forget()
    with threads_ended():
        assert project.inside("rebuild", name).code == 0
    assert len(server.asked) == counted() > first

    # What it may cost is spent: nothing more is sent.
    config_file = project.folder / ".harness/runs" / name / "config.yaml"
    text = config_file.read_text()
    assert "money: null" in text
    config_file.write_text(text.replace("money: null", "money: 1.0e-09"))
    own.note_run(config_file.parent, config_file)
    forget()
    before = len(server.asked)
    shown = project.inside("rebuild", name)
    assert len(server.asked) == before == counted()
    assert shown.code != 0 and "execution.budget.money" in shown.err, json.dumps(shown.err)
    server.close()
