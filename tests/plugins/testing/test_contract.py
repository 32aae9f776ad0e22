"""The conformance kit finds each fault, says it in a line, and holds its tongue otherwise."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import unittest
from pathlib import Path
from typing import Any

import pytest
from pydantic import ConfigDict

import harness
from harness.errors import ConfigError, EnvironmentFailure, PluginError, UsageError
from harness_testing import check, metric_rules, rules
from tests.support.project import FAKES
from tests.support.waiting import LONG

# -- a sound metric, and one for each fault -------------------------------------------------


def recall(prediction, example, best=max):
    """Share of a reference's words in the answer, over the references; None without any."""
    if not example.references:
        return None
    said = set(prediction.text.split())
    return best(len(said & set(r.split())) / max(len(r.split()), 1) for r in example.references)


class Sound(harness.Metric):
    """Share of the reference's words that the answer contains."""

    name = "sound-recall"
    revision = 2

    def measure(self, prediction, example):
        return recall(prediction, example)


def work(self, *given):
    return None


SOUND = dict.fromkeys(["measure", "train", "propose", "rows", "intent", "left", "carry_out"], work)


class BadName(Sound):
    """Its name has a blank and capitals."""

    name = "Sound Recall"


class TakenName(Sound):
    """Its name is that of an installed one."""

    name = "exact"


class Undocumented(Sound):
    name = "undocumented"


class OddArguments(Sound):
    """Its method cannot be called as the core calls it."""

    name = "odd-arguments"

    def beside(self, own):
        return self


class ShowsTooMuch(harness.Trainer):
    """Its method to show rows takes other arguments than the core gives."""

    name = "shows-too-much"

    def train(self, base, train, valid, context):
        return base

    def rendered(self, base, row):
        return []


class OddScoreNames(Sound):
    """It gives a text where names are due, of which each letter would be a score."""

    name = "odd-score-names"

    def score_names(self):
        return "r"


class OddCaveat(Sound):
    """It says nothing where a text is due."""

    name = "odd-caveat"

    def caveat(self):
        return None


class NeverRight(Sound):
    """No value can be right."""

    name = "never-right"
    right_at = 30.0


class OddDirection(Sound):
    """Its direction is a word."""

    name = "odd-direction"
    higher_is_better = "yes"  # type: ignore[assignment]


class OddBounds(Sound):
    """Its bounds are the wrong way round."""

    name = "odd-bounds"
    bounds = (1.0, 1.0)


class Idle(harness.Metric):
    """It measures nothing."""

    name = "idle"


class TypoFriendly(Sound):
    """It takes any option."""

    name = "typo-friendly"

    class Options(harness.Options, extra="ignore"):
        pass


class Mutable(Sound):
    """Its options can be changed."""

    name = "mutable"

    class Options(harness.Options, frozen=False):
        pass


class Reserved(Sound):
    """It wants a key of the core."""

    name = "reserved"

    class Options(harness.Options):
        plugin: str = "x"


class BadDefault(Sound):
    """Its default would be refused, did it not switch that off."""

    name = "bad-default"

    class Options(harness.Options):
        model_config = ConfigDict(validate_default=False)
        words: int = "many"  # type: ignore[assignment]


class Boundless(Sound):
    """Its default does not survive JSON."""

    name = "boundless"

    class Options(harness.Options):
        most: float = float("inf")


class Unrevised(Sound):
    """Its revision counts from 0."""

    name = "unrevised"
    revision = 0


class Misplaced(Sound):
    """Its own check names an option that it does not have."""

    name = "misplaced"

    def check(self, settings):
        return [harness.Problem("there is no such file", ("file",))]


class MarksRows(Sound):
    """It keeps notes in the rows that it is given."""

    name = "marks-rows"

    def measure(self, prediction, example):
        example.meta["seen"] = True
        return recall(prediction, example)


class Exclaims(Sound):
    """Its remarks are one text."""

    name = "exclaims"

    def remarks(self, pairs):
        return "long answers"


class Percent(Sound):
    """It gives percent and says shares."""

    name = "percent"

    def measure(self, prediction, example):
        value = recall(prediction, example)
        return None if value is None else 100 * value


