"""The page: its own files, and the HTML around them, served or packed into one file."""

from __future__ import annotations

import base64
import functools
import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

from harness import UsageError, near
from harness.kit.serving.server import load_extra
from harness.kit.text import one_line
from harness_rating.batches.records import Batch
from harness_rating.page import payloads

HERE = Path(__file__).parent
ASSETS = {
    "page.js": "text/javascript; charset=utf-8",
    "page.css": "text/css; charset=utf-8",
}
# Characters that end a script element, open markup, or end a line of old JavaScript.
_ESCAPED = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&\u2028\u2029"}


@functools.cache
def asset(name: str) -> bytes:
    """One of our own files; its name is one of :data:`ASSETS`."""
    return (HERE / "static" / name).read_bytes() if name in ASSETS else b""


@functools.cache
def zipped(name: str) -> bytes:
    """The same with gzip, which makes a third of it. There is no secret in it to be guessed."""
    return gzip.compress(asset(name), mtime=0)


def page(batch: Batch) -> str:
    """The page that a server gives; it asks for all else itself."""
    return _render(
        "page.html",
        batch=batch,
        title=one_line(batch.rubric.title),
        packed=False,
        data=script_json({"mode": "served", "batch": batch.name}),
    )


def pack(batch: Batch, rater: str) -> bytes:
    """One rater's batch as one HTML file that works from the disk, without a server.

    The page keeps in the browser what is done, and exports the events as JSON lines. References
    are in it unless the rubric never shows them; who looks into the file can read those that the
    page shows only after the first score.

    Raises:
        EnvironmentFailure: the extra ``web`` is not installed.
        UsageError: the batch has no such rater.
    """
    if rater not in batch.raters:
        raise UsageError(
            f"{batch.name} has no rater '{rater}'{near(rater, batch.raters)}",
            hint=f"there are: {', '.join(batch.raters)}",
        )
    items, names = batch.by_id, batch.assignments[rater]
    with_references = batch.rubric.show.reference != "never"
    data = {
        "mode": "packed",
        "batch": batch.name,
        "rater": rater,
        "version": batch.rubric_name,
        "rubric": payloads.rubric(batch),
        "items": list(names),
        "events": [],
        "texts": [
            payloads.item(items[name], batch.rubric, reference=with_references) for name in names
        ],
    }
    script, style = asset("page.js").decode(), asset("page.css").decode()
    policy = (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; "
        "img-src data:; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'"
    )
    return _render(
        "page.html",
        batch=batch,
        title=one_line(batch.rubric.title),
        packed=True,
        policy=policy,
        script=script,
        style=style,
        data=script_json(data),
    ).encode()


def script_json(value: Any) -> str:
    """JSON that is safe inside a script element."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False).translate(_ESCAPED)


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _render(name: str, **values: Any) -> str:
    text: str = _templates().get_template(name).render(**values)
    return text


@functools.cache
def _templates() -> Any:
    load_extra("the rating page", "jinja2")
    import jinja2

    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
