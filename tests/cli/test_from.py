"""`--from`, and `crawl pages`: what a run has stored is read again."""

import gzip
import re
import shutil
from pathlib import Path

import pytest

from crawler.cli.naming import named_source
from crawler.errors import RunError
from tests.cli.command import crawl, start
from tests.cli.lives import grow, kept
from tests.site import Site

STRACE = shutil.which("strace")

SLOW = """
import os, signal
from pathlib import Path
from crawler import Out, Response
from site_module import Page, Site as Known

class Site(Known):
    deadly = Path("deadly")

    async def parse(self, page: Response) -> Out[Page]:
        if page.url.endswith(tuple(f"/{n}" for n in (9, 27, 45))):
            mark = self.deadly / page.url.rpartition("/")[2]
            if mark.exists():
                mark.unlink()
                os.kill(os.getpid(), signal.SIGKILL)
        async for found in super().parse(page):
            yield found
"""


@pytest.fixture
def web(site: Site) -> Site:
    """A site of sixty pages, three of them missing."""
    grow(site)
    return site


def traced(name: str) -> str:
    """Return what has a process, and those it starts, write down every socket they ask for."""
    return "" if STRACE is None else f"exec {STRACE} -f -e trace=socket -o {name}"


async def stored(folder: Path, web: Site, *, before: str = "") -> Path:
    """Crawl a site; return the run's folder, moved out of `output`."""
    done = await crawl(folder, "site", "-a", f"start={web.url()}", before=before)
    assert done.status == 0, done.err
    first = folder / "first"
    shutil.move(done.run, first)
    shutil.rmtree(folder / "output")
    return first


def same(run: Path, first: Path) -> bool:
    """True if a run has the items, the pages and the failures of another, and no bodies."""
    ours, its = kept(run), kept(first)
    return (ours["items"], ours["pages"], ours["failures"]) == (
        its["items"],
        its["pages"],
        its["failures"],
    ) and not ours["bodies"]


async def test_a_replay_that_is_killed_goes_on_as_if_it_had_not_been(
    folder: Path, web: Site
) -> None:
    first = await stored(folder, web)
    asked = len(web.log)
    (folder / "spiders" / "site.py").rename(folder / "site_module.py")
    (folder / "spiders" / "site.py").write_text(SLOW)
    (folder / "deadly").mkdir()
    for number in (9, 27, 45):
        (folder / "deadly" / str(number)).touch()
    words = ["site", "-a", f"start={web.url()}", "--from", "first"]
    paths = {"PYTHONPATH": f"{Path(__file__).parents[2]}:{folder}"}
    for number in range(3):
        process = await start(folder, *(words if not number else ["site", "--resume"]), **paths)
        _, err = await process.communicate()
        assert process.returncode == -9, err
    (run,) = (folder / "output").glob("*/*")
    (run / "source.db").write_bytes(b"what a dying disk left of it")
    done = await crawl(folder, "site", "--resume", **paths)
    assert done.status == 0, done.err
    assert same(done.run, first)
    assert len(web.log) == asked


async def test_several_processes_parse_what_one_stored(folder: Path, web: Site) -> None:
    first = await stored(folder, web, before=traced("live"))
    asked = len(web.log)
    words = ["site", "-a", f"start={web.url()}", "--from", "first", "--processes", "2"]
    done = await crawl(folder, *words, before=traced("again"))
    assert done.status == 0, done.err
    assert same(done.run, first)
    assert len(web.log) == asked
    if STRACE is None:
        pytest.skip("apt-get install -y strace")
    assert "socket(AF_INET" in (folder / "live").read_text()
    assert "socket(AF_INET" not in (folder / "again").read_text()


async def test_a_run_keeps_to_what_it_was_made_from(folder: Path, web: Site) -> None:
    first = await stored(folder, web)
    shutil.copytree(first, folder / "other")
    words = ["site", "-a", f"start={web.url()}"]
    await crawl(folder, *words, "--from", "first", "--max-pages", "3")
    other = await crawl(folder, "site", "--resume", "--from", "other")
    assert other.status == 2
    assert "source was" in other.err
    shutil.move(first, folder / "gone")
    lost = await crawl(folder, "site", "--resume")
    assert lost.status == 2
    assert f"{first}: is no run's folder, and no WARC file" in lost.err
    shutil.move(folder / "gone", first)
    done = await crawl(folder, "site", "--resume", "--from", "first", "-s", "max_pages=none")
    assert done.status == 0, done.err
    assert same(done.run, first)


def run_at(folder: Path, *, keeps: str = "") -> Path:
    """Make the folder of a run, which has kept its pages or not."""
    (folder / keeps).mkdir(parents=True)
    (folder / "run.json").touch()
    return folder


