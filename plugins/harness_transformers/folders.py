"""Models from a folder and from the model hub: safetensors only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import Field

import harness
from harness.kit import gate
from harness_transformers import cache, checks, hub
from harness_transformers.chat_options import ChatModel, ChatOptions

ALLOWED = ["*.safetensors", "*.json", "*.txt", "*.model", "*.jinja"]


class LocalModel(ChatModel):
    """A model in a folder of this machine."""

    name = "local"
    runs_code = ("trust_remote_code",)

    class Options(ChatOptions):
        path: Path = Field(description="a folder with config.json, tokenizer and safetensors")
        trust_remote_code: bool = Field(
            default=False, description="run Python code that lies in the folder"
        )

    options: Options

    def folder(self) -> Path | None:
        return self.options.path if self.options.path.is_dir() else None

    def check(self, settings: Mapping[str, Any]) -> Iterator[harness.Problem]:
        yield from super().check(settings)
        folder = self.options.path
        yield from checks.folder_problems(folder, ("path",), self.options, "config")

    def fetch(self, context: harness.Context) -> harness.Checkpoint:
        folder = self.options.path
        checks.refuse(folder, trust_remote_code=self.options.trust_remote_code)
        digest = cache.digest(cache.content(folder))
        trusted = self.options.trust_remote_code
        return self.checkpoint(folder, digest, folder.name, trust_remote_code=trusted)


class HubModel(ChatModel):
    """A model of the Hugging Face hub."""

    name = "hub"
    runs_code = ("trust_remote_code",)
    revision = 2
    known_as = ("hf", "huggingface", "hugging-face", "transformers", "pretrained")
    synonyms = dict.fromkeys(("model", "name", "path", "repo", "repo_id", "model_id"), "id")

    class Options(ChatOptions):
        id: str = Field(
            description="a model of the Hugging Face hub, such as "
            "`HuggingFaceTB/SmolLM2-135M-Instruct`"
        )
        revision: str = Field(
            default="main",
            description="branch, tag or commit; resolved to a commit when a run begins, "
            "which keeps it",
        )
        trust_remote_code: bool = Field(
            default=False, description="run Python code that comes with the model"
        )

    options: Options

    def folder(self) -> Path | None:
        return hub.cached(self.options.id, self.options.revision)

    def check(self, settings: Mapping[str, Any]) -> Iterator[harness.Problem]:
        """Also asks the hub, where the model is not cached and the network may be used."""
        yield from super().check(settings)
        name, revision = self.options.id, self.options.revision
        if not hub.is_id(name):
            message = f"'{name}' is no id of the hub (owner/name); a folder is {{source: local}}"
            yield harness.Problem(message, ("id",))
            return
        folder = self.folder()
        if folder is None:
            yield from hub.problems(name, revision)
        else:
            yield from checks.folder_problems(folder, ("id",), self.options, "environment")

    def fetch(self, context: harness.Context) -> harness.Checkpoint:
        """See :meth:`harness.Model.fetch`.

        A branch or tag is resolved to its commit when a run begins (without a network, to the
        one that is cached), and a run goes on with the commit that it began with.

        Raises:
            EnvironmentFailure: the hub cannot be reached and nothing is cached.
        """
        by = "model source 'hub'"
        wanted = [*ALLOWED, "*.py"] if self.options.trust_remote_code else ALLOWED
        revision = self._begun(context.known) or self.options.revision
        library = gate.library("huggingface_hub", "the model hub", by=by)
        try:
            folder = Path(
                library.snapshot_download(self.options.id, revision=revision, allow_patterns=wanted)
            )
        except Exception as error:
            reason = str(error).strip().splitlines() or [type(error).__name__]
            raise harness.EnvironmentFailure(
                f"'{self.options.id}' ({revision}) is not available: {reason[0]}",
                hint="check the id and the network; a folder works with model: {source: local}",
            ) from error
        checks.refuse(folder, trust_remote_code=self.options.trust_remote_code)
        # The cache names the folder of a snapshot after its commit.
        commit = folder.name
        return self.checkpoint(
            folder, cache.digest({**cache.content(folder), "commit": commit}), self.options.id,
            trust_remote_code=self.options.trust_remote_code,
            revision=self.options.revision, commit=commit,
        )  # fmt: skip

    def _begun(self, known: harness.Checkpoint | None) -> str | None:
        """The commit that the run began with, if it began with this model and revision."""
        if known is None or known.name != self.options.id:
            return None
        same = known.info.get("revision") == self.options.revision
        return known.info.get("commit") if same else None
