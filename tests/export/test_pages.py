import logging
import os
from pathlib import Path

import msgspec
import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from crawler.errors import TargetError
from crawler.export.pages import FilePages, NoPages, path_for
from crawler.outcome import Failure
from crawler.records.failures import failure_line
from crawler.records.page_index import Place, index_line
from crawler.request import Request
from crawler.response import Response
from tests.export.conftest import SizeLimit


def page(url: str, body: bytes = b"x", *, mime: str = "text/html", final: str = "") -> Response:
    headers = CIMultiDictProxy(CIMultiDict({"Content-Type": mime} if mime else {}))
    return Response(final or url, request=Request(url), body=body, headers=headers, seconds=0.12345)


async def test_bodies_are_files_under_their_urls_names(tmp_path: Path) -> None:
    pages = [page("https://a.example/"), page("https://a.example/b/c.html", b"\0\xff" * 9)]
    async with FilePages(tmp_path / "pages") as store:
        places = await store.save(pages)
    assert places == [Place(f"pages/{path_for(one.url)}") for one in pages]
    assert [(tmp_path / place.file).read_bytes() for place in places] == [b"x", b"\0\xff" * 9]


async def test_nothing_to_save_makes_no_folder(tmp_path: Path) -> None:
    async with FilePages(tmp_path / "pages") as store:
        assert await store.save([]) == []
    assert not (tmp_path / "pages").exists()


async def test_a_page_saved_again_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    async with FilePages(tmp_path / "pages") as store:
        await store.save([page("https://a.example/x", b"a long old body")])
        (name,) = await store.save([page("https://a.example/x", b"new")])
    assert (tmp_path / name.file).read_bytes() == b"new"
    assert sum(len(files) for _, _, files in os.walk(tmp_path)) == 1


async def test_what_a_killed_process_had_begun_to_write_is_removed(tmp_path: Path) -> None:
    dead, living = (tmp_path / f".part-{name}" for name in "57")
    dead.touch()
    living.touch()
    async with FilePages(tmp_path, living=lambda: {"7"}):
        assert not dead.exists()
        dead.touch()  # of one that is killed while this one crawls
    assert not dead.exists()
    assert living.exists()


async def test_a_process_that_begins_while_another_looks_keeps_what_it_writes(
    tmp_path: Path,
) -> None:
    begun = tmp_path / ".part-7"

    def living() -> set[str]:
        names = {path.name.removeprefix(".part-") for path in tmp_path.glob(".part-*")}
        begun.touch()  # when it has been looked who lives
        return names

    async with FilePages(tmp_path, living=living):
        assert begun.exists()


async def test_a_folder_that_vanished_is_made_again(tmp_path: Path) -> None:
    async with FilePages(tmp_path / "pages") as store:
        (name,) = await store.save([page("https://a.example/x/y")])
        (tmp_path / name.file).unlink()
        (tmp_path / name.file).parent.rmdir()
        await store.save([page("https://a.example/x/y")])
    assert (tmp_path / name.file).read_bytes() == b"x"


async def test_a_full_disk_leaves_no_partial_file_and_the_batch_fits_later(
    tmp_path: Path, size_limit: SizeLimit
) -> None:
    batch = [page("https://a.example/1", b"1"), page("https://a.example/2", b"2" * 5000)]
    async with FilePages(tmp_path / "pages") as store:
        await store.save([page("https://a.example/2", b"before")])
        with size_limit(1000), pytest.raises(TargetError, match="the file may not grow"):
            await store.save(batch)
        assert (tmp_path / "pages" / path_for("https://a.example/2")).read_bytes() == b"before"
        assert not list((tmp_path / "pages").glob(".part*"))
        names = await store.save(batch)
    assert [(tmp_path / name.file).read_bytes() for name in names] == [b"1", b"2" * 5000]


async def test_a_file_in_the_way_is_a_target_error(tmp_path: Path) -> None:
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / path_for("https://a.example/x").parts[0]).touch()
    async with FilePages(tmp_path / "pages") as store:
        with pytest.raises(TargetError, match=r"a\.example"):
            await store.save([page("https://a.example/x")])


