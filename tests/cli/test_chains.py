"""Pages that are each known only from the one before: their links go ahead of their commits."""

from collections import Counter
from pathlib import Path

import pytest

from tests.cli.command import crawl, ended
from tests.cli.lives import begun, kept, killed
from tests.site import Site

PAGES = 400
CONCURRENCY = 8


@pytest.fixture
def chain(site: Site) -> Site:
    """A chain of pages, of which every fiftieth also leads to a redirect to a page of its own."""
    for number in range(PAGES):
        links = [f"/{number + 1}" if number + 1 < PAGES else "/", "/"]
        if number % 50 == 20:
            links.append(f"/from/{number}")
            site.redirect(f"/from/{number}", site.url(f"/to/{number}"))
            site.page(f"/to/{number}", links=["/"])
        site.page(f"/{number}" if number else "/", links=links)
    return site


def words(chain: Site) -> tuple[str, ...]:
    return ("site", "-a", f"start={chain.url()}", "-s", f"concurrency={CONCURRENCY}")


async def test_a_chain_that_is_killed_leaves_and_repeats_what_any_crawl_does(
    folder: Path, chain: Site
) -> None:
    await crawl(folder, *words(chain), "-s", "output_dir=whole")
    (whole,) = (folder / "whole").glob("*/*")
    assert sum(kept(whole)["items"].values()) == PAGES + PAGES // 50
    await killed(folder, chain, "/70", *words(chain))
    for number in (137, 205, 333):
        await killed(folder, chain, f"/{number}", "site", "--resume")
    done = await crawl(folder, "site", "--resume")
    assert done.status == 0, done.err
    assert kept(done.run) == kept(whole)


async def test_a_chain_repeats_no_more_than_was_in_flight(folder: Path, chain: Site) -> None:
    await killed(folder, chain, "/201", *words(chain))
    done = await crawl(folder, "site", "--resume")
    assert done.status == 0, done.err
    again = Counter(chain.paths) - Counter(set(chain.paths))
    assert 0 < again.total() <= CONCURRENCY + 1  # the page that it was asking for, and robots.txt
    assert again["/201"] == 1


async def test_a_process_comes_into_a_run_that_is_all_chain(folder: Path, chain: Site) -> None:
    for number in range(1, PAGES):  # that it lasts
        follows = [f"/{number + 1}"] if number + 1 < PAGES else []
        sides = [f"/from/{number}"] if number % 50 == 20 else []
        chain.slow(f"/{number}", 0.005, links=[*follows, *sides])
    first = await begun(folder, chain, "/30", *words(chain), "--job", "job")
    second = await crawl(folder, "site", "--join", "job", "-s", f"concurrency={CONCURRENCY}")
    assert second.status == 0, second.err
    done = await ended(first, folder)
    assert done.status == 0, done.err
    assert "joining job" in second.err
    counted = Counter(chain.paths)
    assert not [path for path, times in counted.items() if times > 1 and path != "/robots.txt"]
    assert sum(kept(folder / "job")["items"].values()) == PAGES + PAGES // 50
