import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.errors import TargetError, TargetUnfit
from crawler.export.following import Following
from crawler.export.spool import FileSpool
from crawler.outcome import Mark


class Ear:
    """Hears lines; fails at the line `bad`, with `error`."""

    def __init__(
        self, *, bad: bytes | None = None, error: Exception | None = None, start: int = 0
    ) -> None:
        self.lines: list[bytes] = []
        self.cursors: list[int] = []
        self.mark = Mark(start)
        self.finished = self.closed = 0
        self._bad = bad
        self._error = error

    async def opener(self, mark: Mark | None) -> "Ear":
        self.mark = mark or self.mark
        return self

    async def follow(self, lines: Sequence[bytes], cursor: int) -> None:
        if self._bad in lines and self._error:
            raise self._error
        self.lines += lines
        self.cursors.append(cursor)
        self.mark = Mark(cursor)

    async def flush(self) -> None: ...

    async def finish(self) -> None:
        self.finished += 1

    async def aclose(self) -> None:
        self.closed += 1


def source(folder: Path, data: bytes) -> Path:
    path = folder / "items.jsonl"
    path.write_bytes(data)
    return path


async def test_only_committed_lines_are_carried(tmp_path: Path) -> None:
    ear = Ear()
    following = Following(ear.opener, target="x", source=source(tmp_path, b"1\n2\n3\nhalf"))
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
    ear = Ear(start=ends[start])
    following = Following(ear.opener, target="x", source=path, chunk_bytes=chunk)
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
            Following(ear.opener, target=f"{name}.csv", source=tmp_path / "items.jsonl", pause=0)
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
        "an output stopped, and is behind: bad.csv: no space left on the disk"
    ]
    assert (good.closed, bad.closed) == (1, 1)


async def test_a_spool_that_lost_committed_lines_stops_the_follower(tmp_path: Path) -> None:
    following = Following(Ear().opener, target="x", source=source(tmp_path, b"1\n"))
    following.advance(500)
    await following.aclose()
    assert isinstance(following.error, TargetError)
    assert "items.jsonl: no whole line at byte 2" in str(following.error)


async def test_a_bug_in_a_follower_comes_out_and_everything_is_closed(tmp_path: Path) -> None:
    ear = Ear(bad=b"1", error=ZeroDivisionError("a bug"))
    spool = await FileSpool.open({"items": tmp_path / "items.jsonl"})
    spool.follow(Following(ear.opener, target="x", source=tmp_path / "items.jsonl"))
    await spool.committed(await spool.append({"items": [b"1"]}), [])
    with pytest.raises(ZeroDivisionError):
        await spool.aclose()
    await spool.aclose()
    assert ear.closed == 1


async def test_a_position_without_the_followed_file_changes_nothing(tmp_path: Path) -> None:
    ear = Ear()
    async with await FileSpool.open({"items": tmp_path / "items.jsonl"}) as spool:
        spool.follow(Following(ear.opener, target="x", source=tmp_path / "items.jsonl"))
        await spool.append({"items": [b"1"]})
        await spool.committed({}, [])
    assert ear.lines == []


async def test_a_position_heard_late_takes_nothing_back(tmp_path: Path) -> None:
    ear = Ear()
    following = Following(ear.opener, target="x", source=source(tmp_path, b"1\n2\n"))
    following.advance(4)
    following.advance(0)
    await following.aclose()
    assert ear.lines == [b"1", b"2"]


class Flaky(Ear):
    """A target that goes away at its first line, and is not there until opened `down` times."""

    def __init__(self, *, down: int) -> None:
        super().__init__()
        self.down = down
        self.opened = 0
        self.has_lines = asyncio.Event()

    async def opener(self, mark: Mark | None) -> "Ear":
        self.opened += 1
        if 1 < self.opened <= self.down:
            raise TargetError("x: is down")
        return await super().opener(mark)

    async def follow(self, lines: Sequence[bytes], cursor: int) -> None:
        if self.down and self.opened == 1:
            raise TargetError("x: went away")
        await super().follow(lines, cursor)
        self.has_lines.set()


