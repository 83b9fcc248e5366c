"""Cookies of a request's jar, and of its own."""

import time

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from crawler.fetch.jars import CookieLayer, Jars
from crawler.request import Request
from crawler.response import Response

HEADERS = CIMultiDictProxy(CIMultiDict[str]())
HOME = "https://home.example.org/"


async def sent(request: Request, *set_cookies: str) -> str | None:
    """The Cookie header that `request` goes out with once its jar has these."""
    seen: list[Request] = []

    async def fetch(request: Request) -> Response:
        seen.append(request)
        return Response(url=request.url, status=200, headers=HEADERS, body=b"", request=request)

    jars = Jars()
    jars.make(request.jar).store(request.url, *set_cookies)
    response = await CookieLayer(fetch, jars=jars)(request)
    assert response.request is request
    found = [value for name, value in seen[0].headers if name.lower() == "cookie"]
    assert len(found) <= 1
    return found[0] if found else None


@pytest.mark.parametrize(
    ("own", "header"),
    [
        (None, "a=1; b=2"),
        ("a=mine", "a=mine; b=2"),
        ("a=mine; b=mine; ", "a=mine; b=mine; "),
        ("c=3;a=mine", "c=3;a=mine; b=2"),
        (" A = mine ;", "A = mine; a=1; b=2"),
        ("x" * 7_993, "x" * 7_993 + "; a=1"),
        ("x" * 10_000, "x" * 10_000),
    ],
)
async def test_a_requests_own_cookies_win(own: str | None, header: str) -> None:
    request = Request(HOME, headers={} if own is None else {"cookie": own})
    assert await sent(request, "a=1", "b=2") == header


async def test_without_cookies_there_is_no_header() -> None:
    assert await sent(Request(HOME)) is None
    assert await sent(Request(HOME), "a=1; path=/elsewhere") is None


def test_what_changed_is_found_among_very_many_jars_at_once() -> None:
    jars = Jars()
    for number in range(20_000):
        jars.make(f"jar {number}").store(HOME, "a=1")
    assert len(jars.changes()) == 20_000
    began = time.perf_counter()
    for _ in range(100):
        jars.make("jar 7").store(HOME, f"a={began}")
        assert len(jars.changes()) == 1
    assert time.perf_counter() - began < 0.2  # to look into each of them took 0.8 s
    assert jars.changes() == {}


def test_a_cookie_that_expires_while_it_is_looked_for_is_a_change() -> None:
    jars = Jars()
    jars.make("a").store(HOME, "a=1; max-age=1", now=0.0)
    assert len(jars.changes()) == 1
    jar = jars.find("a")
    assert jar is not None
    assert jar.header(HOME) == ""
    assert list(jars.changes().values()) == [b""]
