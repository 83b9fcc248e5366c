"""The shop is what its facts say, by itself and over HTTP."""

import struct
from threading import enumerate as enumerate_threads
from typing import Self
from urllib.parse import urlsplit
from urllib.request import urlopen
from zlib import crc32

import pytest

from crawler import Failure, Response, fetch_all
from crawler.demo.pages import FORBIDDEN, WITHDRAWN, answers
from crawler.demo.shop import Shop
from crawler.parse.links import extract

ORIGIN = "http://shop.test"


def linked() -> set[str]:
    """Every path that a page of the shop links to."""
    found = set()
    for path, answer in answers().items():
        if answer.is_page:
            links = extract(answer.body, ORIGIN + path)
            found |= {link.url[len(ORIGIN) :] for link in links if link.url.startswith(ORIGIN)}
    return found


def test_a_link_leads_nowhere_only_if_it_is_meant_to() -> None:
    lost = {path for path in linked() - answers().keys() if not path.startswith(FORBIDDEN)}
    assert lost == set(WITHDRAWN)


def test_it_is_about_a_thousand_pages_and_every_kind_of_trouble() -> None:
    facts = Shop().expected
    assert 900 <= facts.pages <= 1_100
    assert facts.products == 850
    assert min(facts.redirects, facts.dead, facts.unwanted) > 1


async def fetched(shop: Shop, *paths: str) -> dict[str, Response | Failure]:
    async with fetch_all([shop.url + path for path in paths], delay=0, retries=0) as pages:
        return {urlsplit(page.request.data).path: page async for page in pages}


async def test_it_is_served_as_it_is_written() -> None:
    async with Shop() as shop:
        found = await fetched(shop, "about.html", "c/茶碗/", "old/stools", "sitemap.xml", "gone")
        about, bowls, stools = (found[path] for path in ("/about.html", "/c/茶碗/", "/old/stools"))
        sitemap, gone = found["/sitemap.xml"], found["/gone"]
        assert isinstance(about, Response)
        assert isinstance(bowls, Response)
        assert isinstance(stools, Response)
        assert isinstance(sitemap, Response)
        assert (about.encoding, about.text("h2")) == ("windows-1252", "Über uns")
        assert bowls.text("h1") == "茶碗, page 1 of 4"
        assert (stools.url, len(stools.redirects)) == (f"{shop.url}c/stool/", 2)
        assert f"<loc>{shop.url}p/849.html</loc>" in sitemap.html
        assert isinstance(gone, Failure)
        assert gone.status == 404


@pytest.mark.parametrize("path", FORBIDDEN)
async def test_robots_txt_closes_what_it_should(path: str) -> None:
    async with Shop() as shop:
        await fetched(shop, path[1:])
    assert shop.log == ["/robots.txt"]


def test_it_also_runs_in_a_thread_of_its_own_until_the_block_ends() -> None:
    with Shop.in_thread() as shop:
        with urlopen(f"{shop.url}about.html", timeout=10) as answer:
            assert answer.status == 200
        (serving,) = (thread for thread in enumerate_threads() if "demo shop" in thread.name)
    assert shop.log == ["/about.html"]
    assert not serving.is_alive()


class Shut(Shop):
    """A shop that cannot open."""

    async def __aenter__(self) -> Self:
        raise OSError("no port is free")


def test_a_shop_that_cannot_open_says_so_instead_of_keeping_us_waiting() -> None:
    with pytest.raises(OSError, match="no port is free"), Shut.in_thread():
        raise AssertionError("it opened")


def test_the_logo_is_a_picture() -> None:
    data = answers()["/logo.png"].body
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    place, kinds = 8, []
    while place < len(data):
        (length,) = struct.unpack_from(">I", data, place)
        chunk = data[place + 4 : place + 8 + length]
        assert struct.pack(">I", crc32(chunk)) == data[place + 8 + length : place + 12 + length]
        kinds.append(chunk[:4])
        place += 12 + length
    assert kinds == [b"IHDR", b"IDAT", b"IEND"]
