"""Each database that `-o` names, read back by another program than wrote it."""

import json
import shutil
import subprocess
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.postgres import Postgres

_NUMBERS = count(1)


class Database:
    """A database: `output` is what `-o` is given."""

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
            import duckdb

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
    import duckdb

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


KINDS = ("sqlite", "duckdb", "postgres")


def database_of(kind: str, folder: Path, server: Callable[[], Postgres]) -> Database:
    """Return a database of a kind with nothing in it; the server is asked for where it is one."""
    if kind == "sqlite":
        if shutil.which("sqlite3") is None:
            pytest.skip("needs sqlite3: apt-get install sqlite3")
        path = folder / "x.db"
        return Database(kind, str(path), sqlite_cli(path))
    if kind == "duckdb":
        path = folder / "x.duckdb"
        return Database(kind, str(path), duckdb_reader(path))
    name = f"contract{next(_NUMBERS)}"
    return Database(kind, server().schema(name), psql(server(), name))
