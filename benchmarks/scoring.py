"""The figures of scoring: ours against the reference libraries, on the same texts, in one run.

    python benchmarks/scoring.py [--pairs N] [--repeats N] [--only NAME ...] [--wordnet FOLDER]

Both sides of a row work on the same texts, turn by turn; each repeat has texts of its own, so
that nothing is won by having seen them. The ratio is theirs to ours; the table gives that of the
least times and that of the median times. Values are compared with ``==`` in every repeat: a row
whose values differ is *UNEQUAL*, whatever its ratio. Run it alone: other work spoils it.

METEOR's peer needs the whole WordNet 3.0 (Debian: ``wordnet-base`` and ``wordnet-sense-index``);
``--wordnet`` or WNSEARCHDIR names its folder. The figures go to ``reports/benchmark-scoring.json``.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from nltk_meteor import nltk_meteor
from texts import Texts, texts

from harness import Example, Prediction, scoring, stats
from harness.registry import Registry

HERE = Path(__file__).resolve().parent
OUTPUT = HERE.parent / "reports" / "benchmark-scoring.json"
DRAWS = 1_000
RESAMPLED = 100_000


@dataclass
class Row:
    """One line of the table.

    Attributes:
        floor: the ratio that is asked for.
        ours, theirs: seconds, a number for each repeat.
    """

    work: str
    against: str
    floor: float
    ours: list[float] = field(default_factory=list)
    theirs: list[float] = field(default_factory=list)
    equal: bool = True
    note: str = ""

    @property
    def ratios(self) -> tuple[float, float]:
        """Of the least times, and of the medians."""
        least = min(self.theirs) / min(self.ours)
        return least, statistics.median(self.theirs) / statistics.median(self.ours)

    def timed(self, ours: Callable[[], Any], theirs: Callable[[], Any]) -> tuple[Any, Any]:
        """Both sides once; returns what they gave."""
        begin = time.perf_counter()
        a = ours()
        middle = time.perf_counter()
        b = theirs()
        self.ours.append(middle - begin)
        self.theirs.append(time.perf_counter() - middle)
        return a, b


def entry(name: str, **options: Any) -> scoring.MetricEntry:
    """A metric as every command makes it."""
    kind: Any = Registry.build().get("metric", name).plugin
    return scoring.MetricEntry(name, kind(kind.Options(**options)))


def pairs(answers: Sequence[str], references: Sequence[Sequence[str]]) -> list[scoring.Pair]:
    """Answers and examples, as the scoring takes them."""
    return [
        (Prediction(str(i), answer), Example(str(i), (), tuple(refs)))
        for i, (answer, refs) in enumerate(zip(answers, references, strict=True))
    ]


def statistics_of(metric: scoring.MetricEntry, rows: Sequence[scoring.Pair]) -> list[Any]:
    """What the metric gives, block by block, in this process alone."""
    found: list[Any] = []
    with scoring.rare_collections():
        for start in range(0, len(rows), scoring.BLOCK):
            found += metric.metric.measure_all(rows[start : start + scoring.BLOCK])
    return found


# -- the rows ----------------------------------------------------------------------------------


def rouge(made: Sequence[Texts], row: Row) -> None:
    """All four types with stemming; several references by the best F-measure."""
    from rouge_score.rouge_scorer import RougeScorer

    types = ["rouge1", "rouge2", "rougeL", "rougeLsum"]
    scorer = RougeScorer(types, use_stemmer=True)
    metric = entry("rouge", stemmer=True)

    def theirs(text: Texts) -> list[tuple[float, ...]]:
        found = []
        for answer, refs in zip(text.first, text.references, strict=True):
            scores = scorer.score_multi(refs, answer) if len(refs) > 1 else scorer.score(
                refs[0], answer
            )  # fmt: skip
            found.append(tuple(scores[kind].fmeasure for kind in types))
        return found

    for text in made:
        rows = pairs(text.first, text.references)
        ours, other = row.timed(
            lambda rows=rows: statistics_of(metric, rows), lambda text=text: theirs(text)
        )
        row.equal &= [tuple(one) for one in ours] == other


def bleu(made: Sequence[Texts], row: Row) -> None:
    """Each answer's own score and the corpus score."""
    from sacrebleu import BLEU

    metric = entry("bleu")

    def ours(rows: Sequence[scoring.Pair]) -> tuple[list[float], float]:
        table = np.array(statistics_of(metric, rows), dtype=np.float64)
        own = metric.own_values(table)[:, 0].tolist()
        return own, float(metric.aggregate(table.sum(0), np.array(float(len(rows))))[0])

    def theirs(text: Texts) -> tuple[list[float], float]:
        sentence = BLEU(effective_order=True)
        own = [
            sentence.sentence_score(answer, refs).score
            for answer, refs in zip(text.first, text.references, strict=True)
        ]
        columns = [list(column) for column in zip(*text.references, strict=True)]
        return own, BLEU().corpus_score(text.first, columns).score

    for text in made:
        rows = pairs(text.first, text.references)
        found = row.timed(lambda rows=rows: ours(rows), lambda text=text: theirs(text))
        row.equal &= found[0] == found[1]


