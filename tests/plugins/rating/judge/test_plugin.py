"""The metric ``judge``: scores, what is kept, and what stands beside the scores."""

from __future__ import annotations

import json
import signal
from collections import Counter

import pytest

import harness
from harness.scoring import MetricEntry, measure
from harness_rating.judge.plugin import JudgeMetric, ModelJudge
from harness_rating.rubric.file import find
from harness_testing import metric_rules
from tests.plugins.rating import material
from tests.support.waiting import LONG, threads_ended, until

TABLE = [f"answer {n} is {'good' if n % 2 else 'poor'}" for n in range(24)]


def good(rater, answers):
    return {"right": 5, "polite": True} if "good" in answers[0] else {"right": 1}


def rows(texts):
    return [
        (
            harness.Prediction(f"row-{n}", text),
            harness.Example(
                f"row-{n}", ({"role": "user", "content": f"question {n}?"},), ("r",),
                split="dev", group=f"g{n}",
            ),
        )
        for n, text in enumerate(texts)
    ]  # fmt: skip


def means(metric, pairs):
    found = measure(MetricEntry("judge", metric), pairs)
    return [one.values for one in found]


def test_scores_are_the_overall_one_and_one_for_each_criterion(server, metric, pairs):
    one = metric()
    assert one.score_names() == ("judge", "judge-right", "judge-polite")
    one.ready(pairs)
    good = {"judge": 1.0, "judge-right": 1.0, "judge-polite": 1.0}
    poor = {"judge": 0.0, "judge-right": 0.0}  # polite is asked only where right > 1
    assert means(one, pairs) == [poor, good] * 5
    asked = Counter(a.criterion for a in server.asked)
    assert asked == {"Right": 10, "Polite": 5}


def test_nothing_is_asked_while_measuring(server, metric, pairs):
    assert means(metric(), pairs) == [{}] * 10
    assert server.asked == []


def test_samples_are_distinct_and_their_mean_counts(server, metric, pairs, words):
    def wavering(asked):
        return words.judged(
            "yes" if asked.criterion == "Polite" else 2 + asked.body["seed"] // 1000
        )

    server.says = wavering
    one = metric(samples=3)
    one.ready(pairs[:1])
    seeds = Counter(a.body["seed"] for a in server.asked if "answer 0" in a.text())
    assert seeds == {1: 2, 1001: 2, 2001: 2}
    assert means(one, pairs[:1])[0]["judge-right"] == pytest.approx((0.25 + 0.5 + 0.75) / 3)
    # Of the pairs of samples none of right, all of polite.
    assert "two samples give the same value in 50 %" in one.remarks(pairs[:1])[0]


def test_cannot_judge_is_left_out(server, metric, pairs, words):
    server.says = lambda asked: words.judged(None if asked.criterion == "Polite" else 3)
    one = metric()
    one.ready(pairs[:1])
    assert means(one, pairs[:1]) == [{"judge": 0.5, "judge-right": 0.5}]


def test_what_cannot_be_read_is_an_error_and_no_score(server, metric, pairs, words):
    def garbled(asked):
        return words.said("5, I think") if "answer 3" in asked.text() else words.fair(asked)

    server.says = garbled
    one = metric(tries=2)
    one.ready(pairs)
    assert sum("answer 3" in a.text() for a in server.asked) == 2
    found = measure(MetricEntry("judge", one), pairs)
    assert found[3].statistics is None
    assert found[3].error.endswith(
        "ValueError: right: reply 1 of 1 cannot be read: there is no JSON object in it"
    )
    assert [m.values.get("judge") for m in found if not m.error] == [0, 1, 0, 0, 1, 0, 1, 0, 1]
    assert "1 of 14 judgements could not be read" in one.remarks(pairs)[0]

    server.asked = []
    metric(tries=2).ready(pairs)
    assert server.asked == []  # it is known that it cannot be read
    server.says = words.fair
    again = metric(tries=3)
    again.ready(pairs)
    assert [a.text() for a in server.asked if a.criterion == "Right"] == ["a good answer 3"]
    assert server.asked[0].body["seed"] == 3  # another draw than before
    assert means(again, pairs)[3]["judge"] == 1.0


def test_another_model_or_wording_is_asked_anew_and_another_address_is_not(
    server, metric, pairs, words, here
):
    metric().ready(pairs)
    for changed, many in (
        ({"endpoint": server.url + "/"}, 0), ({"model": "other"}, 15), ({"temperature": 0.1}, 15),
        ({"samples": 2}, 15), ({"timeout": 9, "tries": 5, "concurrency": 1}, 0),
    ):  # fmt: skip
        server.asked = []
        metric(**changed).ready(pairs)
        assert len(server.asked) == many, changed
    server.asked = []
    (here / "short.yaml").write_text(words.RUBRIC.replace("Is the answer right?", "Is it right?"))
    metric().ready(pairs)
    assert Counter(a.criterion for a in server.asked) == {"Right": 10}


