import gzip
import sys
import tracemalloc
import zlib
from collections.abc import Callable

import brotli  # type: ignore[import-untyped]  # it has no stubs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.errors import BodyError, BodyTooLarge, ConnectError, FetchError
from crawler.fetch.decoding import Decoder

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

LIMIT = 10_000_000
TEXT = b"The quick brown fox jumps over the lazy dog. " * 5_000


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


def brotli_of(data: bytes) -> bytes:
    packed: bytes = brotli.compress(data, quality=4)
    return packed


PACK: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli_of,
    "zstd": zstd.compress,
}
CODINGS = pytest.mark.parametrize("coding", PACK)


def decoded(data: bytes, *codings: str, limit: int = LIMIT, step: int = 1 << 20) -> bytes:
    decoder = Decoder(codings, limit=limit)
    chunks = [data[at : at + step] for at in range(0, len(data), step)]
    body = b"".join(piece for chunk in chunks for piece in decoder.feed(chunk))
    decoder.finish()
    return body


@CODINGS
@pytest.mark.parametrize("step", [1, 7, 1 << 20])
def test_each_coding_is_undone_whatever_the_chunks(coding: str, step: int) -> None:
    assert decoded(PACK[coding](TEXT[:9_000]), coding, step=step) == TEXT[:9_000]


@CODINGS
def test_a_body_of_many_steps_is_undone(coding: str) -> None:
    assert decoded(PACK[coding](TEXT), coding) == TEXT


@pytest.mark.parametrize("codings", [(), ("",), ("identity",), ("Identity, ",)])
def test_identity_changes_nothing(codings: tuple[str, ...]) -> None:
    assert decoded(TEXT, *codings) == TEXT


def test_names_are_read_without_case_and_with_their_old_form() -> None:
    assert decoded(gzip.compress(TEXT), " X-GZip ") == TEXT


def test_raw_deflate_is_understood_too() -> None:
    assert decoded(raw_deflate(TEXT), "deflate", step=1) == TEXT


def test_lists_of_codings_are_undone_from_the_last_to_the_first() -> None:
    twice = brotli_of(gzip.compress(TEXT))
    assert decoded(twice, "gzip, br") == TEXT
    assert decoded(twice, "gzip", "br") == TEXT


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
def test_members_one_after_another_are_one_body(coding: str) -> None:
    body = PACK[coding](TEXT) + PACK[coding](b"") + PACK[coding](b"end")
    assert decoded(body, coding) == TEXT + b"end"
    assert decoded(body, coding, step=1) == TEXT + b"end"


@pytest.mark.parametrize("coding", ["gzip", "deflate", "zstd"])
@pytest.mark.parametrize("junk", [b"\0", b"\0" * 1_000, b"<!-- cached -->"])
def test_junk_behind_the_end_is_left_alone(coding: str, junk: bytes) -> None:
    assert decoded(PACK[coding](TEXT) + junk, coding) == TEXT
    assert decoded(PACK[coding](TEXT) + junk, coding, step=1) == TEXT


@CODINGS
def test_no_bytes_at_all_are_an_empty_body(coding: str) -> None:
    assert decoded(b"", coding) == b""
    assert decoded(PACK[coding](b""), coding) == b""


@CODINGS
@pytest.mark.parametrize("kept", [1, 3, 12, -1])
def test_a_stream_without_its_end_broke_on_the_way(coding: str, kept: int) -> None:
    with pytest.raises(ConnectError, match=f"ended before its {coding} data"):
        decoded(PACK[coding](TEXT)[:kept], coding)


@CODINGS
def test_a_body_that_is_not_what_it_says_is_an_error(coding: str) -> None:
    with pytest.raises(BodyError):
        decoded(b"<!doctype html><title>plain</title>" * 100, coding)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "zstd"])
def test_broken_data_is_an_error(coding: str) -> None:
    body = bytearray(PACK[coding](bytes(range(256)) * 200))
    body[len(body) // 2 :] = bytes(len(body) - len(body) // 2)
    with pytest.raises(FetchError):
        decoded(bytes(body), coding)


@pytest.mark.parametrize("codings", ["compress", "gzip, wat", "utf-8", "gzip, gzip, gzip"])
def test_unknown_or_endless_codings_are_an_error(codings: str) -> None:
    with pytest.raises(BodyError):
        Decoder([codings], limit=LIMIT)


def test_a_limit_is_reached_and_not_passed() -> None:
    assert decoded(TEXT, limit=len(TEXT)) == TEXT
    with pytest.raises(BodyTooLarge):
        decoded(TEXT, limit=len(TEXT) - 1)


@CODINGS
def test_what_fits_comes_before_the_error(coding: str) -> None:
    got: list[bytes] = []
    with pytest.raises(BodyTooLarge):
        got.extend(Decoder([coding], limit=100_000).feed(PACK[coding](TEXT)))
    assert b"".join(got) == TEXT[:100_000]


@CODINGS
def test_a_bomb_never_takes_more_memory_than_a_step(coding: str) -> None:
    bomb = PACK[coding](bytes(100_000_000))
    sizes: list[int] = []
    tracemalloc.start()
    try:
        with pytest.raises(BodyTooLarge):
            sizes.extend(map(len, Decoder([coding], limit=LIMIT).feed(bomb)))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert sum(sizes) == LIMIT
    assert peak < 2_000_000


def test_a_bomb_inside_a_bomb_stops_at_the_inner_limit() -> None:
    inner = gzip.compress(bytes(1_000_000)) * 2_000
    with pytest.raises((BodyTooLarge, BodyError)):
        decoded(gzip.compress(inner), "gzip, gzip", limit=1_000_000)


def test_thousands_of_empty_members_are_an_attack() -> None:
    with pytest.raises(BodyError, match="frames"):
        decoded(gzip.compress(b"") * 5_000, "gzip")


def test_junk_without_end_is_not_read_for_ever() -> None:
    with pytest.raises(BodyTooLarge):
        decoded(gzip.compress(b"x") + b"junk" * 1_000, "gzip", limit=1_000)


def test_a_zstd_window_larger_than_rfc_9659_allows_is_refused() -> None:
    wide: dict[int, int] = {
        zstd.CompressionParameter.window_log: 27,
        zstd.CompressionParameter.content_size_flag: 0,
    }
    packer = zstd.ZstdCompressor(options=wide)
    body = packer.compress(bytes(1_000_000)) + packer.flush()
    with pytest.raises(BodyError):
        decoded(body, "zstd")


@given(data=st.binary(max_size=200), coding=st.sampled_from(sorted(PACK)))
@settings(max_examples=200, deadline=None)
def test_no_bytes_make_it_raise_anything_but_ours(data: bytes, coding: str) -> None:
    for body in (data, PACK[coding](b"seed")[:10] + data):
        try:
            decoded(body, coding, step=50)
        except (BodyError, ConnectError):
            continue
