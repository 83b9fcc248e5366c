"""Debian's Python documentation, archived, and read back by programs that are not ours."""

import json
from pathlib import Path
from urllib.parse import unquote

import pytest
from fastwarc.warc import ArchiveIterator, WarcRecordType

from benchmarks.sites import nginx_path, serve
from crawler import crawl
from crawler.records.page_index import Place
from tests.cli.command import lines
from tests.export.archives import archives, is_sound, member_at, records
from tests.real.test_python_docs import DOCS, Docs

PAGES = 120
INSTALL = "apt-get install -y --no-install-recommends nginx-light python3-doc"

pytestmark = pytest.mark.skipif(not (nginx_path() and DOCS.is_dir()), reason=INSTALL)


@pytest.mark.parametrize("gzip", [False, True])
async def test_each_page_replays_as_the_file_that_it_is(tmp_path: Path, gzip: bool) -> None:
    with serve(DOCS.resolve(), addresses=1, gzip=gzip) as (start,):
        report = await crawl(
            Docs(start),
            output_dir=str(tmp_path),
            pages="warc",
            warc_bytes=1_000_000,
            max_pages=PAGES,
            min_free_bytes=0,
        )
    assert report.pages == PAGES
    run = Path(str(report.folder))
    files = archives(run)
    assert len(files) > 1
    assert is_sound(*files)

    def on_disk(url: str) -> bytes:
        path = unquote(url.removeprefix(start)) or "index.html"
        return (DOCS / path).read_bytes()

    responses = [one for one in records(*files) if one.type == "response"]
    replayed = {one.url: one.payload for one in responses if " 200 OK\r\n" in one.head}
    # The front page has two URLs, / and /index.html: the second is a revisit.
    seen = {page["url"] for page in lines(run / "pages.jsonl")}
    assert len(seen) == PAGES
    assert seen - replayed.keys() <= {start, f"{start}index.html"}
    for url, payload in replayed.items():
        assert payload == on_disk(url), url
    chunked = [one for one in responses if "X-Orig-Transfer-Encoding: chunked" in one.head]
    assert bool(chunked) == gzip

    for file in files:
        for record in ArchiveIterator(str(file), WarcRecordType.response, auto_decode="all"):
            if record.http_headers.status_code == 200:
                url = record.headers["WARC-Target-URI"]
                assert record.reader.read() == replayed[url], url

    for line in (run / "warc" / "index.cdxj").read_text().splitlines():
        fields = json.loads(line.split(" ", 2)[2])
        place = Place(f"warc/{fields['filename']}", int(fields["offset"]), int(fields["length"]))
        assert f"WARC-Target-URI: {fields['url']}\r\n".encode() in member_at(run, place)
