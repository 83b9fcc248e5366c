import os
import threading
from pathlib import Path

import pytest

from crawler.export.following import Following
from crawler.export.standard_output import StandardOutput
from crawler.outcome import Mark
from crawler.protocols import Follower


async def test_standard_output_gets_every_line_through_a_slow_full_pipe() -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    data: list[bytes] = []

    def read() -> None:
        while some := os.read(reading, 1000):
            data.append(some)

    reader = threading.Thread(target=read)
    reader.start()
    output = StandardOutput(Mark(0), fd=writing)
    await output.follow([b"x" * 300_000, b"y"], 300_003)
    await output.aclose()
    os.close(writing)
    reader.join()
    os.close(reading)
    assert b"".join(data) == b"x" * 300_000 + b"\ny\n"


async def test_a_reader_that_went_away_stops_standard_output(tmp_path: Path) -> None:
    (tmp_path / "items.jsonl").write_bytes(b"1\n")
    reading, writing = os.pipe()
    os.close(reading)

    async def opener(mark: Mark | None) -> Follower:
        return StandardOutput(mark or Mark(0), fd=writing)

    source = tmp_path / "items.jsonl"
    following = Following(opener, target="standard output", source=source, pause=0)
    following.advance(2)
    await following.aclose()
    os.close(writing)
    assert str(following.error) == "standard output: nobody reads it any more"


async def test_the_real_standard_output_is_written(capfd: pytest.CaptureFixture[str]) -> None:
    output = StandardOutput(Mark(0))
    await output.follow(['{"a":"\u2028"}'.encode()], 10)
    await output.aclose()
    assert capfd.readouterr().out == '{"a":"\u2028"}\n'
