"""One crawl over the whole mock server, as a user starts it."""

import asyncio
import sys
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from tests.cli.command import Done, start
from tests.mockserver import feeds, good, redirects
from tests.mockserver.server import MockServer
from tests.mockserver.table import End, Theme, linked

_LONGEST = 150.0
SECRETS = frozenset({"Bearer of-the-redirects", "own=secret", "sesame"})
"""Values of headers that requests for the redirects carry, and no other host may hear."""

SPIDER = """
from crawler import Item, Out, Response, Spider

class Page(Item):
    url: str
    title: str
    text: str
    odd: int

class Hostile(
    Spider[Page],
    delay=0, per_host=16, concurrency=64, min_free_bytes=0, retries=1, backoff=0.05,
    timeout=6, connect_timeout=3, read_timeout=2, max_wait=5, host_failures=None,
    headers={"X-Everywhere": "1"}, secret_headers=("X-Token",), shape_pages=100,
):
    def __init__(self, start: str, hosts: str, sitemaps: str) -> None:
        self.start_urls = [start]
        self.allowed_domains = hosts.split(",")
        self.sitemaps = sitemaps.split(",")

    async def parse(self, page: Response) -> Out[Page]:
        odd = len(page.css("div, span, td, li, font, a"))
        title, text = (page.text(tag, default="")[:99] for tag in ("title", "p"))
        yield Page(url=page.url, title=title, text=text, odd=odd)
        for request in page.follow_all():
            secret = {
                "Authorization": "Bearer of-the-redirects",
                "Cookie": "own=secret",
                "X-Token": "sesame",
            }
            yield request.replace(headers=secret) if "//REDIRECTS:" in request.url else request
"""


class Crawled(NamedTuple):
    """What a crawl left, how long it took, and its most memory."""

    done: Done
    seconds: float
    peak_bytes: int

    def ends(self) -> dict[str, End]:
        """Return how each URL ended, and what kept it from being delivered."""
        found: dict[str, End] = {}
        for line in self.done.lines("failures.jsonl"):
            if line["kind"] not in ("callback", "item"):
                found[line["url"]] = ("failed", line["kind"])
        for line in self.done.lines("pages.jsonl"):
            found[line["url"]] = ("delivered", "")
        return found


def wrong_ends(crawled: Crawled, server: MockServer) -> dict[str, object]:
    """Return the paths that ended otherwise than they may: how, and how they may."""
    ends = crawled.ends()
    wrong: dict[str, object] = {}
    for entry in linked():
        end = ends.get(server.url(entry.path, host=entry.host), ("skipped", ""))
        if not entry.admits(end):
            wrong[f"{entry.theme}{entry.path[:80]}"] = (end, entry.expected)
    return wrong


async def crawl_all(folder: Path, server: MockServer, *more: str) -> Crawled:
    """Crawl what the front page links to, and the feeds as sitemaps; `more` goes to `crawl`."""
    (folder / "spiders").mkdir()
    text = SPIDER.replace("REDIRECTS", redirects.theme.host)
    (folder / "spiders" / "hostile.py").write_text(text)
    login = f'[auth]\n"{server.url("", host=good.theme.host)}" = "me:hunter2"\n'
    (folder / "crawler.toml").write_text(login)
    maps = [server.url(f"/{name}?sitemap", host=feeds.theme.host) for name in feeds.SITEMAPS]
    known = dict.fromkeys(["127.0.0.1", *(host for host, _ in Theme.known)])
    hosts = ",".join([*known, *redirects.INNER])
    allowed = ",".join(f"{host}:{server.port}" for host in known)
    peak = folder / "peak"
    words = ["hostile", "--pages", "files", "-a", f"start={server.url()}"]
    words += ["-a", f"hosts={hosts}", "-a", f"sitemaps={','.join(maps)}"]
    words += ["-s", f"allow_private={allowed}", *more]
    began = asyncio.get_running_loop().time()
    process = await start(
        folder, *words, before=f"exec {sys.executable} -m tests.mockserver.measured {peak}"
    )
    try:
        async with asyncio.timeout(_LONGEST):
            out, err = await process.communicate()
    finally:
        with suppress(ProcessLookupError):
            process.kill()
    seconds = asyncio.get_running_loop().time() - began
    done = Done(process.returncode or 0, out.decode(), err.decode(), folder)
    return Crawled(done, seconds, int(peak.read_text()))
