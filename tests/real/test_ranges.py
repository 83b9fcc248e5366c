"""nginx, and a file of it that broke off: the ranges of a server that nobody here wrote."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from benchmarks.sites import nginx_path, serve
from crawler.export.media import MediaFiles
from crawler.media import Wanted
from tests.fetch.test_streaming import file, opened

BODY = bytes(range(256)) * 20_000

pytestmark = pytest.mark.skipif(
    not nginx_path(), reason="apt-get install -y --no-install-recommends nginx-light"
)


@pytest.fixture
def root() -> Iterator[Path]:
    """A folder that nginx, which may be another user, can read."""
    with TemporaryDirectory(prefix="ranges-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def tag_of(path: Path) -> str:
    """The ETag that nginx gives a file."""
    there = path.stat()
    return f'"{int(there.st_mtime):x}-{there.st_size:x}"'


@pytest.mark.parametrize(("changes", "status"), [(False, "206"), (True, "200")])
async def test_a_part_goes_on_and_of_a_changed_file_nothing_does(
    root: Path, tmp_path: Path, changes: bool, status: str
) -> None:
    log, served = tmp_path / "access.log", root / "a.bin"
    served.write_bytes(BODY)
    tag = tag_of(served)
    if changes:
        served.write_bytes(BODY[::-1] + b"!")
    with serve(root, addresses=1, log=log) as (start,):
        url = f"{start}a.bin"
        async with MediaFiles(tmp_path / "media") as store, store.part(url, Wanted()) as part:
            await part.begin(validator=tag, total=len(BODY))
            await part.write(BODY[:2_000_000])
        async with opened(tmp_path) as fetch:
            one = await file(fetch, url)
    assert one.sha256 == hashlib.sha256(served.read_bytes()).hexdigest()
    assert [line.split()[2] for line in log.read_text().splitlines()] == [status]
