"""The docs say what the program does: README, config reference, hooks, links."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import pkgutil
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import harness
from harness.config import loading
from harness.hookspecs import Hooks
from harness.registry import Registry
from harness.stages import KINDS

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))

import pages  # noqa: E402
from reference import flat, plugins, sections  # noqa: E402

DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *ROOT.glob("benchmarks/*.md")])
RUN_LINE = (
    "python3 -m venv .venv && . .venv/bin/activate && pip install -e '.[train]' "
    "&& harness iterate --rounds 3"
)
TEST_LINE = '. .venv/bin/activate && pip install -e ".[dev]" && pytest'


def page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


# -- the README ---------------------------------------------------------------------------


def test_readme_has_the_two_lines_in_order() -> None:
    lines = [line.strip() for line in page("README.md").splitlines()]
    assert [line for line in lines if ".venv/bin/activate" in line] == [RUN_LINE, TEST_LINE]


def test_ci_takes_the_test_line_from_the_readme() -> None:
    script = page(".ci/run")
    command = next(line for line in script.splitlines() if line.startswith("line=$("))
    done = subprocess.run(
        ["bash", "-c", f'{command}\nprintf "%s" "$line"'],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == TEST_LINE
    assert "pip install -e" not in script


def example_plugin(name: str, folder: Path) -> Path:
    code = next(block for block in blocks(page(name), "python") if "KeywordRecall" in block)
    path = folder / "keyword_recall.py"
    path.write_text(code, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", ["README.md", "docs/plugins/metric.md"])
def test_the_metric_in_ten_lines_scores(name: str, tmp_path: Path) -> None:
    import harness

    path = example_plugin(name, tmp_path)
    plugin: Any = Registry.build([path]).get("metric", "keyword-recall").plugin
    metric = plugin(plugin.Options(words=["refund", "days"]))
    example = harness.Example("a", ({"role": "user", "content": "When?"},), ("Soon.",))
    answers = {"Refund in 5 days.": 1.0, "No refund.": 0.5, "": 0.0}
    for answer, value in answers.items():
        assert metric.measure(harness.Prediction("a", answer), example) == value


def test_the_readme_metric_decides_a_run(project: Any) -> None:
    example_plugin("README.md", project.folder)
    snippet = next(b for b in blocks(page("README.md"), "yaml") if "keyword-recall" in b)
    values = loading.yaml_file.scalar(snippet)
    assert values["plugins"] == ["keyword_recall.py"]
    text = (project.folder / "harness.yaml").read_text("utf-8")
    text = text.replace("plugins: [", "plugins: [keyword_recall.py, ")
    text = text.replace("metrics: [{plugin: overlap}]\nprimary: overlap\n", "")
    project.write(text + "".join(snippet.splitlines(keepends=True)[1:]))
    result = project.harness("iterate", "--rounds", "1", "--json")
    assert result.code == 0, result.err
    assert result.document["primary"] == "keyword-recall"
    assert result.document["rounds"][1]["scores"]["keyword-recall"]["n"] > 0


@pytest.mark.nightly
def test_the_observer_in_the_docs_is_told_of_each_round(project: Any) -> None:
    code = next(b for b in blocks(page("docs/plugins.md"), "python") if "on_round_end" in b)
    (project.folder / "watch.py").write_text(code, encoding="utf-8")
    text = (project.folder / "harness.yaml").read_text("utf-8")
    project.write(text.replace("plugins: [", "plugins: [watch.py, "))
    result = project.harness("iterate", "--rounds", "1")
    assert result.code == 0, result.err
    told = (project.folder / "rounds.txt").read_text("utf-8").splitlines()
    assert [line.split()[1:3] for line in told] == [["main", "0"], ["main", "1"]]
    assert told[0].endswith(" baseline")


def test_readme_experiment_is_a_valid_config() -> None:
    snippet = next(b for b in blocks(page("README.md"), "yaml") if b.startswith("rounds:"))
    made = loading.check(loading.yaml_file.scalar(snippet), None, {}, {})
    assert made.control
    assert made.settings.primary == "rougeL"


# -- what pages have from the program ---------------------------------------------------------


def test_pages_say_what_the_program_is_now() -> None:
    outdated = [path for path, text in pages.made().items() if path.read_text("utf-8") != text]
    assert outdated == [], "run: make pages"


# -- installation -------------------------------------------------------------------------


def test_page_on_installation_has_a_row_for_each_extra() -> None:
    project = tomllib.loads(page("pyproject.toml"))["project"]
    rows = first_cells(part("docs/install.md", "Extras"))
    assert sorted(rows) == sorted(project["optional-dependencies"])


# -- the config reference -----------------------------------------------------------------


def test_no_option_is_without_a_meaning() -> None:
    every = sections() | {name: flat(plugin.Options) for _, name, plugin in plugins()}
    without = [(name, key) for name in every for key, field in every[name].items()
               if not field.description]  # fmt: skip
    assert without == []


def test_config_reference_names_every_plugin_and_shows_its_options() -> None:
    shown = page("docs/config.md")
    named = part("docs/config.md", "Options of plugins")
    for stage, name, plugin in plugins():
        if not getattr(plugin, "always", False):
            key = KINDS[stage].key or stage
            section = shown.split(f"\n### `{key}`: `{name}`\n")[1].split("\n### ")[0]
            assert set(re.findall(r"^\| `([\w.]+)` \|", section, re.MULTILINE)) == set(
                flat(plugin.Options)
            )
            assert stage in ("metric", "section") or f"`{name}`" in named, name


def test_config_reference_says_of_every_key_of_the_core_what_it_is_for() -> None:
    table = part("docs/config.md", "Keys of the core")
    rows = re.findall(r"^\| [^|`]* \| (`[^|]*) \|", table, re.MULTILINE)
    named = [key for row in rows for key in re.findall(r"`(\w+)`", row)]
    assert sorted(named) == sorted(sections()[""])


def test_config_reference_names_every_key_of_an_entry() -> None:
    table = part("docs/config.md", "Entries of plugins")
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == {
        "source", "plugin", "name", "rows", "control", "review",
    }  # fmt: skip


# -- plugins ------------------------------------------------------------------------------


def hooks() -> list[str]:
    return [name for name in vars(Hooks) if not name.startswith("_")]


def test_a_page_on_plugins_names_every_hook() -> None:
    text = page("docs/plugins.md") + page("docs/plugins/command.md")
    for hook in hooks():
        assert re.search(rf"^(\| )?`{hook}(\(.*\))?`( \||:)", text, re.MULTILINE), hook
        if hook.startswith("on_"):
            arguments = getattr(Hooks, hook).__code__.co_varnames[1:]
            assert f"`{hook}({', '.join(arguments)})`" in text


# -- harness score ------------------------------------------------------------------------


def first_cells(text: str) -> list[str]:
    """The first cells of all rows of all tables, without the heads."""
    rows = re.findall(r"^\| (`[^|]*) \|", text, re.MULTILINE)
    return [name for cell in rows for name in re.findall(r"`([^`]*)`", cell)]


def part(name: str, heading: str) -> str:
    """A page's section, without those that follow it."""
    return re.split(rf"^## {re.escape(heading)}$", page(name), flags=re.MULTILINE)[1].split(
        "\n## "
    )[0]