class Backwards(Sound):
    """It says that lower is better."""

    name = "backwards"
    higher_is_better = False


class Divider(Sound):
    """It divides by the length of the answer."""

    name = "divider"

    def measure(self, prediction, example):
        value = recall(prediction, example)
        return value if value is None else value * len(prediction.text) / len(prediction.text)


class NotANumber(Sound):
    """It gives NaN for an answer without words."""

    name = "not-a-number"

    def measure(self, prediction, example):
        value = recall(prediction, example)
        return float("nan") if value is not None and not prediction.text.split() else value


class Chatty(Sound):
    """It tells of odd texts."""

    name = "chatty"

    def measure(self, prediction, example):
        if "\x1b" in prediction.text:
            print("an odd one:", prediction.text)
        return recall(prediction, example)


class LastReference(Sound):
    """It takes the last reference."""

    name = "last-reference"

    def measure(self, prediction, example):
        return recall(prediction, example, best=next)


class Careless(Sound):
    """It takes an example without references for a bad answer."""

    name = "careless"

    def measure(self, prediction, example):
        return recall(prediction, example) or 0.0


class Crashing(Sound):
    """It fails where there is no reference."""

    name = "crashing"

    def measure(self, prediction, example):
        return recall(prediction, example) if example.references else max(())


class FirstCounts(Sound):
    """Its score of the set is that of the first row."""

    name = "first-counts"
    additive = False
    measure = harness.Metric.measure

    def corpus(self, pairs):
        values = [recall(*pair) or 0.0 for pair in pairs]
        return {self.name: values[0] * 0.9 + sum(values) / len(values) * 0.1}


class Hashing(Sound):
    """It depends on hash(), which differs between processes."""

    name = "hashing"

    def measure(self, prediction, example):
        value = recall(prediction, example)
        return value if value is None else 0.9 * value + hash(prediction.text) % 97 / 1000


class Coarse(Sound):
    """It rounds in batches."""

    name = "coarse"

    def measure_all(self, pairs):
        values = [recall(*pair) for pair in pairs]
        return [value if value is None else round(value, 3) for value in values]


class CountsRows(Sound):
    """It divides by a number of rows of its own."""

    name = "counts-rows"

    def aggregate(self, sums, weights):
        return sums / 10


class Flat(Sound):
    """It takes all sums for those of one set."""

    name = "flat"

    def aggregate(self, sums, weights):
        return sums / weights.max()


class Shapeless(Sound):
    """It cannot work on a table of sums."""

    name = "shapeless"

    def aggregate(self, sums, weights):
        return sums / weights.reshape(-1, 1) if weights.ndim else sums / weights


class Spoiler(Sound):
    """It writes into what it is given."""

    name = "spoiler"

    def aggregate(self, sums, weights):
        result = sums / weights[..., None]
        sums *= 0
        return result


class Dropping(Sound):
    """It drops rows that it cannot score."""

    name = "dropping"

    def measure_all(self, pairs):
        values = [recall(*pair) for pair in pairs]
        return [value for value in values if value is not None]


class Silent(Sound):
    """It says nothing of its options."""

    name = "silent"

    class Options(harness.Options):
        ignore_case: bool = False

    def signature(self):
        return self.name

    def measure(self, prediction, example):
        if not self.options.ignore_case:
            return recall(prediction, example)
        lowered = harness.Example("a", (), tuple(r.lower() for r in example.references))
        return recall(harness.Prediction("a", prediction.text.lower()), lowered)


class Unsigned(Sound):
    """It has no signature."""

    name = "unsigned"

    def signature(self):
        return ""


class Homely(Sound):
    """Its signature holds a path."""

    name = "homely"

    def signature(self):
        return f"{self.name}|words:/home/me/words.txt"


class Addressed(Sound):
    """Its signature holds an address."""

    name = "addressed"

    def signature(self):
        return f"{self.name}|by:<function f at 0x7f3a5c01d2e0>"