def test_a_damaged_file_of_the_cache_is_asked_again(server, metric, pairs, here):
    metric().ready(pairs)
    first, *_ = sorted((here / ".harness" / "judge").rglob("*.json"))
    first.write_text("{")
    server.asked = []
    metric().ready(pairs)
    assert len(server.asked) == 1


def test_equal_answers_are_asked_for_once(server, metric, pairs):
    metric().ready([pairs[1]] * 8)
    assert Counter(a.text() for a in server.asked)["a good answer 1"] == 2  # two criteria


# -- beside the scores --------------------------------------------------------------------------


def test_without_people_it_is_uncalibrated(metric, pairs):
    one = metric()
    one.ready(pairs)
    assert one.remarks(pairs) == [
        "uncalibrated: raters and the judge have both rated 0 items, and 20 are needed."
    ]


def test_with_people_who_agree_it_is_calibrated(server, metric, rated, words):
    pairs = rows(TABLE)
    one = metric()
    one.ready(pairs)
    assert one.growing() == []
    rated(pairs, good)
    assert len(one.growing()) == 2
    first = one.remarks(pairs)[0]
    assert first.startswith("calibrated: weighted kappa with raters 1.00 on 24 items is above")
    assert " Bias: not significant" in first
    assert first.endswith("Weighted kappa by criterion: Right 1.00 (calibrated).")


def test_with_people_who_do_not_agree_it_is_uncalibrated(metric, rated, words):
    pairs = rows(TABLE)
    one = metric()
    one.ready(pairs)
    rated(
        pairs,
        lambda rater, answers: {"right": 2 + int(answers[0].split()[1]) % 4, "polite": True},
    )
    (first,) = one.remarks(pairs)
    assert first.startswith("uncalibrated: weighted kappa with raters ")
    assert "is not above the bar of 0.6. Bias: " in first


def test_a_judge_that_likes_long_answers_is_found_out(server, metric, rated, words):
    texts = [f"answer {n}" + " and so on" * (n % 6) for n in range(30)]

    def likes_length(asked):
        return words.judged(min(5, 1 + len(asked.text().split()) // 3))

    server.says = likes_length
    pairs = rows(texts)
    one = metric(rubric=one_criterion(metric))
    one.ready(pairs)
    rated(pairs, lambda rater, answers: {"right": 2}, rubric="one.yaml")
    first = one.remarks(pairs)[0]
    assert "favours longer answers" in first
    assert "Bias: the judge scores higher than raters" in first


def one_criterion(metric):
    path = metric().options.rubric.with_name("one.yaml")
    text = metric().options.rubric.read_text()
    head, tail = text.split("  - id: polite")
    path.write_text(head.replace("id: short", "id: one") + "judge:" + tail.split("judge:")[1])
    return path


# -- options and the kit ------------------------------------------------------------------------


@pytest.mark.nightly(but_each=3)
@pytest.mark.parametrize("kind", [JudgeMetric, ModelJudge])
@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"endpoint": ""}, "either endpoint or local"),
        ({"local": "m"}, "either endpoint or local"),
        ({"model": ""}, "an endpoint needs model"),
        ({"endpoint": "127.0.0.1:8000"}, "endpoint takes a URL"),
        ({"endpoint": "ftp://a/v1"}, "endpoint takes a URL"),
        ({"endpoint": "http://[::1/v1"}, "endpoint takes a URL"),
        ({"endpoint": "https://me:sk-live-1@api/v1"}, "a key comes from the environment"),
        ({"endpoint": "https://api/v1?key=sk-live-1"}, "a key comes from the environment"),
        ({"key": "sk-live-1"}, "never the key itself"),
        ({"key": "sk_live_1"}, "never the key itself"),
        ({"key": "AKIA4LIVE567890ABCDE"}, "never the key itself"),
    ],
)
def test_options_that_cannot_be_meant(kind, options, changed, what):
    given = {**options, **changed}
    if kind is ModelJudge:
        del given["rubric"]
    with pytest.raises(ValueError, match=what) as caught:
        kind(kind.Options(**given))
    assert "live" not in str(caught.value).lower()


