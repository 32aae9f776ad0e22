"""A run with a teacher: nothing of dev or test leaves, and `why` says how a row came about."""

from __future__ import annotations

import json
import re

import pytest

from tests.support.chat_server import SECRET, Server, said
from tests.support.project import CONFIG
from tests.support.rubric import RUBRIC
from tests.support.waiting import threads_ended

# The turns of the fakes' rows hold their split and number: `repeat dev7: …`.
HELD_OUT = re.compile(r"\b(?:dev|test)\d+")


def writes(asked):
    if "JSON array of objects" not in asked.user:
        return said(asked.user.split(": ", 1)[1])
    rows = [
        {"prompt": f"repeat new{number}: {text}", "answer": text}
        for number in range(4)
        for text in [f"alpha {hash(asked.user) % 10**6} beta {number}"]
    ]
    usage = {"prompt_tokens": 50, "completion_tokens": 50}
    return said(json.dumps(rows), usage=usage, model="big-2026")


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    made = Server(writes)
    yield made
    made.close()


@pytest.fixture
def with_teacher(project, server):
    entry = (
        f"[{{plugin: teacher, rows: 6, endpoint: '{server.url}', model: big, wait: 0, tries: 1, "
        "verify: [{agree: 2}]}]"
    )
    config = CONFIG.replace("[{plugin: fake, rows: 10}]", entry)
    project.write(config.replace("rounds: 3", "rounds: 2"))
    return project


def test_nothing_of_dev_or_test_is_sent(with_teacher, server):
    result = with_teacher.inside("iterate", "--json")
    assert result.code == 0, result.err
    assert len(server.asked) > 4
    sent = [json.dumps(asked.body) for asked in server.asked]
    assert any("train" in text for text in sent)
    assert not [text for text in sent if HELD_OUT.search(text)]
    assert result.document["rounds"][2]["train_rows"] > result.document["rounds"][1]["train_rows"]

    listed = with_teacher.inside("query", "SELECT id FROM added LIMIT 1", "--json").document[0]
    found = with_teacher.inside("why", listed["id"], "--json").document
    assert found["origin"]["made"]["teacher"] == "big-2026"
    told = with_teacher.inside("why", listed["id"]).out
    assert "teacher: big-2026" in told and "agree 2: 2 of 2" in told


def test_what_it_costs_is_told_and_capped(with_teacher, server):
    config = (with_teacher.folder / "harness.yaml").read_text()
    priced = config.replace("wait: 0", "wait: 0, price: {in: 10, out: 20}, max_tokens: 1000")
    capped = priced.replace("launcher: inline}", "launcher: inline, budget: {money: 0.05}}")
    with_teacher.write(capped)
    with threads_ended():
        stopped = with_teacher.inside("iterate")
    assert stopped.code == 130 and "execution.budget.money" in stopped.err
    sent = len(server.asked)
    with_teacher.write(capped.replace("money: 0.05", "money: 5"))
    result = with_teacher.inside("iterate", "--json")
    assert result.code == 0, result.err
    (cost,) = result.document["requests"]
    assert cost["requests"] == len(server.asked) > sent
    # Answers without usage count at their most.
    known = [asked for asked in server.asked if "JSON array" in asked.user]
    assert cost["open"] == len(server.asked) - len(known)
    assert 0.01 < cost["money"] < 5
    full = with_teacher.inside("report", "--full").out
    assert "Requests to servers" in full and "augment: teacher" in full


VERIFIER = '''
import harness


class Short(harness.Verifier):
    """Passes answers of few words."""

    name = "short"

    def verify(self, row, context):
        return harness.Verification(len(row.references[0].split()) < 9, "short enough")


@harness.hookimpl
def register_verifiers():
    return [Short]
'''


@pytest.mark.nightly
def test_a_verifier_may_stand_in_a_file(with_teacher):
    (with_teacher.folder / "short.py").write_text(VERIFIER)
    config = (with_teacher.folder / "harness.yaml").read_text()
    config = config.replace("{agree: 2}", "{plugin: short}").replace(
        "plugins: [", "plugins: [short.py, "
    )
    with_teacher.write(config)
    result = with_teacher.inside("iterate", "--json")
    assert result.code == 0, result.err
    asked = "SELECT made FROM added LIMIT 1"
    made = with_teacher.inside("query", asked, "--json").document[0]["made"]
    assert "short enough" in json.dumps(made)
    assert with_teacher.inside("check").code == 0