class Local(Sound):
    """It is another one in each process."""

    name = "local"

    def signature(self):
        return f"{self.name}|process:{os.getpid()}"


class Loud(Sound):
    """It writes past sys.stdout."""

    name = "loud"

    def measure(self, prediction, example):
        os.write(2, b"[loud]")
        return recall(prediction, example)


FAULTY = [
    (BadName, "contract", "name 'Sound Recall' cannot be used. Use lower case letters"),
    (TakenName, "contract", "'exact' exists already, from harness_text"),
    (Undocumented, "contract", "no docstring"),
    (OddArguments, "contract", "beside(self, own) cannot be called"),
    (OddScoreNames, "contract", 'score_names() is the text "r"'),
    (OddCaveat, "contract", "caveat() gives None"),
    (NeverRight, "contract", "right_at is 30.0, outside of the bounds 0 to 1"),
    (TypoFriendly, "options", "an option that does not exist is accepted"),
    (Mutable, "options", "can be changed"),
    (Reserved, "options", "'plugin' can never be given"),
    (BadDefault, "options", "the default of 'words' ('many') is not valid"),
    (Boundless, "options", "do not survive JSON"),
    (Unrevised, "revision", "revision is 0"),
    (Misplaced, "check", "which is none of its options"),
    (MarksRows, "measure", "it changed what it was given to read: row 'row-0': meta"),
    (Exclaims, "measure", 'remarks() is the text "long answers"'),
    (Percent, "bounds", "outside of 0 to 1. Correct `bounds`"),
    (Backwards, "direction", "Set `higher_is_better = True`"),
    (Divider, "texts", "an empty text as answer: ZeroDivisionError"),
    (NotANumber, "texts", "an empty text as answer"),
    (Chatty, "texts", "terminal commands: it prints"),
    (LastReference, "references", "references in another order"),
    (Careless, "no-reference", "without references it gives 0.0. Begin measure() with"),
    (Crashing, "no-reference", "without references: ValueError"),
    (FirstCounts, "permutation", "with the rows in another order"),
    (Hashing, "determinism", "a fresh process gives other numbers"),
    (Coarse, "batch", "in blocks of 1, an example gets"),
    (CountsRows, "additivity", "every row has the weight 2. Divide by the sum of the weights"),
    (Flat, "additivity", "several sums at once"),
    (Shapeless, "additivity", "maps sums (..., 1) and weights (...) to (..., 1)"),
    (Spoiler, "additivity", "changes the arrays"),
    (Dropping, "batch", "gives 0 results for 1 examples"),
    (Silent, "signature", "'ignore_case' changes the scores, but not the signature"),
    (Unsigned, "signature", "gives ''"),
    (Homely, "signature", "holds a path"),
    (Addressed, "signature", "holds an address"),
    (Local, "rebuild", "it says it is local|process:"),
    (Loud, "quiet", "[loud]"),
]


def without_a_process(plugin: Any) -> None:
    """Make the class one that no other process can find: the kit then starts none (0.3 s)."""
    plugin.__qualname__ = f"test.<locals>.{plugin.__name__}"


def failures(plugin: Any, options: Any = None) -> dict[str, str]:
    return {o.rule: o.message for o in check(plugin, options) if o.status == "failed"}


@pytest.mark.nightly(but_each=9)
@pytest.mark.parametrize(
    ("plugin", "rule", "words"), FAULTY, ids=[plugin.__name__ for plugin, _, _ in FAULTY]
)
def test_each_fault_breaks_its_rule_and_no_other(plugin, rule, words):
    if rule not in ("determinism", "rebuild", "quiet"):
        without_a_process(plugin)
    found = failures(plugin)
    assert list(found) == [rule], found
    assert words in found[rule]
    assert "\n" not in found[rule]


def test_every_rule_finds_some_fault():
    """Isolation never fails: it warns, and is tested below."""
    found = {rule for _, rule, _ in FAULTY}
    assert found | {"isolation"} == {rule.id for rule in metric_rules()}


