import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from crawler.errors import RobotsDenied, SettingError
from crawler.fetch.chain import open_fetch
from crawler.fetch.jars import Jars
from crawler.frontier.alone import UNHEARD
from crawler.outcome import HostNotes
from crawler.protocols import Fetch
from crawler.request import Request
from crawler.response import Response
from crawler.rules.book import RobotsBook
from crawler.rules.credentials import Credentials
from crawler.rules.guard import Guard
from crawler.settings import Settings
from tests.site import Site

RULES = HostNotes(robots=b"User-agent: *\nDisallow: /private")


class Tap:
    """A layer that writes down what passes."""

    def __init__(self, fetch: Fetch, *, name: str, seen: list[str]) -> None:
        self._fetch = fetch
        self._name = name
        self._seen = seen

    async def __call__(self, request: Request) -> Response:
        cookies = dict(request.headers).get("Cookie", "")
        self._seen.append(f"{self._name} {request.url.rpartition('/')[2]} {cookies}".strip())
        return await self._fetch(request)


@asynccontextmanager
async def opened(
    book: RobotsBook | None = None, layers: Any = (), **settings: Any
) -> AsyncIterator[Fetch]:
    merged = Settings(**{"allow_private": ("127.0.0.0/8",), **settings})
    async with open_fetch(
        merged,
        guard=Guard(merged.allow_private),
        credentials=Credentials(merged),
        book=book or RobotsBook("me"),
        sent=lambda _: None,
        layers=layers,
        jars=Jars(),
        note=lambda _: UNHEARD,
    ) as fetch:
        yield fetch


async def test_user_layers_see_every_hop_with_its_cookies_first_layer_first(site: Site) -> None:
    site.redirect("/a", "/b", headers={"Set-Cookie": "c=1"})
    site.page("/b")
    seen: list[str] = []
    layers = [
        lambda fetch: Tap(fetch, name="outer", seen=seen),
        lambda fetch: Tap(fetch, name="inner", seen=seen),
    ]
    async with opened(layers=layers) as fetch:
        await fetch(Request(site.url("/a")))
    assert seen == ["outer a", "inner a", "outer b c=1", "inner b c=1"]


async def test_what_is_denied_does_not_reach_user_layers(site: Site) -> None:
    book = RobotsBook("me")
    book.learn(site.host(), RULES)
    seen: list[str] = []
    async with opened(book, [lambda fetch: Tap(fetch, name="tap", seen=seen)]) as fetch:
        with pytest.raises(RobotsDenied):
            await fetch(Request(site.url("/private")))
    assert seen == []


async def test_robots_txt_is_not_obeyed_if_the_user_says_so(site: Site) -> None:
    book = RobotsBook("me")
    book.learn(site.host(), RULES)
    site.page("/private")
    async with opened(book, obey_robots=False) as fetch:
        assert (await fetch(Request(site.url("/private")))).status == 200


async def test_a_large_page_comes_back_parsed_and_usable(site: Site) -> None:
    site.page("/", links=[f"/{number}" for number in range(10_000)])
    async with opened() as fetch:
        page = await fetch(Request(site.url()))
    assert len(page.body) > 100_000
    assert len(page.links()) == 10_000


async def test_bodies_held_together_stay_in_memory_bytes(site: Site) -> None:
    site.page("/", body=b"x" * 60_000)
    async with opened(memory_bytes=100_000) as fetch:
        first = await fetch(Request(site.url()))
        second = asyncio.ensure_future(fetch(Request(site.url())))
        await asyncio.wait([second], timeout=0.1)
        assert not second.done()
        first.release()
        assert (await second).status == 200


@pytest.mark.parametrize(
    "settings",
    [
        {"accept": ("htm",)},
        {"proxy": "socks5://127.0.0.1:1"},
        {"proxy": "127.0.0.1:not-a-port"},
        {"headers": {"X-A": "b\nc"}},
    ],
)
async def test_settings_that_cannot_work_are_an_error_before_anything_opens(
    settings: dict[str, Any],
) -> None:
    with pytest.raises(SettingError):
        async with opened(**settings):
            pass
