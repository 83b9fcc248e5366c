"""No connection is made but to where the guard lets us, on real sockets."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver
from msgspec import structs

from crawler.errors import AddressRefused, ConnectError, FetchError
from crawler.fetch.http import HttpFetch
from crawler.fetch.room import Room
from crawler.request import Request
from crawler.rules.credentials import Credentials
from crawler.rules.guard import Guard
from crawler.settings import Settings
from tests.names import Names
from tests.site import Site

OUTSIDE, INSIDE = "127.0.0.1", "127.0.0.2"
NOBODY = "127.0.0.9"


def guard(*allowed: str) -> Guard:
    """A guard to whom 127.0.0.1 and 127.0.0.9, where nobody listens, are public."""
    return Guard(allowed, is_public=lambda address: address in (OUTSIDE, NOBODY))


@pytest.fixture
async def two() -> AsyncIterator[Site]:
    """A site that says at which of its addresses it was asked."""

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        assert request.transport is not None
        there = request.transport.get_extra_info("sockname")[0]
        return web.Response(text="inside" if there == INSIDE else "outside")

    async with Site([OUTSIDE, INSIDE]) as site:
        site.handle("/", answer)
        yield site


@asynccontextmanager
async def opened(guard: Guard, names: AbstractResolver | None = None) -> AsyncIterator[HttpFetch]:
    room = Room(1_000_000)
    async with HttpFetch(
        Settings(),
        sent=lambda _: None,
        room=room,
        guard=guard,
        credentials=Credentials(Settings()),
        resolver=names,
    ) as fetch:
        yield fetch
        assert room.used == 0


async def body(fetch: HttpFetch, url: str) -> bytes:
    page = await fetch(Request(url))
    page.release()
    return page.body


async def refused(fetch: HttpFetch, url: str) -> FetchError:
    with pytest.raises(FetchError) as caught:
        await fetch(Request(url))
    assert caught.value.url == url
    return caught.value


async def test_an_address_in_a_url_is_judged(two: Site) -> None:
    async with opened(guard()) as fetch:
        assert await body(fetch, two.url()) == b"outside"
        error = await refused(fetch, two.url(host=INSIDE))
    assert isinstance(error, AddressRefused)
    assert not error.transient
    assert str(error) == "127.0.0.2 is no public address; allow_private may name it"
    assert len(two.log) == 1


async def test_what_a_name_resolves_to_is_judged(two: Site) -> None:
    names = Names(good=[OUTSIDE], evil=[INSIDE])
    async with opened(guard(), names) as fetch:
        assert await body(fetch, f"http://good.example:{two.port}/") == b"outside"
        error = await refused(fetch, f"http://evil.example:{two.port}/")
    assert isinstance(error, AddressRefused)
    assert len(two.log) == 1


@pytest.mark.parametrize(
    "addresses",
    [
        [INSIDE, OUTSIDE],
        [OUTSIDE, INSIDE],
        [INSIDE, INSIDE, "10.0.0.1", OUTSIDE],
        ["::1", OUTSIDE],
        ["::1", "fe80::1", INSIDE, OUTSIDE],
    ],
)
async def test_of_several_addresses_only_public_ones_are_connected_to(
    two: Site, addresses: list[str]
) -> None:
    async with opened(guard(), Names(both=addresses)) as fetch:
        assert await body(fetch, f"http://both.example:{two.port}/") == b"outside"


@pytest.mark.parametrize("addresses", [[INSIDE, "10.0.0.1"], [INSIDE, "::1"], [INSIDE] * 9])
async def test_of_several_that_are_all_refused_none_is_connected_to(
    two: Site, addresses: list[str]
) -> None:
    async with opened(guard(), Names(none=addresses)) as fetch:
        error = await refused(fetch, f"http://none.example:{two.port}/")
    assert isinstance(error, AddressRefused)
    assert two.log == []


@pytest.mark.parametrize("addresses", [[INSIDE, NOBODY], [NOBODY, INSIDE]])
async def test_a_public_address_that_does_not_answer_may_be_tried_again(
    two: Site, addresses: list[str]
) -> None:
    async with opened(guard(), Names(down=addresses)) as fetch:
        error = await refused(fetch, f"http://down.example:{two.port}/")
    assert isinstance(error, ConnectError)
    assert error.transient
    assert two.log == []


async def test_a_name_that_resolves_to_another_address_later_is_refused(two: Site) -> None:
    judge = guard()
    url = f"http://rebinds.example:{two.port}/"
    judge.add_seed(url)
    async with opened(judge, Names(rebinds=[OUTSIDE])) as fetch:
        assert await body(fetch, url) == b"outside"
    async with opened(judge, Names(rebinds=[INSIDE])) as fetch:
        assert isinstance(await refused(fetch, url), AddressRefused)
    assert len(two.log) == 1


async def test_a_seed_that_is_private_from_the_first_is_asked(two: Site) -> None:
    judge = guard()
    url = f"http://inside.example:{two.port}/"
    judge.add_seed(url)
    for _ in range(2):
        async with opened(judge, Names(inside=[INSIDE], other=[INSIDE])) as fetch:
            assert await body(fetch, url) == b"inside"
            other = await refused(fetch, f"http://other.example:{two.port}/")
            assert isinstance(other, AddressRefused)


async def test_a_private_seed_that_moves_to_another_private_address_is_refused(two: Site) -> None:
    judge = guard()
    url = f"http://scans.example:{two.port}/"
    judge.add_seed(url)
    async with opened(judge, Names(scans=["127.0.0.3"])) as fetch:
        assert isinstance(await refused(fetch, url), ConnectError)
    async with opened(judge, Names(scans=[INSIDE])) as fetch:
        assert isinstance(await refused(fetch, url), AddressRefused)
    assert two.log == []


async def test_a_private_seed_is_asked_at_any_address_of_its_first_answer(two: Site) -> None:
    judge = guard()
    url = f"http://inside.example:{two.port}/"
    judge.add_seed(url)
    async with opened(judge, Names(inside=["::1", "127.0.0.3", INSIDE])) as fetch:
        assert await body(fetch, url) == b"inside"


async def test_a_name_that_was_resolved_before_it_was_a_seed_is_asked(two: Site) -> None:
    judge = guard()
    url = f"http://inside.example:{two.port}/"
    names = Names(inside=[INSIDE])
    async with opened(judge, names) as fetch:
        assert isinstance(await refused(fetch, url), AddressRefused)
        judge.add_seed(url)
        assert await body(fetch, url) == b"inside"
    assert len(names.asked) == 1


@pytest.mark.parametrize("addresses", [[INSIDE, OUTSIDE], [OUTSIDE, INSIDE]])
async def test_a_seed_with_a_public_address_is_asked_there_alone(
    two: Site, addresses: list[str]
) -> None:
    judge = guard()
    url = f"http://both.example:{two.port}/"
    judge.add_seed(url)
    async with opened(judge, Names(both=addresses)) as fetch:
        assert await body(fetch, url) == b"outside"
    async with opened(judge, Names(both=[INSIDE])) as fetch:
        assert isinstance(await refused(fetch, url), AddressRefused)
    assert len(two.log) == 1


async def test_what_allow_private_names_is_asked(two: Site) -> None:
    names = Names(inside=[INSIDE])
    for entry in ("inside.example", f"inside.example:{two.port}", "127.0.0.2", "127.0.0.2/31"):
        async with opened(guard(entry), names) as fetch:
            assert await body(fetch, f"http://inside.example:{two.port}/") == b"inside"


@pytest.mark.parametrize(
    "url",
    [
        *("file:///etc/passwd", "ftp://127.0.0.1/", "javascript:alert(1)", "ws://127.0.0.1/"),
        *("gopher://127.0.0.1/", "data:text/html,x", "", "//127.0.0.1/", "unix:///tmp/socket"),
    ],
)
async def test_only_http_and_https_leave(two: Site, url: str) -> None:
    names = Names()
    smuggled = structs.replace(Request(two.url()), url=url)
    async with opened(Guard(["*"]), names) as fetch:
        with pytest.raises(AddressRefused, match="only http and https leave"):
            await fetch(smuggled)
    assert (two.log, names.asked) == ([], [])


@pytest.mark.parametrize(
    "place",
    ["0x7f.0.0.2:{}", "2130706434:{}", "127.2:{}", "127.0.0.2:{}#@127.0.0.1:{}", "me@127.0.0.2:{}"],
)
async def test_a_url_that_was_never_made_canonical_leads_nowhere_else(
    two: Site, place: str
) -> None:
    judge = guard()
    judge.add_seed(two.url())
    url = f"http://{place}/".replace("{}", str(two.port))
    async with opened(judge) as fetch:
        with suppress(FetchError):
            page = await fetch(structs.replace(Request(two.url()), url=url))
            assert page.body == b"outside"
            page.release()
