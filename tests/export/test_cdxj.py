import io
import random
from pathlib import Path

import pytest
from cdxj_indexer.main import CDXJIndexer  # type: ignore[import-untyped]  # it has no stubs
from surt import surt as their_surt  # type: ignore[import-untyped]  # as above

from crawler import urls
from crawler.errors import InvalidUrl
from crawler.export import cdxj
from crawler.export.surt import surt
from tests.export.archives import Frontier, answer, archives, exchange_of, opened

LONG = b"<!doctype html><p>the same again and again</p>" * 40


def indexed(files: list[Path]) -> list[str]:
    out = io.StringIO()
    CDXJIndexer(out, [str(file) for file in files], sort=True).process_all()
    return out.getvalue().splitlines()


async def test_the_index_is_that_of_cdxj_indexer(tmp_path: Path) -> None:
    frontier = Frontier()
    hop = exchange_of("http://b.example/", b"", status=301)
    odd = b"Content-Type:  text/plain ; charset=x\r\n"
    pages = [
        answer("https://www.a.example/B/?b=2&a=1", LONG),
        answer("https://a.example/again", LONG),
        answer("http://a.example:8080/%C3%A9/", b"short", status=404),
        answer("http://b.example/new", LONG + b"!", before=(hop,)),
        answer("http://b.example/x", b"", head=b"HTTP/1.1 200 OK\r\n" + odd + b"\r\n"),
        answer("http://b.example/y", b"", head=b"HTTP/1.1 200 OK\r\n\r\n"),
    ]
    async with opened(tmp_path, frontier, most_bytes=2_000) as store:
        await store.save(pages)
        await frontier.commit(store)
        await store.save([answer("http://c.example/lost")])
        await store.settle()
        ours = (tmp_path / "warc" / "index.cdxj").read_text().splitlines()
        await store.save([])
        assert len(archives(tmp_path)) > 1
    frontier.committed, lengths = {}, dict(frontier.committed)
    for file in archives(tmp_path):
        file.write_bytes(file.read_bytes()[: lengths[f"warc/{file.name}"]])
    theirs = indexed(archives(tmp_path))
    assert len(ours) == 7
    assert [line.split(" ", 2)[:2] for line in ours] == [line.split(" ", 2)[:2] for line in theirs]
    assert [line.split(" ", 2)[2] for line in ours] == [
        line.split(" ", 2)[2].replace('": "', '":"').replace('", "', '","') for line in theirs
    ]


def test_an_index_larger_than_memory_may_hold_is_sorted_all_the_same(tmp_path: Path) -> None:
    lines = [b"%07d x\n" % number for number in random.Random(1).sample(range(10**7), 120_000)]
    files = []
    for number in range(5):
        file = tmp_path / f"{number}.cdxj"
        file.write_bytes(b"".join(lines[number::5]) + b"not committed\n")
        files.append((file, file.stat().st_size - len(b"not committed\n")))
    cdxj.write_index(tmp_path / "index.cdxj", files)
    assert (tmp_path / "index.cdxj").read_bytes() == b"".join(sorted(lines))


def test_keys_are_those_that_archives_use() -> None:
    chance = random.Random(7)
    hosts = ("www.a.example", "a.B.example:8080", "www2.example.com:443", "1.2.3.4", "[::1]:8000")
    compared = 0
    for _ in range(3_000):
        path = "".join(chance.choices("ab/.%25&=?;~ A%é+-_()", k=chance.randrange(14)))
        try:
            url = urls.canonicalize(f"https://{chance.choice(hosts)}/{path}")
        except InvalidUrl:
            continue
        assert surt(url) == their_surt(url), url
        compared += 1
    assert compared > 2_000


@pytest.mark.parametrize(
    "end",
    [
        "x?jsessionid=0123456789abcdef0123456789abcdef&b=1",
        "x?a=1&sid=0123456789ABCDEF0123456789abcdef&b=1",
        "x?cfid=1&cftoken=2&z=1",
        "(4hqa0555fwsecu455xqckv45)/mileg.aspx",
        "(a(4hqa0555fwsecu455xqckv45)S(4hqa0555fwsecu455xqckv45))/mileg.aspx?x",
    ],
)
def test_session_ids_are_in_no_key(end: str) -> None:
    url = f"https://example.com/{end}"
    assert surt(url) == their_surt(url)
