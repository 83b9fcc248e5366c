"""What somebody else put into a run's folder: nothing is ever written through it."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings

from crawler.errors import OutputError, RunError, TargetError
from crawler.export.csv_table import CsvTable
from crawler.export.pages import FilePages, path_for
from crawler.export.run_folder import read_record, read_report, write_report
from crawler.export.sheet import Sheet
from crawler.export.spool import FileSpool
from crawler.export.tail import Tail, mend
from crawler.export.targets import plan
from crawler.outcome import Report
from crawler.owned import named
from crawler.records.streams import streams_of
from crawler.urls import canonicalize
from tests.export.test_pages import page
from tests.export.test_paths import NASTY, urls

URL = "https://a.example/b/c/d.html"
FOLDERS = [".", "a.example", "a.example/b", "a.example/b/c"]


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[Path]:
    """A folder with a file, both to stay as they are."""
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "victim").write_text("kept")
    yield folder
    assert [path.name for path in folder.iterdir()] == ["victim"]
    assert (folder / "victim").read_text() == "kept"


@pytest.mark.parametrize("where", FOLDERS)
async def test_a_link_in_the_place_of_a_folder_is_an_error_that_names_it(
    tmp_path: Path, outside: Path, where: str
) -> None:
    link = tmp_path / "pages" / where
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(outside)
    store = FilePages(tmp_path / "pages")
    with pytest.raises(TargetError, match="symbolic link") as caught:
        await store.save([page(URL)])
    assert str(caught.value).startswith(f"{link}: ")
    await store.aclose()


async def test_a_link_put_there_after_the_first_page_is_seen(tmp_path: Path, outside: Path) -> None:
    async with FilePages(tmp_path / "pages") as store:
        await store.save([page(URL)])
        (tmp_path / "pages/a.example/b/c").rename(tmp_path / "gone")
        (tmp_path / "pages/a.example/b/c").symlink_to(outside)
        with pytest.raises(TargetError, match="symbolic link"):
            await store.save([page(URL)])


async def test_a_link_in_the_place_of_the_pages_folder_is_not_swept(
    tmp_path: Path, outside: Path
) -> None:
    (outside / "victim").rename(outside / ".part-3")
    (tmp_path / "pages").symlink_to(outside)
    with pytest.raises(TargetError, match="symbolic link"):
        async with FilePages(tmp_path / "pages"):
            pass
    (outside / ".part-3").rename(outside / "victim")


def link(path: Path, victim: Path) -> None:
    path.symlink_to(victim)


def hard_link(path: Path, victim: Path) -> None:
    path.hardlink_to(victim)


def pipe(path: Path, victim: Path) -> None:
    os.mkfifo(path)


Plant = Callable[[Path, Path], None]
each_plant = pytest.mark.parametrize("plant", [link, hard_link, pipe])


@each_plant
@pytest.mark.parametrize("name", [str(path_for(URL)), ".part-0"])
async def test_what_is_in_the_place_of_a_pages_file_is_replaced(
    tmp_path: Path, outside: Path, plant: Plant, name: str
) -> None:
    async with FilePages(tmp_path / "pages") as store:
        await store.save([page(URL, b"old")])
        (tmp_path / "pages" / name).unlink(missing_ok=True)
        plant(tmp_path / "pages" / name, outside / "victim")
        (saved,) = await store.save([page(URL, b"new")])
        file = tmp_path / saved.file
        assert file.read_bytes() == b"new"
        assert not file.is_symlink()
        assert file.stat().st_mode & 0o111 == 0


async def test_a_folder_in_the_place_of_a_page_is_an_error_that_names_it(tmp_path: Path) -> None:
    place = tmp_path / "pages" / path_for(URL)
    place.mkdir(parents=True)
    async with FilePages(tmp_path / "pages") as store:
        with pytest.raises(TargetError, match=r"d\.html: is a directory"):
            await store.save([page(URL)])
        assert not list((tmp_path / "pages").glob(".part-*"))


async def test_a_batch_over_many_deep_folders_holds_few_open(tmp_path: Path) -> None:
    urls = [f"https://h{n}.example/" + "d/" * (n * 20) + "x" for n in range(20)]
    async with FilePages(tmp_path / "pages") as store:
        before = len(os.listdir("/dev/fd"))
        names = await store.save([page(url, url.encode()) for url in urls])
        assert len(os.listdir("/dev/fd")) == before
    assert [(tmp_path / name.file).read_bytes().decode() for name in names] == urls


async def test_of_two_pages_of_one_name_in_a_batch_the_last_one_stays(tmp_path: Path) -> None:
    async with FilePages(tmp_path / "pages") as store:
        batch = [page(URL, b"1"), page("https://z.example/"), page(URL, b"2")]
        names = await store.save(batch)
    assert (tmp_path / names[0].file).read_bytes() == b"2"


HOSTILE = [
    "https://a.example/../../../../etc/passwd", "https://a.example/%2e%2e/%2e%2e/%2e%2e/x",
    "https://a.example/..%2f..%2f..%2fx", "https://a.example/..%5c..%5cx", "https://a.example//x",
    "https://a.example/....//....//x", "https://a.example/C:/x", "https://a.example/C%3a%5cx",
    "https://a.example/\\\\server\\share", "https://a.example/%00", "https://a.example/a%00.html",
    "https://a.example/nul", "https://a.example/CON.txt", "https://a.example/com1/lpt1.html",
    "https://a.example/~", "https://a.example/.part-0", "https://a.example/.", "https://..",
    "https://.../x", "https://a.example/-rf", "https://a.example/$(reboot)", "https://a.example/%0a",
    "https://a.example/x.html::$DATA", "https://a.example/a%20", "https://a.example/a.",
    "https://a.example/\u202egpj.exe", "https://a.example/\ufeff", "https://a.example/%ff%fe",
    "https://.part-0/x", "https://xn--nxasmq6b/x", "https://a.example/?../../x", "https://[::1]/x",
    *NASTY,
]  # fmt: skip


async def test_no_url_leaves_the_folder_and_no_two_share_a_file(tmp_path: Path) -> None:
    wanted = {}
    for url in HOSTILE:
        try:
            wanted[canonicalize(url)] = url.encode(errors="replace")
        except ValueError:
            continue
    assert len(wanted) > 40
    (tmp_path / "run").mkdir()
    async with FilePages(tmp_path / "run" / "pages") as store:
        names = await store.save([page(url, body) for url, body in wanted.items()])
    assert [(tmp_path / "run" / name.file).read_bytes() for name in names] == list(wanted.values())
    assert len({name.file.casefold() for name in names}) == len(names)
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["pages"]
    assert not [path for path in tmp_path.rglob("*") if path.is_symlink()]


@given(url=urls())
@settings(max_examples=150, deadline=None)
async def test_whatever_the_url_its_file_is_in_the_folder(
    tmp_path_factory: pytest.TempPathFactory, url: str
) -> None:
    top = tmp_path_factory.mktemp("pages")
    async with FilePages(top / "pages") as store:
        (name,) = await store.save([page(url, url.encode())])
    (file,) = (path for path in top.rglob("*") if path.is_file())
    assert file == top / name.file
    assert file.resolve().is_relative_to((top / "pages").resolve())
    assert file.read_text() == url


@pytest.mark.parametrize("plant", [link, pipe])
@pytest.mark.parametrize("committed", [0, 4])
async def test_a_line_file_of_a_run_is_a_file(
    tmp_path: Path, outside: Path, plant: Plant, committed: int
) -> None:
    plant(tmp_path / "items.jsonl", outside / "victim")
    with pytest.raises(TargetError, match=r"symbolic link|not a regular file"):
        await FileSpool.open(
            {"items": tmp_path / "items.jsonl"}, position={"items": committed}, resumed=True
        )


async def test_a_link_that_the_user_named_is_written_through(tmp_path: Path) -> None:
    (tmp_path / "real.jsonl").write_text("{}\n")
    (tmp_path / "link.jsonl").symlink_to("real.jsonl")
    paths = {"items": tmp_path / "link.jsonl"}
    async with await FileSpool.open(
        paths, position={"items": 3}, openers={"items": named}
    ) as spool:
        await spool.append({"items": [b'{"a":1}']})
    assert (tmp_path / "real.jsonl").read_text() == '{}\n{"a":1}\n'
    assert (tmp_path / "link.jsonl").is_symlink()


def test_a_table_that_grows_a_column_stays_behind_the_link_the_user_named(
    tmp_path: Path, outside: Path
) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link.csv").symlink_to("real/x.csv")
    (tmp_path / "real" / ".x.csv.part").symlink_to(outside / "victim")
    table = CsvTable(Sheet(tmp_path / "link.csv"))
    for line in (b'{"a":1}', b'{"b":2}'):
        table.write([line])
    table.close()
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "real" / "x.csv").read_bytes() == b"a,b\r\n1,\r\n,2\r\n"


def test_lost_lines_are_not_put_back_through_a_link(tmp_path: Path, outside: Path) -> None:
    (outside / "victim").write_text("a\n")
    (tmp_path / "items.jsonl").symlink_to(outside / "victim")
    tail = Tail()
    tail.append("items", 0, b"a\nb\n")
    with pytest.raises(TargetError, match="symbolic link"):
        mend(tail.changes(), "items", tmp_path / "items.jsonl", committed=4)
    (outside / "victim").write_text("kept")


@each_plant
@pytest.mark.parametrize("name", ["stats.json", ".stats.json.part"])
async def test_a_report_is_written_in_the_place_of_what_was_planted(
    tmp_path: Path, outside: Path, plant: Plant, name: str
) -> None:
    plant(tmp_path / name, outside / "victim")
    await write_report(tmp_path, Report(spider="x"))
    report = read_report(tmp_path)
    assert report is not None
    assert report.spider == "x"
    assert not (tmp_path / "stats.json").is_symlink()


@pytest.mark.parametrize("plant", [link, pipe])
def test_a_planted_record_is_neither_read_nor_waited_for(
    tmp_path: Path, outside: Path, plant: Plant
) -> None:
    plant(tmp_path / "run.json", outside / "victim")
    with pytest.raises(RunError, match=r"run\.json: cannot be read"):
        read_record(tmp_path)


def test_a_target_behind_a_ring_of_links_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.json").symlink_to("b.json")
    (tmp_path / "b.json").symlink_to("a.json")
    with pytest.raises(OutputError, match="symbolic link"):
        plan([str(tmp_path / "a.json")], streams=streams_of([]))