def shell(code: str, project: Any) -> str:
    """Run a block of a page in the project's folder; returns what ``harness`` printed."""
    commands = code.replace("\\\n", " ")
    others = [line for line in commands.splitlines() if not line.startswith("harness ")]
    subprocess.run(["bash", "-euc", "\n".join(others)], cwd=project.folder, check=True)
    printed = ""
    for line in commands.splitlines():
        if line.startswith("harness "):
            done = project.inside(*shlex.split(line)[1:], COLUMNS="98")
            assert done.code == 0, done.err
            printed += done.out
    return printed


def bare_lines(text: str) -> list[str]:
    """Lines that are not empty, with single blanks; wrapping and versions do not count."""
    text = re.sub(r"version:[\w.]+", "version:…", text)
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]


def test_first_example_of_the_score_page_runs_as_written(project: Any) -> None:
    text = page("docs/score.md")
    code, shown = blocks(text, "sh")[0], blocks(text, "text")[0]
    printed = shell(code, project)
    assert " ".join(bare_lines(printed)) == " ".join(bare_lines(shown))


@pytest.mark.nightly
def test_worked_comparison_is_what_the_program_prints(project: Any) -> None:
    text, in_python = page("docs/comparing.md").split("\n## In Python\n")
    project.write(blocks(text, "python")[0], "make.py")
    project.write(blocks(in_python, "python")[0], "compare.py")
    scripts = [
        subprocess.run(
            [sys.executable, script], cwd=project.folder, check=True, capture_output=True, text=True
        ).stdout
        for script in ("make.py", "compare.py")
    ]
    assert scripts[1] == blocks(in_python, "text")[0]
    commands = text.split("```sh\n")[1:]
    assert len(commands) > 5
    for piece in commands:
        printed = bare_lines(shell(piece.split("```")[0], project))
        shown = [line for block in blocks(piece, "text") for line in bare_lines(block)]
        assert [line for line in shown if line not in printed] == []


