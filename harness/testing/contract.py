"""Rules for plugins of every stage: what the class says of itself, and its options."""

from __future__ import annotations

import inspect
import json
import re
import sys
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, get_args

from pydantic import ValidationError

from harness.boundary import probes as boundary
from harness.records import Level, Problem
from harness.stages import KINDS, Metric, Options, Plugin
from harness.testing.outcomes import Failed
from harness.testing.paths import content_counts
from harness.testing.subject import Subject

NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
NAME_IN_WORDS = "lower case letters and digits, separated by single dashes, a letter first"
_NO_SUCH_KEY = "no-such-option"


def contract(subject: Subject) -> str | None:
    """The class has a stage, a name of its own, a docstring, and the methods of its stage."""
    plugin = subject.plugin
    if not subject.stage:
        kinds = ", ".join(kind.base.__name__ for kind in KINDS.values())
        raise Failed(f"{plugin.__name__} has no stage", f"Derive it from one of {kinds}")
    if plugin.stage != subject.stage:
        raise Failed(f"its stage is {plugin.stage!r}", "Do not set `stage`: the base class does")
    _name(plugin)
    _taken(subject)
    if not (plugin.__dict__.get("__doc__") or "").strip():
        mend = "Give one; its first line is what `harness plugins` shows"
        raise Failed("the class has no docstring", mend)
    _methods(type(subject.instance), subject.stage)
    if subject.stage in _FURTHER:
        _FURTHER[subject.stage](subject)
    _inputs(subject)
    return None


def _name(plugin: type[Plugin]) -> None:
    if not (isinstance(plugin.name, str) and NAME.fullmatch(plugin.name)):
        raise Failed(f"the name {plugin.name!r} cannot be used", f"Use {NAME_IN_WORDS}")


def _taken(subject: Subject) -> None:
    from harness.registry import Registry

    plugin = subject.plugin
    for stage, name, provider in Registry.build().providers():
        if (stage, name) == (subject.stage, plugin.name) and not _same(provider.plugin, plugin):
            what = f"the {stage} '{name}' exists already, from {provider.origin}"
            raise Failed(what, "Choose another name: two of one name cannot be installed together")


def _same(one: type[Any], other: type[Any]) -> bool:
    """Whether two classes come from one place; a file may have been loaded under two names."""
    return one.__qualname__ == other.__qualname__ and _file(one) == _file(other)


def _file(plugin: type[Any]) -> str:
    file = getattr(sys.modules.get(plugin.__module__), "__file__", None)
    return str(Path(file).resolve()) if file else plugin.__module__


def _methods(plugin: type[Plugin], stage: str) -> None:
    names, base = KINDS[stage].work, KINDS[stage].base
    if stage == "metric" and not getattr(plugin, "additive", True):
        names = ("corpus",)
    if all(getattr(plugin, name) is getattr(base, name) for name in names):
        raise Failed(f"it does not define {' or '.join(names)}()", "Write that method")
    for name, method in inspect.getmembers(base, inspect.isfunction):
        own = getattr(plugin, name, None)
        if not name.startswith("_") and not callable(own):
            raise Failed(f"{name} is {own!r} and hides a method", "Give it another name")
        if inspect.isfunction(own) and own is not method:
            _arguments(name, own, method)


def _arguments(name: str, own: Callable[..., Any], method: Callable[..., Any]) -> None:
    due = list(inspect.signature(method).parameters)
    try:
        inspect.signature(own).bind(*due)
    except TypeError:
        what = f"{name}{inspect.signature(own)} cannot be called as the core calls it"
        raise Failed(what, f"Its arguments are ({', '.join(due)})") from None


def _metric(subject: Subject) -> None:
    metric = subject.instance
    for name in ("additive", "higher_is_better"):
        value = getattr(metric, name)
        if not isinstance(value, bool):
            raise Failed(f"{name} is {value!r}", "Set it to True or False")
    low, high = _limits(metric)
    if metric.right_at is not None and not low <= metric.right_at <= high:
        what = f"right_at is {metric.right_at!r}, outside of the bounds {low:g} to {high:g}"
        raise Failed(what, "Give a value of one example from which it counts as right, or None")
    _score_names(metric)
    if not isinstance(metric.caveat(), str):
        raise Failed(f"caveat() gives {metric.caveat()!r}", "Give a word or two, mostly none: ''")


def _limits(metric: Metric) -> tuple[float, float]:
    try:
        low, high = map(float, metric.bounds)
        fine = low < high
    except (TypeError, ValueError):
        fine = False
    if not fine:
        what = f"bounds is {metric.bounds!r}"
        raise Failed(what, "Give the least and the greatest possible value, as (0.0, 1.0)")
    return low, high


def _score_names(metric: Metric) -> None:
    names = metric.score_names()
    mend = "score_names() gives a tuple of distinct names without blanks"
    if isinstance(names, str) or not names:
        raise Failed(f"score_names() gives {names!r}", mend)
    wrong = [n for n in names if not (isinstance(n, str) and re.fullmatch(r"[^\W_][\w.@+-]*", n))]
    if wrong or len(set(names)) < len(names):
        raise Failed(f"score_names() gives {tuple(names)!r}", mend)


def _detector(subject: Subject) -> None:
    found = subject.instance.categories()
    lines = isinstance(found, Mapping) and all(
        isinstance(text, str) and text.strip() and "\n" not in text for text in found.values()
    )
    if not found or not lines:
        raise Failed(f"categories() gives {found!r}", "Map each category to a line that defines it")
    malformed = subject.instance.malformed()
    if isinstance(malformed, str) or not set(malformed) <= set(found):
        raise Failed(f"malformed() gives {malformed!r}", "Give some of the categories, or ()")


