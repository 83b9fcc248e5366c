"""What holds for every database."""

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
import pytest
from msgspec import structs

from crawler.errors import OutputError, TargetError, TargetUnfit
from crawler.export.targets import Source, plan
from crawler.items import Item
from crawler.outcome import Mark
from crawler.protocols import Follower
from crawler.records.streams import Streams, streams_of
from crawler.settings import Settings
from tests.databases import Database

UNTYPED = streams_of([])


class Book(Item, key="isbn"):
    isbn: str | None
    price: float | None = None


class Author(Item):
    name: str


class Inner(Item):
    n: int
    tags: list[str] = []


class Rich(Item):
    flag: bool
    whole: int
    real: float
    exact: Decimal
    text: str
    raw: bytes
    at: datetime
    day: date
    uid: UUID
    some: list[int]
    inner: Inner
    scores: dict[str, float]
    either: int | str | None = None


def lines_of(items: Sequence[dict[str, Any]]) -> list[bytes]:
    return [json.dumps(item, ensure_ascii=False).encode() for item in items]


async def opened(
    database: Database,
    streams: Streams,
    *,
    run: str = "one",
    mark: Mark | None = None,
    through: str | None = None,
    **how: Any,
) -> Follower:
    """Plan and open a target; `through` is another way to the same database, once it is planned."""
    (target,) = plan([database.output], streams=streams, **how).targets
    if through is not None:
        target = structs.replace(target, path=f"{through}#{{item}}")
    return await target.open(Source("run", streams, Settings(), identity=run), mark)


async def written(
    database: Database,
    streams: Streams,
    *batches: Sequence[dict[str, Any]],
    run: str = "one",
    **how: Any,
) -> None:
    """What a run does that ends in good order."""
    follower = await opened(database, streams, run=run, **how)
    cursor = follower.mark.cursor
    try:
        for batch in batches:
            lines = lines_of(batch)
            cursor += sum(map(len, lines)) + len(lines)
            await follower.follow(lines, cursor)
        await follower.finish()
        assert follower.mark == Mark(cursor)
    finally:
        await follower.aclose()


def plain(value: Any) -> Any:
    """A value of any of the three as JSON has it."""
    if isinstance(value, str) and value[:1] in ("[", "{", '"'):
        return json.loads(value)
    return value


async def test_items_of_a_type_are_rows_of_its_columns(database: Database) -> None:
    item = Rich(
        flag=True, whole=2**62, real=0.1, exact=Decimal("12.50"), text="é\u2028\x01", raw=b"\0\xff",
        at=datetime(2024, 2, 29, 12, tzinfo=UTC), day=date(2024, 2, 29), uid=UUID(int=7),
        some=[1, 2], inner=Inner(n=1, tags=["a", 'b"']), scores={"x": 1.5}, either="q",
    )  # fmt: skip
    follower = await opened(database, streams_of([Rich]))
    await follower.follow([msgspec.json.encode(item)], 10)
    await follower.finish()
    await follower.aclose()
    names = ", ".join(f'"{name}"' for name in Rich.__struct_fields__ if name not in ("at", "raw"))
    (row,) = database.read(f"SELECT {names} FROM rich")
    assert [row["flag"], row["whole"], row["real"]] == [True, 2**62, 0.1]
    assert Decimal(str(row["exact"])) == Decimal("12.5")
    assert row["text"] == "é\u2028\x01"
    assert str(row["day"]) == "2024-02-29"
    assert str(row["uid"]) == str(UUID(int=7))
    assert plain(row["some"]) == [1, 2]
    assert plain(row["inner"]) == {"n": 1, "tags": ["a", 'b"']}
    assert plain(row["scores"]) == {"x": 1.5}
    assert plain(row["either"]) == "q"
    as_bytes = {"sqlite": "hex(raw)", "duckdb": "hex(raw)", "postgres": "encode(raw, 'hex')"}
    (raw,) = database.read(f"SELECT {as_bytes[database.kind]} AS raw FROM rich")
    assert raw["raw"].lower() == "00ff"
    shown = {
        "sqlite": '"at"',
        "duckdb": 'epoch("at")',
        "postgres": 'extract(epoch FROM "at")',
    }
    (at,) = database.read(f'SELECT {shown[database.kind]} AS "at" FROM rich')
    assert at["at"] in ("2024-02-29T12:00:00Z", 1709208000)


