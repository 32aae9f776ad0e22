"""``harness rate judge``: a batch judged, kept, and held against the raters who rated it."""

from __future__ import annotations

import json
import signal
import uuid

import pytest

from harness_rating.batches.records import FOLDER, Event
from harness_rating.ratings import events
from tests.support.waiting import LONG, until


def prefers(word, asked, words):
    """The answer that has the word; else what is shown first."""
    a, b = (word in asked.text(f"answer {side}") for side in "AB")
    return words.judged("A" if a or not b else "B")


@pytest.fixture
def command(project, server):
    """``command(*more)``: the command with the options that reach the server."""

    def run(*more, **environment):
        return project.inside(
            "rate", "judge", "--set", f"endpoint={server.url}", "--set", "model=tester",
            "--set", "wait=0", "--set", "tries=1", "--set", "timeout=240", *more, **environment,
        )  # fmt: skip

    return run


def good(rater, answers):
    return {"right": 5, "polite": True} if "good" in answers[0] else {"right": 1}


def middling(rater, answers):
    return {"right": 3, "polite": True} if rater == "bo" else good(rater, answers)


def many(pairs, count):
    import dataclasses

    found = []
    for place in range(count):
        answer, row = pairs[place % 10]
        name = f"row-{place}"
        turns = ({"role": "user", "content": f"question {place}?"},)
        found.append(
            (
                dataclasses.replace(answer, example_id=name, text=f"{answer.text} of {place}"),
                dataclasses.replace(row, id=name, messages=turns, group=f"g{place}"),
            )
        )
    return found


def test_a_batch_is_judged_and_calibrated(command, rated, pairs, server, words, here):
    batch = rated(many(pairs, 30), good, raters=("ana", "bo"))
    done = command("--json")
    assert done.code == 0, done.err
    document = done.document
    assert document["schema"] == "harness.judged/1"
    assert (document["items"], document["judged"]) == (30, 30)
    assert document["calibration"]["calibrated"] is True
    assert document["calibration"]["overall"]["kappa"]["value"] == pytest.approx(1.0)
    asking = "model:tester|samples:rubric|temperature:0.7|max_tokens:512|tries:1"
    assert document["by"] == f"judge|rev:1|{asking}"
    assert len(server.asked) == 30 + 15  # right, polite of the good ones

    server.asked = []
    again = command(batch.name)
    assert server.asked == []
    assert again.out.startswith("calibrated: weighted kappa with raters 1.00 on 30 items")
    files = [path for path in here.rglob("*") if path.is_file()]
    assert not [path for path in files if words.SECRET.encode() in path.read_bytes()]


def test_what_a_judge_says_is_kept_apart_from_people(command, rated, pairs, words):
    batch = rated(pairs, good)
    folder = FOLDER / batch.name
    before = {path: path.read_bytes() for path in (folder / "events").iterdir()}
    shown = (folder / "items.json").read_bytes()
    assert command().code == 0
    assert {path: path.read_bytes() for path in (folder / "events").iterdir()} == before
    assert (folder / "items.json").read_bytes() == shown
    lines = [
        json.loads(line)["judgement"]
        for line in (folder / "judges" / "judge.jsonl").read_text().splitlines()
    ]
    assert len({(line["item"], line["criterion"]) for line in lines}) == len(lines) == 10 + 5
    first = next(line for line in lines if line["criterion"] == "right")
    assert first["evidence"] == "It says so."
    assert first["samples"] == [first["value"]]


def test_only_what_is_missing_is_asked_again_and_what_is_there_is_kept(
    command, rated, pairs, server, words
):
    rated(pairs, good)
    server.says = lambda asked: (
        words.Answer(503) if "answer 3" in asked.text() else words.fair(asked)
    )
    failed = command()
    assert failed.code == 3
    assert "1 of 10 answers could not be judged: 1 x 503" in failed.err
    server.says, server.asked = words.fair, []
    assert command().code == 0
    assert [(a.criterion, a.text()) for a in server.asked] == [
        ("Right", "a good answer 3"), ("Polite", "a good answer 3"),
    ]  # fmt: skip


