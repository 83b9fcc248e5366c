"""What a site puts into items, read by other programs."""

import csv
import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.errors import ItemError
from crawler.export.spool import FileSpool
from crawler.export.targets import Source, plan
from crawler.items import Item, ItemKinds
from crawler.records.streams import streams_of
from crawler.settings import Settings

NAUGHTY = [
    "\0", "a\0b", "\ufffe", "\uffff", "\ufeffbom", "\u2028", "\u2029", "\x85", "\x1b[2J", "\x7f",
    '"', "'", "\\", '\\"', "\r", "\n", "\r\n", "a,b", ";", "\t", "</script>", "]]>", "\u202e", "😀",
    "null", "", " ", "é" * 1000, "\x0b\x0c\x1c\x1d\x1e", "a" * 100_000, "\U0010ffff", "\ud7ff",
]  # fmt: skip


class Loose(Item):
    v: Any


class Rough(Item):
    v: msgspec.Raw


@pytest.mark.parametrize("text", ["\ud800", "a\udfff\ud800b"])
def test_a_lone_surrogate_is_no_text_and_said_so(text: str) -> None:
    kinds = ItemKinds([])
    for item in ({"v": text}, {text: 1}, {"v": [{text: text}]}):
        with pytest.raises(ItemError, match="surrogates not allowed"):
            kinds.check(item)


@pytest.mark.parametrize("raw", [b'"\xff"', b'"\xed\xa0\x80"', b'"\xc3"', b'{"a":1}}', b"NaN"])
def test_raw_json_that_is_none_makes_no_line(raw: bytes) -> None:
    with pytest.raises(ItemError):
        ItemKinds([Rough]).check(Rough(v=msgspec.Raw(raw)))


def test_a_number_that_python_itself_would_not_read_back_makes_no_line() -> None:
    with pytest.raises(ItemError):
        ItemKinds([]).check({"v": 10**5000})
    assert json.loads(ItemKinds([]).check({"v": 10**400}).line) == {"v": 10**400}


async def written(folder: Path, items: list[dict[str, Any]]) -> Mapping[str, Path]:
    """Write items as a run does: the spool, and a JSON array and a table that follow it."""
    kinds, streams = ItemKinds([]), streams_of([])
    lines = [kinds.check(item).line for item in items]
    paths = {kind: folder / f"x.{kind}" for kind in ("jsonl", "json", "csv")}
    async with await FileSpool.open({"items": paths["jsonl"]}) as spool:
        await spool.append({"items": lines})
    spooled = paths["jsonl"].read_bytes()[:-1].split(b"\n")
    for target in plan([str(paths["json"]), str(paths["csv"])], streams=streams).targets:
        settings = Settings(escape_formulas=False)
        follower = await target.open(Source("run", streams, settings))
        await follower.follow(spooled, 0)
        await follower.aclose()
    return paths


async def test_naughty_text_is_the_same_in_every_program(tmp_path: Path) -> None:
    items = [{"v": text, "n": 1.5} for text in NAUGHTY]
    paths = await written(tmp_path, items)
    lines = paths["jsonl"].read_text().splitlines()
    assert [json.loads(line) for line in lines] == items
    assert json.loads(paths["json"].read_text()) == items
    with paths["csv"].open(newline="", encoding="utf-8") as file:
        assert [row["v"] for row in csv.DictReader(file, strict=True)] == NAUGHTY


@pytest.mark.skipif(
    not Path("/usr/bin/jq").exists() or not Path("/usr/bin/sqlite3").exists(),
    reason="needs jq and sqlite3: apt install jq sqlite3",
)
async def test_jq_and_sqlite_read_what_python_does(tmp_path: Path) -> None:
    items = [{"v": text} for text in NAUGHTY]
    paths = await written(tmp_path, items)
    for name, words in {"jsonl": ("-c", "."), "json": ("-c", ".[]")}.items():
        done = subprocess.run(["jq", *words, paths[name]], check=True, capture_output=True)
        assert [json.loads(line) for line in done.stdout.split(b"\n")[:-1]] == items
    table = f".import --csv {paths['csv']} t"
    query = "SELECT count(*), count(DISTINCT v) FROM t"
    done = subprocess.run(["sqlite3", ":memory:", table, query], check=True, capture_output=True)
    assert done.stdout.decode().split("|")[0] == str(len(items))


FLAT = st.none() | st.booleans() | st.integers(-(2**80), 2**80) | st.text(max_size=8)
FINITE = st.floats(allow_nan=False, allow_infinity=False)


def nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)


VALUES = st.recursive(FLAT | FINITE, nested, max_leaves=6)


@given(items=st.lists(st.dictionaries(st.text(max_size=4), VALUES, max_size=3), max_size=4))
@settings(max_examples=60, deadline=None)
async def test_whatever_the_item_json_reads_it_back(
    tmp_path_factory: pytest.TempPathFactory, items: list[dict[str, Any]]
) -> None:
    paths = await written(tmp_path_factory.mktemp("x"), items or [{}])
    lines = paths["jsonl"].read_text().splitlines()
    assert [json.loads(line) for line in lines] == json.loads(paths["json"].read_text())
    assert [json.loads(line) for line in lines] == (items or [{}])
