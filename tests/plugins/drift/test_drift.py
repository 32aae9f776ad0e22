"""``harness drift``, as somebody uses it who has logs and perhaps a run."""

from __future__ import annotations

import json
import random

import pytest

KINDS = ("billing", "parcel", "login", "refund", "contract")


def rows(seed, count=150, kinds=KINDS, words=6, **fields):
    draw = random.Random(seed)
    made = []
    for at in range(count):
        kind = draw.choice(kinds)
        text = " ".join(draw.choice(KINDS) + str(draw.randrange(40)) for _ in range(words))
        row = {"prompt": f"My {kind} number {kind}{draw.randrange(99)}: {text}?", "kind": kind}
        own = {name: make(draw) for name, make in fields.items()}
        made.append({"id": f"{seed}-{at}", **row, **own})
    return made


def write(project, name, lines):
    project.write("".join(json.dumps(line) + "\n" for line in lines), name)


@pytest.fixture
def files(project, monkeypatch):
    """Ten times fewer permutations than users get, and a file of quiet rows to compare with."""
    monkeypatch.setattr("harness_drift.looking.PERMUTATIONS", 1_999)
    write(project, "quiet.jsonl", rows(1))
    return project


def looked(project, *arguments, reference="quiet.jsonl"):
    result = project.inside("drift", *arguments, "--reference", reference, "--json")
    assert result.code in (0, 1), result.err
    return result.document


def test_rows_of_one_source_are_no_evidence(files):
    write(files, "live.jsonl", rows(2))
    found = looked(files, "live.jsonl")
    assert found["verdict"] == "no evidence"
    assert [test["p"] is None for test in found["tests"]] == [False, False, True, True]
    assert found["next"] == [] and found["examples"] == []


def test_blank_prompts_are_rows_like_others_and_whose_rows_they_are_is_asked(files):
    lines = [{**row, "who": f"u{at % 70}"} for at, row in enumerate(rows(2))]
    write(files, "live.jsonl", [{**row, "prompt": "" if at < 60 else row["prompt"]}
                                for at, row in enumerate(lines)])  # fmt: skip
    result = files.inside("drift", "live.jsonl", "--reference", "quiet.jsonl", "-o", "new.jsonl")
    assert result.code == 1 and "--group who" in " ".join(result.out.split())
    picked = map(json.loads, (files.folder / "new.jsonl").read_text().splitlines())
    assert all(row["messages"][-1]["content"] for row in picked)


def test_a_kind_that_comes_more_is_named_and_exits_1(files):
    write(files, "live.jsonl", rows(2, kinds=(*KINDS, *["refund"] * 5)))
    result = files.inside("drift", "live.jsonl", "--reference", "quiet.jsonl", "--json")
    assert (result.code, result.document["verdict"]) == (1, "drifted")
    kinds = next(test for test in result.document["tests"] if test["aspect"] == "kinds")
    first = kinds["changes"][0]
    assert first["name"] == "kind = refund" and first["holds"] and first["live"] > 0.5
    assert "-o to-label.jsonl" in result.document["next"][0]


def test_dates_and_splits_are_no_kinds_of_prompts(files):
    for week, name in ((1, "before"), (2, "live")):
        lines = [{**row, "split": name, "week": week} for row in rows(week)]
        write(files, f"{name}.jsonl", [{**row, "at": f"{name} {row['id']}"} for row in lines])
    found = looked(files, "live.jsonl", reference="before.jsonl")
    assert found["verdict"] == "no evidence"
    assert "week" in found["remarks"][0]


def test_new_texts_are_found_where_no_field_tells_them(files):
    lines = rows(2)
    for line in lines[:90]:
        line["prompt"] = line["prompt"].replace("number", "Vertragsnummer für Glasfaser")
    write(files, "live.jsonl", lines)
    found = looked(files, "live.jsonl")
    assert next(test for test in found["tests"] if test["aspect"] == "prompts")["changed"]
    assert all("Glasfaser" in example["prompt"] for example in found["examples"])


def test_answers_and_ratings_are_compared_where_there_are_some(files):
    def answered(length, up):
        return {
            "answer": lambda draw: "word " * draw.randrange(length, length + 9),
            "feedback": lambda draw: "up" if draw.random() < up else "down",
        }

    write(files, "before.jsonl", rows(3, **answered(10, 0.8)))
    write(files, "live.jsonl", rows(4, **answered(30, 0.3)))
    found = looked(files, "live.jsonl", reference="before.jsonl")
    changed = {test["aspect"]: test for test in found["tests"] if test["changed"]}
    assert set(changed) == {"answers", "ratings"}
    assert changed["answers"]["changes"][0]["name"].startswith("length")
    overall = next(c for c in changed["ratings"]["changes"] if c["name"] == "all rows")
    assert overall["reference"] > 0.7 and overall["live"] < 0.4


