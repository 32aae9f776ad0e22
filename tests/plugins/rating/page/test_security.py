"""Whom the page's server answers: hostile requests, none of which gets through."""

from __future__ import annotations

import http.client
import json
import socket
import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.errors import DataError
from tests.plugins.rating import served
from tests.support.waiting import LONG

BATCH = "support-1a2b3c4d"
ITEM, BOS_ITEM_ONLY_ANA = served.item_id(1), served.item_id(0)
EVENT = {
    "id": "ab" * 16, "item": ITEM, "criterion": "accuracy", "kind": "set", "value": 4,
    "at": "2026-11-25T15:30:00.123Z", "seconds": 3.5,
}  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    served.need("starlette", "jinja2", "uvicorn")
    folder = tmp_path_factory.mktemp("ratings")
    other = served.batch()
    import dataclasses

    other = dataclasses.replace(other, name="other-99999999")
    with served.serving(folder, served.batch(), other) as started:
        yield started


class Reply:
    def __init__(self, answer: http.client.HTTPResponse) -> None:
        self.status, self.headers, self.body = answer.status, answer.headers, answer.read()


def ask(server: Any, method: str, path: str, headers: Any = (), body: bytes = b"") -> Reply:
    """One request exactly as given: no header is added but the body's length."""
    given = list(headers.items()) if isinstance(headers, dict) else list(headers)
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=LONG)
    connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
    for name, value in given:
        connection.putheader(name, value)
    names = {name.lower() for name, _ in given}
    if body and not names & {"content-length", "transfer-encoding"}:
        connection.putheader("Content-Length", str(len(body)))
    connection.endheaders()
    if body:
        connection.send(body)
    reply = Reply(connection.getresponse())
    connection.close()
    return reply


def token(server: Any, rater: str = "ana", batch: str = BATCH) -> str:
    document = json.loads((server.folder / batch / "tokens.json").read_bytes())
    return str(document[rater])


def reading(server: Any, **changed: str | None) -> dict[str, str]:
    """The headers of an honest reader; None leaves one out."""
    headers = {
        "Host": f"127.0.0.1:{server.port}",
        "Cookie": f"rater={token(server)}",
        "Sec-Fetch-Site": "same-origin",
    }
    return _with(headers, changed)


def writing(server: Any, **changed: str | None) -> dict[str, str]:
    headers = {**reading(server), "Origin": server.origin, "Content-Type": "application/json"}
    return _with(headers, changed)


def _with(headers: dict[str, str], changed: dict[str, str | None]) -> dict[str, str]:
    changes = {name.replace("_", "-"): value for name, value in changed.items()}
    merged = {**headers, **changes}
    return {name: value for name, value in merged.items() if value is not None}


def sent(**changed: Any) -> bytes:
    return json.dumps({"events": [{**EVENT, **changed}]}).encode()


PAGE, BOS_PAGE = f"/b/{BATCH}/ana/", f"/b/{BATCH}/bo/"


# -- honest requests --------------------------------------------------------------------------


def test_honest_requests_are_answered(server: Any) -> None:
    for name in ("", "page.js", "page.css", "state", f"items/{ITEM}"):
        assert ask(server, "GET", PAGE + name, reading(server)).status == 200, name
    reply = ask(server, "POST", PAGE + "events", writing(server), sent())
    assert (reply.status, json.loads(reply.body)["saved"]) == (200, [EVENT["id"]])


def test_a_link_becomes_a_cookie_and_leaves_the_address(server: Any) -> None:
    host = {"Host": f"127.0.0.1:{server.port}"}
    reply = ask(server, "GET", f"/in/{token(server)}", {**host, "Sec-Fetch-Site": "none"})
    assert (reply.status, reply.headers["Location"]) == (303, PAGE)
    cookie = reply.headers["Set-Cookie"].lower()
    for part in ("httponly", "samesite=strict", f"path={PAGE}"):
        assert part in cookie
    assert "domain" not in cookie


def test_a_link_in_a_mail_leads_on_from_our_own_page(server: Any) -> None:
    headers = {
        "Host": f"127.0.0.1:{server.port}", "Sec-Fetch-Site": "cross-site",
        "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document",
    }  # fmt: skip
    reply = ask(server, "GET", f"/in/{token(server)}", headers)
    assert reply.status == 200 and "Set-Cookie" in reply.headers
    assert token(server).encode() not in reply.body and PAGE.encode() in reply.body


