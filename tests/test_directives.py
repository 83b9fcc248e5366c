"""What pages say to crawlers, kept to by a whole crawl: what is asked for, kept, delivered."""

import json
from pathlib import Path
from typing import Any, Literal

import pytest

from crawler import Out, Report, Request, Response, Spider, crawl
from tests.harness import crawl as harnessed
from tests.harness import html
from tests.site import HTML, Site

HERE, THERE = "127.0.0.1", "127.0.0.2"


class Walker(Spider[dict[str, str]], delay=0, obey_robots=False, min_free_bytes=0):
    allowed_domains = (HERE,)

    def __init__(self, start: str, *more: str) -> None:
        self.start_urls = [start, *more]

    async def parse(self, page: Response) -> Out[dict[str, str]]:
        yield {"url": page.url}
        yield page.follow_all()


async def walked(site: Site, tmp_path: Path, *paths: str, **settings: Any) -> tuple[Report, Path]:
    starts = [site.url(path) for path in paths or ("/",)]
    report = await crawl(Walker(*starts), output_dir=tmp_path, **settings)
    (run,) = tmp_path.glob("*/*")
    return report, run


def lines(run: Path, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / f"{name}.jsonl").read_text().splitlines()]


def tag(*words: str) -> str:
    return f'<meta name="robots" content="{",".join(words)}">'


@pytest.mark.parametrize(
    ("words", "reason"), [("noindex", "noindex"), ("noarchive", "noarchive"), ("none", "none")]
)
async def test_a_page_that_does_not_want_to_be_kept_is_not(
    words: str, reason: str, site: Site, tmp_path: Path
) -> None:
    site.page("/", body=tag(words) + "<a href=/b>b</a>")
    site.page(
        "/b", body="kept", headers={"X-Robots-Tag": "otherbot: noindex", "Content-Type": HTML}
    )
    site.page("/c", body="{}", headers={"X-Robots-Tag": words, "Content-Type": "application/json"})
    report, run = await walked(site, tmp_path, "/", "/b", "/c", pages="files")
    files = {line["url"]: line.get("file") for line in lines(run, "pages")}
    assert files[site.url("/")] is files[site.url("/c")] is None
    assert (run / str(files[site.url("/b")])).read_text() == "kept"
    assert len([path for path in (run / "pages").rglob("*") if path.is_file()]) == 1
    assert report.counts[reason] == 2
    # What the spider makes of a page is its own.
    assert report.pages == report.item_count == 3


async def test_it_is_kept_if_that_is_not_heeded(site: Site, tmp_path: Path) -> None:
    site.page("/", body=tag("none") + "<a href=/b>b</a>")
    site.page("/b", body="b")
    report, run = await walked(site, tmp_path, pages="files", obey_meta_robots=False)
    assert all("file" in line for line in lines(run, "pages"))
    assert (report.pages, "none" in report.counts) == (2, False)


async def test_a_failed_callback_keeps_no_page_that_is_not_to_be_kept(
    site: Site, tmp_path: Path
) -> None:
    class Fails(Walker):
        async def parse(self, page: Response) -> Out[dict[str, str]]:
            yield page.json()

    site.page("/", body=tag("noarchive"))
    await crawl(Fails(site.url()), output_dir=tmp_path, pages="files")
    (run,) = tmp_path.glob("*/*")
    assert [line.get("file") for line in lines(run, "pages")] == [None]


async def test_links_are_followed_as_the_pages_want(site: Site, tmp_path: Path) -> None:
    site.page("/", body="<a href=/a>a</a><a href=/b rel='ugc'>b</a>")
    site.page("/a", body=tag("nofollow") + "<a href=/c>c</a>")
    await walked(site, tmp_path)
    assert site.paths == ["/", "/a"]


async def test_settings_let_all_be_followed(site: Site, tmp_path: Path) -> None:
    site.page("/", body="<base href=/x/><a href=a>a</a><a href=b rel='ugc'>b</a>")
    site.page("/a", body=tag("nofollow") + "<a href=c>c</a>")
    for path in "bc":
        site.page(f"/{path}")
    await walked(site, tmp_path, obey_nofollow=False, obey_meta_robots=False, obey_base=False)
    assert sorted(site.paths) == ["/", "/a", "/b", "/c"]


