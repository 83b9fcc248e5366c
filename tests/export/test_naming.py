import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.errors import OutputError
from crawler.export.naming import check_gaps, filled, has_gap, whole, with_item


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("{who}.csv", "unknown name 'who'; known are spider, run, date, item, part"),
        ("{dat}.csv", "unknown name 'dat'; did you mean 'date'?"),
        ("{part:x}.csv", "only {part:05} says how it is written"),
        ("{item:3}.csv", "only {part:05} says how it is written"),
        ("{part:0000000000013}.csv", "only {part:05} says how it is written"),
        ("{}.csv", "unknown name ''"),
        ("{part.real}.csv", "unknown name 'part.real'"),
        ("{part!r}.csv", "only {part:05} says how it is written"),
        ("{item", "a brace of its own is written twice"),
        ("item}.csv", "a brace of its own is written twice"),
    ],
)
def test_a_gap_that_nothing_fills_is_refused(name: str, said: str) -> None:
    with pytest.raises(OutputError) as caught:
        check_gaps(name)
    assert said in str(caught.value)


def test_gaps_are_filled_one_after_the_other() -> None:
    name = "{spider}/{{{item}}}-{part:03}-{part}.csv"
    check_gaps(name)
    assert has_gap(name, "part")
    assert not has_gap(name, "run")
    name = filled(name, spider="a{b}")
    assert whole(filled(filled(name, item="book"), part=7)) == "a{b}/{book}-007-7.csv"


@given(text=st.text(alphabet="{}abc/", max_size=12), value=st.text(alphabet="{}x", max_size=5))
def test_doubled_braces_come_out_as_they_are(text: str, value: str) -> None:
    name = text.replace("{", "{{").replace("}", "}}") + "{item}"
    check_gaps(name)
    assert whole(filled(filled(name, part=1), item=value)) == text + value


def test_a_table_has_a_file_for_each_type() -> None:
    assert with_item("/a/x.tar.csv", ".csv") == "/a/x.tar.{item}.csv"
