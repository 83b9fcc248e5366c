from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from crawler.errors import FetchError, RedirectError, RobotsDenied, RobotsUnreachable
from crawler.fetch.http import HttpFetch
from crawler.fetch.jars import CookieLayer, Jars
from crawler.fetch.redirects import RedirectLayer
from crawler.fetch.robots import RobotsLayer
from crawler.fetch.room import Room
from crawler.outcome import HostNotes
from crawler.protocols import Fetch
from crawler.request import Request
from crawler.rules.book import RobotsBook
from crawler.rules.credentials import Credentials
from crawler.rules.guard import Guard
from crawler.settings import Settings
from tests.site import Site

HERE, THERE = "127.0.0.1", "127.0.1.1"


@pytest.fixture
async def two() -> AsyncIterator[Site]:
    async with Site([HERE, THERE]) as site:
        yield site


@asynccontextmanager
async def opened(
    *, book: RobotsBook | None = None, room: Room | None = None, **options: Any
) -> AsyncIterator[Fetch]:
    room = room or Room(10_000_000)
    options = {"max_redirects": 10, **options}
    async with HttpFetch(
        Settings(),
        sent=lambda _: None,
        room=room,
        guard=Guard(["127.0.0.0/8"]),
        credentials=Credentials(Settings()),
    ) as http:
        robots = RobotsLayer(CookieLayer(http, jars=Jars()), book=book or RobotsBook("me"))
        yield RedirectLayer(robots, **options)


async def failed(fetch: Fetch, request: Request) -> FetchError:
    with pytest.raises(FetchError) as caught:
        await fetch(request)
    return caught.value


async def test_hops_on_one_host_are_followed(site: Site) -> None:
    site.redirect("/1", "/2", 301)
    site.redirect("/2", "3?q=1#part", 307)
    site.page("/3?q=1", body="here")
    request = Request(site.url("/1"))
    async with opened() as fetch:
        page = await fetch(request)
    assert (page.url, page.body) == (site.url("/3?q=1"), b"here")
    assert page.redirects == (site.url("/1"), site.url("/2"))
    assert page.request is request


async def test_the_seconds_of_all_hops_are_summed(site: Site) -> None:
    site.slow("/1", 0.05, status=302, headers={"Location": "/2"})
    site.slow("/2", 0.05)
    async with opened() as fetch:
        assert (await fetch(Request(site.url("/1")))).seconds >= 0.1


async def test_a_page_without_redirect_is_itself(site: Site) -> None:
    site.page("/")
    async with opened() as fetch:
        page = await fetch(Request(site.url()))
    assert (page.url, page.redirects) == (site.url(), ())


async def test_a_pages_hop_to_another_host_is_handed_back(two: Site) -> None:
    two.redirect("/1", "/2", host=HERE)
    two.redirect("/2", two.url("/", host=THERE), host=HERE)
    async with opened() as fetch:
        page = await fetch(Request(two.url("/1")))
    assert (page.status, page.url) == (302, two.url("/2"))
    assert page.redirects == (two.url("/1"),)
    assert two.paths == ["/1", "/2"]


async def test_robots_txt_is_followed_to_any_host(two: Site) -> None:
    two.redirect("/robots.txt", two.url("/rules", host=THERE), host=HERE)
    two.page("/rules", body="User-agent: *", host=THERE)
    async with opened() as fetch:
        page = await fetch(Request(two.url("/robots.txt"), kind="robots"))
    assert (page.status, page.body) == (200, b"User-agent: *")


async def test_more_hops_than_allowed_are_an_error(site: Site) -> None:
    for number in range(5):
        site.redirect(f"/{number}", f"/{number + 1}")
    site.page("/5")
    async with opened(max_redirects=5) as fetch:
        assert (await fetch(Request(site.url("/0")))).status == 200
    async with opened(max_redirects=4) as fetch:
        error = await failed(fetch, Request(site.url("/0")))
    assert isinstance(error, RedirectError)
    assert error.url == site.url("/0")


@pytest.mark.parametrize("max_redirects", [0, 20])
async def test_robots_txt_is_followed_five_times_whatever_pages_are(
    site: Site, max_redirects: int
) -> None:
    site.redirect("/robots.txt", "/1")
    for number in range(1, 6):
        site.redirect(f"/{number}", f"/{number + 1}")
    site.page("/5", body="User-agent: *")
    async with opened(max_redirects=max_redirects, statuses=[302]) as fetch:
        assert (await fetch(Request(site.url("/robots.txt"), kind="robots"))).status == 200
        site.redirect("/5", "/6")
        error = await failed(fetch, Request(site.url("/robots.txt"), kind="robots"))
    assert str(error).startswith("more than 5 redirects")


async def test_a_loop_ends_when_it_closes(site: Site) -> None:
    site.redirect("/a", "/b")
    site.redirect("/b", "/a")
    async with opened() as fetch:
        error = await failed(fetch, Request(site.url("/a")))
    assert isinstance(error, RedirectError)
    assert "loop" in str(error)
    assert site.paths == ["/a", "/b"]


async def test_a_page_that_only_wants_its_cookie_back_is_no_loop(site: Site) -> None:
    async def wall(request: web.BaseRequest) -> web.StreamResponse:
        if "seen=yes" in request.headers.get("Cookie", ""):
            return web.Response(text="welcome")
        return web.Response(status=302, headers={"Location": "/", "Set-Cookie": "seen=yes"})

    site.handle("/", wall)
    async with opened() as fetch:
        assert (await fetch(Request(site.url()))).body == b"welcome"