@pytest.fixture
def score_document(project: Any) -> Any:
    """A ``harness.score/1`` document in which every part is filled."""
    answers = {"refs": "a b", "one": "a", "two": "b", "old": "c"}
    for name, text in answers.items():
        row = json.dumps({"text": text, "kind": "k"})
        project.write(row + "\n", f"{name}.jsonl")
    done = project.inside(
        "score", "-p", "one.jsonl", "-p", "two.jsonl", "-b", "old.jsonl", "-r", "refs.jsonl",
        "-m", "exact", "--by", "kind", "--json",
    )  # fmt: skip
    assert done.code == 0, done.err
    return done.document


def test_keys_that_the_score_page_explains_are_those_of_the_document(score_document: Any) -> None:
    text = part("docs/score.md", "The JSON document")
    score = score_document["metrics"]["exact"]
    comparison = score_document["comparison"]["one.jsonl"]["exact"]
    assert score_document["schema"] in text
    assert {*first_cells(text)} - {"field"} <= {*score, *comparison}
    for name in ("system", "metrics", "systems", "comparison", "by", "openings"):
        assert name in score_document and f"`{name}`" in text


# -- metrics ------------------------------------------------------------------------------


def metrics() -> dict[str, Any]:
    """Name -> class, of the metrics that come with the program."""
    found = [
        (name, p.plugin) for stage, name, p in Registry.build().providers() if stage == "metric"
    ]
    return {name: plugin for name, plugin in found if plugin.__module__.startswith("harness_")}


METRICS = metrics()
OF_FILES = {"evaluate", "executes", "facts", "judge", "rubric", "tool-call"}
"""Metrics that need a file, tools or a sandbox, and have no values without."""


def test_every_metric_has_a_page_and_a_line_in_the_index() -> None:
    assert {path.stem for path in (DOCS / "metrics").glob("*.md")} == set(METRICS)
    lines = re.findall(
        r"^\| \[`(.*)`\]\(metrics/(.*)\.md\) \|", page("docs/metrics.md"), re.MULTILINE
    )
    assert dict(lines) == {name: name for name in METRICS}
    for name in METRICS:
        assert f"<!-- made: metric {name} -->" in part(f"docs/metrics/{name}.md", "Options"), name


@pytest.mark.parametrize("name", sorted(set(METRICS) - OF_FILES))
def test_metric_page_shows_its_signature(name: str) -> None:
    shown = part(f"docs/metrics/{name}.md", "Signature").strip().splitlines()[0]
    metric = METRICS[name](METRICS[name].Options())
    assert bare_lines(shown) == bare_lines(metric.signature())


