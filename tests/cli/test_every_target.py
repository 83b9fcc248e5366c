"""Written, killed, gone on with, read back by another program: the same items, in every target."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.cli.command import crawl, lines
from tests.cli.lives import PAGES, begun, grow, killed
from tests.cli.targets import SPIDER, TARGETS, Rows, canonical
from tests.site import Site

ITEMS = PAGES - 3
OUTPUTS = [word for target in TARGETS.values() for word in ("-o", target.output)]


@pytest.fixture
def things(folder: Path, site: Site) -> Site:
    (folder / "spiders" / "things.py").write_text(SPIDER)
    grow(site)
    return site


def words(site: Site) -> list[str]:
    # The first .jsonl is the spool itself.
    return ["things", "-a", f"start={site.url()}", "-o", "spool.jsonl", *OUTPUTS]


def read(folder: Path) -> Mapping[str, Rows]:
    """Return what every target holds, as another program reads it."""
    return {name: target.read(folder / target.output) for name, target in TARGETS.items()}


async def test_a_run_that_was_killed_twice_leaves_each_item_once_in_every_target(
    folder: Path, things: Site
) -> None:
    await killed(folder, things, "/17", *words(things), "-s", "concurrency=1")
    process = await begun(folder, things, "/45", "things", "--resume", "-s", "concurrency=1")
    process.kill()
    await process.communicate()
    done = await crawl(folder, "things", "--resume")
    assert done.status == 0, done.err
    items = lines(folder / "spool.jsonl")
    assert len({item["url"] for item in items}) == len(items) == ITEMS
    for name, rows in read(folder).items():
        assert canonical(rows) == canonical(items), name


async def test_two_processes_leave_each_item_once_in_every_target(
    folder: Path, things: Site
) -> None:
    done = await crawl(folder, *words(things), "--processes", "2")
    assert done.status == 0, done.err
    items = lines(folder / "spool.jsonl")
    assert len(items) == ITEMS
    for name, rows in read(folder).items():
        assert canonical(rows) == canonical(items), name


async def test_a_finished_run_is_exported_to_every_target(folder: Path, things: Site) -> None:
    done = await crawl(folder, "things", "-a", f"start={things.url()}", "-q")
    assert done.status == 0, done.err
    exported = await crawl(folder, "export", "things", *OUTPUTS)
    assert exported.status == 0, exported.err
    for name, rows in read(folder).items():
        assert canonical(rows) == canonical(done.lines("items.jsonl")), name
