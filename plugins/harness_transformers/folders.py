"""Models from a folder and from the model hub: safetensors only."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import Field

import harness
from harness_transformers import cache
from harness_transformers.chat_options import ChatModel, ChatOptions

PICKLES = {".bin", ".pt", ".pth", ".ckpt", ".pkl"}
ALLOWED = ["*.safetensors", "*.json", "*.txt", "*.model", "*.jinja"]


class LocalModel(ChatModel):
    """A model in a folder of this machine."""

    name = "local"

    class Options(ChatOptions):
        path: Path = Field(description="folder with config.json, tokenizer and safetensors")
        trust_remote_code: bool = Field(
            default=False, description="run Python code that lies in the folder"
        )

    options: Options

    def folder(self) -> Path | None:
        return self.options.path if self.options.path.is_dir() else None

    def fetch(self, context: harness.Context) -> harness.Checkpoint:
        folder = self.options.path
        _check(folder, self.options.trust_remote_code)
        digest = cache.digest(cache.content(folder))
        trusted = self.options.trust_remote_code
        return self.checkpoint(folder, digest, folder.name, trust_remote_code=trusted)


class HubModel(ChatModel):
    """A model of the Hugging Face hub."""

    name = "hub"
    revision = 2
    known_as = ("hf", "huggingface", "hugging-face", "transformers", "pretrained")
    synonyms = dict.fromkeys(("model", "name", "path", "repo", "repo_id", "model_id"), "id")

    class Options(ChatOptions):
        id: str = Field(description="such as HuggingFaceTB/SmolLM2-135M-Instruct")
        revision: str = Field(default="main", description="branch, tag or commit")
        trust_remote_code: bool = Field(
            default=False, description="run Python code that comes with the model"
        )

    options: Options

    def fetch(self, context: harness.Context) -> harness.Checkpoint:
        """See :meth:`harness.Model.fetch`.

        A branch or tag is resolved to its commit when a run begins (without a network, to the
        one that is cached), and a run goes on with the commit that it began with.

        Raises:
            EnvironmentFailure: the hub cannot be reached and nothing is cached.
        """
        from huggingface_hub import snapshot_download

        wanted = [*ALLOWED, "*.py"] if self.options.trust_remote_code else ALLOWED
        revision = self._begun(context.known) or self.options.revision
        try:
            folder = Path(
                snapshot_download(self.options.id, revision=revision, allow_patterns=wanted)
            )
        except Exception as error:
            reason = str(error).strip().splitlines() or [type(error).__name__]
            raise harness.EnvironmentFailure(
                f"'{self.options.id}' ({revision}) cannot be had: {reason[0]}",
                hint="check the id and the network; a folder works with model: {source: local}",
            ) from error
        _check(folder, self.options.trust_remote_code)
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


def _check(folder: Path, trust_remote_code: bool) -> None:
    """Refuse what is no model folder, pickled weights, and code that nobody allowed."""
    where = str(folder)
    if not (folder / "config.json").is_file():
        raise harness.EnvironmentFailure("this is no model folder (no config.json)", where=where)
    if not list(folder.glob("*.safetensors")):
        pickles = sorted(p.name for p in folder.iterdir() if p.suffix in PICKLES)
        found = f"; {', '.join(pickles[:3])} can run code when loaded" if pickles else ""
        raise harness.EnvironmentFailure(
            f"only safetensors weights are loaded{found}",
            where=where,
            hint="convert them with save_pretrained(..., safe_serialization=True)",
        )
    if _wants_code(folder / "config.json") and not trust_remote_code:
        raise harness.EnvironmentFailure(
            "this model brings Python code of its own",
            where=where,
            hint="read it, then allow it with trust_remote_code: true",
        )


def _wants_code(config: Path) -> bool:
    """True if the model cannot be built from the classes that transformers has."""
    try:
        return "auto_map" in json.loads(config.read_bytes())
    except ValueError as error:
        raise harness.EnvironmentFailure(f"no JSON: {error}", where=str(config)) from error
