"""``harness score``, as a person uses it who never trains with it."""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time

import jsonschema
import pyarrow.parquet as pq
import pytest
import sacrebleu

from harness_score.document import SCHEMA
from tests.support.waiting import LONG

WORDS = ["the", "invoice", "was", "paid", "last", "week", "a", "refund", "is", "on", "its", "way"]


def text(rng, length=12):
    return " ".join(rng.choice(WORDS) for _ in range(length))


def spoiled(rng, line, share):
    return " ".join("no" if rng.random() < share else word for word in line.split())


def lines(project, name):
    return list(map(json.loads, (project.folder / name).read_text().splitlines()))


def write_lines(project, name, rows):
    project.write("".join(json.dumps(row) + "\n" for row in rows), name)


@pytest.fixture
def files(project):
    """refs.jsonl, good.jsonl, bad.jsonl: 60 rows with ids, in another order each."""
    rng = random.Random(5)
    rows = [
        {"id": f"r{i}", "references": [text(rng), text(rng)], "kind": "ab"[i % 2]}
        for i in range(60)
    ]
    write_lines(project, "refs.jsonl", [r | {"group": f"g{i // 2}"} for i, r in enumerate(rows)])
    for name, share in (("good", 0.1), ("bad", 0.5)):
        answers = [{"id": r["id"], "text": spoiled(rng, r["references"][0], share)} for r in rows]
        rng.shuffle(answers)
        write_lines(project, f"{name}.jsonl", answers)
    return project


def pairs(files, name):
    answers = {row["id"]: row["text"] for row in lines(files, name)}
    return [(answers[row["id"]], row["references"]) for row in lines(files, "refs.jsonl")]


GOOD = ("--predictions", "good.jsonl", "--references", "refs.jsonl")
ONE = {"type": ["number", "null"]}
METRICS = {
    "type": "object",
    "additionalProperties": {
        "type": "object",
        "required": ["value", "low", "high", "n", "unscored", "higher_is_better", "signature"],
        "properties": {"value": ONE, "low": ONE, "high": ONE, "n": {"type": "integer"}},
    },
}
FORM = {
    "type": "object",
    "required": ["schema", "n", "metrics", "comparison", "by", "systems", "sentence"],
    "properties": {
        "schema": {"const": SCHEMA},
        "n": {"type": "integer"},
        "metrics": METRICS,
        "comparison": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "additionalProperties": {
                    "type": "object",
                    "required": ["difference", "low", "high", "p", "label"],
                    "properties": {"label": {"enum": ["improved", "no evidence", "regressed"]}},
                },
            },
        },
        "by": {
            "type": "object",
            "additionalProperties": {
                "type": "array",
                "items": {"type": "object", "required": ["value", "n", "metrics"]},
            },
        },
    },
}


def document(project, *arguments):
    done = project.inside("score", *arguments, "--json")
    assert done.code == 0, done.err
    jsonschema.validate(done.document, FORM)
    return done.document


def test_scores_are_those_of_the_reference_library(files):
    found = document(files, *GOOD, "--metrics", "bleu,chrf,ter")
    both = pairs(files, "good.jsonl")
    answers = [answer for answer, _ in both]
    references = [list(texts) for texts in zip(*(refs for _, refs in both), strict=True)]
    for name, metric in (
        ("bleu", sacrebleu.BLEU()), ("chrf", sacrebleu.CHRF()), ("ter", sacrebleu.TER())
    ):  # fmt: skip
        score = found["metrics"][name]
        assert score["value"] == metric.corpus_score(answers, references).score
        assert score["low"] < score["value"] < score["high"]
        assert score["signature"].endswith(f"version:{sacrebleu.__version__}")
    assert found["metrics"]["ter"]["higher_is_better"] is False
    assert (found["n"], found["groups"]) == (60, 30)


def test_every_metric_of_the_field_at_once(files):
    found = document(files, *GOOD, "--metrics", "bleu,chrf,ter,rouge,meteor,exact,token-f1,length")
    names = "bleu chrf ter rouge1 rouge2 rougeL rougeLsum meteor exact token-f1 length"
    assert list(found["metrics"]) == names.split()


