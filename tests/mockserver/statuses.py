"""Answers that are no page: errors for ever, errors once, wishes to be left alone."""

from tests.mockserver.table import Expected, Theme, failed, retried
from tests.mockserver.wire import Wire

# A 429 or 503 is about the whole host, so each has its own.
BUSY = failed("status") | failed("host_given_up")


def _asks(name: str, retry_after: str | None, expected: Expected, *, times: int = 10**9) -> None:
    """Serve 429 for so many times, then the page."""
    theme = Theme(f"busy {name}")

    async def answer(wire: Wire) -> None:
        if wire.hits > times:
            await wire.page()
            return
        headers = [("Retry-After", retry_after)] if retry_after is not None else []
        await wire.answer(b"busy", status="429 Too Many Requests", headers=headers)

    theme.add(name, expected, answer)


_asks("429-for-ever", None, BUSY)
_asks("429-once", None, retried(), times=1)
_asks("retry-after-0", "0", retried(), times=1)
_asks("retry-after-a-past-date", "Wed, 21 Oct 2015 07:28:00 GMT", retried(), times=1)
_asks("retry-after-junk", "soon \x1b[31m \xff", retried(), times=1)
_asks("retry-after-empty", "", retried(), times=1)
_asks("retry-after-negative", "-5", retried(), times=1)
_asks("retry-after-60-digits", "9" * 60, BUSY, times=1)
_asks("retry-after-the-year-5000", "Wed, 21 Oct 5000 07:28:00 GMT", BUSY, times=1)
_asks("retry-after-the-year-99999", "Wed, 21 Oct 99999 07:28:00 GMT", BUSY | retried(), times=1)

theme = Theme("statuses")


def _always(status: str, expected: Expected) -> None:
    async def answer(wire: Wire) -> None:
        await wire.answer(b"<h1>no</h1>", status=status)

    theme.add(status.partition(" ")[0], expected, answer)


_always("400 Bad", failed("status", attempts=1))
_always("401 Unauthorized", failed("status", attempts=1))
_always("402 Payment", failed("status", attempts=1))
_always("404 None", failed("status", attempts=1))
_always("407 Proxy", failed("status", attempts=1))
_always("408 Timeout", failed("status", attempts=2))
_always("410 Gone", failed("status", attempts=1))
_always("418 Teapot", failed("status", attempts=1))
_always("421 Misdirected", failed("status", attempts=1))
_always("451 Law", failed("status", attempts=1))
_always("500 Error", failed("status", attempts=2))
_always("502 Gateway", failed("status", attempts=2))
_always("520 Odd", failed("status", attempts=2))


@theme("500-once", retried())
async def error_once(wire: Wire) -> None:
    if wire.hits > 1:
        await wire.page()
    else:
        await wire.answer(b"", status="500 Error")


@theme("401-with-a-challenge", failed("status", attempts=1))
async def challenge(wire: Wire) -> None:
    """Asks for credentials; none may be sent for the asking."""
    headers = [("WWW-Authenticate", 'Basic realm="give"'), ("WWW-Authenticate", "NTLM")]
    await wire.answer(b"", status="401 Unauthorized", headers=headers)
