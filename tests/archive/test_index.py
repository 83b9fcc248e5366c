"""The index of stored pages: whole or not there, and of what is stored now."""

import os
from pathlib import Path

import pytest

from crawler.archive.archive import INDEX, Archive
from crawler.archive.sources import all_urls, sources_of
from crawler.errors import NotStored, RunError
from crawler.pruning import prune
from crawler.urls import KeyRules
from tests.archive.test_replay import Look, again, live, strange
from tests.archive.test_warc import LIMIT, URL, Writer
from tests.site import Site


def stored(path: Path, index: Path, rules: KeyRules = KeyRules()) -> Archive:  # noqa: B008  # frozen
    archive = Archive(sources_of([str(path)]), index=index, rules=rules)
    archive.open()
    return archive


def has(path: Path, index: Path, url: str) -> bool:
    archive = stored(path, index)
    try:
        return archive.has(url)
    finally:
        archive.close()


def test_it_is_made_once_and_anew_when_its_source_has_changed(tmp_path: Path) -> None:
    with Writer(tmp_path / "x.warc.gz") as file:
        file.add(URL, b"1")
    index = tmp_path / INDEX
    assert has(file.path, index, URL)
    made = index.stat().st_ino
    assert not has(file.path, index, f"{URL}2")
    assert index.stat().st_ino == made
    with Writer(tmp_path / "more.warc.gz") as more:
        more.add(f"{URL}2", b"2")
    with open(file.path, "ab") as whole:
        whole.write(more.path.read_bytes())
    assert has(file.path, index, f"{URL}2")
    assert index.stat().st_ino != made


@pytest.mark.parametrize("text", [b"", b"no database", b"SQLite format 3\0" + b"\xff" * 5_000])
def test_one_that_is_broken_is_made_anew(tmp_path: Path, text: bytes) -> None:
    with Writer(tmp_path / "x.warc.gz") as file:
        file.add(URL, b"1")
    (tmp_path / INDEX).write_bytes(text)
    (tmp_path / f".{INDEX}.part").write_bytes(b"of one that was killed")
    assert has(file.path, tmp_path / INDEX, URL)
    assert sorted(os.listdir(tmp_path)) == [INDEX, "x.warc.gz"]


def test_a_link_in_its_place_leads_nowhere(tmp_path: Path) -> None:
    with Writer(tmp_path / "x.warc.gz") as file:
        file.add(URL, b"1")
    (tmp_path / INDEX).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RunError, match=r"source\.db: cannot be"):
        stored(file.path, tmp_path / INDEX)
    assert not (tmp_path / "elsewhere").exists()


def test_one_that_is_stopped_while_it_is_made_leaves_nothing(tmp_path: Path) -> None:
    with Writer(tmp_path / "x.warc.gz") as file:
        file.add(URL, b"1")
    archive = Archive(sources_of([str(file.path)]), index=tmp_path / INDEX)
    archive.stop()
    with pytest.raises(RunError, match="was stopped"):
        archive.open()
    archive.close()
    assert os.listdir(tmp_path) == ["x.warc.gz"]


def test_urls_that_a_crawl_takes_for_one_are_one(tmp_path: Path) -> None:
    with Writer(tmp_path / "x.warc.gz") as file:
        file.add(f"{URL}?b=2&a=1&utm_x=1", b"1")
    rules = KeyRules(ignore_query_order=True, ignore_params=("utm_*",))
    archive = stored(file.path, tmp_path / INDEX, rules)
    answer = archive.ask(f"{URL}?a=1&b=2", limit=LIMIT)
    assert answer is not None
    assert answer.body == b"1"
    archive.close()
    assert not has(file.path, tmp_path / INDEX, f"{URL}?a=1&b=2")


def test_a_source_that_goes_away_is_pages_that_are_not_stored(tmp_path: Path) -> None:
    with Writer(tmp_path / "x.warc.gz") as file:
        file.add(URL, b"1")
    archive = stored(file.path, tmp_path / INDEX)
    file.path.unlink()
    with pytest.raises(NotStored, match=r"x\.warc\.gz: cannot be read: No such file"):
        archive.ask(URL, limit=LIMIT)
    archive.close()


async def test_it_goes_with_the_frontier_of_a_finished_run(site: Site, tmp_path: Path) -> None:
    strange(site)
    first = await live(Look(site.url()), tmp_path)
    assert min(all_urls(sources_of([first.folder or ""]))) == site.url()
    second = await again(Look(site.url()), first, tmp_path, frontier="sqlite")
    run = Path(second.folder or "")
    assert (run / INDEX).exists()
    prune(run)
    assert not [name for name in os.listdir(run) if INDEX in name]
