"""Tables into rows, and tables that would be too many."""

from functools import partial

import pytest

from crawler.errors import CallbackError, MissingValue
from crawler.parse.nodes import Node
from tests.growth import assert_costs, cpu_seconds
from tests.parse.test_nodes import page


def rows(html: str) -> list[dict[str, str]]:
    return page(f"<table>{html}</table>").table()


@pytest.mark.parametrize(
    ("html", "found"),
    [
        ("<tr><th>A<th>B<tr><td>1<td>2<tr><td>3<td>4", [
            {"A": "1", "B": "2"}, {"A": "3", "B": "4"}]),
        ("<thead><tr><td>A<tbody><tr><td>1<tfoot><tr><td>2", [{"A": "1"}, {"A": "2"}]),
        ("<tr><td>A<td>B<tr><td>1<td>2", [{"A": "1", "B": "2"}]),
        ("<caption>c</caption><tr><th>A<tr></tr><tr><td> 1 <b>x</b><br>y", [{"A": "1 x y"}]),
        ("<tr><th>A<th>B<tr><td>1<tr><td>1<td>2<td>3", [
            {"A": "1", "B": "", "3": ""}, {"A": "1", "B": "2", "3": "3"}]),
        ("<tr><th>A<th>A<th><th>A<tr><td>1<td>2<td>3<td>4", [
            {"A": "1", "A (2)": "2", "3": "3", "A (3)": "4"}]),
        ("<tr><th>A (2)<th>A<th>A<tr><td>1<td>2<td>3", [{"A (2)": "1", "A": "2", "A (3)": "3"}]),
        ("<tr><th>Width<td>3<tr><th>Height<td>4", [{"Width": "3", "Height": "4"}]),
        ("<tr><th colspan=2>Size<tr><th>W<td>3<tr><th>H<td>4", [{"W": "3", "H": "4"}]),
        ("<tr><th>W<td>1<td>2<tr><th>H<td>3", [{"W": "1", "H": "3"}, {"W": "2", "H": ""}]),
        ("<tr><th>W<td>1<th>H<td>2<tr><th>Use<td colspan=3>all", [
            {"W": "1", "H": "2", "Use": "all"}]),
        ("<tr><th colspan=4>Size<tr><th>W<td>1<th>W<td>2", [{"W": "1", "W (2)": "2"}]),
        ("<tr><th>W<td>1<th>H<td>2<tr><td>x", [{"W": "x", "1": "", "H": "", "2": ""}]),
        ("<tr><th><th>2023<tr><th>W<td>3", [{"1": "W", "2023": "3"}]),
        ("<thead><tr><th>A<tbody><tr><th>W", [{"A": "W"}]),
        ("<tr><th>A<th>B", []),
        ("<thead><tr><th>A", []),
        ("", []),
    ],
)  # fmt: skip
def test_rows_are_dicts_by_the_headings(html: str, found: list[dict[str, str]]) -> None:
    assert rows(html) == found


@pytest.mark.parametrize(
    ("html", "found"),
    [
        ("<tr><th>A<th>B<tr><td rowspan=2>1<td>2<tr><td>3", ["12", "13"]),
        ("<tr><th>A<th>B<tr><td colspan=2>1<tr><td>2<td>3", ["11", "23"]),
        ("<tr><th>A<th>B<th>C<tr><td>1<td rowspan=2>2<td>3<tr><td>4<td>5", ["123", "425"]),
        (
            "<tr><th>A<th>B<tr><td rowspan=0>1<td>2<tr><td>3<tbody><tr><td>4<td>5",
            ["12", "13", "45"],
        ),
        ("<tr><th>A<tbody><tr><td rowspan=9>1<tbody><tr><td>2", ["1", "2"]),
        ("<tr><th>A<th>B<tr><td rowspan=2 colspan=2>1<tr><tr><td>2<td>3", ["11", "11", "23"]),
        ("<tr><th>A<th>B<tr><td colspan=x>1<td rowspan=-2>2<tr><td colspan='²'>3", ["12", "3"]),
        ("<tr><th>A<th>B<tr><td colspan=0>1<td colspan=' 1 '>2", ["12"]),
    ],
)
def test_cells_that_span_are_in_every_row_and_column(html: str, found: list[str]) -> None:
    assert ["".join(row.values()) for row in rows(html)] == found


def test_headings_over_headings_are_read_together() -> None:
    head = "<tr><th colspan=3>Sales<tr><th rowspan=2>Name<th colspan=2>2024<tr><th>Q1<th>Q2"
    assert rows(f"{head}<tr><td>a<td>1<td>2") == [{"Name": "a", "2024 Q1": "1", "2024 Q2": "2"}]


def test_a_table_is_the_element_or_the_first_that_is_selected() -> None:
    root = page("<table><tr><td>A<tr><td>1</table><table id=x><tr><td>B<tr><td>2</table><p>x")
    assert root.table() == [{"A": "1"}]
    assert root.table("#x") == [{"B": "2"}]
    assert root.css("#x")[0].table() == [{"B": "2"}]
    for css in ("#y", "p"):
        with pytest.raises(MissingValue, match=rf"no table '{css}' on http://a\.b/c/d"):
            root.table(css)


def test_all_tables_but_those_that_hold_others_are_listed() -> None:
    inner = "<table class=x><tr><td>A<tr><td>1</table>"
    root = page(f"<table><tr><td>{inner}<td>{inner}</table>{inner}<table></table>")
    assert root.tables() == [[{"A": "1"}]] * 3 + [[]]
    assert root.tables(".x, p") == [[{"A": "1"}]] * 3
    assert page("<p>x").tables() == []
    assert [*root.table()] == []  # it has a row of headings


@pytest.mark.parametrize(
    "html",
    [
        "<tr>" + "<td colspan=1000000000>" * 200,
        ("<tr>" + "<td rowspan=1000000000>" * 1_000) + "<tr><td>" * 1_000,
        "<tr><td colspan=1000 rowspan=65534>" + "<tr></tr>" * 50_000,
        "<tr>" + "<td>" * 30_000 + "<tr><td>" * 30_000,
    ],
)
def test_a_table_that_spans_far_more_than_it_has_is_refused(html: str) -> None:
    with pytest.raises(
        CallbackError, match=r"a table on http://a\.b/c/d has [\d,]+ cells that span"
    ):
        rows(html)


def test_a_cell_may_span_much_and_a_table_may_be_large() -> None:
    assert len(rows("<tr><th>A<tr><td colspan=1000000000>x")[0]) == 1_000
    assert len(rows("<tr><td>A<td>B<tr><td rowspan=99999999>x" + "<td>1<tr>" * 20_000)) == 20_001


def test_tables_within_tables_are_each_read_once() -> None:
    def seconds(depth: int) -> float:
        root: Node = page("<table><tr><td>" * depth + "<b>x</b>" * 20 * depth)
        return cpu_seconds(root.tables)

    assert_costs(partial(seconds, 800), at_most=11, times=partial(seconds, 200), slack=0.01)
