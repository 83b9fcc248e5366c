"""`page.download`, yielded and awaited: whole crawls of a real server."""

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from crawler import (
    FetchError,
    Item,
    Media,
    MissingValue,
    Out,
    Report,
    Request,
    Response,
    Retry,
    Spider,
    crawl,
    stream,
)
from crawler.outcome import Failure
from tests.harness import html
from tests.site import Site

PNG = b"\x89PNG\r\n\x1a\n" + bytes(3_000)
Parse = Callable[[Any, Response], Any]


class Book(Item):
    title: str
    cover: Media | None = None


class Books(Spider[Book]):
    """Crawls from `start`, and does with a page what the test says."""

    def __init__(self, start: str, parse: Parse) -> None:
        self.start_urls = [start]
        self.does = parse
        self.failed: list[Failure] = []

    async def parse(self, page: Response) -> Out[Book]:
        async for found in self.does(self, page):
            yield found

    def cover(self, media: Media, data: str = "") -> Out[Book] | Book:
        assert self.run_folder is not None
        assert (self.run_folder / media.path).stat().st_size == media.bytes
        if data == "fail":
            raise ValueError("no good")
        return Book(title=data, cover=media)

    def on_error(self, failure: Failure) -> None:
        assert failure.request.replace(priority=1).saving == failure.request.saving
        self.failed.append(failure)


class Left:
    """What a crawl left."""

    def __init__(self, report: Report, spider: Books) -> None:
        self.report = report
        self.counts = report.counts
        self.spider = spider
        self.folder = Path(report.folder or "")

    def lines(self, name: str) -> list[dict[str, Any]]:
        text = (self.folder / f"{name}.jsonl").read_text()
        return [json.loads(line) for line in text.splitlines()]

    def failures(self) -> list[tuple[str, str]]:
        return [(line["kind"], line["reason"]) for line in self.lines("failures")]


async def run(site: Site, tmp_path: Path, parse: Parse, **settings: Any) -> Left:
    spider = Books(site.url(), parse)
    how = {
        "delay": 0, "min_free_bytes": 0, "obey_robots": False, "retries": 0, "backoff": 0.001,
        "allow_private": ("127.0.0.0/8",), "output_dir": str(tmp_path),
    }  # fmt: skip
    left = Left(await crawl(spider, **{**how, **settings}), spider)
    failed = sum(n for kind, n in left.report.failures.items() if kind not in ("callback", "item"))
    named = sum(left.counts.get(name, 0) for name in ("pages", "downloads", "skipped"))
    assert left.counts["discovered"] == named + failed
    return left


async def awaits(_: Books, page: Response) -> Out[Book]:
    yield page.follow_all()
    if page.css("img"):
        yield Book(title=page.url, cover=await page.download(css="img"))


async def yields(_: Books, page: Response) -> Out[Book]:
    yield page.follow_all()
    yield [page.download(image) for image in page.css("img")]


@pytest.fixture
def shop(site: Site) -> Site:
    """Three pages that show one picture."""
    site.page("/", body='<a href=/1>1</a><a href=/2>2</a><img src="/i.png">')
    for path in ("/1", "/2"):
        site.page(path, body='<img src="/i.png">')
    site.page("/i.png", body=PNG, type="image/png")
    return site


async def test_what_is_awaited_goes_into_the_item(shop: Site, tmp_path: Path) -> None:
    left = await run(shop, tmp_path, awaits)
    items, media = left.lines("items"), left.lines("media")
    assert len(items) == len(media) == 3
    for item, line in zip(items, media, strict=True):
        cover = item["cover"]
        assert {name: cover[name] for name in ("url", "path", "sha256", "bytes", "type")} == {
            name: line[name] for name in ("url", "path", "sha256", "bytes", "type")
        }
        assert line["page"] == item["title"]
        assert (left.folder / cover["path"]).read_bytes() == PNG
    assert shop.paths.count("/i.png") == 1  # who shows it as well has it at once
    assert (left.counts["media"], left.counts["media_bytes"]) == (1, len(PNG))
    assert "downloads" not in left.counts


async def test_what_is_yielded_is_asked_for_once(shop: Site, tmp_path: Path) -> None:
    left = await run(shop, tmp_path, yields, max_pages=3, max_depth=1)
    (line,) = left.lines("media")
    assert (line["url"], line["page"]) == (shop.url("/i.png"), shop.url())
    assert shop.paths.count("/i.png") == 1
    assert (left.report.pages, left.counts["downloads"]) == (3, 1)
    assert left.counts["discovered"] == 4
    assert len(left.lines("pages")) == 3
    assert left.report.finished


async def test_a_file_is_no_page_and_no_step_further(shop: Site, tmp_path: Path) -> None:
    async def both(spider: Books, page: Response) -> Out[Book]:
        yield page.download("/1", to="page.html")
        async for found in yields(spider, page):
            yield found

    left = await run(shop, tmp_path, both, max_depth=0)
    assert {line["path"] for line in left.lines("media")} >= {"media/page.html"}
    assert left.report.pages == 1
    left = await run(shop, tmp_path / "further", both, max_depth=1)
    assert left.report.pages == 3  # of one URL both the page and the file


