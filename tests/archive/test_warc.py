"""WARC files answer, whoever wrote them, and whatever became of them since."""

import asyncio
import gzip
import logging
import random
import re
import shutil
import sys
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import brotli  # type: ignore[import-untyped]  # it has no stubs
import pytest
from warcio.statusandheaders import StatusAndHeaders  # type: ignore[import-untyped]  # the same
from warcio.warcwriter import WARCWriter  # type: ignore[import-untyped]  # the same

from crawler import crawl
from crawler.archive.archive import Archive
from crawler.archive.sources import sources_of
from crawler.errors import FetchError, MissingExtra, NotStored, RunError
from crawler.fetch.stored import decoded
from crawler.records.page_index import digest_of
from tests.archive.test_replay import Look, live, outcome, strange
from tests.cli.command import lines
from tests.site import Site

URL = "http://a.example/"
LIMIT = 100_000


class Writer:
    """Writes a WARC file with warcio."""

    def __init__(self, path: Path, *, gzip: bool = True) -> None:
        self.path = path
        self._file = path.open("wb")
        self._writer = WARCWriter(self._file, gzip=gzip, warc_version="WARC/1.1")

    def __enter__(self) -> "Writer":
        self._writer.write_record(self._writer.create_warcinfo_record(self.path.name, {"a": "b"}))
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(
        self,
        url: str,
        body: bytes = b"",
        *,
        status: str = "200 OK",
        headers: Mapping[str, str] = {},  # nobody changes it
        kind: str = "response",
        day: int = 1,
        **named: Any,
    ) -> str:
        """Write one record, with further WARC headers; return its id."""
        more = {"WARC-Date": f"2026-01-{day:02}T00:00:00Z"}
        more |= {f"WARC-{name.replace('_', '-')}": str(value) for name, value in named.items()}
        http = None
        if kind in ("response", "revisit"):
            fields = {"Content-Type": "text/html", **headers}
            http = StatusAndHeaders(status, list(fields.items()), protocol="HTTP/1.1")
        if kind == "request":
            http = StatusAndHeaders(
                f"{status} HTTP/1.1", list(headers.items()), is_http_request=True
            )
        record = self._writer.create_warc_record(
            url,
            kind,
            payload=BytesIO(body),
            length=len(body),
            http_headers=http,
            warc_headers_dict=more,
            warc_content_type=headers.get("Content-Type", "") if kind == "resource" else "",
        )
        self._writer.write_record(record)
        return str(record.rec_headers.get_header("WARC-Record-ID"))


def asked(path: Path, url: str = URL, **request: Any) -> tuple[int, bytes] | str:
    """What a WARC file answers: status and decoded body, or the kind of its failure."""
    archive = Archive(sources_of([str(path)]))
    archive.open()
    try:
        answer = archive.ask(url, limit=LIMIT, **request)
        if answer is None:
            raise NotStored("")
        return answer.status, decoded(answer, limit=LIMIT)
    except FetchError as error:
        return error.kind
    finally:
        archive.close()


CHUNKED = {"Transfer-Encoding": "chunked"}
BODIES: dict[str, tuple[Mapping[str, str], bytes, bytes]] = {
    "plain": ({}, b"<p>x", b"<p>x"),
    "empty": ({}, b"", b""),
    "gzip": ({"Content-Encoding": "gzip"}, gzip.compress(b"<p>x"), b"<p>x"),
    "br": ({"content-encoding": "br"}, brotli.compress(b"<p>x"), b"<p>x"),
    "decoded before": ({"Content-Encoding": "gzip"}, b"<p>x", b"<p>x"),
    "chunked": (CHUNKED, b"3\r\n<p>\r\n1;a=b\r\nx\r\n0\r\nX: y\r\n\r\n", b"<p>x"),
    "chunked, cut": (CHUNKED, b"3\r\n<p>\r\n9\r\nx", b"<p>x"),
    "no chunks": (CHUNKED, b"<p>x", b"<p>x"),
    "chunked gzip": (
        {**CHUNKED, "Content-Encoding": "gzip"},
        b"%x\r\n%b\r\n0\r\n\r\n" % (len(gzip.compress(b"<p>x")), gzip.compress(b"<p>x")),
        b"<p>x",
    ),
    "a lying length": ({"Content-Length": "99999999"}, b"<p>x", b"<p>x"),
}


@pytest.mark.parametrize("compressed", [True, False], ids=["gz", "plain"])
@pytest.mark.parametrize("name", BODIES)
def test_a_body_comes_without_its_codings(tmp_path: Path, name: str, compressed: bool) -> None:
    headers, stored, body = BODIES[name]
    with Writer(tmp_path / "x.warc", gzip=compressed) as file:
        file.add("http://b.example/", b"another")
        file.add(URL, stored, headers=headers)
        file.add("http://c.example/", b"another")
    assert asked(file.path) == (200, body)