def examples(name: str) -> Iterator[tuple[str, str, str, dict[str, Any], str]]:
    """Answer, reference, score, options and value of each cell of a page's table."""
    table = re.findall(r"^\|.*\|$", part(f"docs/metrics/{name}.md", "Weaknesses"), re.MULTILINE)
    head, *rest = [[cell.strip() for cell in line[1:-1].split("|")] for line in table]
    for answer, reference, *values in rest[1:]:
        for column, value in zip(head[2:], values, strict=True):
            score, *options = re.findall(r"`([^`]*)`", column)
            given = loading.yaml_file.scalar("{" + ", ".join(options) + "}")
            yield answer, reference, score, given, value


@pytest.mark.parametrize("name", sorted(set(METRICS) - OF_FILES))
def test_values_on_a_metric_page_are_those_that_it_gives(name: str) -> None:
    import harness
    from harness.scoring import MetricEntry, measure

    found = []
    for answer, reference, score, options, value in examples(name):
        metric = METRICS[name](METRICS[name].Options(**options))
        pair = harness.Prediction("a", answer), harness.Example("a", (), (reference,))
        own = measure(MetricEntry(name, metric), [pair])[0].values[score]
        places = len(value.partition(".")[2])
        found.append((answer, score, options, value, f"{own:.{places}f}"))
    assert len(found) >= 2
    assert [line for line in found if line[3] != line[4]] == []


def test_values_of_the_three_answers_are_those_that_metrics_give() -> None:
    import harness

    section = part("docs/metrics.md", "Three answers, by each")
    reference = harness.Example("a", (), (re.findall(r"\*(.*?)\*", section)[0],))
    table = re.findall(r"^\| (.*) \|$", section, re.MULTILINE)
    head, *rows = [line.split(" | ") for line in table if "---" not in line]
    scores = [name.strip("`") for name in head[1:]]
    metrics = {"rougeL": "rouge"}
    card = {name: harness.make_metrics({metrics.get(name, name): {}}) for name in scores}
    for answer, *values in rows:
        for name, value in zip(scores, values, strict=True):
            shown = harness.evaluate([reference], [harness.Prediction("a", answer)], card[name])
            own = shown.values["a"][name]
            assert f"{own:.{len(value.partition('.')[2])}f}" == value, (answer, name)
    assert len(rows) == 3


@pytest.mark.nightly
def test_values_of_the_metric_script_in_the_docs(project: Any) -> None:
    pytest.importorskip("evaluate")
    text = page("docs/metrics/evaluate.md")
    project.write(blocks(text, "python")[0], "word_share.py")
    for name, answers in (
        ("out", ("paid", "refund will the on")),
        ("refs", ("paid", "the refund will arrive on Monday")),
    ):
        project.write("\n".join(answers) + "\n", f"{name}.txt")
    options = ("-o", "evaluate.path=word_share.py", "-o", "evaluate.key=word_share")
    for per in ("example", "corpus"):
        done = project.inside(
            "score", "-p", "out.txt", "-r", "refs.txt", "-m", "evaluate", *options,
            "-o", f"evaluate.per={per}", "--json",
        )  # fmt: skip
        value = done.document["metrics"]["word_share"]["value"]
        assert re.search(rf"`per: {per}`\s+gives\s+{value:.4f}", text)


# -- pages --------------------------------------------------------------------------------


def headings(path: Path) -> set[str]:
    """The addresses of a page's headings, as sites of repositories make them."""
    text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    titles = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    words = (re.sub(r"[^\w\- ]", "", title.strip().lower()) for title in titles)
    return {title.replace(" ", "-") for title in words}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]*)#?([^)\s]*)\)", path.read_text(encoding="utf-8"))
    inside = [link for link in links if not link[0].startswith(("http:", "https:", "mailto:"))]
    gone = []
    for name, heading in inside:
        page = path.parent / name if name else path
        if not page.exists() or (heading and heading not in headings(page)):
            gone.append(f"{name}#{heading}")
    assert gone == []


