"""Real metric scripts of the `evaluate` library, from local files."""

from __future__ import annotations

import math
import os
import subprocess
import sys

import pytest
from pydantic import ValidationError

import harness
from harness.kit import gate
from harness.scoring import MetricEntry, measure, scores
from harness_evaluate import EvaluateMetric

SCRIPT = """
import datasets
import evaluate
{imports}

class Shared(evaluate.Metric):
    def _info(self):
        return evaluate.MetricInfo(
            description="share of the reference's words that the answer has",
            citation="",
            inputs_description="",
            features=datasets.Features(
                {{"predictions": datasets.Value("string"), "references": {references}}}
            ),
        )

    def _compute(self, predictions, references, **args):
        print("a noisy script")
        shares = [
            len(set(p.split()) & set(r.split())) / len(set(r.split()))
            for p, r in zip(predictions, references)
        ]
        return {result}
"""
LISTS = """datasets.Sequence(datasets.Value("string"))"""
ONE_NUMBER = """{"shared": sum(shares) / len(shares)}"""
BEST = """{"shared": [max(len(set(p.split()) & set(r.split())) for r in rs)
            for p, rs in zip(predictions, references)]}"""


@pytest.fixture
def make(tmp_path):
    """(result, references, imports, options) -> a metric with a script of its own."""

    def metric(result=ONE_NUMBER, references="""datasets.Value("string")""", imports="",
               text=None, **options):  # fmt: skip
        path = tmp_path / "shared_words.py"
        path.write_text(
            text or SCRIPT.format(result=result, references=references, imports=imports)
        )
        return EvaluateMetric(EvaluateMetric.Options(path=path, **{"key": "shared"} | options))

    return metric


def _pair(name, answer, *references):
    example = harness.Example(name, ({"role": "user", "content": "?"},), references)
    return harness.Prediction(name, answer), example


PAIRS = [
    _pair("a", "one two", "one two three four"),
    _pair("b", "five", "five"),
    _pair("c", "six"),
    _pair("d", "seven", "eight nine"),
]


@pytest.mark.nightly(but_each=2)
@pytest.mark.parametrize("result", [ONE_NUMBER, """{"shared": shares}"""])
def test_each_answer_gets_the_scripts_value(make, result):
    entry = MetricEntry("evaluate", make(result))
    found = measure(entry, PAIRS)
    assert [m.statistics for m in found] == [(0.5,), (1.0,), None, (0.0,)]
    score = scores(entry, found, {}, 1)["shared"]
    assert score.value == 0.5 and score.unscored == 1 and score.low is not None


def test_a_script_with_a_number_for_each_answer_is_called_for_many_at_once(make):
    metric = make("""{"shared": shares, "calls": [float(len(shares)) for _ in shares]}""")
    assert metric.measure_all(PAIRS) == [metric.measure(*pair) for pair in PAIRS]
    calls = make("""{"shared": [float(len(shares)) for _ in shares]}""")
    assert calls.measure_all(PAIRS) == [1.0, 1.0, None, 1.0], "values may not depend on the block"


def test_the_corpus_has_one_number_without_an_interval(make):
    entry = MetricEntry("evaluate", make("""{"shared": max(shares)}""", per="corpus"))
    assert not entry.metric.additive
    found = measure(entry, PAIRS)
    score = scores(entry, found, {}, 1, pairs=PAIRS)["shared"]
    assert score.value == 1.0 and score.low is None and score.high is None
    (remark,) = entry.metric.remarks(PAIRS)
    assert "3 answers" in remark and "no interval" in remark
    again = type(entry.metric)(entry.metric.options)
    assert again.corpus(PAIRS) == {"shared": 1.0}


def test_the_remark_says_what_the_mean_is(make):
    [remark] = make().remarks(PAIRS)
    assert "3 answers" in remark and "per: corpus" in remark


def test_several_references_are_a_list_of_lists(make):
    pairs = [_pair("a", "x y", "x", "x y z"), _pair("b", "x", "q"), _pair("c", "x")]
    metric = make(BEST, LISTS)
    text = metric.options.path.read_text().replace("shares = [", "shares = [] and [")
    assert make(text=text).measure_all(pairs) == [2.0, 0.0, None]


def test_a_script_of_one_reference_leaves_an_answer_with_two_unscored(make):
    pairs = [*PAIRS, _pair("e", "x", "x", "y")]
    found = measure(MetricEntry("evaluate", make()), pairs)
    assert [m.statistics for m in found] == [(0.5,), (1.0,), None, (0.0,), None]
    assert "takes one reference" in found[-1].error


def test_an_answer_that_the_script_fails_on_is_alone_unscored(make):
    pairs = [*PAIRS, _pair("e", "x", ""), _pair("f", "\ud800 \x00", "\ud800 y")]
    for result in (ONE_NUMBER, """{"shared": shares}"""):
        found = measure(MetricEntry("evaluate", make(result)), pairs)
        assert [m.statistics for m in found][-2:] == [None, (0.5,)]
        assert "ZeroDivisionError" in found[-2].error
        assert found[0].statistics == (0.5,)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"key": "bleu"}, "gives shared, not 'bleu'"),
        ({"result": """{"shared": "good"}"""}, "is a str where a number is due"),
        ({"result": """{"shared": [0.1, 0.2, 0.3, 0.4, 0.5]}"""}, "5 numbers for"),
        ({"result": """{"shared": ["a"] * len(shares)}"""}, "is a str where"),
        ({"result": """{"shared": {}}"""}, "is a dict where"),
        ({"result": "[0.5]"}, "gave a list where a dict is due"),
        ({"result": "None"}, "gave a NoneType where a dict is due"),
        ({"imports": "import no_such_module_here"}, "no_such_module_here"),
        ({"imports": "raise SystemExit(3)"}, "SystemExit: 3"),
        ({"imports": "import os, sys"}, "the metric script cannot be loaded"),
        ({"imports": "from .far import x  # From: https://example.org/far.py"}, "would fetch"),
        ({"text": "this is no Python"}, "SyntaxError"),
        ({"text": "x = 1"}, "shared_words.py: the metric script cannot be loaded"),
    ],
)
@pytest.mark.parametrize("per", ["example", "corpus"])
def test_a_broken_script_is_a_failed_plugin(make, change, problem, per):
    metric = make(**change, per=per)
    with pytest.raises(harness.PluginError) as failure:
        metric.corpus(PAIRS) if per == "corpus" else metric.measure_all(PAIRS)
    assert problem in str(failure.value) and "shared_words.py" in str(failure.value)
    assert failure.value.exit_code == 5 and failure.value.hint
    if per == "example":
        with pytest.raises(harness.PluginError):
            metric.measure(*PAIRS[0])


