"""Files are downloaded once and whole, whatever happens to the processes that do it."""

import asyncio
import hashlib
import re
import signal
from collections import Counter
from pathlib import Path

import pytest
from aiohttp import web

from tests.cli.command import crawl, ended, lines, start
from tests.site import Site

SPIDER = """
from crawler import Item, Media, Out, Response, Spider

class Book(Item):
    url: str
    cover: Media | None = None

class Books(Spider[Book], delay=0, min_free_bytes=0, backoff=0.01, pages="none"):
    def __init__(self, start: str, awaits: bool = True) -> None:
        self.start_urls, self.awaits = [start], awaits

    async def parse(self, page: Response) -> Out[Book]:
        yield page.follow_all()
        if page.css("img"):
            cover = page.download(css="img")
            yield Book(url=page.url, cover=await cover) if self.awaits else cover
"""
BODY = b"\xff\xd8\xff" + bytes(range(256)) * 12_000
DIGEST = hashlib.sha256(BODY).hexdigest()


class Slow:
    """Serves a file of 3 MB with ranges; it stands still in the middle, once."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.halfway = asyncio.Event()
        self.ranges: list[tuple[int, str | None]] = []

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        found = re.fullmatch(r"bytes=(\d+)-", request.headers.get("Range", ""))
        first = int(found[1]) if found else 0
        self.ranges.append((first, request.headers.get("If-Range")))
        head = {"ETag": '"v1"', "Content-Type": "image/jpeg"}
        if first:
            head["Content-Range"] = f"bytes {first}-{len(BODY) - 1}/{len(BODY)}"
        response = web.StreamResponse(status=206 if first else 200, headers=head)
        response.content_length = len(BODY) - first
        await response.prepare(request)
        if not first and not self.halfway.is_set():
            await response.write(BODY[:1_500_000])
            self.halfway.set()
            await self.site.rest(30)
        await response.write(BODY[first:])
        return response


@pytest.fixture
def slow(folder: Path, site: Site) -> Slow:
    (folder / "spiders" / "books.py").write_text(SPIDER)
    one = Slow(site)
    site.page("/", body="<img src=/cover.jpg>")
    site.handle("/cover.jpg", one)
    return one


async def halfway(folder: Path, slow: Slow, *words: str) -> asyncio.subprocess.Process:
    """Start a crawl; return when half of the file lies on disk."""
    process = await start(folder, "books", "--job", "job", *words)
    part = folder / "job" / "media" / ".parts"
    async with asyncio.timeout(20):
        await slow.halfway.wait()
        while not any(p.stat().st_size > 1_400_000 for p in part.glob("*") if not p.suffix):  # noqa: ASYNC110  # the disk tells nobody
            await asyncio.sleep(0.01)
    return process


@pytest.mark.parametrize(
    ("how", "awaits"),
    [(signal.SIGKILL, "true"), (signal.SIGKILL, "false"), (signal.SIGINT, "true")],
)
async def test_a_file_goes_on_where_a_process_ended(
    folder: Path, site: Site, slow: Slow, how: signal.Signals, awaits: str
) -> None:
    words = ["-a", f"start={site.url()}", "-a", f"awaits={awaits}", "-s", "stop_seconds=0.1"]
    process = await halfway(folder, slow, *words)
    process.send_signal(how)
    await process.communicate()
    run = folder / "job"
    assert not list((run / "media").rglob("*.jpg"))
    assert lines(run / "media.jsonl") == lines(run / "items.jsonl") == []
    done = await crawl(folder, "books", "--job", "job", *words)
    assert done.status == 0
    (whole, none), (first, tag) = slow.ranges
    assert (whole, none, tag) == (0, None, '"v1"')
    assert first >= 1_400_000
    (line,) = lines(run / "media.jsonl")
    assert (run / line["path"]).read_bytes() == BODY
    assert (line["sha256"], line["bytes"], line["page"]) == (DIGEST, len(BODY), site.url())
    if awaits == "true":
        (item,) = lines(run / "items.jsonl")
        assert (item["cover"]["sha256"], item["cover"]["path"]) == (DIGEST, line["path"])
    assert done.table["media"] == "1 (3.1 MB)"
    assert not (run / "media" / ".parts").exists()


def gallery(site: Site) -> list[str]:
    """Serve thirty pages, each with a picture; every tenth is the same. Return their paths."""
    paths = [f"/{number}" for number in range(30)]
    site.page("/", links=paths)
    for number, path in enumerate(paths):
        site.page(path, body=f"<img src=/i{path}.jpg>")
        site.page(f"/i{path}.jpg", body=BODY[: 200_000 + number % 10], type="image/jpeg")
    return paths


def is_whole(run: Path, site: Site, paths: list[str]) -> bool:
    """True if each picture has one line, and each file is what its name says."""
    found = Counter(line["url"] for line in lines(run / "media.jsonl"))
    files = [path for path in (run / "media").rglob("*") if path.is_file()]
    named = {hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    assert found == Counter(site.url(f"/i{path}.jpg") for path in paths)
    return len(files) == 10 and named == {path.stem for path in files}


async def test_two_processes_have_each_file_once(folder: Path, site: Site, slow: Slow) -> None:
    slow.halfway.set()
    paths = gallery(site)
    words = ["books", "-a", f"start={site.url()}", "-a", "awaits=false", "--processes", "2"]
    done = await crawl(folder, *words, "-s", "obey_robots=false")
    assert done.status == 0
    assert is_whole(done.run, site, paths)
    assert done.report["counts"]["media"] == done.report["counts"]["downloads"] == 30


async def test_kills_leave_each_file_once_and_whole(folder: Path, site: Site, slow: Slow) -> None:
    slow.halfway.set()
    paths = gallery(site)
    words = ["books", "--job", "job", "-a", f"start={site.url()}"]
    for number in (5, 18):
        asked = site.asked(f"/i/{number}.jpg")
        process = await start(folder, *words)
        async with asyncio.timeout(20):
            await asked.wait()
        process.kill()
        await process.communicate()
    assert (await crawl(folder, *words)).status == 0
    assert is_whole(folder / "job", site, paths)
    covers = [item["cover"]["url"] for item in lines(folder / "job" / "items.jsonl")]
    assert Counter(covers) == Counter(site.url(f"/i{path}.jpg") for path in paths)


async def test_a_full_disk_ends_it_and_the_file_goes_on_later(
    folder: Path, site: Site, slow: Slow
) -> None:
    slow.halfway.set()
    words = ["books", "--job", "job", "-a", f"start={site.url()}", "-s", "target_pause=0"]
    done = await ended(await start(folder, *words, before="ulimit -f 2000;"), folder)
    assert done.status == 3
    assert "the file may not grow any larger" in done.err
    assert (await crawl(folder, *words)).status == 0
    first, _ = slow.ranges[-1]
    assert 900_000 < first <= 1_024_000
    (item,) = lines(folder / "job" / "items.jsonl")
    assert item["cover"]["sha256"] == DIGEST
