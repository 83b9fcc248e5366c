"""A stored run is parsed again: the same items, and nobody is asked."""

import json
import os
import sys
from collections import Counter
from pathlib import Path
from typing import Any, ClassVar

import pytest
from aiohttp import web

from crawler import Failure, Item, Out, Request, Response, Spider, crawl, fetch_all, stream
from crawler.errors import FetchError, RunError
from crawler.outcome import Report
from tests.cli.command import lines
from tests.site import Site


class Seen(Item):
    """All of a page that a callback can see, but for headers and when it came."""

    url: str
    redirects: list[str]
    depth: int
    encoding: str
    mime: str
    text: str
    links: list[str]
    data: Any = None


class Look(Spider[Seen], delay=0, min_free_bytes=0, statuses=(418,), retries=0):
    def __init__(self, *starts: str) -> None:
        self.start_urls = list(starts)

    async def parse(self, page: Response, data: Any = None) -> Out[Seen]:
        yield Seen(
            url=page.url,
            redirects=list(page.redirects),
            depth=page.depth,
            encoding=page.encoding,
            mime=page.mime,
            text=page.html,
            links=[link.url for link in page.links()],
            data=data,
        )
        yield page.follow_all()


def outcome(report: Report) -> dict[str, Any]:
    """What of a crawl has to be the same when its pages are parsed again."""
    run = Path(report.folder or "")
    kept = {
        "items": Counter(json.dumps(item, sort_keys=True) for item in lines(run / "items.jsonl")),
        "failures": Counter(
            (f["url"], f["kind"], f.get("status")) for f in lines(run / "failures.jsonl")
        ),
    }
    return {**kept, "pages": report.pages, "reason": report.reason}


async def live(spider: Spider[Any], tmp_path: Path, **settings: Any) -> Report:
    return await crawl(spider, pages="files", output_dir=tmp_path / "live", **settings)


async def again(spider: Spider[Any], report: Report, tmp_path: Path, **settings: Any) -> Report:
    """Parse what a crawl has stored again."""
    folder = tmp_path / "again"
    return await crawl(spider, source=report.folder or "", output_dir=folder, **settings)


def strange(site: Site) -> None:
    """Serve pages of every kind that is delivered."""
    site.page("/", links=["/latin", "/utf16", "/guessed", "/meta", "/old", "/a/", "/gone", "/tea"])
    site.page("/latin", body="<p>caf\xe9".encode("latin-1"), type="text/html; charset=latin-1")
    site.page("/utf16", body="<p>h\xe9".encode("utf-16"), type="text/html")
    text = "<p>Съешь же ещё этих мягких французских булок, да выпей чаю</p>" * 5
    site.page("/guessed", body=text.encode("windows-1251"), type="text/html")
    site.page("/meta", body="<meta charset=koi8-r><p>Привет".encode("koi8-r"), type="text/html")
    site.redirect("/old", "/older", 301)
    site.redirect("/older", "/new")
    site.page("/new", links=["/old", "/new?a=1&b=2"], title="new")
    site.page("/new?a=1&b=2", body='{"a": 1}', type="application/json")
    site.page("/a/", body='<base href="/b/"><link rel=canonical href="/a/?c"><a href="x">x</a>')
    site.page("/a/?c", body="<p>canonical", type="application/xhtml+xml")
    site.page("/b/x", body="<?xml version='1.0' encoding='latin-1'?><x>\xe9</x>".encode("latin-1"),
              type="application/xml")  # fmt: skip
    site.page("/gone", status=410)
    site.page("/tea", status=418, links=["/empty"])
    site.page("/empty", body=b"")


async def test_every_page_is_seen_again_as_it_was(site: Site, tmp_path: Path) -> None:
    strange(site)
    first = await live(Look(site.url()), tmp_path)
    asked = len(site.log)
    second = await again(Look(site.url()), first, tmp_path)
    assert first.pages == 12
    assert outcome(second) == outcome(first)
    assert outcome(first)["failures"] == {(site.url("/gone"), "status", 410): 1}
    assert len(site.log) == asked


