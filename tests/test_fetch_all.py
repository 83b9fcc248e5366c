"""fetch_all: a list of URLs, of any kind and length."""

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from yarl import URL

from crawler import Failure, Response, UsageError, fetch_all
from tests.site import Site


async def kinds(urls: Any, **settings: Any) -> Counter[str]:
    """Fetch all; count responses, and failures by kind."""
    async with fetch_all(urls, **{"delay": 0, **settings}) as pages:
        return Counter([page.kind if isinstance(page, Failure) else "page" async for page in pages])


async def test_urls_come_as_any_iterable_of_text_or_yarl(site: Site) -> None:
    site.page("/")

    async def later() -> AsyncIterator[str]:
        yield site.url("/")
        await asyncio.sleep(0)
        yield site.url("/")

    two = Counter(page=2)
    assert await kinds([site.url("/"), URL(site.url("/"))]) == two
    assert await kinds(site.url("/") for _ in range(2)) == two
    assert await kinds({site.url("/"), site.url("/?")}, statuses=(404,)) == two
    assert await kinds(later()) == two
    assert await kinds([]) == Counter()


async def test_what_is_no_url_is_a_failure_that_says_so(site: Site) -> None:
    site.page("/")
    async with fetch_all([site.url("/"), "nonsense", None, ""], delay=0) as pages:  # type: ignore[list-item]  # what is tested
        found = [page async for page in pages]
    assert sorted(page.reason for page in found if isinstance(page, Failure)) == [
        "not a valid http(s) URL: ''",
        "not a valid http(s) URL: 'None'",
        "not a valid http(s) URL: 'nonsense'",
    ]


@pytest.mark.parametrize("url", ["http://a.example/", URL("http://a.example/")])
async def test_one_url_is_no_list_of_urls(url: Any) -> None:
    with pytest.raises(UsageError, match=r"expected several URLs, got one: 'http://a\.example/'"):
        await kinds(url)


async def test_a_result_carries_the_url_as_it_was_given(site: Site) -> None:
    given = site.url("/a/../b#part")
    site.redirect("/b", "/c")
    site.page("/c")
    async with fetch_all([given], delay=0) as pages:
        (page,) = [page async for page in pages]
    assert isinstance(page, Response)
    assert (page.request.data, page.url) == (given, site.url("/c"))


class Read:
    """URLs without end, counted as they are read."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.count = 0

    def __iter__(self) -> Iterator[str]:
        while True:
            self.count += 1
            yield self.url

    async def __aiter__(self) -> AsyncIterator[str]:
        for url in self:
            await asyncio.sleep(0)
            yield url


@pytest.mark.parametrize("as_async", [True, False])
async def test_a_list_without_end_is_read_as_its_results_are_taken(
    as_async: bool, site: Site
) -> None:
    site.page("/")
    read = Read(site.url("/"))
    async with fetch_all(aiter(read) if as_async else iter(read), delay=0) as pages:
        found = [await anext(pages) for _ in range(20)]
        for _ in range(5_000):
            await asyncio.sleep(0)  # time enough to read on
    assert all(isinstance(page, Response) for page in found)
    assert read.count < 1_100


async def test_results_that_are_not_taken_hold_the_crawl_up(site: Site) -> None:
    site.page("/")
    async with fetch_all(itertools.repeat(site.url("/")), delay=0, concurrency=2) as pages:
        await anext(pages)
        for _ in range(1_000):
            await asyncio.sleep(0)  # time enough for a hundred pages
    assert len(site.log) < 25


async def test_a_slow_list_has_its_results_as_it_goes(site: Site) -> None:
    site.page("/")
    taken = asyncio.Event()

    async def slow() -> AsyncIterator[str]:
        yield site.url("/")
        await taken.wait()
        yield site.url("/")

    async with fetch_all(slow(), delay=0) as pages:
        await anext(pages)
        taken.set()
        assert len([page async for page in pages]) == 1


async def test_a_limit_ends_a_list_without_end_at_once(site: Site) -> None:
    site.page("/")
    async with asyncio.timeout(5):
        found = await kinds(itertools.repeat(site.url("/")), max_pages=3, stop_seconds=3600.0)
    assert found["page"] == 3
    assert set(found) == {"page", "left_out"}


async def test_a_list_longer_than_its_hosts_budget_is_answered_to_its_end(site: Site) -> None:
    site.page("/")
    async with asyncio.timeout(20):
        found = await kinds(itertools.repeat(site.url("/"), 2_500), host_pages=5, delay=0.1)
    assert found == Counter(page=5, left_out=2_495)


async def test_an_error_of_the_list_comes_out_of_the_block(site: Site) -> None:
    site.page("/")

    def broken() -> Iterator[str]:
        yield site.url("/")
        raise KeyError("no more lines")

    with pytest.raises(KeyError, match="no more lines"):
        await kinds(broken())


async def test_any_type_of_body_comes(site: Site) -> None:
    site.page("/image", body=b"\x89PNG\0", type="image/png")
    async with fetch_all([site.url("/image")], delay=0) as pages:
        (page,) = [page async for page in pages]
    assert isinstance(page, Response)
    assert page.body == b"\x89PNG\0"