def meteor(made: Sequence[Texts], cold: Row, seen: Row, wordnet: Path) -> None:
    """A fresh process for each repeat: both sides load, then meet the same references again."""
    for place in range(len(made)):
        done = _child("meteor", place, made[place], wordnet)
        for row, key in ((cold, "cold"), (seen, "seen")):
            row.ours.append(done[key][0])
            row.theirs.append(done[key][1])
            row.equal &= done["equal"]


def child_meteor(text: Texts, wordnet: Path) -> dict[str, Any]:
    """Within the process of :func:`meteor`."""
    from harness_nltk import WORDS

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found: dict[str, Any] = {"equal": True}
        for key, answers in (("cold", text.first), ("seen", text.second)):
            rows = pairs(answers, text.references)
            hypotheses = [WORDS.findall(answer) for answer in answers]
            references = [[WORDS.findall(ref) for ref in refs] for refs in text.references]
            row = Row(key, "", 0)
            ours, theirs = row.timed(
                lambda rows=rows: statistics_of(entry("meteor"), rows),
                lambda h=hypotheses, r=references: nltk_meteor(h, r, wordnet),
            )
            found[key] = [row.ours[0], row.theirs[0]]
            found["equal"] &= ours == theirs
    return found


def again(made: Sequence[Texts], row: Row) -> None:
    """Three metrics on one dev set: the first round, and a later one with other answers."""
    for place, text in enumerate(made):
        done = _child("again", place, text, None)
        row.theirs.append(done["first"])
        row.ours.append(done["later"])


def child_again(text: Texts) -> dict[str, Any]:
    """Within the process of :func:`again`."""
    found = {}
    entries = [entry("rouge", stemmer=True), entry("bleu"), entry("meteor")]
    for key, answers in (("first", text.first), ("later", text.second)):
        rows = pairs(answers, text.references)
        begin = time.perf_counter()
        for one in entries:
            scoring.measure(one, rows, workers=1)
        found[key] = time.perf_counter() - begin
    return found


def whole(made: Sequence[Texts], row: Row, wordnet: Path) -> None:
    """``harness score`` as a process, against a script of the libraries as a process."""
    with tempfile.TemporaryDirectory() as folder:
        for text in made:
            _write(Path(folder), text)
            command = [
                sys.executable, "-c", "from harness.cli import main; main()", "score",
                "-p", "answers.jsonl", "-r", "references.jsonl", "-m", "bleu,rouge,meteor",
                "-o", "rouge.stemmer=true", "--json",
            ]  # fmt: skip
            script = [sys.executable, str(HERE / "plain_score.py"), str(wordnet)]
            ours, theirs = row.timed(
                lambda c=command: _run(c, folder), lambda s=script: _run(s, folder)
            )
            values = {name: one["value"] for name, one in ours["metrics"].items()}
            row.equal &= all(abs(values[name] - theirs[name]) < 1e-12 for name in theirs)


def resampling(repeats: int, row: Row) -> None:
    """Paired resampling alone: the statistics of both systems are given to both sides."""
    for place in range(repeats):
        done = _child("resampling", place, None, None)
        row.ours.append(done["ours"])
        row.theirs.append(done["theirs"])
        row.note = f"our peak {done['peak']:.0f} MiB, p {done['p']:.3g} and {done['p_theirs']:.3g}"
        row.equal &= done["peak"] < 300 and done["equal"]


def child_resampling(seed: int) -> dict[str, Any]:
    """Within the process of :func:`resampling`."""
    import tracemalloc

    from sacrebleu import BLEU
    from sacrebleu.significance import Result, _paired_bs_test

    text = texts(2_000, 30, seed)
    metric = entry("bleu")
    rng = np.random.default_rng(seed)
    drawn = rng.integers(0, 2_000, RESAMPLED)
    new, old = (
        np.array(statistics_of(metric, pairs(answers, text.references)), dtype=np.float64)[drawn]
        for answers in (text.first, text.second)
    )
    groups = np.arange(RESAMPLED)

    def ours() -> stats.Difference:
        return stats.difference(metric.aggregate, new, old, groups, seed, 0.975, DRAWS)[0]

    class Given(BLEU):
        def _extract_corpus_statistics(self, hypotheses: Any, references: Any) -> Any:
            # sacreBLEU keeps lengths first: answers, references, matches, n-grams.
            return [[*r[8:10], *r[:8]] for r in new.astype(int).tolist()]

    peer = Given()
    before = [[*r[8:10], *r[:8]] for r in old.astype(int).tolist()]
    given = peer._extract_corpus_statistics(None, None)
    baseline = {"BLEU": (before, Result(peer._aggregate_and_compute(before).score))}
    peer._extract_corpus_statistics = lambda h, r: given  # type: ignore[method-assign]
    row = Row("", "", 0)
    found, theirs = row.timed(
        ours,
        lambda: _paired_bs_test(
            baseline, "new", range(RESAMPLED), None, {"BLEU": peer}, DRAWS, seed=seed
        ),
    )
    tracemalloc.start()
    ours()
    peak = tracemalloc.get_traced_memory()[1] / (1 << 20)
    score = theirs[1]["BLEU"].score - baseline["BLEU"][1].score
    return {
        "ours": row.ours[0], "theirs": row.theirs[0], "peak": peak, "p": found.p,
        "p_theirs": theirs[1]["BLEU"].p_value, "equal": abs(score - found.value) < 1e-9,
    }  # fmt: skip