async def test_the_last_item_of_a_key_is_the_row_also_within_a_batch(database: Database) -> None:
    first = [{"isbn": "1", "price": 1.0}, {"isbn": "2", "price": 2.0}, {"isbn": "1", "price": 3.0}]
    await written(database, streams_of([Book]), first, [{"isbn": "2", "price": None}])
    assert database.rows("book") == [
        {"isbn": "1", "price": 3.0},
        {"isbn": "2", "price": None},
    ]


async def test_items_whose_key_is_null_are_all_kept(database: Database) -> None:
    nameless = [{"isbn": None, "price": 1.0}, {"isbn": None, "price": 1.0}]
    await written(database, streams_of([Book]), nameless, nameless)
    assert len(database.rows("book")) == 4


async def test_each_type_has_its_table(database: Database) -> None:
    streams = streams_of([Book, Author])
    lines = [
        b'{"_type":"book","isbn":"1","price":1.0}',
        b'{"_type":"author","name":"A"}',
        b'{"_type":"author","name":"A"}',
    ]
    follower = await opened(database, streams)
    await follower.follow(lines, 10)
    await follower.finish()
    await follower.aclose()
    assert [row["isbn"] for row in database.rows("book")] == ["1"]
    assert [row["name"] for row in database.rows("author")] == ["A", "A"]


async def test_a_run_goes_on_from_where_the_database_says(database: Database) -> None:
    follower = await opened(database, UNTYPED)
    await follower.follow([b'{"a":1}'], 8)
    await follower.aclose()  # as a kill leaves it: not finished
    follower = await opened(database, UNTYPED, append=True, mark=Mark(0))
    assert follower.mark == Mark(8)
    await follower.follow([b'{"a":2}'], 16)
    await follower.finish()
    await follower.aclose()
    assert [row["a"] for row in database.rows("item")] == [1, 2]


async def test_what_failed_half_way_leaves_neither_rows_nor_cursor(database: Database) -> None:
    follower = await opened(database, streams_of([Book]))
    with pytest.raises(TargetUnfit, match="no item that fits"):
        await follower.follow([b'{"isbn":"1"}', b"[1]"], 20)
    await follower.aclose()
    assert database.read("SELECT cursor FROM crawler_cursors") == [{"cursor": 0}]
    assert database.rows("book") == []


async def test_two_followers_of_one_run_never_add_the_same_items(database: Database) -> None:
    one = await opened(database, UNTYPED)
    other = await opened(database, UNTYPED, append=True)
    await one.follow([b'{"a":1}'], 8)
    with pytest.raises(TargetError, match="another process added items of this run"):
        await other.follow([b'{"a":1}'], 8)
    await one.aclose()
    await other.aclose()
    assert len(database.rows("item")) == 1


ODD: list[dict[str, Any]] = [
    {"a": 1}, {"a": 2.5}, {"a": 2**70}, {"a": "text"}, {"a": [1, {"b": None}]}, {"a": None},
    {"A": "other"}, {"": 3}, {'q"uo\\te\n': 4}, {"select": True}, {"rowid": 6}, {"ctid": 7},
    {"x" * 200: 8}, {"x" * 200 + "y": 9}, {"é": 10}, {"É": 11}, {"nothing": None}, {}, {"a\0": 12},
    {"crawler_row": 13}, {"a b": {}}, {"_0cc175b9c0f1": 14},
]  # fmt: skip


@pytest.mark.parametrize("at_once", [False, True], ids=["item by item", "in one batch"])
async def test_whatever_keys_and_values_items_have_none_is_lost(
    database: Database, at_once: bool
) -> None:
    await written(database, UNTYPED, *([ODD] if at_once else [[item] for item in ODD]))
    rows = database.rows("item")
    found = [[plain(value) for value in row.values() if value is not None] for row in rows]
    assert len(rows) == len(ODD)
    wanted = [[value for value in item.values() if value is not None] for item in ODD]
    told = sorted(repr(_number(values)) for values in found)
    assert told == sorted(repr(_number(values)) for values in wanted)


def _number(values: Sequence[Any]) -> list[Any]:
    """Numbers as numbers, also those that a column of JSON shows as text."""
    shown = []
    for value in values:
        try:
            shown.append(Decimal(str(value)).normalize() if value is not True else Decimal(1))
        except ArithmeticError:
            shown.append(value)
    return shown


