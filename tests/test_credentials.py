"""What is secret goes to its own origin, and nowhere else: whole crawls."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from crawler import Out, Request, Response, Spider, crawl
from tests.fetch.test_tls import tls
from tests.site import Hit, Site

BASIC = "Basic bWU6aHVudGVyMg=="  # me:hunter2
SECRET = ("Authorization", "Cookie", "X-Key")
ALSO = {
    "min_free_bytes": 0,
    "delay": 0,
    "allow_private": ["127.0.0.0/8"],
    "secret_headers": "x-key",
}


class Asks(Spider[Any]):
    """Asks for what it is given, and follows everything."""

    allowed_domains = ("*",)

    def __init__(self, *requests: Request) -> None:
        self._requests = requests

    async def start(self) -> Out[Any]:
        for request in self._requests:
            yield request

    async def parse(self, page: Response) -> Out[Any]:
        yield page.follow_all()


@pytest.fixture
async def other() -> AsyncIterator[Site]:
    async with Site() as one:
        yield one


async def crawled(spider: Spider[Any], folder: Path, **settings: Any) -> None:
    await crawl(spider, output_dir=str(folder), **{**ALSO, **settings})


def told(hit: Hit) -> dict[str, list[str]]:
    """What was secret in what a site got."""
    return {name: hit.headers.getall(name) for name in SECRET if name in hit.headers}


def by_path(site: Site) -> dict[str, dict[str, list[str]]]:
    return {hit.path: told(hit) for hit in site.log}


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_requests_own_secrets_do_not_cross_to_another_origin_nor_come_back(
    site: Site, other: Site, tmp_path: Path, status: int
) -> None:
    site.redirect("/first", "/second", status)
    site.redirect("/second", other.url("/third"), status)
    other.redirect("/third", site.url("/fourth"), status)
    site.page("/fourth", links=["/fifth"])
    site.page("/fifth")
    headers = [
        ("Authorization", "one"), ("authorization", "two"), ("Cookie", "a=b"), ("X-Key", "k"),
        ("x-key", "l"), ("Proxy-Authorization", "p"), ("Referer", f"{site.url('/from?x')}#y"),
        ("X-Open", "o"),
    ]  # fmt: skip
    await crawled(Asks(Request(site.url("/first"), headers=headers)), tmp_path)
    own = {"Authorization": ["one", "two"], "Cookie": ["a=b"], "X-Key": ["k", "l"]}
    assert by_path(site) == {
        "/robots.txt": {}, "/first": own, "/second": own, "/fourth": {}, "/fifth": {}
    }  # fmt: skip
    assert by_path(other) == {"/robots.txt": {}, "/third": {}}
    open_ones = {hit.path: hit.headers.get("X-Open") for hit in (*site.log, *other.log)}
    assert {path for path, value in open_ones.items() if value} == {
        *("/first", "/second", "/third", "/fourth")
    }
    referers = {hit.path: hit.headers.get("Referer") for hit in (*site.log, *other.log)}
    assert referers == {
        "/robots.txt": None,
        "/first": site.url("/from?x"),
        "/second": site.url("/from?x"),
        "/third": site.url(),
        "/fourth": site.url(),
        "/fifth": None,
    }
    assert not [hit for hit in (*site.log, *other.log) if "Proxy-Authorization" in hit.headers]


async def test_a_refresh_takes_no_secret_along(site: Site, other: Site, tmp_path: Path) -> None:
    site.page("/first", body='<meta http-equiv=refresh content="0;/second">')
    site.page("/second", headers={"Refresh": f"0; url={other.url('/third')}"})
    back = site.url("/fourth")
    other.page("/third", body=f'<meta http-equiv=refresh content="0;{back}">')
    site.page("/fourth")
    headers = {"Authorization": "x", "Cookie": "a=b", "X-Key": "k"}
    request = Request(site.url("/first"), headers=headers)
    await crawled(Asks(request), tmp_path, obey_robots=False)
    own = {"Authorization": ["x"], "Cookie": ["a=b"], "X-Key": ["k"]}
    assert by_path(site) == {"/first": own, "/second": own, "/fourth": {}}
    assert by_path(other) == {"/third": {}}


async def test_what_page_fetch_is_given_does_not_cross_either(
    site: Site, other: Site, tmp_path: Path
) -> None:
    class Fetches(Asks):
        async def parse(self, page: Response) -> Out[Any]:
            headers = {"Authorization": "x", "Cookie": "a=b", "X-Key": "k"}
            assert (await page.fetch("/away", headers=headers)).url == other.url("/there")
            yield None

    site.page("/")
    site.redirect("/away", other.url("/there"))
    other.page("/there")
    await crawled(Fetches(Request(site.url())), tmp_path)
    assert by_path(site)["/away"] == {"Authorization": ["x"], "Cookie": ["a=b"], "X-Key": ["k"]}
    assert by_path(other) == {"/robots.txt": {}, "/there": {}}


async def test_a_post_that_became_a_get_stays_one_on_the_next_host(
    site: Site, other: Site, tmp_path: Path
) -> None:
    site.redirect("/post", "/seen", 303)
    site.redirect("/seen", other.url("/there"), 307)
    other.page("/there")
    await crawled(Asks(Request(site.url("/post"), form={"password": "hunter2"})), tmp_path)
    (hit,) = [hit for hit in other.log if hit.path == "/there"]
    assert (hit.method, hit.body) == ("GET", b"")
    assert not [name for name in hit.headers if name.lower().startswith("content-")]


async def test_a_retry_tells_the_same_origin_the_same(
    site: Site, other: Site, tmp_path: Path
) -> None:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        tries = sum(hit.path == "/busy" for hit in site.log)
        if tries == 1:
            return web.Response(status=503)
        return web.Response(status=302, headers={"Location": other.url("/there")})

    site.handle("/busy", answer)
    other.page("/there")
    request = Request(site.url("/busy"), headers={"X-Key": "k"})
    await crawled(Asks(request), tmp_path, backoff=0.001)
    assert [told(hit) for hit in site.log if hit.path == "/busy"] == [{"X-Key": ["k"]}] * 2
    assert by_path(other)["/there"] == {}


async def test_secret_headers_of_the_settings_go_to_the_origins_of_seeds_only(
    site: Site, other: Site, tmp_path: Path
) -> None:
    headers = {"Authorization": "x", "Cookie": "a=b", "X-Key": "k", "X-Open": "o"}
    site.page("/", links=["/deep", "/away", other.url("/linked")])
    site.page("/deep")
    site.redirect("/away", other.url("/redirected"))
    other.page("/linked")
    other.page("/redirected")
    await crawled(Asks(Request(site.url())), tmp_path, headers=headers)
    own = {"Authorization": ["x"], "Cookie": ["a=b"], "X-Key": ["k"]}
    assert by_path(site) == dict.fromkeys(("/robots.txt", "/", "/deep", "/away"), own)
    assert by_path(other) == {"/robots.txt": {}, "/linked": {}, "/redirected": {}}
    assert {hit.headers["X-Open"] for hit in (*site.log, *other.log)} == {"o"}


async def test_auth_goes_to_the_origin_that_it_is_for(
    site: Site, other: Site, tmp_path: Path
) -> None:
    site.page("/", links=["/away", other.url("/linked")])
    site.redirect("/away", other.url("/redirected"))
    other.page("/linked", links=[site.url("/back")])
    other.page("/redirected")
    site.page("/back")
    auth = {site.url(): "me:hunter2"}
    await crawled(Asks(Request(site.url())), tmp_path, auth=auth)
    own = {"Authorization": [BASIC]}
    assert by_path(site) == dict.fromkeys(("/robots.txt", "/", "/away", "/back"), own)
    assert by_path(other) == {"/robots.txt": {}, "/linked": {}, "/redirected": {}}


async def test_a_requests_own_header_wins_over_auth(site: Site, tmp_path: Path) -> None:
    site.page("/")
    request = Request(site.url(), headers={"authorization": "Own"})
    await crawled(Asks(request), tmp_path, auth={site.url(): "me:hunter2"}, obey_robots=False)
    assert by_path(site) == {"/": {"Authorization": ["Own"]}}


async def test_cookies_of_a_jar_are_for_each_hop_anew(
    site: Site, other: Site, tmp_path: Path
) -> None:
    async with Site(["127.0.0.2"]) as far:
        site.page("/", headers={"Set-Cookie": "who=me"}, links=["/away"])
        site.redirect("/away", far.url("/there"))
        far.redirect("/there", site.url("/back"))
        site.page("/back")
        await crawled(Asks(Request(site.url())), tmp_path, obey_robots=False, per_host=1)
    assert by_path(far) == {"/there": {}}
    assert by_path(site)["/back"] == {"Cookie": ["who=me"]}


async def test_nothing_secret_goes_from_tls_into_the_clear_and_back(
    site: Site, tmp_path: Path
) -> None:
    async with Site(tls=tls()) as safe:
        safe.redirect("/first", site.url("/second"))
        site.redirect("/second", safe.url("/third"))
        safe.page("/third")
        headers = [("Cookie", "a=b"), ("X-Key", "k"), ("Referer", safe.url("/from"))]
        auth = {safe.url().rstrip("/"): "me:hunter2"}
        seed = Request(safe.url("/first"), headers=headers)
        await crawled(Asks(seed), tmp_path, verify_tls=False, auth=auth)
        within = by_path(safe)
    (clear,) = [hit for hit in site.log if hit.path == "/second"]
    assert told(clear) == {}
    assert "Referer" not in clear.headers
    assert within["/first"] == {"Authorization": [BASIC], "Cookie": ["a=b"], "X-Key": ["k"]}
    assert within["/third"] == {"Authorization": [BASIC]}


async def test_no_netrc_is_read(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password hunter2\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HOME", str(tmp_path))
    site.page("/")
    for trust_env in (False, True):
        await crawled(Asks(Request(site.url())), tmp_path / "out", trust_env=trust_env)
    assert [told(hit) for hit in site.log] == [{}] * 4


async def test_nothing_that_a_run_leaves_names_a_secret(
    site: Site, other: Site, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    place = f"http://me:hunter2@{site.host()}"
    broken = "http://me:hunter2@["
    links = [f"{place}/linked", f"{place}/gone", f"http://me:hunter2@{other.host()}/x", broken]
    site.page("/", links=links)
    site.page("/linked")
    site.redirect("/away", f"{place}/gone")

    class Odd(Asks):
        async def parse(self, page: Response) -> Out[Any]:
            yield page.follow_all()
            if page.url.endswith("/linked"):
                yield page.follow(broken)
            yield {"url": page.url, "links": [link.url for link in page.links()]}

    await crawled(
        Odd(Request(f"{place}/"), Request(f"{place}/away")),
        tmp_path,
        auth={site.url(): "me:hunter2"},
        headers={"X-Key": "hunter2"},
        pages="files",
    )
    asked = {hit.path for hit in site.log}
    assert asked == {"/robots.txt", "/", "/linked", "/gone", "/away"}
    assert {hit.headers["Authorization"] for hit in site.log} == {BASIC}
    assert "hunter2" not in caplog.text
    files = [path for path in tmp_path.rglob("*") if path.is_file() and "pages/" not in str(path)]
    named = [path for path in files if b"hunter2" in await asyncio.to_thread(path.read_bytes)]
    assert len(files) >= 5
    assert named == []
