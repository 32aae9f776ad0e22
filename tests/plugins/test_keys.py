"""Each option of each plugin of ours is part of the key of its stage, or says why it is not."""

from __future__ import annotations

import copy
import typing
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any, Literal, NamedTuple

import pytest
from pydantic import BaseModel, BeforeValidator

import harness
from harness.config.plugin_entries import PluginEntry, entry_of, paths_in
from harness.kit.files import digest
from harness.kit.problems import Problems
from harness.kit.yaml_file import Place
from harness.registry import Registry
from harness.run.stage_keys import entry_key, versions_of
from harness.stages import KINDS

ROOT = Path(__file__).parents[2]
REGISTRY = Registry.build()
OURS = {
    (stage, name): provider.plugin
    for stage, name, provider in REGISTRY.providers()
    if provider.plugin.__module__.startswith("harness_")
}
SERVER = {"endpoint": "http://127.0.0.1:9/v1", "model": "nobody"}
NO_SERVER = {"endpoint": "", "model": "", "verify": [{"agree": 3}]}
SCORED = [{"agree": 3}, {"form": "json"}, {"metric": "exact", "at_least": 1}, {"plugin": "people"}]
SPLITS = dict.fromkeys(("train", "dev", "test"), "rows.jsonl")
HUB = {"path": None, "also": None, "hub": "team/rows"}
RUBRIC = "rubric.yaml"
ROW = (
    '{{"messages": [{{"role": "user", "content": "{0}"}}], "references": ["1"], "split": "{1}"}}\n'
)
FILES = {
    "accepted.jsonl": '{"schema": "harness.corrections/1"}\n',
    "facts.yaml": "every: [[the, a], [is, was]]\n",
    "rows.jsonl": "".join(ROW.format(split, split) for split in ("train", "dev", "test")),
    "other.jsonl": ROW.format("more", "train"),
    "larger/config.json": "{}",
    "script.py": "import evaluate\n",
    "template.jinja": "{{ messages }}",
    "form.json": '["yes", "no"]',
    "suspects.jsonl": '{"id": "1", "reason": "odd"}\n',
    RUBRIC: (ROOT / "rubrics" / "everyday.yaml").read_text(encoding="utf-8"),
}
"""What options name, by its place in the folder of the config."""
WHOLE: Mapping[tuple[str, str], Mapping[str, Any]] = {
    ("augmenter", "better-answers"): {"file": "accepted.jsonl"},
    ("augmenter", "teacher"): {
        **SERVER,
        "verify": [
            {"agree": 3}, {"form": "json"}, {"metric": "judge", "at_least": 0.5, "rubric": RUBRIC,
             **SERVER}, {"plugin": "executes"},
        ],
    },
    ("baseline", "endpoint"): {**SERVER, "prompts": {"plugin": "few-shot"}},
    ("detector", "facts"): {"file": "facts.yaml"},
    ("detector", "rubric"): {"rubric": RUBRIC},
    ("store", "folder"): {"url": "file:///a/folder"},
    ("store", "bucket"): {"url": "memory://a/bucket"},
    ("experiment", "levers"): {
        "arms": [{"name": "a", "set": {"train.r": 4}}], "curve": {"shares": [0.5, 1.0]},
        "seeds": {"count": 5}, "models": ["pypi"],
    },
    ("generator", "endpoint"): {"serve": "vllm {base} [--adapters {adapters}] --port {port}"},
    ("judge", "judge"): SERVER,
    ("metric", "evaluate"): {"path": "script.py", "key": "shared"},
    ("metric", "facts"): {"file": "facts.yaml"},
    ("metric", "judge"): {"rubric": RUBRIC, **SERVER},
    ("metric", "rubric"): {"rubric": RUBRIC},
    ("model", "hub"): {"id": "team/model"},
    ("model", "local"): {"path": "larger"},
    ("searcher", "optuna"): {"over": {"train.r": {"low": 4, "high": 64}}},
    ("source", "jsonl"): {"path": "rows.jsonl"},
    ("source", "rows"): {"path": "rows.jsonl", "also": "other.jsonl"},
    ("trainer", "lora"): {"early_stop": {"patience": 3}},
}  # fmt: skip
"""Options of a plugin that has to have some, or of which one holds others."""
OTHERWISE: Mapping[str, tuple[Any, Mapping[str, Any]]] = {
    "args": ({"max_grad_norm": 0.5}, {}),
    "arms.0.set": ({"train.r": 8}, {}),
    "augmenter teacher generate": ({"batch_size": 8}, {**NO_SERVER, "local": "larger"}),
    "augmenter teacher local": (
        {"source": "hub", "id": "team/model"},
        {**NO_SERVER, "local": "larger"},
    ),
    "augmenter teacher suspects": ("suspects.jsonl", {"mode": "correct"}),
    "augmenter teacher verify.2.metric": ("length", {"verify": SCORED}),
    "augmenter teacher verify.3": ({"plugin": "executes", "seconds": 5}, {}),
    "detector tool-call text": ("token-f1", {}),
    "metric tool-call text": ("token-f1", {}),
    "chat_template": ("template.jinja", {}),
    "chat_template_kwargs": ({"enable_thinking": False}, {}),
    "columns.completion": ("answer", {"columns": {"messages": "turns", "completion": "end"}}),
    "command": (["python3", "-I", "{file}"], {}),
    "config": ("en", HUB),
    "curve.shares": ([0.2, 1.0], {}),
    "dropout": (0.1, {}),
    "encoding": ("cp1252", {}),
    "hub": ("team/more", HUB),
    "key": ("ANOTHER_KEY", {}),
    "schema": ("form.json", {}),
    "local": ("larger", {"endpoint": ""}),
    "metric evaluate args": ({"ignore": True}, {}),
    "metric evaluate hub": ("bleu", {"path": None, "hub": "rouge"}),
    "metric evaluate key": ("other", {}),
    "metric meteor language": ("german", {"synonyms": False}),
    "models.0": ({"source": "hub", "id": "team/model"}, {}),
    "over": ({"train.r": [4, 8]}, {}),
    "price": ({"in": 1, "out": 2}, {}),
    "processes": (2, {}),
    "prompts": ({"plugin": "few-shot", "k": 5}, {}),
    "send_as": ({"seed": None}, {}),
    "sizes": ({"train": 0.5, "dev": 0.25, "test": 0.25}, {}),
    "smooth_value": (0.5, {"smooth_method": "floor"}),
    "source rows revision": ("v2", HUB),
    "stratify": (
        "kind",
        {
            "sizes": {"dev": 1},
            "columns": {"prompt": "q", "references": "a", "meta": ["kind", "desk"]},
        },
    ),
    "temperature": (0.5, {}),
    "tokenize": ("char", {}),
    "files": (SPLITS, {"path": None}),
    "generator transformers temperature": (0.5, {"do_sample": True}),
    "top_k": (5, {"do_sample": True}),
    "top_p": (0.5, {"do_sample": True}),
    "verifier people at_least": (0.5, {"sample": 20}),
}
"""Option -> another value, where its type tells none, and what that needs beside it."""