async def test_a_target_that_was_down_catches_up_by_itself(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    flaky = Flaky(down=3)
    following = Following(
        flaky.opener, target="x", source=source(tmp_path, b"1\n2\n3\n"), pause=0.001
    )
    await following.open()
    following.advance(2)
    await flaky.has_lines.wait()
    following.advance(6)
    await following.aclose()
    assert flaky.lines == [b"1", b"2", b"3"]
    assert following.error is None
    assert [record.getMessage() for record in caplog.records] == [
        "x: went away; it is tried again, the crawl goes on",
        "x: is there again, and catches up",
    ]


async def test_at_the_end_a_target_gets_one_more_pause(tmp_path: Path) -> None:
    for down, error in ((1, None), (2, "x: is down")):
        flaky = Flaky(down=down)
        path = source(tmp_path, b"1\n")
        following = Following(flaky.opener, target="x", source=path, pause=0.001)
        await following.open()
        following.advance(2)
        await following.aclose()
        assert (following.error and str(following.error)) == error


async def test_who_is_in_a_hurry_waits_for_no_target(tmp_path: Path) -> None:
    flaky = Flaky(down=9)
    following = Following(flaky.opener, target="x", source=source(tmp_path, b"1\n"), pause=3600)
    await following.open()
    following.advance(2)
    closing = asyncio.create_task(following.aclose())
    await asyncio.sleep(0)
    following.hurry()
    await closing
    assert str(following.error) in ("x: went away", "x: is down")


async def test_what_a_target_cannot_take_is_not_tried_again(tmp_path: Path) -> None:
    ear = Ear(bad=b"1", error=TargetUnfit("x: has no such column"))
    following = Following(ear.opener, target="x", source=source(tmp_path, b"1\n"), pause=3600)
    following.advance(2)
    await following.aclose()
    assert str(following.error) == "x: has no such column"


class Slow(Ear):
    """A target that holds lines back until it is flushed."""

    flushed = 0

    async def follow(self, lines: Sequence[bytes], cursor: int) -> None:
        self.lines += lines
        self.cursors.append(cursor)

    async def flush(self) -> None:
        self.flushed += 1
        self.mark = Mark(self.cursors[-1])

    async def finish(self) -> None:
        await self.flush()


async def test_what_is_held_back_is_flushed_when_it_ends(tmp_path: Path) -> None:
    slow = Slow()
    following = Following(slow.opener, target="x", source=source(tmp_path, b"1\n2\n"))
    following.advance(2)
    await asyncio.sleep(0.01)
    assert (slow.flushed, following.mark) == (0, Mark(0))
    following.advance(4)
    await following.aclose()
    assert (slow.lines, following.mark) == ([b"1", b"2"], Mark(4))


async def test_an_outage_may_last_as_long_as_it_will(tmp_path: Path) -> None:
    flaky = Flaky(down=1100)  # after so many doublings a pause would be no float
    following = Following(flaky.opener, target="x", source=source(tmp_path, b"1\n"), pause=1e-9)
    await following.open()
    following.advance(2)
    async with asyncio.timeout(20):
        await flaky.has_lines.wait()
    await following.aclose()
    assert (flaky.lines, following.error) == ([b"1"], None)


async def test_a_target_that_is_down_when_its_run_goes_on_is_waited_for(tmp_path: Path) -> None:
    flaky = Flaky(down=3)
    flaky.opened = 1
    path = source(tmp_path, b"1\n2\n")
    following = Following(flaky.opener, target="x", source=path, mark=Mark(2), pause=0.001)
    await following.open()
    following.advance(2)
    flaky.mark = Mark(2)
    following.advance(4)
    await flaky.has_lines.wait()
    await following.aclose()
    assert (flaky.opened, flaky.lines, following.error) == (4, [b"2"], None)


async def test_a_target_that_was_never_there_is_a_mistake(tmp_path: Path) -> None:
    flaky = Flaky(down=3)
    flaky.opened = 1
    following = Following(flaky.opener, target="x", source=source(tmp_path, b"1\n"))
    with pytest.raises(TargetError, match="x: is down"):
        await following.open()
    await following.let_go()
