import csv
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.errors import OutputError, TargetError
from crawler.export.csv_table import CsvTable, csv_kept
from crawler.export.formulas import unescaped
from crawler.export.sheet import Sheet
from crawler.items import Item, known_fields
from tests.export.conftest import SizeLimit


class Book(Item):
    title: str | None
    price: float | None = None
    tags: tuple[str, ...] = ()
    sold: bool = False


class Author(Item):
    name: str


def rows(path: Path) -> list[list[str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return [[unescaped(cell) for cell in row] for row in csv.reader(file, strict=True)]


def sheet(path: Path, kind: type | None = None, **others: Any) -> Sheet:
    return Sheet(path, fields=known_fields(kind) if kind else None, **others)


def write(into: Sheet, *calls: Sequence[Any]) -> None:
    table = CsvTable(into)
    try:
        for items in calls:
            table.write([msgspec.json.encode(item) for item in items])
    finally:
        table.close()


def test_columns_come_from_the_type_and_values_are_written_as_promised(
    tmp_path: Path,
) -> None:
    path = tmp_path / "x.csv"
    books = [Book(title="a", price=1.50, tags=("x", "y"), sold=True), Book(title=None)]
    write(sheet(path, Book), books)
    assert path.read_bytes() == (
        b'title,price,tags,sold\r\na,1.5,"[""x"",""y""]",true\r\n,,[],false\r\n'
    )


def test_a_typed_table_without_items_has_its_header(tmp_path: Path) -> None:
    write(sheet(tmp_path / "x.csv", Author))
    assert rows(tmp_path / "x.csv") == [["name"]]


def test_numbers_stand_as_in_the_line(tmp_path: Path) -> None:
    table = CsvTable(sheet(tmp_path / "x.csv"))
    table.write([b'{"n":123456789012345678901234567890,"f":1.10,"in":[1e300,%d]}' % 10**40])
    table.close()
    assert rows(tmp_path / "x.csv")[1] == [
        str(123456789012345678901234567890),
        "1.10",
        f"[1e300,{10**40}]",
    ]


TEXT = st.text(alphabet=st.sampled_from("ab\",\r\n;\u2028é\x00'= "), max_size=8)


@given(items=st.lists(st.lists(st.dictionaries(st.sampled_from(["a", 'b"\n', "c,", "d"]), TEXT))))
@settings(max_examples=60, deadline=None)
def test_whatever_the_text_and_keys_csv_reads_the_same_back_after_each_call(
    tmp_path_factory: pytest.TempPathFactory, items: list[list[dict[str, str]]]
) -> None:
    path = tmp_path_factory.mktemp("csv") / "x.csv"
    table = CsvTable(sheet(path))
    written: list[dict[str, str]] = []
    for given_items in items:
        some = [item for item in given_items if item]
        table.write([msgspec.json.encode(item) for item in some])
        written += some
        header, *body = rows(path) or [[]]
        assert set(header) == {key for item in written for key in item}
        assert body == [[item.get(key, "") for key in header] for item in written]
    table.close()


def test_a_new_key_makes_a_column_that_earlier_rows_leave_empty(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    write(sheet(path), [{"a": "1\r\n2"}], [{"a": "3", "b": "4"}], [{"c": None}])
    assert rows(path) == [["a", "b", "c"], ["1\r\n2", "", ""], ["3", "4", ""], ["", "", ""]]
    assert os.listdir(tmp_path) == ["x.csv"]


def test_a_disk_too_full_for_a_new_column_leaves_the_old_table(
    tmp_path: Path, size_limit: SizeLimit
) -> None:
    path = tmp_path / "x.csv"
    table = CsvTable(sheet(path))
    table.write([b'{"a":"%s"}' % (b"x" * 50)])
    with size_limit(58), pytest.raises(TargetError, match=r"x\.csv: the file may not grow"):
        table.write([b'{"a":"1","long_column_name":2}'])
    table.close()
    assert rows(path) == [["a"], ["x" * 50]]
    assert os.listdir(tmp_path) == ["x.csv"]


def test_empty_objects_before_the_first_key_are_rows(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    table = CsvTable(sheet(path))
    table.write([b"{}", b"{}"])
    state = table.flush()
    table.close()
    table = CsvTable(sheet(path, state=state))
    table.write([b"{}", b'{"a":1}', b"{}"])
    table.close()
    assert rows(path) == [["a"], [""], [""], [""], ["1"], [""]]


def test_a_value_of_another_type_than_its_column_is_written_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    lines = [{"title": 5, "price": "=1", "tags": "x", "sold": None}, {"title": ["x"]}]
    write(sheet(path, Book), lines)
    assert rows(path)[1:] == [["5", "=1", "x", ""], ['["x"]', "", "", ""]]


def test_text_that_is_no_unicode_stops_the_table(tmp_path: Path) -> None:
    table = CsvTable(sheet(tmp_path / "x.csv"))
    with pytest.raises(TargetError, match="no item that fits a table"):
        table.write([rb'{"a":"\ud800"}'])
    table.close()


def test_keys_without_end_stop_the_table(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="more than 1,000 columns"):
        write(sheet(tmp_path / "x.csv"), [{f"k{n}": n for n in range(1001)}])


@pytest.mark.parametrize("line", [b"not json", b"[1]", b'{"a":'])
def test_a_line_that_is_no_object_stops_the_table(tmp_path: Path, line: bytes) -> None:
    table = CsvTable(sheet(tmp_path / "x.csv"))
    with pytest.raises(TargetError, match=r"^[^:]*x\.csv: no item that fits a table"):
        table.write([line])
    table.close()


def test_append_adds_rows_and_a_rerun_keeps_only_what_was_before(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(b"\xef\xbb\xbfname\nold")
    kept = csv_kept(path, sheet(path, Author))
    for _ in range(2):
        write(sheet(path, Author, kept=kept), [Author(name="new")])
    assert path.read_bytes() == b"\xef\xbb\xbfname\nold\r\nnew\r\n"


def test_append_takes_the_columns_of_untyped_items_from_the_header(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(b"b,a\r\n")
    kept = csv_kept(path, sheet(path))
    write(sheet(path, kept=kept), [{"a": 1, "b": 2}])
    assert rows(path) == [["b", "a"], ["2", "1"]]
    with pytest.raises(TargetError, match=r"^[^:]*: has no column 'c', and --append adds none"):
        write(sheet(path, kept=kept), [{"c": 1}])


@pytest.mark.parametrize("old", [b"title,name\n", b"Name\n", b"\n", b"\xff\xfe", b'"name\n'])
def test_append_refuses_another_header(tmp_path: Path, old: bytes) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(old)
    with pytest.raises(OutputError, match="--append needs the columns name; its header has"):
        csv_kept(path, sheet(path, Author))
