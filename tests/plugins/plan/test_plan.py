"""``harness plan`` says what a run will do; what the run then does is what it said."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.plugins.plan.conftest import TRAINER, planned
from tests.support.project import CONFIG


def stages(document: Any) -> list[tuple[Any, ...]]:
    return [(s["round"], s["stage"], s["rows"], s["exact"], s["stored"])
            for s in document["stages"]]  # fmt: skip


def test_rows_tokens_and_steps_are_counted(timed):
    found = planned(timed, "--no-probe", "--rounds", "2")
    assert found["schema"] == "harness.plan/1"
    assert stages(found) == [
        (0, "generate", 48, True, False),
        (1, "train", 35, True, False),
        (1, "generate", 48, True, False),
        (2, "train", 45, False, False),
        (2, "generate", 48, True, False),
        (0, "generate test", 48, True, False),
        (None, "generate test", 48, True, False),
    ]
    first, second = (s for s in found["stages"] if s["stage"] == "train")
    assert (first["steps"], first["passes"]) == (36, 2.0)
    assert second["steps"] == 46
    # Each row is 12 words of prompt and its role, and 8 of answer and end.
    assert first["learned"] == 35 * 8
    assert first["tokens"] > first["learned"]
    assert first["seconds"] is found["seconds"] is None
    assert found["needs"]["memory"] is None
    assert found["needs"]["memory_free"] > 0


def test_the_run_does_what_was_planned(timed):
    before = planned(timed, "--no-probe", "--rounds", "1")
    done = timed.inside("iterate", "--rounds", "1", "--json")
    assert done.code == 0, done.err
    assert done.document["run"] == before["run"]
    trained = done.document["rounds"][1]["train_rows"]
    assert [s["rows"] for s in before["stages"] if s["stage"] == "train"] == [trained]
    after = planned(timed, "--rounds", "1")
    assert all(s["stored"] for s in after["stages"])
    assert any("nothing is trained or answered again" in r["text"] for r in after["remarks"])
    assert after["dev"]["detectable"] == done.document["rounds"][0]["verdict"]["detectable"]


@pytest.mark.nightly
@pytest.mark.usefixtures("in_real_time")
def test_an_interrupted_run_has_stored_what_it_made(timed):
    budget = ("--set", "execution.budget.hours=0.0003")
    assert timed.inside("iterate", "--rounds", "2", *budget).code == 130
    found = planned(timed, "--no-probe", "--rounds", "2")
    kept = [s["stored"] for s in found["stages"]]
    assert kept == sorted(kept, reverse=True)
    assert kept[0] and not kept[-1]
    rest = timed.inside("iterate", "--rounds", "2", "--json")
    assert rest.code == 0, rest.err
    made = [label for label in rest.document["cached"] if "train" in label or "generate" in label]
    assert len(made) == sum(kept)


def test_looking_leaves_the_run_as_it_is(timed):
    planned(timed, "--no-probe")
    assert not (timed.folder / ".harness" / "runs").exists()
    assert list((timed.folder / ".harness" / "work").iterdir()) == []
    assert not (timed.folder / "reports").exists()


def test_a_trainer_that_says_nothing_is_planned_by_its_rows(project):
    project.write(CONFIG)
    found = planned(project, "--rounds", "1")
    train = next(s for s in found["stages"] if s["stage"] == "train")
    assert (train["rows"], train["steps"], train["tokens"]) == (35, None, None)
    assert train["seconds"] is not None
    told = [r["text"] for r in found["remarks"]]
    assert any("tokens are not known: the trainer 'fake' cannot show rows" in t for t in told)


def test_the_table_fits_a_terminal(timed):
    result = timed.inside("plan", COLUMNS="80")
    assert result.code == 0, result.err
    assert max(map(len, result.out.splitlines())) <= 80
    lines = [line.split() for line in result.out.splitlines()]
    assert ["round", "1:", "train", "35"] in [line[:4] for line in lines]
    assert "48 dev rows show a gain of" in result.out


@pytest.mark.nightly
def test_what_was_made_before_says_how_long_the_rest_takes(timed):
    assert timed.inside("iterate", "--rounds", "1").code == 0
    result = timed.inside("plan", "--no-probe", "--rounds", "2")
    assert result.code == 0, result.err
    told = " ".join(result.out.split())
    assert " (by earlier stages of this run); scoring and reports come on top." in told


def test_one_round_is_one_round(timed):
    result = timed.inside("plan", "--no-probe", "--rounds", "1")
    assert ": 1 round of training fake" in result.out
    assert "(80 % power, 1 round planned)" in " ".join(result.out.split())


def test_a_disk_that_is_not_enough_is_told_before_anything_is_spent(timed, monkeypatch):
    import shutil
    from types import SimpleNamespace

    full = SimpleNamespace(total=10_000, used=9_000, free=1_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: full)
    result = timed.inside("plan", "--json")
    assert result.code == 3, result.err
    [told] = [r["text"] for r in result.document["remarks"] if r["level"] == "problem"]
    assert "of the disk are free: make room first" in told
    assert not result.document["works"]


def test_a_memory_that_is_not_enough_is_told(timed, monkeypatch):
    from harness.kit import cgroups

    monkeypatch.setattr(cgroups, "memory", lambda limits: (1_000_000, 900_000))
    result = timed.inside("plan", "--json")
    assert result.code == 3, result.err
    [told] = [r["text"] for r in result.document["remarks"] if r["level"] == "problem"]
    assert "this machine has 1 MB: lower train.batch_size" in told


@pytest.mark.parametrize(("free", "told"), [(2_599_999_999, True), (2_600_000_000, False)])
def test_a_run_may_take_more_memory_than_its_probe(free, told):
    from harness_plan import needs
    from harness_plan.records import Needs

    found = needs.remarks(Needs(2_000_000_000, free, 8_000_000_000, None, None), None, None)
    texts = [remark.text for remark in found]
    assert bool(texts) is told
    assert not told or "of memory in the probe, up to 2.6 GB in a run" in texts[0]


def test_a_budget_that_is_too_small_is_told(timed):
    found = planned(timed, "--set", "execution.budget.hours=0.0001")
    [told] = [r["text"] for r in found["remarks"] if r["level"] == "warning"]
    assert "the budget of 0.0001 h" in told and "commands" in told


def test_a_config_that_cannot_be_used_is_an_error_and_no_plan(timed):
    result = timed.inside("plan", "--set", "train.gain=lots")
    assert (result.code, result.out) == (2, "")
    assert "train.gain" in result.err


NO_MORE = ("--set", "valid=0", "--set", "augment=[]")


def with_a_long_row(project: Any, split: str) -> None:
    """Six short rows of each split, and one of 120 words."""
    long = {"id": "long", "prompt": "say: " + "word " * 119, "reference": "a", "split": split}
    rows = [long] + [
        {"id": f"{split}{n}", "prompt": f"say: {split} {n}", "reference": f"{n}", "split": split}
        for split in ("train", "dev", "test")
        for n in range(6)
    ]
    lines = (json.dumps(
        {"id": r["id"], "messages": [{"role": "user", "content": r["prompt"].strip()}],
         "references": [r["reference"]], "split": r["split"]}) for r in rows)  # fmt: skip
    (project.folder / "rows.jsonl").write_text("\n".join(lines), encoding="utf-8")
    text = (project.folder / "harness.yaml").read_text("utf-8")
    given = "{source: jsonl, path: rows.jsonl}\nmodel"
    project.write(text.replace("{source: fake}\nmodel", given))


@pytest.mark.parametrize("probe", [(), ("--no-probe",)])
def test_rows_that_training_refuses_are_told(timed, probe):
    with_a_long_row(timed, "train")
    found = planned(timed, *probe, *NO_MORE, code=4)
    [told] = [r["text"] for r in found["remarks"] if r["level"] == "problem"]
    assert told == "training refuses 1 row, as 'long': 100 tokens cut its answer; harness check"
    assert (found["seconds"] is None) == bool(probe)


def test_where_all_rows_are_refused_nothing_is_measured(timed):
    text = TRAINER.replace("> 100", "> 0").replace("return super().rendered(", "return refusing(")
    refusing = """