def test_every_answer_is_locked_down(server: Any) -> None:
    replies = [
        ask(server, "GET", PAGE, reading(server)),
        ask(server, "GET", PAGE, reading(server, Cookie=None)),
        ask(server, "GET", "/nowhere", reading(server)),
    ]
    assert [reply.status for reply in replies] == [200, 403, 404]
    for reply in replies:
        policy = reply.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy and "*" not in policy
        assert reply.headers["X-Content-Type-Options"] == "nosniff"
        assert reply.headers["Referrer-Policy"] == "no-referrer"
        assert reply.headers["Cache-Control"] == "no-store"
        assert "Access-Control-Allow-Origin" not in reply.headers
        assert "uvicorn" not in str(reply.headers).lower()


# -- hostile requests -------------------------------------------------------------------------

HOSTS = (
    "", "evil.example", "localhost", "127.0.0.1", "127.0.0.1:1", "localhost:{port}",
    "evil.example:{port}", "127.0.0.1:{port}.evil.example", "evil.example@127.0.0.1:{port}",
    "0.0.0.0:{port}", "[::1]:{port}", "127.1:{port}", "127.0.0.1:{port}:{port}",
    "127.0.0.1:0{port}",
)  # fmt: skip


def test_another_host_is_refused(server: Any) -> None:
    for host in HOSTS:
        headers = reading(server, Host=host.format(port=server.port))
        assert ask(server, "GET", PAGE, headers).status in (400, 421), host


def test_no_host_and_two_hosts_are_refused(server: Any) -> None:
    assert ask(server, "GET", PAGE, reading(server, Host=None)).status == 400
    twice = [*reading(server).items(), ("Host", "evil.example")]
    assert ask(server, "GET", PAGE, twice).status == 400


PATHS = (
    "/", "//", "/b/", f"/b/{BATCH}", f"/b/{BATCH}/", f"/b/{BATCH}/ana", f"/b/{BATCH}/state",
    f"/{PAGE}", f"{PAGE}/", f"{PAGE}state/", f"/b/{BATCH}/Ana/", f"/b/{BATCH}/*/", "/b/ana/",
    f"{PAGE}../ana/", f"{PAGE}%2e%2e/ana/", f"{PAGE}./state", f"/b/{BATCH}/bo/../ana/state",
    f"{PAGE}batch.json", f"{PAGE}tokens.json", f"{PAGE}events/ana.jsonl", f"/b/{BATCH}/tokens.json",
    f"{PAGE}app.py", f"{PAGE}page.js%00.css", f"{PAGE}..%2f..%2fetc%2fpasswd",
    f"{PAGE}items/../state", f"{PAGE}items/{ITEM}/..", f"{PAGE}items/",
    f"{PAGE}items/{ITEM.upper()}x", f"{PAGE}items/..%2fbatch.json",
    f"{PAGE}items/%2e%2e%2f%2e%2e%2ftokens.json", f"{PAGE}items/C:%5Cwindows",
    f"{PAGE}state?rater=bo", f"{PAGE}state?", f"{PAGE}%73tate", "/b/../etc/passwd/",
    "/static/page.js", "/favicon.ico", "/openapi.json", "/in/", "/in/short", "/in/" + "A" * 44,
    "/" + "a" * 5000, "http://evil.example/", f"{PAGE}state;x=1", f"{PAGE[:-1]}\\state",
)  # fmt: skip


def test_there_is_nothing_at_other_paths(server: Any) -> None:
    for path in PATHS:
        reply = ask(server, "GET", path, reading(server))
        # A bare question mark is no query: that address is the state itself.
        assert reply.status in ((200,) if path.endswith("?") else (400, 403, 404)), path
        if reply.status != 200:
            assert token(server).encode() not in reply.body and b"secret" not in reply.body, path


METHODS = ("HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "POST", "get", "FOO")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", ["", "state", f"items/{ITEM}"])
def test_reading_is_by_get_only(server: Any, method: str, name: str) -> None:
    assert ask(server, method, PAGE + name, writing(server)).status in (400, 405)


def test_writing_is_by_post_only(server: Any) -> None:
    for method in ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "post"]:
        assert ask(server, method, PAGE + "events", writing(server), sent()).status in (400, 405), (
            method
        )


