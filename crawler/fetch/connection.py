"""A connection that believes no server."""

from functools import partial
from typing import Any, Final

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.helpers import set_exception
from aiohttp.http_exceptions import BadHttpMessage, HttpProcessingError

# A head has at most 256 lines of 64 KB, which would be 16 MB.
_HEAD_BYTES: Final = 262_144
_INTERIM: Final = 20
# aiohttp takes a length of 2^64-1 for none.
_LENGTH_DIGITS: Final = 18
# Chunks of one byte cost five more. What is beyond is there to be read, and brings nothing.
_FRAMING: Final = 16
_FRAMING_BYTES: Final = 2_000_000


class Connection(ResponseHandler):
    """Gives a request its own answer, whole, or none.

    aiohttp keeps what comes behind an answer, and takes it for the next request's; it takes a body
    without length for whole when the connection is reset; who reads a body does not hear of framing
    that breaks in a later packet; it reads heads of 16 MB, interim answers (1xx) without end or a
    clock, and a Transfer-Encoding that it does not undo. None of it here.
    """

    _answered = False
    _whole = False
    _behind = False
    _ended = False
    _interim = 0
    _bytes = 0

    def set_response_params(self, **options: Any) -> None:
        """Hear that a request goes out."""
        self._answered = self._whole = self._behind = False
        self._interim = self._bytes = 0
        super().set_response_params(**options)

    def feed_data(self, data: Any, size: int = 0) -> None:
        """Take an answer's head: the first that is final."""
        message, _ = data
        if self._answered:
            self._behind = True
        elif 100 <= message.code < 200 and message.code != 101:
            self._interim += 1
            if self._interim > _INTERIM:
                self._break_off(f"more than {_INTERIM} interim responses")
        elif (why := _faults(message)) is not None:
            self._break_off(why)
        else:
            self._answered = True
            super().feed_data(data, size)

    def data_received(self, data: bytes) -> None:
        """Take bytes off the wire."""
        if self._whole:
            if data:
                self.close()  # nobody asked: it would be the next request's answer
            return
        self._bytes += len(data)
        super().data_received(data)
        payload = self._payload
        if (error := self.exception()) is not None:
            self._give_up(error)
        elif not self._answered:
            if self._bytes > _HEAD_BYTES:
                self._break_off(f"more than {_HEAD_BYTES:,} bytes of headers")
            else:
                self.start_timeout()  # which ends with every head, also that of an interim answer
        elif self._behind or payload is None or payload.is_eof():
            self._whole = True
            if self._behind or self._begins_another():
                self.close()
        elif self._bytes > _FRAMING_BYTES + _FRAMING * payload.total_bytes:
            self._break_off("far more framing than body")

    def pause_reading(self) -> None:
        """Read no more for now; what is here already is no more to wait for."""
        if not self._ended:
            super().pause_reading()

    def connection_lost(self, exc: BaseException | None) -> None:
        """Hear of the end; a body that a reset ends is not whole, whatever its length."""
        payload = self._payload
        if exc is not None:
            self._tell(exc)
        elif payload is not None and self._reading_paused:
            self._ended = True  # TLS lets go without waiting for who reads
            self.data_received(b"")
        super().connection_lost(exc)
        if payload is not None and (error := payload.exception()) is not None:
            # Once more: who was woken by the end of a chunk, and found nothing, waits again.
            payload.set_exception(error)

    def close(self) -> None:
        """Close at once: TLS would wait half a minute for the other side to say that it does."""
        self.abort()

    def _begins_another(self) -> bool:
        """True if a part of another answer was behind the one that is whole."""
        try:
            return self._parser is not None and self._parser.feed_eof() is not None
        except HttpProcessingError:
            return True

    def _break_off(self, why: str) -> None:
        error = BadHttpMessage(why)
        self.set_exception(error)
        self._give_up(error)

    def _give_up(self, error: BaseException) -> None:
        self._tell(error)
        if self.transport is not None:
            self.transport.abort()

    def _tell(self, error: BaseException) -> None:
        """Let who reads the body know what ended it."""
        payload = self._payload
        if payload is not None and not payload.is_eof() and payload.exception() is None:
            broken = aiohttp.ClientPayloadError("the connection broke")
            set_exception(payload, broken, error)


class Connector(aiohttp.TCPConnector):
    """Opens connections; lets go of those that rest before there may be more than `most`.

    `kind` is their class, `per_host` is how many may rest for one host.
    """

    def __init__(
        self, *, kind: type[Connection] = Connection, most: int, per_host: int, **options: Any
    ) -> None:
        super().__init__(**options)
        made: Any = partial(kind, loop=self._loop)
        self._factory = made
        self._most = most
        self._per_host = per_host

    async def _create_connection(self, *args: Any) -> ResponseHandler:
        # Counted from above: to look at each host's would cost more than a connection.
        if len(self._acquired) + len(self._conns) * self._per_host >= self._most:
            self._close_resting()
        return await super()._create_connection(*args)

    def _close_resting(self) -> None:
        for resting in self._conns.values():
            for connection, _ in resting:
                connection.close()
        self._conns.clear()


def _faults(message: Any) -> str | None:
    """Return what is wrong with a head that llhttp let pass."""
    if message.code == 101:
        return "a switch of protocols that nobody asked for"
    # RFC 9112 6.1: we send no TE, so there may be nothing but one chunked.
    codings = message.headers.getall("Transfer-Encoding", None)
    if codings is not None and (
        len(codings) > 1 or codings[0].strip().lower() != "chunked" or not message.chunked
    ):
        return f"transfer encoding {', '.join(codings)!r:.60}"
    if len(message.headers.get("Content-Length", "")) > _LENGTH_DIGITS:
        return "a body of more than 10^18 bytes"
    return None
