"""The gate, whatever page is behind it. Hostile requests are those of the rating page's tests."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.kit.serving import pages
from tests.kit.serving.pages import Page

pages.need()


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with pages.served() as served:
        yield served


@pytest.fixture(scope="module")
def other() -> Iterator[Page]:
    with pages.served("other") as served:
        yield served


def test_a_page_has_its_own_policy_and_the_headers_of_all(page: Page) -> None:
    for answer, status in ((page.ask("/small/"), 200), (page.ask("/nowhere"), 404)):
        assert answer.status == status
        assert answer.headers["Content-Security-Policy"] == pages.POLICY
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"


def test_queries_and_escapes_reach_a_page_that_has_them(page: Page) -> None:
    asked = json.loads(page.ask("/small/a%2Fb%20%C3%BC?words=%3Cb%3E%26+x&slice=a%3Db").body)
    assert asked["name"] == "a/b \u00fc"
    assert asked["query"] == {"words": "<b>& x", "slice": "a=b"}


def test_an_address_is_read_in_one_way(page: Page) -> None:
    for path in ("/%73mall/", "//small/", "/small", "/%2Fsmall/", "/?/small/", "/x/../small/"):
        assert page.ask(path).status == 404, path


def test_who_reads_sends_nothing_and_who_writes_sends_json(page: Page) -> None:
    assert page.ask("/small/", "POST", "{}").status == 405
    assert page.ask("/small/", "GET", "{}").status == 400
    origin = f"http://127.0.0.1:{page.address.port}"
    written = page.ask("/small/write", "POST", "{}", Origin=origin, Content_Type="application/json")
    assert json.loads(written.body)["body"] == "{}"
    assert page.ask("/small/write", "POST", "{}", Content_Type="application/json").status == 400
    assert page.ask("/small/write").status == 405


def test_two_doors_do_not_mix(page: Page, other: Page) -> None:
    assert page.ask("/small/").status == other.ask("/other/").status == 200
    refused = [
        page.ask("/small/", Cookie=other.headers["Cookie"]),
        page.ask("/small/", Cookie=f"small={other.token}"),
        page.ask(f"/in/{other.token}"),
        page.ask("/other/"),
        page.ask("/other/", Cookie=other.headers["Cookie"]),
    ]
    assert [answer.status for answer in refused] == [403, 403, 403, 404, 404]
    for answer in refused:
        assert "Set-Cookie" not in answer.headers and b"other" not in answer.body


def test_a_link_leads_on_with_a_cookie_for_this_page_alone(page: Page) -> None:
    own = page.ask(f"/in/{page.token}", Cookie="", Sec_Fetch_Site="none")
    assert (own.status, own.headers["Location"]) == (303, "/small/")
    outside = page.ask(f"/in/{page.token}", Cookie="", Sec_Fetch_Site="cross-site")
    text = outside.body.decode()
    assert outside.status == 200 and 'content="0;url=/small/"' in text
    assert "Go on to the small page" in text and page.token not in text
    for answer in (own, outside):
        cookie = answer.headers["Set-Cookie"].lower()
        assert all(part in cookie for part in ("httponly", "samesite=strict", "path=/small/"))
    assert page.ask(f"/in/{page.token}?x=1").status == 404