COUNTED_ELSEWHERE = {"model local path": "its content is the digest of the base checkpoint"}
JUDGED = {"source": "local", "path": "larger", "chat_template": "template.jinja"}


def inner_types(annotation: Any) -> list[Any]:
    """The option models, and the kinds of plugins, that an option may hold, in their order."""
    if typing.get_origin(annotation) is harness.Named:
        return [annotation]
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [inner for part in typing.get_args(annotation) for inner in inner_types(part)]


def leaves(model: type[BaseModel], place: Place = ()) -> Iterator[tuple[Place, Any]]:
    """The options of a model, and of those within it: each place with its type."""
    model.model_rebuild()
    for name, field in model.model_fields.items():
        inner = [] if is_mapping(field.annotation) else inner_types(field.annotation)
        many = any(typing.get_origin(part) in (list, tuple) for part in parts(field.annotation))
        for number, part in enumerate(inner):
            within = (*place, name, number) if many else (*place, name)
            if isinstance(part, type):
                yield from leaves(part, within)
            else:
                yield within, part
        if not inner:
            yield (*place, name), field.annotation


def is_mapping(annotation: Any) -> bool:
    return any(typing.get_origin(part) in (dict, Mapping) for part in parts(annotation))


def parts(annotation: Any) -> Iterator[Any]:
    """A type, and all that it is made of."""
    yield annotation
    for part in typing.get_args(annotation):
        yield from parts(part)