@pytest.mark.nightly
def test_another_model_is_asked_anew_and_kept_beside(command, rated, pairs, server, words):
    rated(pairs, good)
    command()
    server.says, server.asked = (
        (lambda asked: words.judged("no" if asked.criterion == "Polite" else 3)),
        [],
    )
    other = command("--set", "model=other", "--json").document
    assert len(server.asked) == 10 + 10  # right, polite
    assert other["calibration"]["overall"]["kappa"]["value"] < 0.5
    server.asked = []
    mine = command("--json").document
    assert server.asked == []
    assert mine["calibration"]["overall"]["kappa"]["value"] == pytest.approx(1.0)


@pytest.mark.nightly
def test_what_was_settled_stands_for_all_raters(command, rated, pairs):
    batch = rated(many(pairs, 24), middling, raters=("ana", "bo"))
    before = command("--json").document["calibration"]["overall"]["kappa"]["value"]
    assert before < 0.9
    log = events.Events(FOLDER / batch.name, "settled-cy")
    for item in batch.items:
        for criterion, said in good("cy", item.answers).items():
            name = uuid.uuid4().hex
            log.append(Event(name, "settled-cy", item.id, criterion, "set", said, events.now()))
    after = command("--json").document["calibration"]["overall"]["kappa"]["value"]
    assert after == pytest.approx(1.0)


def test_pairs_are_asked_in_both_orders_and_turned_back(command, rated, pairs, server, words):
    rated(
        many(pairs, 24), lambda rater, answers: {"better": "A" if "later" in answers[0] else "B"},
        rubric="pairs.yaml", rounds=2,
    )  # fmt: skip
    server.says = lambda asked: prefers("later", asked, words)
    document = command("--json").document
    assert document["calibration"]["calibrated"] is True
    whole = document["calibration"]["overall"]
    assert (whole["title"], whole["position"]["value"]) == ("Better", 1.0)
    of_one = [a for a in server.asked if "question 7?" in a.user]
    shown = {(a.text("answer A"), a.text("answer B")) for a in of_one}
    assert len(of_one) == 2 + 0
    assert {tuple(reversed(pair)) for pair in shown} == shown


def test_a_judge_that_takes_the_first_is_found_out(command, rated, pairs, server, words):
    rated(
        many(pairs, 24), lambda rater, answers: {"better": "A" if "later" in answers[0] else "B"},
        rubric="pairs.yaml", rounds=2,
    )  # fmt: skip
    server.says = lambda asked: words.judged("A")
    done = command("--json")
    calibration = done.document["calibration"]
    assert calibration["overall"]["position"]["value"] == 0.0
    assert calibration["calibrated"] is False
    assert "Position: the judge prefers the same answer in both orders in 0 %" in " ".join(
        calibration["sentences"]
    )
    lines = FOLDER / done.document["batch"] / "judges" / "judge.jsonl"
    first = json.loads(lines.read_text().splitlines()[0])["judgement"]
    assert (first["value"], first["samples"]) == ("tie", ["A", "B"])


@pytest.mark.nightly
def test_what_the_judge_prefers_stands_under_its_label_and_is_no_verdict(
    command, rated, pairs, server, words
):
    rated(
        many(pairs, 24), lambda rater, answers: {"better": "B" if "later" in answers[0] else "A"},
        rubric="pairs.yaml", rounds=2,
    )  # fmt: skip
    server.says = lambda asked: prefers("later", asked, words)
    outcome = command("--json").document["outcome"]
    (comparison,) = outcome["comparisons"]
    assert outcome["label"].startswith("uncalibrated: ") and outcome["calibrated"] is False
    assert (comparison["round"], comparison["against"]) == (1, 0)
    assert (comparison["wins"], comparison["ties"], comparison["losses"], comparison["n"]) == (
        24,
        0,
        0,
        24,
    )
    assert comparison["win_rate"]["value"] == 1.0 and outcome["scores"] == []
    assert not {"label", "low", "high", "level", "sentence"} & comparison.keys()
    shown = command(COLUMNS="80").out
    assert "\nWhat the judge prefers (uncalibrated)\n" in shown
    assert "1 vs 0" in shown and "24/0/0" in shown and "1.00 [0." in shown
    assert "preferences and no verdict" in shown and "improved" not in shown


