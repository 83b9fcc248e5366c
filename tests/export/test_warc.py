import gzip
import stat
from pathlib import Path

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from crawler.errors import TargetError
from crawler.request import Request
from crawler.response import Response
from tests.export.archives import (
    PREFIX,
    Frontier,
    answer,
    archives,
    exchange_of,
    is_sound,
    member_at,
    opened,
    records,
)
from tests.export.conftest import SizeLimit

URL = "https://a.example/x"
LONG = b"<!doctype html><p>the same again and again</p>" * 40


@pytest.fixture
def frontier() -> Frontier:
    return Frontier()


async def test_a_page_is_a_response_a_request_and_metadata(
    tmp_path: Path, frontier: Frontier
) -> None:
    async with opened(tmp_path, frontier) as store:
        (place,) = await store.save([answer(URL, LONG)])
        await frontier.commit(store)
    (file,) = archives(tmp_path)
    assert is_sound(file)
    info, response, request, metadata = records(file)
    assert [one.type for one in (info, response, request, metadata)] == [
        "warcinfo",
        "response",
        "request",
        "metadata",
    ]
    assert info.headers["WARC-Filename"] == file.name == f"{PREFIX}-0-00000.warc.gz"
    assert response.payload == LONG
    assert response.headers["WARC-Date"] == "2026-01-02T03:04:05.250000Z"
    assert response.headers["WARC-IP-Address"] == "192.0.2.1"
    assert response.headers["WARC-Protocol"] == "http/1.1"
    assert {one.url for one in (response, request, metadata)} == {URL}
    identity = response.headers["WARC-Record-ID"]
    assert {one.headers["WARC-Concurrent-To"] for one in (request, metadata)} == {identity}
    assert request.head.startswith("GET /x HTTP/1.1\r\nHost: a.example")
    assert metadata.payload == (
        b"via: https://a.example/\r\nhopsFromSeed: L\r\nfetchTimeMs: 500\r\n"
    )
    assert place.file == f"warc/{file.name}"
    assert member_at(tmp_path, place).startswith(b"WARC/1.1\r\nWARC-Type: response\r\n")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


async def test_head_and_payload_are_as_they_came_but_for_the_name_of_the_chunking(
    tmp_path: Path, frontier: Frontier
) -> None:
    head = (
        b"HTTP/1.1 200 Alright\r\nX-oDD:  caf\xe9 \r\nContent-Type: text/html\r\n"
        b"Content-Encoding: gzip\r\ntransfer-encoding : chunked\r\n\r\n"
    )
    page = answer(URL, gzip.compress(LONG), head=head)
    async with opened(tmp_path, frontier) as store:
        (place,) = await store.save([page])
    block = member_at(tmp_path, place).partition(b"\r\n\r\n")[2]
    changed = head.replace(b"transfer-encoding", b"X-Orig-Transfer-Encoding")
    assert block == changed + gzip.compress(LONG) + b"\r\n\r\n"
    assert is_sound(*archives(tmp_path))
    assert records(*archives(tmp_path))[1].payload == LONG


async def test_redirects_and_answers_that_are_no_pages_are_kept_too(
    tmp_path: Path, frontier: Frontier
) -> None:
    hop = exchange_of("https://a.example/old", b"", status=301)
    robots = Request("https://a.example/robots.txt", kind="robots")
    beside = [
        answer(robots.url, b"", status=404, request=robots),
        answer("https://a.example/gone", b"gone", status=410),
    ]
    async with opened(tmp_path, frontier) as store:
        (place,) = await store.save([answer(URL, LONG, before=(hop,))], beside=beside)
    read = records(*archives(tmp_path))
    assert [one.url.rpartition("/")[2] for one in read if one.type == "response"] == [
        "robots.txt",
        "gone",
        "old",
        "x",
    ]
    assert [one.payload.split(b"\r\n")[-3] for one in read if one.type == "metadata"] == [
        b"hopsFromSeed: P",
        b"hopsFromSeed: L",
        b"hopsFromSeed: L",
        b"hopsFromSeed: LR",
    ]
    assert b"via: https://a.example/old\r\n" in read[-1].payload
    assert URL.encode() in member_at(tmp_path, place), "a page's place is its own, not a hop's"