def others(value: Any, annotation: Any) -> Iterator[Any]:
    """Other values that an option may have by its type; not all of them need be valid."""
    kinds = set(parts(annotation))
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, (int, float)):
        yield from (value + 1, value / 2, value * 2, value - 1)
    elif isinstance(value, (list, tuple)):
        yield from ([*value, more] for more in (*literals(kinds), "other"))
        yield list(value)[:-1]
    for literal in literals(kinds):
        if literal != value:
            yield literal
    if str in kinds:
        yield from ("other", f"{value}x")
    if value is None:
        yield from (1, 0.5)


def literals(kinds: set[Any]) -> list[Any]:
    return [
        value
        for kind in kinds
        if typing.get_origin(kind) is Literal
        for value in typing.get_args(kind)
    ]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files that options of :data:`WHOLE` name."""
    made = tmp_path_factory.mktemp("options")
    (made / "larger").mkdir()
    for name, text in FILES.items():
        (made / name).write_text(text, encoding="utf-8")
    return made


class Shipped(NamedTuple):
    """A plugin of ours whose options are changed."""

    stage: str
    name: str
    folder: Path

    def entry(self, options: Mapping[str, Any]) -> PluginEntry | None:
        """The plugin with these options; None where it does not take them."""
        head = KINDS[self.stage].named_by
        problems = Problems(None, {})
        raw = {head: self.name, **options}
        return entry_of(REGISTRY, self.stage, raw, (self.stage,), self.folder, problems)

    def key(self, options: Mapping[str, Any]) -> str | None:
        entry = self.entry(options)
        return None if entry is None else digest(entry_key(entry, versions_of(entry)))

    def whole(self) -> dict[str, Any]:
        return copy.deepcopy(dict(WHOLE.get((self.stage, self.name), {})))


def at(options: Any, place: Place) -> Any:
    for part in place:
        options = getattr(options, part) if isinstance(part, str) else options[part]
    return options


def changed(raw: Any, place: Place, value: Any) -> Any:
    """Raw options with another value at a place."""
    first, *rest = place
    own = list(raw) if isinstance(raw, (list, tuple)) else dict(raw)
    own[first] = (
        changed(own.get(first, {}) if isinstance(own, dict) else own[first], tuple(rest), value)
        if rest
        else value
    )
    return own


def keyed(plugin: Shipped, place: Place, annotation: Any) -> bool:
    """Whether another value of an option gives another key."""
    dotted = ".".join(map(str, place))
    special = f"{plugin.stage} {plugin.name} {dotted}"
    value, beside = OTHERWISE.get(special, OTHERWISE.get(dotted, (None, {})))
    before = {**plugin.whole(), **beside}
    entry = plugin.entry(before)
    assert entry is not None, f"{special}: {before} is refused; correct WHOLE"
    own = at(entry.instance.options, place)
    tried = [value] if dotted in OTHERWISE or special in OTHERWISE else others(own, annotation)
    for other in tried:
        options = changed(before, place, other)
        made = plugin.entry(options)
        if made is not None and at(made.instance.options, place) != own:
            return plugin.key(options) != plugin.key(before)
    raise AssertionError(f"{special}: no other value is known than {own!r}; add one to OTHERWISE")


def files_count(plugin: Shipped, place: Place) -> bool:
    """Whether the content of the files that an option names is part of the key."""
    (option,) = place
    special = f"{plugin.stage} {plugin.name} {option}"
    options = plugin.whole()
    if option not in options:
        value, beside = OTHERWISE.get(special, OTHERWISE.get(option, (None, {})))
        options = {**options, **beside, option: value}
    entry = plugin.entry(options)
    assert entry is not None, f"{special}: {options} is refused; correct WHOLE or OTHERWISE"
    paths = [*paths_in(getattr(entry.instance.options, option))]
    assert paths, f"{special}: it names no file; add one to OTHERWISE"
    return all(content_counts(plugin, options, path) for path in paths)


def content_counts(plugin: Shipped, options: Mapping[str, Any], path: Path) -> bool:
    """Whether another content of a file, or of a folder's files, gives another key."""
    before = plugin.key(options)
    files = [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file()]
    assert files, f"there is no file {path}"
    for file in files:
        text = file.read_bytes()
        file.write_bytes(text + b"\n")
        try:
            if plugin.key(options) == before:
                return False
        finally:
            file.write_bytes(text)
    return True


