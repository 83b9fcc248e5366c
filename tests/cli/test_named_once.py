"""What a crawl left alone, and why, is named once in log, report and table."""

from pathlib import Path

import pytest

from crawler.cli import table
from crawler.outcome import Report
from tests.cli.command import crawl
from tests.site import Site

HOSTS = ("127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4")

SPIDER = """
from crawler import Out, Response, Spider

class Everywhere(
    Spider, delay=0, min_free_bytes=0, retries=0, obey_robots=False, pages="none", host_failures=3,
    max_wait=20, allow_private="127.0.0.0/29",
):
    allowed_domains = ("*",)

    def __init__(self, start: str) -> None:
        self.start_urls = [start]

    async def parse(self, page: Response) -> Out:
        yield page.follow_all()
"""


@pytest.mark.parametrize("processes", ["1", "2"])
async def test_each_is_named_once_by_one_process_and_by_several(
    tmp_path: Path, processes: str
) -> None:
    (tmp_path / "spiders").mkdir()
    (tmp_path / "spiders" / "everywhere.py").write_text(SPIDER)
    async with Site(HOSTS) as site:
        first, trap, broken, busy = (site.host(host) for host in HOSTS)
        links = [f"http://{broken}/{n}" for n in range(40)] + [f"http://{busy}/{n}" for n in "123"]
        links += [f"http://{trap}/a", "http://10.0.0.1/"]
        site.page("/", links=links, host=HOSTS[0])
        for deep in range(1, 9):
            here, below = "/a" * deep, "/a" * (deep + 1)
            site.page(here, links=[f"{below}?{n}" for n in (1, 2)] + [below], host=HOSTS[1])
        for n in range(40):
            site.page(f"/{n}", status=500, host=HOSTS[2])
        site.page("/1", status=429, headers={"Retry-After": "99999"}, host=HOSTS[3])
        done = await crawl(
            tmp_path, "everywhere", "-a", f"start=http://{first}/", "--processes", processes
        )
    assert done.status == 0, done.err
    log = (done.run / "crawl.log").read_text().splitlines()
    for words in (
        f"looks like a trap (repetition), left out: http://{trap}/a/a/a/a/",
        f"{broken} is given up: 3 failures in a row, the last: HTTP 500",
        f"{busy} is given up: it asks for a rest of 99,999 s",
        "10.0.0.1 is no public address; allow_private may name it: http://10.0.0.1/",
    ):
        assert len([line for line in log if words in line]) == 1, words
    report = done.report
    assert [(host, kind) for host, kind, _ in report["traps"]] == [(trap, "repetition")]
    assert report["given_up"].keys() == {broken, busy}
    assert report["failures"]["private_address"] == 1
    for row in (f"repetition on {trap}: ", f"{broken}: 3 failures", f"{busy}: it asks for a rest"):
        assert done.err.count(row) == 1, row


def test_of_very_many_the_table_names_some_and_says_where_the_rest_is() -> None:
    given_up = {f"h{n}.example": "it asks for a rest of 9,999 s" for n in range(2_010)}
    rows = table._rows(Report(spider="a", given_up=given_up), [])
    assert len(rows["given up"]) == 11
    assert rows["given up"][-1] == "and 2,000 more in stats.json"