class Listed(harness.Metric):
    """Reads a list in a folder."""

    name = "listed"

    class Options(harness.Options):
        folder: Path

    def __init__(self, options=None):
        super().__init__(options)
        self.words = (self.options.folder / "list.txt").read_text().split()

    def measure(self, prediction, example):
        return float(any(word in prediction.text for word in self.words))


class Forgetful(Listed):
    """The same, which has forgotten by then where the list lies."""

    name = "forgetful"

    def __init__(self, options=None):
        super().__init__(options)
        self.options = self.options.model_copy(update={"folder": Path("gone")})


@pytest.mark.nightly
def test_the_content_of_a_path_has_to_be_part_of_the_key(tmp_path):
    (tmp_path / "words").mkdir()
    (tmp_path / "words" / "list.txt").write_text("one two")
    options = {"folder": tmp_path / "words"}
    told = {plugin: check(plugin, options)[0] for plugin in (Listed, Forgetful)}
    assert told[Listed].rule == "contract" and told[Listed].status == "ok"
    assert told[Forgetful].status == "failed"
    assert "the content of the option 'folder' is not part of its key" in told[Forgetful].message


@pytest.mark.nightly(but_each=5)
@pytest.mark.parametrize(
    ("base", "name", "value", "words"),
    [
        ("Section", "order", "late", '"late", where a valid integer is due'),
        ("Augmenter", "remedy", 5, "the number 5, where a valid string is due"),
        ("Augmenter", "draws_from", "pool", 'where a list or tuple, as ["pool"], is due'),
        ("Augmenter", "writes", "x", "where a valid boolean is due"),
        ("Trainer", "libraries", 5, "the number 5, where an instance of Sequence is due"),
        ("Trainer", "reported", (3,), "[0] is the number 3, where a valid string is due"),
        ("Trainer", "accepts", "base", "where a valid frozenset is due"),
        ("Metric", "libraries", "sacrebleu", 'where a list or tuple, as ["sacrebleu"], is due'),
        ("Metric", "bounds", (0, "1"), '[1] is the text "1", where a valid number is due'),
        ("Experiment", "document", "Found", "where a type is due"),
    ],
)
def test_attributes_are_of_the_types_that_the_contract_names(base, name, value, words):
    kind = getattr(harness, base)
    members = {"__doc__": "It is odd.", "name": "odd-one", **SOUND, name: value}
    plugin = type(
        "OddOne", (kind,), {k: v for k, v in members.items() if k == name or hasattr(kind, k)}
    )
    without_a_process(plugin)
    [contract] = [rule for rule in rules(kind.stage) if rule.id == "contract"]
    with pytest.raises(AssertionError) as caught:
        contract.check(plugin)
    assert f"`{name}` of the {kind.stage} 'odd-one'" in str(caught.value)
    assert words in str(caught.value)


def test_a_library_that_is_not_installed_is_noted():
    class Lacks(Sound):
        """It names a distribution that there is not."""

        name = "lacks"
        libraries = ("no-such-distribution",)

    told = check(Lacks)[0]
    assert (told.rule, told.status) == ("contract", "note")
    assert "no distribution 'no-such-distribution' is installed here" in told.message


def test_arguments_of_optional_methods_are_looked_at():
    without_a_process(ShowsTooMuch)
    assert "rendered(self, base, row) cannot be called" in failures(ShowsTooMuch)["contract"]


@pytest.mark.parametrize("plugin", [Idle, OddDirection, OddBounds], ids=lambda p: p.__name__)
def test_a_broken_contract_is_told_although_more_breaks(plugin):
    without_a_process(plugin)
    assert "contract" in failures(plugin)


class Uneven(Sound):
    """It gives more numbers where there are more references."""

    name = "uneven"

    def measure(self, prediction, example):
        value = recall(prediction, example)
        return None if value is None else [value] * len(example.references)


def test_statistics_of_several_lengths_are_told():
    without_a_process(Uneven)
    assert "examples have 1 or 2 or 3 statistics. Return the same" in failures(Uneven)["additivity"]


def test_a_sound_metric_obeys_all():
    outcomes = check(Sound)
    assert {o.status for o in outcomes} == {"ok"}
    assert [o.rule for o in outcomes] == [str(rule) for rule in metric_rules()]
    assert all(o.seconds >= 0 for o in outcomes)