# -- running -----------------------------------------------------------------------------------


def _child(what: str, place: int, text: Texts | None, wordnet: Path | None) -> dict[str, Any]:
    """A row's part that needs a process which has loaded nothing yet."""
    given = {"text": asdict(text) if text else None, "place": place, "wordnet": str(wordnet)}
    done = subprocess.run(
        [sys.executable, str(HERE / "scoring.py"), "--child", what],
        input=json.dumps(given), capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(done.stderr)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _be_child(what: str) -> None:
    given = json.loads(sys.stdin.read())
    text = Texts(**given["text"]) if given["text"] else None
    if what == "resampling":
        found = child_resampling(given["place"])
    elif text is None:
        raise SystemExit("no texts")
    elif what == "again":
        found = child_again(text)
    else:
        found = child_meteor(text, Path(given["wordnet"]))
    print(json.dumps(found))


def _run(command: Sequence[str], folder: str) -> dict[str, Any]:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _write(folder: Path, text: Texts) -> None:
    with (folder / "answers.jsonl").open("w") as answers:
        answers.writelines(
            json.dumps({"id": str(i), "text": t}) + "\n" for i, t in enumerate(text.first)
        )
    with (folder / "references.jsonl").open("w") as references:
        references.writelines(
            json.dumps({"id": str(i), "references": r}) + "\n"
            for i, r in enumerate(text.references)
        )


def rows(options: argparse.Namespace) -> Iterator[Row]:
    """Every row of both tables, each as soon as it is measured."""
    repeats, count, wordnet = options.repeats, options.pairs, options.wordnet
    made = [texts(count, 80, seed) for seed in range(repeats)]
    short = [texts(count, 30, seed) for seed in range(repeats)]
    several = [texts(count // 4, 80, seed, references=3) for seed in range(repeats)]
    plan: dict[str, tuple[list[Row], Callable[..., None]]] = {
        "rouge": ([Row("ROUGE 1/2/L/Lsum, stemmer", "rouge_score", 40)],
                  lambda row: rouge(made, row)),
        "rouge-short": ([Row("the same, 30-token texts", "rouge_score", 12)],
                        lambda row: rouge(short, row)),
        "meteor": ([Row("METEOR, cold", "NLTK", 5), Row("METEOR, references seen", "NLTK", 15)],
                   lambda cold, seen: meteor(made, cold, seen, wordnet)),
        "bleu": ([Row("BLEU per example and corpus", "sacreBLEU, both calls", 3)],
                 lambda row: bleu(made, row)),
        "whole": ([Row("all of these, processes", "a plain script", 15)],
                  lambda row: whole(made, row, wordnet)),
        "resampling": ([Row("paired resampling, n = 100,000", "sacreBLEU's bootstrap", 10)],
                       lambda row: resampling(repeats, row)),
        "again": ([Row("scoring again in the loop", "the first time", 3)],
                  lambda row: again(made, row)),
        "several": ([Row("3 references: ROUGE", "rouge_score", 0),
                     Row("3 references: BLEU", "sacreBLEU, both calls", 0),
                     Row("3 references: METEOR, cold", "NLTK", 0),
                     Row("3 references: METEOR, seen", "NLTK", 0)],
                    lambda r, b, c, s: (rouge(several, r), bleu(several, b),
                                        meteor(several, c, s, wordnet))),
    }  # fmt: skip
    for name, (measured, work) in plan.items():
        if not options.only or name in options.only:
            work(*measured)
            yield from measured


def main() -> None:
    """Measure, print a Markdown table, write the JSON beside it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=10_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", nargs="*", default=[])
    wordnet = os.environ.get("WNSEARCHDIR", "/usr/share/wordnet")
    parser.add_argument("--wordnet", type=Path, default=Path(wordnet))
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        _be_child(options.child)
        return
    print(f"{options.pairs:,} pairs, {options.repeats} repeats, Python {platform.python_version()}")
    print("\n| work | against | asked | least times | medians | ours | theirs | |")
    print("|---|---|---|---|---|---|---|---|")
    done = []
    for row in rows(options):
        least, median = row.ratios
        verdict = "" if row.equal else "UNEQUAL"
        print(
            f"| {row.work} | {row.against} | {row.floor:g}x | {least:.1f}x | {median:.1f}x "
            f"| {min(row.ours):.2f} s | {min(row.theirs):.2f} s | {verdict} {row.note} |",
            flush=True,
        )
        done.append({**asdict(row), "least": least, "median": median})
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_text(json.dumps({"pairs": options.pairs, "rows": done}, indent=1) + "\n")


if __name__ == "__main__":
    main()
