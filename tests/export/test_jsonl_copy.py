import os
import threading
from pathlib import Path

import pytest

from crawler.export.following import Following
from crawler.export.jsonl_copy import JsonlCopy, StandardOutput
from crawler.records.streams import streams_of

STREAMS = streams_of([])


async def test_a_copy_has_the_same_lines(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(b"earlier\n")
    copy = await JsonlCopy.open(path, streams=STREAMS, kept={})
    await copy.follow([b"1", b"2"], 4)
    await copy.follow([b"3"], 6)
    await copy.aclose()
    assert path.read_bytes() == b"1\n2\n3\n"


async def test_append_keeps_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(b"old")
    kept = JsonlCopy.keep(path, STREAMS)
    for _ in range(2):
        copy = await JsonlCopy.open(path, streams=STREAMS, kept=kept)
        await copy.follow([b"1"], 2)
        await copy.aclose()
    assert path.read_bytes() == b"old\n1\n"


async def test_standard_output_gets_every_line_through_a_slow_full_pipe() -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    data: list[bytes] = []

    def read() -> None:
        while some := os.read(reading, 1000):
            data.append(some)

    reader = threading.Thread(target=read)
    reader.start()
    output = StandardOutput(writing)
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
    following = Following(
        StandardOutput(writing), target="standard output", source=tmp_path / "items.jsonl"
    )
    following.advance(2)
    await following.aclose()
    os.close(writing)
    assert str(following.error) == "standard output: nobody reads it any more"


async def test_the_real_standard_output_is_written(capfd: pytest.CaptureFixture[str]) -> None:
    output = await StandardOutput.open(Path("-"), streams=STREAMS, kept={})
    await output.follow(['{"a":"\u2028"}'.encode()], 10)
    await output.aclose()
    assert capfd.readouterr().out == '{"a":"\u2028"}\n'
