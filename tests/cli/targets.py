"""Every target of items, and another program that reads it back."""

import csv
import io
import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from tests.export.readers import document, duck, parquet, unpacked

Rows = list[dict[str, Any]]


class Target(NamedTuple):
    """A target: what `-o` is given, and what reads it back."""

    output: str
    read: Callable[[Path], Rows]


SPIDER = """
from typing import Annotated
from crawler import Item, Out, Response, Spider

class Size(Item):
    wide: float
    high: float | None = None

class Thing(Item, key="url"):
    url: str
    words: str
    number: int
    price: float
    is_new: bool
    tags: list[str]
    size: Size | None = None

WORDS = [
    "plain", "q\\"uote, comma\\r\\n", "=1+1", "\\u00e9\\u2028\\U0001f600", "</a>&amp;", "", " x ",
    "null",
]

class Things(Spider[Thing], delay=0, min_free_bytes=0, retries=0, obey_robots=False):
    def __init__(self, start: str) -> None:
        self.start_urls = [start]

    async def parse(self, page: Response) -> Out[Thing]:
        number = len(page.url) * 7919 + sum(map(ord, page.url))
        words = WORDS[number % len(WORDS)]
        yield Thing(
            url=page.url, words=words, number=number * 10**9, price=number / 8,
            is_new=number % 2 == 0, tags=[words, "x"] * (number % 3),
            size=Size(wide=number / 3) if number % 4 else None,
        )
        yield page.follow_all()
"""


def _lines(path: Path) -> Rows:
    return [json.loads(line) for line in unpacked(path).split(b"\n")[:-1]]


def _array(path: Path) -> Rows:
    rows: Rows = json.loads(unpacked(path))
    return rows


def _document(path: Path) -> Rows:
    """Read an XML file as its reader has to: text as it is, all other scalars as JSON."""

    def typed(name: str, value: Any) -> Any:
        if value is None or name in ("url", "words", "value"):
            return value
        if name == "tags":
            return value or []
        if isinstance(value, dict):
            return {key: typed(key, inner) for key, inner in value.items()}
        return json.loads(value)

    return [{name: typed(name, value) for name, value in row.items()} for row in document(path)]


def _table(path: Path) -> Rows:
    """Read a CSV file as its reader has to: text as it is, all else as JSON."""
    from crawler.export.formulas import unescaped

    text = io.StringIO(unpacked(path).decode(), newline="")
    rows = list(csv.DictReader(text, strict=True))
    texts = ("url", "words")
    return [
        {
            name: unescaped(cell) if name in texts else json.loads(cell or "null")
            for name, cell in row.items()
        }
        for row in rows
    ]


TARGETS = {
    "jsonl": Target("copy/x.jsonl", _lines),
    "json": Target("x.json", _array),
    "csv": Target("x.csv", _table),
    "xml": Target("x.xml", _document),
    "parquet": Target("x.parquet", parquet),
    "jsonl.gz": Target("x.jsonl.gz", _lines),
    "json.zst": Target("x.json.zst", _array),
    "csv.gz": Target("x.csv.gz", _table),
    "xml.zst": Target("x.xml.zst", _document),
}


def canonical(rows: Rows) -> list[str]:
    """Return rows as texts that are the same for the same items, whatever program read them."""
    return sorted(json.dumps(row, sort_keys=True, ensure_ascii=True) for row in rows)


def seen_by_others(folder: Path) -> dict[str, list[str]]:
    """Return the URLs that pandas and DuckDB find in the files."""
    import sqlite3

    import pandas

    with closing(sqlite3.connect(folder / "x.db")) as connection:
        frames = {
            "table": pandas.read_sql("SELECT * FROM thing", connection),
            "csv": pandas.read_csv(folder / "x.csv"),
            "csv.gz": pandas.read_csv(folder / "x.csv.gz"),
            "lines": pandas.read_json(folder / "copy/x.jsonl", lines=True),
            "lines.gz": pandas.read_json(folder / "x.jsonl.gz", lines=True),
            "array": pandas.read_json(folder / "x.json"),
            "xml": pandas.read_xml(folder / "x.xml"),
            "parquet": pandas.read_parquet(folder / "x.parquet"),
        }
    for name, frame in frames.items():
        assert frame["number"].dtype == "int64", name
        assert frame["price"].dtype == "float64", name
    found = {f"pandas {name}": sorted(frame["url"]) for name, frame in frames.items()}
    for name in ("x.csv", "x.csv.gz", "copy/x.jsonl", "x.jsonl.gz", "x.json", "x.parquet"):
        rows = duck(f"SELECT url, number + 1 FROM '{folder / name}'")
        found[f"DuckDB {name}"] = sorted(url for url, _ in rows)
    return found
