import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.errors import TargetError, TargetUnfit
from crawler.export.file_target import FileTarget
from crawler.export.formats import FORMATS
from crawler.export.route import Place
from crawler.export.sheet import Sheet
from crawler.items import Item
from crawler.outcome import Mark
from crawler.records.streams import Streams, streams_of
from crawler.settings import Settings


class Book(Item):
    title: str


class Author(Item):
    name: str


ONE, TWO = streams_of([Book]), streams_of([Book, Author])


async def opened(
    path: Path | str, streams: Streams = ONE, *, mark: Mark | None = None, **options: Any
) -> FileTarget:
    suffix = "." + str(path).rpartition(".")[2]
    place = Place(str(path), FORMATS[suffix], Sheet(Path(), settings=Settings(**options)))
    return await FileTarget.open(place, streams, begin=100, mark=mark)


def books(*titles: str) -> list[bytes]:
    return [b'{"title":"%s"}' % title.encode() for title in titles]


def held(folder: Path) -> dict[str, int]:
    """Return how many lines each file of a folder has."""
    return {path.name: path.read_bytes().count(b"\n") for path in sorted(folder.iterdir())}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("x.jsonl", '{"title":"a"}\n{"title":"b"}\n{"title":"d"}\n'),
        ("x.json", '[\n{"title":"a"},\n{"title":"b"},\n{"title":"d"}\n]\n'),
        ("x.csv", "title\r\na\r\nb\r\nd\r\n"),
    ],
)
async def test_what_is_not_flushed_is_cut_off_and_written_again(
    tmp_path: Path, name: str, text: str
) -> None:
    target = await opened(tmp_path / name)
    assert target.mark == Mark(100)
    await target.follow(books("a", "b"), 130)
    await target.flush()
    mark = target.mark
    assert mark.cursor == 130
    await target.follow(books("c"), 145)
    assert target.mark == mark
    await target.aclose()  # as if it had been killed
    target = await opened(tmp_path / name, mark=mark)
    assert target.mark == mark
    await target.follow(books("d"), 145)
    await target.finish()
    await target.aclose()
    assert (tmp_path / name).read_bytes().decode() == text


@pytest.mark.parametrize("name", ["x.jsonl", "x.json", "x.csv"])
async def test_a_file_that_is_not_as_it_was_is_written_anew(tmp_path: Path, name: str) -> None:
    target = await opened(tmp_path / name)
    await target.follow(books("a"), 115)
    await target.flush()
    mark = target.mark
    await target.aclose()
    spoilers: list[Callable[[Path], object]] = [lambda p: p.write_text("edited"), Path.unlink]
    for spoil in spoilers:
        spoil(tmp_path / name)
        again = await opened(tmp_path / name, mark=mark)
        assert again.mark == Mark(100)
        await again.aclose()


async def test_a_table_that_grew_a_column_since_is_written_anew(tmp_path: Path) -> None:
    streams, path = streams_of([]), tmp_path / "x.csv"
    target = await opened(path, streams)
    await target.follow([b'{"a":1}'], 110)
    await target.flush()
    mark = target.mark
    await target.follow([b'{"b":1}'], 120)
    await target.aclose()
    again = await opened(path, streams, mark=mark)
    assert again.mark == Mark(100)
    await again.follow([b'{"a":1}', b'{"b":1}'], 120)
    await again.aclose()
    assert path.read_text().split() == ["a,b", "1,", ",1"]


async def test_each_type_has_its_file_and_its_own_lines(tmp_path: Path) -> None:
    target = await opened(tmp_path / "{item}.jsonl", TWO)
    lines = [b'{"_type":"author","name":"A"}', b'{"_type":"book","title":"B"}']
    await target.follow(lines, 160)
    with pytest.raises(TargetUnfit, match="no file for items of type 'song'"):
        await target.follow([b'{"_type":"song","name":"A"}'], 200)
    await target.aclose()
    assert (tmp_path / "author.jsonl").read_bytes() == b'{"name":"A"}\n'
    assert (tmp_path / "book.jsonl").read_bytes() == b'{"title":"B"}\n'


async def test_all_types_share_a_file_without_gap(tmp_path: Path) -> None:
    target = await opened(tmp_path / "x.json", TWO)
    await target.follow([b'{"_type":"author","name":"A"}', b'{"_type":"book","title":"B"}'], 160)
    await target.aclose()
    types = [item["_type"] for item in json.loads((tmp_path / "x.json").read_text())]
    assert types == ["author", "book"]


async def test_a_part_is_full_at_its_number_of_items(tmp_path: Path) -> None:
    target = await opened(tmp_path / "{part:02}.jsonl", part_items=2)
    assert held(tmp_path) == {}
    await target.follow(books("a", "b", "c", "d", "e"), 200)
    assert held(tmp_path) == {"01.jsonl": 2, "02.jsonl": 2, "03.jsonl": 1}
    await target.follow(books("f"), 220)
    await target.finish()
    await target.aclose()
    assert held(tmp_path) == {"01.jsonl": 2, "02.jsonl": 2, "03.jsonl": 2}