def test_a_config_with_a_key_in_it_is_refused_and_the_key_not_shown(project, here, options):
    project.write(
        (project.folder / "harness.yaml").read_text().replace(
            "metrics: [{plugin: overlap}]",
            "metrics: [{plugin: overlap}, {plugin: judge, rubric: short.yaml, model: m, "
            f"endpoint: '{options['endpoint']}', key: sk-live-0123456789}}]",
        )
    )  # fmt: skip
    done = project.inside("check")
    assert done.code == 2
    assert "never the key itself" in done.err
    assert "sk-live" not in done.err + done.out


def test_a_rubric_of_pairs_gives_no_score(metric, here):
    with pytest.raises(harness.ConfigError, match="compares two answers"):
        metric(rubric=here / "pairs.yaml").score_names()


def test_the_signature_names_the_model_and_no_address(server, metric):
    words = metric().signature().split("|")
    assert words[:3] == ["judge", "id:short", "version:1"]
    assert [word.split(":")[0] for word in words[3:5]] == ["scoring", "instructions"]
    assert words[5:] == [
        "rev:1", "model:tester", "samples:1", "temperature:0.7", "max_tokens:512", "tries:3",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [
        ("judge: {", "judge: {instructions: Be strict., "),
        ("    title: Right\n", "    title: Right\n    weight: 2\n"),
    ],
)
def test_the_signature_knows_what_changes_a_prompt_or_a_score(metric, here, change):
    first = metric().signature()
    assert metric(max_tokens=64).signature() != first
    text = (here / "short.yaml").read_text()
    (here / "short.yaml").write_text(text.replace(*change))
    assert metric().signature() != first


@pytest.mark.nightly(but_each=20)
@pytest.mark.filterwarnings("ignore")
# Nothing has a score before it was asked for.
@pytest.mark.parametrize("rule", [r for r in metric_rules() if r.id != "measure"], ids=str)
def test_it_obeys_the_rules_of_its_stage(rule, options):
    rule.check(JudgeMetric, {**options, "rubric": find("everyday")})


# -- in a run -----------------------------------------------------------------------------------

ONE = """\
schema: harness.rubric/1
id: one
version: 1
title: One
instructions: Judge.
criteria:
  - id: right
    title: Right
    question: Is it right?
    scale: {kind: ordinal, min: 1, max: 5, anchors: {1: wrong, 5: right}}
judge: {samples: 1, items: 20}
"""


@pytest.fixture
def experiment(project, here, server, words):
    text = (project.folder / "harness.yaml").read_text()
    text = text.replace("data: {source: fake}", "data: {source: fake, dev: 24, test: 24}")
    project.write(
        text.replace(
            "metrics: [{plugin: overlap}]",
            f"metrics: [{{plugin: overlap}}, {{plugin: judge, rubric: one.yaml, model: m, wait: 0, "
            f"tries: 1, timeout: 600, concurrency: 8, endpoint: '{server.url}'}}]",
        )
    )
    project.write(ONE, "one.yaml")
    server.says = lambda asked: words.judged(1 if "hm" in asked.text() else 5)
    return project


@pytest.mark.nightly
def test_a_run_stops_with_one_message_and_goes_on(experiment, server, words):
    calls = []

    def failing(asked):
        calls.append(asked)
        if len(calls) > 20:
            return words.Answer(500, f"{words.SECRET} is your key".encode())
        return words.judged(1 if "hm" in asked.text() else 5)

    good, server.says = server.says, failing
    with threads_ended():
        stopped = experiment.inside(
            "iterate", "--rounds", "1", "--json", OPENAI_API_KEY=words.SECRET
        )
    assert (stopped.code, stopped.out) == (3, "")
    assert "could not be judged" in stopped.err
    assert "the same command asks only for the missing" in stopped.err
    server.says, server.asked = good, []
    done = experiment.inside("iterate", "--rounds", "1", "--json", OPENAI_API_KEY=words.SECRET)
    assert done.code == 0, done.err
    assert len({(a.system, a.user) for a in server.asked}) == len(server.asked)
    scores = done.document["rounds"][1]["scores"]
    assert 0 <= scores["judge"]["value"] <= 1
    assert scores["judge"]["n"] == 24
    notes = " ".join(done.document["notes"])
    assert "judge: uncalibrated: raters and the judge have both rated 0 items" in notes
    files = [path for path in experiment.folder.rglob("*") if path.is_file()]
    assert not [p for p in files if words.SECRET.encode() in p.read_bytes()]
    asked = len(server.asked)
    assert experiment.inside("iterate", "--rounds", "1", "--json").code == 0
    assert len(server.asked) == asked