OPTIONS = [
    pytest.param(*key, place, annotation, id=f"{' '.join(key)} {'.'.join(map(str, place))}")
    for key, plugin in OURS.items()
    for place, annotation in leaves(plugin.Options)
]


@pytest.mark.parametrize(("stage", "name", "place", "annotation"), OPTIONS)
def test_another_value_of_an_option_gives_another_key(folder, stage, name, place, annotation):
    shipped = Shipped(stage, name, folder)
    reason = OURS[stage, name].unkeyed.get(place[0])
    assert reason is None or reason.strip()
    if Path in parts(annotation):
        counted = files_count(shipped, place)
        reason = COUNTED_ELSEWHERE.get(f"{stage} {name} {place[0]}", reason)
    elif typing.get_origin(annotation) is Literal and len(typing.get_args(annotation)) == 1:
        return  # it has no other value
    else:
        counted = keyed(shipped, place, annotation)
    assert counted == (reason is None), reason


@pytest.mark.parametrize(
    ("stage", "name", "options"),
    [
        ("augmenter", "teacher", WHOLE["augmenter", "teacher"]),
        ("augmenter", "teacher", {**NO_SERVER, "local": "larger"}),
        ("augmenter", "teacher", {**NO_SERVER, "local": JUDGED}),
    ],
)
def test_the_content_of_what_named_plugins_name_counts(folder, stage, name, options):
    shipped = Shipped(stage, name, folder)
    entry = shipped.entry(options)
    paths = [
        path
        for place, each in entry.whole()
        if place
        for option in type(each.instance.options).model_fields
        for path in paths_in(getattr(each.instance.options, option))
    ]
    assert paths and all(content_counts(shipped, options, path) for path in paths)


def test_every_reason_is_of_an_option():
    for plugin in OURS.values():
        assert set(plugin.unkeyed) <= set(plugin.Options.model_fields), plugin


class Silent:
    """Looks the same whatever it holds."""

    def __init__(self, value: str) -> None:
        self.value = value

    def __str__(self) -> str:
        return "silent"


class MadeUp(harness.Metric):
    """A metric with an option that is left out of its key, and one that nobody has decided on."""

    name = "made-up"

    class Options(harness.Options):
        silent: Annotated[Any, BeforeValidator(Silent)] = "once"
        free: dict[str, Any] = {}
        file: Path | None = None

    def measure(self, prediction: Any, example: Any) -> float:
        return 1.0


def test_the_table_sees_an_option_that_is_left_out_and_one_without_a_decision(folder, monkeypatch):
    registry = Registry()
    registry.add(SimpleNamespace(register_metrics=harness.hookimpl(lambda: [MadeUp])), "here")
    monkeypatch.setattr("tests.plugins.test_keys.REGISTRY", registry)
    monkeypatch.setitem(OTHERWISE, "silent", ("twice", {}))
    made_up = Shipped("metric", "made-up", folder)
    assert not keyed(made_up, ("silent",), Any)
    for place, annotation in leaves(MadeUp.Options):
        if place == ("free",):
            with pytest.raises(AssertionError, match="add one to OTHERWISE"):
                keyed(made_up, place, annotation)
        if place == ("file",):
            with pytest.raises(AssertionError, match="names no file"):
                files_count(made_up, place)