def test_the_newest_answer_counts_also_of_several_files(tmp_path: Path) -> None:
    for name, days in {"a": (3, 9), "b": (7, 5)}.items():
        with Writer(tmp_path / f"{name}.warc.gz") as file:
            for day in days:
                file.add(URL, b"day %d" % day, day=day)
                file.add(f"{URL}gone", status="404 No" if day == 9 else "200 OK", day=day)
    assert asked(tmp_path) == (200, b"day 9")
    assert asked(tmp_path, f"{URL}gone") == (404, b"")
    assert asked(tmp_path / "b.warc.gz") == (200, b"day 7")


@pytest.mark.parametrize("way", ["id", "url", "digest"])
def test_a_revisit_has_the_body_of_what_it_refers_to(tmp_path: Path, way: str) -> None:
    with Writer(tmp_path / "x.warc.gz") as file:
        name = file.add(f"{URL}old", b"<p>x", Payload_Digest="sha1:ABC")
        given: dict[str, dict[str, Any]] = {
            "id": {"Refers_To": name},
            "url": {"Refers_To_Target_URI": f"{URL}old"},
            "digest": {"Payload_Digest": "sha1:ABC"},
        }
        file.add(URL, kind="revisit", headers={"X-Own": "1"}, **given[way])
    assert asked(file.path) == (200, b"<p>x")


def test_a_page_that_was_not_modified_is_the_one_before(tmp_path: Path) -> None:
    with Writer(tmp_path / "x.warc.gz") as file:
        name = file.add(URL, b"<p>x", day=1)
        profile = "http://netpreserve.org/warc/1.1/revisit/server-not-modified"
        file.add(URL, status="304 No", kind="revisit", day=2, Profile=profile, Refers_To=name)
    assert asked(file.path) == (200, b"<p>x")


def test_revisits_that_refer_to_each_other_end(tmp_path: Path) -> None:
    one, other = "<urn:uuid:1>", "<urn:uuid:2>"
    with Writer(tmp_path / "x.warc.gz") as file:
        file.add(URL, kind="revisit", Record_ID=one, Refers_To=other, Payload_Digest="sha1:A")
        file.add(URL, kind="revisit", Record_ID=other, Refers_To=one, Payload_Digest="sha1:A")
        file.add(f"{URL}self", kind="revisit", Record_ID="<urn:uuid:3>", Refers_To="<urn:uuid:3>")
    assert asked(file.path) == "not_stored"
    assert asked(file.path, f"{URL}self") == "not_stored"


def test_a_revisit_of_nothing_leaves_an_older_answer(tmp_path: Path) -> None:
    with Writer(tmp_path / "x.warc.gz") as file:
        file.add(URL, b"<p>old", day=1)
        file.add(URL, kind="revisit", day=2, Refers_To="<urn:uuid:9>")
    assert asked(file.path) == (200, b"<p>old")


def test_a_resource_is_a_page(tmp_path: Path) -> None:
    with Writer(tmp_path / "x.warc.gz") as file:
        file.add(URL, b"<p>x", kind="resource", headers={"Content-Type": "text/html"})
        file.add("ftp://a.example/", b"x", kind="resource")
    assert asked(file.path) == (200, b"<p>x")


@pytest.mark.parametrize("first", ["request", "response"])
def test_what_was_sent_tells_answers_apart(tmp_path: Path, first: str) -> None:
    with Writer(tmp_path / "x.warc.gz") as file:
        file.add(URL, b"form", day=1)
        for number in (b"1", b"2"):
            if first == "request":  # as wget writes them
                name = file.add(URL, b"q=" + number, kind="request", status="POST /")
                file.add(URL, b"found " + number, day=2, Concurrent_To=name)
            else:  # as others do
                name = file.add(URL, b"found " + number, day=2)
                sent = b"q=" + number
                file.add(URL, sent, kind="request", status="POST /", Concurrent_To=name)
    assert asked(file.path) == (200, b"form")
    assert asked(file.path, method="POST", sent=digest_of(b"q=1")) == (200, b"found 1")
    assert asked(file.path, method="POST", sent=digest_of(b"q=2")) == (200, b"found 2")
    assert asked(file.path, method="POST", sent=digest_of(b"q=3")) == "not_stored"
    assert asked(file.path, method="HEAD") == "not_stored"


