"""`-o s3://…`, `gs://…`, `sftp://…`: whole there, or absent."""

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from aiohttp import web

from tests.cli.command import crawl
from tests.cli.lives import grow, kept, killed
from tests.site import Site
from tests.stores import Store, gcs, s3, sftp

READ = """
import json, sys, warnings, logging
logging.disable(logging.CRITICAL)
import fsspec
system, name = fsspec.url_to_fs(sys.argv[1])
print(json.dumps({name: system.cat(name).decode() for name in system.find(name)}))
"""


def there(store: Store, folder: str = "") -> dict[str, str]:
    """Return what fsspec, in a process of its own, finds in a store, by name."""
    done = subprocess.run(
        [sys.executable, "-c", READ, store.url + folder],
        env={**os.environ, **store.environment},
        check=True,
        capture_output=True,
    )
    texts: Mapping[str, str] = json.loads(done.stdout)
    return {name.rpartition("/")[2]: text for name, text in texts.items()}


def urls(texts: Mapping[str, str]) -> list[str]:
    rows = [row for text in texts.values() for row in csv.DictReader(io.StringIO(text))]
    return sorted(row["url"] for row in rows)


@pytest.fixture(scope="module")
def bucket() -> Iterator[Store]:
    with s3() as store:
        yield store


@pytest.fixture(scope="module", params=["s3", "gcs", "sftp"])
def store(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Store]:
    folder = tmp_path_factory.mktemp("sftp")
    opened: dict[str, Callable[[], AbstractContextManager[Store]]] = {
        "s3": s3,
        "gcs": gcs,
        "sftp": lambda: sftp(folder),
    }
    with opened[request.param]() as store:
        yield store


async def test_a_file_is_there_when_the_crawl_is_over_and_not_replaced_unasked(
    folder: Path, small: Site, store: Store
) -> None:
    words = ["site", "-a", f"start={small.url()}", "-o", store.url + "one/x.csv"]
    done = await crawl(folder, *words, **store.environment)
    assert done.status == 0, done.err
    assert urls(there(store, "one")) == sorted(map(small.url, small.paths))
    assert list(there(store, "one")) == ["x.csv"]
    assert "secret" not in done.err + (done.run / "stats.json").read_text()
    again = await crawl(folder, *words, **store.environment)
    assert (again.status, "x.csv: exists; use --overwrite" in again.err) == (2, True)


async def test_parts_are_there_one_by_one_and_nothing_twice_after_a_kill(
    folder: Path, site: Site, bucket: Store
) -> None:
    grow(site)
    target = bucket.url + "parts/{item}-{part:03}.csv"
    words = ["site", "-a", f"start={site.url()}", "-o", target, "-s", "part_items=10"]
    with pytest.MonkeyPatch.context() as patch:
        for name, value in bucket.environment.items():
            patch.setenv(name, value)
        await killed(folder, site, "/40", *words, "-s", "concurrency=1")
        done = await crawl(folder, "site", "--resume")
    assert done.status == 0, done.err
    texts = there(bucket, "parts")
    assert sorted(texts) == [f"page-00{n}.csv" for n in range(1, 7)]
    assert urls(texts) == sorted(item["url"] for item in done.lines("items.jsonl"))
    assert kept(done.run)["items"].total() == 57
    assert not [path for path in (done.run / "uploads").rglob("*") if path.is_file()][1:]
    words[-1] = "part_items=50"
    again = await crawl(folder, *words, **bucket.environment)
    assert again.status == 2
    assert "parts/page-001.csv: exists; use --overwrite" in again.err


async def test_a_file_of_others_is_replaced_if_that_is_asked_for(
    folder: Path, small: Site, bucket: Store
) -> None:
    words = ["site", "-a", f"start={small.url()}", "-o", bucket.url + "y.csv", "--overwrite"]
    for start, items in ((small.url(), 20), (small.url("/1"), 1)):
        words[2] = f"start={start}"
        assert (await crawl(folder, *words, **bucket.environment)).status == 0
        assert len(urls(there(bucket, "y.csv"))) == items


async def test_parts_of_others_that_nothing_replaces_go(
    folder: Path, small: Site, bucket: Store
) -> None:
    target = bucket.url + "again/{part}.csv"
    words = ["site", "-a", f"start={small.url()}", "-o", target, "-s", "part_items=7"]
    assert (await crawl(folder, *words, **bucket.environment)).status == 0
    assert sorted(there(bucket, "again")) == ["1.csv", "2.csv", "3.csv"]
    words[-1] = "part_items=20"
    done = await crawl(folder, *words, "--overwrite", **bucket.environment)
    assert done.status == 0, done.err
    texts = there(bucket, "again")
    assert (sorted(texts), len(urls(texts))) == (["1.csv"], 20)


async def test_a_store_that_went_away_leaves_status_3_and_a_resume_delivers(
    folder: Path, small: Site
) -> None:
    with s3() as store:
        words = ["-a", f"start={small.url()}", "-o", store.url + "x.csv", "-s", "target_pause=0.2"]
        with s3() as other:  # the same bucket, and gone when the crawl ends
            first = {**store.environment, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{other.port}"}

            async def go(_: web.BaseRequest) -> web.Response:
                other.process.kill()
                return web.Response(text="<p>last", content_type="text/html")

            small.handle("/18", go)
            done = await crawl(folder, "site", *words, **first)
            assert done.status == 3
            assert "s3://books/x.csv: " in done.err
            assert len(done.lines("items.jsonl")) == 20
        assert there(store) == {}
        again = await crawl(folder, "site", "--resume", **store.environment)
        assert again.status == 0, again.err
        assert urls(there(store)) == sorted(map(small.url, small.paths))


async def test_what_is_missing_is_said_with_the_line_to_install_it(
    folder: Path, small: Site
) -> None:
    blocked = "import sys; sys.modules['s3fs'] = None; sys.argv[0] = 'crawl'; "
    script = blocked + "from crawler.__main__ import main; main()"
    words = ["site", "-a", f"start={small.url()}", "-o", "s3://books/x.csv"]
    command = [sys.executable, "-c", script, *words]
    done = subprocess.run(command, check=False, cwd=folder, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert "s3://books/x.csv needs an extra: pip install 'crawlkeeper[s3]'" in done.stderr


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("ftp://h/x.csv", "unknown scheme 'ftp'; did you mean 'sftp'?; known are s3, gs, az, sftp"),
        ("s3://b/x", "s3://b/x: expected a suffix that says the format"),
        ("s3://b/{who}.csv", "unknown name 'who'"),
        ("s3:///x.csv", "s3:///x.csv: has no bucket"),
        ("sftp://me:secret@[::1/x.csv", "sftp://…: Invalid IPv6 URL"),
        ("postgresql://[x", "postgresql://…: Invalid IPv6 URL"),
    ],
)
async def test_a_url_that_leads_nowhere_is_refused(
    folder: Path, small: Site, name: str, words: str
) -> None:
    done = await crawl(folder, "site", "-a", f"start={small.url()}", "-o", name)
    assert done.refuses(words)


async def test_uploads_cannot_be_added_to(folder: Path, small: Site) -> None:
    words = ["-a", f"start={small.url()}", "-o", "s3://books/x.csv", "--append"]
    done = await crawl(folder, "site", *words)
    assert done.refuses("what is uploaded cannot be added to")
