"""A host that one process of a run leaves alone holds up no other."""

from pathlib import Path

import pytest

from tests.cli.command import crawl
from tests.site import Site

WELL, BROKEN = ("127.0.0.1", "127.0.0.3", "127.0.0.4"), "127.0.0.2"
PAGES = 20

SPIDER = """
from crawler import Out, Response, Spider
from crawler.errors import FetchError, HostGivenUp

class Needy(
    Spider, delay=0, per_host=4, min_free_bytes=0, retries=0, obey_robots=False, host_failures=3,
    allow_private="127.0.0.0/29", pages="none",
):
    allowed_domains = ("*",)

    def __init__(self, start: str, broken: str) -> None:
        self.start_urls = start.split(",")
        self.broken = broken

    async def parse(self, page: Response) -> Out:
        try:
            await page.fetch(self.broken)
        except HostGivenUp as error:
            self.count("alone", str(error).startswith("left alone for 30 s: 3 failures in a row"))
        except FetchError:
            self.count("failed")
        yield page.follow_all()
"""


async def needy(site: Site, folder: Path) -> list[str]:
    """Serve pages that each want one of a host that is broken; return how to crawl them."""
    (folder / "spiders").mkdir()
    (folder / "spiders" / "needy.py").write_text(SPIDER)
    for number in range(PAGES):
        site.slow(f"/{number}", 0.1, links=[f"/{number + 1}"] if number + 1 < PAGES else [])
    site.page("/api", status=500)
    starts = ",".join(site.url("/0", host=host) for host in WELL)
    return ["needy", "-a", f"start={starts}", "-a", f"broken={site.url('/api', host=BROKEN)}"]


@pytest.mark.parametrize("delay", ["0", "0.2"])
async def test_fetches_from_a_host_that_another_process_leaves_alone_fail_at_once(
    tmp_path: Path, delay: str
) -> None:
    async with Site([*WELL, BROKEN]) as site:
        words = await needy(site, tmp_path)
        done = await crawl(tmp_path, *words, "--processes", "2", "-s", f"delay={delay}")
        asked = [hit for hit in site.log if hit.path == "/api"]
    assert done.status == 0, done.err
    counts = done.report["counts"]
    assert counts["user.alone"] + counts["user.failed"] == len(WELL) * PAGES
    assert len(asked) == counts["user.failed"] < 12
    assert done.report["seconds"] < 20
    assert done.err.count(f"{site.host(BROKEN)} is left alone") == 1


async def test_a_later_life_leaves_it_alone_as_long(tmp_path: Path) -> None:
    async with Site([*WELL, BROKEN]) as site:
        words = await needy(site, tmp_path)
        first = await crawl(tmp_path, *words, "--max-pages", "20")
        before = len([hit for hit in site.log if hit.path == "/api"])
        done = await crawl(tmp_path, "needy", "--resume", "--max-pages", "none")
        asked = len([hit for hit in site.log if hit.path == "/api"])
    assert first.report["counts"]["user.failed"] == before == asked
    assert done.report["counts"]["user.alone"] == len(WELL) * PAGES - asked
    assert done.report["parked"].keys() == {site.host(BROKEN)}