# -- notes and skips ------------------------------------------------------------------------


class Average(Sound):
    """The mean over the references."""

    name = "average"

    def measure(self, prediction, example):
        return recall(prediction, example, best=lambda v: (w := sorted(v)) and sum(w) / len(w))


class Refusing(Sound):
    """It does not score answers without words."""

    name = "refusing"

    def measure(self, prediction, example):
        return recall(prediction, example) if prediction.text.split() else None


class Encoding(Sound):
    """It needs UTF-8."""

    name = "encoding"

    def measure(self, prediction, example):
        prediction.text.encode()
        return recall(prediction, example)


class Smooth(Sound):
    """Its sum is smoothed a little."""

    name = "smooth"

    def aggregate(self, sums, weights):
        return (sums + 0.01) / (weights + 0.01)[..., None]


class Constant(Sound):
    """It looks at the reference alone."""

    name = "constant"

    def measure(self, prediction, example):
        return max((min(len(r) / 1000, 1) for r in example.references), default=None)


def test_what_may_be_meant_is_a_note():
    for plugin, rule, words in [
        (Average, "references", "one more reference can make average worse"),
        (Refusing, "texts", "an empty text stays unscored"),
        (Encoding, "texts", "half characters, which no UTF-8 can hold, stay unscored"),
        (Smooth, "additivity", "right only for a smoothed score"),
        (Constant, "direction", "exactly as an unrelated answer"),
    ]:
        without_a_process(plugin)
        outcomes = check(plugin)
        found = next(o for o in outcomes if o.rule == rule)
        assert (found.status, words in found.message) == ("note", True), found
        assert "failed" not in {o.status for o in outcomes}, plugin


class Grades(Sound):
    """It gives a word."""

    name = "grades"

    def measure(self, prediction, example):
        return "good"


class Names(Sound):
    """It gives its score a name."""

    name = "names"

    def measure(self, prediction, example):
        return {"recall": recall(prediction, example)}


class Divides(Sound):
    """It divides by nothing."""

    name = "divides"

    def measure(self, prediction, example):
        return recall(prediction, example) / 0


@pytest.mark.nightly(but_each=3)
@pytest.mark.parametrize(
    ("plugin", "words", "line"),
    [
        (Grades, "no ordinary answer: it gave a text where a number is due: 'good'", 0),
        (Names, "a dict where numbers are due (TypeError: their order is not fixed)", 0),
        (Divides, "no ordinary answer: ZeroDivisionError: float division by zero", 1),
    ],
)
def test_a_metric_that_scores_nothing_breaks_one_rule_which_names_the_line(plugin, words, line):
    outcomes = check(plugin)
    [broken] = [found for found in outcomes if found.status == "failed"]
    place = f"({Path(__file__).name}:{plugin.measure.__code__.co_firstlineno + line})"
    assert broken.rule == "measure" and f"{words} {place}" in broken.message
    skipped = [found for found in outcomes if found.status == "skipped"]
    assert len(skipped) == 10
    assert {found.message for found in skipped} == {"not tried, since the rule measure is broken"}


class Required(harness.Metric):
    """Share of the required words that the answer contains."""

    name = "required"

    class Options(harness.Options):
        words: list[str]

    def measure(self, prediction, example):
        return sum(w in prediction.text for w in self.options.words) / len(self.options.words)


@pytest.mark.nightly
def test_a_metric_that_ignores_references_skips_their_rules():
    skipped = [o for o in check(Required, {"words": ["refund"]}) if o.status != "ok"]
    assert [o.rule for o in skipped] == ["direction", "references"]
    assert all("do not depend on the references" in o.message for o in skipped)


def test_options_that_are_needed_are_asked_for():
    with pytest.raises(ConfigError) as caught:
        check(Required)
    assert caught.value.hint.startswith("give options: words (")
    assert "words: is needed" in str(caught.value)