def test_repeated_references_are_several_for_each_example(files):
    for place in (0, 1):
        rows = [{"id": r["id"], "text": r["references"][place]} for r in lines(files, "refs.jsonl")]
        write_lines(files, f"refs{place}.jsonl", rows)
    several = document(
        files, "-p", "good.jsonl", "-r", "refs0.jsonl", "-r", "refs1.jsonl", "-m", "bleu,rouge"
    )
    both = document(files, *GOOD, "-m", "bleu,rouge")
    values = [{k: s["value"] for k, s in found["metrics"].items()} for found in (several, both)]
    assert values[0] == values[1]


def test_text_files_go_by_position_and_dash_is_standard_input(files):
    both = pairs(files, "good.jsonl")
    files.write("".join(answer + "\n" for answer, _ in both), "good.txt")
    files.write("".join(refs[0] + "\n" for _, refs in both), "refs.txt")
    from_file = document(files, "-p", "good.txt", "-r", "refs.txt", "-m", "rouge")
    reader, writer = os.pipe()
    with open(writer, "wb") as stream:
        stream.write((files.folder / "good.txt").read_bytes())
    before = os.dup(0)
    os.dup2(reader, 0)
    with open(reader, "rb", closefd=True) as stdin, pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdin", type("Stdin", (), {"buffer": stdin})())
        piped = document(files, "-p", "-", "-r", "refs.txt", "-m", "rouge")
    os.dup2(before, 0)
    os.close(before)
    assert piped["metrics"] == from_file["metrics"]


def test_a_baseline_gives_differences_p_and_a_label(files):
    found = document(files, *GOOD, "--baseline", "bad.jsonl", "--metrics", "bleu,ter,exact")
    assert (found["system"], found["baseline"]) == ("good.jsonl", "bad.jsonl")
    for name in ("bleu", "ter"):
        one = found["comparison"]["good.jsonl"][name]
        assert one["label"] == "improved"
        assert 0 < one["low"] < one["difference"] < one["high"]
        assert one["p"] < 0.01
        assert one["wins"] + one["ties"] + one["losses"] == one["n"] == 60
    back = document(files, "-p", "bad.jsonl", *GOOD[2:], "-b", "good.jsonl", "-m", "bleu")
    assert back["comparison"]["bad.jsonl"]["bleu"]["label"] == "regressed"


def test_several_systems_are_compared_with_the_first_and_corrected(files):
    write_lines(files, "copy.jsonl", lines(files, "bad.jsonl"))
    found = document(
        files, "-p", "bad.jsonl", "-p", "good.jsonl", "-p", "copy.jsonl", *GOOD[2:], "-m", "rouge",
        "--test", "randomisation",
    )  # fmt: skip
    assert (found["baseline"], found["system"]) == ("bad.jsonl", "good.jsonl")
    good, copy = (found["comparison"][f"{name}.jsonl"]["rougeL"] for name in ("good", "copy"))
    assert good["test"] == "randomisation"
    assert good["p"] == pytest.approx(2 * good["p_alone"])
    assert (copy["difference"], copy["p"], copy["label"]) == (0, 1, "no evidence")


def test_ids_on_one_side_only_give_no_number(files):
    files.write("".join(row["text"] + "\n" for row in lines(files, "good.jsonl")), "good.txt")
    done = files.inside("score", "-p", "good.txt", *GOOD[2:])
    assert (done.code, done.out) == (4, "")
    assert "good.txt" in done.err and "id" in done.err


def test_slices_by_a_field(files):
    found = document(files, *GOOD, "-b", "bad.jsonl", "--by", "kind", "-m", "rouge")
    slices = found["by"]["kind"]
    assert [(one["value"], one["n"]) for one in slices] == [("a", 30), ("b", 30)]
    for one in slices:
        assert one["metrics"] == one["systems"]["good.jsonl"]["metrics"]
    mean = sum(one["metrics"]["rougeL"]["value"] for one in slices) / 2
    assert mean == pytest.approx(found["metrics"]["rougeL"]["value"])