def test_exit_codes_in_the_docs_are_those_of_the_program() -> None:
    from harness import errors

    codes = {str(value) for name, value in vars(errors).items() if name.startswith("EXIT_")}
    table = page("docs/loop.md").split("## Exit codes")[1]
    assert set(re.findall(r"^\| (\d+) \|", table, re.MULTILINE)) == codes


def test_reasons_for_refusals_in_the_docs_are_those_of_the_filters() -> None:
    from harness.data.filters import REASONS

    table = page("docs/loop.md").split("A row is refused that")[1].split("## ")[0]
    assert re.findall(r"^\| `([^`]*)` \|", table, re.MULTILINE) == list(REASONS)


def test_what_pages_name_of_the_kit_and_of_packages_is_there() -> None:
    named = re.compile(r"\bharness(?:\.kit|_[a-z]+)(?:\.\w+)+")
    names = {
        name
        for path in [*DOCS.rglob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
        for name in named.findall(path.read_text(encoding="utf-8"))
    }
    assert len(names) > 20
    for name in names:
        pkgutil.resolve_name(name)


# -- the picture --------------------------------------------------------------------------


def picture_module() -> Any:
    spec = importlib.util.spec_from_file_location("picture", ROOT / "benchmarks" / "picture.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["picture"] = module
    spec.loader.exec_module(module)
    return module


def addresses(svg: str) -> set[str]:
    return set(re.findall(r"https?://[^\"')\s]*", svg)) - {"http://www.w3.org/2000/svg"}


@pytest.mark.nightly
def test_the_picture_is_a_report_and_fetches_nothing(project: Any) -> None:
    from xml.etree import ElementTree

    project.harness("iterate", "--rounds", "1")
    (path,) = project.folder.glob("reports/*/analysis.json")
    analysis = harness.read_analysis(path.parent)
    analysis = dataclasses.replace(analysis, notes=(*analysis.notes, "<script>alert('&')</script>"))
    picture = picture_module().picture
    svg = picture(analysis)
    assert svg == picture(analysis)
    text = "".join(ElementTree.fromstring(svg).itertext())
    assert analysis.run in text
    assert "<script" not in svg
    assert "@font-face" not in svg
    assert addresses(svg) == set()


def test_the_readme_picture_fetches_nothing() -> None:
    svg = page("docs/report.svg")
    assert "@font-face" not in svg
    assert addresses(svg) == set()


def test_page_of_imports_says_of_each_public_name_what_it_is() -> None:
    text = page("docs/plugins/api.md")
    row = re.compile(r"^\| `([\w.]+)[`(].*?\| (.*) \|$", re.M)
    parts = dict(re.findall(r"^### `harness\.(\w+)`\n((?:(?!^###).*\n)*)", text, re.M))
    for name in ("RunView", "PlannedRun", "Example", "Dataset", "PlanItem", "Context",
                 "Prediction", "Checkpoint", "Trainer", "Metric"):  # fmt: skip
        kind = getattr(harness, name)
        members = {member for member in vars(kind) if member[0] != "_" and member != "Options"}
        said = dict(row.findall(parts[name]))
        assert {member for member in members - {"stage"} if not said.get(member)} == set(), name
    said = dict(row.findall(text))
    modules = [f"harness.kit.{path.stem}" for path in (ROOT / "harness" / "kit").glob("[a-z]*.py")]
    named = {"harness.evaluate", *modules}
    assert {name for name in named if not said.get(name)} == set()


@pytest.mark.parametrize("name", ["docs/architecture.md", "CONTRIBUTING.md"])
def test_files_of_ours_that_a_page_names_are_there(name: str) -> None:
    named = set(re.findall(r"`((?:\w+/)+[\w.]+|(?:\w+/)+)`", page(name)))
    assert len(named) > 10
    places = (ROOT, ROOT / "harness", ROOT / "plugins" / "harness_rating")
    assert [path for path in named if not any((at / path).exists() for at in places)] == []
