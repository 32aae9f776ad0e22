"""Rows that a teacher writes: what it is shown, what is verified, what is kept with a row."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import replace

import pytest

import harness
from harness import Condition, Dataset, Example, PlanItem, Slice
from harness.config import loading
from harness.data.filters import RowGate
from harness.kit import yaml_file
from harness.kit.remote.options import ServerOptions
from harness_teacher import Teacher, verifying
from tests.support.chat_server import SECRET, Server, said
from tests.support.rubric import RUBRIC

SLICE = Slice((Condition("kind", "=", "sum"),), 9, 9, 0.1, 0.2, 0.1, 0.3, 0.01)
ITEM = PlanItem(SLICE, 6, "have rows written", errors={"wrong-number": 7})


def row(number, split="train", kind="sum", **fields):
    turns = (
        {"role": "system", "content": "Add."},
        {"role": "user", "content": f"{number} + {number + 1}"},
    )
    answer = (str(2 * number + 1),)
    return Example(
        f"{split}-{number}", turns, answer, split, f"g{number}", {"kind": kind}, **fields
    )


TRAIN = tuple(row(number, kind="sum" if number % 2 else "product") for number in range(20))
POOL = tuple(row(number, "pool") for number in range(100, 140))
DATA = Dataset((*TRAIN, *POOL))


def right(prompt):
    one, other = prompt.split(" + ")
    return str(int(one) + int(other))


class Oracle:
    """Writes sums; so many of a hundred answers are wrong, each time another."""

    def __init__(self, wrong=0):
        self.wrong, self.draw = wrong, random.Random(3)
        self.number = 1000

    def __call__(self, asked):
        if "JSON array of objects" in asked.user:
            count = int(asked.user.split("Write ")[1].split()[0])
            rows = []
            for _ in range(count):
                self.number += 7
                prompt = f"{self.number} + {self.number * 3}"
                rows.append({"prompt": prompt, "answer": self.answer(prompt)})
            text = json.dumps(rows)
        elif "JSON array of texts" in asked.user:
            prompt = json.loads(asked.user.split("The row:\n")[1].split("\n\n")[0])["prompt"]
            one, other = prompt.split(" + ")
            text = json.dumps([f"{other} + {one}"])
        else:
            text = self.answer(asked.user)
        usage = {"prompt_tokens": 80, "completion_tokens": 20}
        return said(text, usage=usage, model="big-2026")

    def answer(self, prompt):
        if self.draw.random() * 100 < self.wrong:
            return str(self.draw.randrange(10**6, 2 * 10**6))
        return right(prompt)


@pytest.fixture
def server(tmp_path, monkeypatch) -> Iterator[Server]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    made = Server(Oracle())
    yield made
    made.close()


@pytest.fixture
def propose(server):
    def proposed(item=ITEM, data=DATA, context=None, **options):
        made = {"endpoint": server.url, "model": "big", "wait": 0, **options}
        teacher = Teacher(Teacher.Options(**made))
        context = context or harness.Context(None, seed=1)
        return list(teacher.propose(item, data, context)), context

    return proposed


def test_new_rows_look_like_those_of_the_slice(server, propose):
    rows, _ = propose()
    assert len(rows) >= 6 and len({one.id for one in rows}) == len(rows)
    originals = {one.id: one for one in TRAIN}
    for one in rows:
        parent = originals[one.parent]
        assert parent.meta["kind"] == "sum" and one.meta == {"kind": "sum"}
        assert one.messages[0] == parent.messages[0]
        assert one.references == (right(one.prompt),)
        assert one.group == ""
    asked = server.asked[0]
    assert "kind = sum" in asked.user and "wrong-number (7)" in asked.user
    assert asked.body["temperature"] == 0.8


def test_how_a_row_was_made_stays_with_it(propose):
    rows, _ = propose(verify=[{"agree": 3}], price={"in": 1, "out": 2})
    origin = rows[0].origin
    assert origin["teacher"] == "big-2026" and origin["mode"] == "write"
    assert origin["verified"] == {"agree 3": "3 of 3"}
    # Its share of the reply that holds it, and the two further answers.
    assert origin["tokens"] == 25 + 2 * 100
    assert origin["money"] == pytest.approx((80 + 40) / 1e6 * (1 / 4 + 2))
    assert set(origin["shown"]) <= {one.id for one in TRAIN}
    assert SECRET not in json.dumps(origin)


@pytest.mark.nightly(but_each=3)
@pytest.mark.parametrize(("wrong", "kept"), [(0.1, 0.97), (0.2, 0.93), (0.4, 0.80)])
def test_agreement_keeps_independent_errors_out(wrong, kept):
    """Of three answers, each wrong with this probability, a wrong one being one of twenty."""
    draw = random.Random(3)

    def answered():
        return f"wrong {draw.randrange(20)}" if draw.random() < wrong else "right"

    counts = {"right": [0, 0], "wrong": [0, 0]}
    for _ in range(20_000):
        answers = [answered() for _ in range(3)]
        taken, _ = verifying.agreed(answers)
        fine = answers[0] == "right"
        counts["right" if fine else "wrong"][0] += 1
        counts["right" if fine else "wrong"][1] += (
            taken == "right" if fine else taken in (None, "right")
        )
    assert counts["right"][1] / counts["right"][0] >= kept
    assert counts["wrong"][1] / counts["wrong"][0] >= 0.9


def test_agreement_sees_no_error_that_is_made_each_time():
    assert verifying.agreed(["wrong"] * 3) == ("wrong", "3 of 3")


def test_wrong_rows_are_put_right_or_left_out(server, propose):
    server.says = Oracle(30)
    rows, context = propose(PlanItem(SLICE, 30, ""), verify=[{"agree": 3}], per_request=10)
    wrong = sum(one.references != (right(one.prompt),) for one in rows)
    assert rows and wrong / len(rows) < 0.1
    assert context.refused["verify: agree 3"] > 0


def test_prompts_of_the_pool_get_answers(propose):
    unlabelled = tuple(harness.from_json(Example, {**harness.to_json(one), "references": []})
                       for one in POOL)  # fmt: skip
    rows, _ = propose(data=Dataset((*TRAIN, *unlabelled)), mode="answer", verify=[{"agree": 2}])
    assert rows and {one.parent for one in rows} <= {one.id for one in POOL}
    assert all(one.references == (right(one.prompt),) for one in rows)
    gate = RowGate((), TRAIN, unlabelled)
    assert {gate.refuse(one) for one in rows} == {None}
    grown = tuple(replace(one, split="train") for one in rows)
    again, _ = propose(data=Dataset((*TRAIN, *grown, *unlabelled)), mode="answer")
    assert not {one.parent for one in rows} & {one.parent for one in again}


def test_a_rewording_keeps_its_answer(propose):
    rows, _ = propose(mode="reword", verify=[{"agree": 3}])
    originals = {one.id: one for one in TRAIN}
    assert rows
    for one in rows:
        parent = originals[one.parent]
        assert one.references == parent.references and one.prompt != parent.prompt
        assert one.meta == parent.meta


def test_what_does_not_pass_is_counted_by_reason(server, propose):
    server.says = Oracle(100)
    rows, context = propose(verify=[{"agree": 3}], per_request=3)
    assert not rows and set(context.refused) == {"verify: agree 3"}
    server.says = Oracle()
    rows, context = propose(verify=[{"form": "json"}], model="other")
    assert rows and rows[0].origin["verified"] == {"form json": "JSON"}
    rows, context = propose(
        verify=[{"metric": "length", "at_least": 101}], item=PlanItem(None, 2, ""), model="third"
    )
    assert not rows and set(context.refused) == {"verify: metric length"}


def test_where_no_reply_can_be_used_it_ends_with_the_first_ones_words(server, propose):
    server.says = lambda asked: said("I would rather not.\n\x1b[31mNo.")
    with pytest.raises(harness.EnvironmentFailure, match="one begins: I would rather") as end:
        propose(tries=2)
    assert "\x1b" not in str(end.value) and ".harness/replies" in end.value.hint
    assert len(server.asked) == 4 * 2  # two batches, each request tried twice


def test_replies_that_cannot_be_used_are_counted_beside_others(server, propose):
    oracle, turns = Oracle(), iter(range(10**6))
    server.says = lambda asked: said("No.") if next(turns) % 2 else oracle(asked)
    rows, context = propose(PlanItem(SLICE, 12, ""), per_request=1, tries=1)
    assert rows and context.refused["teacher: a reply that cannot be used"] > 2


@pytest.mark.parametrize(("text", "finish"), [("half an ans", "length"), (" ", "stop")])
def test_an_answer_that_is_not_whole_is_none(server, propose, text, finish):
    choice = {"message": {"content": text}, "finish_reason": finish}
    server.says = lambda asked: said("", choices=[choice])
    with pytest.raises(harness.EnvironmentFailure, match="can be used"):
        propose(mode="answer", tries=1)
    assert verifying.agreed(["4", "", ""]) == (None, "2 of 3")


def test_an_answer_in_json_stays_as_it_is_written(server, propose):
    server.says = lambda asked: said('[{"prompt": "wo", "answer": {"ort": "Köln"}}]')
    rows, _ = propose(PlanItem(None, 1, ""))
    assert rows[0].references == ('{"ort": "Köln"}',)


def test_a_slice_of_one_row_gets_as_many_rows_as_are_wanted(propose):
    data = Dataset((row(1), *(row(number, kind="product") for number in (2, 4, 6))))
    rows, _ = propose(PlanItem(SLICE, 20, ""), data)
    assert len({one.prompt for one in rows}) >= 20


def test_a_slice_without_a_row_of_train_gets_rows(propose):
    data = Dataset(tuple(row(number, kind="product") for number in range(6)))
    rows, context = propose(data=data)
    assert rows and {one.meta["kind"] for one in rows} == {"sum"} and not context.refused


def test_rows_of_one_request_have_the_same_instructions(server, propose):
    def with_system(number):
        turns = ({"role": "system", "content": f"Text {number % 2}."}, *row(number).messages[1:])
        return replace(row(number), messages=turns, thought=f"thought {number}")

    train = tuple(map(with_system, range(10)))
    rows, _ = propose(data=Dataset(train))
    systems = {one.id: one.messages[0]["content"] for one in train}
    for one in rows:
        assert {systems[name] for name in one.origin["shown"]} == {one.messages[0]["content"]}
        assert one.thought == ""
    assert all(("Text 0." in asked.user) != ("Text 1." in asked.user) for asked in server.asked)


def test_two_entries_of_one_name_are_both_passed(propose):
    entries = [{"metric": "length", "at_least": 101}, {"metric": "length", "at_least": 0}]
    rows, context = propose(PlanItem(None, 2, ""), verify=entries)
    assert not rows and set(context.refused) == {"verify: metric length"}
    rows, context = propose(PlanItem(None, 2, ""), verify=entries[::-1])
    assert not rows and set(context.refused) == {"verify: metric length (2)"}


def test_metrics_see_the_answer_that_was_agreed_on(server, propose):
    written = json.dumps([{"prompt": "2 + 2", "answer": "4"}])
    server.says = lambda asked: said(written if "JSON array" in asked.user else "four")
    entries = [{"form": "json"}, {"agree": 3}]
    rows, context = propose(PlanItem(None, 1, ""), verify=entries, per_request=1, tries=1)
    assert not rows and set(context.refused) == {"verify: form json"}


@pytest.mark.nightly(but_each=3)
@pytest.mark.parametrize(
    ("reply", "refused"),
    [
        ('{"evidence": "the sum", "score": 5}', set()),
        ('{"evidence": "no sum", "score": 1}', {"verify: metric judge"}),
        ("Good.", {"verify: metric judge, not scored"}),
    ],
)
def test_a_judge_decides_what_passes(server, propose, tmp_path, reply, refused):
    (tmp_path / "short.yaml").write_text(RUBRIC)
    oracle, asked = Oracle(), []

    def says(request):
        if request.body["model"] != "judge":
            return oracle(request)
        asked.append(request.user)
        return said(reply)

    server.says = says
    entry = {"metric": "judge", "at_least": 0.5, "rubric": str(tmp_path / "short.yaml"),
             "endpoint": server.url, "model": "judge", "wait": 0, "tries": 1}  # fmt: skip
    rows, context = propose(PlanItem(SLICE, 1, ""), verify=[entry])
    assert bool(rows) == (not refused) and set(context.refused) == refused
    assert asked and not any("reference" in text.casefold() for text in asked)


@pytest.mark.parametrize("name", ["exact", "json", "chrf"])
def test_no_answer_is_compared_with_itself(propose, name):
    entry = {"metric": name, "at_least": 0}
    rows, context = propose(PlanItem(None, 2, ""), verify=[entry])
    assert not rows and set(context.refused) == {f"verify: metric {name}, not scored"}


@pytest.mark.parametrize(
    "reply",
    ["[", "[]", "[1]", '[{"prompt": "a"}]', '[{"prompt": " ", "answer": "b"}]', "[" * 100_000,
     '[{"prompt": "a", "answer": "b", "more": 1}]', '{"prompt": "a", "answer": "b"}'],
)  # fmt: skip
def test_garbage_proposes_nothing(server, propose, reply):
    server.says = lambda asked: said(reply)
    with pytest.raises(harness.EnvironmentFailure, match="none of its 3 replies can be used"):
        propose(tries=1, item=PlanItem(None, 1, ""))


def test_without_rows_to_show_nothing_is_asked(server, propose):
    turns = ({"role": "user", "content": "a"}, {"role": "assistant", "content": "b"},
             {"role": "user", "content": "c"})  # fmt: skip
    with pytest.raises(harness.DataError, match="train has no row"):
        propose(data=Dataset((Example("x", turns, ("d",)),)))
    assert not server.asked


def test_the_same_call_proposes_the_same_rows(server, propose):
    first, _ = propose(verify=[{"agree": 3}])
    count = len(server.asked)
    again, _ = propose(verify=[{"agree": 3}], concurrency=1)
    assert again == first and len(server.asked) == count


def test_an_entry_that_says_nothing_is_refused():
    for entry, words in [
        ({}, "an entry of verify"),
        ({"metric": "json"}, "needs at_least"),
        ({"metric": "json", "agree": 3}, "an entry of verify"),
        ({"form": "xml"}, "form takes json"),
        ({"agree": 1}, "from 2 to 25"),
        ({"agree": True}, "from 2 to 25"),
        ({"metric": 5, "at_least": 1}, "takes a name"),
    ]:
        with pytest.raises(ValueError, match=words):
            Teacher.Options(endpoint="http://127.0.0.1:9/v1", model="m", verify=[entry])


def test_agreement_stands_once():
    with pytest.raises(ValueError, match="agree stands once"):
        Teacher.Options(endpoint="http://127.0.0.1:9/v1", model="m", verify=[{"agree": 3}] * 2)


def test_the_check_names_what_is_missing(server):
    entry = {"metric": "json", "at_least": 1, "score": "jsno"}
    options = Teacher.Options(endpoint=server.url, model="m", verify=[entry])
    problems = list(Teacher(options).check({}))
    assert any("json has no score 'jsno'" in problem.message for problem in problems)
    bare = list(Teacher(Teacher.Options(endpoint=server.url, model="m")).check({}))
    assert any("as the teacher writes them" in problem.message for problem in bare)


def test_its_options_of_a_server_are_named_as_everywhere():
    assert set(ServerOptions.model_fields) <= set(Teacher.Options.model_fields)


def test_the_control_arm_gets_real_rows_and_asks_nothing(server, propose):
    context = harness.Context(None, seed=1, arm="random")
    rows, _ = propose(context=context)
    assert {one.id for one in rows} == {one.id for one in POOL} and not server.asked
    bare = tuple(replace(one, references=()) for one in POOL)
    with pytest.raises(harness.DataError, match="no row with an answer") as end:
        propose(data=Dataset((*TRAIN, *bare)), context=harness.Context(None, arm="random"))
    assert "control: none" in end.value.hint


@pytest.fixture
def suspects(tmp_path):
    def write(*names, text=None):
        path = tmp_path / "suspects.jsonl"
        lines = [json.dumps({"id": name, "reason": "rare"}) + "\n" for name in names]
        path.write_text("".join(lines) if text is None else text)
        return path

    return write


def test_a_suspect_gets_another_answer_without_showing_its_own(server, propose, suspects):
    wrong = tuple(replace(one, references=("8",)) if one.id == "train-3" else one for one in TRAIN)
    path = suspects("train-3", "train-5", "train-4", "gone")
    item = PlanItem(None, 9, "")
    rows, context = propose(item, Dataset(wrong), mode="correct", suspects=path,
                            verify=[{"agree": 3}])  # fmt: skip
    assert [(one.parent, one.references) for one in rows] == [("train-3", (right("3 + 4"),))]
    assert rows[0].messages == wrong[3].messages and rows[0].id != "train-3"
    origin = rows[0].origin
    assert (origin["replaces"], origin["before"], origin["suspected"]) == ("train-3", "8", "rare")
    # The other two are right as they stand.
    assert context.refused == {"teacher: the answer of the row stands": 2}
    told = [json.dumps(asked.body) for asked in server.asked]
    assert not any('"8"' in text or "rare" in text for text in told)
    assert not {"train-3", "train-4", "train-5"} & set(origin["shown"])
    gate = RowGate((), wrong)
    assert gate.refuse(rows[0]) is None
    grown = (*wrong, replace(rows[0], split="train"))
    again, _ = propose(item, Dataset(grown), mode="correct", suspects=path)
    assert not again


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "none of its 0 rows"),
        ('{"id": "gone"}\n', "none of its 1 rows"),
        ('{"id": "train-1"\n', "not JSON"),
        ('{"reason": "x"}\n', "a suspect is"),
        ('{"id": "train-1", "reason": 5}\n', "a suspect is"),
        ("\ufeff\x00[1]\n", "not JSON"),
    ],
)
def test_a_file_of_no_suspects_is_refused_by_its_line(propose, suspects, text, words):
    with pytest.raises(harness.DataError, match=words):
        propose(mode="correct", suspects=suspects(text=text))


def test_options_that_do_not_go_together_are_refused():
    for options, words in [
        ({"mode": "correct"}, "belong together"),
        ({"suspects": "s.jsonl"}, "belong together"),
        ({"local": "folder"}, "either endpoint or local"),
        (
            {"local": "folder", "endpoint": "", "price": {"in": 1, "out": 2}, "timeout": 9},
            "model, price, timeout: no effect beside local",
        ),
        ({"generate": {"plugin": "transformers"}}, "no effect without local"),
    ]:
        with pytest.raises(ValueError, match=words):
            Teacher.Options(**{"endpoint": "http://127.0.0.1:9/v1", "model": "m", **options})


def test_a_column_that_holds_the_label_holds_that_of_the_written_row(server, propose):
    def labelled(number):
        label = "odd" if number % 2 else "even"
        turns = ({"role": "user", "content": f"number {number}"},)
        return Example(f"t{number}", turns, (label,), "train", "", {"kind": label, "size": "s"})

    written = [{"prompt": "number 11", "answer": "odd"}, {"prompt": "number 8", "answer": "even"}]
    server.says = lambda asked: said(json.dumps(written))
    data, item = Dataset(tuple(map(labelled, range(8)))), PlanItem(None, 1, "")
    rows, _ = propose(item, data)
    assert {one.prompt: one.meta for one in rows}["number 8"] == {}
    weak = Slice((Condition("kind", "=", "odd"),), 9, 9, 0.1, 0.2, 0.1, 0.3, 0.01)
    rows, context = propose(PlanItem(weak, 1, ""), data)
    assert {one.prompt: one.meta for one in rows} == {"number 11": {"kind": "odd"}}
    assert context.refused["teacher: a row of another slice"] > 0


LOCAL = """
import harness


