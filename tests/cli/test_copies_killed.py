"""Copies are dropped exactly, however often the crawl is killed."""

from collections import Counter
from pathlib import Path

from tests.cli.command import crawl
from tests.cli.lives import killed
from tests.site import Site

BODIES = 40


def body(number: int) -> str:
    return " ".join(f"word{number * n * 7_919 % 5_003}" for n in range(100))


async def test_each_body_is_delivered_once_over_kills(folder: Path, site: Site) -> None:
    paths = [f"/{n}/{copy}" for n in range(BODIES) for copy in "ab"]
    site.page("/", links=paths)
    for path in paths:
        site.page(path, body=body(int(path.split("/")[1]) + 1))
    words = ("site", "-a", f"start={site.url()}", "-s", "duplicates=drop", "-s", "concurrency=4")
    await killed(folder, site, "/9/b", *words)
    for path in ("/20/a", "/31/b"):
        await killed(folder, site, path, "site", "--resume")
    done = await crawl(folder, "site", "--resume")
    assert done.report["finished"]
    found = Counter(item["url"].split("/")[3] for item in done.lines("items.jsonl"))
    assert found == {"": 1, **{str(n): 1 for n in range(BODIES)}}
    assert done.report["counts"]["duplicate_bodies"] == BODIES
