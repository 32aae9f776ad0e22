"""Modules that take seconds to import, and that few tests use.

Each of the processes collects every file of tests: what a file imports at its top is loaded
in all of them, though its tests run in one.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any


class Later:
    """A module that is loaded when something of it is read or set, as by the first test."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        object.__setattr__(self, "_name", name)

    @property
    def __dict__(self) -> dict[str, Any]:  # type: ignore[override]
        return vars(import_module(self._name))  # pytest's monkeypatch looks here

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("__") or attribute == "_mock_name":
            raise AttributeError(attribute)  # what pytest asks of every name in a file
        return getattr(import_module(self._name), attribute)

    def __setattr__(self, attribute: str, value: Any) -> None:
        setattr(import_module(self._name), attribute, value)

    def __delattr__(self, attribute: str) -> None:
        delattr(import_module(self._name), attribute)