@pytest.mark.nightly
@pytest.mark.parametrize(("control", "instead"), [("none", "none"), ("random", "real")])
def test_written_rows_are_compared_and_what_one_cost_is_told(
    with_teacher, server, control, instead
):
    config = (with_teacher.folder / "harness.yaml").read_text()
    priced = config.replace("wait: 0", f"wait: 0, price: {{in: 10, out: 20}}, control: {control}")
    with_teacher.write(priced)
    result = with_teacher.inside("iterate", "--json")
    assert result.code == 0, result.err
    found = result.document["control"]
    assert found["instead"] == instead and found["difference"] is not None
    main, other = (side["rounds"][2]["train_rows"] for side in (result.document, found))
    assert (main == other) == (instead == "real")
    # In the control arm nothing is written: real rows of the pool, or none.
    sql = "SELECT count(*) AS n FROM added WHERE arm = 'random' AND made->>'$.teacher' IS NOT NULL"
    assert with_teacher.inside("query", sql, "--json").document == [{"n": 0}]
    full = with_teacher.inside("report", "--full").out
    assert "What written rows cost" in full and "What the added rows brought" in full
    [advice] = [
        one for one in with_teacher.inside("advise", "--json").document["options"]
        if one["lever"] == "rows" and one["gain"] == found["difference"]
    ]  # fmt: skip
    assert any("tokens" in text and "of money" in text for text in advice["evidence"])


@pytest.mark.nightly
def test_without_a_control_arm_the_report_says_how_to_compare(with_teacher, server):
    assert with_teacher.inside("iterate").code == 0
    full = " ".join(with_teacher.inside("report", "--full").out.split())
    assert "control: random on their entry trains on as many real rows" in full


@pytest.mark.nightly
def test_a_corrected_row_stands_in_place_of_the_suspect(with_teacher, server):
    suspects = with_teacher.folder / "suspects.jsonl"
    assert with_teacher.inside("iterate", "--rounds", "1").code == 0
    sql = "SELECT id FROM examples WHERE split = 'train' AND id NOT IN (SELECT id FROM added)"
    names = sorted(row["id"] for row in with_teacher.inside("query", sql, "--json").document)[:2]
    lines = [{"id": name, "reason": "another answer is likelier"} for name in names]
    suspects.write_text("".join(json.dumps(line) + "\n" for line in lines))
    config = (with_teacher.folder / "harness.yaml").read_text()
    with_teacher.write(
        config.replace("wait: 0", "wait: 0, mode: correct, suspects: suspects.jsonl")
    )
    server.says = lambda asked: said("a better answer")
    result = with_teacher.inside("iterate", "--json")
    assert result.code == 0, result.err
    first, second = (result.document["rounds"][number] for number in (1, 2))
    assert first["added"] == 2 and second["train_rows"] == first["train_rows"]
    sql = "SELECT parent, reference, made FROM added WHERE round = 1 ORDER BY parent"
    rows = with_teacher.inside("query", sql, "--json").document
    assert [row["parent"] for row in rows] == names
    assert {row["reference"] for row in rows} == {"a better answer"}
    assert "another answer is likelier" in json.dumps(rows[0]["made"])
    assert not [asked for asked in server.asked if HELD_OUT.search(json.dumps(asked.body))]


LOCAL = """
import json
import harness


class Big(harness.Model):
    name = "big"

    def fetch(self, context):
        return harness.Checkpoint("base", str(context.output), "d1", "big model")


class Writes(harness.Generator):
    name = "writes"

    def generate(self, checkpoint, examples, context):
        for row in examples:
            words = f"alpha {context.seed} {row.id}"
            rows = [{"prompt": f"repeat new: {words} {n}", "answer": words} for n in range(4)]
            yield harness.Prediction(row.id, json.dumps(rows))


@harness.hookimpl
def register_models():
    return [Big]


@harness.hookimpl
def register_generators():
    return [Writes]
"""


def test_a_model_of_this_machine_may_be_the_teacher_of_a_run(project):
    (project.folder / "big.py").write_text(LOCAL)
    entry = "[{plugin: teacher, rows: 6, local: {source: big}, generate: {plugin: writes}}]"
    config = CONFIG.replace("[{plugin: fake, rows: 10}]", entry)
    config = config.replace("plugins: [", "plugins: [big.py, ").replace("rounds: 3", "rounds: 2")
    project.write(config)
    result = project.inside("iterate", "--json")
    assert result.code == 0, result.err
    assert result.document["rounds"][1]["added"] == 6
    full = project.inside("report", "--full").out
    assert "What written rows cost" in full and "Requests to servers" not in full