def test_ctrl_c_stops_a_run_that_asks(experiment, server, words, here):
    def slow_later(asked):
        answer = words.judged(3)
        answer.slow = 600.0 if len(server.asked) > 12 else 0.0
        return answer

    server.says = slow_later
    process = experiment.start("iterate", "--rounds", "1", OPENAI_API_KEY=words.SECRET)
    kept = here / ".harness" / "judge"
    until(lambda: len(list(kept.rglob("*.json"))) >= 12, "the twelfth answer")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=LONG)  # it waits for no request
    assert (process.returncode, out) == (130, "")
    assert "stopped; finished work is saved" in err
    assert len(list(kept.rglob("*.json"))) >= 12


def test_harness_score_asks_too(experiment, server, words):
    for name, value in (("p", "fine words"), ("r", "good words")):
        lines = [{"id": str(n), "text": f"{value} {n}", "prompt": f"say {n}"} for n in range(4)]
        experiment.write("\n".join(map(json.dumps, lines)) + "\n", f"{name}.jsonl")
    arguments = [
        "score", "-p", "p.jsonl", "-r", "r.jsonl", "-m", "judge", "-o", "judge.rubric=one.yaml",
        "-o", f"judge.endpoint={server.url}", "-o", "judge.model=m", "-o", "judge.wait=0",
        "-o", "judge.tries=1", "--json",
    ]  # fmt: skip
    done = experiment.inside(*arguments)
    assert done.code == 0, done.err
    assert done.document["metrics"]["judge"]["value"] == 1.0
    assert any("uncalibrated" in line for line in done.document["remarks"])
    server.says = lambda asked: words.Answer(404)
    arguments[arguments.index("judge.model=m")] = "judge.model=gone"
    gone = experiment.inside(*arguments)
    assert gone.code == 3
    assert "there is no such model or address" in gone.err


def test_without_its_rubric_everything_else_is_told(experiment):
    (experiment.folder / "one.yaml").unlink()
    done = experiment.inside("check")
    assert done.code == 2
    assert "one.yaml" in done.err


@pytest.mark.nightly
def test_the_report_follows_what_people_say_later(experiment, server, words, here, monkeypatch):

    def worth(text):
        return 5 - text.count("hm") % 5

    server.says = lambda asked: words.judged(worth(asked.text()))
    done = experiment.inside("iterate", "--rounds", "1", "--json", OPENAI_API_KEY=words.SECRET)
    assert done.code == 0, done.err
    name, asked = done.document["run"], len(server.asked)
    summary = experiment.folder / "reports" / name / "summary.json"
    before = summary.read_bytes()
    assert {one["scores"]["judge-right"]["caveat"] for one in done.document["rounds"]} == {
        "uncalibrated"
    }
    assert "judge (uncalibrated)" in experiment.inside("report", "--full").out
    monkeypatch.chdir(experiment.folder)
    batch = material.batch_of_run(name, experiment.folder / "one.yaml", (1, 0), n=24)
    items = batch.by_id
    said = material.rate(batch, "ana", lambda item: {"right": worth(items[item].answers[0])})
    assert len({one.value for one in said}) > 1
    shown = experiment.inside("report", "--json")
    assert "it is made again" in shown.err and "warning" not in shown.err
    scores = [one["scores"]["judge"] for one in shown.document["rounds"]]
    assert [one["caveat"] for one in scores] == ["", ""]
    heads = [note for note in shown.document["notes"] if ": score: judge: calibrated: " in note]
    assert [note.split(":")[0] for note in heads] == ["round 0", "round 1"]
    assert not any("uncalibrated: raters" in note for note in shown.document["notes"])
    assert "uncalibrated" not in experiment.inside("report", "--full").out
    assert summary.read_bytes() == before
    assert len(server.asked) == asked


def test_it_is_calibrated_by_what_people_say_and_by_nothing_else(server, metric, rated):
    one, pairs = metric(), rows(TABLE)
    assert one.caveat() == "uncalibrated"
    rated(pairs, good)
    assert one.caveat() == "uncalibrated"  # nothing was asked yet
    one.ready(pairs)
    asked = len(server.asked)
    assert one.caveat() == "" == metric().caveat()
    assert len(server.asked) == asked


def test_a_sample_of_errors_calibrates_nothing(server, metric, rated):
    one, pairs = metric(), rows(TABLE)
    rated(pairs, good, strategy="worst")
    one.ready(pairs)
    assert one.caveat() == "uncalibrated"


def test_people_who_disagree_take_it_back(server, metric, rated):
    one, pairs = metric(), rows(TABLE)
    one.ready(pairs)
    rated(pairs, good)
    assert one.caveat() == ""
    rated(pairs, lambda rater, answers: {"right": 3, "polite": True}, raters=("bo", "cy", "di"))
    assert one.caveat() == "uncalibrated"