def test_a_metric_of_whole_sets_is_checked_as_one():
    class Whole(harness.Metric):
        """Share of the answers that are distinct."""

        name = "whole"
        additive = False

        def corpus(self, pairs):
            return {"whole": len({p.text for p, _ in pairs}) / len(pairs)}

    found = {o.rule: o for o in check(Whole)}
    assert {o.status for o in found.values()} == {"ok", "skipped"}
    assert found["additivity"].message.startswith("not additive: corpus() gives whole 1")
    assert "whole sets only" in found["batch"].message
    assert "defined inside a function" in found["rebuild"].message


def test_a_metric_of_batches_only_is_checked():
    class Batches(harness.Metric):
        """Recall, in batches."""

        name = "batches"

        def measure_all(self, pairs):
            return [recall(*pair) for pair in pairs]

    assert not failures(Batches)


def test_a_metric_may_bring_its_own_rows():
    class Labelled(harness.Metric):
        """1 if the answer names the row's label."""

        name = "labelled"

        def measure(self, prediction, example):
            return float(example.meta["label"] in prediction.text)

    row = harness.Example("a", (), ("red",), meta={"label": "red"})
    pairs = [(harness.Prediction(str(n), text), row) for n, text in enumerate(["red", "no"])]
    assert "KeyError" in failures(Labelled)["measure"]
    broken = [o.rule for o in check(Labelled, pairs=pairs) if o.status == "failed"]
    assert not broken


def test_a_metric_that_cannot_work_here_says_so():
    class Lacking(Sound):
        """It needs a package."""

        name = "lacking"

        def measure(self, prediction, example):
            raise harness.EnvironmentFailure("no package")

    with pytest.raises(EnvironmentFailure, match="no package"):
        check(Lacking)


def test_a_metric_that_ends_the_process_does_not_end_the_kit():
    class Leaving(Sound):
        """It leaves."""

        name = "leaving"

        def measure(self, prediction, example):
            sys.exit(3)

    assert "SystemExit" in failures(Leaving)["measure"]


# -- rules as tests, and other stages -------------------------------------------------------


@pytest.mark.nightly(but_each=20)
@pytest.mark.parametrize("rule", metric_rules(), ids=str)
def test_conformance_as_authors_write_it(rule):
    rule.check(Sound)


def test_a_rule_as_a_test_raises_the_line_or_skips():
    by_id = {str(rule): rule for rule in metric_rules()}
    with pytest.raises(AssertionError, match=r"^direction: .*higher_is_better = True"):
        by_id["direction"].check(Backwards)
    with pytest.raises(unittest.SkipTest, match="do not depend"):
        by_id["direction"].check(Required, {"words": ["x"]})
    assert all(rule.about for rule in by_id.values())


def test_other_stages_have_the_common_rules():
    class Nothing(harness.Detector):
        """It finds nothing and has nothing to find."""

        name = "nothing"

        def categories(self):
            return {}

        def detect(self, scored):
            return ()

    ids = ["contract", "options", "revision", "check", "work", "rebuild", "quiet", "isolation"]
    assert [str(rule) for rule in rules("detector")] == ids
    assert "categories() gives {}" in failures(Nothing)["contract"]


# -- harness plugins check ------------------------------------------------------------------


FILE = '''
import harness

class Words(harness.Metric):
    """How many words of a list the answer has."""

    name = "own-words"
    bounds = (0.0, 9.0)

    class Options(harness.Options):
        words: list[str]

    def measure(self, prediction, example):
        return float(sum(word in prediction.text for word in self.options.words))

@harness.hookimpl
def register_metrics():
    return [Words]
'''


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = Path("own.py")
    path.write_text(FILE)
    return path


def run(target: Any, options: list[str], capsys: Any, as_json: bool = False) -> tuple[int, str]:
    import typer

    from harness_testing.command import check as command

    code = 0
    try:
        command(str(target), options, as_json)
    except typer.Exit as end:
        code = end.exit_code
    return code, capsys.readouterr().out


