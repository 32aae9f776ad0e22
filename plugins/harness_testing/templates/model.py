"""The model ``sample``."""

from __future__ import annotations

import harness
from harness import Checkpoint, Context
from harness.kit.files import digest


class Sample(harness.Model):
    """A model behind a service, of a fixed version."""

    name = "sample"

    class Options(harness.Options):
        version: str = "2026-01"

    def fetch(self, context: Context) -> Checkpoint:
        # Answers are kept by the digest: make it of all that decides them. A service
        # has no files here; a model that has some names a folder that stays.
        version = self.options.version
        name = f"service {version}"
        return Checkpoint("base", str(context.output), digest(version), name)


@harness.hookimpl
def register_models() -> list[type[harness.Model]]:
    return [Sample]