@given(
    sizes=st.lists(st.integers(1, 30), max_size=30),
    chunks=st.lists(st.integers(1, 7), min_size=1, max_size=8),
    most=st.none() | st.integers(1, 5),
    killed=st.integers(0, 8),
)
@settings(max_examples=60, deadline=None)
async def test_parts_are_the_same_however_the_lines_come_and_whatever_dies(
    tmp_path_factory: pytest.TempPathFactory,
    sizes: list[int],
    chunks: list[int],
    most: int | None,
    killed: int,
) -> None:
    lines = books(*("x" * size for size in sizes))
    options: dict[str, Any] = {"part_items": most, "part_bytes": 60}
    whole, pieces = tmp_path_factory.mktemp("whole"), tmp_path_factory.mktemp("pieces")
    target = await opened(whole / "{part}.jsonl", **options)
    await target.follow(lines, 100 + len(lines))
    await target.aclose()
    mark: Mark | None = None
    target = await opened(pieces / "{part}.jsonl", **options)
    for number, some in enumerate(_chunks(lines, chunks)):
        start = target.mark.cursor
        if number == killed:
            await target.follow(some, start + len(some))
            await target.aclose()
            target = await opened(pieces / "{part}.jsonl", mark=mark, **options)
            assert target.mark.cursor == start
        await target.follow(some, start + len(some))
        await target.flush()
        mark = target.mark
    await target.aclose()
    assert {path.name: path.read_bytes() for path in pieces.iterdir()} == {
        path.name: path.read_bytes() for path in whole.iterdir()
    }


def _chunks(lines: Sequence[bytes], sizes: Sequence[int]) -> list[Sequence[bytes]]:
    chunks: list[Sequence[bytes]] = []
    start = 0
    while start < len(lines):
        size = sizes[len(chunks) % len(sizes)]
        chunks.append(lines[start : start + size])
        start += size
    return chunks


async def test_a_folder_that_is_lost_is_said_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    target = await opened(tmp_path / "file" / "{part}.jsonl")
    with pytest.raises(TargetError, match="file exists"):
        await target.follow(books("a"), 120)
    await target.aclose()


async def test_full_parts_that_somebody_took_away_are_not_written_again(tmp_path: Path) -> None:
    name, lines = (
        tmp_path / "{item}-{part}.jsonl",
        [
            *(b'{"_type":"book","title":"%d"}' % number for number in range(5)),
            b'{"_type":"author","name":"A"}',
        ],
    )
    target = await opened(name, TWO, part_items=2)
    await target.follow(lines, 200)
    mark = target.mark
    assert mark.cursor == 200  # flushed with the parts that were full
    await target.aclose()
    for taken in ("book-1.jsonl", "book-2.jsonl", "book-3.jsonl"):  # the last one is not full
        (tmp_path / taken).unlink()
    target = await opened(name, TWO, part_items=2, mark=mark)
    assert target.mark == Mark(100)
    await target.follow(lines[:3], 150)
    await target.flush()
    mark = target.mark
    await target.aclose()
    target = await opened(name, TWO, part_items=2, mark=mark)
    assert target.mark == mark
    await target.follow(lines[3:], 200)
    await target.finish()
    await target.aclose()
    assert held(tmp_path) == {"author-1.jsonl": 1, "book-3.jsonl": 1}
    assert (tmp_path / "book-3.jsonl").read_bytes() == b'{"title":"4"}\n'


async def test_parts_behind_the_mark_leave_nothing_when_they_are_larger_now(tmp_path: Path) -> None:
    lines = books(*"abcdefgh")
    target = await opened(tmp_path / "{part}.jsonl", part_items=2)
    await target.follow(lines[:3], 103)
    mark = target.mark
    await target.follow(lines[3:], 108)
    await target.aclose()
    assert held(tmp_path) == {f"{number}.jsonl": 2 for number in range(1, 5)}
    target = await opened(tmp_path / "{part}.jsonl", part_items=6, mark=mark)
    await target.follow(lines[3:], 108)
    await target.aclose()
    assert held(tmp_path) == {"1.jsonl": 2, "2.jsonl": 6}


@pytest.mark.parametrize("name", ["x.jsonl", "x.json", "x.csv"])
async def test_a_file_that_is_touched_while_it_is_written_is_written_anew(
    tmp_path: Path, name: str
) -> None:
    spoilers: list[Callable[[Path], object]] = [
        Path.unlink,
        lambda path: path.rename(tmp_path / "elsewhere"),
        lambda path: path.write_text(""),
        lambda path: path.write_text(path.read_text() + "more"),
    ]
    for spoil in spoilers:
        target = await opened(tmp_path / name)
        await target.follow(books("a"), 115)
        spoil(tmp_path / name)
        with pytest.raises(TargetError, match=rf"{name}: was (changed|taken away) while it was"):
            await target.finish()
        await target.aclose()
        target = await opened(tmp_path / name, mark=target.mark)
        assert target.mark == Mark(100)
        await target.follow(books("a", "b"), 130)
        await target.finish()
        await target.aclose()
        assert (tmp_path / name).read_text().count("a") == 1