async def test_what_asks_not_to_be_kept_is_not_where_that_is_heeded(
    tmp_path: Path, frontier: Frontier
) -> None:
    asks = answer(URL, b"secret", status=404, headers={"X-Robots-Tag": "noarchive"})
    for heeds in (True, False):
        (tmp_path / str(heeds)).mkdir()
        async with opened(tmp_path / str(heeds), frontier, withholds=heeds) as store:
            await store.save([], beside=[asks])
        read = records(*archives(tmp_path / str(heeds)))
        assert any(one.payload == b"secret" for one in read) is not heeds


async def test_a_payload_that_is_there_already_is_a_revisit(
    tmp_path: Path, frontier: Frontier
) -> None:
    again, other = "https://a.example/again", answer("https://b.example/", LONG + b"!")
    async with opened(tmp_path, frontier) as store:
        first, second = await store.save([answer(URL, LONG), answer(again, LONG)])
        await frontier.commit(store)
        (third, _) = await store.save([answer("https://a.example/3", LONG), other])
    read = records(*archives(tmp_path))
    assert [one.type for one in read if one.type in ("response", "revisit")] == [
        "response",
        "revisit",
        "revisit",
        "response",
    ]
    (revisit, *_) = [one for one in read if one.type == "revisit"]
    response = read[1]
    assert revisit.payload == b""
    assert revisit.head.startswith("HTTP/1.1 200 Fine\r\n")
    assert revisit.headers["WARC-Payload-Digest"] == response.headers["WARC-Payload-Digest"]
    assert revisit.headers["WARC-Refers-To-Target-URI"] == URL
    assert revisit.headers["WARC-Refers-To-Date"] == response.headers["WARC-Date"]
    assert revisit.headers["WARC-Profile"].endswith("/1.1/revisit/identical-payload-digest")
    assert second.same_as == third.same_as == first
    assert is_sound(*archives(tmp_path))


async def test_a_short_or_cut_payload_is_no_reason_for_a_revisit(
    tmp_path: Path, frontier: Frontier
) -> None:
    pages = [answer(f"https://a.example/{number}", b"short") for number in range(2)]
    cut = "length"
    pages += [answer(f"https://b.example/{number}", LONG, truncated=cut) for number in range(2)]
    async with opened(tmp_path, frontier) as store:
        await store.save(pages)
    read = records(*archives(tmp_path))
    assert [one.type for one in read if one.type in ("response", "revisit")] == ["response"] * 4
    assert read[-1].type == "metadata"
    assert [one.headers.get("WARC-Truncated") for one in read if one.type == "response"] == [
        None,
        None,
        "length",
        "length",
    ]


async def test_a_full_file_is_followed_by_the_next(tmp_path: Path, frontier: Frontier) -> None:
    pages = [answer(f"https://a.example/{n}", f"{n}".encode() * 500) for n in range(9)]
    async with opened(tmp_path, frontier, most_bytes=2_500) as store:
        places = await store.save(pages[:7])
        await frontier.commit(store)
        places = [*places, *await store.save(pages[7:])]
        await frontier.commit(store)
    files = archives(tmp_path)
    assert [file.name for file in files] == [
        f"{PREFIX}-0-0000{number}.warc.gz" for number in range(len(files))
    ]
    assert len(files) > 3
    assert is_sound(*files)
    assert [records(file)[0].type for file in files] == ["warcinfo"] * len(files)
    for page, place in zip(pages, places, strict=True):
        assert page.body in member_at(tmp_path, place)
    assert {name for name in frontier.committed if name.endswith(".warc.gz")} == {
        f"warc/{file.name}" for file in files
    }


