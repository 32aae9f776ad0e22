"""``harness data preview``: a row as the model sees it, with what is trained and what is cut."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from harness_rows.commands.data import rendering

from .conftest import Shop, shop, shop_row


def document(*tokens: tuple[str, bool], cut: int = 0, **row: Any) -> dict[str, Any]:
    made = [{"text": text, "trained": trained} for text, trained in tokens]
    kept = {
        "id": "a", "place": "a.csv:1", "split": "train", "problem": "", "left_out": "",
        "rejected": [], "not_rendered": 0, **row,
    }  # fmt: skip
    return {
        "data": "a.csv", "format": (), "unread": 0, "model": "tiny", "trainer": "lora",
        "rows": [{**kept, "tokens": made, "cut": cut}],
    }  # fmt: skip


def shown(found: dict[str, Any], *, colour: bool = False, full: bool = False) -> str:
    out = io.StringIO()
    system = "truecolor" if colour else None
    console = Console(
        file=out, width=80, force_terminal=colour, color_system=system, no_color=not colour,
        _environ={},
    )  # fmt: skip
    rendering.show(found, console, full=full)
    return out.getvalue()


ASKED = (("<|user|>", False), ("Why", False), (" so?", False), ("<|end|>", False))
SAID = (("Be", True), ("cause", True), ("<|end|>", True))


def test_what_is_trained_stands_between_marks() -> None:
    found = shown(document(*ASKED, *SAID))
    assert "<|user|>Why so?<|end|>[[Because<|end|>]]" in found
    assert "end of turn: <|end|> is trained" in found
    assert "as lora trains tiny: [[trained]]" in found
    assert "7 tokens, 3 trained" in found


def test_other_marks_are_taken_where_a_row_has_these() -> None:
    found = shown(document(("see [[1]] ", False), *SAID))
    assert "see [[1]] ⟦Because<|end|>⟧" in found and "tiny: ⟦trained⟧" in found


def test_colours_take_the_place_of_marks() -> None:
    found = shown(document(*ASKED, *SAID), colour=True)
    assert "[[" not in found
    assert "\x1b[32mBecause\x1b[0m" in found and "\x1b[36m<|user|>\x1b[0m" in found


def test_what_is_cut_is_no_more_trained() -> None:
    found = shown(document(*ASKED, *SAID, cut=2, problem="max_length 5 cuts its answer"))
    assert "[[Be]]|cut here|cause<|end|>" in found
    assert "cut: 2 tokens, 2 of them of the answer" in found
    assert "training refuses this row: max_length 5 cuts its answer" in found
    assert "end of turn" not in found


def test_an_end_of_turn_that_is_not_trained_is_said_to_be_so() -> None:
    assert "end of turn: <|end|> is not trained" in shown(
        document(*ASKED, ("yes", True), ("<|end|>", False))
    )


def test_rejected_answers_stand_below_the_row() -> None:
    found = shown(document(*ASKED, *SAID, rejected=["No\x1b[2J\nway."]))
    assert "rejected: No" in found and "way." in found and "\x1b" not in found


def test_controls_are_shown_by_their_numbers() -> None:
    found = shown(document(("a\x1b[31mb\x07\u202ec\r\nd\udc80[/red]", True)))
    assert "a\\x1b[31mb\\x07\\u{202e}c\\r" in found and "d\\u{dc80}[/red]" in found
    assert not set("\x1b\x07\u202e\r") & set(found)


def test_the_middle_of_a_long_text_is_left_out_unless_asked_for() -> None:
    tokens = [(f"word{n} ", False) for n in range(1000)]
    found = shown(document(*tokens, *SAID))
    assert "word0 " in found and "word999" in found and "word500" not in found
    assert "tokens more (--full)" in found
    assert "word500" in shown(document(*tokens, *SAID), full=True)


def test_a_row_that_cannot_be_rendered_says_why() -> None:
    found = shown(document(problem="the chat template refuses it: no system"))
    assert "training refuses this row: the chat template refuses it" in found


def test_rows_are_shown_by_the_trainer_of_the_config(place: Shop) -> None:
    place.write(shop())
    done = place.data("preview", "shop.jsonl", "--rows", "2")
    assert done.code == 0, done.err
    first = shop_row(0)
    assert f"<user> {first['question']} <assistant> [[" in done.out.replace("\n  ", " ")
    assert done.out.count("end of turn: <end> is trained") == 2
    assert "shop.jsonl:1 · train" in done.out


def test_rows_that_cannot_be_read_are_spoken_of(place: Shop) -> None:
    place.write(shop(more=[shop_row(1, answer="")]))
    done = place.data("preview", "shop.jsonl", "--rows", "1")
    assert done.code == 0 and "a problem in these rows: harness data check" in done.out


def test_a_row_is_found_by_its_id_and_by_its_place(place: Shop) -> None:
    place.write([row | {"id": f"r{n}"} for n, row in enumerate(shop())])
    for name in ("r9", "shop.jsonl:10"):
        done = place.data("preview", "shop.jsonl", "--row", name, "--json")
        [row] = done.document["rows"]
        assert (row["id"], row["place"]) == ("r9", "shop.jsonl:10")
        text = "".join(token["text"] for token in row["tokens"])
        assert shop_row(9)["question"] in text
    done = place.data("preview", "shop.jsonl", "--row", "r9999")
    assert done.code == 2 and "no row has the id or place 'r9999'" in done.err


def test_rows_of_a_split_are_shown_and_test_of_a_config_is_not(place: Shop) -> None:
    place.write(shop())
    done = place.data("preview", "shop.jsonl", "--split", "test", "--rows", "1", "--json")
    assert [row["split"] for row in done.document["rows"]] == ["test"]
    done = place.data("preview", "shop.jsonl", "--split", "valid")
    assert done.code == 2 and "splits: train, pool, dev, test" in done.err
    assert place.data("preview", "--split", "dev").code == 0
    for arguments in (["--split", "test"], ["--row", "test-3"]):
        done = place.data("preview", *arguments)
        assert done.code == 2 and "sealed" in done.err


def test_a_trainer_that_cannot_show_rows_says_so(
    place: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (place.folder / "harness.yaml").read_text()
    blind = place.folder / "blind.py"
    blind.write_text(
        "import harness\n\n\nclass Blind(harness.Trainer):\n    '''Shows nothing.'''\n\n"
        "    name = 'blind'\n\n    def train(self, base, train, valid, context):\n"
        "        return base\n\n\n@harness.hookimpl\ndef register_trainers():\n    return [Blind]\n"
    )
    text = text.replace("plugins: [", f"plugins: [{blind}, ")
    (place.folder / "harness.yaml").write_text(
        text.replace("train: {plugin: showing}", "train: blind")
    )
    place.write(shop())
    done = place.data("preview", "shop.jsonl")
    assert done.code == 2 and "the trainer 'blind' cannot show rows" in done.err
    assert place.data("check", "shop.jsonl", *place.columns).code == 0


def test_of_a_row_of_megabytes_the_beginning_and_the_end_are_shown(place: Shop) -> None:
    row = shop_row(1, question="First " + "why " * 500_000 + "last?")
    place.write([row])
    arguments = ("preview", "shop.jsonl", "--row", "shop.jsonl:1")
    [shown_row] = place.data(*arguments, "--json").document["rows"]
    text = "".join(token["text"] for token in shown_row["tokens"])
    assert len(text) < 100_100 and "<user> First why" in text and "why last? <assistant>" in text
    assert shown_row["not_rendered"] == len(row["question"] + row["answer"]) - 100_000
    out = " ".join(place.data(*arguments).out.split())
    assert f"{shown_row['not_rendered']:,} characters of its middle are not rendered" in out