def cookies(server: Any) -> list[str | None]:
    true = token(server)
    return [
        None, "", "rater=", "rater", f"rater={true[:-1]}", f"rater={true}x",
        f"rater={true.lower()}",
        f"rater={true.swapcase()}", f"Rater={true}", f"xrater={true}", f"rater=\"{true}\"",
        f"rater={true}; rater={true}", f"rater={true}; rater=x", f"rater={'A' * 43}",
        "rater=\xff\xfe", f"rater={token(server, 'ana', 'other-99999999')}", "rater=ana", "rater=*",
        f"rater={true}, x", f"rater={'x' * 20000}", f"rater={token(server, 'bo')}",
    ]  # fmt: skip


def test_another_cookie_opens_nothing(server: Any) -> None:
    for number in range(21):
        headers = writing(server, Cookie=cookies(server)[number])
        for method, name in (("GET", ""), ("GET", f"items/{ITEM}"), ("GET", "page.js")):
            assert ask(server, method, PAGE + name, headers).status == 403, name
        assert ask(server, "POST", PAGE + "events", headers, sent(id="cd" * 16)).status == 403, (
            number
        )


def test_a_token_elsewhere_than_in_the_cookie_opens_nothing(server: Any) -> None:
    headers = reading(server, Cookie=None, Authorization=f"Bearer {token(server)}")
    assert ask(server, "GET", PAGE, headers).status == 403
    assert ask(server, "GET", f"{PAGE}?token={token(server)}", headers).status == 404


ORIGINS = (
    None, "", "null", "http://evil.example", "https://127.0.0.1:{port}", "http://127.0.0.1",
    "http://localhost:{port}", "http://127.0.0.1:{port}/", "http://127.0.0.1:{port}.evil.example",
    "http://127.0.0.1:{port} ", "HTTP://127.0.0.1:{port}", "file://", "chrome-extension://abc",
)  # fmt: skip


def test_writing_needs_our_own_origin(server: Any) -> None:
    for origin in ORIGINS:
        changed = None if origin is None else origin.format(port=server.port)
        if changed is not None and changed.endswith(" "):
            changed = "x" + changed  # trailing blanks are no part of a header
        reply = ask(server, "POST", PAGE + "events", writing(server, Origin=changed), sent())
        assert reply.status in (400, 403), origin


def test_other_sites_may_not_ask(server: Any) -> None:
    for site in ["cross-site", "same-site", "evil", "Same-Origin", "none, none"]:
        headers = writing(server, Sec_Fetch_Site=site)
        assert ask(server, "POST", PAGE + "events", headers, sent()).status == 403, site
        for name in ("", "state", "page.js", f"items/{ITEM}"):
            assert ask(server, "GET", PAGE + name, headers).status == 403, site


@pytest.mark.parametrize(
    ("mode", "aim"),
    [("no-cors", "image"), ("cors", "empty"), ("navigate", "iframe"), ("no-cors", "script")],
)
def test_a_link_is_no_picture_and_no_frame(server: Any, mode: str, aim: str) -> None:
    headers = {
        "Host": f"127.0.0.1:{server.port}", "Sec-Fetch-Site": "cross-site",
        "Sec-Fetch-Mode": mode, "Sec-Fetch-Dest": aim,
    }  # fmt: skip
    reply = ask(server, "GET", f"/in/{token(server)}", headers)
    assert reply.status == 403 and "Set-Cookie" not in reply.headers


@pytest.mark.parametrize("guess", ["A" * 43, "_" * 43, "0" * 43])
def test_a_guessed_link_is_refused(server: Any, guess: str) -> None:
    reply = ask(server, "GET", f"/in/{guess}", {"Host": f"127.0.0.1:{server.port}"})
    assert reply.status == 403 and "Set-Cookie" not in reply.headers


TYPES = (
    None, "", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
    "application/json; charset=utf-16", "text/json", "application/json, text/plain",
    "application/jsonl", "application/json;", "*/*",
)  # fmt: skip


def test_only_json_is_taken(server: Any) -> None:
    for kind in TYPES:
        headers = writing(server, Content_Type=kind)
        assert ask(server, "POST", PAGE + "events", headers, sent()).status in (400, 415), kind


