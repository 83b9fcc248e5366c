"""Servers that take their time, or all of ours."""

from tests.mockserver.table import DELIVERED, Theme, failed, retried
from tests.mockserver.wire import END, HTML, OK, Wire, body_of

theme = Theme("slow")
LATE = failed("timeout")
GONE = failed("connect")


@theme("closes-at-once", GONE)
async def closes_at_once(wire: Wire) -> None:
    """Takes the request, says nothing and goes."""


@theme("resets-at-once", GONE)
async def resets_at_once(wire: Wire) -> None:
    wire.reset()


@theme("never-answers", LATE)
async def never_answers(wire: Wire) -> None:
    await wire.rest()


@theme("first-byte-after-a-while", DELIVERED)
async def first_byte_late(wire: Wire) -> None:
    await wire.rest(0.5)
    await wire.page()


@theme("silent-in-the-head", LATE)
async def silent_head(wire: Wire) -> None:
    await wire.send(OK + HTML)
    await wire.rest()


@theme("silent-in-the-body", LATE)
async def silent_body(wire: Wire) -> None:
    await wire.send(OK + HTML + b"Content-Length: 5000\r\n\r\n" + body_of(wire.path))
    await wire.rest()


@theme("silent-at-the-end", LATE)
async def silent_end(wire: Wire) -> None:
    """All but the close of a body that ends with it."""
    await wire.send(OK + HTML + END + body_of(wire.path))
    await wire.rest()


@theme("drips-in-the-status-line", LATE)
async def drip_status(wire: Wire) -> None:
    await _drip(wire, OK)
    await _drip(wire, b"X: y\r\n" * 10_000)


@theme("drips-in-the-head", LATE)
async def drip_head(wire: Wire) -> None:
    await wire.send(OK)
    await _drip(wire, b"X-Drip: " + b"y" * 10_000)


@theme("drips-in-the-body", LATE)
async def drip_body(wire: Wire) -> None:
    await wire.send(OK + HTML + b"Content-Length: 100000\r\n\r\n")
    await _drip(wire, b"y" * 10_000)


@theme("drips-in-chunks", LATE)
async def drip_chunks(wire: Wire) -> None:
    await wire.send(OK + HTML + b"Transfer-Encoding: chunked\r\n\r\n")
    await _drip(wire, b"1\r\ny\r\n" * 10_000)


@theme("drips-early-hints", LATE | failed("protocol"))
async def drip_hints(wire: Wire) -> None:
    while True:
        await wire.send(b"HTTP/1.1 103 Early Hints\r\n\r\n")
        await wire.rest(0.1)


@theme("drips-in-a-404", failed("status") | LATE)
async def drip_error(wire: Wire) -> None:
    await wire.send(b"HTTP/1.1 404 None\r\n" + HTML + END)
    await _drip(wire, b"y" * 10_000)


async def _drip(wire: Wire, text: bytes) -> None:
    for at in range(len(text)):
        await wire.send(text[at : at + 1])
        await wire.rest(0.1)


# What is broken once, and whole when asked again.


@theme("closes-once", retried())
async def closes_once(wire: Wire) -> None:
    if wire.hits > 1:
        await wire.page()


@theme("resets-once", retried())
async def resets_once(wire: Wire) -> None:
    if wire.hits > 1:
        await wire.page()
    else:
        wire.reset()


@theme("silent-once", retried())
async def silent_once(wire: Wire) -> None:
    if wire.hits > 1:
        await wire.page()
    else:
        await wire.rest()


@theme("cut-once", retried())
async def cut_once(wire: Wire) -> None:
    if wire.hits > 1:
        await wire.page()
    else:
        await wire.send(OK + HTML + b"Content-Length: 5000\r\n\r\n" + body_of(wire.path))


@theme("garbage-once", retried())
async def garbage_once(wire: Wire) -> None:
    if wire.hits > 1:
        await wire.page()
    else:
        await wire.send(b"\xff\xfe\xfd" * 100)
