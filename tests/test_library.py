"""crawl, stream and fetch_all, in a loop that is running already."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crawler import Failure, Item, Response, Spider, crawl, fetch_all, stream
from crawler.errors import SettingError, UsageError
from tests.site import Site


class Page(Item):
    url: str


class Pages(Spider[Page], delay=0):
    def __init__(self, start: str) -> None:
        self.start_urls = [start]

    def parse(self, page: Response) -> Iterator[object]:
        yield Page(url=page.url)
        yield page.follow_all()


async def test_crawl_twice_in_one_process(site: Site, tmp_path: Path) -> None:
    site.page("/", links=["/a", "/b", "/a#x"])
    site.page("/a")
    site.page("/b")
    for _ in range(2):
        report = await crawl(Pages(site.url("/")), output_dir=str(tmp_path), min_free_bytes=0)
        assert (report.pages, report.items, report.exit_status) == (3, {"page": 3}, 0)
    assert len(list((tmp_path / "pages").iterdir())) == 2


async def test_stream_gives_items_as_they_come_and_writes_nothing(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    site.page("/", links=["/a"])
    site.page("/a")
    async with stream(Pages(site.url("/"))) as items:
        found = [item.url async for item in items]
    assert found == [site.url("/"), site.url("/a")]
    assert list(tmp_path.iterdir()) == []


async def test_leaving_a_stream_early_ends_the_crawl(site: Site) -> None:
    site.page("/", links=[f"/{n}" for n in range(50)])
    for n in range(50):
        site.page(f"/{n}")
    async with stream(Pages(site.url("/")), delay=0.2) as items:
        async for item in items:
            assert item.url == site.url("/")
            break
    assert len(site.log) < 10


async def test_fetch_all_gives_one_result_for_each_url_errors_as_values(site: Site) -> None:
    site.page("/a", body=b"A")
    site.page("/gone", status=410)
    wanted = [site.url("/a"), site.url("/a"), site.url("/gone"), "nonsense"]
    async with fetch_all(wanted, delay=0, retries=0) as pages:
        results = [page async for page in pages]
    bodies = [page.body for page in results if isinstance(page, Response)]
    kinds = sorted(page.kind for page in results if isinstance(page, Failure))
    assert bodies == [b"A", b"A"]
    assert kinds == ["invalid_url", "status"]


async def test_fetch_all_answers_for_what_robots_txt_forbids_and_for_hosts_given_up(
    site: Site,
) -> None:
    site.robots("User-agent: *\nDisallow: /private")
    site.page("/busy", status=429, headers={"Retry-After": "9000"})
    wanted = [site.url("/private"), *(site.url(f"/busy?{n}") for n in range(80))]
    for url in wanted[1:]:
        site.page(url.removeprefix(site.url("")), status=429, headers={"Retry-After": "9000"})
    async with fetch_all(wanted, delay=0, per_host=1) as pages:
        results = [page async for page in pages]
    assert sorted(page.url for page in results) == sorted(wanted)
    kinds = {page.kind for page in results if isinstance(page, Failure)}
    assert "robots_denied" in kinds
    assert "host_given_up" in kinds
    assert len(site.log) < 10


async def test_a_wrong_setting_is_said_at_once() -> None:
    with pytest.raises(SettingError, match="crawl\\(\\): delay must be at least 0"):
        await crawl(Pages("http://a.example/"), delay=-1.0)


async def test_robots_txt_comes_first_and_is_kept(site: Site, tmp_path: Path) -> None:
    site.robots("User-agent: *\nDisallow: /private")
    site.page("/", links=["/private/x", "/open"])
    site.page("/open")
    report = await crawl(Pages(site.url("/")), output_dir=str(tmp_path), min_free_bytes=0)
    assert [hit.path for hit in site.log] == ["/robots.txt", "/", "/open"]
    assert report.counts["robots_denied"] == 1


@pytest.mark.parametrize("wrong", ["docs", dict, None])
async def test_what_is_no_spider_is_said_at_once(wrong: Any) -> None:
    with pytest.raises(UsageError, match="expected a Spider, its class or an object of it, got"):
        await crawl(wrong)
