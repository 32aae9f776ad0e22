"""Reading a config file into plain values, with the line of every key.

YAML is 1.2 (``1e-4`` is a number, ``no`` is text) and a key may stand only once; a file that
ends in ``.toml`` is TOML, where lines are not known.
"""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.errors import ConfigError
from harness.kit.files import read_whole
from harness.kit.text import plain

Place = tuple[str | int, ...]
Lines = dict[Place, int]

DEEPEST = 50
MOST_VALUES = 20_000
"""Of a config file; anchors can make a short file endless."""
LARGEST = 2 * 2**20
"""Bytes of a config file."""


def read(path: Path) -> tuple[dict[str, Any], Lines]:
    """The file's mapping and, for each path of keys, its line (from 1).

    Raises:
        ConfigError: missing, unreadable, not UTF-8, not a mapping, or not well-formed.
    """
    try:
        text = read_whole(path, LARGEST).decode("utf-8-sig")
    except FileNotFoundError:
        raise ConfigError("this config file does not exist", where=str(path)) from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"not UTF-8 at byte {error.start}", where=str(path)) from None
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", where=str(path)) from None
    if path.suffix == ".toml":
        return _toml(text, path), {}
    return _yaml(text, path)


def read_dumped(path: Path) -> Mapping[str, Any]:
    """The mapping of a file that :func:`dump` has written, not to be changed.

    Files that differ in a key have the others word for word: what stands below each key is read
    once. A file that was written otherwise is read as :func:`read` does.

    Raises:
        ConfigError: as :func:`read` does.
    """
    try:
        parts = _BELOW_KEYS.split(read_whole(path, LARGEST).decode("utf-8-sig"))
        contents = [_part(part) for part in parts if part]
    except (OSError, ValueError, ConfigError):
        return read(path)[0]
    whole = {key: value for part in contents for key, value in part.items()}
    return whole if len(whole) == sum(map(len, contents)) else read(path)[0]


_BELOW_KEYS = re.compile(r"^(?=[^\s#-])", re.MULTILINE)


@functools.lru_cache(maxsize=4096)
def _part(text: str) -> dict[str, Any]:
    return _yaml(text, Path())[0]


def scalar(text: str) -> Any:
    """What ``text`` means as a YAML value (for ``--set``)."""
    from ruamel.yaml import YAML

    try:
        _lines_of(YAML(typ="safe", pure=True).compose(text))
        return YAML(typ="safe", pure=True).load(text)
    except Exception:  # whatever the reader makes of it, it is no value
        return text


def key_value(text: str) -> tuple[str, Any] | None:
    """``KEY=VALUE`` of a command line, the value as in a file; None where it is nothing like it."""
    key, sign, value = text.partition("=")
    return (key, scalar(value)) if sign and key.strip() else None


def dump(values: Any) -> str:
    """Values as YAML text, with escapes for what would do something in a terminal."""
    text = _dumped(values, unicode=True)
    return text if plain(text) == text else _dumped(values, unicode=False)


def _dumped(values: Any, *, unicode: bool) -> str:
    from io import StringIO

    from ruamel.yaml import YAML

    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.allow_unicode = unicode
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    stream = StringIO()
    yaml.dump(values, stream)
    return stream.getvalue()


def _toml(text: str, path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"not TOML: {_first(error)}", where=str(path)) from None


def _yaml(text: str, path: Path) -> tuple[dict[str, Any], Lines]:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    yaml = YAML(typ="safe", pure=True)
    try:
        node = yaml.compose(text)
        lines = _lines_of(node)
        values = None if node is None else yaml.constructor.construct_document(node)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{path}:{mark.line + 1}" if mark else str(path)
        problem = str(error.problem or error.context or "not YAML").split("\n")[0]
        raise ConfigError(f"not well-formed: {problem}", where=where) from None
    except (
        YAMLError,
        ValueError,
        TypeError,
        ArithmeticError,
        LookupError,
        RecursionError,
    ) as error:
        raise ConfigError(f"not YAML: {_first(error)}", where=str(path)) from None
    if values is None:
        values = {}
    if not isinstance(values, dict):
        raise ConfigError("a config is a mapping of keys to values", where=f"{path}:1")
    for key in values:
        if not isinstance(key, str):
            raise ConfigError(f"a key must be a text, not {key!r}", where=str(path))
    return values, lines


def flattened(value: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted key (``metrics.0.plugin``) and value of all that mappings and lists of them hold."""
    if isinstance(value, Mapping) and value:
        pairs = list(value.items())
    elif isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
        pairs = list(enumerate(value))
    else:
        yield prefix, value
        return
    for key, item in pairs:
        yield from flattened(item, f"{prefix}.{key}" if prefix else str(key))


def _first(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    return next(iter(str(error).splitlines()), type(error).__name__)


def _lines_of(node: Any) -> Lines:
    """The line of every key; raises ValueError where the values have no end, or hardly one."""
    lines: Lines = {}
    if node is not None:
        _lines(node, (), lines)
    return lines


def _lines(node: Any, place: Place, lines: Lines) -> None:
    if len(place) > DEEPEST:
        raise ValueError(f"it is nested deeper than {DEEPEST} levels, or an anchor holds itself")
    if len(lines) > MOST_VALUES:
        raise ValueError(f"it has more than {MOST_VALUES} values, those of anchors counted")
    if node.id == "mapping":
        for key, value in node.value:
            if key.id != "scalar":
                raise ValueError(f"line {key.start_mark.line + 1}: a key must be a text")
            inner = (*place, key.value)
            lines[inner] = key.start_mark.line + 1
            _lines(value, inner, lines)
    elif node.id == "sequence":
        for index, value in enumerate(node.value):
            lines[*place, index] = value.start_mark.line + 1
            _lines(value, (*place, index), lines)
