"""Items to files and databases: `python -m benchmarks.export [--items N] [--rounds N] [FORMAT …]`.

Each format is written from the same spool, by ours and by a plain loop over the same library in
turn. Prints items and MB of JSON a second (medians), and the median of ours by the loop's of the
same round. Exits with 1 if one is below 0.8.
"""

import argparse
import asyncio
import csv
import random
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from xml.sax.saxutils import XMLGenerator
from xml.sax.xmlreader import AttributesImpl

import asyncpg
import duckdb
import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
from isal import igzip

from crawler import Item
from crawler.export.following import Following
from crawler.export.targets import Plan, Source, plan
from crawler.records.streams import streams_of
from crawler.settings import Settings
from tests.postgres import start_postgres

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

LEAST = 0.8
_BATCH = 10_000

Place = Callable[[str, str, str], str]
"""Returns the output to write to: in a folder, by a name of its own, with such an end."""

Loop = Callable[[Path, str], None]
"""Writes the lines of a spool to an output, as somebody would who has nothing but the library."""


class Maker(Item):
    name: str
    country: str


class Good(Item, key="sku"):
    sku: int
    name: str
    price: float
    stock: int
    is_new: bool
    seen: datetime
    tags: list[str]
    maker: Maker
    text: str


STREAMS = streams_of([Good])


def goods(count: int) -> Iterator[bytes]:
    """Yield items as JSON, about 400 bytes each."""
    dice = random.Random(1)
    words = [
        "lorem",
        "ipsum",
        "dolor",
        "sit",
        "amet",
        "consectetur",
        "adipiscing",
        "elit",
        "sed",
        "do",
        "été",
    ]
    encode = msgspec.json.Encoder().encode
    for sku in range(count):
        yield encode(
            Good(
                sku=sku,
                name=" ".join(dice.choices(words, k=4)),
                price=round(dice.random() * 1000, 2),
                stock=dice.randrange(100),
                is_new=dice.random() < 0.5,
                seen=datetime(2026, 1, 1, tzinfo=UTC),
                tags=dice.choices(words, k=3),
                maker=Maker(name=dice.choice(words), country=dice.choice(words)),
                text=" ".join(dice.choices(words, k=25)),
            )
        )


def rows(spool: Path) -> Iterator[dict[str, Any]]:
    decode = msgspec.json.Decoder(dict[str, Any]).decode
    with spool.open("rb") as lines:
        for line in lines:
            yield decode(line)


def batches(spool: Path) -> Iterator[list[dict[str, Any]]]:
    some: list[dict[str, Any]] = []
    for row in rows(spool):
        some.append(row)
        if len(some) == _BATCH:
            yield some
            some = []
    if some:
        yield some


def jsonl(spool: Path, output: str) -> None:
    with spool.open("rb") as lines, open(output, "wb") as file:
        file.writelines(lines)


def json_array(spool: Path, output: str) -> None:
    with spool.open("rb") as lines, open(output, "wb") as file:
        before = b"[\n"
        for line in lines:
            file.write(before + line[:-1])
            before = b",\n"
        file.write(b"\n]\n")


def csv_table(spool: Path, output: str) -> None:
    names = Good.__struct_fields__
    encode = msgspec.json.Encoder().encode
    with open(output, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(names)
        for row in rows(spool):
            row["tags"] = encode(row["tags"]).decode()
            row["maker"] = encode(row["maker"]).decode()
            writer.writerow([row[name] for name in names])


def _gzip(output: str) -> Any:
    return igzip.IGzipFile(output, "wb")  # type: ignore[no-untyped-call]  # isal has no types here


def gzipped(spool: Path, output: str) -> None:
    with spool.open("rb") as lines, _gzip(output) as file:
        for line in lines:
            file.write(line)


def zstd_lines(spool: Path, output: str) -> None:
    with spool.open("rb") as lines, zstd.open(output, "wb") as file:
        for line in lines:
            file.write(line)


def xml_items(spool: Path, output: str) -> None:
    with open(output, "w", encoding="utf-8") as file:
        writer = XMLGenerator(file, "utf-8")
        writer.startDocument()
        writer.startElement("items", AttributesImpl({}))
        for row in rows(spool):
            _element(writer, "item", row)
        writer.endElement("items")
        writer.endDocument()


def _element(writer: XMLGenerator, name: str, value: Any) -> None:
    writer.startElement(name, AttributesImpl({}))
    if isinstance(value, dict):
        for key, inner in value.items():
            _element(writer, key, inner)
    elif isinstance(value, list):
        for inner in value:
            _element(writer, "value", inner)
    else:
        writer.characters(str(value))
    writer.endElement(name)


def parquet_file(spool: Path, output: str) -> None:
    maker = pa.struct([("name", pa.string()), ("country", pa.string())])
    schema = pa.schema(
        [
            ("sku", pa.int64()),
            ("name", pa.string()),
            ("price", pa.float64()),
            ("stock", pa.int64()),
            ("is_new", pa.bool_()),
            ("seen", pa.timestamp("us", tz="UTC")),
            ("tags", pa.list_(pa.string())),
            ("maker", maker),
            ("text", pa.string()),
        ]
    )
    with pq.ParquetWriter(output, schema, compression="zstd") as writer:
        for some in batches(spool):
            for row in some:
                row["seen"] = datetime.fromisoformat(row["seen"])
            writer.write_table(pa.Table.from_pylist(some, schema=schema))


_COLUMNS = Good.__struct_fields__


def _cells(row: dict[str, Any]) -> list[Any]:
    encode = msgspec.json.encode
    row["tags"], row["maker"] = encode(row["tags"]).decode(), encode(row["maker"]).decode()
    return [row[name] for name in _COLUMNS]


def sqlite_table(spool: Path, output: str) -> None:
    db = sqlite3.connect(output)
    db.execute(f"CREATE TABLE good ({', '.join(_COLUMNS)}, PRIMARY KEY (sku))")
    marks = ", ".join("?" * len(_COLUMNS))
    for some in batches(spool):
        with db:
            db.executemany(f"INSERT OR REPLACE INTO good VALUES ({marks})", map(_cells, some))
    db.close()


def duckdb_table(spool: Path, output: str) -> None:
    with duckdb.connect(output) as db:
        db.execute(
            "CREATE TABLE good (sku BIGINT PRIMARY KEY, name VARCHAR, price DOUBLE, stock BIGINT,"
            " is_new BOOLEAN, seen TIMESTAMPTZ, tags VARCHAR[],"
            " maker STRUCT(name VARCHAR, country VARCHAR), text VARCHAR)"
        )
        for some in batches(spool):
            for row in some:
                row["seen"] = datetime.fromisoformat(row["seen"])
            db.register("batch", pa.Table.from_pylist(some))
            db.execute("INSERT OR REPLACE INTO good SELECT * FROM batch")
            db.unregister("batch")


def postgresql_table(spool: Path, output: str) -> None:
    asyncio.run(_copied(spool, output))


async def _copied(spool: Path, url: str) -> None:
    listed = ", ".join(_COLUMNS)
    changed = ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS[1:])
    db = await asyncpg.connect(url)
    await db.execute(
        "CREATE TABLE good (sku bigint PRIMARY KEY, name text, price float8, stock bigint,"
        " is_new boolean, seen timestamptz, tags jsonb, maker jsonb, text text);"
        "CREATE TEMP TABLE batch (LIKE good) ON COMMIT DELETE ROWS"
    )
    for some in batches(spool):
        for row in some:
            row["seen"] = datetime.fromisoformat(row["seen"])
        async with db.transaction():
            await db.copy_records_to_table("batch", records=map(_cells, some), columns=_COLUMNS)
            await db.execute(
                f"INSERT INTO good SELECT {listed} FROM batch"
                f" ON CONFLICT (sku) DO UPDATE SET {changed}"
            )
    await db.close()


