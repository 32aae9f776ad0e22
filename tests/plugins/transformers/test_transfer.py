"""What merged weights hold of a training: faithful ones are accepted, broken ones refused."""

from __future__ import annotations

import dataclasses
import gc
import sys
import weakref
from pathlib import Path
from types import SimpleNamespace

import pytest

import harness
from harness_transformers import devices
from harness_transformers.export.origin import Origin
from harness_transformers.quiet import quietly
from tests.plugins.transformers.test_adapters import adapter
from tests.support.later import Later

torch = Later("torch")
adapters = Later("harness_transformers.adapters")
parity = Later("parity")
transfer = Later("harness_transformers.export.transfer")
weights = Later("harness_transformers.export.weights")

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks"))

BASE = [-3.0, -1.0, -2.0, -0.5]
TUNED = [-1.0, -0.5, -2.5, -0.1]


def test_a_share_of_the_training_is_the_slope():
    part = [before + 0.9 * (after - before) for before, after in zip(BASE, TUNED, strict=True)]
    seen = transfer.transfer(BASE, TUNED, part, transfer.LIMITS["float32"])
    assert (seen.slope, seen.rest) == (pytest.approx(0.9), pytest.approx(0, abs=1e-6))
    assert not seen.holds
    assert transfer.transfer(BASE, TUNED, TUNED, transfer.LIMITS["float32"]).holds


def test_what_has_nothing_to_do_with_the_training_is_the_rest():
    """Of a change across the training nothing is in the slope, by Pythagoras."""
    aside = [after + d for after, d in zip(TUNED, [0.5, -2.0, 0.0, 0.0], strict=True)]
    seen = transfer.transfer(BASE, TUNED, aside, transfer.LIMITS["bfloat16"])
    assert seen.slope == pytest.approx(1.0)
    assert seen.rest == pytest.approx((4.25 / 4.66) ** 0.5)
    assert not seen.holds


@pytest.mark.parametrize(
    ("exported", "holds"), [(BASE, True), ([-3.0, -1.0, -2.0, -0.6], False)], ids=["same", "other"]
)
@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_a_training_that_changed_nothing_divides_by_nothing(exported, holds, dtype):
    seen = transfer.transfer(BASE, BASE, exported, transfer.LIMITS[dtype])
    assert (seen.slope, seen.rest, seen.holds) == (None, None, holds)
    assert "no more than rounding does" in seen.sentences[0]
    if not holds:
        with pytest.raises(harness.DataError) as refused:
            seen.require("", "")
        assert "at most 0.001 nats are rounding" in refused.value.details
        assert not any("slope" in line for line in refused.value.details)
    assert transfer.transfer([], [], [], transfer.LIMITS[dtype]).slope is None


def asked(rows):
    """As :func:`transfer.measured` is given dev: rows, and an answer to each."""
    answers = [harness.Prediction(row.id, "the list") for row in rows]
    return SimpleNamespace(card=SimpleNamespace(examples=rows, predictions=answers))


@pytest.fixture
def tuned(base, tmp_path):
    return adapter(base, tmp_path / "adapter")


@pytest.fixture
def exported(tuned, tmp_path):
    folder = tmp_path / "merged"
    folder.mkdir()
    with quietly():
        weights.write_tokenizer(tuned, folder)
        weights.write_merged(tuned, folder, "bfloat16")
    return harness.Checkpoint("base", str(folder), "w")


def test_one_model_after_the_other_computes_in_float32(tuned, exported, row, monkeypatch):
    """Also where the device is fast at bf16."""
    ready, models = adapters.ready, []

    def watched(*given, **options):
        assert not any(model() for model in models), "another model is in memory"
        model = ready(*given, **options)
        assert {weight.dtype for weight in model.parameters()} == {torch.float32}
        models.append(weakref.ref(model))
        return model

    monkeypatch.setattr(adapters, "ready", watched)
    monkeypatch.setattr(devices, "dtype_of", lambda _: torch.bfloat16)
    origin = Origin(asked([row(1), dataclasses.replace(row(2), references=())]), tuned, {})
    gc.disable()  # a model that is in no circle is gone without it
    try:
        with quietly():
            seen = transfer.measured(exported, origin, transfer.LIMITS["bfloat16"], lambda *_: None)
    finally:
        gc.enable()
    with quietly():
        learned = transfer.encoded(tuned, [row(1), row(2, "the list")])
    assert len(models) == 3
    assert seen.tokens == sum(line.trained for line in learned)
    assert seen.holds


def test_answers_of_other_tokens_are_refused(tuned, exported, row):
    template = Path(exported.path, "chat_template.jinja")
    text = template.read_text()
    assert "message['content']" in text
    template.write_text(text.replace("'\\n' + message", "'\\n\\n' + message"))
    with quietly(), pytest.raises(harness.DataError, match="builds other answers"):
        transfer.measured(
            exported, Origin(asked([row(1)]), tuned, {}), transfer.LIMITS["bfloat16"], print
        )


@pytest.mark.parametrize(("rows", "read"), [(200, 200), (201, 200), (3, 3)])
def test_as_many_rows_as_may_be_are_read(tuned, row, rows, read):
    origin = Origin(asked([row(number) for number in range(rows)]), tuned, {})
    assert len(transfer.answered(origin)) == read


def test_the_page_of_figures_holds_the_record():
    page = (Path(__file__).parents[3] / "benchmarks" / "figures.md").read_text("utf-8")
    assert parity.table(parity.read()) in page


@pytest.fixture(scope="module")
def lines(base, row, tmp_path_factory):
    """(type, way) -> the benchmark's line, of a tiny random model and two trials."""
    torch.manual_seed(7)
    tuned = adapter(base, tmp_path_factory.mktemp("adapter") / "adapter")
    rows = [row(number) for number in range(12)]
    with quietly():
        return {(line["type"], line["way"]): line for line in parity.trials(tuned, rows, 6)}


@pytest.mark.nightly(but_each=18)
@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
@pytest.mark.parametrize("number", range(6))
def test_faithful_exports_are_accepted_and_broken_ones_refused(lines, dtype, number):
    assert len(lines) == 6 * 3
    way = parity.WAYS[number]
    line = lines[dtype, way]
    limits = transfer.LIMITS[dtype]
    refused = [
        line["files"] or not (limits.low <= slope <= limits.high and rest <= limits.rest)
        for _, slope, rest in line["trials"]
    ]
    assert refused == [way != parity.FAITHFUL] * 2


def test_an_adapter_that_changed_nothing_is_exported(base, row, tmp_path):
    tuned = adapter(base, tmp_path / "adapter", size=0.0)
    asked = {"ways": (parity.FAITHFUL,), "types": ("float16",)}
    with quietly():
        (line,) = parity.trials(tuned, [row(1), row(2)], 2, **asked)
    assert line["lost"] == 0.0 and not line["files"]
    assert line["trials"][0][1:] == [None, None]