def _trainer(subject: Subject) -> None:
    if not isinstance(subject.instance.produces, str):
        raise Failed(f"produces is {subject.instance.produces!r}", "Name a kind, as 'adapter'")


def _generator(subject: Subject) -> None:
    accepts = subject.instance.accepts
    if isinstance(accepts, str) or not all(isinstance(kind, str) for kind in accepts):
        raise Failed(f"accepts is {accepts!r}", "Give a frozenset of kinds, as {'base'}")


def _probe(subject: Subject) -> None:
    probe = subject.instance
    if not any(text.strip() for text, _ in boundary.texts(probe.texts())):
        raise Failed("texts() gives no text", "Give texts of a few sentences, of many subjects")
    for row in boundary.instructions(probe.instructions()):
        for answer in ("", "no idea"):
            boundary.right(probe.right(row, answer), row.id)
    list(boundary.rows(probe.rows()))


_FURTHER: Mapping[str, Callable[[Subject], None]] = {
    "metric": _metric,
    "detector": _detector,
    "trainer": _trainer,
    "generator": _generator,
    "probe": _probe,
}


def _inputs(subject: Subject) -> None:
    found = subject.instance.inputs()
    for path in found:
        if not isinstance(path, Path):
            raise Failed(f"inputs() gives {path!r}", "Give pathlib.Path objects")
        if subject.stage == "metric" and not path.exists():
            what = f"inputs() names '{path.name}', which does not exist"
            raise Failed(what, "Name files only, or raise harness.DataError with a hint")
    content_counts(subject)


def asking(subject: Subject) -> str | None:
    """check() gives harness.Problems of one line each, placed in its options, or nothing."""
    problems = [*subject.instance.check({}), *subject.instance.check({"model": {"source": "x"}})]
    for problem in problems:
        if not isinstance(problem, Problem):
            raise Failed(f"check() gives {problem!r}", "Give harness.Problem objects")
        _problem(problem, subject.plugin.Options.model_fields)
    return None


def _problem(problem: Problem, known: Collection[str]) -> None:
    message, place = problem.message, problem.place
    if not isinstance(message, str) or not message.strip() or "\n" in message:
        raise Failed(f"check() says {message!r}", "Say in one line what is wrong and what to do")
    if not isinstance(place, tuple) or (place and place[0] not in known):
        what = f"check() places a problem at {place!r}, which is none of its options"
        raise Failed(what, 'Name the option first, as ("args", "report_to"); () is the entry')
    if problem.level not in get_args(Level):
        levels = ", ".join(get_args(Level))
        raise Failed(f"check() gives the level {problem.level!r}", f"The levels are {levels}")


def options(subject: Subject) -> str | None:
    """Options are a frozen harness.Options that refuses unknown keys and survives JSON."""
    kind: Any = subject.plugin.Options
    if not (isinstance(kind, type) and issubclass(kind, Options)):
        raise Failed("its Options are no harness.Options", "class Options(harness.Options): ...")
    if not kind.model_config.get("frozen"):
        raise Failed("its options can be changed", "Leave `frozen` of model_config as it is")
    _unknown_keys(subject, kind)
    _reserved(subject, kind)
    _defaults(subject, kind)
    _round_trip(subject, kind)
    return None


def _unknown_keys(subject: Subject, kind: type[Options]) -> None:
    try:
        kind.model_validate({**subject.given, _NO_SUCH_KEY: 1})
    except ValidationError:
        return
    what = "an option that does not exist is accepted"
    raise Failed(what, 'Leave extra="forbid" of model_config as it is: a typo must not be silent')


def _reserved(subject: Subject, kind: type[Options]) -> None:
    if clash := sorted(KINDS[subject.stage].reserved & set(kind.model_fields)):
        what = f"the option '{clash[0]}' can never be given: that key belongs to the core"
        raise Failed(what, "Rename it")


def _defaults(subject: Subject, kind: type[Options]) -> None:
    for name, field in kind.model_fields.items():
        if field.is_required() or name in subject.given:
            continue
        default = field.get_default(call_default_factory=True, validated_data={})
        try:
            kind.model_validate({**subject.given, name: default})
        except ValidationError:
            what = f"the default of '{name}' ({default!r}) is not valid"
            raise Failed(
                what, "Give a valid default, or none: the option is required then"
            ) from None


def _round_trip(subject: Subject, kind: type[Options]) -> None:
    mend = "Use types that JSON carries: str, bool, int, finite float, list, dict, Path, Literal"
    try:
        text = json.dumps(subject.options.model_dump(mode="json"), allow_nan=False)
        again = kind.model_validate(json.loads(text))
    except (ValidationError, ValueError, TypeError) as error:
        line = str(error).split("\n", 1)[0]
        raise Failed(f"its options do not survive JSON ({line})", mend) from None
    if again != subject.options:
        changed = [n for n in kind.model_fields if getattr(again, n) != getattr(subject.options, n)]
        raise Failed(f"JSON changes the options {', '.join(changed)}", mend)
    if subject.stage == "metric":
        rebuilt = subject.make(again)
        if tuple(rebuilt.score_names()) != subject.names or (
            rebuilt.signature() != subject.instance.signature()
        ):
            raise Failed("options that went through JSON give another metric", mend)


def revision(subject: Subject) -> str | None:
    """The revision is a whole number from 1."""
    value: Any = subject.plugin.revision
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        mend = "Set `revision = 1`, and raise it whenever the same options give other results"
        raise Failed(f"revision is {value!r}", mend)
    return f"revision {value}"
