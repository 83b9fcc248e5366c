"""The ways in which a URL, and what stands around it, name a PostgreSQL database."""

import os
from pathlib import Path
from urllib.parse import quote

import pytest

from crawler.errors import TargetError
from crawler.export.databases.postgres import PostgresSession
from crawler.export.databases.urls import for_server, planned, split, without_password
from crawler.export.databases.wanted import Wanted
from crawler.export.remote import scheme_of
from crawler.records.streams import streams_of
from tests.postgres import Postgres


@pytest.fixture
def outside(
    postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> pytest.MonkeyPatch:
    """No variables of PostgreSQL's but a file of passwords, which has the right one."""
    for name in [name for name in os.environ if name.startswith("PG")]:
        monkeypatch.delenv(name)
    (tmp_path / "pass").write_text("*:*:*:crawl:s3cret!\n")
    (tmp_path / "pass").chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "pass"))
    return monkeypatch


async def asked(url: str, postgres: Postgres, sql: str = "SELECT current_user::text") -> str:
    folder = quote(str(postgres.folder), safe="")
    where = url.format(port=postgres.port, folder=folder)
    session = await PostgresSession.open(Wanted(where, "x", streams_of(())))
    try:
        return str(await session._connection.fetchval(sql))
    finally:
        await session.aclose()


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://crawl:s3cret!@127.0.0.1:{port}/postgres",
        "postgres://crawl:s3cret%21@localhost:{port}/postgres",
        "postgresql://crawl@127.0.0.1:{port}/postgres",
        "postgresql://crawl@127.0.0.1:{port}/postgres?sslmode=disable",
        "postgresql://crawl@127.0.0.1:{port}/postgres?sslmode=prefer&application_name=me",
        "postgresql://crawl@127.0.0.1:{port}/postgres?channel_binding=prefer&connect_timeout=5",
        "postgresql://crawl@127.0.0.1:1,127.0.0.1:{port}/postgres",
        "postgresql:///postgres?host={folder}&port={port}&user=crawl",
        "postgresql://crawl@{folder}:{port}/postgres",
        "postgresql://?host=127.0.0.1&port={port}&user=crawl&dbname=postgres&password=s3cret!",
    ],
)
async def test_a_url_leads_to_its_database(
    postgres: Postgres, outside: pytest.MonkeyPatch, url: str
) -> None:
    assert await asked(url, postgres) == "crawl"


async def test_what_a_url_leaves_out_comes_from_the_environment(
    postgres: Postgres, outside: pytest.MonkeyPatch
) -> None:
    named = {"PGHOST": "127.0.0.1", "PGPORT": str(postgres.port), "PGUSER": "crawl"}
    for name, value in {**named, "PGDATABASE": "template1"}.items():
        outside.setenv(name, value)
    assert await asked("postgresql://", postgres, "SELECT current_database()::text") == "template1"


async def test_options_reach_the_server(postgres: Postgres, outside: pytest.MonkeyPatch) -> None:
    url = "postgresql://crawl@127.0.0.1:{port}/postgres?options=-c%20search_path%3Dthere"
    assert await asked(url, postgres, "SHOW search_path") == "there"


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("nowhere", 'database "nowhere" does not exist'),
        ("postgres?sslmode=require", "SSL"),
        ("postgres?sslmode=perhaps", "must be one of"),
        ("postgres?no_such_thing=1", "no_such_thing"),
    ],
)
async def test_what_is_wrong_with_a_url_is_said(
    postgres: Postgres, outside: pytest.MonkeyPatch, more: str, words: str
) -> None:
    with pytest.raises(TargetError, match=words):
        await asked("postgresql://crawl@127.0.0.1:{port}/" + more, postgres)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://", "postgresql://"),
        ("postgresql:///x", "postgresql:///x"),
        ("postgres://me:pw@h/x?sslmode=require#t", "postgres://me@h/x#t"),
        ("postgresql:///x?host=/run/pg&password=pw", "postgresql:///x?host=/run/pg"),
    ],
)
def test_a_url_stays_one_with_or_without_a_host(text: str, shown: str) -> None:
    url = planned(text, names={}, several=False)
    assert (scheme_of(url), without_password(url)) == (text.partition(":")[0], shown)
    assert split(url)[0] == text.partition("#")[0]


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("channel_binding=require", ["channel_binding=require is not heeded"]),
        ("channel_binding=prefer&connect_timeout=5", []),
    ],
)
def test_what_would_have_made_a_connection_safer_is_told(
    caplog: pytest.LogCaptureFixture, asked: str, told: list[str]
) -> None:
    assert for_server(f"postgresql://h/d?sslmode=require&{asked}") == (
        "postgresql://h/d?sslmode=require"
    )
    assert [line.partition(",")[0] for line in caplog.messages] == told
