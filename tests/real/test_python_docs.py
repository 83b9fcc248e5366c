"""Debian's Python documentation behind nginx: the pages that wget reaches, none twice."""

import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.sites import nginx_path, serve
from crawler import Response, Spider, crawl

DOCS = Path("/usr/share/doc/python3-doc/html")
INSTALL = "apt-get install -y --no-install-recommends nginx-light wget python3-doc"

pytestmark = pytest.mark.skipif(
    not (nginx_path() and shutil.which("wget") and DOCS.is_dir()), reason=INSTALL
)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """The docs' URL and nginx's access log."""
    log = tmp_path / "access.log"
    with serve(DOCS.resolve(), addresses=1, log=log) as (start,):
        yield start, log


class Docs(Spider[dict[str, str]], accept="text/html", delay=0, per_host=8):
    def __init__(self, start: str) -> None:
        self.start_urls = [start]
        self.allowed_prefixes = [start]

    def parse(self, page: Response) -> list[object]:
        return list(page.follow_all())


def _seen(log: Path) -> Counter[str]:
    """HTML pages served with 200, by path."""
    lines = [line.split(maxsplit=3) for line in log.read_text().splitlines()]
    return Counter(
        path
        for method, path, status, kind in lines
        if method == "GET" and status == "200" and kind.startswith("text/html")
    )


async def test_it_reaches_what_wget_reaches_and_nothing_twice(
    server: tuple[str, Path], tmp_path: Path
) -> None:
    start, log = server
    report = await crawl(Docs(start), output_dir=str(tmp_path / "out"), min_free_bytes=0)
    ours = _seen(log)
    log.write_text("")
    subprocess.run(
        ["wget", "-q", "-r", "-np", "-l", "inf", "-e", "robots=off", "-P", str(tmp_path / "wget")]
        + [start],
        check=False,  # 8 for the documentation's own dead links
        timeout=120,
    )
    theirs = _seen(log)
    files = sorted((tmp_path / "wget").rglob("*.html"))
    assert set(ours) == set(theirs)
    assert set(ours.values()) == {1}
    assert report.pages == len(ours)
    # The front page has two URLs, / and /index.html, which wget keeps as one file.
    assert {"/", "/index.html"} <= set(ours)
    assert len(ours) - 1 == len(files) > 500