async def test_what_is_saved_and_not_committed_is_cut_off_by_the_next_save(
    tmp_path: Path, frontier: Frontier
) -> None:
    async with opened(tmp_path, frontier, most_bytes=2_500) as store:
        await store.save([answer("https://a.example/0")])
        await frontier.commit(store)
        lost = [answer(f"https://a.example/{n}", b"%d" % n * 500) for n in range(1, 9)]
        await store.save(lost)
        assert len(archives(tmp_path)) > 2
        await store.save(lost[:1])  # the lines that go with them could not be written
        await frontier.commit(store)
    (file,) = archives(tmp_path)
    assert [one.url for one in records(file) if one.type == "response"] == [
        "https://a.example/0",
        "https://a.example/1",
    ]
    assert [one.type for one in records(file)].count("revisit") == 0
    assert is_sound(file)


async def test_the_next_life_cuts_off_what_was_not_committed(
    tmp_path: Path, frontier: Frontier
) -> None:
    async with opened(tmp_path, frontier) as store:
        await store.save([answer(URL, LONG)])
        await frontier.commit(store)
        await store.save([answer("https://a.example/lost", LONG * 2)])
    async with opened(tmp_path, frontier) as store:
        (place,) = await store.save([answer("https://a.example/2", LONG * 2)])
        await frontier.commit(store)
    (file,) = archives(tmp_path)
    assert is_sound(file)
    assert not any(one.url.endswith("lost") for one in records(file))
    assert place.same_as is None, "what was cut off is no original"


async def test_a_resumed_run_knows_what_it_has(tmp_path: Path, frontier: Frontier) -> None:
    async with opened(tmp_path, frontier) as store:
        (first,) = await store.save([answer(URL, LONG)])
        frontier.committed |= store.lengths  # and is killed before it hears of it
    async with opened(tmp_path, frontier) as store:
        (second,) = await store.save([answer("https://a.example/2", LONG)])
    assert second.same_as == first


async def test_files_of_the_dead_are_cut_those_of_the_living_are_not(
    tmp_path: Path, frontier: Frontier
) -> None:
    for part in ("7", "8", "9"):
        async with opened(tmp_path, frontier, part=part) as store:
            if part != "9":
                await store.save([answer(f"https://a.example/{part}")])
                await frontier.commit(store)
            await store.save([answer(f"https://a.example/{part}/lost")])
    async with opened(tmp_path, frontier, living=lambda: {"8"}) as store:
        urls = {one.url for one in records(*archives(tmp_path)) if one.type == "response"}
        assert urls == {f"https://a.example/{end}" for end in ("7", "8", "8/lost")}
        await store.settle()
    assert [file.name for file in archives(tmp_path)] == [
        f"{PREFIX}-7-00000.warc.gz",
        f"{PREFIX}-8-00000.warc.gz",
    ]


async def test_processes_of_a_run_know_each_others_payloads_once_they_are_committed(
    tmp_path: Path, frontier: Frontier
) -> None:
    async with opened(tmp_path, frontier) as one, opened(tmp_path, frontier, part="5") as other:
        (first,) = await one.save([answer(URL, LONG)])
        (second,) = await other.save([answer("https://a.example/2", LONG)])
        assert second.same_as is None, "the first may be cut off yet"
        await frontier.commit(other)
        await frontier.commit(one)
        (third,) = await other.save([answer("https://a.example/3", LONG)])
        await frontier.commit(other)
        await other.save([])
    assert third.same_as == second
    async with opened(tmp_path, frontier, part="6") as store:
        (fourth,) = await store.save([answer("https://a.example/4", LONG)])
    assert fourth.same_as in (first, second)


async def test_a_write_that_fails_leaves_the_files_as_they_were(
    tmp_path: Path, frontier: Frontier, size_limit: SizeLimit
) -> None:
    async with opened(tmp_path, frontier) as store:
        await store.save([answer(URL, LONG)])
        await frontier.commit(store)
        page = answer("https://a.example/2", bytes(range(256)) * 100)
        (file,) = archives(tmp_path)
        before = file.read_bytes()
        with size_limit(len(before) + 500), pytest.raises(TargetError, match="may not grow"):
            await store.save([page])
        assert file.read_bytes() == before
        assert store.lengths.items() <= frontier.committed.items()
        await store.save([page])
        await frontier.commit(store)
    assert is_sound(file)
    assert [one.url for one in records(file)].count(page.url) == 3