async def test_no_socket_is_opened_for_what_is_stored(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    strange(site)
    first = await live(Look(site.url()), tmp_path)
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    opened: list[str] = []

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event in ("socket.connect", "socket.bind", "socket.getaddrinfo", "socket.sendto"):
            opened.append(f"{event} {arguments}")

    sys.addaudithook(hook)
    await again(Look(site.url()), first, tmp_path, proxy="http://127.0.0.1:9", per_ip=1)
    assert opened == []
    await live(Look(site.url("/gone")), tmp_path)
    assert opened  # else the hook would hear of nothing


class Mended(Look):
    """What a spider becomes whose callback had failed."""

    broken: ClassVar[bool] = True

    async def parse(self, page: Response, data: Any = None) -> Out[Seen]:
        if self.broken and page.url.endswith("/new"):
            raise ValueError("no such thing here")
        async for found in super().parse(page, data):
            yield found


async def test_a_page_whose_callback_failed_is_parsed_once_it_is_mended(
    site: Site, tmp_path: Path
) -> None:
    strange(site)
    first = await live(Mended(site.url()), tmp_path)
    assert first.failures == {"callback": 1, "status": 1}
    Mended.broken = False
    second = await again(Mended(site.url()), first, tmp_path)
    # What only that page links to was never asked for.
    assert second.failures == {"status": 1, "not_stored": 1}
    assert second.pages == first.pages
    assert second.item_count == first.item_count + 1


class Wider(Look, retries=3):
    async def parse(self, page: Response, data: Any = None) -> Out[Seen]:
        yield Request("http://elsewhere.example/", callback="parse", again=True)
        async for found in super().parse(page, data):
            yield found


async def test_what_is_not_stored_fails_as_that_and_is_not_asked_for_again(
    site: Site, tmp_path: Path
) -> None:
    site.page("/", links=["/a"])
    site.page("/a")
    first = await live(Look(site.url()), tmp_path, max_depth=0)
    second = await again(Wider(site.url()), first, tmp_path, max_pages=9)
    (failure,) = lines(Path(second.folder or "") / "failures.jsonl")
    assert (failure["kind"], failure["attempts"]) == ("not_stored", 1)
    assert failure["url"] == site.url("/a")
    assert (second.pages, second.exit_status) == (1, 0)


async def test_redirects_between_hosts_lead_where_they_led(tmp_path: Path) -> None:
    async with Site(("127.0.0.1", "127.0.0.2")) as two:
        one, other = "127.0.0.1", "127.0.0.2"
        two.page("/", links=["/out", "/back"], host=one)
        two.redirect("/out", two.url("/in", host=other), host=one)
        two.redirect("/in", "/in/2", 301, host=other)
        two.page("/in/2", title="there", host=other)
        two.redirect("/back", two.url("/x", host=other), 307, host=one)
        two.redirect("/x", two.url("/y", host=one), host=other)
        two.page("/y", host=one)

        class Both(Look):
            allowed_domains = ("*",)

        first = await live(Both(two.url()), tmp_path, allow_private=(other,))
        second = await again(Both(two.url()), first, tmp_path)
    assert first.pages == 3
    assert outcome(second) == outcome(first)


class Sender(Look):
    async def start(self) -> Out[Seen]:
        for number in range(3):
            yield Request(self.start_urls[0] + "api", json={"page": number}, data=number)
        yield Request(self.start_urls[0] + "login", form={"user": "me"}, data="login")
        yield Request(self.start_urls[0] + "login", data="form")


async def test_what_was_sent_tells_answers_of_one_url_apart(site: Site, tmp_path: Path) -> None:
    async def api(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(text=f"<p>{site.log[-1].body!r}", content_type="text/html")

    async def login(request: web.BaseRequest) -> web.StreamResponse:
        if request.method == "GET":
            return web.Response(text="<form>", content_type="text/html")
        return web.Response(status=303, headers={"Location": "/home"})

    site.handle("/api", api)
    site.handle("/login", login)
    site.page("/home")
    first = await live(Sender(site.url()), tmp_path, concurrency=1)
    second = await again(Sender(site.url()), first, tmp_path)
    assert first.pages == 5
    # A file is named by its URL alone, so it holds the last of three answers.
    assert second.pages == 3
    assert second.failures == {"not_stored": 2}
    assert not outcome(second)["items"] - outcome(first)["items"]


class Listed(Look):
    def __init__(self, *sitemaps: str) -> None:
        super().__init__()
        self.sitemaps = list(sitemaps)
        self.allowed_domains = ("127.0.0.1",)


async def test_pages_that_sitemaps_listed_are_found_without_them(
    site: Site, tmp_path: Path
) -> None:
    def urlset(*paths: str) -> str:
        locations = "".join(f"<url><loc>{site.url(path)}</loc></url>" for path in paths)
        return f"<urlset>{locations}</urlset>"

    site.robots(f"Sitemap: {site.url('/index.xml')}")
    site.page("/one.xml", body=urlset("/a", "/old", "/gone"), type="application/xml")
    one = f"<sitemapindex><sitemap><loc>{site.url('/one.xml')}</loc></sitemap></sitemapindex>"
    site.page("/index.xml", body=one, type="application/xml")
    site.page("/a", links=["/b"])
    site.page("/b")
    site.redirect("/old", "/new")
    site.page("/new")
    first = await live(Listed(site.url("/robots.txt")), tmp_path)
    second = await again(Listed(site.url("/robots.txt")), first, tmp_path)
    assert (first.pages, first.failures) == (3, {"status": 1})
    assert outcome(second)["items"] == outcome(first)["items"]


class Fetching(Look):
    async def parse(self, page: Response, data: Any = None) -> Out[Seen]:
        for path in ("/b", "/nowhere"):
            try:
                other = await page.fetch(path)
                yield Seen(url=other.url, redirects=list(other.redirects), depth=other.depth,
                           encoding="", mime="", text=other.html, links=[])  # fmt: skip
            except FetchError as error:
                self.count(error.kind)
        yield page.follow_all()


async def test_what_callbacks_fetch_is_answered_from_the_store_too(
    site: Site, tmp_path: Path
) -> None:
    site.page("/", links=["/b"])
    site.page("/b", title="b")
    first = await live(Look(site.url()), tmp_path)
    second = await again(Fetching(site.url()), first, tmp_path)
    (items,) = [outcome(second)["items"]]
    assert sum(items.values()) == 2
    assert second.counts["user.not_stored"] == 2


async def test_items_of_stored_pages_come_as_a_stream(site: Site, tmp_path: Path) -> None:
    strange(site)
    first = await live(Look(site.url()), tmp_path)
    async with stream(Look(site.url()), source=[Path(first.folder or "")]) as items:
        found = [item.url async for item in items]
    assert len(found) == first.pages


async def test_a_plain_list_of_urls_is_answered_from_the_store(site: Site, tmp_path: Path) -> None:
    site.page("/", links=["/a"])
    site.page("/a")
    first = await live(Look(site.url()), tmp_path)
    wanted = [site.url("/a"), site.url("/b")]
    async with fetch_all(wanted, source=first.folder or "") as pages:
        found = [page async for page in pages]
    kinds = {one.url: one.kind if isinstance(one, Failure) else one.status for one in found}
    assert kinds == {wanted[0]: 200, wanted[1]: "not_stored"}


async def test_the_limits_of_a_crawl_are_those_of_a_replay(site: Site, tmp_path: Path) -> None:
    strange(site)
    first = await live(Look(site.url()), tmp_path)
    few = await again(Look(site.url()), first, tmp_path, max_pages=3)
    assert (few.pages, few.reason) == (3, "max_pages")
    flat = await again(Look(site.url()), first, tmp_path, max_depth=1)
    assert {json.loads(item)["depth"] for item in outcome(flat)["items"]} == {0, 1}
    short = await again(Look(site.url()), first, tmp_path, body_bytes=250)
    assert short.failures["too_large"] == 1
    plain = await again(Look(site.url()), first, tmp_path, accept="html")
    assert plain.counts["unwanted_type"] == 3


async def test_a_run_that_has_kept_markdown_cannot_be_parsed_again(
    site: Site, tmp_path: Path
) -> None:
    site.page("/")
    folder = tmp_path / "live"
    first = await crawl(Look(site.url()), pages="markdown", output_dir=folder)
    assert list((Path(first.folder or "") / "pages").rglob("*.md"))
    with pytest.raises(RunError, match="has kept no pages that can be parsed again"):
        await again(Look(site.url()), first, tmp_path)


async def test_a_run_without_bodies_cannot_be_parsed_again(site: Site, tmp_path: Path) -> None:
    site.page("/")
    first = await crawl(Look(site.url()), output_dir=tmp_path / "live")
    with pytest.raises(RunError, match="has kept no pages that can be parsed again"):
        await again(Look(site.url()), first, tmp_path)
    assert not (tmp_path / "again").exists()


@pytest.mark.parametrize("name", ["nothing", "folder", "text.warc", "empty.warc"])
async def test_what_is_no_source_is_refused_by_name(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "text.warc").write_text("no WARC file\n" * 9)
    (tmp_path / "empty.warc").touch()
    with pytest.raises(RunError, match=name):
        await crawl(Look("http://127.0.0.1/"), source=tmp_path / name, output_dir=tmp_path / "new")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    "change",
    [
        {"file": "pages/../../secret"},
        {"file": "/etc/hostname"},
        {"file": "pages/gone.html"},
        {"file": "pages/link.html"},
        {"file": "pages/pipe"},
        {"file": "pages"},
        {"file": "pages/a+.md"},
        {"file": "pages/a\0b"},
        {"file": "pages/" + "x" * 9_000},
        {"url": "nonsense"},
        {"status": "many"},
    ],
    ids=lambda change: str(change)[:40],
)
async def test_a_line_that_leads_astray_is_a_page_that_is_not_stored(
    site: Site, tmp_path: Path, change: dict[str, Any]
) -> None:
    site.page("/", links=["/a"])
    site.page("/a")
    first = await live(Look(site.url()), tmp_path)
    run = Path(first.folder or "")
    (tmp_path / "live" / "secret").write_text("<p>secret")
    (run / "pages" / "link.html").symlink_to(tmp_path / "live" / "secret")
    os.mkfifo(run / "pages" / "pipe")
    front, page = lines(run / "pages.jsonl")
    text = "\n".join(["{", "[1]", json.dumps(front), json.dumps({**page, **change}), "\ud7ff", "{"])
    (run / "pages.jsonl").write_text(text)
    second = await again(Look(site.url()), first, tmp_path)
    assert (second.pages, second.failures) == (1, {"not_stored": 1})


async def test_odd_values_in_lines_do_no_harm(site: Site, tmp_path: Path) -> None:
    site.page("/", links=["/a", "/gone"])
    site.page("/a")
    first = await live(Look(site.url()), tmp_path)
    run = Path(first.folder or "")
    front, page = lines(run / "pages.jsonl")
    front |= {"fetched": "0001-01-01T00:00:00", "depth": 10**18, "new": {"a": [1]}}
    page |= {"fetched": "9999-12-31T23:59:59-23:59", "status": 10**18, "parent": "javascript:"}
    (run / "pages.jsonl").write_text(f"{json.dumps(front)}\n{json.dumps(page)}\n")
    (failure,) = lines(run / "failures.jsonl")
    (run / "failures.jsonl").write_text(json.dumps({**failure, "status": 10**18}))
    second = await again(Look(site.url()), first, tmp_path)
    assert (second.pages, second.failures) == (1, {"not_stored": 1, "status": 1})


async def test_a_status_alone_is_no_page(site: Site, tmp_path: Path) -> None:
    site.page("/", links=["/gone"])
    first = await live(Look(site.url()), tmp_path)
    second = await again(Look(site.url()), first, tmp_path, statuses=(404,))
    assert (first.failures, second.failures) == ({"status": 1}, {"not_stored": 1})


async def test_redirects_that_lead_in_a_loop_end(site: Site, tmp_path: Path) -> None:
    site.page("/", links=["/a"])
    site.redirect("/a", "/b")
    site.page("/b")
    first = await live(Look(site.url()), tmp_path)
    run = Path(first.folder or "")
    front, page = lines(run / "pages.jsonl")
    page |= {"redirects": [site.url("/a"), site.url("/b"), site.url("/a")], "file": None}
    (run / "pages.jsonl").write_text(f"{json.dumps(front)}\n{json.dumps(page)}\n")
    second = await again(Look(site.url()), first, tmp_path)
    assert (second.pages, second.failures) == (1, {"redirect": 1})