def test_bodies_are_bounded(server: Any) -> None:
    path, large = PAGE + "events", b" " * (256 * 1024 + 1)
    assert ask(server, "POST", path, writing(server), large).status == 413
    assert ask(server, "POST", path, writing(server, Content_Length="9" * 9), b"{").status == 413
    for length in ("-1", "1e3", "0x10", "", "9" * 30, "5, 6"):
        headers = writing(server, Content_Length=length)
        assert ask(server, "POST", path, headers).status in (400, 411, 413), length
    chunked = writing(server, Transfer_Encoding="chunked")
    assert ask(server, "POST", path, chunked, b"5\r\nhello\r\n0\r\n\r\n").status == 411
    assert ask(server, "POST", path, writing(server, Content_Encoding="gzip"), b"{}").status == 415
    assert ask(server, "GET", PAGE, reading(server, Content_Length="2"), b"{}").status == 400


BODIES = (
    b"", b"{", b"null", b"[]", b"{}", b'"events"', b"\xff\xfe", b"[" * 100_000, b'{"events": []}',
    b'{"events": {}}', b'{"events": [1]}', b'{"events": [null]}', b'{"events": [[]]}',
    b'{"events": [{}], "rater": "bo"}', b'{"events": [{"id": NaN}]}', b'{"events":[],"events":[]}',
    b'{"events": [' + b"1," * 300 + b"1]}", b"<events/>", b"events=1", b"{} {}",
)  # fmt: skip


def test_other_bodies_are_refused(server: Any) -> None:
    for body in BODIES:
        reply = ask(
            server, "POST", PAGE + "events", writing(server, Content_Length=str(len(body))), body
        )
        assert reply.status in (400, 422), body


EVENTS: tuple[dict[str, Any], ...] = (
    {"item": BOS_ITEM_ONLY_ANA}, {"item": "0" * 12}, {"item": ""}, {"item": "../ana"}, {"item": 1},
    {"item": None}, {"rater": "ana"}, {"rater": ""}, {"rater": ["bo"]}, {"id": "x"}, {"id": 7},
    {"id": "AB" * 16}, {"id": "../" * 10}, {"criterion": "nothing"}, {"criterion": "__proto__"},
    {"criterion": None}, {"criterion": "accuracy\u0000"}, {"kind": "delete"}, {"kind": ""},
    {"kind": None}, {"kind": ["set"]}, {"kind": "done"}, {"criterion": "", "kind": "set"},
    {"criterion": "", "kind": "comment", "value": "x" * 20_001},
    {"criterion": "", "kind": "comment", "value": {"a": 1}}, {"criterion": "", "kind": "flag"},
    {"value": 0}, {"value": 6}, {"value": 3.5}, {"value": "4"}, {"value": True}, {"value": [4]},
    {"value": {"$gt": 0}}, {"value": 1e999}, {"criterion": "tone", "value": 1},
    {"criterion": "tone", "value": None}, {"criterion": "errors", "value": ["made up"]},
    {"criterion": "errors", "value": "wrong facts"}, {"criterion": "better", "value": "x" * 20_001},
    {"criterion": "better", "value": " "}, {"at": ""}, {"at": "yesterday"}, {"at": 5},
    {"at": "2026-13-45T99:99:99.123Z"}, {"at": "9999-12-31T23:59:59.999Z"},
    {"at": "2026-11-25T15:30:00Z"}, {"seconds": -1},
    {"seconds": "3"}, {"seconds": True}, {"seconds": 1e300}, {"seconds": [1]}, {"more": 1},
    {"__proto__": {}},
)  # fmt: skip


def test_what_no_page_would_say_is_not_kept(server: Any) -> None:
    """As Bo, who does not rate Ana's first item."""
    for number in range(len(EVENTS)):
        headers = writing(server, Cookie=f"rater={token(server, 'bo')}")
        body = sent(**EVENTS[number]).replace(b"Infinity", b"1e999")
        reply = ask(server, "POST", BOS_PAGE + "events", headers, body)
        expected = 409 if "rater" in EVENTS[number] else 400 if b"1e999" in body else 422
        assert reply.status == expected, number
        assert not json.loads(reply.body).get("saved"), number
        assert not (server.folder / BATCH / "events" / "bo.jsonl").exists(), number


def test_another_raters_item_is_not_shown(server: Any) -> None:
    headers = reading(server, Cookie=f"rater={token(server, 'bo')}")
    assert ask(server, "GET", f"{BOS_PAGE}items/{BOS_ITEM_ONLY_ANA}", headers).status == 404
    assert ask(server, "GET", f"{PAGE}items/{BOS_ITEM_ONLY_ANA}", reading(server)).status == 200