async def test_a_wall_that_sets_cookies_for_ever_is_left_in_the_end(site: Site) -> None:
    site.redirect("/", "/", headers={"Set-Cookie": "a=b"})
    async with opened() as fetch:
        assert isinstance(await failed(fetch, Request(site.url())), RedirectError)
    assert len(site.log) == 11


@pytest.mark.parametrize("location", ["", "mailto:me@a.example"])
async def test_a_redirect_to_nowhere_is_returned(site: Site, location: str) -> None:
    site.redirect("/", location)
    async with opened() as fetch:
        assert (await fetch(Request(site.url()))).status == 302


async def test_a_redirect_status_the_user_admits_is_not_followed(site: Site) -> None:
    site.redirect("/", "/next", 301)
    async with opened(statuses=(301,)) as fetch:
        assert (await fetch(Request(site.url()))).status == 301


async def test_a_form_becomes_a_get_and_keeps_its_other_headers(site: Site) -> None:
    site.redirect("/login", "/home", 302)
    site.page("/home")
    request = Request(site.url("/login"), form={"user": "me"}, headers={"X-Mine": "1"})
    async with opened() as fetch:
        await fetch(request)
    login, home = site.log
    assert (login.method, login.body) == ("POST", b"user=me")
    assert (home.method, home.body) == ("GET", b"")
    assert "Content-Type" not in home.headers
    assert home.headers["X-Mine"] == "1"


async def test_a_body_is_sent_again_where_the_status_says_so(site: Site) -> None:
    site.redirect("/a", "/b", 307)
    site.page("/b")
    async with opened() as fetch:
        await fetch(Request(site.url("/a"), body=b"data", method="PUT"))
    assert [(hit.method, hit.body) for hit in site.log] == [("PUT", b"data")] * 2


async def test_cookies_of_a_hop_are_sent_with_the_next(site: Site) -> None:
    site.redirect("/login", "/home", headers={"Set-Cookie": "session=1; Path=/"})
    site.page("/home")
    async with opened() as fetch:
        request = Request(site.url("/login"))
        page = await fetch(request)
    assert site.log[1].headers["Cookie"] == "session=1"
    assert page.request is request


async def test_each_jar_has_its_own_cookies(site: Site) -> None:
    site.page("/set", headers=[("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")])
    site.page("/")
    async with opened() as fetch:
        await fetch(Request(site.url("/set"), jar="one"))
        for jar in ("one", "", "two"):
            await fetch(Request(site.url(), jar=jar))
    assert [hit.headers.get("Cookie") for hit in site.log[1:]] == ["a=1; b=2", None, None]


async def test_what_a_server_sets_for_ever_never_grows_past_what_servers_take(site: Site) -> None:
    for page in range(8):
        cookies = [("Set-Cookie", f"n{page}{number}={'x' * 900}") for number in range(20)]
        site.page(f"/{page}", headers=cookies)
    async with opened() as fetch:
        for page in range(8):
            assert (await fetch(Request(site.url(f"/{page}")))).status == 200
    lengths = [len(hit.headers.get("Cookie", "")) for hit in site.log]
    assert lengths[0] == 0
    assert all(7_000 < length <= 8_000 for length in lengths[1:])


async def test_a_cookie_of_the_request_wins_over_the_jars(site: Site) -> None:
    site.page("/set", headers=[("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")])
    site.page("/")
    request = Request(site.url(), headers={"cookie": "b=mine; c=3"})
    async with opened() as fetch:
        await fetch(Request(site.url("/set")))
        page = await fetch(request)
    assert site.log[1].headers.getall("Cookie") == ["b=mine; c=3; a=1"]
    assert page.request is request


async def test_what_robots_txt_forbids_is_not_asked_hops_included(site: Site) -> None:
    book = RobotsBook("me")
    book.learn(site.host(), HostNotes(robots=b"User-agent: *\nDisallow: /private"))
    site.redirect("/open", "/private")
    async with opened(book=book) as fetch:
        assert isinstance(await failed(fetch, Request(site.url("/private"))), RobotsDenied)
        error = await failed(fetch, Request(site.url("/open")))
    assert isinstance(error, RobotsDenied)
    assert error.url == site.url("/private")
    assert site.paths == ["/open"]


async def test_robots_txt_itself_may_be_asked_of_an_unreachable_host(site: Site) -> None:
    book = RobotsBook("me")
    book.learn(site.host(), HostNotes(unreachable="HTTP status 503"))
    async with opened(book=book) as fetch:
        assert isinstance(await failed(fetch, Request(site.url())), RobotsUnreachable)
        again = Request(site.url("/robots.txt"), kind="robots")
        assert (await fetch(again)).status == 404
    assert site.paths == ["/robots.txt"]


async def test_only_the_last_body_is_held(site: Site) -> None:
    room = Room(1_000_000)
    site.redirect("/1", "/2")
    site.page("/1", body="a long goodbye", status=302, headers={"Location": "/2"})
    site.page("/2", body="x" * 10)
    site.page("/loop", body="again", status=302, headers={"Location": "/loop"})
    async with opened(room=room) as fetch:
        page = await fetch(Request(site.url("/1")))
        assert room.used == 10
        page.release()
        await failed(fetch, Request(site.url("/loop")))
    assert room.used == 0
