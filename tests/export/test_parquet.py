import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pandas
import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.errors import TargetError
from crawler.export.columns import MOST_DEEP
from crawler.export.parquet import ParquetFile
from crawler.export.sheet import Sheet, Stale
from crawler.fields import Field
from crawler.items import Item, known_fields
from tests.export.conftest import SizeLimit
from tests.export.dying import dies_at
from tests.export.readers import duck, parquet
from tests.items.test_readable import NAUGHTY, VALUES


class Size(Item):
    wide: float
    high: float | None = None


class Everything(Item):
    yes: bool
    count: int
    price: float
    exact: Decimal
    words: str
    raw: bytes
    when: datetime
    day: date
    hour: time
    took: timedelta
    key: UUID
    tags: list[str]
    by_name: dict[str, int]
    size: Size | None
    sizes: list[Size]
    loose: Any


WHOLE = Everything(
    yes=True,
    count=2**62,
    price=1.5,
    exact=Decimal("-12345678901234567890.000000000000000001"),
    words="a\0b",
    raw=b"\xff\0",
    when=datetime(2024, 1, 2, 3, 4, 5, 678901, tzinfo=UTC),
    day=date(1, 1, 1),
    hour=time(23, 59, 59, 999999),
    took=timedelta(days=1, seconds=2),
    key=UUID(int=5),
    tags=["x", ""],
    by_name={"a": 1, "": 2},
    size=Size(wide=1.5),
    sizes=[Size(wide=2.5, high=3)],
    loose={"b": [1, "x"]},
)


def written(path: Path, *calls: Sequence[Any], kind: type | None = None) -> tuple[Field, ...]:
    """Write items, a flush after each call; return the fields that the file has in the end."""
    file = ParquetFile(Sheet(path, fields=known_fields(kind) if kind else None))
    for items in calls:
        file.write([msgspec.json.encode(item) for item in items])
        state = file.flush()
    file.close()
    return msgspec.convert(json.loads(state)["fields"], tuple[Field, ...])


def test_a_type_has_columns_of_its_types_and_pyarrow_gives_its_values(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    written(path, [WHOLE], kind=Everything)
    (row,) = parquet(path)
    assert row == {
        **msgspec.structs.asdict(WHOLE),
        "took": "P1DT2S",
        "by_name": [("a", 1), ("", 2)],
        "size": {"wide": 1.5, "high": None},
        "sizes": [{"wide": 2.5, "high": 3.0}],
        "loose": '{"b":[1,"x"]}',
    }


def test_duckdb_and_pandas_see_the_same_types(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    written(path, [WHOLE], kind=Everything)
    described = duck(f"DESCRIBE SELECT * FROM read_parquet('{path}')")
    assert {row[0]: row[1] for row in described} == {
        "yes": "BOOLEAN", "count": "BIGINT", "price": "DOUBLE", "exact": "DECIMAL(38,18)",
        "words": "VARCHAR", "raw": "BLOB", "when": "TIMESTAMP WITH TIME ZONE", "day": "DATE",
        "hour": "TIME", "took": "VARCHAR", "key": "UUID", "tags": "VARCHAR[]",
        "by_name": "MAP(VARCHAR, BIGINT)", "size": "STRUCT(wide DOUBLE, high DOUBLE)",
        "sizes": "STRUCT(wide DOUBLE, high DOUBLE)[]", "loose": "VARCHAR",
    }  # fmt: skip
    frame = pandas.read_parquet(path)
    assert (frame["count"][0], frame["words"][0]) == (2**62, "a\0b")
    assert frame["when"][0] == WHOLE.when


def test_a_typed_file_without_items_has_its_columns(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    written(path, [], kind=Size)
    assert pyarrow.parquet.read_schema(path).names == ["wide", "high"]
    assert parquet(path) == []


class Dated(Item):
    when: datetime | None


@pytest.mark.parametrize(
    ("calls", "kind", "found"),
    [
        ([["2024-01-01T00:00:00+02:00"], ["2024-01-01T00:00:00Z"]], "datetime", None),
        ([[None, "2024-01-01T00:00:00"], ["2024-01-02T00:00:00"]], "naive", None),
        ([["2024-01-01T00:00:00"], ["2024-01-02T00:00:00Z"]], "str", "2024-01-01T00:00:00"),
        ([["2024-01-01T00:00:00Z", "2024-01-02T00:00:00"]], "str", "2024-01-01T00:00:00Z"),
        ([["9999-12-31T23:59:59-05:00"]], "str", "9999-12-31T23:59:59-05:00"),
    ],
)
def test_times_with_and_without_an_offset_are_no_column_together(
    tmp_path: Path, calls: list[list[str]], kind: str, found: str | None
) -> None:
    path = tmp_path / "x.parquet"
    items = [[{"when": text} for text in call] for call in calls]
    (field,) = written(path, *items, kind=Dated)
    assert field.kind == kind
    rows = parquet(path)
    assert len(rows) == sum(map(len, calls))
    assert found is None or rows[0] == {"when": found}


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1, 2.5], "float"),
        ([2.5, 2**53 + 1], "any"),
        ([2**53 + 1, 2.5], "any"),
        ([1, 2**63], "any"),
        ([1, "a"], "any"),
        ([None, "a"], "str"),
        ([True, 1], "any"),
        ([1.5, False], "any"),
        ([[], [1]], "list"),
        ([[1], ["a"]], "list"),
        ([[1], "a"], "any"),
        ([{"a": 1}, {"b": [2]}], "struct"),
        ([{"a": 1}, {}], "struct"),
        ([{}, [1]], "any"),
        ([{"a": 1}, [1]], "any"),
        ([{f"k{n}": n for n in range(300)}], "any"),
    ],
)
@pytest.mark.parametrize("flushes", [False, True])
def test_a_column_grows_wider_for_what_does_not_fit_and_loses_nothing(
    tmp_path: Path, values: list[Any], kind: str, flushes: bool
) -> None:
    path = tmp_path / "x.parquet"
    calls = [[{"v": value}] for value in values]
    fields = written(path, *(calls if flushes else [[row for call in calls for row in call]]))
    assert [field.kind for field in fields] == [kind]
    assert source_of(fields, parquet(path)) == [bare({"v": value}) for value in values]
    assert [found.name for found in tmp_path.iterdir()] == ["x.parquet"]