async def test_a_callback_has_to_be_there(shop: Site, tmp_path: Path) -> None:
    async def parse(_: Books, page: Response) -> Out[Book]:
        yield page.download("/i.png", callback="covers")

    left = await run(shop, tmp_path, parse)
    ((kind, reason),) = left.failures()
    assert kind == "callback"
    assert "unknown callback 'covers'; did you mean 'cover'?" in reason


async def test_a_callback_that_fails_leaves_the_file(shop: Site, tmp_path: Path) -> None:
    async def parse(spider: Books, page: Response) -> Out[Book]:
        yield page.download("/i.png", callback=spider.cover, data="first")
        yield page.download("/j.png", callback="cover", data="fail")

    shop.page("/j.png", body=PNG, type="image/png")
    left = await run(shop, tmp_path, parse)
    (item,) = left.lines("items")
    assert (item["title"], item["cover"]["url"]) == ("first", shop.url("/i.png"))
    assert len(left.lines("media")) == 2
    ((kind, reason),) = left.failures()
    assert (kind, "no good" in reason) == ("callback", True)


async def test_a_page_that_fails_leaves_no_line(shop: Site, tmp_path: Path) -> None:
    async def parse(_: Books, page: Response) -> Out[Book]:
        yield Book(title="", cover=await page.download(css="img"))
        raise ValueError("no good")

    left = await run(shop, tmp_path, parse)
    assert left.lines("media") == left.lines("items") == []


@pytest.mark.parametrize(
    ("parse", "words"),
    [
        (lambda page: page.download(css="video"), "nothing to download: no element 'video' on"),
        (lambda page: page.download(), "download() takes a URL, Link or Node, or css=…"),
        (lambda page: page.download("/a", css="img"), "download() takes a URL, Link or Node"),
        (lambda page: page.download("ftp://a.example/"), "only http and https are crawled"),
        (lambda page: page.download("/a", to="../a"), "to must be a path below media/"),
        (lambda page: page.download("/a", typed="image/*"), "unknown argument 'typed'"),
    ],
)
async def test_what_cannot_be_downloaded_fails_its_page(
    shop: Site, tmp_path: Path, parse: Callable[[Response], object], words: str
) -> None:
    async def one(_: Books, page: Response) -> Out[Any]:
        yield parse(page)

    left = await run(shop, tmp_path, one)
    ((kind, reason),) = left.failures()
    assert kind == "callback"
    assert words in reason


async def test_outside_a_callback_there_is_no_way_out() -> None:
    page = Response("https://a.example/", request=Request("https://a.example/"))
    with pytest.raises(FetchError, match="works inside a callback only"):
        await page.download("/a")


async def test_a_file_keeps_to_scope_robots_and_failures(site: Site, tmp_path: Path) -> None:
    async def parse(_: Books, page: Response) -> Out[Book]:
        yield page.download(site.url("/a", host="127.0.0.9"))
        yield page.download("/private/a")
        yield page.download("/gone")
        yield page.download("/nothing")
        yield page.download("/page.png")
        with pytest.raises(FetchError, match="robots"):
            await page.download("/private/b")
        with pytest.raises(FetchError, match="HTTP 404"):
            await page.download("/gone2")

    site.page("/", links=[])
    site.robots("User-agent: *\nDisallow: /private/")
    site.page("/page.png")
    site.page("/nothing", status=204, body=b"")
    left = await run(site, tmp_path, parse, obey_robots=True)
    assert sorted(left.failures()) == [
        ("status", "HTTP 204 No Content"),
        ("status", "HTTP 404 Not Found"),
        ("unwanted_type", "expected image/png, got text/html"),
    ]
    assert (left.counts["offsite"], left.counts["robots_denied"]) == (1, 1)
    assert {failure.kind for failure in left.spider.failed} == {
        "status", "unwanted_type", "robots_denied"
    }  # fmt: skip
    assert not any(path.startswith("/private") for path in site.paths)
    assert (left.report.finished, left.counts["skipped"]) == (True, 1)


async def test_redirects_are_followed_to_other_hosts_and_named(tmp_path: Path) -> None:
    async with Site(["127.0.0.1", "127.0.0.2"]) as site:
        there = site.url("/i.png", host="127.0.0.2")
        site.page("/", body='<img src="/near"><img src="/far">', host="127.0.0.1")
        site.redirect("/near", "/far", host="127.0.0.1")
        site.redirect("/far", there, host="127.0.0.1")
        site.page("/i.png", body=PNG, type="image/png", host="127.0.0.2")

        async def parse(_: Books, page: Response) -> Out[Book]:
            yield page.download("/near")
            yield Book(title="", cover=await page.download("/far"))

        left = await run(site, tmp_path, parse)
        refused = await run(site, tmp_path / "refused", parse, allow_private=())
    assert [(line["url"], line.get("final")) for line in left.lines("media")] == [
        (site.url("/far"), there)
    ]
    assert left.counts["offsite"] == 1
    assert left.lines("items")[0]["cover"]["url"] == site.url("/far")
    ((kind, reason),) = refused.failures()
    assert (kind, "no public address" in reason) == ("callback", True)
    assert refused.lines("media") == []