def test_runs_are_named_by_path_by_name_or_by_spider(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    output = Path("output")
    old = run_at(tmp_path / "output/site/2026-01-01T00-00-00", keeps="pages")
    new = run_at(tmp_path / "output/site/2026-01-02T00-00-00", keeps="warc")
    run_at(tmp_path / "output/site/2026-01-03T00-00-00")  # made of another, it kept none
    bare = run_at(tmp_path / "output/bare/2026-01-03T00-00-00")
    (tmp_path / "site").mkdir()
    (tmp_path / "x.warc").touch()
    assert named_source(str(old), output) == old
    assert named_source(f"output/site/{old.name}", output) == old
    assert named_source(f"site/{old.name}", output) == old
    assert named_source(old.name, output, name="site") == old
    assert named_source("site", output) == new  # a spider's name goes before a folder
    assert named_source(f"bare/{bare.name}", output) == bare
    assert named_source("x.warc", output) == tmp_path / "x.warc"
    (tmp_path / "warcs").mkdir()
    assert named_source("warcs", output) == tmp_path / "warcs"
    with pytest.raises(RunError, match=r"gone\.warc\.gz: there is no such file"):
        named_source("gone.warc.gz", output)
    with pytest.raises(RunError, match=re.escape("output/bare: no run in it has kept its pages")):
        named_source("bare", output)
    with pytest.raises(RunError, match=r"sit: is no run, .*; there are runs of bare, site$"):
        named_source("sit", output, name="site")
    with pytest.raises(RunError, match="is no run, and no spider with runs in output"):
        named_source(old.name, output)


async def test_a_stored_page_is_printed_byte_by_byte(folder: Path, site: Site) -> None:
    body = "<p>h\xe9 \x1b[31m".encode("utf-16")
    site.page("/", body=body, type="text/html", headers={"X-Own": "1"})
    site.page("/new", body=b"<p>new")
    site.redirect("/old", "/new")
    (folder / "spiders" / "two.py").write_text(
        "from crawler import Response, Spider\nclass Two(Spider, delay=0, min_free_bytes=0):\n"
        f"    start_urls = ['{site.url()}', '{site.url('/old')}']\n"
        "    def parse(self, page: Response):\n        return {'url': page.url}\n"
    )
    await crawl(folder, "two")
    listed = await crawl(folder, "pages", "two")
    assert sorted(listed.out.split()) == [site.url(), site.url("/old")]
    process = await start(folder, "pages", "two", f"HTTP://me@{site.host()}#top")
    out, _ = await process.communicate()
    assert (process.returncode, out) == (0, body)
    assert (await crawl(folder, "pages", "two", site.url("/new"))).out == "<p>new"
    shown = await crawl(folder, "pages", "two", site.url("/old"), "--headers")
    assert shown.out.splitlines() == [
        f"URL: {site.url('/new')}", "Status: 200", "Content-Type: text/html; charset=utf-8",
    ]  # fmt: skip


async def test_a_page_that_is_not_stored_is_one_line(folder: Path, site: Site) -> None:
    site.page("/", links=["/new"])
    site.page("/new")
    await crawl(folder, "site", "-a", f"start={site.url()}")
    for url, words in {
        site.url("/new/"): f"is none of the stored pages; did you mean {site.url('/new')}?",
        site.url("/nowhere"): "is none of the stored pages; `crawl pages site` lists them",
        "new": "not a valid http(s) URL: 'new'",
    }.items():
        done = await crawl(folder, "pages", "site", url)
        assert (done.status, done.out) == (2, "")
        assert done.err.startswith("crawl: ")
        assert words in done.err
        assert len(done.err.splitlines()) == 1


async def test_what_is_no_source_is_refused_before_a_run_begins(folder: Path) -> None:
    words = ["site", "-a", "start=http://127.0.0.1:9/", "--from"]
    assert (await crawl(folder, *words, "spiders")).refuses("has no WARC file in it")
    (folder / "x,y.warc").write_text("none")
    assert (await crawl(folder, *words, "x,y.warc")).refuses("x,y.warc: is no WARC file")
    record = b"WARC/1.0\r\nWARC-Type: warcinfo\r\nContent-Length: 0\r\n\r\n\r\n\r\n"
    (folder / "whole.warc.gz").write_bytes(gzip.compress(2 * record))
    assert (await crawl(folder, *words, "whole.warc.gz")).refuses("is compressed as a whole")
    (folder / "one.wacz").write_bytes(b"PK\3\4")
    assert (await crawl(folder, *words, "one.wacz")).refuses("one.wacz: is a WACZ file: `unzip` it")
    assert (await crawl(folder, "pages", "nothing")).refuses("nothing: is no run")
