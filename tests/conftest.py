"""What many tests need."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.databases import KINDS, Database, database_of
from tests.postgres import Postgres, start_postgres
from tests.site import Site

settings.register_profile("fuzz", max_examples=2_000, deadline=None)  # `make fuzz`


def pytest_addoption(parser: pytest.Parser) -> None:
    """`make torture` cuts files at every byte, where the tests take one of 97: 20 s, not 1."""
    parser.addoption("--every-byte", action="store_true", help="cut files at every byte")


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    """A fake site on one loopback address."""
    async with Site() as one:
        yield one


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL of the tests' own; each makes a schema of its own there."""
    server = start_postgres()
    try:
        yield server
    finally:
        server.remove()


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Database:
    """A database with nothing in it, of each kind."""
    return database_of(request.param, tmp_path, lambda: request.getfixturevalue("postgres"))
