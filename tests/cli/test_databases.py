"""Databases as `-o`, through deaths of ours and of theirs."""

import subprocess
import sys
from collections import Counter
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.cli.command import crawl, ended
from tests.cli.lives import begun, grow, killed, said_by
from tests.databases import Database
from tests.postgres import Postgres
from tests.site import Site


@pytest.fixture
def web(site: Site) -> Site:
    """A site of sixty pages, three of them missing."""
    grow(site)
    return site


def urls(database: Database) -> Counter[str]:
    return Counter(row["url"] for row in database.rows("page"))


async def test_a_killed_crawl_goes_on_and_no_row_is_lost_or_doubled(
    folder: Path, web: Site, database: Database
) -> None:
    words = ["site", "-a", f"start={web.url()}", "-o", database.output]
    await killed(folder, web, "/9", *words)
    await killed(folder, web, "/45", "site", "--resume")
    done = await crawl(folder, "site", "--resume")
    assert done.status == 0
    assert urls(database) == Counter(item["url"] for item in done.lines("items.jsonl"))
    assert len(urls(database)) == 57
    left = {path.name for path in folder.glob("x.*")}
    assert left <= {"x.db", "x.duckdb"}, "the file is complete alone"


async def test_a_server_that_dies_in_mid_crawl_is_waited_for(
    folder: Path, web: Site, postgres: Postgres
) -> None:
    output = postgres.schema("restarted")
    web.slow("/45", 1.0)
    words = ["site", "-a", f"start={web.url()}", "-o", output, "-s", "target_pause=2"]
    process = await begun(folder, web, "/20", *words)
    postgres.stop()
    try:
        said = await said_by(process, "it is tried again")
    finally:
        postgres.start()
    done = await ended(process, folder)
    assert done.status == 0, said + done.err
    assert "is there again, and catches up" in (done.run / "crawl.log").read_text()
    rows = postgres.sql("SELECT url FROM page", schema="restarted")
    assert Counter(rows) == Counter(item["url"] for item in done.lines("items.jsonl"))
    assert len(rows) == 57


@pytest.mark.parametrize(
    ("taken", "given"),
    [
        ("REVOKE INSERT ON page FROM {0}", "GRANT INSERT ON page TO {0}"),
        ("REVOKE USAGE ON SCHEMA {0} FROM {0}", "GRANT USAGE ON SCHEMA {0} TO {0}"),
        (
            "ALTER ROLE {0} PASSWORD 'another'; "
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{0}'",
            "ALTER ROLE {0} PASSWORD 's3cret!'",
        ),
    ],
    ids=["table", "schema", "password"],
)
async def test_rights_that_are_taken_in_mid_crawl_are_waited_for(
    folder: Path, web: Site, postgres: Postgres, taken: str, given: str
) -> None:
    role = f"role{len(taken)}"
    output = postgres.schema(role).replace("crawl:", f"{role}:")
    postgres.sql(f"CREATE ROLE {role} LOGIN PASSWORD 's3cret!'")
    postgres.sql(f"GRANT ALL ON SCHEMA {role} TO {role}")
    web.slow("/45", 1.0)
    words = ["site", "-a", f"start={web.url()}", "-o", output, "-s", "target_pause=2"]
    process = await begun(folder, web, "/9", *words, "-s", "concurrency=1")
    postgres.sql(taken.format(role), schema=role)
    said = await said_by(process, "it is tried again")
    postgres.sql(given.format(role), schema=role)
    done = await ended(process, folder)
    assert done.status == 0, said + done.err
    rows = postgres.sql("SELECT url FROM page", schema=role)
    assert sorted(rows) == sorted(item["url"] for item in done.lines("items.jsonl"))
    assert len(rows) == 57


