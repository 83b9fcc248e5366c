import asyncio
import json
from pathlib import Path

import msgspec
import pytest

from crawler.errors import TargetError
from crawler.export.spool import FileSpool
from crawler.outcome import Position
from tests.export.conftest import SizeLimit


def paths(folder: Path) -> dict[str, Path]:
    return {name: folder / f"{name}.jsonl" for name in ("items", "pages", "failures")}


async def test_lines_go_to_their_files_and_lengths_come_back(tmp_path: Path) -> None:
    async with await FileSpool.open(paths(tmp_path)) as spool:
        await spool.append({"items": [b"{}", b"[1]"], "pages": [b'"p"']})
        position = await spool.append({"items": [b"2"], "pages": [], "failures": []})
    assert (tmp_path / "items.jsonl").read_bytes() == b"{}\n[1]\n2\n"
    assert position == {"items": 9, "pages": 4, "failures": 0}
    assert position == {name: path.stat().st_size for name, path in paths(tmp_path).items()}


async def test_a_kill_at_any_byte_of_a_batch_leaves_what_was_committed(tmp_path: Path) -> None:
    async with await FileSpool.open(paths(tmp_path)) as spool:
        committed = await spool.append({"items": [b'{"n":1}'], "pages": [b'{"p":1}']})
        after = await spool.append({"items": [b'{"n":"\xe2\x80\xa8"}'], "pages": [b'{"p":2}']})
    items, pages = (tmp_path / f"{name}.jsonl" for name in ("items", "pages"))
    torn_items, torn_pages = items.read_bytes(), pages.read_bytes()
    for end in range(committed["items"], after["items"] + 1):
        items.write_bytes(torn_items[:end])
        pages.write_bytes(torn_pages[: committed["pages"] + end % 9])
        async with await FileSpool.open(paths(tmp_path), position=committed) as spool:
            assert spool.position == committed
            await spool.append({"items": [b'{"n":3}']})
        assert items.read_bytes() == b'{"n":1}\n{"n":3}\n'
        assert pages.read_bytes() == b'{"p":1}\n'


async def test_a_file_shorter_than_its_position_is_an_error_and_no_file_is_cut(
    tmp_path: Path,
) -> None:
    (tmp_path / "items.jsonl").write_bytes(b"123456789\n")
    (tmp_path / "pages.jsonl").write_bytes(b"12\n")
    position = {"items": 5, "pages": 1234}
    with pytest.raises(TargetError, match=r"pages\.jsonl: 1,234 bytes were committed.* has 3"):
        await FileSpool.open(paths(tmp_path), position=position)
    assert (tmp_path / "items.jsonl").read_bytes() == b"123456789\n"


async def test_a_full_disk_cuts_every_file_back_and_the_same_batch_fits_later(
    tmp_path: Path, size_limit: SizeLimit
) -> None:
    batch = {"failures": [b"1"], "items": [b"x" * 60, b"y" * 60], "pages": [b"2"]}
    async with await FileSpool.open(paths(tmp_path)) as spool:
        before = await spool.append({"items": [b"first"], "failures": [b"0"]})
        with size_limit(100):
            for _ in range(2):
                with pytest.raises(TargetError, match=r"items\.jsonl: the file may not grow"):
                    await spool.append(batch)
            assert (tmp_path / "items.jsonl").read_bytes() == b"first\n"
            assert (tmp_path / "failures.jsonl").read_bytes() == b"0\n"
            assert spool.position == before
        await spool.append(batch)
    assert (tmp_path / "items.jsonl").read_bytes() == b"first\n%s\n%s\n" % (b"x" * 60, b"y" * 60)
    assert (tmp_path / "failures.jsonl").read_bytes() == b"0\n1\n"


async def test_a_disk_with_less_than_the_free_bytes_to_keep_takes_no_batch(tmp_path: Path) -> None:
    async with await FileSpool.open(paths(tmp_path), min_free_bytes=2**62) as spool:
        with pytest.raises(TargetError, match="min_free_bytes keeps"):
            await spool.append({"items": [b"1"]})
    assert (tmp_path / "items.jsonl").read_bytes() == b""


async def test_a_raw_newline_inside_an_items_json_does_not_make_two_lines(tmp_path: Path) -> None:
    item = msgspec.json.encode({"a": msgspec.Raw(b"[1,\n2]\n"), "b": "\n\r\u2028"})
    async with await FileSpool.open(paths(tmp_path)) as spool:
        await spool.append({"items": [item, b"2"]})
    lines = (tmp_path / "items.jsonl").read_bytes().splitlines()
    assert [msgspec.json.decode(line) for line in lines] == [{"a": [1, 2], "b": "\n\r\u2028"}, 2]


async def test_an_appended_file_without_a_last_newline_gets_one(tmp_path: Path) -> None:
    (tmp_path / "items.jsonl").write_bytes(b'{"old":1}')
    async with await FileSpool.open(paths(tmp_path), position={"items": 9}) as spool:
        assert spool.position["items"] == 10
        await spool.append({"items": [b"2"]})
    assert (tmp_path / "items.jsonl").read_bytes() == b'{"old":1}\n2\n'


async def test_a_cancelled_append_does_not_mix_with_the_next_one(tmp_path: Path) -> None:
    async with await FileSpool.open(paths(tmp_path)) as spool:
        first = asyncio.create_task(spool.append({"items": [b"a" * 1_000_000]}))
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        await spool.append({"items": [b"b"]})
    kept = (tmp_path / "items.jsonl").read_bytes().split()
    assert kept in ([b"a" * 1_000_000, b"b"], [b"b"])


async def test_closing_leaves_lines_whose_commit_was_not_heard_of(tmp_path: Path) -> None:
    async with await FileSpool.open(paths(tmp_path)) as spool:
        position: Position = await spool.append({"items": [b"1"]})
        await spool.aclose()
    assert (tmp_path / "items.jsonl").stat().st_size == position["items"]


async def test_what_some_take_for_the_end_of_a_line_is_escaped(tmp_path: Path) -> None:
    text = "a\x85b\u2028c\u2029d\x9b«é»\u2019\x0b\n"
    path = tmp_path / "items.jsonl"
    async with await FileSpool.open({"items": path}) as spool:
        line = msgspec.json.encode({"t": text, text: 1})
        position = await spool.append({"items": [line, b'{"plain":"ascii"}']})
    lines = path.read_text().splitlines()
    assert [json.loads(line) for line in lines] == [{"t": text, text: 1}, {"plain": "ascii"}]
    assert position == {"items": path.stat().st_size}