async def test_a_file_that_lost_what_was_committed_is_named(
    tmp_path: Path, frontier: Frontier
) -> None:
    async with opened(tmp_path, frontier) as store:
        await store.save([answer(URL, LONG)])
        await frontier.commit(store)
    (file,) = archives(tmp_path)
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(TargetError, match=r"00000\.warc\.gz: [\d,]+ bytes were committed"):
        async with opened(tmp_path, frontier):
            pass


async def test_a_broken_book_of_digests_costs_a_revisit_and_no_more(
    tmp_path: Path, frontier: Frontier
) -> None:
    async with opened(tmp_path, frontier) as store:
        await store.save([answer(URL, LONG)])
        await frontier.commit(store)
    (tmp_path / "warc" / "digests.db").write_bytes(b"no database" * 1_000)
    async with opened(tmp_path, frontier) as store:
        (place,) = await store.save([answer("https://a.example/2", LONG)])
    assert place.same_as is None
    assert is_sound(*archives(tmp_path))


async def test_a_page_that_a_layer_made_is_a_resource(tmp_path: Path, frontier: Frontier) -> None:
    headers = CIMultiDictProxy(CIMultiDict({"Content-Type": "text/plain"}))
    page = Response(URL, request=Request(URL), body=b"made up", headers=headers)
    async with opened(tmp_path, frontier) as store:
        (place,) = await store.save([page])
    (_, resource) = records(*archives(tmp_path))
    assert (resource.type, resource.url, resource.payload) == ("resource", URL, b"made up")
    assert place.length == len((tmp_path / place.file).read_bytes()) - (place.offset or 0)
    assert is_sound(*archives(tmp_path))


async def test_no_page_forges_a_header(tmp_path: Path, frontier: Frontier) -> None:
    url = "https://a.example/\r\nWARC-Type: warcinfo\r\n\r\nx"
    page = Response(url, request=Request(URL), body=b"made up")
    async with opened(tmp_path, frontier) as store:
        await store.save([page])
    (_, resource) = records(*archives(tmp_path))
    assert (resource.type, resource.payload) == ("resource", b"made up")
    assert is_sound(*archives(tmp_path))


async def test_a_disk_that_is_too_full_is_refused_before(
    tmp_path: Path, frontier: Frontier
) -> None:
    async with opened(tmp_path, frontier, min_free_bytes=2**62) as store:
        with pytest.raises(TargetError, match="min_free_bytes"):
            await store.save([answer(URL)])
    assert archives(tmp_path) == []


async def test_an_index_that_is_there_is_whole(tmp_path: Path, frontier: Frontier) -> None:
    index = tmp_path / "warc" / "index.cdxj"
    async with opened(tmp_path, frontier) as store:
        await store.save([answer(URL)])
        await frontier.commit(store)
        assert not index.exists()
        await store.settle()
        assert index.read_text().count("\n") == 1
    async with opened(tmp_path, frontier) as store:
        await store.save([answer("https://a.example/2")])
        assert not index.exists()
        await frontier.commit(store)
        await store.settle()
    assert index.read_text().count("\n") == 2


async def test_nothing_to_keep_makes_no_folder(tmp_path: Path, frontier: Frontier) -> None:
    async with opened(tmp_path, frontier) as store:
        assert await store.save([]) == []
        await store.settle()
    assert list(tmp_path.iterdir()) == []


async def test_a_link_in_the_place_of_a_file_is_not_followed(
    tmp_path: Path, frontier: Frontier
) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"mine")
    (tmp_path / "warc").mkdir()
    async with opened(tmp_path, frontier) as store:
        (tmp_path / "warc" / f"{PREFIX}-0-00000.warc.gz").symlink_to(victim)
        with pytest.raises(TargetError, match="symbolic link"):
            await store.save([answer(URL)])
    assert victim.read_bytes() == b"mine"
