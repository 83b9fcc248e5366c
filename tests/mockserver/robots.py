"""A robots.txt of every kind; each has its own host, with one page behind it."""

from collections.abc import Sequence

from tests.mockserver.codings import GZIP_HEAD, gzip_piece
from tests.mockserver.table import DELIVERED, Answer, Expected, Theme, failed, skipped
from tests.mockserver.wire import OK, Wire

UNREACHABLE = failed("robots_unreachable")
DENIED = skipped("robots_denied")
DENY = b"User-agent: *\nDisallow: /\n"


def _host(name: str, expected: Expected, robots: Answer) -> None:
    theme = Theme(f"robots {name}")
    theme.add("robots.txt", None, robots)

    async def page(wire: Wire) -> None:
        await wire.page()

    theme.add(name, expected, page)


def _text(name: str, expected: Expected, body: bytes, *, status: str = "200 OK") -> None:
    async def answer(wire: Wire) -> None:
        await wire.answer(body, status=status, mime="text/plain")

    _host(name, expected, answer)


_text("denies", DENIED, DENY)
_text("denies-with-bom", DENIED, b"\xef\xbb\xbf" + DENY)
_text("denies-with-cr-alone", DENIED, DENY.replace(b"\n", b"\r"))
_text("denies-in-a-404", DELIVERED, DENY, status="404 None")
_text("403", DELIVERED, DENY, status="403 Forbidden")
_text("500-for-ever", UNREACHABLE, b"", status="500 Error")
_text("429-for-ever", UNREACHABLE | failed("host_given_up"), b"", status="429 Many")
_text("html", DELIVERED, b"<!doctype html><title>no robots here</title>Disallow: /<br>")
_text("binary", DELIVERED, bytes(range(256)) * 100)
_text("nul-bytes", DELIVERED, b"\0User-agent: *\0Disallow: /\0" * 10)
_text("10-mb", DELIVERED, b"# nothing\n" * 1_000_000 + DENY)
_text("one-line-of-10-mb", DELIVERED, b"User-agent: " + b"y" * 10_000_000 + b"\n" + DENY)
_text("stars", DELIVERED, b"User-agent: *\nDisallow: /" + b"*a" * 5_000 + b"$\n")
_text("rules-by-the-ten-thousand", DELIVERED, b"User-agent: *\n" + b"Disallow: /x*y*z\n" * 20_000)
_text(
    "crawl-delay-of-ages",
    DELIVERED | failed("host_given_up"),
    b"User-agent: *\nCrawl-delay: 1e99\n",
)
_text("crawl-delay-of-junk", DELIVERED, b"User-agent: *\nCrawl-delay: nan\nCrawl-delay: -1\n")
_text("204", DELIVERED, b"", status="204 None")


async def _once(wire: Wire) -> None:
    if wire.hits == 1:
        await wire.answer(b"", status="503 Busy", mime="text/plain")
    else:
        await wire.answer(b"User-agent: *\nAllow: /\n", mime="text/plain")


async def _silent(wire: Wire) -> None:
    await wire.rest()


async def _closes(wire: Wire) -> None:
    """Says nothing."""


async def _garbage(wire: Wire) -> None:
    await wire.send(b"\xff\xfe" * 50)


async def _bomb(wire: Wire) -> None:
    await wire.send(OK + b"Content-Type: text/plain\r\nContent-Encoding: gzip\r\n\r\n" + GZIP_HEAD)
    for _ in range(10_000):
        await wire.send(gzip_piece())


async def _six_hops(wire: Wire) -> None:
    number = int(wire.query or 0)
    if number < 6:
        await wire.redirect(f"/robots.txt?{number + 1}")
    else:
        await wire.answer(DENY, mime="text/plain")


async def _two_hops(wire: Wire) -> None:
    number = int(wire.query or 0)
    await (
        wire.redirect(f"/robots.txt?{number + 1}")
        if number < 2
        else wire.answer(DENY, mime="text/plain")
    )


async def _loop(wire: Wire) -> None:
    await wire.redirect("/robots.txt")


async def _to_a_file(wire: Wire) -> None:
    await wire.redirect("file:///etc/passwd")


HOSTS: Sequence[tuple[str, Expected, Answer]] = (
    ("503-then-fine", DELIVERED, _once),
    ("never-answers", UNREACHABLE, _silent),
    ("closes", UNREACHABLE, _closes),
    ("garbage", UNREACHABLE, _garbage),
    ("bomb", DELIVERED, _bomb),
    ("six-hops", DELIVERED, _six_hops),
    ("two-hops", DENIED, _two_hops),
    ("loop", DELIVERED, _loop),
    ("to-a-file", DELIVERED | UNREACHABLE, _to_a_file),
)
for name, expected, answer in HOSTS:
    _host(name, expected, answer)