async def test_credentials_stay_with_their_origin(tmp_path: Path) -> None:
    async with Site(["127.0.0.1", "127.0.0.2"]) as site:
        site.page("/", body="", host="127.0.0.1")
        site.redirect("/far", site.url("/i", host="127.0.0.2"), host="127.0.0.1")
        site.page("/i", body=PNG)

        async def parse(_: Books, page: Response) -> Out[Book]:
            for path in ("/i", "/far"):
                yield Book(title=path, cover=await page.download(path))

        origin = site.url("", host="127.0.0.1")
        await run(site, tmp_path, parse, auth={origin: "me:secret"})
        seen = {(hit.host, hit.path): "Authorization" in hit.headers for hit in site.log}
    assert seen == {
        (site.host("127.0.0.1"), "/"): True,
        (site.host("127.0.0.1"), "/i"): True,
        (site.host("127.0.0.1"), "/far"): True,
        (site.host("127.0.0.2"), "/i"): False,
    }


BODY = bytes(range(256)) * 4_000


@pytest.mark.parametrize("parse", [awaits, yields])
async def test_tries_that_come_a_good_way_further_are_not_counted(
    site: Site, tmp_path: Path, parse: Parse
) -> None:
    starts = []

    async def cut(request: web.BaseRequest) -> web.StreamResponse:
        found = re.fullmatch(r"bytes=(\d+)-", request.headers.get("Range", ""))
        first = int(found[1]) if found else 0
        starts.append(first)
        head = {"ETag": '"v1"'}
        if first:
            head["Content-Range"] = f"bytes {first}-{len(BODY) - 1}/{len(BODY)}"
        response = web.StreamResponse(status=206 if first else 200, headers=head)
        response.content_length = len(BODY) - first
        await response.prepare(request)
        await response.write(BODY[first : first + 150_000])
        if first + 150_000 < len(BODY):
            assert request.transport is not None
            request.transport.close()
        return response

    site.page("/", body='<img src="/i">')
    site.handle("/i", cut)

    async def any_type(spider: Books, page: Response) -> Out[Book]:
        if parse is awaits:
            yield Book(title="", cover=await page.download("/i"))
        else:
            yield page.download("/i")

    left = await run(site, tmp_path, any_type, retries=2)
    assert starts == list(range(0, len(BODY), 150_000))
    assert left.lines("media")[0]["bytes"] == len(BODY)
    starts.clear()
    left = await run(site, tmp_path / "none", any_type, retries=0)
    assert starts == [0]
    assert left.lines("media") == []


async def test_a_spider_may_ask_for_a_file_again(shop: Site, tmp_path: Path) -> None:
    asked: list[Media] = []

    class Again(Books):
        def cover(self, media: Media, data: str = "") -> Book:
            asked.append(media)
            if len(asked) == 1:
                raise Retry("not yet", after=0.001)
            return Book(title=data, cover=media)

    async def parse(_: Books, page: Response) -> Out[Book]:
        yield page.download("/i.png", callback="cover")

    spider = Again(shop.url(), parse)
    report = await crawl(
        spider, delay=0, min_free_bytes=0, obey_robots=False, output_dir=str(tmp_path)
    )
    assert report.counts["media"] == 1
    assert shop.paths.count("/i.png") == 2


async def test_a_crawl_without_a_folder_has_nowhere_to_put_files(shop: Site) -> None:
    spider = Books(shop.url(), yields)
    async with stream(spider, delay=0, obey_robots=False) as items:
        assert [item async for item in items] == []
    (failure,) = spider.failed
    assert (failure.kind, "need the folder of a run" in failure.reason) == ("media", True)


async def test_thumbnails_without_pillow_say_what_to_install(
    shop: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def parse(_: Books, page: Response) -> Out[Book]:
        yield page.download("/i.png?small", thumbnails={"small": (9, 9)})
        yield Book(title="", cover=await page.download("/i.png"))

    monkeypatch.setitem(sys.modules, "PIL", None)  # as if it were not installed
    left = await run(shop, tmp_path, parse)
    assert left.failures() == [
        ("media", "a thumbnail needs an extra: pip install 'crawlkeeper[images]'")
    ]
    assert "/i.png?small" not in shop.paths
    assert left.lines("items")[0]["cover"]["width"] is None


def test_a_link_a_node_and_a_url_are_all_fine() -> None:
    page = html(Request("https://a.example/"), "<a href=/b.pdf>b</a><img src=/c.png>")
    (link,) = page.links()
    for target in (link, page.css_first("a"), "/b.pdf"):
        request = page.download(target).request
        assert (request.url, request.kind) == ("https://a.example/b.pdf", "media")
        assert request.saving is not None
        assert request.saving.types == ()
    image = page.download(css="img", media_bytes=None, priority=3).request
    assert image.saving is not None
    assert (image.saving.types, image.saving.limit, image.priority) == (("image/*",), None, 3)
    assert image.fingerprint() != Request(image.url).fingerprint()
    with pytest.raises(MissingValue):
        page.download(css="i")