@pytest.mark.nightly
def test_a_file_is_checked_in_a_line_a_rule(file, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    code, out = run(file, ["words=[refund, days]"], capsys)
    assert code == 0
    lines = out.splitlines()
    assert lines[0] == f"metric own-words ({file.name})"
    assert [line.split()[1] for line in lines if line[:1] in "✓–"] == [
        str(rule) for rule in metric_rules()
    ]
    assert "16 rules hold, 2 do not apply" in out
    assert all(len(line) <= 80 for line in lines)


def test_a_broken_rule_is_exit_5_and_data_is_no_markup(file, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    odd = "\\x1b[31m[bold]0\\n[/bold]"
    signed = f"def signature(self):\n        return '{odd}'\n\n    def measure"
    file.write_text(FILE.replace("def measure", signed))
    code, out = run(file, ["words=[refund]"], capsys)
    assert code == 5
    assert "✗ signature" in out
    assert "gives '\\x1b[31m[bold]0\\n[/bold]'" in " ".join(out.split())
    assert "\x1b" not in out
    assert "1 rule is broken, 15 rules hold" in " ".join(out.split())
    assert all(len(line) <= 80 for line in out.splitlines())


def test_json_is_one_document(capsys):
    code, out = run("metric:length", ["unit=characters"], capsys, as_json=True)
    document = json.loads(out)
    assert (code, document["schema"], document["ok"]) == (0, "harness.plugins-check/1", True)
    (plugin,) = document["plugins"]
    assert (plugin["stage"], plugin["name"], plugin["ok"]) == ("metric", "length", True)
    assert {rule["rule"] for rule in plugin["rules"]} == {str(rule) for rule in metric_rules()}
    assert set(plugin["rules"][0]) == {"rule", "status", "message", "seconds"}


def test_importing_the_heavy_is_told(file, capsys):
    file.write_text("import numpy\n" + FILE)
    code, out = run(file, ["words=[refund]"], capsys, as_json=True)
    told = {r["rule"]: r for r in json.loads(out)["plugins"][0]["rules"]}
    assert code == 0
    assert told["isolation"]["status"] == "note"
    assert "importing its module loads numpy" in told["isolation"]["message"]


@pytest.mark.nightly
def test_printing_on_import_is_told_and_spoils_no_document(file, capsys):
    file.write_text("print('hello')\n" + FILE)
    code, out = run(file, ["words=[refund]"], capsys, as_json=True)
    told = {r["rule"]: r for r in json.loads(out)["plugins"][0]["rules"]}
    assert (code, told["quiet"]["status"]) == (5, "failed")


@pytest.mark.parametrize(
    ("target", "options", "words"),
    [
        ("lenght", [], "no plugin is called 'lenght', did you mean 'length'?"),
        ("reporter:length", [], "no plugin is called 'reporter:length'"),
        ("gone.py", [], "gone.py: this plugin file does not exist"),
        ("/", [], "/: this is no file"),
        ("length", ["unit"], "--option unit: KEY=VALUE is needed"),
        ("length", ["units=words"], "no option is called 'units', did you mean 'unit'?"),
        ("length", ["unit=miles"], "the options of metric 'length' cannot be used"),
    ],
)
def test_a_wrong_command_is_a_usage_error(target, options, words, capsys):
    with pytest.raises(UsageError) as caught:
        run(target, options, capsys)
    assert words in str(caught.value)


@pytest.mark.nightly
def test_a_name_of_two_stages_is_asked_about(capsys, monkeypatch):
    from harness.registry import Registry

    registry = Registry.build([FAKES])
    monkeypatch.setattr(Registry, "build", lambda: registry)
    with pytest.raises(UsageError, match="several plugins are called 'fake'") as caught:
        run("fake", [], capsys)
    assert "model:fake" in caught.value.hint
    assert "trainer:fake" in caught.value.hint
    assert run("trainer:fake", [], capsys)[1].startswith("trainer fake (")


@pytest.mark.nightly
def test_a_trainer_of_a_file_is_called_with_the_model_of_the_file(capsys):
    _, out = run(FAKES, [], capsys, as_json=True)
    plugins = {p["stage"]: p for p in json.loads(out)["plugins"]}
    (called,) = (rule for rule in plugins["trainer"]["rules"] if rule["rule"] == "work")
    assert (called["status"], called["message"]) == ("ok", "it gives a Checkpoint")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("1 / 0", "cannot be imported: ZeroDivisionError"),
        ("import sys; sys.exit(7)", "it ends the process (SystemExit: 7)"),
        ("def broken(:", "cannot be imported: SyntaxError"),
        ("x = 1", "this file registers no plugin"),
    ],
)
def test_a_file_that_cannot_be_used_is_a_plugin_error(code, words, file, capsys):
    file.write_text(code)
    with pytest.raises(PluginError) as caught:
        run(file, [], capsys)
    assert words in str(caught.value)
    assert str(file) in str(caught.value)