class Big(harness.Model):
    name = "big"

    def fetch(self, context):
        return harness.Checkpoint("base", str(context.output), "d1", "big model")


class Counts(harness.Generator):
    name = "counts"

    def generate(self, checkpoint, examples, context):
        for row in examples:
            number = context.seed + int(row.id)
            said = '[{"prompt": "%d + 1", "answer": "%d"}]' % (number, number + 1)
            if "JSON array" not in row.prompt:
                said = str(int(row.prompt.split(" + ")[0]) + 1)
            yield harness.Prediction(row.id, said, "stop", 10, 5)


@harness.hookimpl
def register_models():
    return [Big]


@harness.hookimpl
def register_generators():
    return [Counts]
"""


def test_a_model_of_this_machine_writes_through_a_generator(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "big.py").write_text(LOCAL)
    options = {"local": {"source": "big"}, "generate": {"plugin": "counts"},
               "verify": [{"agree": 3}]}  # fmt: skip
    teacher = harness.make_plugin("augmenter", "teacher", options, [tmp_path / "big.py"])
    assert not [one for one in teacher.check({}) if one.level == "config"]

    def proposed():
        return list(teacher.propose(ITEM, DATA, harness.Context(tmp_path, seed=1)))

    rows = proposed()
    assert len({one.prompt for one in rows}) >= 6
    assert all(one.references == (right(one.prompt),) for one in rows)
    origin = rows[0].origin
    assert origin["teacher"] == "big model" and origin["tokens"] == 3 * 15
    assert proposed() == rows


@pytest.mark.nightly(but_each=8)
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"local": {"source": "nowhere"}}, "augment.0.local.source: no model is called 'nowhere'"),
        (
            {"local": "here", "generate": {"plugin": "me"}},
            "augment.0.generate.plugin: no generator",
        ),
        ({"local": "here", "generate": {"beams": 2}}, "augment.0.generate.beams: unknown key"),
        ({"local": 4}, "augment.0.local: a model is needed: NAME or {source: NAME}"),
        ({"verify": [{"plugin": "me"}]}, "augment.0.verify.0.plugin: no verifier is called 'me'"),
        ({"verify": [{"metric": "jsno", "at_least": 1}]}, "no metric is called 'jsno'"),
        ({"verify": [{"plugin": "people", "rows": 3}]}, "augment.0.verify.0.rows: unknown key"),
        ({"verify": [{"plugin": "people", "name": "x"}]}, "'name' has no effect here"),
    ],
)
def test_what_is_wrong_with_a_plugin_that_it_names_stands_at_its_place(project, options, words):
    given = {"plugin": "teacher", "rows": 6, **options}
    server = {} if "local" in options else {"endpoint": "http://127.0.0.1:9/v1", "model": "m"}
    config = yaml_file.read(project.folder / "harness.yaml")[0]
    project.write(yaml_file.dump({**config, "augment": [{**given, **server}]}))
    with pytest.raises(harness.ConfigError) as refused:
        loading.load(project.folder / "harness.yaml")
    assert any(words in line for line in refused.value.details), refused.value.details