async def test_nul_in_text_is_kept_or_replaced(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    batch = [{"a": "x\0y", "b": {"c": "\0"}, "d": "\\u0000"}]
    await written(database, UNTYPED, batch, batch)
    size = "length(a)" if database.kind != "sqlite" else "length(CAST(a AS BLOB))"
    rows = database.read(f"SELECT {size} AS a, d FROM item")
    assert rows == [{"a": 3, "d": "\\u0000"}] * 2
    assert len(caplog.records) == (database.kind == "postgres")


async def test_integers_beyond_64_bits_keep_every_digit(database: Database) -> None:
    class Count(Item):
        n: int

    await written(database, streams_of([Count]), [{"n": 1}], [{"n": 10**29 + 1}], [{"n": 2**60}])
    rows = database.read("SELECT CAST(n AS text) AS n FROM count")
    assert sorted(row["n"] for row in rows) == sorted(["1", str(10**29 + 1), str(2**60)])


async def test_large_integers_survive_floats_in_their_column(database: Database) -> None:
    await written(database, UNTYPED, [{"n": 2**53 + 1}], [{"n": 0.5}], [{"n": 2**60 + 1}])
    rows = database.read("SELECT CAST(n AS text) AS n FROM item")
    assert sorted(row["n"] for row in rows) == ["0.5", str(2**60 + 1), str(2**53 + 1)]


async def test_items_with_keys_without_end_stop_the_target(database: Database) -> None:
    follower = await opened(database, UNTYPED)
    with pytest.raises(TargetUnfit, match="more than 1,000 keys"):
        await follower.follow(lines_of([{f"k{number}": 1 for number in range(1001)}]), 10)
    await follower.aclose()


async def test_several_hundred_columns_are_no_trouble(database: Database) -> None:
    item = {f"k{number}": number for number in range(900)}
    await written(database, UNTYPED, [item, item])
    assert database.rows("item") == [item, item]


async def test_several_runs_add_to_one_database(database: Database) -> None:
    for run in ("one", "two"):
        await written(database, streams_of([Author]), [{"name": run}], run=run, append=True)
    assert [row["name"] for row in database.rows("author")] == ["one", "two"]


async def test_a_table_that_is_there_is_refused(database: Database) -> None:
    await written(database, streams_of([Author]), [{"name": "A"}])
    with pytest.raises(OutputError, match="exists; use --overwrite or --append"):
        await opened(database, streams_of([Author]), run="two")


async def test_overwriting_replaces_the_table_once(database: Database) -> None:
    await written(database, UNTYPED, [{"old": 1}])
    follower = await opened(database, UNTYPED, run="two", overwrite=True)
    await follower.follow([b'{"new":1}'], 10)
    await follower.aclose()
    follower = await opened(database, UNTYPED, run="two", overwrite=True)  # killed, and resumed
    assert follower.mark == Mark(10)
    await follower.finish()
    await follower.aclose()
    assert database.rows("item") == [{"new": 1}]


async def test_a_table_gets_the_columns_that_are_missing(database: Database) -> None:
    database.run("CREATE TABLE book (own text, isbn text); INSERT INTO book VALUES ('x', '1')")
    await written(database, streams_of([Book]), [{"isbn": "1", "price": 2.5}], append=True)
    assert database.rows("book") == [{"own": "x", "isbn": "1", "price": 2.5}]


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        (
            "isbn integer, price double precision",
            r"table book: column 'isbn' is (?i:integer), the items need",
        ),
        (
            "isbn text, price text",
            r"table book: column 'price' is (?i:text|varchar), the items need",
        ),
    ],
)
async def test_a_table_with_a_column_of_another_type_is_refused_by_name(
    database: Database, columns: str, words: str
) -> None:
    database.run(f"CREATE TABLE book ({columns})")
    with pytest.raises(OutputError, match=words):
        await opened(database, streams_of([Book]), append=True)


async def test_a_run_whose_table_others_replaced_does_not_go_on(database: Database) -> None:
    await written(database, UNTYPED, [{"a": 1}])
    database.run("DELETE FROM crawler_cursors")
    with pytest.raises(TargetUnfit, match="table item has nothing of this run any more"):
        await opened(database, UNTYPED, append=True, mark=Mark(8))


async def test_a_run_whose_table_is_gone_does_not_go_on(database: Database) -> None:
    await written(database, UNTYPED, [{"a": 1}])
    database.run("DROP TABLE item")
    with pytest.raises(TargetUnfit, match="table item is gone"):
        await opened(database, UNTYPED, append=True, mark=Mark(8))


async def test_types_of_the_same_names_as_ours_have_tables_of_their_own(
    database: Database,
) -> None:
    class CrawlerCursors(Item):
        cursor: int

    await written(database, streams_of([CrawlerCursors]), [{"cursor": 5}])
    assert database.read("SELECT count(*) AS n FROM crawler_cursors") == [{"n": 1}]