@pytest.mark.parametrize(
    "result", ["""{"shared": shares}""", """{"shared": float("nan")}""", """{"shared": 1 / 0}"""]
)
def test_a_corpus_without_a_number_is_a_failed_plugin(make, result):
    with pytest.raises(harness.PluginError):
        MetricEntry("evaluate", make(result, per="corpus")).corpus(PAIRS)


def test_numbers_of_numpy_are_numbers(make):
    import numpy as np

    metric = make("""{"shared": np.float32(0.25)}""", imports="import numpy as np")
    assert metric.measure(*PAIRS[0]) == 0.25
    metric = make("""{"shared": np.array(shares)}""", imports="import numpy as np")
    assert metric.measure_all(PAIRS) == [0.5, 1.0, None, 0.0]
    assert math.isnan(make("""{"shared": float("nan")}""").measure(*PAIRS[0])), np.nan


@pytest.mark.parametrize("name", ["accuracy", "accuracy.py", "a/b", "../accuracy", "folder"])
def test_a_path_that_is_not_there_never_becomes_a_name_of_the_hub(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    metric = EvaluateMetric(EvaluateMetric.Options(path=name, key="x"))
    for call in (metric.inputs, lambda: metric.measure_all(PAIRS), lambda: metric._script()):
        with pytest.raises(harness.ConfigError, match="no such metric script"):
            call()


def test_a_folder_has_the_script_of_its_name(make, tmp_path):
    script = make().options.path
    folder = tmp_path / "shared_words"
    folder.mkdir()
    (folder / "shared_words.py").write_text(script.read_text())
    (folder / "help.py").write_text("")
    metric = EvaluateMetric(EvaluateMetric.Options(path=folder, key="shared"))
    assert [path.name for path in metric.inputs()] == ["shared_words.py", "help.py"]
    assert metric.measure(*PAIRS[0]) == 0.5


def test_a_changed_script_has_another_signature_and_other_values(make):
    first = make()
    signature = first.signature()
    assert first.measure(*PAIRS[0]) == 0.5
    second = make("""{"shared": 0.125}""")
    assert second.signature() != signature
    assert second.measure(*PAIRS[0]) == 0.125
    assert make(args={"x": 1}).signature() != make(args={"x": 2}).signature()
    assert make(per="corpus").signature() != make().signature()


def test_what_a_script_imports_from_beside_it_is_an_input(make, tmp_path):
    (tmp_path / "helper.py").write_text("HALF = 0.5\n")
    metric = make("""{"shared": HALF}""", imports="from .helper import HALF")
    assert [path.name for path in metric.inputs()] == ["shared_words.py", "helper.py"]
    assert metric.measure(*PAIRS[1]) == 0.5


def test_a_script_that_somebody_elses_config_names_is_not_run(make):
    metric = make(ONE_NUMBER)
    with gate.fresh():
        gate.close("run x")
        with pytest.raises(gate.Untrusted, match="the script"):
            metric.measure(*PAIRS[0])


def test_options_that_cannot_be():
    for options in [{}, {"path": "a.py", "hub": "accuracy"}, {"hub": "../x"}, {"hub": "https://x.org/y"},
     {"path": "a.py", "args": {"references": []}}, {"path": "a.py", "per": "answer"}]:  # fmt: skip
        with pytest.raises(ValidationError):
            EvaluateMetric.Options(key="x", **options)


def test_direction_and_names(make):
    assert make().higher_is_better and not make(better="lower").higher_is_better
    assert make().score_names() == ("shared",)


def test_a_local_folder_cannot_pose_as_the_hubs_metric(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "accuracy").mkdir()
    (tmp_path / "accuracy" / "accuracy.py").write_text("raise RuntimeError")
    metric = EvaluateMetric(EvaluateMetric.Options(hub="accuracy", key="accuracy"))
    with pytest.raises(harness.ConfigError, match="has the name"):
        metric.measure(*PAIRS[0])


@pytest.mark.nightly
def test_a_hub_that_is_away_is_told(tmp_path):
    code = (
        "import harness; from harness_evaluate import EvaluateMetric as M\n"
        "m = M(M.Options(hub='accuracy', key='accuracy'))\n"
        "p = harness.Prediction('1', 'a'), harness.Example('1', (), ('a b',))\n"
        "try: m.measure(*p)\n"
        "except harness.EnvironmentFailure as e: print(e); raise SystemExit(e.exit_code)\n"
    )
    offline = {"HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": "1", "HF_EVALUATE_OFFLINE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **offline}, capture_output=True, text=True
    )
    assert done.returncode == 3, done.stderr
    assert done.stdout.startswith("hub: accuracy: the Hub's metric is not available")


def test_importing_the_plugin_imports_no_evaluate():
    code = "import sys, harness_evaluate; sys.exit('evaluate' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