@pytest.mark.parametrize("suffix", ["jsonl", "parquet"])
def test_each_answers_own_scores_are_written(files, suffix):
    name = f"own.{suffix}"
    found = document(files, *GOOD, "-b", "bad.jsonl", "-m", "bleu,rouge", "--per-example", name)
    path = files.folder / name
    rows = (
        pq.read_table(path).to_pylist() if suffix == "parquet" else
        lines(files, name)
    )  # fmt: skip
    assert len(rows) == 120
    ours = [row for row in rows if row["system"] == "good.jsonl"]
    assert [row["id"] for row in ours] == [f"r{i}" for i in range(60)]
    mean = sum(row["rougeL"] for row in ours) / 60
    assert mean == pytest.approx(found["metrics"]["rougeL"]["value"])
    for row, (answer, refs) in zip(ours, pairs(files, "good.jsonl"), strict=True):
        sentence = sacrebleu.BLEU(effective_order=True).sentence_score(answer, refs)
        assert row["bleu"] == sentence.score


def test_options_and_names_of_entries(files):
    found = document(
        files, *GOOD, "-m", "rouge,stemmed=rouge,bleu",
        "-o", "stemmed.stemmer=true", "-o", "stemmed.types=[rougeL]", "-o", "bleu.lowercase=true",
    )  # fmt: skip
    assert "stemmed-rougeL" in found["metrics"]
    assert "stemmed-rouge1" not in found["metrics"]
    assert "stem:porter" in found["metrics"]["stemmed-rougeL"]["signature"]
    assert "case:lc" in found["metrics"]["bleu"]["signature"]


def test_an_example_without_reference_is_unscored_and_counted(files):
    first, *others = lines(files, "refs.jsonl")
    write_lines(files, "refs.jsonl", [first | {"references": []}, *others])
    found = document(files, *GOOD, "-m", "bleu,rouge,exact")
    for score in found["metrics"].values():
        assert (score["n"], score["unscored"]) == (59, 1)
    assert "1 of 60 examples have no reference" in found["remarks"]


def test_a_team_s_own_metric_from_a_file(files):
    files.write(
        "import harness\n"
        "class Loud(harness.Metric):\n"
        "    '''Share of capital letters.'''\n"
        "    name = 'loud'\n"
        "    def measure(self, prediction, example):\n"
        "        return sum(map(str.isupper, prediction.text)) / max(1, len(prediction.text))\n"
        "@harness.hookimpl\n"
        "def register_metrics():\n"
        "    return [Loud]\n",
        "loud.py",
    )
    found = document(files, *GOOD, "--plugin", "loud.py", "-m", "loud,exact")
    assert found["metrics"]["loud"]["value"] == 0


def test_people_see_tables_signatures_and_what_the_numbers_can_show(files):
    alone = files.inside("score", *GOOD, "-m", "bleu,ter", COLUMNS="80")
    assert alone.code == 0
    assert "95 % interval" in alone.out and "BLEU|nrefs:var" not in alone.out
    assert "--full" in alone.out
    full = files.inside("score", *GOOD, "-m", "bleu,ter", "--full", COLUMNS="80")
    assert "BLEU|nrefs:var" in full.out
    assert "With 60 rows in 30 groups, bleu is known to within" in " ".join(alone.out.split())
    both = files.inside("score", *GOOD, "-b", "bad.jsonl", "-m", "bleu,rouge", COLUMNS="80")
    assert "good.jsonl against bad.jsonl" in both.out and "improved" in both.out
    bleu = document(files, *GOOD, "-b", "bad.jsonl", "-m", "bleu")["comparison"]["good.jsonl"]
    counts = "/".join(str(bleu["bleu"][kind]) for kind in ("wins", "ties", "losses"))
    assert counts in both.out
    assert max(map(len, (alone.out + both.out).split("\n"))) <= 80


