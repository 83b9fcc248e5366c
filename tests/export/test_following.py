import logging
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.errors import TargetError
from crawler.export.following import Following
from crawler.export.spool import FileSpool


class Ear:
    """Hears lines; fails at the line `bad`, with `error`."""

    def __init__(self, *, bad: bytes | None = None, error: Exception | None = None) -> None:
        self.lines: list[bytes] = []
        self.cursors: list[int] = []
        self.closed = 0
        self._bad = bad
        self._error = error

    async def follow(self, lines: Sequence[bytes], cursor: int) -> None:
        if self._bad in lines and self._error:
            raise self._error
        self.lines += lines
        self.cursors.append(cursor)

    async def aclose(self) -> None:
        self.closed += 1


def source(folder: Path, data: bytes) -> Path:
    path = folder / "items.jsonl"
    path.write_bytes(data)
    return path


async def test_only_committed_lines_are_carried(tmp_path: Path) -> None:
    ear = Ear()
    following = Following(ear, target="x", source=source(tmp_path, b"1\n2\n3\nhalf"))
    following.advance(4)
    await following.aclose()
    assert ear.lines == [b"1", b"2"]
    assert ear.cursors == [4]
    assert ear.closed == 1


@given(
    lines=st.lists(st.binary(max_size=40).map(lambda b: b.replace(b"\n", b"\xe2\x80\xa8"))),
    chunk=st.integers(1, 50),
    start=st.integers(0, 5),
)
@settings(max_examples=40, deadline=None)
async def test_chunks_of_any_size_carry_every_line_once_and_whole(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], chunk: int, start: int
) -> None:
    ends = [0]
    for line in lines:
        ends.append(ends[-1] + len(line) + 1)
    start = min(start, len(lines))
    path = source(tmp_path_factory.mktemp("chunks"), b"".join(line + b"\n" for line in lines))
    ear = Ear()
    following = Following(ear, target="x", source=path, cursor=ends[start], chunk_bytes=chunk)
    following.advance(ends[-1])
    await following.aclose()
    assert ear.lines == lines[start:]
    assert all(cursor in ends for cursor in ear.cursors)
    assert following.cursor == ends[-1]


async def test_a_target_that_fails_stops_alone_and_is_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    good, bad = Ear(), Ear(bad=b"2", error=OSError(28, "No space left on device"))
    async with await FileSpool.open({"items": tmp_path / "items.jsonl"}) as spool:
        followings = [
            Following(ear, target=f"{name}.csv", source=tmp_path / "items.jsonl")
            for name, ear in (("bad", bad), ("good", good))
        ]
        for following in followings:
            spool.follow(following)
        with caplog.at_level(logging.ERROR):
            for line in (b"1", b"2", b"3"):
                await spool.committed(await spool.append({"items": [line]}), [])
    assert good.lines == [b"1", b"2", b"3"]
    assert str(followings[0].error) == "bad.csv: no space left on the disk"
    assert followings[1].error is None
    assert [record.getMessage() for record in caplog.records] == [
        "an output stopped, the crawl goes on: bad.csv: no space left on the disk"
    ]
    assert (good.closed, bad.closed) == (1, 1)


async def test_a_spool_that_lost_committed_lines_stops_the_follower(tmp_path: Path) -> None:
    following = Following(Ear(), target="x", source=source(tmp_path, b"1\n"))
    following.advance(500)
    await following.aclose()
    assert isinstance(following.error, TargetError)
    assert "items.jsonl: no whole line at byte 2" in str(following.error)


async def test_a_bug_in_a_follower_comes_out_and_everything_is_closed(tmp_path: Path) -> None:
    ear = Ear(bad=b"1", error=ZeroDivisionError("a bug"))
    spool = await FileSpool.open({"items": tmp_path / "items.jsonl"})
    spool.follow(Following(ear, target="x", source=tmp_path / "items.jsonl"))
    await spool.committed(await spool.append({"items": [b"1"]}), [])
    with pytest.raises(ZeroDivisionError):
        await spool.aclose()
    await spool.aclose()
    assert ear.closed == 1


async def test_a_position_without_the_followed_file_changes_nothing(tmp_path: Path) -> None:
    ear = Ear()
    async with await FileSpool.open({"items": tmp_path / "items.jsonl"}) as spool:
        spool.follow(Following(ear, target="x", source=tmp_path / "items.jsonl"))
        await spool.append({"items": [b"1"]})
        await spool.committed({}, [])
    assert ear.lines == []


async def test_a_position_heard_late_takes_nothing_back(tmp_path: Path) -> None:
    ear = Ear()
    following = Following(ear, target="x", source=source(tmp_path, b"1\n2\n"))
    following.advance(4)
    following.advance(0)
    await following.aclose()
    assert ear.lines == [b"1", b"2"]
