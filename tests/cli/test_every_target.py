"""Written, killed, gone on with, read back by another program: the same items, in every target."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import crawl, lines
from tests.cli.lives import PAGES, begun, grow, killed
from tests.cli.targets import SPIDER, TARGETS, Rows, canonical, seen_by_others
from tests.databases import KINDS, Database, database_of
from tests.postgres import Postgres
from tests.site import Site

ITEMS = PAGES - 3
FILES = [word for target in TARGETS.values() for word in ("-o", target.output)]


@pytest.fixture
def databases(folder: Path, request: pytest.FixtureRequest) -> list[Database]:
    def server() -> Postgres:
        started: Postgres = request.getfixturevalue("postgres")
        return started

    return [database_of(kind, folder, server) for kind in KINDS]


def outputs(databases: Sequence[Database]) -> list[str]:
    return [*FILES, *(word for database in databases for word in ("-o", database.output))]


@pytest.fixture
def things(folder: Path, site: Site) -> Site:
    (folder / "spiders" / "things.py").write_text(SPIDER)
    grow(site)
    return site


def words(site: Site, databases: Sequence[Database]) -> list[str]:
    # The first .jsonl is the spool itself.
    return ["things", "-a", f"start={site.url()}", "-o", "spool.jsonl", *outputs(databases)]


def read(folder: Path, databases: Sequence[Database]) -> Mapping[str, Rows]:
    """Return what every target holds, as another program reads it."""
    files = {name: target.read(folder / target.output) for name, target in TARGETS.items()}
    tables = {db.kind: [_typed(row) for row in db.rows("thing")] for db in databases}
    return files | tables


def _typed(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row with what SQL has otherwise: truth, whole floats, nested values."""
    nested = {name: row[name] for name in ("tags", "size")}
    read = {k: json.loads(v) if isinstance(v, str) else v for k, v in nested.items()}
    return {**row, **read, "is_new": bool(row["is_new"]), "price": float(row["price"])}


async def test_a_run_that_was_killed_twice_leaves_each_item_once_in_every_target(
    folder: Path, things: Site, databases: list[Database]
) -> None:
    await killed(folder, things, "/17", *words(things, databases), "-s", "concurrency=1")
    process = await begun(folder, things, "/45", "things", "--resume", "-s", "concurrency=1")
    process.kill()
    await process.communicate()
    done = await crawl(folder, "things", "--resume")
    assert done.status == 0, done.err
    items = lines(folder / "spool.jsonl")
    assert len({item["url"] for item in items}) == len(items) == ITEMS
    for name, rows in read(folder, databases).items():
        assert canonical(rows) == canonical(items), name


async def test_two_processes_leave_each_item_once_in_every_target(
    folder: Path, things: Site, databases: list[Database]
) -> None:
    done = await crawl(folder, *words(things, databases), "--processes", "2")
    assert done.status == 0, done.err
    items = lines(folder / "spool.jsonl")
    assert len(items) == ITEMS
    for name, rows in read(folder, databases).items():
        assert canonical(rows) == canonical(items), name


async def test_a_finished_run_is_exported_to_every_target(
    folder: Path, things: Site, databases: list[Database]
) -> None:
    done = await crawl(folder, "things", "-a", f"start={things.url()}", "-q")
    assert done.status == 0, done.err
    exported = await crawl(folder, "export", "things", *outputs(databases))
    assert exported.status == 0, exported.err
    for name, rows in read(folder, databases).items():
        assert canonical(rows) == canonical(done.lines("items.jsonl")), name
    urls = sorted(item["url"] for item in done.lines("items.jsonl"))
    for reader, found in seen_by_others(folder).items():
        assert found == urls, reader