def test_lower_ratings_of_a_harder_mix_are_no_worse_answers(files):
    def rated(seed, kinds):
        lines = rows(seed, 300, kinds)
        draw = random.Random(seed)
        for line in lines:
            line["rating"] = draw.random() < (0.3 if line["kind"] == "refund" else 0.9)
        return lines

    write(files, "before.jsonl", rated(5, KINDS))
    write(files, "live.jsonl", rated(6, (*KINDS, *["refund"] * 5)))
    found = looked(files, "live.jsonl", reference="before.jsonl")
    changed = {test["aspect"] for test in found["tests"] if test["changed"]}
    assert "kinds" in changed and "ratings" not in changed


def test_groups_move_as_a_whole(files):
    """Forty rows of one user who asks one thing are one witness."""
    lines = rows(2)
    for line in lines[:40]:
        line |= {"user": "u1", "kind": "refund", "prompt": "My refund refund7: where is it now?"}
    write(files, "live.jsonl", lines)
    assert looked(files, "live.jsonl")["verdict"] == "drifted"
    quiet = [{**line, "user": line["id"]} for line in rows(1)]
    lines = [{"user": line["id"], **line} for line in lines]
    write(files, "quiet-users.jsonl", quiet)
    write(files, "live-users.jsonl", lines)
    found = looked(files, "live-users.jsonl", "--group", "user", reference="quiet-users.jsonl")
    assert found["groups"]["live"] == 111
    assert not next(t for t in found["tests"] if t["aspect"] == "prompts")["changed"]


def test_too_few_rows_are_not_counted_as_a_look(files):
    write(files, "few.jsonl", rows(2, 19))
    result = files.inside("drift", "few.jsonl", "--reference", "quiet.jsonl", "--json")
    assert (result.code, result.document["verdict"]) == (0, "too few")
    assert not (files.folder / ".harness" / "drift-looks.jsonl").exists()


def test_looks_share_a_chance_and_one_file_is_one_look(files):
    for week in (2, 3):
        write(files, f"live{week}.jsonl", rows(week, 60))
    first = looked(files, "live2.jsonl", "--looks", "2")["look"]
    assert (first["number"], first["alpha"]) == (1, 0.025)
    assert looked(files, "live2.jsonl", "--looks", "2")["look"] == first
    refused = files.inside("drift", "live3.jsonl", "--reference", "quiet.jsonl", "--looks", "3")
    assert refused.code == 2 and "begun with 2" in refused.err
    assert looked(files, "live3.jsonl", "--looks", "2")["look"]["number"] == 2
    write(files, "live4.jsonl", rows(4, 60))
    new = looked(files, "live4.jsonl", "--looks", "3")["look"]
    assert (new["series"], new["number"], new["of"]) == (2, 1, 3)


def test_a_changed_line_of_the_ledger_is_refused(files):
    write(files, "live.jsonl", rows(2, 60))
    looked(files, "live.jsonl")
    ledger = files.folder / ".harness" / "drift-looks.jsonl"
    ledger.write_text(ledger.read_text().replace('"of":12', '"of":1'))
    result = files.inside("drift", "live.jsonl", "--reference", "quiet.jsonl")
    assert result.code == 4 and "drift-looks.jsonl:1" in result.err


def test_dev_of_a_run_is_the_reference_and_its_detectors_look_at_both(files):
    files.write()
    assert files.inside("iterate", "--rounds", "1", "--no-test").code == 0
    lines = rows(
        2, 60, ("easy",), answer=lambda draw: "word " * 200, rating=lambda draw: draw.random()
    )
    write(files, "live.jsonl", [*lines, *rows(3, 30, ("hard",))])
    result = files.inside("drift", "live.jsonl", "--json")
    assert result.code == 1, result.err
    assert result.document["reference"].startswith("dev of ")
    answers = next(t for t in result.document["tests"] if t["aspect"] == "answers")
    assert answers["rows"][0] > 20 and answers["changed"]
    rated = {kind["name"]: kind for kind in result.document["rated"]}
    assert set(rated) == {"kind = easy"} and rated["kind = easy"]["rated"] == 60
    assert rated["kind = easy"]["scored"] > 20


def test_rows_to_label_are_written_and_read_by_the_source(files):
    write(files, "live.jsonl", rows(2, kinds=("refund",)))
    files.inside("drift", "live.jsonl", "--reference", "quiet.jsonl", "-o", "label.jsonl")
    lines = list(map(json.loads, (files.folder / "label.jsonl").read_text().splitlines()))
    assert 20 <= len(lines) <= 50
    assert lines[0]["references"] == [] and lines[0]["meta"]["kind"] == "refund"


