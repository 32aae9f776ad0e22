"""Whether the model hub and the package index answer, and who needs them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness_doctor.findings import Section, Trouble
from harness_doctor.probing import Answer

NAMES = {"hub": "the model hub", "index": "the package index"}
_CURES = {
    "offline": "unset HF_HUB_OFFLINE",
    "no pip": "python -m ensurepip --upgrade",
}
_WAYS = {
    "hub": "check the network, proxies (HTTPS_PROXY) and HF_ENDPOINT; or use a model in a folder "
    "(model: {source: local})",
    "index": "check the network, proxies (HTTPS_PROXY) and `pip config list`",
}


def section(answer: Answer, needs: Sequence[Mapping[str, str]]) -> Section:
    """What answered. It is a warning that something does not only where the config needs it.

    Args:
        needs: see :func:`harness_doctor.probes.config.look`.
    """
    silent = {"state": "unknown", "reason": answer.failure}
    found = {name: answer.found.get(name, silent) for name in NAMES}
    facts = {name.removeprefix("the "): _fact(found[key]) for key, name in NAMES.items()}
    values = {
        key: {"state": one["state"], "reason": one["reason"], "needed": _for(key, needs)}
        for key, one in found.items()
    }
    return Section("network", "Network", facts, values, tuple(_troubles(found, needs)))


def _for(key: str, needs: Sequence[Mapping[str, str]]) -> list[str]:
    """What has to be fetched from there."""
    return [need["what"] for need in needs if need["from"] == key]


def _fact(one: Mapping[str, Any]) -> str:
    text = {"reachable": "reachable", "offline": "not asked", "unknown": "unknown"}.get(
        one["state"], "not reachable"
    )
    place = ", at the address of HF_ENDPOINT" if one.get("set") else ""
    return f"{text}{place}" + (f" ({one['reason']})" if one["reason"] else "")


def _troubles(
    found: Mapping[str, Mapping[str, Any]], needs: Sequence[Mapping[str, str]]
) -> Iterator[Trouble]:
    for key, one in found.items():
        wanted = _for(key, needs)
        if one["state"] == "reachable" or not wanted:
            continue
        yield Trouble(
            f"{NAMES[key]} is {_fact(one)}",
            f"{' and '.join(wanted)} has to be fetched from there",
            _CURES.get(one["state"], _WAYS[key]),
            "warning",
        )
