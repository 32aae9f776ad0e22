"""An export on the Hugging Face hub."""

from __future__ import annotations

import shlex
from pathlib import Path

import harness
from harness.kit import gate
from harness.kit.text import one_line


def need_licence(licence: str) -> None:
    """Raises UsageError where nobody says under which licence the base model is."""
    if not licence:
        raise harness.UsageError(
            "--push: under which licence the base model is, nobody says here, and what was made of "
            "it is published under terms that depend on it",
            hint="read its source, and name it: --licence apache-2.0",
        )


def need_room(name: str) -> None:
    """Before any work: the hub is there, may be written to, and has nothing of this name.

    Raises:
        UsageError: there is a repository of this name.
        EnvironmentFailure: nobody has logged in, or the hub cannot be asked.
    """
    library = gate.library("huggingface_hub", "the model hub", by=f"--push {name}")
    if not library.get_token():
        raise harness.EnvironmentFailure(
            f"--push {name}: no token for the hub is on this machine",
            hint="hf auth login, with a token that may write",
        )
    try:
        taken = library.HfApi().repo_exists(name)
    except Exception as error:  # of whatever library the hub is asked by
        raise _silent(name, error, "without --push nothing is uploaded") from error
    if taken:
        raise harness.UsageError(
            f"--push {name}: there is a repository of this name", hint="name a new one"
        )


def push(folder: Path, name: str, *, private: bool) -> str:
    """Upload the folder as a new repository; its address.

    Raises:
        UsageError: there is one of that name.
        EnvironmentFailure: the hub cannot be reached, or refuses.
        Cancelled: Ctrl-C.
    """
    from huggingface_hub.errors import HfHubHTTPError

    library = gate.library("huggingface_hub", "the model hub", by=f"--push {name}")
    again = f"{folder} is whole: {shlex.join(['hf', 'upload', name, str(folder)])}"
    try:
        api = library.HfApi()
        address = str(api.create_repo(name, private=private, exist_ok=False))
        api.upload_folder(folder_path=folder, repo_id=name, commit_message="Export of harness")
    except KeyboardInterrupt:
        raise harness.Cancelled(f"stopped; {again}") from None
    except HfHubHTTPError as error:
        code = error.response.status_code if error.response is not None else 0
        if code == 409:
            raise harness.UsageError(
                f"--push {name}: there is a repository of this name", hint=again
            ) from error
        login = "hf auth login, with a token that may write; " if code in (401, 403) else ""
        raise harness.EnvironmentFailure(
            f"--push {name}: the hub refuses it ({one_line(str(error), 200)})", hint=login + again
        ) from error
    except Exception as error:
        raise _silent(name, error, again) from error
    return address


def _silent(name: str, error: Exception, hint: str) -> harness.EnvironmentFailure:
    what = f"--push {name}: the hub cannot be asked ({one_line(str(error), 200)})"
    return harness.EnvironmentFailure(what, hint=hint)
