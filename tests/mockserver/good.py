"""Pages with nothing wrong, in all the ways that is right: every one has to come."""

import gzip
import sys
import zlib
from collections.abc import Sequence

import brotli  # type: ignore[import-untyped]  # it has no stubs

from tests.mockserver.table import DELIVERED, Theme
from tests.mockserver.wire import END, HTML, OK, Wire, body_of

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

theme = Theme("good")
TEXT = "<!doctype html><title>{0}</title><p>déjà vu at {0}</p>"
PACKERS = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstd.compress,
}


def _page(
    path: str, body: bytes, *, mime: str = "text/html", headers: Sequence[tuple[str, str]] = ()
) -> None:
    async def answer(wire: Wire) -> None:
        await wire.answer(body, mime=mime, headers=headers)

    theme.add(path, DELIVERED, answer)


def _encoded(charset: str, text: str = TEXT, *, said: bool = True, bom: bytes = b"") -> None:
    mime = f"text/html; charset={charset}" if said else "text/html"
    name = f"{charset}{'' if said else '-by-bom' if bom else '-unsaid'}"
    _page(name, bom + text.format(charset).encode(charset), mime=mime)


for number in range(10):
    _page(f"plain-{number}", body_of(f"plain-{number}"))
for coding, pack in PACKERS.items():
    _page(coding, pack(body_of(coding) * 100), headers=[("Content-Encoding", coding)])
    _page(f"large-{coding}", pack(body_of(coding) * 20_000), headers=[("Content-Encoding", coding)])
packer = zlib.compressobj(wbits=-15)
RAW = packer.compress(body_of("raw")) + packer.flush()
_page("raw-deflate", RAW, headers=[("Content-Encoding", "deflate")])
_page("x-gzip", gzip.compress(body_of("x")), headers=[("Content-Encoding", "X-GZIP")])
_page("identity", body_of("identity"), headers=[("Content-Encoding", "identity")])
_page(
    "members",
    gzip.compress(b"<p>one") + gzip.compress(b"<p>two"),
    headers=[("Content-Encoding", "gzip")],
)
_encoded("utf-8")
_encoded("iso-8859-1")
_encoded("windows-1252")
_encoded("shift_jis", "<title>{0}</title>日本語のページ")
_encoded("euc-kr", "<title>{0}</title>한국어")
_encoded("gb18030", "<title>{0}</title>中文网页")
_encoded("koi8-r", "<title>{0}</title>русский")
_encoded("utf-16-le", said=False, bom=b"\xff\xfe")
_encoded("utf-16-be", said=False, bom=b"\xfe\xff")
_encoded("utf-8", said=False, bom=b"\xef\xbb\xbf")
_encoded("utf-8", said=False)
_page("no-type", body_of("no-type"), mime="")
_page("xhtml", body_of("xhtml"), mime="application/xhtml+xml")
_page("json", b'{"fine": true}', mime="application/json")
_page("feed", b"<rss><channel/></rss>", mime="application/rss+xml")
_page("text", b"plain text", mime="text/plain")
_page("empty", b"")
_page("3-mb", body_of("3-mb") + b"<p>more and more</p>" * 150_000)
_page("with-query", body_of("with-query"))


@theme("chunked", DELIVERED)
async def chunked(wire: Wire) -> None:
    await wire.send(OK + HTML + b"Transfer-Encoding: chunked\r\n\r\n")
    for piece in (b"<p>one", b"<p>two", b"<p>three" * 1_000):
        await wire.send(b"%x\r\n" % len(piece) + piece + END)
    await wire.send(b"0\r\n\r\n")
    wire.keep = True


@theme("chunked-gzip", DELIVERED)
async def chunked_gzip(wire: Wire) -> None:
    body = gzip.compress(body_of(wire.path) * 1_000)
    await wire.send(OK + HTML + b"Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n")
    await wire.send(b"%X;ext=1\r\n" % len(body) + body + b"\r\n000\r\nX-Trailer: y\r\n\r\n")
    wire.keep = True


@theme("http-1.0", DELIVERED)
async def old(wire: Wire) -> None:
    body = body_of(wire.path)
    await wire.send(
        b"HTTP/1.0 200 OK\r\n" + HTML + b"Content-Length: %d\r\n\r\n" % len(body) + body
    )


@theme("in-pieces", DELIVERED)
async def in_pieces(wire: Wire) -> None:
    answer = OK + HTML + b"Content-Length: 9\r\n\r\n<p>pieces"
    for at in range(0, len(answer), 7):
        await wire.send(answer[at : at + 7])
        await wire.rest(0.005)
    wire.keep = True