REFRESH = '<meta http-equiv="refresh" content="{}">'


@pytest.mark.parametrize("frontier", ["memory", "sqlite"])
async def test_a_page_that_refreshes_to_another_is_a_redirect(
    site: Site, tmp_path: Path, frontier: Literal["memory", "sqlite"]
) -> None:
    site.page("/", body=REFRESH.format("0; url=/a"))
    site.page("/a", headers={"Refresh": "3;url=/b", "Content-Type": HTML})
    site.page("/b", body="here")
    report, run = await walked(site, tmp_path, frontier=frontier)
    assert site.paths == ["/", "/a", "/b"]
    assert [line["url"] for line in lines(run, "items")] == [site.url("/b")]
    assert (report.pages, report.counts["redirected"]) == (1, 2)


async def test_one_that_waits_or_reloads_itself_is_a_page(site: Site, tmp_path: Path) -> None:
    site.page("/", body=REFRESH.format("30; url=/a"))
    site.page("/b", body=REFRESH.format("5"))
    site.page("/c", body=REFRESH.format("0; url=#x"))
    report, _ = await walked(site, tmp_path, "/", "/b", "/c")
    assert (report.pages, len(site.paths)) == (3, 3)


async def test_a_refresh_that_is_off_is_a_page(site: Site, tmp_path: Path) -> None:
    site.page("/", body=REFRESH.format("0; url=/a"))
    report, _ = await walked(site, tmp_path, meta_refresh=False)
    assert (report.pages, site.paths) == (1, ["/"])


async def test_a_circle_of_refreshes_ends_with_a_page(site: Site, tmp_path: Path) -> None:
    for here, there in ("/", "/a"), ("/a", "/b"), ("/b", "/"):
        site.page(here, body=REFRESH.format(f"2; url={there}"))
    report, run = await walked(site, tmp_path)
    assert site.paths == ["/", "/a", "/b"]
    assert [line["url"] for line in lines(run, "items")] == [site.url("/b")]
    assert report.failures == {}


async def test_refreshes_without_end_are_too_many_redirects(site: Site, tmp_path: Path) -> None:
    for number in range(9):
        site.page(f"/{number}", body=REFRESH.format(f"0; url=/{number + 1}"))
    report, _ = await walked(site, tmp_path, "/0", max_redirects=4)
    assert len(site.paths) == 5
    assert report.failures == {"redirect": 1}


async def test_a_refresh_to_another_host_is_judged_by_scope(tmp_path: Path) -> None:
    async with Site((HERE, THERE)) as site:
        site.page("/", links=["/out", "/seen"], host=HERE)
        site.page("/out", body=REFRESH.format(f"0; url={site.url('/x', host=THERE)}"), host=HERE)
        site.page("/seen", host=HERE)
        report, _ = await walked(site, tmp_path)
        assert not [hit for hit in site.log if hit.host.startswith(THERE)]
    assert report.counts["offsite"] == 1
    assert report.pages == 2


async def test_what_a_form_leads_to_is_delivered_though_it_is_known(
    site: Site, tmp_path: Path
) -> None:
    class Login(Walker):
        async def parse(self, page: Response) -> Out[dict[str, str]]:
            yield page.follow("/login", form={"user": "me"}, callback=self.inside)

        async def inside(self, page: Response) -> Out[dict[str, str]]:
            yield {"url": page.url, "method": page.request.method}

    site.page("/", body="home")
    site.page("/login", body=REFRESH.format("0; url=/"))
    await crawl(Login(site.url()), output_dir=tmp_path)
    (run,) = tmp_path.glob("*/*")
    assert lines(run, "items") == [{"url": site.url("/"), "method": "GET"}]


async def test_page_fetch_follows_refreshes(site: Site, tmp_path: Path) -> None:
    class Fetches(Walker):
        async def parse(self, page: Response) -> Out[dict[str, str]]:
            got = await page.fetch("/a")
            yield {"url": got.url, "led": " ".join(got.redirects)}

    site.page("/")
    site.page("/a", body=REFRESH.format("0; url=/b"))
    site.page("/b", body=REFRESH.format("0; url=/a"))
    await crawl(Fetches(site.url()), output_dir=tmp_path)
    (run,) = tmp_path.glob("*/*")
    assert lines(run, "items") == [{"url": site.url("/b"), "led": site.url("/a")}]


