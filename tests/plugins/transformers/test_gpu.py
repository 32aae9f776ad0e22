"""What a card gives beside plain transformers, by the cells of ``benchmarks/gpu.py``."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks"))
import gpu

CPU = {"device": "cpu", "card": "", "driver": "", "versions": {"torch": "2"}}


@pytest.mark.gpu
@pytest.mark.parametrize("bits", gpu.BITS)
@pytest.mark.parametrize("side", gpu.SIDES["equality"])
def test_a_card_gives_what_plain_layers_give(side: str, bits: str) -> None:
    check_equal(gpu._measured(("equality", "tiny", bits, side), "cuda", 300))


@pytest.mark.gpu
@pytest.mark.parametrize("part", ["training", "answers"])
def test_a_card_trains_and_answers(part: str) -> None:
    found = gpu._measured((part, "tiny", "bf16", "ours"), "cuda", 300)
    assert found and found.get("tokens_per_second"), found


@pytest.mark.nightly(but_each=6)
@pytest.mark.parametrize("side", ["padded", "greedy", "flat"])
@pytest.mark.parametrize("bits", gpu.BITS)
def test_the_same_cells_on_a_cpu(
    side: str, bits: str, monkeypatch: pytest.MonkeyPatch, another: object
) -> None:
    from harness_transformers import loading

    monkeypatch.setattr(loading, "base_of", loading.base_of)  # the cell puts its own there
    check_equal(gpu.cell("equality", "tiny", bits, side, "cpu"))


def check_equal(found: dict[str, float] | None) -> None:
    assert found is not None
    if "equal" in found:
        # Of random weights many tokens are about as likely: bf16 decides between those.
        assert found["equal"] >= found["answers"] / 2 and found["gap"] < 0.1, found
    else:
        assert 0 < found["losses"] < 0.02 and 0 < found["gradients"] < 0.1, found


def test_a_part_goes_on_where_it_was_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[tuple[str, ...]] = []
    answers = iter([{"failed": "out of memory"}, {"tokens_per_second": 5.0, "memory": 1}, None])

    def measured(one: tuple[str, ...], device: str, seconds: float) -> object:
        asked.append(one)
        return next(answers, None)

    monkeypatch.setattr(gpu, "_measured", measured)
    given = argparse.Namespace(
        part="answers", folder=tmp_path, sizes=["tiny"], device="cpu", minutes=7
    )
    gpu._go_on(given)
    assert len(asked) == 3 and "call it again" in capsys.readouterr().out
    with (tmp_path / "answers.jsonl").open("a") as stream:
        stream.write('{"part": "ans')  # as a kill leaves it
    answers = iter([{"tokens_per_second": 5.0, "memory": 1}] * 2)
    gpu._go_on(given)
    every = list(gpu.cells("answers", ["tiny"]))
    assert asked[:2] == every[:2] and asked[3:] == every[2:]
    assert "the part is done" in capsys.readouterr().out


def test_the_table_holds_what_cards_gave_alone(tmp_path: Path) -> None:
    line = {"part": "training", "size": "1B", "bits": "bf16", "side": "ours", **CPU}
    of_card = {**line, "device": "cuda", "card": "H", "driver": "5", "side": "Trainer"}
    result = {"tokens_per_second": 1234.4, "memory": 2**31}
    (tmp_path / "training.jsonl").write_text(json.dumps({**line, **result}) + "\n")
    assert gpu.table(tmp_path) == gpu.NOTHING
    with (tmp_path / "training.jsonl").open("a") as stream:
        stream.write(json.dumps({**of_card, **result}) + "\n")
    assert gpu.table(tmp_path) == (
        "H, driver 5; torch 2.\n\n"
        "| part | model | weights | side | result |\n|---|---|---|---|---|\n"
        "| training | 1B | bf16 | Trainer | 1,234 tokens/s, 2.0 GiB |\n\n"
    )


def test_the_page_has_the_table() -> None:
    [region] = gpu.REGION.findall(gpu.PAGE.read_text(encoding="utf-8"))
    assert region == gpu.table(gpu.RECORDED), "python benchmarks/gpu.py --write"
