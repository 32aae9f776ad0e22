"""Sources of examples made of Python code: ``docstrings`` and ``python-questions``."""

from __future__ import annotations

import harness
from harness_sources.docstrings import Docstrings
from harness_sources.python_questions import PythonQuestions


@harness.hookimpl
def register_sources() -> list[type[harness.Source]]:
    return [Docstrings, PythonQuestions]