def test_urls_are_the_same_as_in_a_crawl(tmp_path: Path) -> None:
    with Writer(tmp_path / "x.warc.gz") as file:
        file.add("HTTP://me:secret@A.example:80/x/../b#c", b"<p>x")
        file.add("http://[", b"<p>x")
    assert asked(file.path, "http://a.example/b") == (200, b"<p>x")


async def test_a_run_that_has_kept_its_pages_as_warc_is_parsed_again(
    site: Site, tmp_path: Path
) -> None:
    site.page("/", links=["/old", "/gone"])
    site.redirect("/old", "/older")
    site.redirect("/older", "/new")
    site.page("/new", headers={"Link": "</other>; rel=canonical"})
    site.page("/other")
    first = await live(Look(site.url()), tmp_path)
    run = Path(first.folder or "")
    (run / "warc").mkdir()
    with Writer(run / "warc" / "look-0-00000.warc.gz") as file:
        for page in lines(run / "pages.jsonl"):
            own = {"Link": "</other>; rel=canonical"} if "final" in page else {}
            body = (run / page["file"]).read_bytes()
            file.add(page.get("final") or page["url"], body, headers=own)
    (run / "warc" / "digests.db").touch()
    text = re.sub('"pages/[^"]*"', '"warc/look-0-00000.warc.gz"', (run / "pages.jsonl").read_text())
    (run / "pages.jsonl").write_text(text)
    shutil.rmtree(run / "pages")
    second = await crawl(Look(site.url()), source=run, output_dir=tmp_path / "again")
    assert first.pages == 3
    assert outcome(second) == outcome(first)


async def test_a_host_that_asked_for_peace_then_is_not_left_alone_now(tmp_path: Path) -> None:
    with Writer(tmp_path / "x.warc.gz") as file:
        file.add(URL, "".join(f'<a href="/{n}">{n}</a>' for n in range(20)).encode())
        for number in range(10):
            wait = {"Retry-After": "9999"}
            file.add(f"{URL}{number}", status="503 Busy", headers=wait if number % 2 else {})
            file.add(f"{URL}{number + 10}", b"<p>x")
    report = await crawl(
        Look(URL), source=file.path, output_dir=tmp_path / "again", delay=99, max_seconds=20
    )
    assert (report.pages, report.failures, report.given_up) == (11, {"status": 10}, {})
    assert (report.reason, report.seconds < 5) == ("finished", True)


def whole(tmp_path: Path, pages: int = 9) -> Path:
    """Return a WARC file of some pages."""
    with Writer(tmp_path / "x.warc.gz") as file:
        for number in range(pages):
            file.add(f"{URL}{number}", b"<p>%d" % number)
    return file.path


def test_a_file_that_is_compressed_as_a_whole_is_refused_with_what_helps(tmp_path: Path) -> None:
    path = whole(tmp_path)
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes())))
    with pytest.raises(RunError, match="compressed as a whole, not record by record; gunzip it"):
        asked(path)
    path.write_bytes(gzip.decompress(path.read_bytes()))
    assert asked(path, f"{URL}7") == (200, b"<p>7")


def test_what_it_takes_to_read_warc_files_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = whole(tmp_path)
    monkeypatch.setitem(sys.modules, "fastwarc.warc", None)
    with pytest.raises(MissingExtra, match=r"needs an extra: pip install 'crawlkeeper\[warc\]'"):
        asked(path)