async def test_too_little_room_takes_no_page(tmp_path: Path) -> None:
    async with FilePages(tmp_path / "pages", min_free_bytes=2**62) as store:
        with pytest.raises(TargetError, match="min_free_bytes"):
            await store.save([page("https://a.example/x")])


async def test_many_files_are_warned_of_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with FilePages(tmp_path / "pages", many_files=3) as store:
        for _ in range(4):
            await store.save([page("https://a.example/1"), page("https://a.example/2")])
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "pages=warc" in caplog.text


async def test_no_pages_has_no_place_for_any() -> None:
    store = NoPages()
    pages = [page("https://a.example/"), page("https://b.example/")]
    assert [place.file for place in await store.save(pages)] == ["", ""]
    await store.aclose()


def test_an_index_line_says_what_a_user_needs() -> None:
    html = page("https://a.example/a", b"<p>", final="https://a.example/b")
    assert msgspec.json.decode(index_line(html, Place("pages/a.example+/b+.html"), at=0.5)) == {
        "url": "https://a.example/a",
        "status": 200,
        "type": "text/html",
        "bytes": 3,
        "depth": 0,
        "seconds": 0.123,
        "fetched": "1970-01-01T00:00:00.500000Z",
        "final": "https://a.example/b",
        "file": "pages/a.example+/b+.html",
        "encoding": html.encoding,
    }


def test_an_index_line_leaves_out_what_there_is_not() -> None:
    image = page("https://a.example/", b"\0", mime="image/png")
    line = msgspec.json.decode(index_line(image, Place()))
    more = {"final", "file", "offset", "length", "same_as", "encoding", "parent"}
    more |= {"redirects", "method", "sent"}
    assert not more & line.keys()


def test_an_index_line_says_which_bytes_of_an_archive_a_page_is() -> None:
    place = Place("warc/x.warc.gz", 10, 20, same_as=Place("warc/x.warc.gz", 0, 9))
    line = msgspec.json.decode(index_line(page("https://a.example/"), place))
    assert (line["file"], line["offset"], line["length"]) == ("warc/x.warc.gz", 10, 20)
    assert line["same_as"] == {"file": "warc/x.warc.gz", "offset": 0, "length": 9}


def test_an_index_line_says_what_led_there_if_that_is_more_than_its_url() -> None:
    moved = page("https://a.example/a", final="https://a.example/c")
    moved.redirects = ("https://a.example/a",)
    assert "redirects" not in msgspec.json.decode(index_line(moved, Place()))
    moved.redirects = ("https://a.example/a", "https://a.example/b")
    assert msgspec.json.decode(index_line(moved, Place()))["redirects"] == list(moved.redirects)


def test_an_index_line_tells_answers_to_what_was_sent_apart() -> None:
    url = "https://a.example/"
    pages = [
        Response(url, request=Request(url, json=number), headers=page(url).headers)
        for number in range(2)
    ]
    found = [msgspec.json.decode(index_line(one, Place())) for one in pages]
    assert [line["method"] for line in found] == ["POST", "POST"]
    assert found[0]["sent"] != found[1]["sent"]


@pytest.mark.parametrize(
    ("mime", "encoding"),
    [("application/xml", "utf-8"), ("application/json; charset=latin-1", "windows-1252")]
    + [("application/json", None), ("image/png", None)],
)
def test_an_index_line_has_the_encoding_of_text(mime: str, encoding: str | None) -> None:
    line = msgspec.json.decode(index_line(page("https://a.example/", mime=mime), Place()))
    assert line.get("encoding") == encoding


def test_a_failure_line_says_what_failed_how_and_whence() -> None:
    request = Request("https://a.example/x?\u2028", parent="https://a.example/", form={"a": "b"})
    line = failure_line(Failure(request, "status", 'said\n"no"', status=503), at=1.0)
    assert b"\n" not in line
    assert msgspec.json.decode(line) == {
        "url": request.url,
        "kind": "status",
        "reason": 'said\n"no"',
        "attempts": 1,
        "callback": "parse",
        "depth": 0,
        "time": "1970-01-01T00:00:01Z",
        "status": 503,
        "method": "POST",
        "parent": "https://a.example/",
    }