@pytest.fixture
def close(project):
    """Pass or fail on 100 rows: old.jsonl fails on 12, new.jsonl on 6 others, right.jsonl never."""
    rows = [{"id": f"r{i}", "references": ["yes"]} for i in range(100)]
    write_lines(project, "refs.jsonl", rows)
    for name, wrong in (("new", range(6)), ("old", range(6, 18)), ("right", ())):
        texts = ["no" if i in wrong else "yes" for i in range(100)]
        answers = [{"id": r["id"], "text": t} for r, t in zip(rows, texts, strict=True)]
        write_lines(project, f"{name}.jsonl", answers)
    return project


CLOSE = ("-p", "new.jsonl", "-b", "old.jsonl", "-r", "refs.jsonl", "-m", "exact")


def test_the_rows_that_ones_own_difference_would_need_are_said(close):
    found = document(close, *CLOSE)
    one = found["comparison"]["new.jsonl"]["exact"]
    assert one["label"] == "no evidence" and one["difference"] == pytest.approx(0.06)
    exact = 100 * (one["detectable"] / one["difference"]) ** 2
    assert exact <= one["rows_needed"] <= 1.1 * exact
    told = f"size seen, +0.06, would take about {one['rows_needed']} rows"
    assert told in found["sentence"]
    three = document(close, "-p", "right.jsonl", *CLOSE)
    assert three["comparison"]["right.jsonl"]["exact"]["label"] == "improved"
    assert f"about {one['rows_needed']} rows (new.jsonl). All of this" in three["sentence"]


@pytest.mark.nightly(but_each=9)
@pytest.mark.parametrize(
    ("asked", "code", "told"),
    [
        (("--require", "improved"), 1, "exact: no evidence, where --require asks for improved"),
        (("--min-gain", "-0.2"), 0, ""),
        (("--min-gain", "0"), 1, "where --min-gain asks for more than +0"),
        (("--require", "improved", "--min-gain", "-0.2"), 1, "no evidence"),
        (("--require", "better"), 2, "--require takes 'improved'"),
        (("--min-gain", "nan"), 2, "--min-gain takes a number"),
        (("--require", "improved", "--primary", "exac"), 2, "did you mean 'exact'?"),
    ],
)
def test_what_is_required_decides_on_the_exit_code(close, asked, code, told):
    for further in ((), ("--json",)):
        done = close.inside("score", *CLOSE, *asked, *further)
        assert (done.code, told in " ".join(done.err.split())) == (code, True), done.err
        assert bool(done.out) == (code < 2)


def test_a_clear_gain_is_as_required_and_no_gain_is_asked_of_one_system(files):
    asked = (*GOOD, "-b", "bad.jsonl", "-m", "rouge")
    gate = ("--require", "improved", "--min-gain", "0.1", "--primary", "rougeL")
    assert files.inside("score", *asked, *gate).code == 0
    unclear = files.inside("score", *asked, "--require", "improved")
    assert unclear.code == 2 and "--primary NAME, of rouge1" in unclear.err
    alone = files.inside("score", *GOOD, "-m", "rouge", *gate)
    assert alone.code == 2 and "one system against one baseline" in alone.err


def test_hostile_names_and_texts_are_only_text(project):
    rows = [
        {"id": f"[red]{i}[/x]", "references": ["\x1b[31m [bold]a[/bold]"], "k": "[/]\x1b]0;x\x07"}
        for i in range(30)
    ]
    write_lines(project, "refs.jsonl", rows)
    answers = [{"id": row["id"], "text": "=cmd() [/foo] \x1b[2J"} for row in rows]
    write_lines(project, "[b]out\x1b[1m.jsonl", answers)
    done = project.inside(
        "score", "-p", "[b]out\x1b[1m.jsonl", "-r", "refs.jsonl", "--by", "k", "-m", "rouge,length"
    )
    assert done.code == 0, done.err
    assert "\x1b" not in done.out


# -- bad input ---------------------------------------------------------------------------------

BAD_ANSWERS = {
    "missing": ('{"id": "r0", "text": "a"}\n', "r1"),
    "none": ('{"id": "r0", "text": null}\n', "null"),
    "nan": ('{"id": "r0", "text": NaN}\n', "NaN"),
    "number": ('{"id": "r0", "text": 7}\n', "number"),
    "nested": ('{"id": "r0", "text": [["a"]]}\n', "list"),
    "empty": ("", "is empty"),
    "not json": ('{"id": "r0", "text": "a"', "good.jsonl:1"),
}


