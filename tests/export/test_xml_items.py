import io
import json
import xml.etree.ElementTree
from pathlib import Path
from typing import Any

import msgspec
import pandas
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.errors import OutputError
from crawler.export.sheet import Sheet
from crawler.export.xml_items import XmlItems, xml_kept
from tests.export.readers import document, elements
from tests.items.test_readable import NAUGHTY, VALUES


def write(path: Path, *lines: bytes, **others: Any) -> None:
    file = XmlItems(Sheet(path, **others))
    file.write(lines)
    file.flush()
    file.close()


def write_items(path: Path, *items: Any) -> None:
    write(path, *map(msgspec.json.encode, items))


def test_items_look_like_what_people_write_by_hand(tmp_path: Path) -> None:
    path = tmp_path / "x.xml"
    write(
        path,
        b'{"title":"A & B","price":9.50,"new":true,"tags":["x","y"],"size":{"wide":1,"high":null}}',
        b'{"title":"","none":null,"tags":[]}',
    )
    assert path.read_text() == (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<items xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">\n'
        "<item><title>A &amp; B</title><price>9.50</price><new>true</new>"
        "<tags><value>x</value><value>y</value></tags>"
        '<size><wide>1</wide><high xsi:nil="true"/></size></item>\n'
        '<item><title/><none xsi:nil="true"/><tags/></item>\n'
        "</items>\n"
    )


def test_items_of_several_types_say_theirs(tmp_path: Path) -> None:
    path = tmp_path / "x.xml"
    write(path, b'{"_type":"book","n":1}', b'{"_type":"author","n":2}', tagged=True)
    assert [item.get("type") for item in elements(path)] == ["book", "author"]
    assert document(path) == [{"n": "1"}, {"n": "2"}]
    write(path, b'{"_type":"a field of its own"}')
    assert document(path) == [{"_type": "a field of its own"}]


def test_pandas_reads_a_table(tmp_path: Path) -> None:
    path = tmp_path / "x.xml"
    write_items(path, {"name": "é", "n": 1}, {"name": "b", "n": 2})
    frame = pandas.read_xml(path)
    assert frame.to_dict("records") == [{"name": "é", "n": 1}, {"name": "b", "n": 2}]


@pytest.mark.parametrize("key", [*NAUGHTY, "a b", "1", "xml", "XmlX", "a:b", "-", "é", "x\u0132"])
def test_every_text_and_every_key_is_read_back(tmp_path: Path, key: str) -> None:
    path = tmp_path / "x.xml"
    items = [{key: key, "after": [key, {key: key}]}]
    write_items(path, *items)
    assert document(path) == items
    # Expat knows other names than libxml2 does; what it cannot do is refused here.
    xml.etree.ElementTree.parse(path)


def test_what_xml_cannot_hold_is_shown_and_kept_exactly_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "x.xml"
    write_items(path, {"v": "a\0b\ufffe", "k\x01": 1})
    value, named = elements(path)[0]
    assert value.text == "a\ufffdb\ufffd"
    assert json.loads(value.get("json")) == "a\0b\ufffe"
    assert named.get("name") == "k\ufffd"
    assert json.loads(named.get("json-name")) == "k\x01"


def test_numbers_stand_as_in_the_line(tmp_path: Path) -> None:
    path = tmp_path / "x.xml"
    big = "1" * 400
    write(path, f'{{"n":{big},"f":1.10,"e":1e400,"m":-0.0}}'.encode())
    assert document(path) == [{"n": big, "f": "1.10", "e": "1e400", "m": "-0.0"}]


@pytest.mark.parametrize("depth", [50, 97, 98, 400])
def test_what_is_nested_too_deep_for_readers_is_json(tmp_path: Path, depth: int) -> None:
    path = tmp_path / "x.xml"
    value: Any = 1.5
    for number in range(depth):
        value = [value] if number % 2 else {"a": value, "\0": "x"}
    write_items(path, {"v": value})
    assert document(path)[0]["v"] == expected(value, depth=3)


def expected(value: Any, *, depth: int) -> Any:
    """Return a value as elements have it: scalars as text; what is in `json` as it is."""
    if isinstance(value, dict | list) and value and depth >= 100:
        return value
    match value:
        case dict() if value:
            return {key: expected(inner, depth=depth + 1) for key, inner in value.items()}
        case list() if value:
            return [expected(inner, depth=depth + 1) for inner in value]
        case None | str():
            return value
        case bool() | int() | float():
            return msgspec.json.encode(value).decode()
    return ""


@given(items=st.lists(st.dictionaries(st.text(max_size=4), VALUES, max_size=3), max_size=4))
@settings(max_examples=60, deadline=None)
def test_whatever_the_item_libxml2_reads_it_back(
    tmp_path_factory: pytest.TempPathFactory, items: list[dict[str, Any]]
) -> None:
    path = tmp_path_factory.mktemp("x") / "x.xml"
    write_items(path, *items)
    found = document(path)
    assert found == [{key: expected(v, depth=3) for key, v in item.items()} for item in items]
    xml.etree.ElementTree.parse(io.BytesIO(path.read_bytes()))


@pytest.mark.parametrize("old", ["<items/>", "<a></items>\n", "", "x"])
def test_append_refuses_what_others_wrote(tmp_path: Path, old: str) -> None:
    path = tmp_path / "x.xml"
    path.write_text(old)
    with pytest.raises(OutputError, match="--append needs a file that crawl wrote"):
        xml_kept(path, Sheet(path))
