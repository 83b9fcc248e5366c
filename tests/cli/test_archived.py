"""`--pages warc`: an archive that no death of a process harms."""

import asyncio
import gzip
import zipfile
from collections import Counter
from pathlib import Path

import pytest

from crawler.export.warc_records import digest_of
from crawler.frontier.presence import is_crawled
from tests.cli.command import crawl, lines
from tests.cli.lives import PAGES, grow, killed, links_of
from tests.export.archives import archives, is_sound, records
from tests.site import Site

MORTAL = """
import os, signal
from pathlib import Path
from crawler import Response
from spiders.site import Site

class Mortal(Site):
    def __init__(self, start: str) -> None:
        super().__init__(start)
        self.grave = Path("grave")

    async def parse(self, page: Response):
        if page.url.rpartition("/")[2] in ("5", "23"):
            try:
                (self.grave / page.url.rpartition("/")[2]).mkdir()
            except FileExistsError:
                pass
            else:
                os.kill(os.getpid(), signal.SIGKILL)
        async for what in super().parse(page):
            yield what
"""


SAME = "<!doctype html><p>the same again and again</p>" * 40
CODED = b"<!doctype html><p>coded</p>" * 50


@pytest.fixture
def web(site: Site) -> Site:
    """A site of sixty pages, three of them missing, two the same, one behind a redirect."""
    grow(site)
    for number in (50, 51):
        site.page(f"/{number}", body=SAME)
    site.redirect("/52", "/lonely")
    site.page("/lonely", body=gzip.compress(CODED), headers={"Content-Encoding": "gzip"})
    return site


def check(run: Path, web: Site) -> None:
    """See that each page is in the archive once, and that all that says so agrees."""
    files = archives(run)
    assert is_sound(*files)
    read = records(*files)
    by_type = {
        kind: Counter(one.url for one in read if one.type in kind.split())
        for kind in ("response revisit", "request", "metadata")
    }
    once = Counter(web.url(f"/{number or ''}") for number in range(PAGES))
    once[web.url("/lonely")] = 1
    assert by_type == dict.fromkeys(by_type, once)
    heads = {one.url: one for one in read if one.type in ("response", "revisit")}
    assert heads[web.url("/lonely")].payload == CODED
    assert {heads[web.url(path)].headers["WARC-Payload-Digest"] for path in ("/50", "/51")} == {
        digest_of(SAME.encode())
    }
    indexed = (run / "warc" / "index.cdxj").read_text().splitlines()
    assert indexed == sorted(indexed)
    assert len(indexed) == len(heads)
    pages = lines(run / "pages.jsonl")
    assert len({(page["file"], page["offset"]) for page in pages}) == len(pages) == PAGES - 3
    for page in pages:
        data = (run / page["file"]).read_bytes()[page["offset"] :][: page["length"]]
        target = f"WARC-Target-URI: {page.get('final', page['url'])}\r\n"
        assert target.encode() in gzip.decompress(data)


@pytest.mark.parametrize("processes", ["1", "2"])
async def test_an_archive_over_kills_has_each_answer_once(
    folder: Path, web: Site, processes: str
) -> None:
    words = ["site", "-a", f"start={web.url()}", "--pages", "warc", "-s", "warc_bytes=9000"]
    words += ["--processes", processes, "--job", "run"]
    run = folder / "run"
    for number in (9, 45):  # it is killed before these are answered
        web.slow(f"/{number}", 0.5, links=links_of(number))
    for path in ("/9", "/45"):
        await killed(folder, web, path, *words)
        async with asyncio.timeout(20):
            # Workers outlive the first process for a moment, and write.
            while is_crawled(run):  # noqa: ASYNC110  # the dead tell nobody
                await asyncio.sleep(0.01)
        for file in archives(run):
            with file.open("ab") as torn:
                torn.write(gzip.compress(b"WARC/1.1\r\nWARC-Type: response\r\n")[:-5])
    done = await crawl(folder, *words)
    assert done.status == 0, done.err
    assert len(archives(run)) > 1
    check(run, web)


async def test_what_a_worker_that_died_wrote_last_is_cut_off_at_the_end(
    folder: Path, web: Site
) -> None:
    (folder / "spiders" / "mortal.py").write_text(MORTAL)
    (folder / "grave").mkdir()
    words = ["-a", f"start={web.url()}", "--pages", "warc", "--processes", "2"]
    done = await crawl(folder, "mortal", *words, "--job", "run")
    assert done.status == 0, done.err
    assert {path.name for path in (folder / "grave").iterdir()} == {"5", "23"}
    check(folder / "run", web)


async def test_an_archive_is_packed_into_one_file(folder: Path, small: Site) -> None:
    crawled = await crawl(folder, "site", "-a", f"start={small.url()}", "--pages", "warc")
    assert crawled.status == 0
    done = await crawl(folder, "wacz", "site", "-o", "x.wacz")
    assert (done.status, done.out) == (0, "x.wacz\n")
    assert zipfile.ZipFile(folder / "x.wacz").testzip() is None
    again = await crawl(folder, "wacz", "site", "-o", "x.wacz")
    assert (again.status, again.err) == (
        2,
        "crawl: x.wacz: exists; remove it, or name another file with -o\n",
    )
    other = await crawl(folder, "wacz", "spiders")
    assert other.status == 2
    assert "is no run" in other.err
    assert (await crawl(folder, "runs", "--prune")).status == 0
    endings = {path.suffix for path in (crawled.run / "warc").iterdir()}
    assert endings == {".gz", ".cdxj"}, "digests.db went with the frontier"