SEEN = """
from pathlib import Path

import harness


class Seen(harness.Verifier):
    name = "seen"

    def verify(self, row, context):
        with Path("seen.txt").open("a") as file:
            file.write(f"{context.arm} {row.id}\\n")
        return harness.Verification(True, "seen")


@harness.hookimpl
def register_verifiers():
    return [Seen]
"""


@pytest.mark.nightly
def test_real_rows_of_the_control_arm_are_nobodys_to_review(with_teacher, monkeypatch):
    monkeypatch.chdir(with_teacher.folder)
    (with_teacher.folder / "seen.py").write_text(SEEN)
    config = (with_teacher.folder / "harness.yaml").read_text()
    asked = "wait: 0, control: random, review: {plugin: seen}"
    with_teacher.write(
        config.replace("wait: 0", asked).replace("plugins: [", "plugins: [seen.py, ")
    )
    result = with_teacher.inside("iterate", "--json")
    assert result.code == 0, result.err
    seen = (with_teacher.folder / "seen.txt").read_text().splitlines()
    assert {line.split()[0] for line in seen} == {"main"}


def edited(project, config, file, text, *command):
    """Rows added in round 1 before and after a file is edited, and the names of both runs."""
    project.write(config)
    first = project.inside("iterate", "--rounds", "1", "--json")
    assert first.code == 0, first.err
    file.write_text(text)
    second = project.inside("iterate", "--rounds", "1", "--json", *command)
    assert second.code == 0, second.err
    return [each.document["rounds"][1]["added"] for each in (first, second)]


@pytest.mark.nightly
@pytest.mark.parametrize("command", [(), ("--as-new-run",)])
def test_rows_that_an_edited_verifier_refuses_are_not_taken_from_an_earlier_run(
    with_teacher, command
):
    mine = with_teacher.folder / "short.py"
    mine.write_text(VERIFIER)
    config = (with_teacher.folder / "harness.yaml").read_text()
    config = config.replace("{agree: 2}", "{plugin: short}").replace(
        "plugins: [", "plugins: [short.py, "
    )
    strict = VERIFIER.replace("len(row.references[0].split()) < 9", "False")
    assert edited(with_teacher, config, mine, strict, *command) == [6, 0]


@pytest.mark.nightly
def test_rows_are_judged_again_by_an_edited_rubric(with_teacher, server):
    def says(asked):
        if asked.body["model"] != "judge":
            return writes(asked)
        score = 1 if "Is nothing right?" in asked.user else 5
        return said(json.dumps({"evidence": "the words", "score": score}))

    server.says = says
    rubric = with_teacher.folder / "short.yaml"
    rubric.write_text(RUBRIC)
    config = (with_teacher.folder / "harness.yaml").read_text()
    judge = f"rubric: short.yaml, endpoint: '{server.url}', model: judge, wait: 0, tries: 1"
    config = config.replace("{agree: 2}", f"{{metric: judge, at_least: 0.5, {judge}}}")
    strict = RUBRIC.replace("Is the answer right?", "Is nothing right?")
    assert edited(with_teacher, config, rubric, strict) == [6, 0]


OF_A_FOLDER = (
    LOCAL.replace("import json\n", "import json\nfrom pathlib import Path\n")
    .replace(
        'name = "big"\n',
        'name = "big"\n\n    class Options(harness.Options):\n        path: Path\n',
    )
    .replace("str(context.output)", "str(self.options.path)")
    .replace('"d1"', "Path(self.options.path, 'weights').read_text()")
    .replace('f"alpha {', "Path(checkpoint.path, 'weights').read_text() + f\" {")
)


@pytest.mark.nightly
def test_rows_are_written_again_by_a_local_teacher_whose_files_have_changed(project):
    (project.folder / "big.py").write_text(OF_A_FOLDER)
    weights = project.folder / "larger" / "weights"
    weights.parent.mkdir()
    weights.write_text("alpha")
    local = "local: {source: big, path: larger}, generate: {plugin: writes}"
    config = CONFIG.replace(
        "[{plugin: fake, rows: 10}]", f"[{{plugin: teacher, rows: 6, {local}}}]"
    )
    config = config.replace("plugins: [", "plugins: [big.py, ")
    assert edited(project, config, weights, "beta") == [6, 6]
    sql = "SELECT count(*) AS n FROM added WHERE reference LIKE 'beta %'"
    assert project.inside("query", sql, "--json").document == [{"n": 6}]