def canonical(path: str) -> str:
    return f'<link rel="canonical" href="{path}">'


async def test_a_canonical_url_is_discovered(site: Site, tmp_path: Path) -> None:
    site.page("/", body=canonical("/main"))
    site.page("/main", body=canonical("/main") + "<a href=/>x</a>")
    report, _ = await walked(site, tmp_path)
    assert site.paths == ["/", "/main"]
    assert report.pages == 2


async def test_a_canonical_url_elsewhere_is_out_of_scope(site: Site, tmp_path: Path) -> None:
    site.page("/", body=canonical("http://www.example.com/"))
    report, _ = await walked(site, tmp_path)
    assert (site.paths, report.counts["offsite"]) == (["/"], 1)


@pytest.mark.parametrize("frontier", ["memory", "sqlite"])
async def test_of_pages_with_one_canonical_url_one_is_delivered(
    site: Site, tmp_path: Path, frontier: Literal["memory", "sqlite"]
) -> None:
    for path in "/p?a", "/p?b", "/p?c":
        site.page(path, body=canonical("/p"))
    site.page("/q?a", body=canonical("/q") + "<a href=/q>x</a><a href=/new>x</a>")
    site.page("/q", body=canonical("/q"))
    site.page("/", body="<a href=/q>q</a><a href=/q?a>q</a>" + canonical("/nowhere#"))
    site.page("/new", body="links of a copy count")
    report, run = await walked(
        site,
        tmp_path,
        "/p?a",
        "/p?b",
        "/p?c",
        "/",
        canonical="drop",
        frontier=frontier,
        concurrency=1,
        pages="files",
    )
    delivered = sorted(line["url"].removeprefix(site.url("")) for line in lines(run, "items"))
    # /p itself was never asked for: the first page that calls itself its copy stands for it.
    assert delivered == ["/", "/new", "/p?a", "/q"]
    assert report.counts["duplicates"] == 3
    assert len(lines(run, "pages")) == 4


async def test_what_stands_for_a_canonical_url_does_so_in_a_later_life(
    site: Site, tmp_path: Path
) -> None:
    for path in "/p?a", "/p?b":
        site.page(path, body=canonical("/p"))
    starts = [site.url("/p?a"), site.url("/p?b")]
    settings: dict[str, Any] = {"canonical": "drop", "job": tmp_path / "job", "concurrency": 1}
    first = await crawl(Walker(*starts), max_pages=1, **settings)
    assert (first.pages, first.counts.get("duplicates")) == (1, None)
    last = await crawl(Walker(*starts), max_pages=None, **settings)
    assert last.finished
    assert (last.pages, last.counts["duplicates"]) == (1, 1)
    assert site.paths == ["/p?a", "/p?b"]


async def test_a_page_found_after_a_copy_of_it_is_not_asked_for(site: Site, tmp_path: Path) -> None:
    site.page("/", body=canonical("/main") + "<a href=/main>x</a>")
    site.page("/main")
    report, _ = await walked(site, tmp_path, canonical="drop")
    assert site.paths == ["/"]
    assert report.pages == 1


async def test_only_canonical_urls_in_scope_drop_a_page(site: Site, tmp_path: Path) -> None:
    for path in "/a", "/b":
        site.page(path, body=canonical("http://www.example.com/"))
    report, _ = await walked(site, tmp_path, "/a", "/b", canonical="drop")
    assert report.pages == 2


def test_copies_that_are_asked_for_again_are_delivered() -> None:
    class Asks(Spider[Any], delay=0):
        async def start(self) -> Out[Any]:
            for path in "ab":
                yield Request(f"http://a.b/{path}", again=True)

        def parse(self, page: Response) -> dict[str, str]:
            return {"url": page.url}

    async def answer(request: Request) -> Response:
        return html(request, canonical("/main"))

    assert harnessed(Asks(), answer, canonical="drop").stats.pages == 2
