"""What every format of files keeps to: one suite over all of them."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from crawler.errors import OutputError, TargetError
from crawler.export.formats import FORMATS, Writer
from crawler.export.sheet import Sheet, Stale
from crawler.export.targets import plan
from crawler.records.streams import streams_of
from tests.export.conftest import SizeLimit
from tests.export.readers import read

EVERY = pytest.mark.parametrize("suffix", FORMATS)
PACKED = pytest.mark.parametrize("suffix", [name for name in FORMATS if name.count(".") == 2])


def opened(path: Path, *, kept: int = 0, state: bytes | None = None) -> Writer:
    return FORMATS[path.name.removeprefix("x")].open(Sheet(path, kept=kept, state=state))


def add(writer: Writer, *numbers: int, text: str = "a,\"b\r\n</é>'") -> bytes:
    """Write an item for each number; return the state after that."""
    writer.write([msgspec.json.encode({"n": number, "t": text}) for number in numbers])
    return writer.flush()


def numbers(path: Path) -> list[int]:
    return [int(row["n"]) for row in read(path)]


@EVERY
def test_a_file_is_whole_before_the_first_item_and_after_each_flush(
    tmp_path: Path, suffix: str
) -> None:
    path = tmp_path / f"x{suffix}"
    writer = opened(path)
    writer.flush()
    assert read(path) == []
    for count in range(1, 4):
        add(writer, count)
        assert numbers(path) == list(range(1, count + 1))
        assert read(path)[0]["t"] == "a,\"b\r\n</é>'"
    writer.close()


@EVERY
def test_opened_with_a_state_it_goes_on_from_there_whatever_was_written_since(
    tmp_path: Path, suffix: str
) -> None:
    path = tmp_path / f"x{suffix}"
    writer = opened(path)
    state = add(writer, 1, 2)
    then = path.read_bytes()
    add(writer, 3)
    add(writer, 4, text="x" * 5_000)
    writer.write([b'{"n":5,"t":""}'])
    writer.close()
    for number in (6, 7):
        writer = opened(path, state=state)
        assert numbers(path) == [1, 2]
        assert path.read_bytes() == then
        add(writer, number)
        assert numbers(path) == [1, 2, number]
        writer.close()


@EVERY
def test_a_state_of_a_file_without_items_is_gone_on_from(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"x{suffix}"
    writer = opened(path)
    state = writer.flush()
    writer.close()
    writer = opened(path, state=state)
    add(writer, 1)
    writer.close()
    assert numbers(path) == [1]


@EVERY
@pytest.mark.parametrize("harm", ["cut", "edited", "gone"])
def test_a_file_that_is_not_as_it_was_is_stale(tmp_path: Path, suffix: str, harm: str) -> None:
    path = tmp_path / f"x{suffix}"
    writer = opened(path)
    state = add(writer, 1, 2, 3)
    writer.close()
    data = path.read_bytes()
    if harm == "cut":
        path.write_bytes(data[: len(data) // 2])
    elif harm == "edited":
        path.write_bytes(data[:20] + bytes([data[20] ^ 1]) + data[21:])
    else:
        path.unlink()
    with pytest.raises(Stale):
        opened(path, state=state)
    writer = opened(path)  # what is stale is written anew
    add(writer, 4)
    writer.close()
    assert numbers(path) == [4]


@EVERY
def test_a_full_disk_leaves_the_file_as_it_was_and_is_gone_on_from(
    tmp_path: Path, suffix: str, size_limit: SizeLimit
) -> None:
    path = tmp_path / f"x{suffix}"
    writer = opened(path)
    state = add(writer, 1)
    noise = "".join(chr(0x4E00 + n * n * 7919 % 20_000) for n in range(4_000))
    with size_limit(path.stat().st_size + 500), pytest.raises(TargetError, match="may not grow"):
        add(writer, 2, text=noise)
    assert numbers(path) == [1]
    writer.close()
    writer = opened(path, state=state)
    add(writer, 2, text=noise)
    writer.close()
    assert numbers(path) == [1, 2]
    assert [found.name for found in tmp_path.iterdir()] == [path.name]


@EVERY
def test_the_same_items_make_the_same_bytes(tmp_path: Path, suffix: str) -> None:
    found = set()
    for folder in ("a", "b"):
        path = tmp_path / folder / f"x{suffix}"
        path.parent.mkdir()
        writer = opened(path)
        add(writer, 1, 2)
        add(writer, 3)
        writer.close()
        found.add(path.read_bytes())
    assert len(found) == 1


def kept(path: Path) -> int:
    measure = FORMATS[path.name.removeprefix("x")].kept
    assert measure is not None
    return measure(path, Sheet(path))


APPENDED = [suffix for suffix in FORMATS if suffix != ".parquet"]


@pytest.mark.parametrize("suffix", APPENDED)
@pytest.mark.parametrize("before", [(), (1, 2)])
def test_append_adds_to_what_we_wrote_and_a_rerun_keeps_only_what_was_before(
    tmp_path: Path, suffix: str, before: Sequence[int]
) -> None:
    path = tmp_path / f"x{suffix}"
    writer = opened(path)
    if before:
        add(writer, *before)
    writer.close()
    size = kept(path)
    if suffix == ".csv" and not before:
        assert size == 0
    for number in (3, 4):
        writer = opened(path, kept=size)
        add(writer, number)
        writer.close()
        assert numbers(path) == [*before, number]


@PACKED
@pytest.mark.parametrize("harm", ["text", "cut"])
def test_append_refuses_what_is_not_compressed_as_its_name_says(
    tmp_path: Path, suffix: str, harm: str
) -> None:
    path = tmp_path / f"x{suffix}"
    writer = opened(path)
    add(writer, 1)
    writer.close()
    path.write_bytes(b'{"a":1}\n' if harm == "text" else path.read_bytes()[:-3])
    with pytest.raises(OutputError, match="--append"):
        kept(path)


def test_a_line_that_another_program_left_open_is_ended_inside_the_compression(
    tmp_path: Path,
) -> None:
    import gzip

    path = tmp_path / "x.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"n":1}\n{"n":2}'))
    writer = opened(path, kept=kept(path))
    add(writer, 3)
    writer.close()
    assert numbers(path) == [1, 2, 3]
    path = tmp_path / "x.json.gz"
    path.write_bytes(gzip.compress(b'[{"n":1}]'))
    with pytest.raises(OutputError, match="--append needs a file that crawl wrote"):
        kept(path)


@PACKED
def test_what_is_written_is_compressed_piece_by_piece(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"x{suffix}"
    writer = opened(path)
    empty = path.stat().st_size
    for number in range(60):
        writer.write([b'{"n":%d,"t":"%s"}' % (number, b"x" * 100_000)])
    assert path.stat().st_size > empty  # not all of it is held back
    writer.flush()
    assert path.stat().st_size < 100_000
    writer.close()
    assert numbers(path) == list(range(60))


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".csv.zst"])
def test_a_new_key_makes_a_column_also_where_the_table_is_compressed(
    tmp_path: Path, suffix: str
) -> None:
    path = tmp_path / f"x{suffix}"
    writer = opened(path)
    writer.write([b'{"a":"1\\r\\n2"}'])
    writer.flush()
    writer.write([b'{"a":"3","b":4}'])
    state = writer.flush()
    writer.write([b'{"c":5}'])
    writer.close()
    assert [row["a"] for row in read(path)][:2] == ["1\r\n2", "3"]
    with pytest.raises(Stale):  # the file was rewritten since
        opened(path, state=state)
    writer = opened(path)
    writer.write([b'{"a":"1"}'])
    writer.write([b'{"c":5}'])
    writer.flush()
    writer.close()
    assert read(path) == [{"a": "1", "c": ""}, {"a": "", "c": "5"}]


@EVERY
@pytest.mark.parametrize("line", [b"not json", b"[1]"])
def test_a_line_that_is_no_object_stops_tables_and_xml(
    tmp_path: Path, suffix: str, line: bytes
) -> None:
    if suffix.startswith(".json"):
        return
    writer = opened(tmp_path / f"x{suffix}")
    with pytest.raises(TargetError, match="no item that fits"):
        writer.write([line])
    writer.close()


@pytest.mark.parametrize("ending", [".gz", ".zst"])
def test_parquet_is_not_compressed_twice(ending: str) -> None:
    with pytest.raises(OutputError, match=rf"\.parquet is compressed already; leave {ending} out"):
        plan([f"x.parquet{ending}"], streams=streams_of([]))


def test_a_format_whose_package_is_missing_says_so_before_anything_is_crawled() -> None:
    script = (
        "import sys; sys.modules['pyarrow'] = None\n"
        "from crawler.export.targets import plan\n"
        "from crawler.records.streams import streams_of\n"
        "plan(['x.parquet'], streams=streams_of([]))"
    )
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    said = done.stderr.splitlines()[-1]
    assert said.endswith("x.parquet needs an extra: pip install 'crawlkeeper[parquet]'")


def test_parquet_cannot_be_appended_to_but_parts_can(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    writer = opened(path)
    add(writer, 1)
    writer.close()
    with pytest.raises(OutputError, match=r"\.parquet files cannot be added to; {part} makes more"):
        plan([str(path)], streams=streams_of([]), append=True)
    assert json.dumps(numbers(path)) == "[1]"


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".parquet"])
def test_a_file_of_the_longest_name_gets_new_columns_too(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / ("n" * (255 - len(suffix)) + suffix)
    writer = FORMATS[suffix].open(Sheet(path))
    writer.write([b'{"a":1}'])
    writer.write([b'{"b":2}'])
    writer.flush()
    writer.close()
    assert len(read(path)) == 2
    assert [found.name for found in tmp_path.iterdir()] == [path.name]