@pytest.mark.parametrize("compressed", [True, False], ids=["gz", "plain"])
def test_damage_costs_no_page_but_its_own(
    tmp_path: Path, compressed: bool, caplog: pytest.LogCaptureFixture
) -> None:
    path = whole(tmp_path)
    data = path.read_bytes()
    mark = b"\x1f\x8b\x08" if compressed else b"WARC/1.1"
    pieces = (data if compressed else gzip.decompress(data)).split(mark)
    pieces[4] = pieces[4][: len(pieces[4]) // 3]  # the page 2
    path.write_bytes(mark.join(pieces))
    answers = [asked(path, f"{URL}{number}") for number in range(9)]
    assert [number for number, one in enumerate(answers) if one == (200, b"<p>%d" % number)] == [
        0, 1, 3, 4, 5, 6, 7, 8,
    ]  # fmt: skip
    assert "is damaged after byte" in caplog.text


def test_a_file_cut_anywhere_has_the_pages_before(tmp_path: Path) -> None:
    path = whole(tmp_path, pages=2)
    data = path.read_bytes()
    for end in range(40, len(data), 31):
        path.write_bytes(data[:end])
        try:
            answers = [asked(path, f"{URL}{number}") for number in range(2)]
        except RunError:
            assert end < 300  # not even the first record is whole
            continue
        assert set(answers) <= {(200, b"<p>0"), (200, b"<p>1"), "not_stored", "body"}


def test_changed_bytes_are_answers_or_failures(tmp_path: Path) -> None:
    logging.getLogger("crawler.archive").setLevel(logging.ERROR)
    chance = random.Random(6)
    data = gzip.decompress(whole(tmp_path, pages=3).read_bytes())
    path = tmp_path / "changed.warc"
    ended: set[str] = set()
    for _ in range(100):
        changed = bytearray(data)
        for _ in range(3):
            changed[chance.randrange(len(changed))] = chance.randrange(256)
        path.write_bytes(changed)
        try:
            answers = [asked(path, f"{URL}{number}") for number in range(3)]
        except RunError:
            ended.add("refused")
            continue
        ended |= {one if isinstance(one, str) else "answered" for one in answers}
    assert {"answered", "not_stored"} <= ended <= {"answered", "not_stored", "body", "refused"}


HOSTILE = {
    "a length without end": (b"Content-Length: 999999999999999999\r\n\r\nHTTP/1.1 200 OK\r\n\r\nx"),
    "a length below zero": b"Content-Length: -1\r\n\r\nHTTP/1.1 200 OK\r\n\r\nx",
    "no length": b"\r\nHTTP/1.1 200 OK\r\n\r\nx",
    "a large body": b"Content-Length: 50000019\r\n\r\nHTTP/1.1 200 OK\r\n\r\n" + b"x" * 50_000_000,
    "a large head": b"Content-Length: 50000017\r\n\r\nHTTP/1.1 200 OK\r\n" + b"x" * 50_000_000,
    "a large header": b"X: " + b"x" * 50_000_000 + b"\r\n\r\n",
    "no HTTP": b"Content-Length: 2\r\n\r\nhi",
    "no status": b"Content-Length: 19\r\n\r\nHTTP/1.1 OK\r\nA: b\r\n\r\n",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_record_is_a_failure_of_its_url(tmp_path: Path, name: str) -> None:
    head = b"WARC/1.0\r\nWARC-Type: response\r\nContent-Type: application/http\r\n"
    record = head + b"WARC-Target-URI: " + URL.encode() + b"\r\n" + HOSTILE[name] + b"\r\n\r\n"
    path = whole(tmp_path)
    first, rest = path.read_bytes().split(b"\x1f\x8b\x08", 2)[1:]
    middle = gzip.compress(record, 1)
    path.write_bytes(b"\x1f\x8b\x08" + first + middle + b"\x1f\x8b\x08" + rest)
    assert asked(path) in ("not_stored", "body", "too_large")
    assert asked(path, f"{URL}8") == (200, b"<p>8")


@pytest.mark.skipif(shutil.which("wget") is None, reason="apt-get install -y wget")
@pytest.mark.parametrize("options", [[], ["--no-warc-compression"]], ids=["gz", "plain"])
async def test_what_wget_stored_is_parsed_as_the_live_site(
    site: Site, tmp_path: Path, options: list[str]
) -> None:
    strange(site)
    site.page("/tea", links=["/empty"])  # wget follows no links of errors
    first = await live(Look(site.url()), tmp_path)
    command = ["wget", "-q", "-r", "-l", "inf", "-e", "robots=off", "-P", str(tmp_path / "files")]
    process = await asyncio.create_subprocess_exec(
        *command, "--warc-file", str(tmp_path / "wget"), *options, site.url()
    )
    await process.wait()
    (file,) = tmp_path.glob("wget.warc*")
    asked = len(site.log)
    folder = tmp_path / "again"
    second = await crawl(Look(site.url()), source=file, output_dir=folder)
    assert first.pages == 12
    assert outcome(second) == outcome(first)
    assert len(site.log) == asked


@pytest.mark.parametrize("named", [{"Truncated": "length"}, {"Segment_Number": 1}])
async def test_a_part_of_a_page_is_no_page(tmp_path: Path, named: dict[str, Any]) -> None:
    with Writer(tmp_path / "x.warc.gz") as file:
        file.add(URL, b'<a href="/cut">1</a><a href="/same">2</a><a href="/error">3</a>')
        file.add(f"{URL}cut", b"<p>the beginn", **named)
        revisit: dict[str, Any] = {"kind": "revisit", "Refers_To_Target_URI": f"{URL}cut"}
        file.add(f"{URL}same", **revisit)
        file.add(f"{URL}error", b"<p>no", status="404 Not Found", **named)
    report = await crawl(Look(URL), source=file.path, output_dir=tmp_path)
    assert (report.pages, report.failures) == (1, {"not_stored": 2, "status": 1})
