"""A run that goes on with another spider or command line than it was begun with."""

import asyncio
import json
import shutil
from pathlib import Path

import pytest

from tests.cli.command import Done, crawl
from tests.cli.lives import grow, stopped
from tests.site import Site

OTHERS = """
from crawler import Out, Request, Response, Spider

class Book(Spider, delay=0, min_free_bytes=0, obey_robots=False, retries=0):
    start_urls = ["http://127.0.0.1:PORT/"]
    allowed_domains = ["127.0.0.1"]
    deny = ["/never"]

    def __init__(self, most: int = 5, kind: str = "all") -> None: ...

    def parse(self, page: Response) -> Out:
        yield {"url": page.url}
        yield page.follow_all(callback=self.detail)
        yield page.follow_all(css="none", callback=self.image)

    def detail(self, page: Response) -> Out:
        yield {"url": page.url}

    def image(self, page: Response): ...
"""
BEGUN = ("-a", "most=5", "--max-pages", "1", "-s", "ignore_params=sid")


async def _begin(folder: Path) -> None:
    async with Site() as site:
        grow(site)
        (folder / "spiders").mkdir()
        text = OTHERS.replace("PORT", str(site.port))
        (folder / "spiders" / "book.py").write_text(text)
        done = await crawl(folder, "book", *BEGUN)
        assert done.report["queued"] == 5, done.err


@pytest.fixture(scope="module")
def begun_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("begun")
    asyncio.run(_begin(folder))
    return folder


@pytest.fixture
def begun(begun_once: Path, tmp_path: Path) -> Path:
    """A project with a run of one page, of a site that is there no more, and five queued."""
    return shutil.copytree(begun_once, tmp_path / "project")


def state_of(folder: Path) -> dict[str, bytes]:
    """Return a run's data and report, as they are on disk."""
    files = [path for path in (folder / "output").rglob("*.*") if path.is_file()]
    own = ("frontier.db", "run.json", ".lock")
    return {str(path): path.read_bytes() for path in files if path.name not in own}


async def refused(folder: Path, *words: str) -> str:
    """Return how a resume is refused; it changes nothing."""
    before = state_of(folder)
    done = await crawl(folder, "book", "--resume", *words)
    assert (done.status, state_of(folder)) == (2, before), done.err
    (line,) = done.err.splitlines()
    return line


def edit(folder: Path, old: str, new: str) -> None:
    file = folder / "spiders" / "book.py"
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["-a", "most=6"], "arguments was {'most': '5'}, is {'most': '6'}"),
        (["-a", "kind=x"], "arguments was {'most': '5'}, is {'most': '5', 'kind': 'x'}"),
        (["-s", "ignore_params=sid,utm_*"], "ignore_params was ['sid'], is ['sid', 'utm_*']"),
        (["-s", "ignore_query_order=true"], "ignore_query_order was False, is True"),
        (["-s", "max_depth=3"], "max_depth was None, is 3"),
    ],
)
async def test_other_arguments_and_key_rules_are_another_crawl(
    begun: Path, words: list[str], message: str
) -> None:
    line = await refused(begun, *words)
    assert "is another crawl than this one" in line
    assert line.endswith(message)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('/"]', '/", "http://b/"]', ".1:PORT/', 'http://b/']"),
        ('["127.0.0.1"]', '["127.0.0.1", "b"]', "is ['127.0.0.1', 'b']"),
        ('["/never"]', "[]", "deny was ['/never'], is []"),
        ("class Book(Spider,", 'class Book(Spider, frontier="memory",', "frontier=memory leaves"),
    ],
)
async def test_another_scope_and_other_seeds_are_another_crawl(
    begun: Path, old: str, new: str, message: str
) -> None:
    port = (begun / "spiders" / "book.py").read_text().partition(".1:")[2].partition("/")[0]
    edit(begun, old, new)
    assert message.replace("PORT", port) in await refused(begun)


@pytest.mark.parametrize("words", [[], ["--processes", "2"]])
async def test_callbacks_that_are_gone_are_named_with_what_is_queued_for_them(
    begun: Path, words: list[str]
) -> None:
    edit(begun, "def detail(", "def details(")
    edit(begun, "self.detail)", "self.details)")
    line = await refused(begun, *words)
    assert "no callback any more for what the run has queued: detail (5 queued)" in line
    assert "image" not in line


async def test_a_run_of_another_spider_is_refused(begun: Path) -> None:
    (run,) = (begun / "output" / "book").glob("*")
    edit(begun, "class Book(", "class Film(")
    done = await crawl(begun, "film", "--resume", str(run))
    assert done.status == 2
    assert "is a run of spider 'book', not of 'film'" in done.err


@pytest.mark.parametrize(
    "seeds",
    [
        '{f"http://127.0.0.1:PORT/{n}" for n in range(20)}',
        '[f"http://127.0.0.1:PORT/{n}" for n in range(2_000)]',
        '(u for u in ["http://127.0.0.1:PORT/"])',
    ],
)
async def test_seeds_of_any_shape_are_the_same_when_they_are(
    folder: Path, site: Site, seeds: str
) -> None:
    grow(site)
    seeds = seeds.replace("PORT", str(site.port))
    text = OTHERS.replace('["http://127.0.0.1:PORT/"]', seeds, 1)
    (folder / "spiders" / "book.py").write_text(text)
    done = await crawl(folder, "book", "--max-pages", "1")
    assert done.report["pages"] == 1, done.err
    done = await crawl(folder, "book", "--resume", "--max-pages", "2")
    assert (done.status, done.report["pages"]) == (0, 2), done.err


async def test_other_paces_and_limits_are_taken_and_remembered(folder: Path, site: Site) -> None:
    grow(site)
    await stopped(folder, site, "-s", "delay=0.01")
    words = ["-s", "concurrency=3", "--max-pages", "5", "-s", "delay=0"]
    done = await crawl(folder, "site", "--resume", *words, "--processes", "1")
    assert (done.status, done.report["pages"]) == (0, 5)
    record = json.loads((done.run / "run.json").read_text())
    assert record["pairs"] == ["delay=0", "max_pages=5", "concurrency=3"]
    done = await crawl(folder, "site", "--resume", "-s", "max_pages=6", "-a", f"start={site.url()}")
    assert (done.status, done.report["pages"]) == (0, 6)


def reached(done: Done, name: str) -> bool:
    return (done.status, done.report["reason"]) == (0, name) and f"stopped at {name}" in done.err


@pytest.mark.parametrize(("flag", "figure"), [("--max-pages", "pages"), ("--max-items", "items")])
async def test_a_limit_counts_what_all_lives_brought(
    folder: Path, site: Site, flag: str, figure: str
) -> None:
    grow(site)
    name = flag[2:].replace("-", "_")
    words = ["-s", "concurrency=1", flag]
    assert reached(await crawl(folder, "site", "-a", f"start={site.url()}", *words, "10"), name)
    asked = len(site.log)
    again = await crawl(folder, "site", "--resume")
    assert reached(again, name)
    assert len(site.log) == asked
    done = await crawl(folder, "site", "--resume", flag, "25")
    assert reached(done, name)
    assert done.report["pages"] == sum(done.report["items"].values()) == 25
    assert done.table["go on"] == f"crawl site --resume {flag} N"


async def test_other_item_types_are_refused(begun: Path) -> None:
    edit(begun, "class Book(Spider,", "class Page(Item):\n    url: str\n\nclass Book(Spider[Page],")
    edit(begun, "from crawler import", "from crawler import Item,")
    line = await refused(begun)
    assert line.endswith("item types was ['item'], is ['page']")