LOOPS: dict[str, tuple[str, Loop]] = {
    "jsonl": ("x.jsonl", jsonl),
    "jsonl.gz": ("x.jsonl.gz", gzipped),
    "jsonl.zst": ("x.jsonl.zst", zstd_lines),
    "json": ("x.json", json_array),
    "csv": ("x.csv", csv_table),
    "xml": ("x.xml", xml_items),
    "parquet": ("x.parquet", parquet_file),
    "sqlite": ("x.db", sqlite_table),
    "duckdb": ("x.duckdb", duckdb_table),
    "postgresql": ("", postgresql_table),
}


async def ours(spool: Path, output: str, *, size: int) -> None:
    """Write a spool's lines as `crawl export` does."""
    (target,) = plan([output], streams=STREAMS, overwrite=True, begun=Plan(str(spool))).targets
    source = Source("run", STREAMS, Settings())
    following = Following(partial(target.open, source), target=target.name, source=spool)
    await following.open()
    following.advance(size)
    await following.aclose()
    if following.error is not None:
        raise following.error


def measured(name: str, spool: Path, *, items: int, rounds: int, place: Place) -> float:
    """Measure one format, print it, and return ours by the loop's."""
    output, loop = LOOPS[name]
    seconds: dict[str, list[float]] = {"ours": [], "loop": []}
    with tempfile.TemporaryDirectory() as folder:
        few = Path(folder) / "few.jsonl"  # what a library does once, it does here
        few.write_bytes(b"".join(line + b"\n" for line in goods(1_000)))
        asyncio.run(ours(few, place(folder, "few_ours", output), size=few.stat().st_size))
        loop(few, place(folder, "few_loop", output))
        for number in range(rounds):
            for who in ("ours", "loop") if number % 2 else ("loop", "ours"):
                where = place(folder, f"{who}_{number}", output)
                began = time.perf_counter()
                if who == "ours":
                    asyncio.run(ours(spool, where, size=spool.stat().st_size))
                else:
                    loop(spool, where)
                seconds[who].append(time.perf_counter() - began)
    mean = statistics.median(seconds["ours"])
    ratio = statistics.median(
        loop / own for own, loop in zip(seconds["ours"], seconds["loop"], strict=True)
    )
    size = spool.stat().st_size / 1e6
    print(
        f"{name:10} {items / mean:10,.0f} items/s {size / mean:8,.1f} MB/s   {ratio:5.2f}x the loop"
    )
    return ratio


@contextmanager
def places(name: str) -> Iterator[Place]:
    """Return where a format's outputs are: files, or schemas of a server that is started here."""
    if name != "postgresql":
        yield lambda folder, of, end: str(Path(folder) / f"{of}-{end}")
        return
    server = start_postgres()
    try:
        yield lambda _folder, of, _end: server.schema(of)
    finally:
        server.remove()


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("formats", nargs="*", default=list(LOOPS), metavar="FORMAT")
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        spool = Path(folder) / "items.jsonl"
        with spool.open("wb") as file:
            file.writelines(line + b"\n" for line in goods(options.items))
        ratios = []
        for name in options.formats:
            with places(name) as place:
                ratios.append(
                    measured(name, spool, items=options.items, rounds=options.rounds, place=place)
                )
    sys.exit(int(min(ratios) < LEAST))


if __name__ == "__main__":
    main()