def test_what_the_judge_gives_to_answers_one_by_one(command, rated, pairs):
    rated(many(pairs, 30), good, raters=("ana", "bo"))
    document = command("--json").document
    assert document["outcome"]["label"] == document["calibration"]["label"]
    assert document["outcome"]["calibrated"] is True and document["outcome"]["comparisons"] == []
    whole = document["outcome"]["scores"][0]
    # Of ten answers five are good: 5 and polite is 1, and 1 of 1 to 5 is 0.
    assert (whole["criterion"], whole["value"], whole["n"]) == ("", 0.5, 30)
    assert "\nWhat the judge gives (calibrated)\n" in command().out


def test_what_could_not_be_read_counts_in_no_outcome(command, rated, pairs, server, words):
    rated(pairs, good)
    server.says = lambda asked: (
        words.said("well") if "answer 3" in asked.text() else words.fair(asked)
    )
    whole = command("--json").document["outcome"]["scores"][0]
    assert (whole["n"], whole["unrated"]) == (9, 1)


def test_a_batch_for_finding_errors_says_so(command, rated, pairs):
    rated(pairs, good, strategy="worst")
    assert "drawn for finding errors (worst)" in command().out


def test_unreadable_replies_are_told(command, rated, pairs, server, words):
    rated(pairs, good)
    server.says = lambda asked: (
        words.said("well") if "answer 3" in asked.text() else words.fair(asked)
    )
    done = command()
    assert done.code == 0
    assert "1 of 14 judgements could not be read, and have no value." in done.out


@pytest.mark.nightly(but_each=6)
@pytest.mark.parametrize(
    ("more", "what"),
    [
        (("--set", "modle=x"), "modle: unknown key, did you mean 'model'?"),
        (("--set", "tries=0"), "tries: input should be greater than or equal to 1, not 0"),
        (("--set", "sk-live-1"), "--set takes KEY=VALUE"),
        (("--set", "key=sk-live-1"), "never the key itself"),
        (("--judge", "jugde"), "no judge is called 'jugde', did you mean 'judge'?"),
        (("no-batch",), "there is no batch 'no-batch'"),
    ],
)
def test_a_wrong_command_line_is_told(command, rated, pairs, more, what, server):
    rated(pairs, good)
    done = command(*more)
    assert done.code == 2
    assert what in done.err
    assert "sk-live" not in done.err
    assert server.asked == []


@pytest.mark.nightly
def test_ctrl_c_keeps_what_is_there(project, rated, pairs, server, words):
    batch = rated(pairs, good)

    def slow_later(asked):
        answer = words.fair(asked)
        answer.slow = 600.0 if len(server.asked) > 8 else 0.0
        return answer

    server.says = slow_later
    process = project.start(
        "rate", "judge", "--set", f"endpoint={server.url}", "--set", "model=tester",
        "--set", "concurrency=2", "--set", "timeout=600", OPENAI_API_KEY=words.SECRET,
    )  # fmt: skip
    lines = FOLDER / batch.name / "judges" / "judge.jsonl"
    until(lambda: lines.exists() and len(lines.read_bytes().splitlines()) >= 8, "the eighth answer")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=LONG)  # it waits for no request
    assert (process.returncode, out) == (130, "")
    assert "stopped; what is judged is kept" in err
    assert len(lines.read_bytes().splitlines()) >= 8
    assert words.SECRET not in err


MINE = """\
import harness
from harness import Judgement


class Mine(harness.Judge):
    '''Likes all.'''

    name = "mine"

    def rate(self, rubric, items, context):
        for done, item in enumerate(items, 1):
            context.progress(done, len(items), "items")
            print("noise")
            yield Judgement(item.id, "right", 5)
            yield Judgement(item.id, "polite", True)


@harness.hookimpl
def register_judges():
    return [Mine]
"""


def test_a_judge_of_another_team_is_used_by_name(project, rated, pairs):
    project.write(MINE, "mine.py")
    rated(pairs, good)
    done = project.inside("rate", "judge", "--judge", "mine", "--plugin", "mine.py", "--json")
    assert done.code == 0, done.err
    assert done.document["by"] == "mine|rev:1"
    assert done.document["calibration"]["overall"]["bias"]["value"] == pytest.approx(0.5)
    assert "noise" not in done.out
