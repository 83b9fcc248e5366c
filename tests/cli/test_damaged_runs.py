"""A run whose files were edited, or lost."""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from crawler import Item, Report, Response, Spider, crawl
from crawler.errors import CrawlerError, RunError, TargetError
from tests.cli.command import crawl as command
from tests.cli.command import lines
from tests.cli.lives import grow
from tests.cli.test_outputs import count
from tests.site import Site as FakeSite


class Page(Item):
    url: str


class Site(Spider[Page], delay=0, min_free_bytes=0, retries=0, obey_robots=False):
    def __init__(self, start: str) -> None:
        self.start_urls = [start]

    def parse(self, page: Response) -> Iterator[object]:
        yield Page(url=page.url)
        yield page.follow_all()


@pytest.fixture
def web(site: FakeSite, folder: Path, monkeypatch: pytest.MonkeyPatch) -> FakeSite:
    monkeypatch.chdir(folder)
    grow(site)
    return site


async def life(web: FakeSite, pages: int | None, **given: Any) -> Report:
    """Crawl the run in `job/` until it has so many pages."""
    return await crawl(Site(web.url()), job="job", max_pages=pages, pages="files", **given)


async def refused(web: FakeSite, kind: type[CrawlerError]) -> str:
    """Return how the run refuses to go on; its data are as they were."""
    before = data()
    with pytest.raises(kind) as caught:
        await life(web, 40)
    assert data() == before
    return str(caught.value)


def data() -> dict[str, bytes]:
    files = [path for path in Path("job").rglob("*.*") if path.is_file()]
    kept = [path for path in files if path.suffix in (".jsonl", ".html")]
    return {str(path): path.read_bytes() for path in kept}


def halve(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def change(file: Path) -> None:
    file.write_text(file.read_text().replace("http", "ftp", 1))


@pytest.mark.parametrize(
    ("name", "damage", "words"),
    [
        ("items.jsonl", Path.unlink, "is gone, with"),
        ("pages.jsonl", Path.unlink, "is gone, with"),
        ("failures.jsonl", Path.unlink, "is gone, with"),
        ("items.jsonl", halve, "bytes were committed, but the file has"),
        ("pages.jsonl", change, "bytes were committed, but the file has"),
        ("failures.jsonl", change, "bytes were committed, but the file has"),
    ],
)
async def test_a_line_file_that_was_edited_is_named_and_left_as_it_is(
    web: FakeSite, name: str, damage: Callable[[Path], None], words: str
) -> None:
    await life(web, 35)
    damage(Path("job") / name)
    said = await refused(web, TargetError)
    assert said.startswith(f"job/{name}: ")
    assert words in said


async def test_on_the_command_line_that_is_one_line_and_its_exit_status(
    folder: Path, web: FakeSite
) -> None:
    await life(web, 5)
    (folder / "job" / "items.jsonl").unlink()
    words = ("site", "-a", f"start={web.url()}", "--job", "job")
    done = await command(folder, *words)
    assert (done.status, done.err.startswith("crawl: job/items.jsonl: is gone")) == (3, True)
    (folder / "job" / "frontier.db").write_text("nonsense")
    done = await command(folder, *words)
    assert (done.status, done.err.startswith("crawl: job/frontier.db: ")) == (2, True)
    assert len(done.err.splitlines()) == 1


@pytest.mark.parametrize("name", ["items.jsonl", "pages.jsonl"])
async def test_a_file_that_got_a_line_too_many_is_not_cut_to_its_length(
    web: FakeSite, name: str
) -> None:
    await life(web, 35)
    file = Path("job") / name
    file.write_bytes(file.read_bytes().splitlines(keepends=True)[0] + file.read_bytes())
    said = await refused(web, TargetError)
    assert said == f"job/{name}: was edited: its last lines are not those that were written"


async def test_a_run_that_was_moved_away_from_its_output_makes_nothing_where_it_was(
    web: FakeSite,
) -> None:
    await crawl(Site(web.url()), job="there/job", output="there/x.jsonl", max_pages=3)
    Path("there").rename("here")
    with pytest.raises(TargetError, match=r"there/x\.jsonl: is gone"):
        await crawl(Site(web.url()), job="here/job", max_pages=9)
    assert not Path("there").exists()


@pytest.mark.parametrize("name", ["x.csv", "x.json", "x.jsonl"])
async def test_an_output_that_lost_what_others_left_in_it_is_named_and_left_as_it_is(
    web: FakeSite, name: str
) -> None:
    await crawl(Site(web.url("/lonely")), output=name)
    await life(web, 3, output=["y.jsonl", name], append=True)
    Path(name).write_bytes(Path(name).read_bytes()[:20])
    assert f"{name}: held " in await refused(web, TargetError)
    assert Path(name).stat().st_size == 20
    assert len(lines(Path("y.jsonl"))) == 3


async def test_an_output_that_this_run_wrote_is_written_anew(web: FakeSite) -> None:
    await life(web, 3, output=["x.csv", "x.json"])
    Path("x.csv").unlink()
    Path("x.json").write_text("[]")
    await life(web, 9)
    assert (count(Path("x.csv")), count(Path("x.json"))) == (9, 9)


async def test_what_a_finished_run_left_is_nobodys_business(web: FakeSite) -> None:
    report = await life(web, None)
    Path("job/items.jsonl").unlink()
    assert await life(web, None) == report
    assert not Path("job/items.jsonl").exists()


def scribble(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:100] + b"\xff" * (file.stat().st_size - 100))


def age(file: Path) -> None:
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA user_version = 99")
    connection.close()


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (scribble, "is malformed"),
        (halve, "is malformed"),
        (age, "written by a newer version"),
        (
            lambda file: file.write_text("no database, but words, and many " * 9),
            "is not a database",
        ),
        (Path.unlink, "has no frontier.db to go on from"),
        (lambda file: file.write_bytes(b""), "holds nothing of this run, whose files do"),
    ],
)
async def test_a_frontier_that_is_broken_is_named_and_its_data_are_left_as_they_are(
    web: FakeSite, damage: Callable[[Path], None], words: str
) -> None:
    await life(web, 30)
    damage(Path("job/frontier.db"))
    said = await refused(web, RunError)
    assert "frontier.db" in said
    assert words in said


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ('cookies ["","a.example",true,"/","a"]', b"{{"),
        ("cookies [1", b"{}"),
        ("slowed a.example", b"1"),
        ("parked a.example", b"\xff"),
        ("body 1", b"1"),
        ("no page http://a.example/", b"1"),
    ],
)
async def test_what_is_kept_by_name_and_cannot_be_read_is_named(
    web: FakeSite, name: str, value: bytes
) -> None:
    await life(web, 30)
    connection = sqlite3.connect("job/frontier.db")
    with connection:
        connection.execute("INSERT INTO kept VALUES (?, ?, 0, 0)", (name, value))
    connection.close()
    said = await refused(web, RunError)
    what = name.partition(" ")[0]
    assert said.startswith(f"the run's frontier.db is broken: what it keeps of {what} cannot be")
