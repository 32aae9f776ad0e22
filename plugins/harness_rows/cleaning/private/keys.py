"""Secret keys and tokens, by the form that their service gives them.

The forms are those that the services document, and the prefixes that they register with programs
that look for leaked keys. A key without a form of its own (a password) is not found.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from harness_rows.cleaning.private.values import PrivateSpan

LEAST_DIFFERENT = 8
"""Different characters that a key has at least; ``xxxx`` is a placeholder."""


@dataclass(frozen=True, slots=True)
class Form:
    """How the keys of a service look.

    Attributes:
        service: whose they are.
        marks: texts of which one stands in or before every key: looked for first, as that is quick.
        pattern: the key is its group ``key``, or the whole.
    """

    service: str
    marks: tuple[str, ...]
    pattern: re.Pattern[str]


def _form(service: str, marks: str, pattern: str) -> Form:
    return Form(service, tuple(marks.split()), re.compile(rf"(?<![A-Za-z0-9_]){pattern}"))


_END = r"(?![A-Za-z0-9])"
_LABEL = r"[A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
_FORMS = (
    _form(
        "AWS", "AKIA ASIA ABIA ACCA A3T",
        rf"(?:AKIA|ASIA|ABIA|ACCA|A3T[A-Z0-9])[A-Z0-9]{{16}}{_END}",
    ),
    _form(
        "AWS", "aws AWS Aws secret SECRET Secret",
        r"(?i:aws|secret)[\w .-]{0,30}[\"']?\s{0,3}(?:=>|[=:])\s{0,3}[\"']?"
        r"(?P<key>[A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])",
    ),
    _form("GitHub", "ghp_ gho_ ghu_ ghs_ ghr_", rf"gh[pousr]_[A-Za-z0-9]{{36,255}}{_END}"),
    _form("GitHub", "github_pat_", rf"github_pat_[A-Za-z0-9_]{{60,255}}{_END}"),
    _form(
        "GitLab", "gl",
        r"gl(?:pat|dt|ft|rt|cbt|ptt|imt|oas|soat|agent|ffct|wt)-[\w-]{20,1024}",
    ),
    _form("GitLab", "GR1348941", r"GR1348941[\w-]{20,255}"),
    _form("Slack", "xox", r"xox[abeoprs]-[A-Za-z0-9-]{10,255}"),
    _form("Slack", "xapp-", r"xapp-\d-[A-Za-z0-9-]{20,255}"),
    _form(
        "Slack", "hooks.slack.com",
        r"https://hooks\.slack\.com/(?:services|workflows|triggers)/[A-Za-z0-9/+]{30,255}",
    ),
    _form("Google", "AIza", r"AIza[\w-]{35}(?![\w-])"),
    _form("Google", "GOCSPX-", r"GOCSPX-[\w-]{28}(?![\w-])"),
    _form("Google", "ya29.", r"ya29\.[\w.-]{20,2000}"),
    _form("Anthropic", "sk-ant-", r"sk-ant-[\w-]{20,255}"),
    _form("OpenAI", "sk-", r"sk-(?:proj|svcacct|admin|None)-[\w-]{20,255}"),
    _form("OpenAI", "sk-", rf"sk-[A-Za-z0-9]{{48}}{_END}"),
    _form("Hugging Face", "hf_", rf"hf_[A-Za-z0-9]{{30,40}}{_END}"),
    _form("Stripe", "sk_ rk_", rf"[rs]k_(?:live|test)_[A-Za-z0-9]{{10,255}}{_END}"),
    _form("Stripe", "whsec_", r"whsec_[A-Za-z0-9+/=]{20,255}"),
    _form("SendGrid", "SG.", r"SG\.[\w-]{22}\.[\w-]{43}(?![\w-])"),
    _form("Telegram", ":AA", r"\d{8,10}:AA[\w-]{33}(?![\w-])"),
    _form("DigitalOcean", "_v1_", r"do[opr]_v1_[0-9a-f]{64}"),
    _form("Azure", "AccountKey", r"AccountKey=(?P<key>[A-Za-z0-9+/]{86}==)"),
    _form("npm", "npm_", rf"npm_[A-Za-z0-9]{{36}}{_END}"),
    _form(
        "npm", "_authToken", r"_authToken[\"']?\s{0,3}=\s{0,3}[\"']?(?P<key>[\w+/=.-]{20,2000})"
    ),
    _form("PyPI", "pypi-", r"pypi-[\w-]{50,500}"),
    _form(
        "JSON Web Token", "eyJ",
        r"(?<![\w-])eyJ[\w-]{8,4000}\.eyJ[\w-]{8,8000}(?:\.[\w-]{0,2000})?",
    ),
    _form(
        "private key", "PRIVATE KEY",
        rf"-----BEGIN {_LABEL}(?:(?:(?!-----)[\s\S]){{0,20000}}-----END {_LABEL}"
        r"|(?:(?:\s|\\[nr]){0,4}[A-Za-z0-9+/=]{16,80})+)(?:\\n(?=[\"']))?",
    ),
)  # fmt: skip


def keys(text: str) -> Iterator[PrivateSpan]:
    """Keys of known services, tokens of the web, private key blocks."""
    for form in _FORMS:
        for mark in form.marks:
            if mark in text:
                break
        else:
            continue
        for match in form.pattern.finditer(text):
            group = "key" if "key" in form.pattern.groupindex else 0
            if len(set(match[group])) >= LEAST_DIFFERENT:
                yield PrivateSpan("key", *match.span(group), match[group], form.service)