@pytest.mark.nightly(but_each=3)
@pytest.mark.parametrize("case", BAD_ANSWERS)
def test_bad_answers_give_one_message_and_no_number(files, case):
    content, told = BAD_ANSWERS[case]
    files.write(content, "good.jsonl")
    done = files.inside("score", *GOOD, "--per-example", "own.jsonl", "--json")
    assert (done.code, done.out) == (4, "")
    assert told in done.err and "good.jsonl" in done.err
    assert not (files.folder / "own.jsonl").exists()


def test_utf_16_and_a_folder(files):
    (files.folder / "wide.jsonl").write_bytes('{"id": "r0", "text": "a"}\n'.encode("utf-16"))
    (files.folder / "folder.jsonl").mkdir()
    for name in ("wide.jsonl", "folder.jsonl", "absent.jsonl"):
        done = files.inside("score", "-p", name, *GOOD[2:])
        assert (done.code, done.out) == (4, ""), name
        assert name in done.err


def test_surplus_and_doubled_ids_are_named(files):
    more = [{"id": "zzz", "text": "a"}, {"id": "r7", "text": "b"}]
    write_lines(files, "good.jsonl", lines(files, "good.jsonl") + more)
    done = files.inside("score", *GOOD)
    assert done.code == 4
    assert "zzz" in done.err and "r7" in done.err


USAGE = {
    "no references": (("-p", "good.jsonl"), "--references"),
    "no predictions": (("-r", "refs.jsonl"), "--predictions"),
    "unknown metric": ((*GOOD, "-m", "blue"), "did you mean 'bleu'?"),
    "unknown option": ((*GOOD, "-m", "rouge", "-o", "rouge.stemer=1"), "did you mean 'stemmer'?"),
    "option of no metric": ((*GOOD, "-m", "rouge", "-o", "bleu.lowercase=1"), "called 'bleu'"),
    "bad option": ((*GOOD, "-m", "rouge", "-o", "rouge.tokenizer=x"), "tokenizer"),
    "twice": ((*GOOD, "-m", "rouge,r2=rouge,rouge"), "twice"),
    "same scores": ((*GOOD, "-m", "a=exact,exact,b=exact", "-o", "x"), "METRIC.KEY=VALUE"),
    "unknown field": ((*GOOD, "--by", "knd"), "kind"),
    "suffix": ((*GOOD, "--per-example", "own.csv"), ".parquet"),
    "test": ((*GOOD, "--test", "t"), "randomisation"),
    "stdin twice": (("-p", "-", "-r", "-"), "once"),
    "same file": ((*GOOD, "-b", "good.jsonl"), "same file"),
}  # fmt: skip


@pytest.mark.nightly(but_each=4)
@pytest.mark.parametrize("case", USAGE)
def test_wrong_use_is_exit_2(files, case):
    arguments, told = USAGE[case]
    done = files.inside("score", *arguments)
    assert (done.code, done.out) == (2, ""), done.err
    assert told in done.err


BAD_PLUGINS = {
    "remarks raise": ("remarks(self, pairs):\n        raise RuntimeError", "remarks() failed"),
    "remarks text": ("remarks(self, pairs):\n        return 'hm'", "remarks() is the text"),
    "signature": ("signature(self):\n        return 7", "signature() gives a int"),
    "leaves": ("measure(self, p, e):\n        raise SystemExit(0)", "no answer could be"),
}


def plugin(body, name="odd"):
    return (
        "import harness\n"
        "class Odd(harness.Metric):\n"
        "    'An odd one.'\n"
        f"    name = {name!r}\n"
        "    def measure(self, prediction, example):\n"
        "        return 1.0\n"
        f"{body}"
        "@harness.hookimpl\n"
        "def register_metrics():\n"
        "    return [Odd]\n"
    )