def test_of_many_rows_whole_groups_are_drawn(files, monkeypatch):
    monkeypatch.setattr("harness_drift.looking.MOST_ROWS", 60)
    lines = [{**line, "group": f"g{at // 2}"} for at, line in enumerate(rows(2))]
    lines += [{**line, "group": "one user"} for line in rows(3, 70)]
    write(files, "live.jsonl", lines)
    found = looked(files, "live.jsonl")
    assert found["rows"]["live"] == 60 and found["groups"]["live"] == 30


def test_cells_of_a_csv_file_are_numbers_and_huge_ones_are_left_out(files):
    text = "".join(f'"where, {at}",{at % 5},a\n' for at in range(40))
    files.write("prompt,rating,kind\n" + text, "live.csv")
    before = [{"prompt": f"where, {at}", "rating": at % 5, "kind": "a"} for at in range(40)]
    write(files, "before.jsonl", [{**row, "huge": 10**400} for row in before])
    found = looked(files, "live.csv", reference="before.jsonl")
    assert found["verdict"] == "no evidence"
    assert found["tests"][-1]["rows"] == [40, 40] and found["tests"][-1]["p"] == 1


def test_hostile_text_is_only_text(files):
    lines = rows(2, kinds=("refund",))
    for line in lines:
        line["prompt"] = "\x1b[31m[bold]\u202e" + line["prompt"] + "x" * 300
        line["kind"] = "\x1b]0;owned\x07refund"
    write(files, "live.jsonl", lines)
    result = files.inside("drift", "live.jsonl", "--reference", "quiet.jsonl")
    assert result.code == 1
    assert "\x1b" not in result.out and "\u202e" not in result.out and "[bold]" in result.out


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"text": "no prompt"}', "no `messages`, and no text under `prompt`"),
        ('{"messages": [{"role": "assistant", "content": "a"}]}', "no turn of a user"),
        ('{"prompt": "a", "feedback": "so so"}', "`feedback` must be"),
        ("not json", ""),
        ("", "there is no row in it"),
    ],
)
def test_wrong_rows_are_named_with_their_line(files, line, said):
    files.write(line + "\n", "live.jsonl")
    result = files.inside("drift", "live.jsonl", "--reference", "quiet.jsonl")
    assert result.code == 4 and said in result.err and "live.jsonl" in result.err
    assert not (files.folder / ".harness" / "drift-looks.jsonl").exists()


def test_without_a_run_and_a_reference_it_says_what_is_missing(files):
    assert files.inside("drift", "quiet.jsonl").code == 2


def test_fields_of_the_calendar_are_not_compared_where_they_overlap_in_part(files):
    """May and June beside June and July: as many of one source, and no drift."""

    def dated(seed, months):
        draw = random.Random(seed)
        lines = rows(seed)
        for line in lines:
            month = draw.choice(months)
            day = draw.randrange(1, 16 if seed == 1 else 29)
            line |= {"month": month, "day": day, "asked": f"2026-{month:02}-{day:02}", "hour": day}
        return lines

    write(files, "before.jsonl", dated(1, (5, 6)))
    write(files, "live.jsonl", dated(2, (6, 7)))
    found = looked(files, "live.jsonl", reference="before.jsonl")
    assert found["verdict"] == "no evidence"
    left_out = "not compared, since they say when a row was asked: asked, day, hour, month"
    assert left_out in found["remarks"]


def test_too_few_weeks_of_the_reference_are_said_and_enough_are_part_of_the_error(files):
    def weekly(seed, first, last):
        return [{**line, "at": 1_780_272_000 + 604_800 * (first + at % (last - first))}
                for at, line in enumerate(rows(seed))]  # fmt: skip

    write(files, "live.jsonl", weekly(2, 10, 11))
    for weeks, said in (
        (4, "the reference has 4 weeks of 5 groups or more (`at`): from 8 on their spread"),
        (9, "the spread between 9 weeks of the reference (`at`) is part of the error"),
    ):
        write(files, "before.jsonl", weekly(1, 0, weeks))
        found = looked(files, "live.jsonl", reference="before.jsonl")
        assert any(remark.startswith(said) for remark in found["remarks"]), found["remarks"]
        assert found["weeks"] == {"field": "at", "counted": weeks, "needed": 8}
    found = looked(files, "live.jsonl")
    assert any("no field of the reference gives its weeks" in line for line in found["remarks"])