# -- the author guide -----------------------------------------------------------------------


GUIDE = (Path(__file__).parents[3] / "docs" / "plugins" / "metric.md").read_text("utf-8")


def test_the_guides_name_rules_that_there_are():
    of_metrics = GUIDE.split("## The rules")[1].split("\n## ")[0]
    assert set(re.findall(r"`([a-z-]+)`", of_metrics)) <= {str(rule) for rule in metric_rules()}
    plugins = (Path(__file__).parents[3] / "docs" / "plugins.md").read_text("utf-8")
    of_all = plugins.split("kinds are held to")[1].split(". ")[0]
    assert re.findall(r"`([a-z]+)`", of_all) == [str(rule) for rule in rules("trainer")]


@pytest.mark.nightly(but_each=2)
@pytest.mark.parametrize(
    ("name", "options", "hold"),
    [("keyword_recall", ["words=[refund, days]"], 16), ("pooled", [], 18)],
)
def test_the_metrics_of_the_guide_obey_the_rules(name, options, hold, tmp_path, capsys):
    code = next(
        block
        for block in re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
        if block.startswith(f"# {name}.py\n")
    )
    path = tmp_path / f"{name}.py"
    path.write_text(code, encoding="utf-8")
    exit_code, out = run(path, options, capsys)
    assert (exit_code, out.count("✓")) == (0, hold)


@pytest.mark.nightly
def test_the_commands_of_the_guide_work_as_they_stand(tmp_path):
    """All but those that install something, and those that need it installed."""
    shim = tmp_path / "bin" / "harness"
    shim.parent.mkdir()
    shim.write_text(f"#!{sys.executable}\nfrom harness.cli import main\nmain()\n")
    shim.chmod(0o755)
    place = tmp_path / "place"
    place.mkdir()
    blocks = re.findall(r"```(\w+)\n(.*?)```", GUIDE, re.DOTALL)
    (place / "keyword_recall.py").write_text(
        next(text for kind, text in blocks if kind == "python")
    )
    script = "".join(text for kind, text in blocks if kind == "sh")
    kept = [
        line
        for line in script.splitlines()
        if not re.match(
            r"pip |twine |python |harness plugins check acme|harness score .* acme", line
        )
    ]
    done = subprocess.run(
        ["bash", "-e"], cwd=place, capture_output=True, text=True, check=False, timeout=LONG,
        input="\n".join(kept) + "\n",
        env={**os.environ, "PATH": f"{shim.parent}:{os.environ['PATH']}", "PYTHONUTF8": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "keyword_recall.py: 16 rules hold, 2 do not apply" in done.stdout
    assert re.search(r"keyword-recall +0\.5000 ", done.stdout)
    assert (place / "acme-recall" / "pyproject.toml").is_file()


class Reads(harness.Metric):
    """It opens its file when it is made."""

    name = "reads"

    class Options(harness.Options):
        words: Path

    def __init__(self, options):
        super().__init__(options)
        self.known = options.words.read_text().split()

    def measure(self, prediction, example):
        return float(prediction.text in self.known)


def test_a_file_that_is_missing_is_named_with_its_option(tmp_path):
    with pytest.raises(ConfigError) as caught:
        check(Reads, {"words": tmp_path / "words.txt"})
    assert "1 problem in the options of metric 'reads'" in str(caught.value)
    assert f"words: there is no file or folder {tmp_path / 'words.txt'}" in str(caught.value)