async def test_a_password_is_seen_nowhere_but_in_run_json(
    folder: Path, site: Site, postgres: Postgres
) -> None:
    site.page("/")
    output = postgres.schema("secret")
    done = await crawl(folder, "site", "-a", f"start={site.url()}", "-o", output, "-v")
    assert done.status == 0
    assert f"postgresql://crawl@127.0.0.1:{postgres.port}/postgres" in done.err
    assert "s3cret" not in done.out + done.err
    holders = [
        path.name
        for path in done.run.rglob("*")
        if path.is_file() and b"s3cret" in path.read_bytes()
    ]
    assert holders == ["run.json"]
    assert (done.run / "run.json").stat().st_mode & 0o777 == 0o600


async def test_what_a_server_refuses_is_said_before_anything_is_crawled(
    folder: Path, site: Site, postgres: Postgres
) -> None:
    site.page("/")
    start = ("site", "-a", f"start={site.url()}", "-o")
    wrong = await crawl(folder, *start, postgres.url_of(password="wr0ng"))
    assert wrong.refuses('password authentication failed for user "crawl"')
    assert "wr0ng" not in wrong.err
    nobody = await crawl(folder, *start, "postgresql://crawl:s3cret!@127.0.0.1:1/x")
    assert nobody.refuses("postgresql://crawl@127.0.0.1:1/x: no server listens there")
    for password in ("a/s3cret@b", "s3cret@b"):
        unescaped = await crawl(folder, *start, f"postgresql://crawl:{password}@127.0.0.1/x")
        assert unescaped.refuses("in a URL a password has %40 for @")
    homeless = await crawl(folder, *start, postgres.url_of("nowhere"))
    assert homeless.refuses("/postgres: no schema of its search_path is there")
    assert "s3cret" not in nobody.err + unescaped.err
    assert (await crawl(folder, *start, "mysql://x/y")).refuses("unknown scheme 'mysql'")
    assert site.paths == []


@pytest.mark.parametrize("login", ["crawl:s3cret!@", ""])
async def test_a_socket_and_a_name_for_the_table(
    folder: Path, site: Site, postgres: Postgres, login: str
) -> None:
    site.page("/")
    place = f"{login}/postgres?host={quote(str(postgres.folder))}&port={postgres.port}"
    asked = f"search_path=public&user=crawl&password=s3cret!#{login[:5]}{{spider}}_{{item}}"
    output = f"postgres://{place}&{asked}"
    done = await crawl(folder, "site", "-a", f"start={site.url()}", "-o", output)
    assert done.status == 0, done.err
    assert "s3cret" not in done.err
    assert postgres.sql(f"SELECT url FROM {login[:5]}site_page") == [site.url("/")]
    assert not (folder / "postgres:").exists()


@pytest.mark.parametrize(
    ("package", "output", "extra"),
    [
        ("asyncpg", "postgresql://localhost/x", "postgres"),
        ("duckdb", "x.duckdb", "duckdb"),
        ("pyarrow", "x.duckdb", "duckdb"),
    ],
)
async def test_a_missing_package_is_named_with_what_installs_it(
    folder: Path, site: Site, package: str, output: str, extra: str
) -> None:
    blocked = f"import sys; sys.modules[{package!r}] = None; sys.argv[0] = 'crawl'; "
    script = blocked + "from crawler.__main__ import main; main()"
    words = ["site", "-a", f"start={site.url()}", "-o", output]
    command = [sys.executable, "-c", script, *words]
    done = subprocess.run(command, check=False, cwd=folder, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"{output} needs an extra: pip install 'crawlkeeper[{extra}]'" in done.stderr


async def test_a_file_that_is_no_database_is_refused_or_replaced(folder: Path, site: Site) -> None:
    site.page("/")
    start = ("site", "-a", f"start={site.url()}")
    for name in ("x.db", "x.duckdb"):
        (folder / name).write_text("a letter of mine\n" * 100)
        for flags, words in (((), "exists"), (("--append",), "database")):
            done = await crawl(folder, *start, "-o", name, *flags)
            assert done.refuses(words), done.err
        (folder / f"{name}-wal").write_text("of another time")
    done = await crawl(folder, *start, "-o", "x.db", "-o", "x.duckdb", "--overwrite")
    assert done.status == 0, done.err
