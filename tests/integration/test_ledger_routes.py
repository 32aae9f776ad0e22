"""Ways to look at the same test rows again: none of them is a first opening."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.project import CONFIG, Project

WORDS = ("amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "heath", "inlet", "jetty")
SPLITS = {"train": 40, "pool": 40, "dev": 48, "test": 48}
ROWS = CONFIG.replace("rounds: 3", "rounds: 1").replace(
    "data: {source: fake}", "data: {source: rows, path: rows.jsonl}"
)
Row = dict[str, Any]


def rows(split: str) -> list[Row]:
    """Each a conversation of one turn, two in a group."""
    written = []
    for number in range(SPLITS[split]):
        place = 7 * number + len(split)
        words = [WORDS[(place + k * (number % 5 + 1)) % len(WORDS)] for k in range(6)]
        text = " ".join([*words, f"{split}{number}"])
        messages = [
            {"role": "user", "content": f"repeat {split}{number}: {text}"},
            {"role": "assistant", "content": text},
        ]
        written.append(
            {"id": f"{split}-{number}", "split": split, "group": f"{split}-{number // 2}",
             "messages": messages}
        )  # fmt: skip
    return written


class Looks:
    """A folder in which one test set is looked at."""

    def __init__(self, project: Project) -> None:
        self.project = project
        project.write(ROWS)

    def run(self, *sets: str, **others: list[Row]) -> Any:
        """The summary of a run on these rows in place of the first ones of a split."""
        written = [row for split in SPLITS for row in others.get(split, rows(split))]
        self.project.write("".join(json.dumps(row) + "\n" for row in written), "rows.jsonl")
        words = [word for one in sets for word in ("--set", one)]
        done = self.project.inside("iterate", "--json", *words)
        assert done.code == 0, done.err
        return done.document


@pytest.fixture
def looks(project: Project) -> Looks:
    return Looks(project)


def respelled(change: Any, place: int) -> list[Row]:
    """The test rows with the text of one of their turns changed."""
    found = rows("test")
    for row in found:
        row["messages"][place]["content"] = change(row["messages"][place]["content"])
    return found


def behind(turns: Any) -> list[Row]:
    """The test rows with turns before their own, by their places."""
    return [
        {**row, "messages": [*turns(number), *row["messages"]]}
        for number, row in enumerate(rows("test"))
    ]


def shot(number: int) -> list[dict[str, str]]:
    row: list[dict[str, str]] = rows("train")[number % SPLITS["train"]]["messages"]
    return row


def numbered() -> list[Row]:
    written = rows("test")
    for number, row in enumerate(written, start=1):
        row["messages"][0]["content"] = f"{number}. {row['messages'][0]['content']}"
    return written


def with_system() -> list[Row]:
    turn = {"role": "system", "content": "Be brief."}
    return [{**row, "messages": [turn, *row["messages"]]} for row in rows("test")]


@pytest.mark.nightly
def test_no_change_of_the_same_rows_is_a_first_opening(looks: Looks) -> None:
    assert looks.run()["test"]["looks"] == 1
    assert looks.run()["test"]["looks"] == 1
    option = looks.run("data.system=Be brief.")
    assert option["test"]["looks"] == 2
    assert "Opening 2 of these rows" in option["test"]["counting"]
    assert option["test"]["verdict"]["level"] == pytest.approx(0.975)
    changes = [
        with_system(),
        respelled(lambda text: f"{text}.", 0),
        respelled(lambda text: f"{text}.", 1),
        [{**row, "id": f"x{row['id']}", "group": "", "meta": {"new": 1}} for row in rows("test")],
        rows("test")[::-1],
    ]
    found = [looks.run(test=changed)["test"]["looks"] for changed in changes]
    assert found == [3, 4, 5, 6, 7]


REWORDED = {
    "a beginning": respelled(lambda text: f"Question: {text}", 0),
    "please": respelled(lambda text: f"Please {text}", 0),
    "an instruction behind": respelled(lambda text: f"{text}\n\nAnswer with these words only.", 0),
    "a bullet": respelled(lambda text: f"- {text}", 0),
    "a number": numbered(),
    "one example before all": behind(lambda number: shot(0)),
    "an example of the row's own": behind(shot),
}


@pytest.mark.nightly
@pytest.mark.parametrize("written", REWORDED.values(), ids=REWORDED)
def test_words_added_to_the_prompt_are_no_first_opening(looks: Looks, written: list[Row]) -> None:
    assert looks.run()["test"]["looks"] == 1
    again = looks.run(test=written)
    assert again["test"]["looks"] == 2
    assert "Opening 2 of these rows" in again["test"]["counting"]
    assert looks.run(test=as_split("test", rows("pool")), pool=[])["test"]["looks"] == 1


@pytest.mark.nightly
def test_a_report_that_is_made_again_says_how_often_the_rows_were_opened_since(
    looks: Looks,
) -> None:
    first = looks.run()
    assert (first["test"]["looks"], first["test"]["later"]) == (1, 0)
    looks.run(test=REWORDED["please"])
    looks.run("seed=8")
    assert looks.project.inside("rebuild", first["run"]).code == 0
    now = looks.project.inside("report", first["run"], "--json").document["test"]
    assert (now["looks"], now["later"]) == (1, 2)
    assert "Since then these rows were opened 2 times more." in now["counting"]
    assert now["verdict"] == first["test"]["verdict"]
    shown = looks.project.inside("report", first["run"], "--full").out
    assert "evaluated once, and 2 more since" in " ".join(shown.split())


def test_what_is_scored_from_plain_files_is_not_counted(looks: Looks) -> None:
    project = looks.project
    answers = [{"id": row["id"], "text": row["messages"][1]["content"]} for row in rows("test")]
    project.write("".join(json.dumps(row) + "\n" for row in answers), "answers.jsonl")
    files = ("-p", "answers.jsonl", "-r", "answers.jsonl:text", "-m", "exact")
    assert project.inside("score", *files).code == 0
    assert not (project.folder / ".harness").exists()


def as_split(name: str, written: list[Row]) -> list[Row]:
    return [{**row, "split": name} for row in written]


@pytest.mark.nightly
def test_files_that_are_swapped_are_no_first_opening_and_say_so(looks: Looks) -> None:
    first = looks.run()
    assert first["test"]["looks"] == 1
    swapped = looks.run(dev=as_split("dev", rows("test")), test=as_split("test", rows("dev")))
    assert swapped["test"]["looks"] == 2
    assert "1 run that chose by them as rows of dev" in swapped["test"]["counting"]
    [note] = [note for note in swapped["notes"] if "opened as a test set" in note]
    assert "1 time in this folder" in note
    assert first["run"] in note
    back = looks.run("seed=8")
    # Its own opening, the first one, and the run that chose by these rows.
    assert back["test"]["looks"] == 3
    assert looks.run("seed=8") == back


@pytest.mark.nightly
def test_dev_rows_of_a_run_that_opened_nothing_count_too(looks: Looks) -> None:
    looks.project.write(ROWS.replace("rounds: 1", "rounds: 2"))
    first = looks.run("train.gain=0")
    assert first["test"] is None
    others = as_split("dev", [{**row, "id": f"n{row['id']}"} for row in rows("pool")])
    later = looks.run(dev=others, test=as_split("test", rows("dev")), pool=[])
    assert later["test"]["looks"] == 2


@pytest.mark.nightly
def test_a_system_turn_gives_arms_no_second_beginning(looks: Looks) -> None:
    arm = "arms=[{name: a, set: {train.gain: %s}}]"
    for place, sets in enumerate([(arm % 0.01,), (arm % 0.02, "data.system=Be brief.")], start=1):
        [found] = looks.run(*sets)["arms"]
        assert found["verdict"]["level"] == pytest.approx(1 - 0.05 / (place * (place + 1)))


@pytest.mark.parametrize("name", ["test-openings.jsonl", "dev-arms.jsonl"])
def test_a_ledger_of_another_version_is_named_before_anything_is_trained(
    looks: Looks, name: str
) -> None:
    path = looks.project.folder / ".harness" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text('{"run":"old","schema":1,"test":"f"}\n')
    done = looks.project.inside("iterate", "--set", "data={source: fake}")
    assert done.code == 4 and f"{name}:1: " in done.err
    assert not (looks.project.folder / ".harness" / "artifacts" / "train").exists()