def test_reading_has_no_effect(server: Any) -> None:
    def files() -> dict[str, bytes]:
        return {str(p): p.read_bytes() for p in server.folder.rglob("*") if p.is_file()}

    before = files()
    for name in ("", "state", "page.js", f"items/{ITEM}"):
        ask(server, "GET", PAGE + name, reading(server))
    ask(server, "GET", f"/in/{token(server)}", {"Host": f"127.0.0.1:{server.port}"})
    assert files() == before


RAW = (
    b"GET / HTTP/1.1\r\n\r\n",
    b"GET /b/{b}/ana/ HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    b"POST /b/{b}/ana/events HTTP/1.1\r\nHost: {h}\r\nContent-Length: 4\r\n"
    b"Content-Length: 5\r\n\r\nabcd",
    b"POST /b/{b}/ana/events HTTP/1.1\r\nHost: {h}\r\nContent-Length: 4\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n",
    b"GET /b/{b}/ana/ HTTP/1.1\r\nHost : {h}\r\n\r\n",
    b"GET /b/{b}/ana/ HTTP/1.1\r\nHost: {h}\r\nX: a\x00b\r\n\r\n",
    b"GET /b/{b}/ana/ HTTP/9.9\r\nHost: {h}\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"GET /b/{b}/ana/ HTTP/1.1\r\nHost: {h}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    b"GET " + b"/" * 70_000 + b" HTTP/1.1\r\nHost: {h}\r\n\r\n",
)  # fmt: skip


def test_broken_requests_are_refused(server: Any) -> None:
    for number in range(len(RAW)):
        raw = RAW[number].replace(b"{b}", BATCH.encode())
        raw = raw.replace(b"{h}", f"127.0.0.1:{server.port}".encode())
        with socket.create_connection(("127.0.0.1", server.port), timeout=LONG) as connection:
            connection.sendall(raw)
            connection.shutdown(socket.SHUT_WR)
            answer = b""
            try:
                while part := connection.recv(65536):
                    answer += part
            except ConnectionResetError:
                pass
        assert not answer or answer.startswith(b"HTTP/1.1 4"), answer[:200]


# -- tokens and proxies -----------------------------------------------------------------------


def test_tokens_are_random_private_and_kept(tmp_path: Path) -> None:
    from harness_rating.page.tokens import seats

    batch = served.batch()
    first, again = seats(tmp_path, [batch]), seats(tmp_path, [batch])
    assert first == again and len(first) == 2
    assert all(len(token) == 43 for token in first)
    path = tmp_path / batch.name / "tokens.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.unlink()
    assert not first.keys() & seats(tmp_path, [batch]).keys()
    path.write_text('{"ana": "short"}', encoding="utf-8")
    with pytest.raises(DataError, match="tokens"):
        seats(tmp_path, [batch])


def test_behind_a_proxy_that_encrypts(tmp_path: Path) -> None:
    """What the proxy passes on bears the browsers' own Host and Origin."""
    with served.serving(
        tmp_path, served.batch(), hosts=("Rate.Example.Org",), scheme="https"
    ) as running:
        assert running.links["ana"].startswith("https://rate.example.org/in/")
        headers = writing(running, Host="rate.example.org", Origin="https://rate.example.org")
        assert ask(running, "POST", PAGE + "events", headers, sent()).status == 200
        headers["Origin"] = "http://rate.example.org"
        assert ask(running, "POST", PAGE + "events", headers, sent()).status == 403
        link = running.links["ana"].removeprefix("https://rate.example.org")
        cookie = ask(running, "GET", link, {"Host": "rate.example.org"}).headers["Set-Cookie"]
        assert "; secure" in cookie.lower()


def test_servers_that_start_at_once_give_the_same_links(tmp_path: Path) -> None:
    from harness_rating.page import tokens

    batch, ready = served.batch(), threading.Barrier(8)
    found: list[Any] = []

    def start(folder: Path) -> None:
        ready.wait()
        found.append(tokens.seats(folder, [batch]))

    for turn in range(5):
        folder = tmp_path / str(turn)
        servers = [threading.Thread(target=start, args=(folder,)) for _ in range(8)]
        for server in servers:
            server.start()
        for server in servers:
            server.join()
        kept = tokens.seats(folder, [batch])
        assert found == [kept] * 8
        assert [path.name for path in (folder / batch.name).iterdir()] == ["tokens.json"]
        found.clear()