def test_items_held_back_grow_wider_too(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    file = ParquetFile(Sheet(path))
    for value in (1, 2.5, 2**53 + 1, "x"):
        file.write([msgspec.json.encode({"v": value})])
    file.flush()
    file.close()
    assert [row["v"] for row in parquet(path)] == ["1.0", "2.5", "9007199254740993", '"x"']


def test_all_types_are_kept_when_the_file_is_rewritten(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    fields = written(path, [WHOLE], [{"new": 1}, {"tags": "text"}], kind=Everything)
    first, second, third = source_of(fields, parquet(path))
    assert first == bare(json.loads(msgspec.json.encode(WHOLE)))
    assert second == {"new": 1}
    assert third == {"tags": "text"}


def test_deep_nesting_is_columns_to_a_bound_and_json_behind_it(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    values: list[Any] = []
    for depth in (MOST_DEEP - 1, MOST_DEEP, 400):
        value: Any = 1
        for number in range(depth):
            value = [value] if number % 2 else {"a": value}
        values.append(value)
    for value in values:
        fields = written(path, [{"v": value}])
        assert source_of(fields, parquet(path)) == [{"v": value}]


def test_keys_without_end_stop_the_file(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="more than 1,000 columns"):
        written(tmp_path / "x.parquet", [{f"k{n}": n for n in range(1001)}])


@pytest.mark.parametrize("text", [text for text in NAUGHTY if text])
def test_naughty_text_and_names_of_columns_are_read_back(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.parquet"
    written(path, [{text: text, "o": [{text: text}]}])
    assert pyarrow.parquet.read_table(path).to_pylist() == [{text: text, "o": [{text: text}]}]


def test_small_groups_become_one_and_the_file_does_not_grow_by_its_footers(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    file = ParquetFile(Sheet(path))
    sizes = []
    for number in range(100):
        file.write([b'{"n":%d,"l":["a"]}' % number])
        file.flush()
        sizes.append(path.stat().st_size)
        assert pyarrow.parquet.read_metadata(path).num_row_groups <= 32
    file.close()
    assert [row["n"] for row in parquet(path)] == list(range(100))
    assert min(sizes[-32:]) < 5_000


def test_groups_are_full_at_a_number_of_rows(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    file = ParquetFile(Sheet(path))
    for start in range(0, 250_000, 25_000):
        file.write([b'{"n":%d}' % number for number in range(start, start + 25_000)])
    file.flush()
    file.close()
    metadata = pyarrow.parquet.read_metadata(path)
    rows = [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]
    assert rows == [100_000, 100_000, 50_000]
    found = duck(f"SELECT n FROM read_parquet('{path}')")
    assert found == [(number,) for number in range(250_000)]


def test_a_disk_too_full_for_a_wider_column_leaves_the_file(
    tmp_path: Path, size_limit: SizeLimit
) -> None:
    path = tmp_path / "x.parquet"
    file = ParquetFile(Sheet(path))
    file.write([msgspec.json.encode({"v": n * n * 7919 % 10**9}) for n in range(500)])
    file.flush()
    with size_limit(2_000), pytest.raises(TargetError, match="may not grow"):
        file.write([msgspec.json.encode({"v": 1, "more": "x"})])
    assert len(parquet(path)) == 500
    assert [found.name for found in tmp_path.iterdir()] == ["x.parquet"]
    file.write([msgspec.json.encode({"v": 1, "more": "x"})])
    file.flush()
    file.close()
    assert len(parquet(path)) == 501


def source_of(fields: Sequence[Field], rows: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Return rows as the items' JSON had them, but for members that are null."""
    return [bare({field.name: _source(field, row[field.name]) for field in fields}) for row in rows]


def _source(field: Field, value: Any) -> Any:
    if value is None:
        return None
    match field.kind:
        case "any":
            return json.loads(value)
        case "list":
            return [_source(field.item or field, item) for item in value]
        case "map":
            return {key: _source(field.item or field, item) for key, item in value}
        case "struct":
            return {inner.name: _source(inner, value[inner.name]) for inner in field.fields}
        case "decimal":
            return format(value, "f")
    return msgspec.to_builtins(value)


def bare(value: Any) -> Any:
    """Leave out members that are null: they may as well be absent."""
    match value:
        case dict():
            return {key: bare(inner) for key, inner in value.items() if inner is not None}
        case list():
            return [bare(item) for item in value]
        case bool():
            return ("bool", value)
    return value


ITEMS = st.lists(st.dictionaries(st.sampled_from(["a", "b", 'c"', ""]), VALUES, max_size=3))


@given(calls=st.lists(ITEMS, min_size=1, max_size=4))
@settings(max_examples=30, deadline=None)
def test_whatever_the_items_pyarrow_reads_them_back(
    tmp_path_factory: pytest.TempPathFactory, calls: list[list[dict[str, Any]]]
) -> None:
    path = tmp_path_factory.mktemp("x") / "x.parquet"
    fields = written(path, *calls)
    if not fields:
        return
    first = next(number for number, call in enumerate(calls) if any(call))
    source = [bare(item) for call in calls[first:] for item in call]
    assert source_of(fields, pyarrow.parquet.read_table(path).to_pylist()) == source


def test_a_file_is_readable_at_whatever_byte_of_a_write_its_process_was_killed(
    tmp_path: Path,
) -> None:
    path, flushed = tmp_path / "x.parquet", tmp_path / "flushed"

    def sheet(state: bytes | None = None) -> Sheet:
        return Sheet(path, fields=known_fields(Size), state=state)

    def add(file: ParquetFile, number: int) -> None:
        items = [Size(wide=n / 7, high=n) for n in range(9 * number, 9 * number + 9)]
        file.write([msgspec.json.encode(item) for item in items])
        flushed.write_bytes(b"%d " % (9 * number + 9) + file.flush())

    def work(arm: Callable[[], None]) -> None:
        file = ParquetFile(sheet())
        for number in range(34):
            if number == 30:
                arm()  # small groups become one at the next but one, and others follow
            add(file, number)

    died, byte = True, 0
    while died:
        died = dies_at(byte, work)
        count, state = flushed.read_bytes().split(b" ", 1)
        rows = [row["high"] for row in parquet(path)]
        assert rows == list(range(len(rows)))
        assert len(rows) in (int(count), int(count) + 9)
        try:
            file = ParquetFile(sheet(state))
        except Stale:
            file = ParquetFile(sheet())  # written anew
        else:
            assert pyarrow.parquet.read_metadata(path).num_rows == int(count)
        add(file, int(count) // 9)
        file.close()
        assert pyarrow.parquet.read_table(path)["high"][-1].as_py() == int(count) + 8
        byte += 1499
    assert byte > 15 * 1499, "there were places to die at"