@pytest.mark.nightly(but_each=4)
@pytest.mark.parametrize("case", BAD_PLUGINS)
def test_a_plugin_that_misbehaves_is_exit_5(files, case):
    body, told = BAD_PLUGINS[case]
    files.write(plugin(f"    def {body}\n"), "odd.py")
    done = files.inside("score", *GOOD, "--plugin", "odd.py", "-m", "odd")
    assert (done.code, done.out) == (5, "")
    assert told in done.err


def test_what_a_plugin_prints_is_no_part_of_the_document(files):
    loud = plugin("").replace(
        "        return 1.0\n", "        print('HELLO')\n        return 1.0\n"
    )
    files.write(
        f"import os\nprint('HELLO import')\nos.system('echo HELLO shell')\n{loud}", "odd.py"
    )
    done = files.harness("score", *GOOD, "--plugin", "odd.py", "-m", "odd", "--json")
    assert done.code == 0
    assert "HELLO" not in done.out and "HELLO shell" in done.err
    assert done.document["metrics"]["odd"]["value"] == 1


def test_own_scores_never_overwrite_what_is_read_or_their_own_columns(files):
    before = (files.folder / "refs.jsonl").read_bytes()
    done = files.inside("score", *GOOD, "--per-example", "./refs.jsonl", "-m", "length")
    assert (done.code, "this file is read" in done.err) == (2, True)
    assert (files.folder / "refs.jsonl").read_bytes() == before
    files.write(plugin("", "id"), "odd.py")
    done = files.inside(
        "score", *GOOD, "--plugin", "odd.py", "-m", "id", "--per-example", "own.jsonl"
    )
    assert (done.code, "columns of its own called id" in done.err) == (2, True)


def test_the_last_line_speaks_of_the_rows_that_have_a_score(files):
    rows = lines(files, "refs.jsonl")
    bare = [r | {"references": []} if i >= 5 else r for i, r in enumerate(rows)]
    write_lines(files, "refs.jsonl", bare)
    found = document(files, *GOOD, "-m", "rouge")
    assert found["metrics"]["rougeL"]["n"] == 5
    assert "5 rows come from 3 groups" in found["sentence"]


def test_a_field_of_a_systems_file_decides_nothing(files):
    rows = [row | {"group": "all", "kind": "x"} for row in lines(files, "good.jsonl")]
    write_lines(files, "good.jsonl", rows)
    assert document(files, *GOOD, "-m", "exact")["groups"] == 30


def test_slices_keep_their_columns_however_many_scores_there_are(files):
    many = ("-m", "bleu,chrf,ter,rouge,exact")
    done = files.inside("score", *GOOD, "--by", "kind", *many, COLUMNS="80")
    rows = [line.split() for line in done.out.splitlines() if line.startswith(("a  ", "b  "))]
    assert len(rows) > 2
    assert all(row[1] == "30" for row in rows)


@pytest.mark.nightly
def test_a_metric_script_that_fails_is_exit_5(files):
    files.write("import nothing_of_that_name\n", "broken.py")
    done = files.inside(
        "score", *GOOD, "-m", "evaluate", "-o", "evaluate.path=broken.py", "-o", "evaluate.key=x"
    )
    assert (done.code, done.out) == (5, "")
    assert "nothing_of_that_name" in done.err


@pytest.mark.nightly
def test_ctrl_c_leaves_no_half_file(files):
    files.write(
        "import harness, time\n"
        "class Slow(harness.Metric):\n"
        "    '''Takes its time.'''\n"
        "    name = 'slow'\n"
        "    def measure(self, prediction, example):\n"
        "        time.sleep(0.5)\n"
        "        return 1.0\n"
        "@harness.hookimpl\n"
        "def register_metrics():\n"
        "    return [Slow]\n",
        "slow.py",
    )
    process = files.start(
        "score", *GOOD, "--plugin", "slow.py", "-m", "slow", "--per-example", "own.jsonl"
    )
    time.sleep(3)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=LONG)
    assert (process.returncode, out) == (130, "")
    assert "Traceback" not in err
    assert not list(files.folder.glob("*own*"))
