"""What the config needs of this machine: its plugins say so, as they do to ``harness check``.

No row is read and no model is loaded.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit, urlunsplit
from urllib.request import Request

import harness
from harness.errors.installing import missing
from harness.kit import gate
from harness.kit.text import one_line
from harness_doctor.findings import Section, Trouble

SECONDS = 3.0
"""Longest wait for an answer of the hub or the index."""
SHOWN = 8
"""Problems of the config that are told; `harness check` tells all."""
_INDEX = re.compile(r"--index-url <[^>]*>.*?\(default (\S+?)\)", re.DOTALL)


def needs(path: Path | None, sets: Sequence[str]) -> tuple[Section, Collection[str]]:
    """What the config needs and lacks here, and the distributions that its plugins name as theirs.

    Args:
        path: as given on the command line; None where none was.
    """
    here = Path("harness.yaml")
    shipped = "the shipped one (there is no harness.yaml here)"
    facts = {"file": str(path or (here if here.is_file() else shipped))}
    options = ["-c", str(path)] if path else []
    for override in sets:
        options += ["--set", override]
    check = shlex.join(["harness", "check", *options])
    try:
        view = harness.open_config(path, sets)
    except harness.HarnessError as error:
        return Section("Config", facts, facts, [_refused(error, check)]), ()
    troubles = []
    try:
        remarks = view.ask_plugins()
    except harness.HarnessError as error:
        troubles.append(_refused(error, check))
        remarks = []
    if unknown := [line for level, line in remarks if level == "unknown"]:
        facts["not known"] = "; ".join(unknown)
    libraries = view.libraries()
    facts["libraries"] = ", ".join(libraries) or "none"
    for origin, why in harness.Registry.build([]).failed.items():
        what = f"plugins of {one_line(origin, 120)} cannot be loaded: {one_line(why, 200)}"
        troubles.append(Trouble(what, "harness plugins", "warning"))
    for place, wanted in _fetched(view).items():
        reason = _silence_of_hub() if place == "the model hub" else _silence_of_index()
        facts[place] = f"has to give {', '.join(wanted)}; {reason or 'it answers'}"
        if reason:
            what = f"{place} has to give {', '.join(wanted)}, and cannot be asked: {reason}"
            cure = "check the network and its settings (HTTPS_PROXY, HF_ENDPOINT, HF_HUB_OFFLINE)"
            troubles.append(Trouble(what, cure, "warning"))
    return Section("Config", facts, facts, troubles), libraries


def _refused(error: harness.HarnessError, check: str) -> Trouble:
    lines = [error.placed, *error.details, *([error.hint] if error.hint else [])]
    more = f"; and {len(lines) - SHOWN} more" if len(lines) > SHOWN else ""
    what = "; ".join(one_line(line, 200) for line in lines[:SHOWN]) + more
    return Trouble(what, f"mend what it names, then: {check}", code=error.exit_code)


def _fetched(view: harness.ConfigView) -> dict[str, list[str]]:
    """What is not on this machine, by where it has to be fetched from."""
    wanted: dict[str, list[str]] = {}
    config = view.config()
    model = config["model"]
    place = {"hub": "the model hub", "pypi": "the package index"}.get(model["source"])
    if place and not view.at_hand():
        wanted[place] = [f"the model '{model.get('id') or model['name']}'"]
    for key, entries in config.items():
        for entry in entries if isinstance(entries, list) else [entries]:
            if isinstance(entry, Mapping) and entry.get("hub"):
                wanted.setdefault("the model hub", []).append(f"'{entry['hub']}' of {key}")
    return wanted


def _silence_of_hub() -> str:
    try:
        from huggingface_hub import constants
    except ImportError:
        return missing(["huggingface-hub"])
    if constants.HF_HUB_OFFLINE:
        return "HF_HUB_OFFLINE forbids to ask"
    return silence(constants.ENDPOINT)


def _silence_of_index() -> str:
    """Of the index of pip, whose help names the address that is in force."""
    done = gate.run_python(
        "pip", "--disable-pip-version-check", "download", "--help", by="doctor",
        capture_output=True, text=True, stdin=gate.DEVNULL, env={**os.environ, "COLUMNS": "4000"},
    )  # fmt: skip
    address = _INDEX.search(done.stdout)
    if done.returncode or address is None:
        last = done.stderr.strip().rpartition("\n")[2]
        return f"pip does not work: {one_line(last, 200)}"
    return silence(f"{address[1].rstrip('/')}/pip/")


def silence(address: str) -> str:
    """Why a server does not answer; empty where it does.

    The address is not repeated: it may hold a password, or the name of a machine that is nobody's
    business.
    """
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https"):
        return "its address is neither http nor https"
    host = parts.netloc.rpartition("@")[2]  # without a password
    request = Request(urlunsplit(parts._replace(netloc=host)), method="HEAD")
    try:
        with gate.open_url(request, by="doctor", timeout=SECONDS):
            return ""
    except HTTPError as error:
        error.close()
        # Whatever it says below 500, it has answered.
        return f"it answers with an error of its own ({error.code})" if error.code >= 500 else ""
    except (OSError, ValueError) as error:
        reason = error.reason if isinstance(error, URLError) else error
        return str(getattr(reason, "strerror", None) or type(reason).__name__)
