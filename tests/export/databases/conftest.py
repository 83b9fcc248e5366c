"""Each database, as the contract wants it."""

import json
import subprocess
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.postgres import Postgres

_NUMBERS = count(1)


class Database:
    """A database that `-o` names, read back by another program than wrote it."""

    def __init__(self, kind: str, output: str, read: Callable[[str], list[dict[str, Any]]]) -> None:
        self.kind = kind
        self.output = output
        self.read = read

    def rows(self, table: str, order: str = "1") -> list[dict[str, Any]]:
        """Return the rows of a table; JSON is read, so that all three look alike."""
        return self.read(f"SELECT * FROM {table} ORDER BY {order}")

    def run(self, sql: str) -> None:
        """Run SQL of a user's own."""
        if self.kind == "sqlite":
            subprocess.run(["sqlite3", self.output, sql], check=True)
        elif self.kind == "duckdb":
            with duckdb.connect(self.output) as connection:
                connection.execute(sql)
        else:
            self.read(sql)


def sqlite_cli(path: Path) -> Callable[[str], list[dict[str, Any]]]:
    def read(sql: str) -> list[dict[str, Any]]:
        done = subprocess.run(
            ["sqlite3", "-json", str(path), sql], check=True, capture_output=True, text=True
        )
        rows: list[dict[str, Any]] = json.loads(done.stdout or "[]")
        return rows

    return read


def duckdb_reader(path: Path) -> Callable[[str], list[dict[str, Any]]]:
    def read(sql: str) -> list[dict[str, Any]]:
        with duckdb.connect(str(path), read_only=True) as connection:
            found = connection.execute(sql)
            names = [column[0] for column in found.description or ()]
            return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    return read


def psql(server: Postgres, name: str) -> Callable[[str], list[dict[str, Any]]]:
    def read(sql: str) -> list[dict[str, Any]]:
        if not sql.startswith("SELECT"):
            server.sql(sql, schema=name)
            return []
        rows = server.sql(f"SELECT row_to_json(t) FROM ({sql}) t", schema=name)
        return [json.loads(row) for row in rows]

    return read


KINDS: Sequence[str] = ("sqlite", "duckdb", "postgres")


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database with nothing in it."""
    kind: str = request.param
    if kind == "sqlite":
        path = tmp_path / "x.db"
        yield Database(kind, str(path), sqlite_cli(path))
    elif kind == "duckdb":
        path = tmp_path / "x.duckdb"
        yield Database(kind, str(path), duckdb_reader(path))
    else:
        server: Postgres = request.getfixturevalue("postgres")
        name = f"contract{next(_NUMBERS)}"
        yield Database(kind, server.schema(name), psql(server, name))