def refusing(base, rows, context):
    for row in rows:
        yield harness.Rendered(row.id, ("a",), (True,), problem="too long")
"""
    (timed.folder / "timed.py").write_text(text + refusing, encoding="utf-8")
    found = planned(timed, "--rounds", "1", code=4)
    assert any("training refuses 40 rows" in r["text"] for r in found["remarks"])
    assert found["seconds"] is None
    assert not (timed.folder / "trained.jsonl").exists()


def test_prompts_are_counted_whole(timed):
    with_a_long_row(timed, "dev")
    found = planned(timed, "--no-probe", *NO_MORE)
    assert found["stages"][0]["tokens"] == 6 * (3 + 2) + (120 + 2)


def test_a_trainer_that_cannot_show_prompts_is_planned_without_their_tokens(timed):
    text = TRAINER.replace("        return super().rendered(",
                           "        [row.references[0] for row in rows]\n"
                           "        return super().rendered(")  # fmt: skip
    (timed.folder / "timed.py").write_text(text, encoding="utf-8")
    found = planned(timed, "--no-probe", "--rounds", "1")
    answers, train = found["stages"][:2]
    assert answers["tokens"] is None
    assert train["learned"] == 35 * 8
    [told] = [r["text"] for r in found["remarks"] if "not known" in r["text"]]
    assert told.startswith("tokens of prompts are not known: trainer 'timed' from ")
    assert told.endswith("rendered(): IndexError: tuple index out of range")


def test_a_schedule_that_is_none_is_the_trainers_fault(timed):
    text = TRAINER.replace("harness.Schedule(steps, steps / each)", "harness.Schedule(7, 0.0)")
    (timed.folder / "timed.py").write_text(text, encoding="utf-8")
    result = timed.inside("plan", "--no-probe")
    assert (result.code, result.out) == (5, "")
    assert "trainer 'timed'" in result.err
    assert "7 steps, 0.0 passes" in result.err


def test_a_card_that_is_too_small_is_told(timed):
    """As torch tells it: by an exception of this name."""
    full = "        raise type('OutOfMemoryError', (RuntimeError,), {})('16 GiB')\n"
    text = TRAINER.replace("        whole = self", f"{full}        whole = self")
    (timed.folder / "timed.py").write_text(text, encoding="utf-8")
    result = timed.inside("plan", "--json")
    assert result.code == 3, result.err
    [told] = [r["text"] for r in result.document["remarks"] if r["level"] == "problem"]
    assert "the memory of the device (a GPU) is not enough" in told
    assert result.document["seconds"] is None
    first = next(s for s in result.document["stages"] if s["stage"] == "train")
    assert (first["rows"], first["steps"]) == (35, 36)


def test_a_model_that_is_not_here_is_not_fetched_without_a_probe(timed):
    text = (timed.folder / "harness.yaml").read_text("utf-8")
    timed.write(text.replace("model: {source: fake}", "model: {source: pypi}"))
    cache = str(timed.folder / "cache")
    result = timed.inside("plan", "--no-probe", "--json", HARNESS_CACHE=cache)
    assert result.code == 0, result.err
    first = next(s for s in result.document["stages"] if s["stage"] == "train")
    assert (first["rows"], first["steps"], first["tokens"]) == (35, 36, None)
    told = [r["text"] for r in result.document["remarks"]]
    assert any("the base model is not on this machine yet" in text for text in told)
    assert not (timed.folder / "cache").exists()
