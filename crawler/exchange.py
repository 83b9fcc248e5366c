"""What went over the wire for one answer."""

from msgspec import Struct


class Exchange(Struct, frozen=True):
    """A request and its answer, byte for byte, but for what is secret and the transfer coding.

    `request` is the head and body that were sent, with `***` for the values of secret headers.
    `head` is the status line and the header lines up to the empty one, as they came; `body` the
    payload as it came, Content-Encoding and all, without its chunks. `at` is when the request went
    out (seconds since the epoch), `address` the server's IP, None behind a proxy. `protocols` are
    such as `http/1.1` and `tls/1.3`. `truncated` says why the body is not whole, as WARC does:
    `length`, `time`, `disconnect` or `unspecified`.
    """

    url: str
    request: bytes
    head: bytes
    body: bytes
    at: float
    seconds: float
    status: int
    address: str | None = None
    protocols: tuple[str, ...] = ()
    truncated: str | None = None
